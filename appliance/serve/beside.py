"""The sound that goes between the JPEG pictures for one client: little of it waits, and none that is old.

Pictures stand alone, and the newest takes the place of the others.  Sound must not disturb that: what the network does
not take waits here, within bounds of its own, and beyond them the oldest is left out.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from appliance.base.clock import TICKS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.media.fmp4 import Fragment

#: A second of good AAC waits; more of it would come too late for its picture.
SOUND_BYTES = 16 << 10
SOUND_TICKS = TICKS_PER_SECOND
#: More sound than this on the way, apart from what the way is long, says that the network does not carry all of it:
#: written on, it would fill the kernel, and the pictures would come behind it.
ON_THE_WAY_TICKS = TICKS_PER_SECOND // 2
_MARKS = 256


class Beside:
    """See the module."""

    __slots__ = ("_bytes", "_marks", "_pieces")

    def __init__(self) -> None:
        self._pieces: deque[tuple[int, bytes | memoryview]] = deque()  # that wait
        self._bytes = 0
        self._marks: deque[tuple[int, int]] = deque(maxlen=_MARKS)  # its time, and up to which byte it went

    @property
    def next(self) -> int | None:
        """The time of what is next; None: nothing waits."""
        return self._pieces[0][0] if self._pieces else None

    @property
    def size(self) -> int:
        """Bytes that wait."""
        return self._bytes

    def put(self, fragment: Fragment, data: bytes | memoryview) -> None:
        """Another piece waits, in the form in which it is sent."""
        self._pieces.append((fragment.dts, data))
        self._bytes += len(data)
        # whichever way the clock went
        while self._bytes > SOUND_BYTES or (self._pieces and abs(fragment.dts - self._pieces[0][0]) > SOUND_TICKS):
            self.take()

    def take(self) -> tuple[int, bytes | memoryview]:
        """The oldest, and its time."""
        dts, data = self._pieces.popleft()
        self._bytes -= len(data)
        return dts, data

    def clear(self) -> None:
        """Nothing of what waits is to be sent."""
        self._pieces.clear()
        self._bytes = 0

    def goes(self, dts: int, end: int) -> None:
        """A piece is written; with it the connection will have got so many bytes."""
        self._marks.append((dts, end))

    def may_go(self, dts: int, acknowledged: Callable[[], int], way_s: Callable[[], float]) -> bool:
        """Whether a piece of this time may be written: the network carries what was written before."""
        if self._marks:
            arrived = acknowledged()
            while self._marks and self._marks[0][1] <= arrived:
                self._marks.popleft()
        if not self._marks:
            return True
        ahead = abs(dts - self._marks[0][0])
        return ahead <= ON_THE_WAY_TICKS or ahead <= ON_THE_WAY_TICKS + way_s() * TICKS_PER_SECOND
