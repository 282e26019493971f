"""Sockets that can also be written to without waiting, which is what the fan-out of live video is made of.

`trio.SocketStream` and `trio.SSLStream` only offer ``await send_all``: a task switch for every viewer and every
picture.  These streams add `DirectStream.try_send`, and say what state they are in.
"""

from __future__ import annotations

import fcntl
import math
import socket
import ssl
import struct
import termios
from contextlib import suppress
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar, TypeVar, TypeVarTuple, Unpack

import trio

from appliance._native.fanout import Port
from appliance.serve.pacing import Way

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
Args = TypeVarTuple("Args")
Data = bytes | bytearray | memoryview

SLICE = 1 << 16  # bytes given to one system call: what is larger gives the loop back in between
MEDIA_LOWAT = 16 * 1024  # bytes not yet sent that a live socket may hold: what is late is dropped by us, not buried
_RESET = struct.pack("ii", 1, 0)  # struct linger: on, for no time, which makes close() a reset
_LINUX_KEEPALIVE = ((socket.TCP_KEEPIDLE, 30), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 3))
#: linux/tcp.h, struct tcp_info up to tcpi_bytes_retrans: tcpi_last_ack_recv in milliseconds, tcpi_rtt,
#: tcpi_notsent_bytes, tcpi_min_rtt, bytes; other times in microseconds
_TCP_INFO = struct.Struct("=56xI8xI72xII48xQQ")
_UNKNOWN = 0xFFFF_FFFF
_UNACKNOWLEDGED_MS = 30_000  # a peer that acknowledges nothing for so long is gone
#: linux/tcp.h; Python names neither.  What was lost again and again is sent again at the pace of the network and not
#: after twice, four, eight times as long (RFC 6298 5.5): for live video that would be seconds.  The first holds while
#: there are few packets on their way; the second, of Linux 6.15, bounds the time.
_TCP_THIN_LINEAR_TIMEOUTS = 16
_TCP_RTO_MAX_MS = 44
_LONGEST_WAIT_MS = 1000


class Direction(IntEnum):
    """What a blocked attempt waits for."""

    READ = 0
    WRITE = 1


