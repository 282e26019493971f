"""TLS on the socket itself: `ssl.SSLSocket` driven by Trio's readiness calls.

Compared with `trio.SSLStream`, which copies everything through memory buffers, this costs half the CPU and half the
memory a viewer, and it can send without waiting.  Its trap: CPython does not ask OpenSSL for partial writes, so after
"want write" OpenSSL has to be offered *the same bytes again* before anything else.  They are kept as *pending*, and
every later writer finishes them first.
"""

from __future__ import annotations

import math
import socket
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar, Protocol

import trio

from appliance.serve.streams import SLICE, Data, Direction, DirectStream, set_up, take_over

if TYPE_CHECKING:
    from collections.abc import Callable

# Steps of handshakes that one turn of the loop may hold.  A step is 0.3 ms with a P-256 key, 3 ms with RSA-4096:
# a flood of handshakes delays the others by this many steps at most (abuse A5).
STEPS_AT_ONCE = 4


class HasContext(Protocol):
    """Whoever keeps the certificate; asked anew for every handshake (`appliance.certs.contexts.TlsHolder`)."""

    @property
    def context(self) -> ssl.SSLContext: ...


class SocketTlsStream(DirectStream):
    """The server's side of TLS.  `do_handshake` comes first, in the connection's own task."""

    secure: ClassVar[bool] = True
    _commits_when_blocked: ClassVar[bool] = True

    def __init__(
        self, sock: socket.socket, context: Callable[[], ssl.SSLContext], gate: trio.CapacityLimiter | None = None
    ) -> None:
        super().__init__(sock)
        self._context = context
        self._gate = gate if gate is not None else trio.CapacityLimiter(math.inf)
        self._pending: Data | None = None

    async def do_handshake(self) -> None:
        """Raises `trio.BrokenResourceError` when the peer does not speak TLS, refuses ours, or is gone."""
        async with self._gate:
            try:
                # the old object's descriptor moves into the new one
                self.socket = self._context().wrap_socket(
                    self.socket, server_side=True, do_handshake_on_connect=False, suppress_ragged_eofs=True
                )
            except (OSError, ValueError) as error:
                raise self._lost() from error
        while True:
            # to enter takes a turn of the loop, in which the place is held already: so the gate counts steps a turn
            async with self._gate:
                wanted = self._step()
            if wanted is None:
                self.port.write = self._write_at_once
                return
            await self._wait(wanted)

    def _step(self) -> Direction | None:
        assert isinstance(self.socket, ssl.SSLSocket)
        if self._closed:
            raise trio.ClosedResourceError("this connection is closed")
        try:
            self.socket.do_handshake()
        except ssl.SSLWantReadError:
            return Direction.READ
        except ssl.SSLWantWriteError:
            return Direction.WRITE
        except (OSError, ValueError) as error:
            raise self._lost() from error
        return None

    @property
    def has_pending(self) -> bool:
        return self._pending is not None

    def try_send(self, data: Data) -> int:
        """All or nothing: taken whole, perhaps as *pending* (see `has_pending`), or 0 while something is.

        0 also for more than `SLICE` bytes: what is pending is sent in one piece, and nobody sees how far it is.
        """
        self._check_sending()
        if self._pending is not None or len(data) > SLICE:
            return 0
        taken = self._write_at_once(data)
        if taken < 0:
            raise self._lost()
        return taken

    def _write_at_once(self, data: Data) -> int:
        """What `Port.write` is; nothing is pending.  -1: the other side is gone."""
        try:
            return self.socket.send(data)
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            self._pending = data
            self.port.pending = True
            return len(data)
        except OSError:
            return -1

    def unsent(self) -> int:
        """What is pending too."""
        return super().unsent() + (0 if self._pending is None else len(self._pending))

    async def flush(self) -> None:
        """Wait until the kernel has what `try_send` took.  Cancelled, the bytes stay pending and nothing is torn."""
        await trio.lowlevel.checkpoint_if_cancelled()
        while (pending := self._pending) is not None:
            await self._retry(Direction.WRITE, self._write, pending)
            self._pending = None
            self.port.pending = False

    def _say_goodbye(self) -> None:
        if isinstance(self.socket, ssl.SSLSocket):
            with suppress(OSError, ValueError):
                self.socket.unwrap()  # close_notify; we do not wait for the peer's
        self.socket.shutdown(socket.SHUT_WR)


class PlainListener(trio.abc.Listener[DirectStream]):
    """Accepts connections without TLS, over TCP or a Unix socket."""

    def __init__(self, listener: trio.SocketListener) -> None:
        self._listener = listener

    async def accept(self) -> DirectStream:
        return DirectStream(_prepared(await self._listener.accept()))

    async def aclose(self) -> None:
        await self._listener.aclose()


class TlsListener(trio.abc.Listener[DirectStream]):
    """Accepts connections that will speak TLS.  The handshake is the connection's task's business, never accept's."""

    def __init__(
        self, listener: trio.SocketListener, holder: HasContext, gate: trio.CapacityLimiter | None = None
    ) -> None:
        self._listener = listener
        self._holder = holder
        self._gate = gate

    async def accept(self) -> SocketTlsStream:
        sock = _prepared(await self._listener.accept())
        return SocketTlsStream(sock, lambda: self._holder.context, self._gate)

    async def aclose(self) -> None:
        await self._listener.aclose()


def _prepared(accepted: trio.SocketStream) -> socket.socket:
    sock = take_over(accepted)
    if sock.family != socket.AF_UNIX:
        with suppress(OSError):  # already reset by the peer: whoever reads first will see
            set_up(sock)
    return sock
