"""The server: listens, lets in, hands connections to the application, stops in order."""

from __future__ import annotations

import logging
import math
import os
import resource
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState

from appliance.base.faults import Fault
from appliance.serve.binding import Binds, Sockets, open_sockets, peer_uid
from appliance.serve.config import GRACE_S, START_S, hypercorn_config
from appliance.serve.connection import Connection, Policy, plain_address
from appliance.serve.lifespan import Lifespan
from appliance.serve.limits import Admission, TurnedAway
from appliance.serve.tls import STEPS_AT_ONCE, HasContext, PlainListener, TlsListener

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from hypercorn.config import Config
    from hypercorn.typing import AppWrapper, ASGIFramework, LifespanState

    from appliance.serve.streams import DirectStream

log = logging.getLogger(__name__)

_SPARE_DESCRIPTORS = 256  # for cameras, files, workers
_FAREWELL_SHARE = 2 / 3  # of the grace: what the application gets to close its WebSockets itself


class Connections:
    """The connections that are open now."""

    def __init__(self) -> None:
        self._open: set[Connection] = set()
        self._gone = trio.Event()

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Connection]:
        return iter(tuple(self._open))

    def add(self, connection: Connection) -> None:
        self._open.add(connection)

    def discard(self, connection: Connection) -> None:
        self._open.discard(connection)
        if not self._open:
            self._gone.set()
            self._gone = trio.Event()

    async def wait_none(self) -> None:
        while self._open:
            await self._gone.wait()


@dataclass(frozen=True, slots=True)
class Bound:
    """Where the server listens, with the real ports, and what goes through it."""

    http_ports: tuple[int, ...]
    https_ports: tuple[int, ...]
    unix: Path | None
    connections: Connections
    admission: Admission


