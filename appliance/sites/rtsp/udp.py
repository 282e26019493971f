"""The datagrams of a session over UDP: our ports, and what comes to them, in order and as `Packets`.

Only the camera's own host is heard (abuse A11), whatever it says of others.  One task waits for the ports and for the
connection at once: an epoll of its own holds them all, and is itself waited for.
"""

from __future__ import annotations

import select
import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING

import trio

from appliance.sites.rtsp.errors import Unsupported
from appliance.sites.rtsp.messages import Packets
from appliance.sites.rtsp.reorder import Reorder

if TYPE_CHECKING:
    from appliance.sites.rtsp.transport import Transport

#: Pairs of neighbouring ports that are tried for each track; one is free as good as always.
ATTEMPTS = 64
#: A key frame of a large picture comes as one burst.
BUFFER_SIZE = 2 << 20
DATAGRAM_LIMIT = 65_536
#: Datagrams taken in one turn: then others have theirs.
TURN = 128
#: Opens the way back through firewalls: an RTP packet without content, and an RTCP receiver report without sources.
_PUNCH = struct.pack(">BBHII", 0x80, 0, 0, 0, 0)
_PUNCH_CONTROL = struct.pack(">BBHI", 0x80, 201, 1, 0)


class _Track:
    """Two ports of ours, and where the camera's are."""

    def __init__(self, number: int, rtp: socket.socket, rtcp: socket.socket) -> None:
        self.channel = 2 * number
        self.sockets = (rtp, rtcp)
        self.ports = (rtp.getsockname()[1], rtcp.getsockname()[1])
        self.server_ports: tuple[int, int] | None = None
        self.order = Reorder()


class UdpPorts:
    """The ports of one session beside its connection.  Owned by the connection, and closed by it."""

    def __init__(self, connection: trio.SocketStream, tracks: int) -> None:
        """Raises OSError, `Unsupported`."""
        self._host = connection.socket.getpeername()
        self._connection = connection.socket.fileno()
        self._tracks: list[_Track] = []
        self._epoll = select.epoll()
        self._buffer = bytearray(DATAGRAM_LIMIT)
        self.strangers = 0  # datagrams from other hosts
        self._ready: list[int] = []
        self._sources: dict[int, tuple[_Track, int]] = {}
        try:
            self._epoll.register(self._connection, select.EPOLLIN)
            for number in range(tracks):
                track = _Track(number, *_pair(connection.socket.family, connection.socket.getsockname()))
                self._tracks.append(track)
                for which, sock in enumerate(track.sockets):
                    self._sources[sock.fileno()] = track, which
                    self._epoll.register(sock.fileno(), select.EPOLLIN)
        except BaseException:
            self.close()
            raise

    @property
    def ports(self) -> list[tuple[int, int]]:
        """Of ours, by track."""
        return [track.ports for track in self._tracks]

    def aim(self, transport: Transport) -> None:
        """Where the camera sends a track from: packets go there, so that those from there come in."""
        track = self._tracks[transport.channel // 2]
        track.server_ports = transport.server_ports
        self._send(track, 0, _PUNCH)
        self._send(track, 1, _PUNCH_CONTROL)

    def send_control(self, channel: int, packet: bytes) -> None:
        self._send(self._tracks[channel // 2], 1, packet)

    def next_deadline(self) -> float | None:
        """When `expire` wants to be called."""
        return min((at for track in self._tracks if (at := track.order.deadline()) is not None), default=None)

    async def wait(self) -> bool:
        """Until something is there; whether the connection has something.  May be cancelled."""
        await trio.lowlevel.wait_readable(self._epoll.fileno())
        self._ready = [fd for fd, _ in self._epoll.poll(0)]
        return self._connection in self._ready

    def receive(self, now: float) -> Packets | None:
        """What came, in order; None if nothing did that can be given out yet."""
        out = _Batch()
        for fd in self._ready:
            if fd in self._sources:
                self._drain(*self._sources[fd], now, out)
        self._ready = []
        self._expire(now, out)
        return out.packets()

    def expire(self, now: float) -> Packets | None:
        """What has waited for long enough."""
        out = _Batch()
        self._expire(now, out)
        return out.packets()

    def close(self) -> None:
        self._epoll.close()
        for track in self._tracks:
            for sock in track.sockets:
                sock.close()

    def _expire(self, now: float, out: _Batch) -> None:
        for track in self._tracks:
            for packet in track.order.expire(now):
                out.add(track.channel, packet)

    def _drain(self, track: _Track, which: int, now: float, out: _Batch) -> None:
        sock = track.sockets[which]
        for _ in range(TURN):
            try:
                size, sender = sock.recvfrom_into(self._buffer)
            except BlockingIOError:
                return
            except OSError:
                continue  # what a router says of a packet of ours; reading it takes it away
            if sender[0] != self._host[0]:
                self.strangers += 1
                continue
            packet = bytes(memoryview(self._buffer)[:size])
            if which == 1:
                out.add(track.channel + 1, packet)
            else:
                for each in track.order.push(packet, now):
                    out.add(track.channel, each)

    def _send(self, track: _Track, which: int, packet: bytes) -> None:
        if track.server_ports is not None:
            # a full buffer or an unreachable camera: the next report is in five seconds
            with suppress(OSError):
                track.sockets[which].sendto(packet, (self._host[0], track.server_ports[which], *self._host[2:]))


class _Batch:
    """Datagrams on their way to become `Packets`."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._spans: list[tuple[int, int, int]] = []

    def add(self, channel: int, packet: bytes) -> None:
        if packet:
            start = len(self._data)
            self._data += packet
            self._spans.append((channel, start, len(self._data)))

    def packets(self) -> Packets | None:
        return Packets(self._data, self._spans) if self._spans else None


def _pair(family: int, ours: tuple[object, ...]) -> tuple[socket.socket, socket.socket]:
    """Two neighbouring ports, an even one and the next (RFC 3550 §11), on the side that the camera sees."""
    for _ in range(ATTEMPTS):
        one = _bound(family, ours, 0)
        port = one.getsockname()[1]
        try:
            other = _bound(family, ours, port ^ 1)
        except OSError:
            one.close()
            continue
        return (other, one) if port & 1 else (one, other)
    raise Unsupported("No two neighbouring ports are free for UDP.", "Use TCP: leave transport=udp out of the address.")


def _bound(family: int, ours: tuple[object, ...], port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.settimeout(0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_SIZE)
        sock.bind((ours[0], port, *ours[2:]))
    except BaseException:
        sock.close()
        raise
    return sock
