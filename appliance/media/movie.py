"""Reading the index of MP4 movies that others made (ISO/IEC 14496-12), whole ones and fragmented ones.

H.264 with or without AAC: the first track of each.  What is read is bounded, whatever the file says: its boxes, its
index and the number of its samples.  The samples themselves are not read here.
"""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.movie_index import SAMPLES_LIMIT, MovieError, Track, read_tracks, take_fragment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from appliance.media.units import AudioFormat, VideoFormat

__all__ = ["SAMPLES_LIMIT", "Movie", "MovieError", "MovieSample", "read_movie"]

INDEX_LIMIT = 64 << 20  # bytes of one moov or moof
BOXES_LIMIT = 1_000_000  # at the top of a file; a fragmented one has two for each fragment
SAMPLE_LIMIT = 8 << 20  # bytes; as for a camera's picture
_LONGEST = 100 * 24 * 3600 * TICKS_PER_SECOND
_LONGEST_SAMPLE = 3600 * TICKS_PER_SECOND
_ROW = struct.Struct("<qqiiiB")


class MovieSample(NamedTuple):
    """One picture or piece of sound: ``at`` is when it is decoded, in ticks from the beginning, ``lead`` how much later
    it is shown; ``offset`` and ``size`` are where it stands in the file.
    """

    at: int
    offset: int
    size: int
    lead: int
    duration: int
    is_idr: bool
    is_audio: bool


class Samples:
    """All samples of a movie, by ``at``; packed, for there are many."""

    def __init__(self, samples: Iterable[MovieSample]) -> None:
        ordered = sorted(samples)
        self.at = array("q", [sample.at for sample in ordered])
        self._rows = b"".join(_packed(sample) for sample in ordered)

    def __len__(self) -> int:
        return len(self.at)

    def __getitem__(self, index: int) -> MovieSample:
        at, offset, size, lead, duration, flags = _ROW.unpack_from(self._rows, index * _ROW.size)
        return MovieSample(at, offset, size, lead, duration, bool(flags & 1), bool(flags & 2))


def _packed(sample: MovieSample) -> bytes:
    at, offset, size, lead, duration, is_idr, is_audio = sample
    return _ROW.pack(at, offset, size, lead, duration, is_idr | is_audio << 1)


@dataclass(frozen=True)
class Movie:
    """``length``: ticks of the picture.  ``length_size``: bytes before each NAL unit that say how long it is."""

    video: VideoFormat
    audio: AudioFormat | None
    samples: Samples = field(repr=False)
    length: int
    length_size: int


def read_movie(read: Callable[[int, int], bytes], size: int) -> Movie:
    """The index of a file: ``read(offset, count)`` gives its bytes.  Raises `MovieError`, and OSError of ``read``."""
    tracks: dict[int, Track] = {}
    try:
        for kind, offset, start, end in _top(read, size):
            if kind == b"moov" and not tracks:
                tracks = read_tracks(_whole(read, start, end))
            elif kind == b"moof" and tracks:
                take_fragment(_whole(read, start, end), offset, tracks)
    except (struct.error, IndexError, OverflowError):
        raise MovieError("The file's index is damaged.") from None
    return _assemble(list(tracks.values()), size)


def _top(read: Callable[[int, int], bytes], size: int) -> Iterator[tuple[bytes, int, int, int]]:
    """Kind, begin, and begin and end of the body of each box at the top of the file."""
    offset = 0
    for _ in range(BOXES_LIMIT):
        head = read(offset, 16)
        if len(head) < 8:
            return
        length, kind = struct.unpack_from(">I4s", head)
        start = offset + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", head, 8)
            start += 8
        end = size if length == 0 else offset + length
        if end < start or end > size:
            return  # cut off: what came before counts
        yield kind, offset, start, end
        offset = end
    raise MovieError("The file has too many parts.")


def _whole(read: Callable[[int, int], bytes], start: int, end: int) -> bytes:
    if end - start > INDEX_LIMIT:
        raise MovieError("The file's index is too large.")
    return read(start, end - start)


def _assemble(tracks: list[Track], size: int) -> Movie:
    video = next((track for track in tracks if track.video is not None and track.rows), None)
    if video is None:
        raise MovieError("The file is no movie with an H.264 picture.")
    assert video.video is not None
    audio = next((track for track in tracks if track.audio is not None and track.rows), None)
    pictures = list(_placed(video, size))
    first = next((n for n, picture in enumerate(pictures) if picture.is_idr), None)
    if first is None:
        raise MovieError("The movie has no picture at which it could begin.")
    pictures = pictures[first:]
    lowest = min(0, *(picture.lead for picture in pictures))  # nothing is shown before it is decoded
    zero = pictures[0].at + lowest
    pictures = [picture._replace(at=picture.at + lowest - zero, lead=picture.lead - lowest) for picture in pictures]
    length = max(picture.at + picture.duration for picture in pictures)
    if not 0 < length <= _LONGEST:
        raise MovieError("The movie's times make no sense.")
    sounds = [sound._replace(at=sound.at - zero) for sound in _placed(audio, size)] if audio is not None else []
    sounds = [sound for sound in sounds if 0 <= sound.at < length]
    samples = Samples([*pictures, *sounds])
    return Movie(video.video, audio.audio if audio is not None and sounds else None, samples, length, video.length_size)


def _placed(track: Track, size: int) -> Iterator[MovieSample]:
    """A track's samples in ticks, as far as the file has them whole and their times only rise."""
    last = None
    for dts, offset, count, lead, duration, is_sync in track.rows:
        at = (dts + track.shift) * TICKS_PER_SECOND // track.timescale
        if offset < 0 or offset + count > size or not 0 < count <= SAMPLE_LIMIT or abs(at) > _LONGEST:
            return
        until = (dts + track.shift + duration) * TICKS_PER_SECOND // track.timescale
        shown = (dts + track.shift + lead) * TICKS_PER_SECOND // track.timescale
        if last is not None and at == last:
            at += 1  # shown for no time at all, and yet decoded
        if (last is not None and at <= last) or until - at > _LONGEST_SAMPLE or abs(shown - at) > TICKS_PER_SECOND * 10:
            return
        last = at
        yield MovieSample(at, offset, count, shown - at, max(1, until - at), is_sync or track.is_audio, track.is_audio)
