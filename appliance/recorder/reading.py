"""A recorded file, read by its own bytes alone: which fragments in it are whole, whatever happened to the rest.

Pure: ``read(offset, size)`` gives bytes, fewer of them at the end of the file.  Only heads are read, 112 bytes a
fragment, until one is not as we write it; then what follows is searched for the next one that is.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from appliance._native.fmp4 import OVERHEAD, fragment
from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.fmp4 import AUDIO_TRACK, LONGEST_PICTURE, VIDEO_TRACK
from appliance.media.fmp4_read import Mp4Error, read_formats
from appliance.media.sample_table import SAMPLES_LIMIT, Sample, SampleTable
from appliance.recorder.cutting import GAP

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.media.units import AudioFormat, VideoFormat

    Read = Callable[[int, int], bytes]

#: More than an init segment of ours ever has.
LONGEST_INIT: Final = 64 << 10
#: Further than this no picture or sound begins behind the one before it, and no picture is shown after its decoding.
LONGEST_STEP: Final = 3600 * TICKS_PER_SECOND
LONGEST_COMPOSITION: Final = 10 * TICKS_PER_SECOND
#: No time is later: what is added to it is still a number of 64 bits.
LATEST: Final = 1 << 62
UNDECODABLE: Final = "no picture in it can be decoded"
#: How much of the end of a file is looked at; more if a picture is larger.
_TAIL: Final = 1 << 20
#: How much is searched at once.
_SEARCHED: Final = 1 << 20

_TEMPLATE: Final = fragment(b"", b"", 0, 0, 0, 0, 0, sync=True)
_NOT_SYNC: Final = fragment(b"", b"", 0, 0, 0, 0, 0, sync=False)
#: The bytes of a head that are the same in all; between them are its numbers.
_FIXED: Final = ((0, 20), (24, 44), (48, 60), (68, 88), (108, OVERHEAD))
#: Track, decoding time, duration, size, flags, composition offset, size of the ``mdat``.
_NUMBERS: Final = struct.Struct(">44xI12xQ20xIIIiI4x")
_SYNC: Final = _NUMBERS.unpack(_TEMPLATE)[4]
_OTHER: Final = _NUMBERS.unpack(_NOT_SYNC)[4]
_MARK: Final = _TEMPLATE[:20]

_Fragment = tuple[int, Sample]  # where in the file, and what


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole fragments, one behind the other.  ``start``, ``end``: where in the file."""

    start: int
    end: int
    samples: list[Sample]


@dataclass(frozen=True, slots=True)
class Reading:
    """What is whole in a file: at least one piece, behind the init segment unless what was there is damaged."""

    init: bytes
    video: VideoFormat
    audio: AudioFormat | None
    pieces: list[Piece]
    size: int

    @property
    def is_whole(self) -> bool:
        """From its first byte to its last."""
        return len(self.pieces) == 1 and self.pieces[0].start == len(self.init) and self.pieces[0].end == self.size

    @property
    def is_cut_off(self) -> bool:
        """Whole but for its end."""
        return len(self.pieces) == 1 and self.pieces[0].start == len(self.init)

    @property
    def has_picture(self) -> bool:
        """One at which decoding can start."""
        return any(each.is_sync and not each.is_audio for piece in self.pieces for each in piece.samples)

    def up_to_damage(self) -> Reading:
        """Only what follows upon the init segment without a break.  Raises `Mp4Error` as `read_recording` does."""
        kept = replace(self, pieces=[piece for piece in self.pieces[:1] if piece.start == len(self.init)])
        if not kept.has_picture:
            raise Mp4Error(UNDECODABLE)
        return kept

    def table(self) -> SampleTable:
        """Of a file with nothing but the init segment and all pieces."""
        return SampleTable.of(len(self.init), [each for piece in self.pieces for each in piece.samples])


@dataclass(frozen=True, slots=True)
class Ends:
    """What the beginning and the end of a file say.  ``first``, ``last``: when its first picture is shown, and when its
    last one no more; ``size``: up to the last whole fragment."""

    init: bytes
    first: int
    last: int
    size: int


def read_recording(read: Read, size: int, init: bytes | None = None) -> Reading:
    """Read a file of ``size`` bytes.  ``init``: its init segment as the index knows it, which counts before its own.

    Raises `Mp4Error` where no picture in it can be decoded.
    """
    if init is None:
        init = _init(read)
    video, audio = read_formats(init)
    fragments = _Reader(read, size, has_audio=audio is not None).fragments(len(init))
    reading = Reading(init, video, audio, _pieces(_in_time(fragments)), size)
    if not reading.has_picture:
        raise Mp4Error(UNDECODABLE)
    return reading


def read_ends(read: Read, size: int) -> Ends:
    """The same of only its first and last bytes.  Raises `Mp4Error` where there is no whole picture."""
    init = _init(read)
    _, audio = read_formats(init)
    reader = _Reader(read, size, has_audio=audio is not None)
    first = reader.sample(len(init))
    tail = _TAIL
    while first is not None:
        at = max(len(init), size - tail)
        for piece in _pieces(reader.fragments(at)):
            shown = [each.dts + each.composition + each.duration for each in piece.samples if not each.is_audio]
            if shown:
                return Ends(init, first.dts + first.composition, max(shown), piece.end)
        if at == len(init):
            break
        tail *= 4
    raise Mp4Error("no whole picture")


