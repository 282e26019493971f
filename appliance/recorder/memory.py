"""What waits for the disk waits in memory: for how long depends on how much there is."""

from __future__ import annotations

import os
from typing import Final

#: Of all streams together: an eighth of the machine's memory, within these bounds.
LEAST: Final = 64 << 20
MOST: Final = 1 << 30
SHARE: Final = 8
#: What was refused is taken again once so much is free: one gap is better than many.
ROOM: Final = 1 / 2


class Memory:
    """The bytes that all recorded streams may hold together.  Whoever holds more than its share is refused first."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._held: dict[object, int] = {}
        self._total = 0

    @property
    def total(self) -> int:
        return self._total

    def held(self, holder: object) -> int:
        return self._held.get(holder, 0)

    def take(self, holder: object, size: int, *, again: bool = False) -> bool:
        """Hold ``size`` bytes more.  ``again``: after a refusal, so that it does not end for one picture."""
        limit = self.limit * (1 - ROOM) if again else self.limit
        if self._total + size > limit:
            return False
        held = self._held.get(holder, 0)
        # once half is gone nobody has more than an equal share
        if self._total > self.limit // 2 and held + size > self.limit // max(1, len(self._held)):
            return False
        self._held[holder] = held + size
        self._total += size
        return True

    def keep(self, holder: object, size: int) -> None:
        """It holds no more than ``size`` bytes now; none: it is gone."""
        self._total += size - self._held.get(holder, 0)
        if size:
            self._held[holder] = size
        else:
            self._held.pop(holder, None)


def usual_limit() -> int:
    """For this machine."""
    installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(max(installed // SHARE, LEAST), MOST)