class DirectStream(trio.abc.Stream):
    """A connected stream socket without TLS.

    One task at a time may send and one may receive.  Everything raises `trio.ClosedResourceError` after we closed
    it and `trio.BrokenResourceError` once the peer is gone or a cancelled write left half of something on the wire.
    """

    secure: ClassVar[bool] = False
    # Whether bytes offered to a full socket count as begun: TLS has encrypted them, a plain socket has not.
    _commits_when_blocked: ClassVar[bool] = False

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(0)
        self.socket = sock
        #: Trio's time when the peer last made room for more, as far as somebody waited for it
        self.moved_at = -math.inf
        self._closed = False
        self._finished = False  # our side was shut down
        self._broken = False
        self._waiting: list[trio.Event | None] = [None, None]  # by direction
        #: where shared messages go, past this object
        self.port = Port(-1 if self._commits_when_blocked else sock.fileno())

    # -- without waiting ------------------------------------------------------------------------------------------

    @property
    def has_pending(self) -> bool:
        """Whether bytes were taken that the kernel has not got yet; only TLS ever has any."""
        return False

    @property
    def usable(self) -> bool:
        return not (self._closed or self._finished or self._broken)

    def try_send(self, data: Data) -> int:
        """Send what fits now and return how many bytes were taken.  Never blocks, never switches tasks."""
        self._check_sending()
        try:
            return self.socket.send(data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            raise self._lost() from error

    def unsent(self) -> int:
        """Bytes in the kernel that the peer has not acknowledged (SIOCOUTQ, tcp(7)), sent or not."""
        if self._closed:
            raise trio.ClosedResourceError("this connection is closed")
        answer = bytearray(4)
        try:
            fcntl.ioctl(self.socket, termios.TIOCOUTQ, answer)
        except OSError as error:
            raise self._lost() from error
        return int.from_bytes(answer, "little")

    def way(self) -> Way | None:
        """What the kernel knows of the network to the peer; None of a Unix socket, and once that is gone."""
        if self._closed or self.socket.family == socket.AF_UNIX:
            return None
        try:
            info = self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
        except OSError:
            return None
        if len(info) < _TCP_INFO.size:
            return None
        heard, round_trip, held, least, sent, again = _TCP_INFO.unpack(info)
        lost = again / sent if sent else 0.0
        least = round_trip if least == _UNKNOWN else least
        return Way(round_trip / 1e6, least / 1e6, lost, held, heard / 1e3)

    def abort(self) -> None:
        """Close at once: no goodbye, what the kernel holds is thrown away, whoever waits here is woken."""
        if not self._closed:
            with suppress(OSError):
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.close()

    def close(self) -> None:
        """Close; the kernel still delivers what it was given."""
        if self._closed:
            return
        self._closed = self.port.closed = True
        self.port.write = None
        if self.socket.fileno() >= 0:
            trio.lowlevel.notify_closing(self.socket)
        self.socket.close()

    def finish(self) -> None:
        """Say that nothing more will be sent.  Idempotent, never raises."""
        if self._closed or self._finished:
            return
        self._finished = self.port.closed = True
        with suppress(OSError, ValueError):
            self._say_goodbye()

    def _say_goodbye(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    # -- trio.abc.Stream ------------------------------------------------------------------------------------------

    async def send_all(self, data: Data) -> None:
        """Send everything.

        Cancelled between the first byte and the last, the stream is broken for good: whatever followed would be
        read as the rest.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        self._check_sending()
        await self.flush()
        with memoryview(data).cast("B") as view:
            sent = 0
            try:
                while sent < len(view):
                    with view[sent : sent + SLICE] as piece:
                        sent += await self._retry(Direction.WRITE, self._write, piece)
                    await trio.lowlevel.cancel_shielded_checkpoint()
            except BaseException:
                if sent < len(view) and (sent or self._commits_when_blocked):
                    self._broken = self.port.closed = True
                raise

    async def flush(self) -> None:
        """Wait until nothing is pending (TLS)."""
        await trio.lowlevel.checkpoint_if_cancelled()

    async def wait_send_all_might_not_block(self) -> None:
        self._check_sending()
        await self._wait(Direction.WRITE)

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """The next bytes, at most ``max_bytes`` (64 KiB); empty at the end."""
        await trio.lowlevel.checkpoint_if_cancelled()
        size = SLICE if max_bytes is None else max_bytes
        data = await self._retry(Direction.READ, self._read, size)
        # a peer that never stops sending must not keep the loop to itself
        await trio.lowlevel.cancel_shielded_checkpoint()
        return data

    async def discard(self) -> int:
        """Wait for bytes, forget them and return how many; 0 at the end.  They are not decrypted."""
        await trio.lowlevel.checkpoint_if_cancelled()
        while True:
            if self._closed:
                return 0
            try:
                count = len(socket.socket.recv(self.socket, SLICE))
            except (BlockingIOError, InterruptedError):
                await self._wait(Direction.READ)
            except OSError:
                return 0
            else:
                await trio.lowlevel.cancel_shielded_checkpoint()
                return count

    async def aclose(self) -> None:
        self.close()
        await trio.lowlevel.checkpoint()

    # -- in common ------------------------------------------------------------------------------------------------

    def _read(self, size: int) -> bytes:
        if self._finished:
            raise trio.ClosedResourceError("this connection is closed")
        return self.socket.recv(size)

    def _write(self, data: Data) -> int:
        self._check_sending()
        return self.socket.send(data)

    def _check_sending(self) -> None:
        if self._closed or self._finished:
            raise trio.ClosedResourceError("this connection is closed")
        if self._broken:
            raise trio.BrokenResourceError("this connection is broken")

    def _lost(self) -> trio.BrokenResourceError:
        self._broken = self.port.closed = True
        return trio.BrokenResourceError("the other side is gone")

    async def _retry(self, blocked_on: Direction, attempt: Callable[[Unpack[Args]], T], *args: *Args) -> T:
        while True:
            if self._closed:
                raise trio.ClosedResourceError("this connection is closed")
            try:
                return attempt(*args)
            except ssl.SSLWantReadError:
                direction = Direction.READ
            except ssl.SSLWantWriteError:
                direction = Direction.WRITE
            except (BlockingIOError, InterruptedError):
                direction = blocked_on
            except OSError as error:
                raise self._lost() from error
            await self._wait(direction)

    async def _wait(self, direction: Direction) -> None:
        # TLS may have to wait for either direction when reading and when writing, and Trio lets one task wait for
        # a socket's direction: the second one waits for the first.
        first = self._waiting[direction]
        if first is not None:
            await first.wait()
            return
        first = self._waiting[direction] = trio.Event()
        try:
            if direction is Direction.READ:
                await trio.lowlevel.wait_readable(self.socket)
            else:
                await trio.lowlevel.wait_writable(self.socket)
                self.moved_at = trio.current_time()
        finally:
            self._waiting[direction] = None
            first.set()


def take_over(stream: trio.SocketStream) -> socket.socket:
    """The standard library's socket out of Trio's stream, which is of no more use."""
    return socket.socket(fileno=stream.socket.detach())


def set_up(sock: socket.socket) -> None:
    """What every accepted TCP socket gets: no delay, and an end when the peer has vanished."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # Trio sets 16 KiB on all of them; downloads want the system's default, live video asks for it itself
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, 0)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED_MS)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _LINUX_KEEPALIVE:
        sock.setsockopt(socket.IPPROTO_TCP, option, value)


def set_up_for_media(sock: socket.socket) -> None:
    """What a socket gets that carries live video (design §5.3)."""
    if sock.family != socket.AF_UNIX:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, MEDIA_LOWAT)
        sock.setsockopt(socket.IPPROTO_TCP, _TCP_THIN_LINEAR_TIMEOUTS, 1)
        with suppress(OSError):  # not in older kernels
            sock.setsockopt(socket.IPPROTO_TCP, _TCP_RTO_MAX_MS, _LONGEST_WAIT_MS)
