"""Fragmented MP4 (ISO/IEC 14496-12): init segments, and fragments of one access unit each.

The same fragments go to browsers (Media Source Extensions), to players over HTTP and into recordings.  Times count
from the zero of the run, in ticks, for both tracks: one axis is worth more than a sampling rate in a header.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from appliance._native.fmp4 import OVERHEAD
from appliance._native.fmp4 import fragment as build_fragment
from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.units import MJPEG, MPEG4

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.media.units import AccessUnit, AudioFormat, AudioUnit, Run, VideoFormat

VIDEO_TRACK, AUDIO_TRACK = 1, 2
_DURATION_AT = OVERHEAD - 24  # the first of four fields of the one sample; behind them the header of mdat
UNITY_MATRIX = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
#: The duration of a picture is not known when it is sent; the last one's stands in for it, within this bound.
LONGEST_PICTURE = 2 * TICKS_PER_SECOND
# sample entry and the box of its decoder configuration (ISO/IEC 14496-15 §5.4.2, §8.4.1)
_ENTRIES = {"h264": (b"avc1", b"avcC"), "h265": (b"hvc1", b"hvcC")}
# object and stream types (ISO/IEC 14496-1 Tables 5, 6)
_MPEG4_VISUAL, _MPEG4_AUDIO, JPEG_OBJECT = 0x20, 0x40, 0x6C
_VISUAL, _AUDIO = 4, 5


@dataclass(frozen=True, slots=True, eq=False)
class Fragment:
    """One access unit or piece of sound, ready to be sent to anybody.

    ``message`` begins with whatever the framing of messages needs; from ``body_at`` on it is ``moof`` and ``mdat``.
    ``dts`` in UTC ticks, ``composition``: what its time of showing is later.
    ``leading``: not for who starts at the last picture that is_idr (`AccessUnit`).
    """

    message: bytes = field(repr=False)
    body_at: int
    is_audio: bool
    is_idr: bool
    seq: int
    dts: int
    run: Run = field(repr=False)
    leading: bool = False
    composition: int = 0

    @property
    def pts(self) -> int:
        return self.dts + self.composition

    @property
    def duration(self) -> int:
        """In ticks, as it is said in the fragment."""
        at = self.body_at + _DURATION_AT
        return int.from_bytes(self.message[at : at + 4], "big")

    @property
    def body(self) -> memoryview:
        """The fragment without the framing of messages."""
        return memoryview(self.message)[self.body_at :]

    @property
    def sample(self) -> memoryview:
        """The access unit in it."""
        return memoryview(self.message)[self.body_at + OVERHEAD :]


class Muxer:
    """Makes fragments of one stream.  A fragment is the same bytes in both variants, with and without sound.

    ``frame_header(length)`` gives what the framing of messages puts before ``length`` bytes.
    """

    def __init__(self, frame_header: Callable[[int], bytes]) -> None:
        self._frame_header = frame_header
        self._sequence = 0
        self._last_dts: int | None = None
        self._duration = TICKS_PER_SECOND // 25

    def video(self, unit: AccessUnit) -> Fragment:
        if self._last_dts is None and unit.format.nominal_fps:
            self._duration = round(TICKS_PER_SECOND / unit.format.nominal_fps)
        elif self._last_dts is not None and 0 < unit.dts - self._last_dts <= LONGEST_PICTURE:
            self._duration = unit.dts - self._last_dts
        self._last_dts = unit.dts
        return self._make(unit, VIDEO_TRACK, unit.dts, self._duration, unit.pts - unit.dts, unit.is_idr, unit.seq)

    def audio(self, unit: AudioUnit) -> Fragment:
        return self._make(unit, AUDIO_TRACK, unit.pts, unit.duration, 0, sync=True, seq=-1)

    def _make(
        self, unit: AccessUnit | AudioUnit, track: int, dts: int, duration: int, composition: int, sync: bool, seq: int
    ) -> Fragment:
        self._sequence = self._sequence + 1 & 0xFFFFFFFF
        header = self._frame_header(OVERHEAD + len(unit.data))
        decode_time = max(0, dts - unit.run.utc_zero)
        message = build_fragment(header, unit.data, track, self._sequence, decode_time, duration, composition, sync)
        return Fragment(message, len(header), track == AUDIO_TRACK, sync, seq, dts, unit.run, unit.leading, composition)


def mime_type(video: VideoFormat, audio: AudioFormat | None) -> str:
    """The type that a browser is asked about and told (RFC 6381 §3.1)."""
    codecs = video.codec_string if audio is None else f"{video.codec_string},{audio.codec_string}"
    return f'video/mp4; codecs="{codecs}"'


def sound_mime_type(audio: AudioFormat) -> str:
    """The same of sound alone."""
    return f'audio/mp4; codecs="{audio.codec_string}"'


def init_segment(video: VideoFormat, audio: AudioFormat | None = None) -> bytes:
    """``ftyp`` and ``moov`` for one or two tracks (§8.1–8.8)."""
    tracks = {VIDEO_TRACK: _video_track(video)}
    if audio is not None:
        tracks[AUDIO_TRACK] = _audio_track(audio)
    return _init_segment(tracks)


def sound_init_segment(audio: AudioFormat) -> bytes:
    """The same for the sound alone: its fragments are those that go with video."""
    return _init_segment({AUDIO_TRACK: _audio_track(audio)})


def _init_segment(tracks: dict[int, bytes]) -> bytes:
    extends = [full_box(b"trex", 0, 0, struct.pack(">5I", number, 1, 0, 0, 0)) for number in tracks]
    header = struct.pack(">4I", 0, 0, TICKS_PER_SECOND, 0) + struct.pack(">IH10x", 0x10000, 0x100) + UNITY_MATRIX
    header += bytes(24) + struct.pack(">I", max(tracks) + 1)
    return box(b"ftyp", b"iso6" + bytes(4) + b"iso6mp41dash") + box(
        b"moov", full_box(b"mvhd", 0, 0, header), *tracks.values(), box(b"mvex", *extends)
    )


def _video_track(video: VideoFormat) -> bytes:
    return _track(
        VIDEO_TRACK,
        handler=b"vide",
        media_header=full_box(b"vmhd", 0, 1, bytes(8)),
        sample_entry=video_entry(video),
        size=shown_size(video),
        volume=0,
    )


def shown_size(video: VideoFormat) -> tuple[int, int]:
    """How wide and high a picture is shown, in 1/65 536 of a sample, as a track header says it."""
    aspect_wide, aspect_high = video.pixel_aspect
    return round(video.width * aspect_wide / aspect_high) << 16, video.height << 16


def video_entry(video: VideoFormat) -> bytes:
    """The sample entry (§12.1.3)."""
    aspect_wide, aspect_high = video.pixel_aspect
    kind, configuration = _configuration(video)
    entry = bytes(6) + struct.pack(">H16x2H2I4xH32xHh", 1, video.width, video.height, 0x480000, 0x480000, 1, 24, -1)
    boxes = [configuration]
    if aspect_wide != aspect_high:
        boxes.append(box(b"pasp", struct.pack(">2I", aspect_wide, aspect_high)))
    return box(kind, entry, *boxes)


def _configuration(video: VideoFormat) -> tuple[bytes, bytes]:
    """The name of the sample entry and the box of the decoder configuration."""
    if video.codec == MJPEG:
        return b"mp4v", full_box(b"esds", 0, 0, _elementary_stream(VIDEO_TRACK, JPEG_OBJECT, _VISUAL, b""))
    if video.codec == MPEG4:
        specific = _descriptor(5, video.configuration)
        return b"mp4v", full_box(b"esds", 0, 0, _elementary_stream(VIDEO_TRACK, _MPEG4_VISUAL, _VISUAL, specific))
    kind, configuration = _ENTRIES[video.codec]
    return kind, box(configuration, video.configuration)


def _audio_track(audio: AudioFormat) -> bytes:
    return _track(
        AUDIO_TRACK,
        handler=b"soun",
        media_header=full_box(b"smhd", 0, 0, bytes(4)),
        sample_entry=audio_entry(audio),
        size=(0, 0),
        volume=0x100,
    )


def audio_entry(audio: AudioFormat) -> bytes:
    """The sample entry (§12.2.3)."""
    # A rate over 65 535 Hz does not fit the field; players read the real one from the configuration.
    rate = audio.sample_rate if audio.sample_rate < 0x10000 else 0
    stream = _elementary_stream(AUDIO_TRACK, _MPEG4_AUDIO, _AUDIO, _descriptor(5, audio.configuration))
    entry = bytes(6) + struct.pack(">H8x2H4xI", 1, audio.channels, 16, rate << 16)
    return box(b"mp4a", entry, full_box(b"esds", 0, 0, stream))


def _elementary_stream(track: int, object_type: int, stream_type: int, specific: bytes) -> bytes:
    """ES_Descriptor (ISO/IEC 14496-1 §7.2.6.5) with what the decoder needs to know, if anything."""
    decoder = struct.pack(">BB3xII", object_type, stream_type << 2 | 1, 0, 0) + specific
    return _descriptor(3, struct.pack(">HB", track, 0) + _descriptor(4, decoder) + _descriptor(6, b"\2"))


def _descriptor(tag: int, body: bytes) -> bytes:
    size = len(body)
    return bytes((tag, 0x80 | size >> 21 & 0x7F, 0x80 | size >> 14 & 0x7F, 0x80 | size >> 7 & 0x7F, size & 0x7F)) + body


def _track(
    number: int, *, handler: bytes, media_header: bytes, sample_entry: bytes, size: tuple[int, int], volume: int
) -> bytes:
    header = struct.pack(">5I8x4H", 0, 0, number, 0, 0, 0, 0, volume, 0) + UNITY_MATRIX + struct.pack(">2I", *size)
    data = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
    tables = box(
        b"stbl",
        full_box(b"stsd", 0, 0, struct.pack(">I", 1), sample_entry),
        *(full_box(kind, 0, 0, bytes(4)) for kind in (b"stts", b"stsc")),
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    )
    language_undetermined = 0x55C4
    return box(
        b"trak",
        full_box(b"tkhd", 0, 3, header),
        box(
            b"mdia",
            full_box(b"mdhd", 0, 0, struct.pack(">4I2H", 0, 0, TICKS_PER_SECOND, 0, language_undetermined, 0)),
            full_box(b"hdlr", 0, 0, bytes(4), handler, bytes(12), b"Fanal\0"),
            box(b"minf", media_header, data, tables),
        ),
    )


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box (§4.2)."""
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """A box with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)
