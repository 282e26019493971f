"""Reading back the fragmented MP4 that `appliance.media.fmp4` writes: the units that went in come out.

Only our own form: one sample a fragment, its data behind its ``moof``.  A file cut off by a crash is read up to the
last whole fragment.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.media import aac, h264
from appliance.media.fmp4 import AUDIO_TRACK, VIDEO_TRACK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.media.units import AudioFormat, VideoFormat

_SYNC = 0x02000000


class Mp4Error(ValueError):
    """Not a file of ours."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample: times in ticks from the zero of the file, and where its bytes are."""

    is_audio: bool
    dts: int
    duration: int
    composition: int
    is_sync: bool
    start: int
    end: int


def read_formats(movie: bytes) -> tuple[VideoFormat, AudioFormat | None]:
    """What the init segment at the beginning says.  Raises `Mp4Error`."""
    video: VideoFormat | None = None
    audio: AudioFormat | None = None
    for start, end in find(movie, 0, len(movie), b"moov", b"trak"):
        for entry, stop in find(movie, start, end, b"mdia", b"minf", b"stbl", b"stsd"):
            for kind, at, last in boxes(movie, entry + 8, stop):
                if kind == b"avc1":
                    video = _video(movie, at + 78, last)
                elif kind == b"mp4a":
                    audio = _audio(movie, at + 28, last)
    if video is None:
        raise Mp4Error("no init segment with a video track")
    return video, audio


def read_samples(movie: bytes) -> Iterator[Sample]:
    """The samples in the order of the file, up to the last whole one.  Raises `Mp4Error`."""
    pending: tuple[int, int, int, int, int, int] | None = None
    for kind, start, end in boxes(movie, 0, len(movie)):
        if kind == b"moof":
            pending = _fragment_header(movie, start, end)
        elif kind == b"mdat" and pending is not None:
            track, dts, duration, size, flags, composition = pending
            if size != end - start:
                raise Mp4Error("a fragment whose size and data disagree")
            yield Sample(track == AUDIO_TRACK, dts, duration, composition, flags == _SYNC, start, end)
            pending = None


def boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, begin and end of the body of each whole box in a range."""
    while end - start >= 8:
        size, kind = struct.unpack_from(">I4s", data, start)
        if size < 8 or start + size > end:
            return
        yield kind, start + 8, start + size
        start += size


def find(data: bytes, start: int, end: int, *path: bytes) -> list[tuple[int, int]]:
    """Begin and end of the bodies of all boxes at the end of a path of kinds."""
    spans = [(start, end)]
    for kind in path:
        spans = [(a, b) for span in spans for found, a, b in boxes(data, *span) if found == kind]
    return spans


def _video(movie: bytes, start: int, end: int) -> VideoFormat:
    for kind, at, last in boxes(movie, start, end):
        if kind == b"avcC" and last - at >= 7:
            sets: list[list[bytes]] = []
            position, count = at + 6, movie[at + 5] & 31
            for _ in range(2):
                units = []
                for _ in range(count):
                    size = int.from_bytes(movie[position : position + 2], "big")
                    units.append(movie[position + 2 : position + 2 + size])
                    position += 2 + size
                sets.append(units)
                count = movie[position] if position < last else 0
                position += 1
            try:
                return h264.video_format(*sets)
            except h264.ParameterSetError as error:
                raise Mp4Error(f"avcC: {error}") from error
    raise Mp4Error("no avcC box")


def _audio(movie: bytes, start: int, end: int) -> AudioFormat:
    for kind, at, last in boxes(movie, start, end):
        if kind == b"esds":
            # Our descriptors have lengths of four bytes: tag 5 is where it was written.
            tag = at + 4 + 5 + 3 + 5 + 13
            if tag + 5 <= last and movie[tag] == 5 and tag + 5 + movie[tag + 4] <= last:
                try:
                    return aac.audio_format(movie[tag + 5 : tag + 5 + movie[tag + 4]])
                except aac.AudioConfigError as error:
                    raise Mp4Error(f"esds: {error}") from error
    raise Mp4Error("no esds box")


def _fragment_header(movie: bytes, start: int, end: int) -> tuple[int, int, int, int, int, int]:
    """Track, decoding time, duration, size, flags and composition offset of a fragment's one sample."""
    track = dts = -1
    for begin, stop in find(movie, start, end, b"traf"):
        for kind, at, _ in boxes(movie, begin, stop):
            if kind == b"tfhd":
                track = int.from_bytes(movie[at + 4 : at + 8], "big")
            elif kind == b"tfdt":
                dts = int.from_bytes(movie[at + 4 : at + 12], "big")
            elif kind == b"trun" and track in (VIDEO_TRACK, AUDIO_TRACK) and dts >= 0:
                version_flags, count = struct.unpack_from(">II", movie, at)
                if version_flags == 0x01000F01 and count == 1:
                    duration, size, flags, composition = struct.unpack_from(">IIIi", movie, at + 12)
                    return track, dts, duration, size, flags, composition
    raise Mp4Error("a fragment that we did not write")
