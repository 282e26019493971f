"""The socket side of a conversation: dialling, reading with deadlines, sending, leaving politely."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from math import inf
from socket import gaierror
from typing import TYPE_CHECKING, Protocol, TypeAlias

import trio

from appliance import __version__
from appliance.sites.names import Names, is_no_answer
from appliance.sites.rtsp.auth import Authenticator
from appliance.sites.rtsp.client import RtspClient
from appliance.sites.rtsp.errors import Ended, NameNotAnswered, NoAnswer, RtspError, Unsupported
from appliance.sites.rtsp.events import TornDown
from appliance.sites.rtsp.oddities import Oddities
from appliance.sites.rtsp.options import Way
from appliance.sites.rtsp.trouble import FAILURES
from appliance.sites.rtsp.udp import UdpPorts
from appliance.sites.source import SourceStatistics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from appliance.sites.polling import Polled, Poller
    from appliance.sites.rtsp.events import Event
    from appliance.sites.rtsp.messages import Packets
    from appliance.sites.rtsp.target import RtspTarget
    from appliance.sites.rtsp.transport import Transport
    from appliance.sites.rtsp.urls import RtspUrl

CONNECT_WITHIN_S = 5.0
ADDRESSES_LIMIT = 4  # of one name; the time is shared among them
SEND_WITHIN_S = 5.0
LEAVE_WITHIN_S = 1.0
#: A picture or two at once, and below what makes the allocator go to the system for every read.
READ_SIZE = 64 * 1024
USER_AGENT = f"Fanal/{__version__}"

#: Why an address must not be dialled, or None (abuse A11).
CheckAddress: TypeAlias = Callable[[str], str | None]


class Dial(Protocol):
    """Opens the stream to a camera.  Raises `RtspError` or OSError."""

    async def __call__(self, url: RtspUrl, check_address: CheckAddress | None) -> trio.abc.Stream: ...


async def dial_tcp(url: RtspUrl, check_address: CheckAddress | None, names: Names | None = None) -> trio.SocketStream:
    """Resolve once, check each address, connect to the first that answers.  Raises `RtspError` or OSError.

    ``names``: shared by all who dial; without it the name is looked up for this one alone.
    """
    found: list[tuple[int, str]] | None = None
    with trio.move_on_after(CONNECT_WITHIN_S) as scope:
        try:
            found = await (names or Names()).addresses(url.host)
        except gaierror as error:
            if is_no_answer(error):
                raise _nobody_knows(url) from error
            raise
        allowed, reason = [], ""
        for family, address in found[:ADDRESSES_LIMIT]:
            why = check_address(plain_address(address)) if check_address is not None else None
            if why is None:
                allowed.append((family, (address, url.port)))
            reason = why or reason
        if not allowed:
            raise RtspError(f"The camera's address may not be used: {reason or 'the name has none'}.", "Check it.")
        failure: OSError | None = None
        for number, (family, place) in enumerate(allowed):
            left = scope.deadline - trio.current_time()
            with trio.move_on_after(left / (len(allowed) - number)):
                try:
                    return await _connect(family, place)
                except OSError as error:
                    failure = error
        if failure is not None:
            raise failure
    if found is None:
        raise _nobody_knows(url)
    raise NoAnswer(f"Nothing answers at {url.place}.", "Check the address and the port, and that the camera is on.")


def _nobody_knows(url: RtspUrl) -> NameNotAnswered:
    return NameNotAnswered(
        f"No name server answers what {url.host} is.",
        "Check this server's network and name servers, or use the camera's IP address.",
    )


def plain_address(address: str) -> str:
    """An address as a rule about addresses wants to see it: IPv4 inside of IPv6 is IPv4."""
    parsed = ip_address(address.partition("%")[0])
    mapped = parsed.ipv4_mapped if parsed.version == 6 else None
    return str(mapped or parsed)


async def _connect(family: int, address: tuple[str, int]) -> trio.SocketStream:
    sock = trio.socket.socket(family, trio.socket.SOCK_STREAM)
    try:
        await sock.connect(address)
    except BaseException:
        sock.close()
        raise
    return trio.SocketStream(sock)  # which sets TCP_NODELAY


class Connection:
    """A client on a stream.  One task at a time; it owns the stream and closes it."""

    def __init__(self, stream: trio.abc.Stream, target: RtspTarget) -> None:
        self.statistics = SourceStatistics()
        self.oddities = Oddities(self.statistics.oddities)
        authenticator = Authenticator(target.url, target.username, target.password, allow_basic=target.allow_basic)
        self.client = RtspClient(target.url, authenticator, self.oddities, user_agent=USER_AGENT)
        self.url = target.url
        self.options = target.options
        self.way = Way.HTTP if target.options.way is Way.HTTP else Way.TCP
        self._stream = stream
        self._udp: UdpPorts | None = None
        self._polled: Polled | None = None
        #: Trio's time when something came last, or would have had to.
        self.heard_at = trio.current_time()
        self._broken = False  # nothing more can be sent: half a message may be out
        self._silent = False  # it was waited for long enough: what is sent now is not answered either

    async def next_event(self) -> Event:
        """What the camera says next.  Raises `RtspError`, OSError, trio.BrokenResourceError (`FAILURES`)."""
        event = self.client.next_event()
        if event is not None:
            await trio.lowlevel.checkpoint()  # a read may hold many: others get their turn between them
            return event
        while event is None:
            if self.client.wants_to_send:
                await self.flush()
            deadline = self.client.next_deadline()
            data: bytes | bytearray | None = None
            if self._polled is not None:
                data = await self._polled.receive_some(READ_SIZE, inf if deadline is None else deadline)
            elif self._udp is None:
                with trio.CancelScope(deadline=inf if deadline is None else deadline):
                    data = await self._stream.receive_some(READ_SIZE)
            else:
                packets, data = await self._receive_udp(self._udp, deadline)
                if packets is not None:
                    self.heard_at = trio.current_time()
                    return packets
            now = self.heard_at = trio.current_time()
            if data is None:
                self._silent = True
                self.client.handle_timeout(now)
                self._silent = False
            elif not data:
                self._broken = True
                raise Ended("The camera closed the connection.")
            else:
                self.statistics.bytes_received += len(data)
                self.client.receive_data(data, now)
            event = self.client.next_event()
        return event

    def poll_with(self, poller: Poller) -> None:
        """From now on read at the moments of ``poller``, where that is possible: the socket is read past the stream."""
        if self._udp is None and isinstance(self._stream, trio.SocketStream):
            self._polled = poller.register(self._stream.socket)

    @property
    def is_polled(self) -> bool:
        """Whether it is read at the same moments as other connections."""
        return self._polled is not None and self._polled.is_active

    async def _receive_udp(
        self, udp: UdpPorts, deadline: float | None
    ) -> tuple[Packets | None, bytes | bytearray | None]:
        """Packets, or else what came on the connection; both None when a time has come."""
        soonest = min((at for at in (deadline, udp.next_deadline()) if at is not None), default=inf)
        on_connection = False
        with trio.CancelScope(deadline=soonest):
            on_connection = await udp.wait()
        now = trio.current_time()
        if on_connection:
            return None, await self._stream.receive_some(READ_SIZE)
        if deadline is not None and now >= deadline:
            return None, None
        packets = udp.receive(now)
        if packets is not None:
            self.statistics.bytes_received += len(packets.data)
        return packets, None

    # ---- over UDP

    @property
    def may_use_udp(self) -> bool:
        """Not beside what is encrypted or goes through a tunnel."""
        return isinstance(self._stream, trio.SocketStream)

    def open_ports(self, tracks: int) -> Sequence[tuple[int, int]]:
        """Ports of ours for so many tracks.  Raises `Unsupported`, OSError."""
        if not isinstance(self._stream, trio.SocketStream):
            raise Unsupported("Beside this connection UDP cannot be used.", "Leave transport=udp out of the address.")
        self._udp = UdpPorts(self._stream, tracks)
        self.way = Way.UDP
        return self._udp.ports

    def aim(self, transport: Transport) -> None:
        """A track is set up: open the way for it."""
        if self._udp is not None:
            self._udp.aim(transport)

    def send_control(self, channel: int, packet: bytes) -> None:
        """Send an RTCP packet."""
        if self._udp is None:
            self.client.send_control(channel, packet)
        else:
            self._udp.send_control(channel, packet)

    async def flush(self) -> None:
        """Send what waits."""
        data = self.client.data_to_send()
        if not data:
            return
        if self._broken:
            raise Ended("The connection to the camera broke.")
        self._broken = True  # until all of it is out
        with trio.move_on_after(SEND_WITHIN_S):
            await self._stream.send_all(data)
            self._broken = False
        if self._broken:
            raise NoAnswer("The camera takes no more requests.", "Check that it runs and is not overloaded.")

    async def aclose(self) -> None:
        """Tell the camera, for a second at most, and close the stream.  One that fell silent is not waited for."""
        if self._polled is not None:
            polled, self._polled = self._polled, None
            polled.leave()
        try:
            with trio.move_on_after(LEAVE_WITHIN_S, shield=True):
                await self._leave()
        finally:
            if self._udp is not None:
                self._udp.close()
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(self._stream)

    async def _leave(self) -> None:
        if self._broken:
            return
        try:
            self.client.tear_down(trio.current_time())
            if self._silent:
                await self.flush()
                return
            while not isinstance(await self.next_event(), TornDown):
                pass
        except FAILURES:
            return  # it is gone, which is what we want
