"""Where a stream is cut into files (design §6): a pure machine, fragments in, parts of files out.

A file begins with a picture at which decoding can start: the first one after a minute, and the first of a new run, of
another format or set of tracks, and after a gap.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from appliance.base.clock import TICKS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable

    from appliance.media.fmp4 import Fragment
    from appliance.media.units import AudioFormat, VideoFormat

#: How long a file is, at least.
FILE: Final = 60 * TICKS_PER_SECOND
#: A longer pause between pictures is a gap.
GAP: Final = 2 * TICKS_PER_SECOND
#: So much of a new file is waited for before the old one ends.  Sound comes later than the picture that it goes with:
#: what still belongs into the old file is in it then, and whether the new one has sound is known.
HELD: Final = TICKS_PER_SECOND // 2


class Item(NamedTuple):
    """A fragment, and what its stretch of the stream is made of."""

    fragment: Fragment
    video: VideoFormat
    audio: AudioFormat | None


@dataclass(frozen=True, slots=True, eq=False)
class Begin:
    """A file begins.  ``base``: the decoding time of its first picture; ``start``: when that is shown.

    ``follows``: without a gap upon the file before.
    """

    base: int
    start: int
    video: VideoFormat
    audio: AudioFormat | None
    follows: bool


@dataclass(slots=True, eq=False)
class Part:
    """What goes into one file at once: a new one if ``begin`` is given, else the one that is open.

    ``ends``: it is complete then, at that time.
    """

    begin: Begin | None
    fragments: list[Fragment] = field(default_factory=list)
    ends: int | None = None

    @property
    def size(self) -> int:
        return sum(len(fragment.message) for fragment in self.fragments)

    @property
    def length(self) -> int:
        """Ticks that its pictures are shown."""
        pictures = [fragment for fragment in self.fragments if not fragment.is_audio]
        return pictures[-1].dts + pictures[-1].duration - pictures[0].dts if pictures else 0


class Cutter:
    """The cutter of one stream."""

    def __init__(self) -> None:
        self._held: list[Item] = []
        self._file: Begin | None = None
        self._last: Fragment | None = None  # picture in that file
        self._end = 0

    def take(self, items: Iterable[Item], *, final: bool = False) -> list[Part]:
        """The parts that ``items`` make with what was held back.  ``final``: nothing follows, the file ends."""
        items = [*self._held, *items]
        self._held = []
        parts: list[Part] = []
        for number, item in enumerate(items):
            fragment = item.fragment
            if fragment.is_audio:
                self._sound(parts, item)
                continue
            if fragment.is_idr:
                audio = _sound_of_group(items, number)
                if self._cuts(item, audio):
                    if not final and _latest(items) - fragment.dts < HELD:
                        self._held = items[number:]
                        return parts
                    self._begin(parts, items, number, audio)
            elif self._file is not None and fragment.run is not self._file_run:
                self._finish(parts, self._end)
            if self._file is not None:
                self._picture(parts, fragment)
        if final and self._file is not None:
            self._finish(parts, self._end)
        return parts

    def interrupt(self) -> list[Part]:
        """What comes next does not follow: something is missing between."""
        return self.take((), final=True)

    @property
    def held(self) -> int:
        """Bytes that are held back."""
        return sum(len(item.fragment.message) for item in self._held)

    @property
    def _file_run(self) -> object:
        assert self._last is not None
        return self._last.run

    def _cuts(self, item: Item, audio: AudioFormat | None) -> bool:
        file, last = self._file, self._last
        if file is None or last is None:
            return True
        return (
            item.fragment.run is not last.run
            or item.fragment.dts - last.dts > GAP
            or item.fragment.dts - file.base >= FILE
            or item.video != file.video
            or audio != file.audio
        )

    def _begin(self, parts: list[Part], items: list[Item], number: int, audio: AudioFormat | None) -> None:
        item = items[number]
        fragment, last = item.fragment, self._last
        follows = (
            self._file is not None and last is not None and fragment.run is last.run and fragment.dts - last.dts <= GAP
        )
        if self._file is not None:
            for later in items[number + 1 :]:
                if later.fragment.is_audio and later.fragment.run is fragment.run and follows:
                    if later.fragment.dts < fragment.dts and later.audio == self._file.audio:
                        _part(parts).fragments.append(later.fragment)
                elif later.fragment.is_idr:
                    break
            self._finish(parts, fragment.pts if follows else self._end)
        self._file = Begin(fragment.dts, fragment.pts, item.video, audio, follows)
        self._end = fragment.pts
        parts.append(Part(self._file))

    def _picture(self, parts: list[Part], fragment: Fragment) -> None:
        _part(parts).fragments.append(fragment)
        self._last = fragment
        self._end = max(self._end, fragment.pts + fragment.duration)

    def _sound(self, parts: list[Part], item: Item) -> None:
        file = self._file
        if file is None or item.audio != file.audio or item.fragment.dts < file.base:
            return
        if item.fragment.run is self._file_run:
            _part(parts).fragments.append(item.fragment)

    def _finish(self, parts: list[Part], end: int) -> None:
        _part(parts).ends = end
        self._file = None


def _part(parts: list[Part]) -> Part:
    """The part of the file that is open."""
    if not parts or parts[-1].ends is not None:
        parts.append(Part(None))
    return parts[-1]


def _latest(items: list[Item]) -> int:
    return max(item.fragment.dts for item in items)


def _sound_of_group(items: list[Item], number: int) -> AudioFormat | None:
    """The sound that comes with the group of pictures that begins there: it joins after the first picture."""
    for item in items[number:]:
        if item.fragment.is_idr and not item.fragment.is_audio and item is not items[number]:
            return None
        if item.audio is not None:
            return item.audio
    return None
