"""Matroska as a virtual file (RFC 9559): every size known, index (`Cues`) in front, a cluster a group of pictures.

It begins with the picture at which decoding can start; `DateUTC` says when that was shown.  Times are in milliseconds,
as players expect; they are those of the recording, so after a gap they jump.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

import numpy as np

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.virtual import Columns, LayoutError, Rows, Virtual, starts_of
from appliance.media.virtual_sets import inserted_sets, inserts_before, lengths_before

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from appliance.media.selection import Selection
    from appliance.media.units import AudioFormat, VideoFormat
    from appliance.media.virtual import Piece

    Ints = npt.NDArray[np.int64]
    Numbers = npt.NDArray[np.intp]
    Bytes = npt.NDArray[np.uint8]

_CODECS: Final = {
    "h264": "V_MPEG4/ISO/AVC",
    "h265": "V_MPEGH/ISO/HEVC",
    "mpeg4": "V_MPEG4/ISO/ASP",
    "mjpeg": "V_MJPEG",
}
#: From 1970 to 2001, where `DateUTC` begins.
_SINCE_2001: Final = 978_307_200
_PER_MS: Final = TICKS_PER_SECOND // 1000
#: No cluster is longer, and where every picture stands alone none is much shorter than the second.
_LONGEST_MS, _SHORTEST_MS = 5000, 300
_BLOCK_HEAD: Final = 9  # ID, size in 4 bytes, track, time, flags
_CLUSTER_HEAD: Final = 22
_LARGEST_BLOCK: Final = (1 << 28) - 2
_VIDEO, _AUDIO = 1, 2


def lay_out(selection: Selection) -> Virtual:
    """The file.  Raises `LayoutError`."""
    codec = _CODECS[selection.codec]
    times = selection.pts
    origin = int(times.min())
    times -= origin - _PER_MS // 2
    times //= _PER_MS
    firsts = _clusters(selection, times)
    rows = _blocks(selection, times, firsts)
    ends = np.append(firsts[1:], len(rows))
    sizes = _CLUSTER_HEAD + rows.starts[ends] - rows.starts[firsts]

    head = _element(
        0x1A45DFA3,
        _uint(0x4286, 1) + _uint(0x42F7, 1) + _uint(0x42F2, 4) + _uint(0x42F3, 8)
        + _element(0x4282, b"matroska") + _uint(0x4287, 4) + _uint(0x4285, 2),
    )  # fmt: skip
    info = _info(origin, selection.end)
    tracks = _tracks(selection, codec)
    begins_with_key = selection.is_sync[firsts] & ~selection.is_audio[firsts]
    cues = _cues(times[firsts][begins_with_key], np.zeros(int(begins_with_key.sum()), np.int64))
    seek_head = _seek_head(0, 0, 0)
    front = len(seek_head) + len(info) + len(tracks) + len(cues)
    positions = front + np.cumsum(sizes) - sizes  # of each cluster, counted from the segment's first byte
    if len(firsts):
        seek_head = _seek_head(len(seek_head), len(seek_head) + len(info), len(seek_head) + len(info) + len(tracks))
        cues = _cues(times[firsts][begins_with_key], positions[begins_with_key])
    segment = b"\x18\x53\x80\x67" + _size8(front + int(sizes.sum()))
    pieces: list[Piece] = [head + segment + seek_head + info + tracks + cues]
    for first, last, size, time in zip(
        firsts.tolist(), ends.tolist(), sizes.tolist(), times[firsts].tolist(), strict=True
    ):
        pieces += [
            b"\x1f\x43\xb6\x75" + _size8(size - 12) + b"\xe7\x88" + time.to_bytes(8, "big"),
            (first, last),
        ]
    return Virtual(rows, pieces)


def _clusters(selection: Selection, times: Ints) -> Numbers:
    """The first row of each: a picture at which decoding can start, or what comes after five seconds."""
    begins = np.zeros(len(selection), np.bool_)
    begins[0] = True
    keys = np.flatnonzero(selection.is_sync & ~selection.is_audio)
    seconds = times[keys] // _SHORTEST_MS
    begins[keys[np.concatenate((np.ones(1, np.bool_), np.diff(seconds) != 0))]] = True
    latest = np.maximum.accumulate(times)
    group = np.cumsum(begins) - 1
    late = (latest - latest[np.flatnonzero(begins)][group]) // _LONGEST_MS
    begins[1:] |= np.diff(late) > 0
    return np.flatnonzero(begins)


def _blocks(selection: Selection, times: Ints, firsts: Numbers) -> Rows:
    """`SimpleBlock` elements (§10.2)."""
    count = len(selection)
    inserts = inserted_sets(selection, lengths_before)
    insert = inserts_before(selection.flags, selection.format) if len(inserts) > 1 else np.zeros(count, np.uint8)
    bodies = selection.size + np.array([len(text) for text in inserts], np.int32)[insert]
    since = times - np.repeat(times[firsts], np.diff(firsts, append=count))
    if np.abs(since).max() > 0x7FFF or bodies.max() > _LARGEST_BLOCK:
        raise LayoutError(
            "not_in_this_form", "Its sound and its pictures are too far apart.", "Ask for it without sound."
        )
    heads = np.zeros((count, _BLOCK_HEAD), np.uint8)
    heads[:, 0] = 0xA3
    heads[:, 1:5] = (bodies + 4 | 0x10000000).astype(">u4").view(np.uint8).reshape(-1, 4)
    heads[:, 5] = 0x80 | np.where(selection.is_audio, _AUDIO + selection.format, _VIDEO)
    heads[:, 6:8] = since.astype(">i2").view(np.uint8).reshape(-1, 2)
    heads[:, 8] = np.where(selection.is_sync | selection.is_audio, 0x80, 0)
    starts = starts_of(bodies + np.int32(_BLOCK_HEAD))
    return Rows(starts, selection.files, selection.firsts, _columns(selection, heads, insert), inserts)


def _columns(selection: Selection, heads: Bytes, insert: Bytes) -> Callable[[int, int], Columns]:
    offset, size = selection.offset, selection.size  # and nothing else is kept of the selection

    def columns(first: int, last: int) -> Columns:
        rows, none = slice(first, last), np.zeros(last - first, np.uint8)
        return Columns(offset[rows].astype(np.int64), size[rows], heads[rows], insert[rows], none)

    return columns


def _info(origin: int, end: int) -> bytes:
    date = (origin - _SINCE_2001 * TICKS_PER_SECOND) * 100_000 // 9  # nanoseconds
    return _element(
        0x1549A966,
        _uint(0x2AD7B1, 1_000_000)
        + _element(0x4489, struct.pack(">d", (end - origin) / _PER_MS))
        + _element(0x4461, struct.pack(">q", date))
        + _element(0x4D80, b"Fanal")
        + _element(0x5741, b"Fanal"),
    )


def _tracks(selection: Selection, codec: str) -> bytes:
    entries = [_video(selection.videos[0], codec)]
    entries += [_sound(_AUDIO + number, audio) for number, audio in enumerate(selection.sounds)]
    return _element(0x1654AE6B, b"".join(entries))


def _entry(number: int, kind: int, codec: str, private: bytes, settings: bytes) -> bytes:
    return _element(
        0xAE,
        _uint(0xD7, number) + _uint(0x73C5, number) + _uint(0x83, kind) + _uint(0x9C, 0)
        + _element(0x22B59C, b"und") + _element(0x86, codec.encode())
        + (_element(0x63A2, private) if private else b"") + settings,
    )  # fmt: skip


def _video(video: VideoFormat, codec: str) -> bytes:
    wide, high = video.pixel_aspect
    settings = _uint(0xB0, video.width) + _uint(0xBA, video.height)
    if wide != high:
        settings += _uint(0x54B0, max(1, round(video.width * wide / high))) + _uint(0x54BA, video.height)
    return _entry(_VIDEO, 1, codec, video.configuration, _element(0xE0, settings))


def _sound(number: int, audio: AudioFormat) -> bytes:
    settings = _element(0xB5, struct.pack(">d", audio.sample_rate)) + _uint(0x9F, audio.channels)
    return _entry(number, 2, "A_AAC", audio.configuration, _element(0xE1, settings))


def _seek_head(info: int, tracks: int, cues: int) -> bytes:
    """Where the others are, counted from the segment's first byte; its length is always the same."""
    seeks = [
        _element(0x4DBB, _element(0x53AB, number.to_bytes(4, "big")) + b"\x53\xac\x88" + position.to_bytes(8, "big"))
        for number, position in ((0x1549A966, info), (0x1654AE6B, tracks), (0x1C53BB6B, cues))
    ]
    return _element(0x114D9B74, b"".join(seeks))


def _cues(times: Ints, positions: Ints) -> bytes:
    """One `CuePoint` a cluster, all of one length."""
    table = np.empty((len(times), 27), np.uint8)
    table[:, 0:4] = (0xBB, 0x80 | 25, 0xB3, 0x88)
    table[:, 4:12] = times.astype(">u8").view(np.uint8).reshape(-1, 8)
    table[:, 12:19] = (0xB7, 0x80 | 13, 0xF7, 0x81, _VIDEO, 0xF1, 0x88)
    table[:, 19:27] = positions.astype(">u8").view(np.uint8).reshape(-1, 8)
    return b"\x1c\x53\xbb\x6b" + _size8(table.size) + table.tobytes()


def _element(number: int, body: bytes) -> bytes:
    identity = number.to_bytes((number.bit_length() + 7) // 8, "big")
    size = bytes((0x80 | len(body),)) if len(body) < 127 else (len(body) | 0x10000000).to_bytes(4, "big")
    return identity + size + body


def _uint(number: int, value: int) -> bytes:
    return _element(number, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def _size8(size: int) -> bytes:
    return (1 << 56 | size).to_bytes(8, "big")
