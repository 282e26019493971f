"""What of recorded files falls into a span of time: from the picture at which decoding can start, sound included.

All times are UTC ticks.  What was recorded is put on one axis on which decoding times only grow: a file that begins
before the one in front of it ended (a clock that was set back) is moved by a little, or cut.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.sample_table import AUDIO, LEADING, SYNC
from appliance.media.virtual import ROWS_LIMIT, LayoutError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from appliance.media.sample_table import SampleTable
    from appliance.media.units import AudioFormat, VideoFormat

    Ints = npt.NDArray[np.int64]
    Mask = npt.NDArray[np.bool_]

T = TypeVar("T")

#: A file that begins so much too early is moved; earlier, what was recorded twice over is left out.
MOVED: Final = 2 * TICKS_PER_SECOND
FORMATS_LIMIT: Final = 100


@dataclass(frozen=True, slots=True)
class Part:
    """One recorded file: the UTC time of its zero, its samples, their formats."""

    zero: int
    table: SampleTable
    video: VideoFormat
    audio: AudioFormat | None


@dataclass(frozen=True, eq=False)
class Selection:
    """The samples of a span, in the order of the files; columns of equal length.

    ``format``: a number in ``videos`` for pictures, in ``sounds`` for sound.
    """

    start: int  # what is shown begins: when its first picture was shown first
    end: int  # and ends
    file: npt.NDArray[np.int32] = field(repr=False)  # a number in the parts
    offset: Ints = field(repr=False)
    size: npt.NDArray[np.int32] = field(repr=False)
    is_audio: Mask = field(repr=False)
    is_sync: Mask = field(repr=False)
    dts: Ints = field(repr=False)
    pts: Ints = field(repr=False)
    duration: Ints = field(repr=False)
    format: npt.NDArray[np.uint8] = field(repr=False)
    videos: tuple[VideoFormat, ...]
    sounds: tuple[AudioFormat, ...]

    def __len__(self) -> int:
        return len(self.file)

    @property
    def pictures(self) -> npt.NDArray[np.intp]:
        """The numbers of the samples that are pictures."""
        return np.flatnonzero(~self.is_audio)

    def sounds_of(self, number: int) -> npt.NDArray[np.intp]:
        """The numbers of the samples that are sound of this format."""
        return np.flatnonzero(self.is_audio & (self.format == number))

    @property
    def codec(self) -> str:
        """The one codec of all pictures.  Raises `LayoutError` where there are several."""
        codecs = [video.codec for video in self.videos]
        if len(set(codecs)) > 1:
            other = next(each for each in codecs if each != codecs[0])
            raise LayoutError(
                "codec_changed",
                f"The camera changed from {codecs[0]} to {other} meanwhile.",
                "Ask for what was before the change, and for what came after it.",
            )
        return codecs[0]


def select(parts: Sequence[Part], start: int, end: int, *, sound: bool = True) -> Selection | None:
    """What of the parts, which are in the order of time, is shown from ``start`` to ``end``; None: nothing.

    Raises `LayoutError`.
    """
    videos: dict[VideoFormat, int] = {}
    sounds: dict[AudioFormat, int] = {}
    chosen: list[tuple[int, int, npt.NDArray[np.intp], int]] = []  # part, moved by, samples, number of rows so far
    axis = _Axis(start, end)
    total = 0
    for number, part in enumerate(parts):
        moved, samples = axis.place(part, sound=sound)
        if len(samples):
            _number(videos, part.video)
            if part.audio is not None:
                _number(sounds, part.audio)
            chosen.append((number, moved, samples, total))
            total += len(samples)
            if total > ROWS_LIMIT:
                raise LayoutError("span_too_long", "That is too long for one file.", "Ask for it in several parts.")
    if not chosen or axis.first is None:
        return None
    made = _Columns(total)
    heard: set[AudioFormat | None] = set()
    for number, moved, samples, at in chosen:
        part = parts[number]
        formats = videos[part.video], sounds[part.audio] if part.audio is not None else 0
        if made.fill(slice(at, at + len(samples)), number, part, moved, samples, formats):
            heard.add(part.audio)
    is_audio = made.flags & AUDIO != 0
    used = [audio for audio in sounds if audio in heard]
    if len(used) < len(sounds):
        renumbered = np.zeros(len(sounds), np.uint8)
        for new, audio in enumerate(used):
            renumbered[sounds[audio]] = new
        made.format[is_audio] = renumbered[made.format[is_audio]]
    is_shown = ~is_audio
    begins = _on_screen(made, is_shown, start)
    ends = min(end, int((made.pts + made.duration).max(where=is_shown, initial=start)))
    if begins is None or ends <= begins:
        return None
    return Selection(
        start=begins,
        end=ends,
        file=made.file,
        offset=made.offset,
        size=made.size,
        is_audio=is_audio,
        is_sync=made.flags & SYNC != 0,
        dts=made.dts,
        pts=made.pts,
        duration=made.duration,
        format=made.format,
        videos=tuple(videos),
        sounds=tuple(used),
    )


class _Columns:
    """What is known of each sample, to be filled part by part."""

    def __init__(self, count: int) -> None:
        self.file, self.size = np.empty(count, np.int32), np.empty(count, np.int32)
        self.flags, self.format = np.empty(count, np.uint8), np.empty(count, np.uint8)
        self.offset, self.dts = np.empty(count, np.int64), np.empty(count, np.int64)
        self.pts, self.duration = np.empty(count, np.int64), np.empty(count, np.int64)

    def fill(
        self, rows: slice, number: int, part: Part, moved: int, samples: npt.NDArray[np.intp], formats: tuple[int, int]
    ) -> bool:
        """Whether there is sound among them.  ``formats``: the numbers of those of its pictures and of its sound."""
        table, zero = part.table, part.zero + moved
        taken = samples if len(samples) < len(table) else slice(None)  # mostly all of them
        flags = table.flags[taken]
        self.file[rows] = number
        self.flags[rows] = flags
        self.offset[rows] = table.offsets()[taken]
        self.size[rows] = table.size[taken]
        self.duration[rows] = table.duration[taken]
        np.add(table.dts[taken], zero, out=self.dts[rows])
        np.add(self.dts[rows], table.composition[taken], out=self.pts[rows])
        is_audio = flags & AUDIO != 0
        self.format[rows] = np.where(is_audio, formats[1], formats[0])
        return bool(is_audio.any())


def _on_screen(made: _Columns, is_shown: Mask, at: int) -> int | None:
    """When the picture that is on screen at a time was shown first; the next one where there is none."""
    pts = made.pts
    before = np.flatnonzero((pts <= at) & is_shown)
    if len(before):
        last = before[np.argmax(pts[before])]
        if pts[last] + 2 * made.duration[last] > at:
            return int(pts[last])
    after = pts[(pts > at) & is_shown]
    return int(after.min()) if len(after) else None


def _number(formats: dict[T, int], found: T) -> None:
    if formats.setdefault(found, len(formats)) >= FORMATS_LIMIT:
        raise LayoutError("format_changed", "The camera changed its format too often.", "Ask for a shorter time.")


class _Axis:
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
        return part.zero + int(heard[0]) > self._heard and (len(heard) == 1 or int(np.diff(heard).min()) > 0)

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
