"""Who sends on a connection, told to its port, which is asked before each shared message."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from types import TracebackType

    from appliance._native.fanout import Port


class SendLock:
    """A `trio.Lock` that keeps ``port.held``: whether anybody holds it."""

    def __init__(self, port: Port) -> None:
        self._lock = trio.Lock()
        self._port = port

    async def acquire(self) -> None:
        self._port.held = True  # Trio's is taken, or waited for, in this step
        try:
            await self._lock.acquire()
        except BaseException:
            self._port.held = self._lock.locked()
            raise

    def release(self) -> None:
        self._lock.release()
        self._port.held = self._lock.locked()

    def locked(self) -> bool:
        return self._lock.locked()

    @property
    def is_mine(self) -> bool:
        """Whether the present task holds it."""
        return self._lock.statistics().owner is trio.lowlevel.current_task()

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
