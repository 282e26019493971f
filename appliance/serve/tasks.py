"""The tasks of one connection: the application's and Hypercorn's small ones (pings)."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import trio

from appliance.base.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from hypercorn.config import Config
    from hypercorn.typing import AppWrapper, ASGIReceiveEvent, ASGISendEvent, Scope

log = logging.getLogger(__name__)


class Tasks:
    """Hypercorn's ``TaskGroup`` (`hypercorn.typing.TaskGroup`) for one connection.

    Its own never closes an application's queue: a message put into it after the application has ended waits for
    ever, and the connection with it.
    """

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self._running = 0
        self._idle = trio.Event()

    async def spawn_app(
        self,
        app: AppWrapper,
        config: Config,
        scope: Scope,
        send: Callable[[ASGISendEvent | None], Awaitable[None]],
    ) -> Callable[[ASGIReceiveEvent], Awaitable[None]]:
        """Start the application for one request or WebSocket; gives what puts a message into its queue."""
        into, out = trio.open_memory_channel[Any](config.max_app_queue_size)
        self._running += 1
        self._nursery.start_soon(self._run, app, scope, into, out, send)

        async def put(message: ASGIReceiveEvent) -> None:
            # once the application has ended, nobody is left to tell
            with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                await into.send(message)

        return put

    def spawn(self, func: Callable[..., Awaitable[object]], *args: Any) -> None:
        self._nursery.start_soon(func, *args)

    async def wait_idle(self) -> None:
        """Wait until no application runs."""
        while self._running:
            await self._idle.wait()

    async def _run(
        self,
        app: AppWrapper,
        scope: Scope,
        into: trio.MemorySendChannel[Any],
        out: trio.MemoryReceiveChannel[Any],
        send: Callable[[ASGISendEvent | None], Awaitable[None]],
    ) -> None:
        try:
            with into, out:
                await self._run_logged(app, scope, out, send)
            await send(None)  # ends the response, or makes one if there was none
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()
                self._idle = trio.Event()

    async def _run_logged(
        self,
        app: AppWrapper,
        scope: Scope,
        out: trio.MemoryReceiveChannel[Any],
        send: Callable[[ASGISendEvent | None], Awaitable[None]],
    ) -> None:
        try:
            await app(scope, out.receive, send, trio.to_thread.run_sync, trio.from_thread.run)
        except* Exception:  # the framework's own failure: this request ends in 500, the connection's others go on
            log.exception("the application failed on %s", redact(str(scope.get("path", ""))))

    async def __aenter__(self) -> Tasks:
        return self

    async def __aexit__(self, exc_type: type, exc_value: BaseException, tb: TracebackType) -> None:
        return None
