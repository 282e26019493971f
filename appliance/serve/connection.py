"""One connection of a client: Hypercorn's HTTP/1.1 and WebSockets, and the way past them for live video.

Hypercorn's ``TCPServer`` is kept as the seam (constructor, ``stream``, ``send_lock``, ``protocol_send``); what it does
with the socket is replaced, because a server in the open has to bound every wait:

- Each phase of a request has its deadline (abuse A4), kept by the one task that reads.
- Only that task tells the application that the connection is gone.  In Hypercorn the application's own task may do
  it, and waits for ever on its own full queue.
- Closing cannot be cancelled half way: Hypercorn's ``_close`` awaits unshielded while quart-trio cancels the request,
  which leaves the socket open after ``Connection: close``.
- The end of a connection is said (FIN, close_notify) and the client's last bytes are waited for a moment, since a
  close with unread bytes is a reset, which takes our last answer with it.
"""

from __future__ import annotations

import math
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import trio
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.typing import ConnectionState

from appliance.serve.frames import close_frame
from appliance.serve.guard import NOT_UTF8, MessageLimits, WebSocketGuard
from appliance.serve.inbox import Inbox
from appliance.serve.protocol import Http1, Refused
from appliance.serve.send_lock import SendLock
from appliance.serve.streams import SLICE, Data, DirectStream, set_up_for_media
from appliance.serve.tasks import Tasks
from appliance.serve.tls import SocketTlsStream

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypercorn.config import Config
    from hypercorn.typing import AppWrapper, LifespanState
    from hypercorn.typing import WorkerContext as Context

    from appliance.serve.pacing import Way

