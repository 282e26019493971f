"""Recorded files one behind the other: by how much each is moved, and which of its samples are taken.

Decoding times only grow: a file that begins before the one in front of it ended (a clock that was set back) is moved by
a little, or cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.sample_table import LEADING, SYNC

if TYPE_CHECKING:
    import numpy.typing as npt

    from appliance.media.sample_table import SampleTable
    from appliance.media.units import AudioFormat, VideoFormat

#: A file that begins so much too early is moved; earlier, what was recorded twice over is left out.
MOVED: Final = 2 * TICKS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Part:
    """One recorded file: the UTC time of its zero, its samples, their formats."""

    zero: int
    table: SampleTable
    video: VideoFormat
    audio: AudioFormat | None


class Axis:
    """Puts one file behind the other."""

    def __init__(self, start: int, end: int) -> None:
        self._start, self._end = start, end
        self.first: int | None = None  # when the first picture is shown
        self._dts: int | None = None  # of the last picture so far
        self._until = 0  # where it ends
        self._heard = -1 << 62  # when the last sound so far began

    def place(self, part: Part, *, sound: bool) -> tuple[int, npt.NDArray[np.intp]]:
        """By how much a part is moved, and which of its samples are taken."""
        table = part.table
        pictures = table.pictures
        if self._goes_on(part, sound=sound):
            return 0, self._take_all(part, sound=sound)
        none = np.empty(0, np.intp)
        keys = np.flatnonzero(table.flags[pictures] & SYNC)
        if not len(keys):
            return 0, none
        dts, pts = table.dts[pictures] + part.zero, table.pts[pictures] + part.zero
        moved, first = 0, int(keys[0])
        joined = False
        if self._dts is None:
            before = keys[pts[keys] <= self._start]
            first = int(before[-1]) if len(before) else first
        else:
            joined = abs(int(dts[first]) - self._until) <= self._until - self._dts
            if dts[first] <= self._dts:
                if self._until - int(dts[first]) <= MOVED:
                    moved = self._until - int(dts[first])
                else:
                    later = keys[dts[keys] > self._dts]
                    if not len(later):
                        return 0, none
                    first, joined = int(later[0]), False
        shown = np.flatnonzero(pts + moved < self._end)
        last = int(shown[-1]) if len(shown) else -1
        if last < first:
            return 0, none
        taken = np.arange(first, last + 1)
        if not joined:  # what leads the first picture refers to what is not there
            second = keys[keys > first]
            group = taken < (second[0] if len(second) else len(pictures))
            taken = taken[~(group & (table.flags[pictures[taken]] & LEADING != 0))]
        heard = none
        if sound and part.audio is not None:  # a file may begin with sound that is heard before its first picture
            since = int(pts[first]) if self.first is None or first > keys[0] else -1 << 62
            heard = self._sounds(part, moved, since)
        if self.first is None:
            self.first = int(pts[first])
        self._dts = int(dts[last]) + moved
        self._until = self._dts + max(1, int(table.duration[pictures[last]]))
        chosen = np.zeros(len(table), np.bool_)
        chosen[pictures[taken]] = True
        chosen[heard] = True
        return moved, np.flatnonzero(chosen)

    def _goes_on(self, part: Part, *, sound: bool) -> bool:
        """Whether a part is what nearly all are: it follows without a gap, and all of it is wanted."""
        table, pictures = part.table, part.table.pictures
        if self._dts is None or not len(pictures) or not table.flags[pictures[0]] & SYNC:
            return False
        begins = part.zero + int(table.dts[pictures[0]])
        joined = abs(begins - self._until) <= self._until - self._dts
        pts = table.dts + table.composition  # what the table would keep is too much of many files
        if not joined or begins <= self._dts or part.zero + int(pts.max()) >= self._end:
            return False
        if not sound or part.audio is None or not len(table.sounds):
            return True
        heard = pts[table.sounds]
        return part.zero + int(heard[0]) > self._heard and bool((heard[1:] > heard[:-1]).all())

    def _take_all(self, part: Part, *, sound: bool) -> npt.NDArray[np.intp]:
        table, last = part.table, part.table.pictures[-1]
        self._dts = part.zero + int(table.dts[last])
        self._until = self._dts + max(1, int(table.duration[last]))
        if not sound or part.audio is None:
            return table.pictures
        if len(table.sounds):
            last = table.sounds[-1]
            self._heard = part.zero + int(table.dts[last] + table.composition[last])
        return np.arange(len(table))

    def _sounds(self, part: Part, moved: int, since: int) -> npt.NDArray[np.intp]:
        table = part.table
        sounds = table.sounds
        pts = table.pts[sounds] + (part.zero + moved)
        fits = (pts + table.duration[sounds] > since) & (pts < self._end) & (pts > self._heard)
        # a time that does not grow is none
        grows = np.concatenate((np.ones(1, np.bool_), np.diff(np.maximum.accumulate(pts)) > 0)) if len(pts) else fits
        taken = sounds[fits & grows]
        if len(taken):
            self._heard = int(table.pts[taken[-1]]) + part.zero + moved
        return taken
