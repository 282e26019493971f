"""The application's start and end: the ASGI lifespan protocol, version 2.0.

Hypercorn's own goes on without an application whose start failed, and trips over one that returns at once.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import trio

from appliance.base.faults import Fault, Kind
from appliance.base.secrets import redact

if TYPE_CHECKING:
    from hypercorn.typing import AppWrapper, LifespanState

log = logging.getLogger(__name__)


class Lifespan:
    """`run` in a task of its own; `start_up` before the first connection, `shut_down` after the last."""

    def __init__(self, app: AppWrapper, state: LifespanState) -> None:
        self._app = app
        self._state = state
        self._into, self._out = trio.open_memory_channel[Any](2)  # one message to start, one to end
        self._started = trio.Event()
        self._stopped = trio.Event()
        self._failure: str | None = None

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run the application's part.  An application that knows no lifespan returns; that is no failure."""
        task_status.started()
        scope: Any = {"type": "lifespan", "asgi": {"spec_version": "2.0", "version": "3.0"}, "state": self._state}
        try:
            with self._out:
                await self._app(scope, self._out.receive, self._send, trio.to_thread.run_sync, trio.from_thread.run)
        except* Exception as group:  # told by `start_up`, or too late to be told to anybody but the log
            self._failure = self._failure or redact(str(_first(group)))
            log.exception("the application failed")
        finally:
            self._started.set()
            self._stopped.set()

    async def start_up(self, patience_s: float) -> None:
        """Raises `Fault` ``startup_failed``."""
        self._tell("lifespan.startup")
        with trio.move_on_after(patience_s):
            await self._started.wait()
        if not self._started.is_set():
            self._failure = f"it is not ready after {patience_s:g} s"
        if self._failure is not None:
            raise Fault(
                Kind.INTERNAL, "startup_failed", f"The application did not start: {self._failure}.", "See the log."
            )

    async def shut_down(self, patience_s: float) -> None:
        """Let the application end; what goes wrong is logged, since we stop either way."""
        self._tell("lifespan.shutdown")
        with trio.move_on_after(patience_s):
            await self._stopped.wait()
        if not self._stopped.is_set():
            log.error("the application has not ended after %g s", patience_s)
        elif self._failure is not None:
            log.error("the application did not end in order: %s", self._failure)

    def _tell(self, what: str) -> None:
        with suppress(trio.BrokenResourceError):  # it has returned: it does not listen
            self._into.send_nowait({"type": what})
        if what == "lifespan.shutdown":
            self._into.close()

    async def _send(self, message: Any) -> None:
        kind = message["type"]
        if kind.endswith(".failed"):
            self._failure = redact(message.get("message", "")) or "it does not say why"
        if kind.startswith("lifespan.startup."):
            self._started.set()
        elif kind.startswith("lifespan.shutdown."):
            self._stopped.set()


def _first(group: BaseExceptionGroup[Any]) -> BaseException:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
