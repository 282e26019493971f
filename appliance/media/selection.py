"""What of recorded files falls into a span of time: from the picture at which decoding can start, sound included.

All times are UTC ticks.  What was recorded is put on one axis on which decoding times only grow
(`appliance.media.axis`).  Hours are hundreds of thousands of samples, and memory that a process has not used before is
slow: so files are looked at one at a time, and no column is wider than it has to be.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from appliance.media.axis import Axis
from appliance.media.sample_table import AUDIO, SYNC
from appliance.media.virtual import ROWS_LIMIT, LayoutError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from appliance.media.axis import Part
    from appliance.media.units import AudioFormat, VideoFormat

    Ints = npt.NDArray[np.int64]
    Mask = npt.NDArray[np.bool_]
    Bytes = npt.NDArray[np.uint8]
    Offsets = npt.NDArray[np.integer]  # no wider than they have to be

T = TypeVar("T")
N = TypeVar("N", bound=np.generic)

FORMATS_LIMIT: Final = 100
_UINT32: Final = 0xFFFF_FFFF
#: Room for so many samples where nobody says how many to expect.
_EXPECTED: Final = 1 << 14


@dataclass(frozen=True, eq=False)
class Selection:
    """The samples of a span, in the order of the files; columns of equal length.

    ``files``: numbers of the parts that they are from, of which the samples from ``firsts`` on are.  ``format``: a
    number in ``videos`` for pictures, in ``sounds`` for sound.
    """

    start: int  # what is shown begins: when its first picture was shown first
    end: int  # and ends
    files: npt.NDArray[np.int64] = field(repr=False)
    firsts: Ints = field(repr=False)
    offset: Offsets = field(repr=False)
    size: npt.NDArray[np.int32] = field(repr=False)
    flags: Bytes = field(repr=False)
    dts: Ints = field(repr=False)
    composition: npt.NDArray[np.int32] = field(repr=False)
    duration: npt.NDArray[np.uint32] = field(repr=False)
    format: Bytes = field(repr=False)
    videos: tuple[VideoFormat, ...]
    sounds: tuple[AudioFormat, ...]

    def __len__(self) -> int:
        return len(self.size)

    @cached_property
    def is_audio(self) -> Mask:
        found: Mask = self.flags & AUDIO != 0
        return found

    @cached_property
    def is_sync(self) -> Mask:
        found: Mask = self.flags & SYNC != 0
        return found

    @property
    def pts(self) -> Ints:
        """When each is shown or heard."""
        return self.dts + self.composition

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


def select(
    parts: Iterable[Part], start: int, end: int, *, sound: bool = True, expected: int = _EXPECTED
) -> Selection | None:
    """What of the parts, which are in the order of time, is shown from ``start`` to ``end``; None: nothing.

    Each part is looked at once, and let go.  ``expected``: about how many samples they have together.
    Raises `LayoutError`.
    """
    axis = Axis(start, end)
    shown = _Shown(start)
    made = _Columns(min(expected, ROWS_LIMIT))
    for number, part in enumerate(parts):
        moved, samples = axis.place(part, sound=sound)
        if len(samples):
            made.append(number, part, moved, samples, shown)
            if made.count > ROWS_LIMIT:
                raise LayoutError("span_too_long", "That is too long for one file.", "Ask for it in several parts.")
    begins, ends = shown.first, min(end, shown.end)
    if begins is None or ends <= begins:
        return None
    return made.selection(begins, ends)


class _Shown:
    """From when to when pictures are shown, asked of one file after the other."""

    def __init__(self, start: int) -> None:
        self._start = start
        self.end = start
        self._on_screen: tuple[int, int] | None = None  # the last picture until the start, until when it may stay
        self._next: int | None = None

    def look_at(self, pts: Ints, duration: npt.NDArray[np.uint32]) -> None:
        if not len(pts):
            return
        self.end = max(self.end, int((pts + duration).max()))
        least = int(pts.min())
        if least > self._start:  # as in nearly all files
            self._next = least if self._next is None else min(self._next, least)
            return
        before = np.flatnonzero(pts <= self._start)
        last = before[np.argmax(pts[before])]
        at = int(pts[last])
        if self._on_screen is None or at > self._on_screen[0]:
            self._on_screen = at, at + 2 * int(duration[last])
        later = pts[pts > self._start]
        if len(later):
            self._next = int(later.min()) if self._next is None else min(self._next, int(later.min()))

    @property
    def first(self) -> int | None:
        """When the picture that is on screen at the start was shown first; the next one where there is none."""
        if self._on_screen is not None and self._on_screen[1] > self._start:
            return self._on_screen[0]
        return self._next


class _Columns:
    """What is known of each sample, filled part by part."""

    def __init__(self, room: int) -> None:
        self.count = 0
        self._room = room
        self._offset: Offsets = np.empty(room, np.uint32)  # until a file is larger
        self._size, self._flags = np.empty(room, np.int32), np.empty(room, np.uint8)
        self._dts, self._duration = np.empty(room, np.int64), np.empty(room, np.uint32)
        self._composition: npt.NDArray[np.int32] | None = None  # while all are shown in the order of decoding
        self._videos: dict[VideoFormat, int] = {}
        self._sounds: dict[AudioFormat, int] = {}
        self._heard: set[AudioFormat] = set()
        self._runs: list[tuple[int, int, VideoFormat, AudioFormat | None]] = []  # number of the part, its first sample

    def append(self, number: int, part: Part, moved: int, samples: npt.NDArray[np.intp], shown: _Shown) -> None:
        table, zero = part.table, part.zero + moved
        _number(self._videos, part.video)
        if part.audio is not None:
            _number(self._sounds, part.audio)
        self._runs.append((number, self.count, part.video, part.audio))
        first, last = self.count, self.count + len(samples)
        if last > self._room:
            self._make_room(max(last, 2 * self._room))
        rows = slice(first, last)
        is_whole = len(samples) == len(table)  # as mostly
        taken = slice(None) if is_whole else samples
        offsets = table.offsets()
        if offsets[-1] > _UINT32 and self._offset.dtype == np.uint32:
            self._offset = self._offset.astype(np.int64)
        self._offset[rows] = offsets[taken]
        self._size[rows] = table.size[taken]
        flags = self._flags[rows]
        flags[:] = table.flags[taken]
        duration = self._duration[rows]
        duration[:] = table.duration[taken]
        dts = self._dts[rows]
        np.add(table.dts[taken], zero, out=dts)
        pictures = table.pictures if is_whole else np.flatnonzero(flags & AUDIO == 0)
        pts = dts
        if table.composition.any():
            if self._composition is None:
                self._composition = np.zeros(self._room, np.int32)
            self._composition[rows] = table.composition[taken]
            pts = dts + self._composition[rows]
        shown.look_at(pts[pictures], duration[pictures])
        if part.audio is not None and len(pictures) < len(samples):
            self._heard.add(part.audio)
        self.count = last

    def _make_room(self, room: int) -> None:
        def larger(column: npt.NDArray[N]) -> npt.NDArray[N]:
            made = np.zeros(room, column.dtype)
            made[: self.count] = column[: self.count]
            return made

        self._offset, self._size, self._flags = larger(self._offset), larger(self._size), larger(self._flags)
        self._dts, self._duration = larger(self._dts), larger(self._duration)
        if self._composition is not None:
            self._composition = larger(self._composition)
        self._room = room

    def selection(self, start: int, end: int) -> Selection:
        count = self.count
        sounds = [audio for audio in self._sounds if audio in self._heard]
        nothing = np.broadcast_to(np.zeros(1, np.int32), count)  # takes no memory
        return Selection(
            start=start,
            end=end,
            files=np.array([number for number, *_ in self._runs], np.int64),
            firsts=np.array([first for _, first, *_ in self._runs], np.int64),
            offset=self._offset[:count],
            size=self._size[:count],
            flags=self._flags[:count],
            dts=self._dts[:count],
            composition=nothing if self._composition is None else self._composition[:count],
            duration=self._duration[:count],
            format=self._formats(sounds),
            videos=tuple(self._videos),
            sounds=tuple(sounds),
        )

    def _formats(self, sounds: list[AudioFormat]) -> Bytes:
        if len(self._videos) == 1 and len(sounds) <= 1:
            return np.broadcast_to(np.zeros(1, np.uint8), self.count)
        formats = np.empty(self.count, np.uint8)
        numbers = {audio: number for number, audio in enumerate(sounds)}
        lasts = [first for _, first, *_ in self._runs[1:]] + [self.count]
        for (_, first, video, audio), last in zip(self._runs, lasts, strict=True):
            is_audio = self._flags[first:last] & AUDIO != 0
            sound = numbers.get(audio, 0) if audio is not None else 0
            formats[first:last] = np.where(is_audio, sound, self._videos[video])
        return formats


def _number(formats: dict[T, int], found: T) -> None:
    if formats.setdefault(found, len(formats)) >= FORMATS_LIMIT:
        raise LayoutError("format_changed", "The camera changed its format too often.", "Ask for a shorter time.")
