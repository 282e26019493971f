"""SDP: a description, what we take of it and where its tracks are, or `RtspError`."""

from __future__ import annotations

from pathlib import Path

from appliance.sites.rtsp.codecs import choose
from appliance.sites.rtsp.errors import RtspError
from appliance.sites.rtsp.oddities import Oddities
from appliance.sites.rtsp.sdp import parse_sdp
from appliance.sites.rtsp.urls import control_url, parse_url
from tests.sites.rtsp.talk import AUDIO, H265, H265_WITHOUT_SETS, PCMU, VIDEO, VIDEO_WITHOUT_SETS, sdp

TYPED = parse_url("rtsp://192.0.2.7/live").url
VECTORS = Path(__file__).parents[1] / "vectors" / "rtsp" / "sdp"

SEEDS = [
    *[path.read_bytes() for path in sorted(VECTORS.iterdir())],
    sdp(VIDEO, AUDIO),
    sdp(VIDEO_WITHOUT_SETS, PCMU),
    sdp(H265),
    sdp(H265_WITHOUT_SETS, PCMU),
    sdp(H265.replace("profile-id=1", "sprop-max-don-diff=2;tx-mode=SRST")),
    sdp(VIDEO.replace("a=control:trackID=1", "a=control:rtsp://192.0.2.7/live/trackID=1?a=b")),
]


def check(data: bytes) -> None:
    oddities = Oddities()
    try:
        description = parse_sdp(data, oddities)
        plan = choose(description, oddities, audio=True)
        for media in description.media:
            url = control_url(media.control, TYPED, TYPED, oddities)
            assert (url.host, url.port) == (TYPED.host, TYPED.port)
            assert str(url).isprintable()
    except RtspError:
        return
    if plan.video.format is not None:
        assert 0 < plan.video.format.width <= 8192
        assert 0 < plan.video.format.height <= 8192
