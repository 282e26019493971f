"""What a stream really sends: measured, not configured."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.base.clock import TICKS_PER_SECOND

if TYPE_CHECKING:
    from appliance.media.units import AccessUnit

#: Rates are taken over this much of the stream's own time.
WINDOW = 4 * TICKS_PER_SECOND
#: An interval longer than this, and so many times the usual one, is a stall: it would look like a camera that is slow.
STALL, STALLED = TICKS_PER_SECOND, 5


@dataclass(frozen=True, slots=True)
class Measured:
    """Pictures per second, kbit/s, and the length of the last group of pictures; None until known.

    ``since_key_s``: how long the present group is, so far.
    """

    fps: float | None = None
    kbps: float | None = None
    gop_s: float | None = None
    gop_pictures: int | None = None
    since_key_s: float | None = None


class Meter:
    """Counts pictures and bytes over a window of the stream's time."""

    def __init__(self) -> None:
        self._pictures: deque[tuple[int, int]] = deque()  # dts, bytes
        self._bytes = 0
        self._idr_at: int | None = None
        self._since_idr = 0
        self._gop: tuple[int, int] | None = None  # ticks, pictures

    def picture(self, unit: AccessUnit) -> None:
        if self._pictures and not 0 <= unit.dts - self._pictures[-1][0] <= self._longest():
            self.reset()
        self._pictures.append((unit.dts, len(unit.data)))
        self._bytes += len(unit.data)
        while unit.dts - self._pictures[0][0] > WINDOW:
            self._bytes -= self._pictures.popleft()[1]
        if unit.is_idr:
            if self._idr_at is not None:
                self._gop = (unit.dts - self._idr_at, self._since_idr)
            self._idr_at, self._since_idr = unit.dts, 0
        self._since_idr += 1

    def _longest(self) -> float:
        """The longest interval that is the camera's own rate, and not a stall or a jump."""
        if len(self._pictures) < 3:
            return WINDOW
        usual = (self._pictures[-1][0] - self._pictures[0][0]) / (len(self._pictures) - 1)
        return min(WINDOW, max(STALL, STALLED * usual))

    def reset(self) -> None:
        """A jump or a gap: what was measured says nothing about what comes."""
        self._pictures.clear()
        self._bytes = 0
        self._idr_at, self._since_idr = None, 0

    def read(self) -> Measured:
        """The measures now; rates once half a second has been seen."""
        gop_s = None if self._gop is None else self._gop[0] / TICKS_PER_SECOND
        pictures = None if self._gop is None else self._gop[1]
        if len(self._pictures) < 2:
            return Measured(gop_s=gop_s, gop_pictures=pictures)
        newest = self._pictures[-1][0]
        since = None if self._idr_at is None else (newest - self._idr_at) / TICKS_PER_SECOND
        span = (self._pictures[-1][0] - self._pictures[0][0]) / TICKS_PER_SECOND
        if span < 0.5:
            return Measured(gop_s=gop_s, gop_pictures=pictures, since_key_s=since)
        intervals = len(self._pictures) - 1
        kilobits = (self._bytes - self._pictures[-1][1]) * 8 / 1000
        return Measured(round(intervals / span, 2), round(kilobits / span, 1), gop_s, pictures, since)
