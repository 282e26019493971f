"""Our own files, damaged on the disk: read up to where they are whole, or the one named error."""

from __future__ import annotations

from appliance.media.fmp4 import Muxer, init_segment
from appliance.media.fmp4_read import Mp4Error, read_formats, read_samples
from tests.media.clips import encode_aac, encode_h264, encode_h265

_CLIP, (_SOUND, _SOUNDS) = encode_h264(3, (64, 64)), encode_aac(0.2)
_HEVC = encode_h265(2, (64, 64))
_MUXER = Muxer(lambda length: b"")

SEEDS = [
    init_segment(_CLIP.format, _SOUND)
    + b"".join(_MUXER.video(unit).message for unit in _CLIP.units)
    + b"".join(_MUXER.audio(unit).message for unit in _SOUNDS),
    init_segment(_CLIP.format),
    init_segment(_HEVC.format, _SOUND) + b"".join(_MUXER.video(unit).message for unit in _HEVC.units),
]


def check(data: bytes) -> None:
    try:
        read_formats(data)
        samples = list(read_samples(data))
    except Mp4Error:
        return
    last = 0
    for sample in samples:
        assert last <= sample.start <= sample.end <= len(data)
        last = sample.end
