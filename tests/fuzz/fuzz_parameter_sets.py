"""Parameter sets and audio configurations: a sane format or the one named error."""

from __future__ import annotations

import base64
from contextlib import suppress

from appliance.media import h265
from appliance.media.aac import AudioConfigError, audio_format
from appliance.media.fmp4 import init_segment
from appliance.media.fmp4_read import read_formats
from appliance.media.h264 import video_format
from appliance.media.parameter_sets import ParameterSetError
from tests.media.clips import encode_h265

SETS = ("Z01AH5WgLASabAQ=", "Z0LAHtkDxWhAAAADAEAAAAwDxYuS", "Z2QAHqwsaoLA9puCgIKgAAADACAAAAMD0IAA")
SETS_265 = (
    "QAEMAf//AWAAAAMAsAAAAwAAAwBarAwAAAMABAAAAwAyqA==", "QgEBAUAAAAMAAAMAAAMAAAMAmaACgIAsH+Wu5Gwa5VE1BQYFAIA=",
    "QgEBAWAAAAMAsAAAAwAAAwBaoAWCAeFja5JFL83BQYFBAAADAAEAAAMADKE=", "RAHA8saNA7NA",
)  # fmt: skip
SEEDS = [base64.b64decode(text) for text in SETS] + [bytes.fromhex(text) for text in ("1408", "119056e500", "ffff")]
SEEDS += [base64.b64decode(text) for text in SETS_265]
SEEDS += encode_h265(4, (128, 96), b=2, scaling_list="default", temporal_layers="2").format.parameter_sets
PPS = b"\x68\xee\x3c\x80"
WITH = {kind: base64.b64decode(SETS_265[n]) for kind, n in ((h265.VPS, 0), (h265.SPS, 2), (h265.PPS, 3))}


def check(data: bytes) -> None:
    with suppress(AudioConfigError):
        sound = audio_format(data)
        assert 7350 <= sound.sample_rate <= 96_000
    _check_video(lambda: video_format([data[:60_000]], [PPS]))
    if data:
        assert -1 <= h265.FAMILY.number(data) < 1 << 33
        kind = h265.kind_of(data)
        # in the place of its kind, with good ones of the others
        _check_video(lambda: h265.FAMILY.make([*(WITH | {kind: data[:60_000]}).values()]))


def _check_video(make) -> None:
    try:
        video = make()
    except ParameterSetError:
        return
    assert 0 < video.width <= 8192
    assert 0 < video.height <= 8192
    assert video.reorder_depth is None or 0 <= video.reorder_depth <= 16
    assert read_formats(init_segment(video))[0] == video