def head_of(sample: Sample, sequence: bytes) -> bytes:
    """The head of a fragment as it was written; ``sequence``: the four bytes of its number, which no table has."""
    track = AUDIO_TRACK if sample.is_audio else VIDEO_TRACK
    head = bytearray(fragment(b"", b"", track, 0, sample.dts, sample.duration, sample.composition, sync=sample.is_sync))
    head[20:24] = sequence
    struct.pack_into(">I", head, 92, sample.size)
    struct.pack_into(">I", head, OVERHEAD - 8, sample.size + 8)
    return bytes(head)


class _Reader:
    """Reads the fragments of one file, each by itself."""

    def __init__(self, read: Read, size: int, *, has_audio: bool) -> None:
        self._read = read
        self._size = size
        self._tracks = (VIDEO_TRACK, AUDIO_TRACK) if has_audio else (VIDEO_TRACK,)

    def fragments(self, at: int) -> list[_Fragment]:
        """All whole ones from there on."""
        found: list[_Fragment] = []
        while at < self._size and len(found) < SAMPLES_LIMIT:
            sample = self.sample(at)
            if sample is None:
                after = self._search(at)
                at = after if after > at else self._search(at + 1)
                continue
            found.append((at, sample))
            at += OVERHEAD + sample.size
        return found

    def sample(self, at: int) -> Sample | None:
        """The fragment there, if there is one of ours, and whole."""
        head = self._read(at, OVERHEAD)
        if len(head) < OVERHEAD or any(head[a:b] != _TEMPLATE[a:b] for a, b in _FIXED):
            return None
        track, dts, duration, size, flags, composition, box = _NUMBERS.unpack(head)
        if track not in self._tracks or box != size + 8 or at + OVERHEAD + size > self._size:
            return None
        audio, sync = track == AUDIO_TRACK, flags == _SYNC
        longest = LONGEST_STEP if audio else LONGEST_PICTURE
        if (
            not (sync or (flags == _OTHER and not audio))
            or dts > LATEST
            or duration > longest
            or abs(composition) > LONGEST_COMPOSITION
        ):
            return None
        return Sample(dts, duration, composition, size, audio, sync)

    def _search(self, at: int) -> int:
        """Where the next head could be; the size of the file if nowhere."""
        while at < self._size:
            block = self._read(at, _SEARCHED)
            if not block:
                break
            found = block.find(_MARK)
            if found >= 0:
                return at + found
            at += max(1, len(block) - len(_MARK) + 1)
        return self._size


def _in_time(fragments: list[_Fragment]) -> list[_Fragment]:
    """Without those whose decoding time cannot be: of each track as many stay as are in order."""
    kept: set[int] = set()
    for audio in (False, True):
        track = [(at, sample.dts) for at, sample in fragments if sample.is_audio is audio]
        order = _longest_order([dts for _, dts in track])
        while len(order) > 1 and track[order[-1]][1] - track[order[-2]][1] > GAP:
            order.pop()  # a last one far behind all others: nothing speaks for its time
        kept.update(track[number][0] for number in order)
    return [each for each in fragments if each[0] in kept]


def _longest_order(times: list[int]) -> list[int]:
    """The numbers of as many as possible that do not go back, and none of which is hours behind the one before."""
    ends: list[int] = []  # the least last time of an order of each length …
    lasts: list[int] = []  # … whose it is
    before: list[int] = []
    for number, time in enumerate(times):
        length = bisect_right(ends, time)
        before.append(lasts[length - 1] if length else -1)
        if length == len(ends):
            ends.append(time)
            lasts.append(number)
        else:
            ends[length], lasts[length] = time, number
    order: list[int] = []
    number = lasts[-1] if lasts else -1
    while number >= 0:
        if order and times[order[-1]] - times[number] > LONGEST_STEP:
            order.clear()  # nothing behind such a leap is believed
        order.append(number)
        number = before[number]
    return order[::-1]


def _pieces(fragments: list[_Fragment]) -> list[Piece]:
    """Those that lie one behind the other are a piece.  What leads a key picture is known by its time."""
    found: list[Piece] = []
    key_pts = 0
    for at, each in fragments:
        pts = each.dts + each.composition
        if not each.is_audio and each.is_sync:
            key_pts = pts
        leading = not each.is_audio and not each.is_sync and pts < key_pts
        sample = replace(each, leading=True) if leading else each
        end = at + OVERHEAD + each.size
        if found and found[-1].end == at:
            last = found[-1]
            last.samples.append(sample)
            found[-1] = Piece(last.start, end, last.samples)
        else:
            found.append(Piece(at, end, [sample]))
    return found


def _init(read: Read) -> bytes:
    """The init segment at the beginning: all boxes to the end of ``moov``.  Raises `Mp4Error`."""
    head = read(0, LONGEST_INIT)
    at = 0
    while at + 8 <= len(head):
        size, kind = struct.unpack_from(">I4s", head, at)
        if size < 8 or at + size > len(head):
            break
        at += size
        if kind == b"moov":
            return head[:at]
    raise Mp4Error("no init segment")
