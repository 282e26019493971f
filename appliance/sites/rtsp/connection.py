"""The socket side of a conversation: dialling, reading with deadlines, sending, leaving politely."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING, Protocol, TypeAlias

import trio

from appliance import __version__
from appliance.sites.rtsp.auth import Authenticator
from appliance.sites.rtsp.client import RtspClient
from appliance.sites.rtsp.errors import Ended, NoAnswer, RtspError
from appliance.sites.rtsp.events import TornDown
from appliance.sites.rtsp.oddities import Oddities
from appliance.sites.rtsp.trouble import FAILURES
from appliance.sites.source import SourceStatistics

if TYPE_CHECKING:
    from appliance.sites.rtsp.events import Event
    from appliance.sites.rtsp.target import RtspTarget
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


async def dial_tcp(url: RtspUrl, check_address: CheckAddress | None) -> trio.SocketStream:
    """Resolve once, check each address, connect to the first that answers.  Raises `RtspError` or OSError."""
    with trio.move_on_after(CONNECT_WITHIN_S) as scope:
        found = await trio.socket.getaddrinfo(url.host, url.port, type=trio.socket.SOCK_STREAM)
        allowed, reason = [], ""
        for family, _, _, _, address in found[:ADDRESSES_LIMIT]:
            plain = _plain(str(address[0]))
            why = check_address(plain) if check_address is not None else None
            if why is None:
                allowed.append((family, address))
            reason = why or reason
        if not allowed:
            raise RtspError(f"The camera's address may not be used: {reason or 'the name has none'}.", "Check it.")
        failure: OSError | None = None
        for number, (family, address) in enumerate(allowed):
            left = scope.deadline - trio.current_time()
            with trio.move_on_after(left / (len(allowed) - number)):
                try:
                    return await _connect(family, address)
                except OSError as error:
                    failure = error
        if failure is not None:
            raise failure
    raise NoAnswer(f"Nothing answers at {url.place}.", "Check the address and the port, and that the camera is on.")


def _plain(address: str) -> str:
    """An address as a rule about addresses wants to see it: IPv4 inside of IPv6 is IPv4."""
    parsed = ip_address(address.partition("%")[0])
    mapped = parsed.ipv4_mapped if parsed.version == 6 else None
    return str(mapped or parsed)


async def _connect(family: int, address: tuple[object, ...]) -> trio.SocketStream:
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
        self._stream = stream
        self._broken = False  # nothing more can be sent: half a message may be out

    async def next_event(self) -> Event:
        """What the camera says next.  Raises `RtspError`, OSError, trio.BrokenResourceError (`FAILURES`)."""
        event = self.client.next_event()
        if event is not None:
            await trio.lowlevel.checkpoint()  # a read may hold many: others get their turn between them
            return event
        while event is None:
            await self.flush()
            deadline = self.client.next_deadline()
            data: bytes | bytearray | None = None
            with trio.CancelScope(deadline=float("inf") if deadline is None else deadline):
                data = await self._stream.receive_some(READ_SIZE)
            now = trio.current_time()
            if data is None:
                self.client.handle_timeout(now)
            elif not data:
                self._broken = True
                raise Ended("The camera closed the connection.")
            else:
                self.statistics.bytes_received += len(data)
                self.client.receive_data(data, now)
            event = self.client.next_event()
        return event

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
        """Tell the camera, for a second at most, and close the stream."""
        try:
            with trio.move_on_after(LEAVE_WITHIN_S, shield=True):
                await self._leave()
        finally:
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(self._stream)

    async def _leave(self) -> None:
        if self._broken:
            return
        try:
            self.client.tear_down(trio.current_time())
            while not isinstance(await self.next_event(), TornDown):
                pass
        except FAILURES:
            return  # it is gone, which is what we want
