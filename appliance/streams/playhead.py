"""Where playing is: recorded time that goes by at a speed, with gaps that are jumped on the way."""

from __future__ import annotations

from collections import deque
from typing import Final

import trio

from appliance.base.clock import TICKS_PER_SECOND

#: What a client says of its buffer counts where it differs by so much from what is thought here, in seconds.
DIFFERS_S: Final = 0.3


class Playhead:
    """Stands at ``at`` until it is started.  ``speed`` negative: backwards.  All places in UTC ticks."""

    def __init__(self, at: int, speed: float) -> None:
        self.speed = speed
        self._at = at
        self._since: float | None = None
        self._jumps: deque[tuple[int, int]] = deque()  # gaps ahead of it, in the order in which they come
        self._landed: int | None = None  # where the last gap that it jumped ends

    @property
    def runs(self) -> bool:
        return self._since is not None

    def start(self) -> None:
        """Go, if it does not yet."""
        if self._since is None:
            self._since = trio.current_time()

    def stop(self) -> None:
        """Stay where it is."""
        self._at, self._since = self.now, None

    @property
    def now(self) -> int:
        """Where it is."""
        if self._since is None:
            return self._at
        now = trio.current_time()
        at = self._at + round((now - self._since) * self.speed * TICKS_PER_SECOND)
        while self._jumps and self._is_behind(self._jumps[0][0], at):
            start, end = self._jumps.popleft()
            self._at += end - start
            at += end - start
            self._landed = end
        return at

    def jump(self, start: int, end: int) -> None:
        """What is between is left out."""
        self._jumps.append((start, end))

    def due_s(self, at: int) -> float:
        """In so many seconds it is there; negative: it was.  What lies in a gap comes with the gap.

        So does what is decoded before the first picture behind it.
        """
        left, nearer = at - self.now, min if self.speed > 0 else max
        left -= sum(nearer(end, at) - start for start, end in self._jumps if self._is_behind(start, at))
        return left / self.speed / TICKS_PER_SECOND

    async def reach(self, at: int) -> None:
        """Wait until it is there."""
        while True:
            left_s = self.due_s(at)
            if left_s <= 0:
                await trio.lowlevel.checkpoint()
                return
            await trio.sleep(left_s)

    def correct(self, holds_s: float, sent_to: int) -> None:
        """The client holds so much recorded time, up to what was sent last."""
        thought_s = self.due_s(sent_to) * abs(self.speed)
        if self._landed is not None and self._is_behind(sent_to, self._landed):
            return  # it has come over a gap that nothing behind was sent of yet: not back over it
        if self._since is not None and abs(holds_s - thought_s) > DIFFERS_S:
            self._since += (holds_s - thought_s) / abs(self.speed)

    def _is_behind(self, place: int, at: int) -> bool:
        return place <= at if self.speed > 0 else place >= at


def zero_before(dts: int) -> int:
    """A zero from which decode times count that nothing sent from here on comes before: a whole second."""
    return (dts // TICKS_PER_SECOND - 1) * TICKS_PER_SECOND
