"""The boxes of an MP4 movie's index (ISO/IEC 14496-12 §8): its tracks, and the rows of their samples."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from itertools import repeat
from typing import TYPE_CHECKING

from appliance.media import aac, h264
from appliance.media.fmp4_read import boxes, find

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from appliance.media.units import AudioFormat, VideoFormat

SAMPLES_LIMIT = 300_000  # of a track: an hour and more


class MovieError(ValueError):
    """Not a movie that can be played, and why, in a sentence."""


@dataclass
class Track:
    """A track while it is read; its times count in ``timescale``."""

    is_audio: bool
    timescale: int
    shift: int  # of all its times, by its edit list
    video: VideoFormat | None = None
    audio: AudioFormat | None = None
    length_size: int = 4
    rows: list[tuple[int, int, int, int, int, bool]] = field(default_factory=list)  # dts, offset, size, lead, duration
    defaults: tuple[int, int, int] = (0, 0, 0)  # of fragments: duration, size, flags
    end: int = 0  # when the next fragment begins, unless it says


# ---- moov


def read_tracks(moov: bytes) -> dict[int, Track]:
    """The first track of each kind in a ``moov``, by number.  Raises `MovieError`, struct.error, IndexError."""
    found: dict[int, Track] = {}
    movie_scale = 0
    for start, _ in find(moov, 0, len(moov), b"mvhd"):
        movie_scale = _u32(moov, start + (20 if moov[start] else 12))
    for start, end in find(moov, 0, len(moov), b"trak"):
        track = _track(moov, start, end, movie_scale)
        if track is not None and all(other.is_audio != track.is_audio for other in found.values()):
            (header,) = find(moov, start, end, b"tkhd")[:1] or [(start, end)]
            found[_u32(moov, header[0] + (20 if moov[header[0]] else 12))] = track
    for start, _ in find(moov, 0, len(moov), b"mvex", b"trex"):
        number, _, duration, size, flags = struct.unpack_from(">5I", moov, start + 4)
        if number in found:
            found[number].defaults = duration, size, flags
    return found


def _track(moov: bytes, start: int, end: int, movie_scale: int) -> Track | None:
    """A track whose codec we know, or None."""
    handlers = [moov[at + 8 : at + 12] for at, _ in find(moov, start, end, b"mdia", b"hdlr")]
    scales = [_u32(moov, at + (20 if moov[at] else 12)) for at, _ in find(moov, start, end, b"mdia", b"mdhd")]
    if handlers[:1] not in ([b"vide"], [b"soun"]) or not scales or not 0 < scales[0] <= 10_000_000:
        return None
    track = Track(handlers[0] == b"soun", scales[0], _shift(moov, start, end, movie_scale, scales[0]))
    for entry, stop in find(moov, start, end, b"mdia", b"minf", b"stbl", b"stsd"):
        for kind, at, last in boxes(moov, entry + 8, stop):
            if kind in (b"avc1", b"avc3") and not track.is_audio:
                track.video, track.length_size = _avc(moov, at + 78, last)
            elif kind == b"mp4a" and track.is_audio:
                track.audio = _aac(moov, at + 28, last)
            elif not track.is_audio:
                name = kind.decode("latin-1") if kind.isalnum() else "something else"
                raise MovieError(f"The movie's picture is coded as {name}, which is not played; H.264 is.")
            break
    if track.video is None and track.audio is None:
        return None
    for at, stop in find(moov, start, end, b"mdia", b"minf", b"stbl"):
        track.rows = list(_table(moov, at, stop))
    return track


def _shift(moov: bytes, start: int, end: int, movie_scale: int, timescale: int) -> int:
    """What the edit list adds to all times: a delay at the beginning, less what is left out there."""
    shift = 0
    for at, _ in find(moov, start, end, b"edts", b"elst"):
        form, step = (">Qq", 20) if moov[at] else (">Ii", 12)
        for n in range(min(_u32(moov, at + 4), 8)):
            duration, media_time = struct.unpack_from(form, moov, at + 8 + n * step)
            if media_time >= 0:
                return shift - int(media_time)
            shift += int(duration) * timescale // max(movie_scale, 1)
    return shift


def _avc(moov: bytes, start: int, end: int) -> tuple[VideoFormat, int]:
    for kind, at, last in boxes(moov, start, end):
        if kind == b"avcC" and last - at >= 7:
            sets: list[list[bytes]] = []
            position, count = at + 6, moov[at + 5] & 31
            for _ in range(2):
                units = []
                for _ in range(count):
                    size = int.from_bytes(moov[position : position + 2], "big")
                    units.append(moov[position + 2 : position + 2 + size])
                    position += 2 + size
                sets.append(units)
                count = moov[position] if position < last else 0
                position += 1
            try:
                return h264.video_format(*sets), (moov[at + 4] & 3) + 1
            except h264.ParameterSetError as error:
                raise MovieError(f"The movie's picture cannot be played: {error}.") from None
    raise MovieError("The movie does not say how its picture is coded.")


def _aac(moov: bytes, start: int, end: int) -> AudioFormat | None:
    """The format of the sound; None for another than AAC."""
    for kind, at, last in boxes(moov, start, end):
        if kind == b"esds":
            config = _specific_config(moov[at + 4 : last])
            try:
                return aac.audio_format(config) if config else None
            except aac.AudioConfigError:
                return None
    return None


def _specific_config(data: bytes) -> bytes:
    """The AudioSpecificConfig in an elementary stream descriptor (ISO/IEC 14496-1 §7.2.6.5)."""
    at = 0
    while at + 2 <= len(data):
        tag, at, size = data[at], at + 1, 0
        for _ in range(4):
            byte = data[at]
            size, at = size << 7 | byte & 0x7F, at + 1
            if not byte & 0x80:
                break
        if tag == 3:  # ES_Descriptor: descriptors stand inside of it
            flags = data[at + 2]
            at += (
                3 + (2 if flags & 0x80 else 0) + (1 + data[at + 3] if flags & 0x40 else 0) + (2 if flags & 0x20 else 0)
            )
        elif tag == 4:  # DecoderConfigDescriptor
            at += 13
        elif tag == 5:
            return data[at : at + size]
        else:
            at += size
    return b""


def _table(moov: bytes, start: int, end: int) -> Iterator[tuple[int, int, int, int, int, bool]]:
    """The samples of a sample table."""
    tables = {kind: (at, last) for kind, at, last in boxes(moov, start, end)}
    if b"stsz" not in tables or b"stts" not in tables:
        return
    at, _ = tables[b"stsz"]
    fixed, count = struct.unpack_from(">II", moov, at + 4)
    if count > SAMPLES_LIMIT:
        raise MovieError(f"The movie has {count} samples; {SAMPLES_LIMIT} are the limit.")
    sizes: Iterable[int] = repeat(fixed, count) if fixed else struct.unpack_from(f">{count}I", moov, at + 12)
    durations = _runs(moov, tables[b"stts"], ">II", count)
    leads = _runs(moov, tables[b"ctts"], ">Ii", count) if b"ctts" in tables else repeat(0)
    sync: set[int] | None = None
    if b"stss" in tables:
        at, _ = tables[b"stss"]
        sync = set(struct.unpack_from(f">{min(_u32(moov, at + 4), count)}I", moov, at + 8))
    dts = 0
    all_of_them = zip(_offsets(moov, tables, sizes), durations, leads, strict=False)
    for number, ((offset, size), duration, lead) in enumerate(all_of_them, 1):
        yield dts, offset, size, lead, duration, sync is None or number in sync
        dts += duration


def _runs(moov: bytes, table: tuple[int, int], form: str, count: int) -> Iterator[int]:
    at, last = table
    entries = min(_u32(moov, at + 4), (last - at - 8) // 8, count)
    for n in range(entries):
        times, value = struct.unpack_from(form, moov, at + 8 + n * 8)
        yield from repeat(value, min(times, count))


def _offsets(moov: bytes, tables: dict[bytes, tuple[int, int]], sizes: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Where each sample stands: chunks have offsets, and samples follow one another inside of them."""
    if b"stsc" not in tables or not tables.keys() & {b"stco", b"co64"}:
        return
    at, last = tables[b"stsc"]
    entries = min(_u32(moov, at + 4), (last - at - 8) // 12)
    runs = [struct.unpack_from(">II", moov, at + 8 + n * 12) for n in range(entries)]
    wide = b"co64" in tables
    at, last = tables[b"co64" if wide else b"stco"]
    chunks = min(_u32(moov, at + 4), (last - at - 8) // (8 if wide else 4))
    left, which, per_chunk = iter(sizes), 0, 0
    for chunk in range(1, chunks + 1):
        while which < len(runs) and runs[which][0] <= chunk:
            per_chunk, which = runs[which][1], which + 1
        (offset,) = struct.unpack_from(">Q" if wide else ">I", moov, at + 8 + (chunk - 1) * (8 if wide else 4))
        for _ in range(per_chunk):
            size = next(left, None)
            if size is None:
                return
            yield offset, size
            offset += size


# ---- moof


def take_fragment(moof: bytes, begin: int, tracks: dict[int, Track]) -> None:
    """Append the samples of a fragment, which stands at ``begin`` in the file (ISO/IEC 14496-12 §8.8)."""
    for start, end in find(moof, 0, len(moof), b"traf"):
        track, base = None, begin
        duration = size = flags = 0
        for kind, at, _ in boxes(moof, start, end):
            if kind == b"tfhd":
                said, number = struct.unpack_from(">I", moof, at)[0] & 0xFFFFFF, _u32(moof, at + 4)
                track = tracks.get(number)
                if track is None:
                    break
                duration, size, flags = track.defaults
                position = at + 8
                if said & 1:
                    (base,) = struct.unpack_from(">Q", moof, position)
                position += 8 * (said & 1) + (4 if said & 2 else 0)
                if said & 8:
                    duration, position = _u32(moof, position), position + 4
                if said & 0x10:
                    size, position = _u32(moof, position), position + 4
                if said & 0x20:
                    flags = _u32(moof, position)
            elif kind == b"tfdt" and track is not None:
                (track.end,) = struct.unpack_from(">Q" if moof[at] else ">I", moof, at + 4)
            elif kind == b"trun" and track is not None:
                base = _take_run(moof, at, begin if base == begin else base, track, (duration, size, flags), base)


def _take_run(moof: bytes, at: int, anchor: int, track: Track, defaults: tuple[int, int, int], following: int) -> int:
    """Append the samples of a run; where the next one would follow."""
    said, count = struct.unpack_from(">II", moof, at)
    version, said = said >> 24, said & 0xFFFFFF
    if len(track.rows) + count > SAMPLES_LIMIT:
        raise MovieError(f"The movie has more than {SAMPLES_LIMIT} samples.")
    position, offset = at + 8, following
    if said & 1:
        offset, position = anchor + struct.unpack_from(">i", moof, position)[0], position + 4
    first_flags = None
    if said & 4:
        first_flags, position = _u32(moof, position), position + 4
    for n in range(count):
        duration, size, flags = defaults
        lead = 0
        if n == 0 and first_flags is not None:
            flags = first_flags
        if said & 0x100:
            duration, position = _u32(moof, position), position + 4
        if said & 0x200:
            size, position = _u32(moof, position), position + 4
        if said & 0x400:
            flags, position = _u32(moof, position), position + 4
        if said & 0x800:
            lead, position = struct.unpack_from(">i" if version else ">I", moof, position)[0], position + 4
        track.rows.append((track.end, offset, size, lead, duration, not flags & 0x10000))
        track.end += duration
        offset += size
    return offset


def _u32(data: bytes, at: int) -> int:
    found: int = struct.unpack_from(">I", data, at)[0]
    return found
