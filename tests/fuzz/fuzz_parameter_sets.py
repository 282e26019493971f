"""Parameter sets and audio configurations: a sane format or the one named error."""

from __future__ import annotations

import base64
from contextlib import suppress

from appliance.media.aac import AudioConfigError, audio_format
from appliance.media.fmp4 import init_segment
from appliance.media.fmp4_read import read_formats
from appliance.media.h264 import video_format
from appliance.media.parameter_sets import ParameterSetError

SETS = ("Z01AH5WgLASabAQ=", "Z0LAHtkDxWhAAAADAEAAAAwDxYuS", "Z2QAHqwsaoLA9puCgIKgAAADACAAAAMD0IAA")
SEEDS = [base64.b64decode(text) for text in SETS] + [bytes.fromhex(text) for text in ("1408", "119056e500", "ffff")]
PPS = b"\x68\xee\x3c\x80"


def check(data: bytes) -> None:
    with suppress(AudioConfigError):
        sound = audio_format(data)
        assert 7350 <= sound.sample_rate <= 96_000
    try:
        video = video_format([data[:60_000]], [PPS])
    except ParameterSetError:
        return
    assert 0 < video.width <= 8192
    assert 0 < video.height <= 8192
    assert read_formats(init_segment(video))[0] == video
