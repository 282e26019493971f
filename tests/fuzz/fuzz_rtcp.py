"""Control packets: `BadMessage` is the only error, and nothing is found that is not in them."""

from __future__ import annotations

from appliance.sites.rtsp.errors import BadMessage
from appliance.sites.rtsp.rtcp import SenderReport, parse_rtcp
from tests.sites.rtsp.test_rtcp import BYE, SENDER, SOURCE

SEEDS = [SENDER + SOURCE + BYE, SENDER, SOURCE + BYE, b"\x80\xcc\0\1name" + SENDER, b""]


def check(data: bytes) -> None:
    try:
        found = parse_rtcp(data)
    except BadMessage:
        return
    assert 4 * len(found) <= len(data)
    for report in found:
        if isinstance(report, SenderReport):
            assert report.ssrc.to_bytes(4, "big") + report.ntp_64.to_bytes(8, "big") in data
        else:
            assert all(ssrc.to_bytes(4, "big") in data for ssrc in report.ssrcs)