LINGER_S = 1.0  # how long a closing connection may go on sending before it is cut
LINGER_BYTES = 1 << 20
FAREWELL_S = 2.0  # how long an application may run on after its client is gone


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Seconds and bytes that one connection gets (abuse A4, A14, A15)."""

    handshake_s: float = 10.0  # TLS
    head_s: float = 5.0  # from the connection or a request's first byte to the end of its header block
    head_bytes: int = 16 * 1024
    body_idle_s: float = 30.0  # an upload may pause so long
    keep_alive_s: float = 30.0  # between requests
    silence_s: float = 30.0  # a WebSocket client that says nothing, not even a pong, is gone (CON-1)
    send_s: float = 30.0  # a response that the client does not read: for each 64 KiB
    message_send_s: float = 10.0  # the same for a WebSocket
    messages: MessageLimits = field(default_factory=MessageLimits)


@dataclass(slots=True)
class Policy:
    """What the server allows.  ``limits`` may be replaced while it runs; waits that begin later use the new ones.

    ``refuse`` gets a client's address and gives the seconds for which it is not served (0: it is).  It is asked
    before each request, before the application.
    """

    limits: ConnectionLimits = field(default_factory=ConnectionLimits)
    refuse: Callable[[str], float] = lambda _: 0.0


class Connection(TCPServer):
    """Await it to serve the client until one side is done; it closes the stream.

    Sending media past Hypercorn: `try_send` for what fits at once; if that took only part of the data, or left
    `has_pending`, the same owner takes ``send_lock`` and finishes with `send_all` or `flush`.  Until it has, nothing
    of Hypercorn's (a pong, a close) is sent, so none lands inside a frame.  An owner that cannot finish calls `abort`.
    """

    def __init__(
        self,
        app: AppWrapper,
        config: Config,
        context: Context,
        state: LifespanState,
        stream: DirectStream,
        *,
        policy: Policy | None = None,
        peer: str = "",
        peer_uid: int | None = None,
    ) -> None:
        super().__init__(app, config, context, state, stream)  # type: ignore[arg-type]  # Hypercorn's only knows Trio's
        #: the client's address as a text without port; "local" for the Unix socket
        self.peer = peer
        #: the user id at the other end of the Unix socket
        self.peer_uid = peer_uid
        #: Trio's time of the last bytes received; a WebSocket's pong counts
        self.last_heard = trio.current_time()
        self._wire = stream
        self.port = stream.port
        self.send_lock: SendLock = SendLock(self.port)  # type: ignore[assignment]  # Hypercorn's is `trio.Lock`, used by us only
        self._policy = policy if policy is not None else Policy()
        self._http: Http1 | None = None
        self._guard: WebSocketGuard | None = None
        self._inbox: Inbox | None = None
        self._take: Callable[[str | bytes], None] = lambda _: None
        self._closes: Callable[[], None] = lambda: None
        self._closing = False  # nothing more is read, and nothing of Hypercorn's is sent
        self._whole = trio.Event()
        self._reading = trio.CancelScope()  # everything the reading task does
        self._receiving = trio.CancelScope()  # its present wait for bytes
        self._quiet_since = self.last_heard  # when the wait for the next request began
        self._head_since: float | None = None  # when its first byte came
        self._answered = False  # at least one request
        self._resume = False  # bytes of the next request came early, and its turn has come

    # -- for media ------------------------------------------------------------------------------------------------

    @property
    def local(self) -> bool:
        """Whether the client came through the Unix socket, that is, from this machine with our rights."""
        return self.peer_uid is not None

    @property
    def secure(self) -> bool:
        """Whether this connection is TLS."""
        return self._wire.secure

    @property
    def has_pending(self) -> bool:
        """Whether TLS took bytes that the kernel has not got yet: see `flush`."""
        return self._wire.has_pending

    def try_send(self, data: Data) -> int:
        """Send without waiting; gives how many bytes were taken.

        0 if somebody else is sending or the socket is full.  TLS takes all or nothing, and nothing above 64 KiB.
        Raises `trio.BrokenResourceError` or `trio.ClosedResourceError` when the connection is gone.
        """
        if self._closing:
            raise trio.ClosedResourceError("this connection is closing")
        if self.port.torn or self.send_lock.locked():
            return 0
        try:
            taken = self._wire.try_send(data)
        except trio.BrokenResourceError:
            self.abort()
            raise
        self.port.torn = 0 < taken < len(data)
        return taken

    async def send_all(self, data: Data) -> None:
        """Send everything; the caller holds ``send_lock``.  After a `try_send` that took a part: the rest.

        Cancelled in the middle it ends the connection, since half a frame cannot be taken back.
        """
        try:
            await self._wire.send_all(data)
        except BaseException:
            if self.port.torn or not self._wire.usable:
                self.abort()
            raise
        self._mend()

    async def flush(self) -> None:
        """Wait until nothing is pending.  Takes ``send_lock`` unless the caller holds it."""
        if self.send_lock.is_mine:
            await self._wire.flush()
        else:
            async with self.send_lock:
                await self._wire.flush()

    def prepare_for_media(self) -> None:
        """Keep little in the kernel, so that what is late can be dropped here (design §5.3)."""
        if not self._wire.usable:
            raise trio.ClosedResourceError("this connection is closed")
        set_up_for_media(self._wire.socket)

    def take_messages(self, take: Callable[[str | bytes], None], closes: Callable[[], None]) -> None:
        """Call ``take`` with each message of the client from now on; the framework's ``receive`` gives none.

        ``closes`` is called when the client has sent a close frame: what is half sent is to be finished, and nothing
        more begun, so that the frame is answered.

        To be called before the handshake is answered, so that none goes the other way.  Both are called by the
        task that reads: they must not block, and what they raise ends the connection.
        """
        self._inbox = Inbox()
        self._take, self._closes = take, closes

    def unsent(self) -> int:
        """Bytes in the kernel that the client has not acknowledged."""
        return self._wire.unsent()

    def way(self) -> Way | None:
        """What the kernel knows of the network to the client."""
        return self._wire.way()

    def fileno(self) -> int:
        """The socket's descriptor; -1 once closed."""
        return self._wire.socket.fileno()

    def abort(self) -> None:
        """Close at once, without goodbye.  The application is told as for any lost connection."""
        self._closing = self.port.closed = True
        self._wire.abort()
        self._reading.cancel()
        self._mend()

    def finish(self) -> None:
        """Close once what was sent has arrived; what Hypercorn still wants to send is dropped."""
        if not self._closing:
            self._closing = self.port.closed = True
            self._wire.finish()
            self._reading.cancel()

    async def close_websocket(self, code: int, reason: str = "") -> None:
        """Send a close frame and hang up.  A WebSocket whose handshake is not through is just closed."""
        if self._http is not None and self._http.is_open_websocket:
            await self._send(close_frame(code, reason))
        self.finish()

    @property
    def idle(self) -> bool:
        """Whether the client waits for nothing: no request is received or answered."""
        return self._http is None or self._http.awaits_request

    @property
    def is_websocket(self) -> bool:
        return self._http is not None and self._http.is_websocket

    # -- Hypercorn's seam -----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve.  Whoever runs below this task finds the connection in `current_connection`."""
        current_connection.set(self)
        try:
            if await self._shake_hands():
                await self._serve()
        except OSError:
            pass  # the socket died while its addresses were asked for
        finally:
            await self._close()  # noqa: ASYNC102 (shields itself, and ends by its own deadline)

    async def protocol_send(self, event: Event) -> None:
        """What Hypercorn's protocol and the applications above it have to send or say."""
        if isinstance(event, RawData):
            await self._send(event.data)
        elif isinstance(event, Closed):
            self.finish()
        elif isinstance(event, Updated):
            self._turn(idle=event.idle)

    async def _shake_hands(self) -> bool:
        if not isinstance(self._wire, SocketTlsStream):
            return True
        try:
            with trio.fail_after(self._policy.limits.handshake_s):
                await self._wire.do_handshake()
        except (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError):
            self._wire.abort()
            return False
        return True

    async def _serve(self) -> None:
        sock = self._wire.socket
        server = None if self.local else (plain_address(sock.getsockname()[0]), sock.getsockname()[1])
        client = None if self.local else (self.peer, sock.getpeername()[1])
        self._quiet_since = trio.current_time()
        async with trio.open_nursery() as nursery:
            tasks = Tasks(nursery)
            self._http = http = Http1(
                self.app, self.config, self.context, tasks, ConnectionState(self.state), self.secure, client, server,
                self.protocol_send, head_limit=self._policy.limits.head_bytes, refuse=self._refused_for,
            )  # fmt: skip
            with self._reading:
                await self._read(http)
            with trio.move_on_after(FAREWELL_S):
                await http.handle(Closed())  # the application hears of it, and ends
                await tasks.wait_idle()
            nursery.cancel_scope.cancel()  # Hypercorn's pings sleep on otherwise

    def _refused_for(self) -> float:
        return 0.0 if self.local else self._policy.refuse(self.peer)

    # -- reading --------------------------------------------------------------------------------------------------

    async def _read(self, http: Http1) -> None:
        while True:
            if self._resume:
                self._resume = False
                await http.resume()
            self._mark_progress(http)
            with trio.CancelScope(deadline=self._deadline(http)) as self._receiving:
                try:
                    data = await self._wire.receive_some(SLICE)
                except (trio.BrokenResourceError, trio.ClosedResourceError):
                    return
            if self._receiving.cancelled_caught:
                if self._resume:
                    continue
                await self._too_late(http)
                return
            self.last_heard = trio.current_time()
            if data and self._guard is not None:
                violation = self._guard.receive(data, self.last_heard)
                if violation is not None:
                    await self.close_websocket(violation.code, violation.reason)
                    return
            if data and self._inbox is not None and http.is_open_websocket:
                try:
                    messages, control = self._inbox.receive(data)
                except UnicodeDecodeError:
                    await self.close_websocket(NOT_UTF8, "a text is not UTF-8")
                    return
                for message in messages:
                    self._take(message)
                if self._inbox.is_closing:
                    self._closes()
                if control:
                    await http.handle(RawData(control))
                continue
            await http.handle(RawData(data))
            if not data or (http.is_answering and http.early_bytes > SLICE):
                return

    def _mark_progress(self, http: Http1) -> None:
        if http.is_websocket:
            if self._guard is None:
                self._guard = WebSocketGuard(self._policy.limits.messages)
        elif http.awaits_request and self._head_since is None and http.early_bytes:
            self._head_since = self.last_heard

    def _deadline(self, http: Http1) -> float:
        limits = self._policy.limits
        if http.is_websocket:
            return self.last_heard + limits.silence_s
        if http.awaits_request:
            if self._head_since is not None:
                return self._head_since + limits.head_s
            return self._quiet_since + (limits.keep_alive_s if self._answered else limits.head_s)
        if http.awaits_body:
            return trio.current_time() + limits.body_idle_s
        return math.inf  # the application is answering; TCP notices if the client vanishes

    async def _too_late(self, http: Http1) -> None:
        if http.awaits_request and self._head_since is not None:
            await http.answer(Refused(408))
        self.finish()

    def _turn(self, *, idle: bool) -> None:
        """A request has been received (not idle) or answered (idle)."""
        self._answered = True
        if idle and self._http is not None:
            self._quiet_since = trio.current_time()
            self._head_since = None
            # the reading task may be waiting already, without limit while the answer was on its way
            if self._http.early_bytes:
                self._head_since = self._quiet_since
                self._resume = True
                self._receiving.cancel()
            else:
                self._receiving.deadline = self._deadline(self._http)

    # -- sending --------------------------------------------------------------------------------------------------

    async def _send(self, data: Data) -> None:
        """Send what is not media: whole, or the connection ends.  Nobody's cancellation leaves half of it.

        Like Hypercorn's, silent when the connection is gone: the reading task tells the application.
        """
        limits = self._policy.limits
        patience = limits.message_send_s if self.is_websocket else limits.send_s
        with trio.CancelScope(shield=True):
            try:
                await self._acquire_between_frames(patience)
                try:
                    if self._closing:
                        return
                    for start in range(0, len(data), SLICE):
                        with trio.fail_after(patience):
                            await self._wire.send_all(memoryview(data)[start : start + SLICE])
                finally:
                    self.send_lock.release()
            except (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError):
                self.abort()

    async def _acquire_between_frames(self, patience: float) -> None:
        """Take ``send_lock`` while no media frame is half sent; wait for as long as the client takes anything.

        Raises `trio.TooSlowError`.
        """
        since = trio.current_time()
        while True:
            deadline = max(since, self._wire.moved_at) + patience
            if trio.current_time() >= deadline:
                raise trio.TooSlowError
            with trio.move_on_at(deadline):
                await self.send_lock.acquire()
                if not self.port.torn:
                    return
                self.send_lock.release()
                await self._whole.wait()

    def _mend(self) -> None:
        if self.port.torn:
            self.port.torn = False
            self._whole.set()
            self._whole = trio.Event()

    async def _close(self) -> None:
        """Say goodbye, let the client finish for a moment, close.  Cannot be cancelled."""
        self._closing = self.port.closed = True
        self._wire.finish()
        with trio.CancelScope(shield=True, deadline=trio.current_time() + LINGER_S):
            left = LINGER_BYTES
            while left > 0 and (count := await self._wire.discard()):
                left -= count
        self._wire.close()


def plain_address(address: Any) -> str:
    """An address as one writes it: without zone, and IPv4 as IPv4 also when it came through an IPv6 socket."""
    text = str(address).partition("%")[0]
    return text.removeprefix("::ffff:") if text.startswith("::ffff:") and "." in text else text


#: The connection that the present request or WebSocket came through.
current_connection: ContextVar[Connection] = ContextVar("current_connection")
