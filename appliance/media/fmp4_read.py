"""Reading back the fragmented MP4 that `appliance.media.fmp4` writes: the units that went in come out.

Only our own form: one sample a fragment, its data behind its ``moof``.  A file cut off by a crash is read up to the
last whole fragment.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.media import aac, h264, h265, jpeg, mpeg4
from appliance.media.fmp4 import AUDIO_TRACK, JPEG_OBJECT, VIDEO_TRACK
from appliance.media.parameter_sets import ParameterSetError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.media.units import AudioFormat, VideoFormat

_SYNC = 0x02000000
# In an esds box of ours, whose descriptors have lengths of four bytes: behind version and flags ES_Descriptor, its
# number and flags, and the header of DecoderConfigDescriptor; behind that one's fields DecoderSpecificInfo.
_OBJECT_TYPE_AT = 4 + 5 + 3 + 5
_SPECIFIC_AT = _OBJECT_TYPE_AT + 13


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
                if kind in (b"avc1", b"hvc1"):
                    video = _video(movie, at + 78, last)
                elif kind == b"mp4v":
                    video = _by_object_type(movie, at, last)
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
        try:
            if kind == b"avcC" and last - at >= 7:
                return h264.FAMILY.make(_avc_sets(movie[at:last]))
            if kind == b"hvcC" and last - at >= 23:
                return h265.FAMILY.make(_hevc_sets(movie[at:last]))
        except ParameterSetError as error:
            raise Mp4Error(f"{kind.decode()}: {error}") from error
    raise Mp4Error("no decoder configuration of a codec that we write")


def _by_object_type(movie: bytes, start: int, end: int) -> VideoFormat:
    """A stream of JPEG pictures, or of MPEG-4 Visual."""
    aspect, described = (1, 1), None
    for kind, at, last in boxes(movie, start + 78, end):
        if kind == b"pasp" and last - at >= 8:
            aspect = struct.unpack_from(">2I", movie, at)
        elif kind == b"esds" and last - at > _OBJECT_TYPE_AT:
            described = at
    if described is None:
        raise Mp4Error("no esds box")
    object_type = movie[described + _OBJECT_TYPE_AT]
    if object_type == JPEG_OBJECT:
        width, height = struct.unpack_from(">2H", movie, start + 24)
        return jpeg.video_format(width, height, aspect)
    try:
        return mpeg4.video_format(_specific(movie, described, end))
    except ParameterSetError as error:
        raise Mp4Error(f"esds: {error}") from error


def _specific(movie: bytes, at: int, end: int) -> bytes:
    """DecoderSpecificInfo (ISO/IEC 14496-1 §7.2.6.7) where it is written, with a length of four bytes."""
    tag = at + _SPECIFIC_AT
    if tag + 5 > end or movie[tag] != 5:
        raise Mp4Error("no decoder configuration")
    size = 0
    for byte in movie[tag + 1 : tag + 5]:
        size = size << 7 | byte & 0x7F
    if tag + 5 + size > end:
        raise Mp4Error("a decoder configuration that is cut off")
    return movie[tag + 5 : tag + 5 + size]


def _avc_sets(record: bytes) -> list[bytes]:
    """Of an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1)."""
    sps, at = _units(record, 6, record[5] & 31)
    pps, _ = _units(record, at + 1, record[at] if at < len(record) else 0)
    return sps + pps


def _hevc_sets(record: bytes) -> list[bytes]:
    """Of an HEVCDecoderConfigurationRecord (§8.3.3.1)."""
    found: list[bytes] = []
    at = 23
    for _ in range(record[22]):
        units, at = _units(record, at + 3, int.from_bytes(record[at + 1 : at + 3], "big"))
        found += units
    return found


def _units(record: bytes, at: int, count: int) -> tuple[list[bytes], int]:
    """NAL units behind their lengths, and where they end; empty ones, as behind the end, are left out."""
    units = []
    for _ in range(count):
        if at >= len(record):
            break
        size = int.from_bytes(record[at : at + 2], "big")
        units.append(record[at + 2 : at + 2 + size])
        at += 2 + size
    return [unit for unit in units if unit], at


def _audio(movie: bytes, start: int, end: int) -> AudioFormat:
    for kind, at, last in boxes(movie, start, end):
        if kind == b"esds":
            try:
                return aac.audio_format(_specific(movie, at, last))
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
