"""Restart policy: a service that fails is started again, after a wait that doubles; nothing else hears of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from appliance.status.board import Board

log = logging.getLogger(__name__)

#: First wait, longest wait, and how long a service has to run to count as healthy again.
FIRST_S, LONGEST_S, HEALTHY_S = 1.0, 60.0, 300.0


async def supervise(name: str, run: Callable[[], Awaitable[object]], board: Board) -> None:
    """Run a service for ever; when it fails, again after a wait that doubles.  The one place that catches Exception."""
    delay = FIRST_S
    while True:
        began = trio.current_time()
        board.up(name)
        try:
            await run()
            board.down(name)
        except* Exception as group:
            log.exception("%s failed", name, exc_info=group)
            board.down(name, _said(group))
        if trio.current_time() - began > HEALTHY_S:
            delay = FIRST_S
        await trio.sleep(delay)
        delay = min(delay * 2, LONGEST_S)


def _said(group: BaseExceptionGroup[BaseException]) -> str:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"
