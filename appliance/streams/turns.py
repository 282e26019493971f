"""How often one user may have something done that costs: at once while it is seldom, else one after the other (A6)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


#: Waiting is not exact.
_NEARLY = 1e-6


class Turns:
    """``per_second()`` as the settings say, asked anew each time.  As many at once as in a second."""

    def __init__(self, per_second: Callable[[], float]) -> None:
        self._per_second = per_second
        self._left = per_second()
        self._at = trio.current_time()

    async def take(self) -> None:
        """Wait for a turn and take it; whoever stops waiting takes none."""
        await trio.lowlevel.checkpoint_if_cancelled()
        while True:
            left = self._have()
            if left > 1 - _NEARLY:
                self._left = left - 1
                return
            await trio.sleep((1 - left) / self._per_second())

    def _have(self) -> float:
        now, rate = trio.current_time(), self._per_second()
        self._left = min(rate, self._left + (now - self._at) * rate)
        self._at = now
        return self._left


class UserTurns:
    """The turns of each user, shared by all that they have open."""

    def __init__(self, per_second: Callable[[], float]) -> None:
        self._per_second = per_second
        self._turns: dict[str, tuple[Turns, int]] = {}  # by user id, and by how many they are held

    @contextmanager
    def of(self, user_id: str) -> Iterator[Turns]:
        """Those of a user, for as long as the block lasts."""
        turns, holders = self._turns.get(user_id) or (Turns(self._per_second), 0)
        self._turns[user_id] = turns, holders + 1
        try:
            yield turns
        finally:
            turns, holders = self._turns[user_id]
            self._turns[user_id] = turns, holders - 1
            if holders == 1:
                del self._turns[user_id]