async def serve(
    app: ASGIFramework,
    binds: Binds,
    *,
    tls: HasContext | None = None,
    policy: Policy | None = None,
    admission: Admission | None = None,
    stop: Callable[[], Awaitable[object]] = trio.sleep_forever,
    on_stop: Callable[[], Awaitable[object]] | None = None,
    task_status: trio.TaskStatus[Bound] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve ``app`` until ``stop`` returns or the task is cancelled.

    Either way the end is orderly and takes `GRACE_S` at most, then the application's own shutdown: nothing new is
    accepted, idle connections close, ``on_stop`` lets the application close its WebSockets, the others get 1001,
    requests in flight finish.  Whoever is left then is cut.

    ``tls`` is needed for ``binds.https``.  Raises `Fault`: those of `open_sockets`, or ``startup_failed``.
    """
    if binds.https and tls is None:
        raise ValueError("HTTPS needs a certificate: pass tls")
    policy = policy if policy is not None else Policy()
    admission = admission if admission is not None else Admission()
    admission.ceiling = _descriptors_left()
    sockets = await trio.to_thread.run_sync(open_sockets, binds)
    try:
        server = _Server(app, sockets, tls, policy, admission)
        async with trio.open_nursery() as nursery:
            await nursery.start(server.run, on_stop)
            task_status.started(
                Bound(
                    tuple(sorted({sock.getsockname()[1] for sock in sockets.http})),
                    tuple(sorted({sock.getsockname()[1] for sock in sockets.https})),
                    binds.unix,
                    server.connections,
                    admission,
                )
            )
            try:
                await stop()
            finally:
                server.stopping.set()
    except BaseExceptionGroup as group:
        faults, others = group.split(Fault)
        if faults is None or others is not None:
            raise
        raise _first(faults) from group
    finally:
        sockets.close()


def _first(group: BaseExceptionGroup[Fault]) -> Fault:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


class _Server:
    def __init__(
        self, app: ASGIFramework, sockets: Sockets, tls: HasContext | None, policy: Policy, admission: Admission
    ) -> None:
        self.app: AppWrapper = ASGIWrapper(app)
        self.config: Config = hypercorn_config(policy.limits)
        self.policy = policy
        self.admission = admission
        self.sockets = sockets
        self.tls = tls
        self.context = WorkerContext(None)
        self.connections = Connections()
        self.stopping = trio.Event()
        self.state: LifespanState = {}

    async def run(  # noqa: ASYNC128 (`_serve` says that it has started)
        self,
        on_stop: Callable[[], Awaitable[object]] | None,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        lifespan = Lifespan(self.app, self.state)
        with trio.CancelScope() as shield:
            async with trio.open_nursery() as applications:
                await applications.start(lifespan.run)
                await lifespan.start_up(START_S)
                # from here on a cancellation from outside means an orderly stop, which takes a moment
                shield.shield = True
                await self._serve(on_stop, task_status)
                await lifespan.shut_down(START_S)
                applications.cancel_scope.cancel()

    async def _serve(self, on_stop: Callable[[], Awaitable[object]] | None, task_status: trio.TaskStatus[None]) -> None:
        async with trio.open_nursery() as handlers:
            async with trio.open_nursery() as accepting:
                for listener, handle in self._listeners():
                    accepting.start_soon(partial(trio.serve_listeners, handle, [listener], handler_nursery=handlers))
                task_status.started()
                await self.stopping.wait()
                accepting.cancel_scope.cancel()
            await self._stop(handlers, on_stop)

    def _listeners(self) -> Iterator[tuple[Any, Callable[[DirectStream], Awaitable[None]]]]:
        gate = trio.CapacityLimiter(STEPS_AT_ONCE)
        for sock in self.sockets.http:
            yield PlainListener(_listener(sock)), self._let_in
        for sock in self.sockets.https:
            assert self.tls is not None
            yield TlsListener(_listener(sock), self.tls, gate), self._let_in
        if self.sockets.unix is not None:
            yield PlainListener(_listener(self.sockets.unix)), self._let_in_local

    async def _let_in(self, stream: DirectStream) -> None:
        """Serve a connection from the network when its turn has come."""
        try:
            peer = plain_address(stream.socket.getpeername()[0])
            with self.admission.enter(peer, trio.current_time()) as ticket:
                if ticket.waits:
                    await trio.sleep_until(ticket.turn_at)
                ticket.begin()
                await self._handle(stream, peer, None)
        except OSError:
            stream.abort()  # gone before it was looked at
        except TurnedAway as turned:
            stream.abort()
            log.debug("turned a connection away: %s", turned.why)

    async def _let_in_local(self, stream: DirectStream) -> None:
        """Serve a connection through the Unix socket if it is root's or our own user's."""
        try:
            uid = peer_uid(stream.socket)
        except OSError:
            uid = -1
        if uid not in (0, os.getuid()):
            stream.abort()
            log.warning("turned user %d away from the local socket", uid)
            return
        await self._handle(stream, "local", uid)

    async def _handle(self, stream: DirectStream, peer: str, uid: int | None) -> None:
        if self.stopping.is_set():  # its turn came too late
            stream.abort()
            return
        connection = Connection(
            self.app, self.config, self.context, ConnectionState(self.state.copy()), stream,
            policy=self.policy, peer=peer, peer_uid=uid,
        )  # fmt: skip
        self.connections.add(connection)
        try:
            await connection
        except* Exception:  # a mistake in serving one client must not end the others
            log.exception("a connection failed")
        finally:
            self.connections.discard(connection)

    async def _stop(self, handlers: trio.Nursery, on_stop: Callable[[], Awaitable[object]] | None) -> None:
        cut_at = trio.current_time() + GRACE_S
        await self.context.terminated.set()  # a response from now on ends its connection
        async with trio.open_nursery() as stopping:
            stopping.start_soon(self._cut, cut_at, handlers)
            for connection in self.connections:
                if connection.idle:
                    connection.finish()
            if on_stop is not None:
                await _bounded(on_stop, GRACE_S * _FAREWELL_SHARE)
            async with trio.open_nursery() as closing:
                for connection in self.connections:
                    if connection.is_websocket:
                        closing.start_soon(connection.close_websocket, 1001, "stopping")
            await self.connections.wait_none()
            stopping.cancel_scope.cancel()
        handlers.cancel_scope.cancel()  # those whose turn has not come

    async def _cut(self, at: float, handlers: trio.Nursery) -> None:
        await trio.sleep_until(at)
        if self.connections:
            log.info("cut %d connections that did not end in time", len(self.connections))
        for connection in self.connections:
            connection.abort()
        handlers.cancel_scope.cancel()


async def _bounded(call: Callable[[], Awaitable[object]], seconds: float) -> None:
    with trio.move_on_after(seconds):
        try:
            await call()
        except* Exception:  # stopping goes on whatever the application makes of it
            log.exception("the application failed to close its WebSockets")


def _listener(sock: socket.socket) -> trio.SocketListener:
    return trio.SocketListener(trio.socket.from_stdlib_socket(sock))


def _descriptors_left() -> float:
    """How many connections the limit on descriptors leaves room for."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return math.inf if soft == resource.RLIM_INFINITY else max(1, soft - _SPARE_DESCRIPTORS)
