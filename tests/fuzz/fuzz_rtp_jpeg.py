"""JPEG over RTP: the kernel agrees with its twin; what the receiver gives out are pictures with a head and an end."""

from __future__ import annotations

from appliance._native import rtp
from appliance.media.jpeg import LARGEST_PICTURE, read_head
from appliance.sites.rtsp.codecs import choose
from appliance.sites.rtsp.oddities import Oddities
from appliance.sites.rtsp.sdp import parse_sdp
from tests.fuzz.receiving import receive
from tests.media.jpegs import jpeg, parts
from tests.reference import rtp as reference
from tests.reference.agree import agree_in_runs, counters
from tests.reference.packets import interleaved
from tests.reference.packets import jpeg as payloads
from tests.reference.packets import rtp as packet
from tests.sites.rtsp.talk import MJPEG, sdp

UNIT_LIMIT = 1500
PARTS = parts(jpeg(64, 48, quality=20))
_SIZE = {"width": 64, "height": 48}
_EXTENSION = (PARTS.segments[0xDB] + PARTS.segments[0xC0])[: 4 * 39]


def _stream(*pictures: list[bytes], extension: bytes | None = None) -> bytes:
    found, sequence = b"", 65530
    for number, fragments in enumerate(pictures):
        for n, fragment in enumerate(fragments):
            found += interleaved(
                0,
                packet(
                    fragment, sequence=sequence, time=number * 3000, marker=n == len(fragments) - 1, payload_type=26,
                    extension=extension if n == 0 else None, profile=0xFFD8,
                ),
            )  # fmt: skip
            sequence += 1
    return found


SEEDS = [
    _stream(*[payloads(PARTS.scan, 300, q=20, **_SIZE)] * 3),
    _stream(payloads(PARTS.scan, 300, q=255, tables=PARTS.tables, **_SIZE)),
    _stream(
        payloads(PARTS.scan, 300, q=200, tables=PARTS.tables, **_SIZE),
        payloads(PARTS.scan, 300, q=200, tables=b"", **_SIZE),
    ),
    _stream(payloads(PARTS.scan, 300, kind=65, restart=4, q=20, **_SIZE)),
    _stream(payloads(PARTS.scan, 300, width=0, height=0), extension=_EXTENSION),
    _stream(payloads(PARTS.scan, 300, kind=64, q=130, tables=bytes(256), precision=3, specific=2, **_SIZE)),
]
_PLAN = choose(parse_sdp(sdp(MJPEG + "a=x-dimensions:2592,1944\r\n"), Oddities()), Oddities(), audio=False).video


def check(data: bytes) -> None:
    spans, _, _ = rtp.scan_interleaved(data)
    kernel, twin = rtp.JpegDepacketizer(26, UNIT_LIMIT), reference.JpegDepacketizer(26, UNIT_LIMIT)
    for _, start, end in spans:
        found = kernel.push(data, start, end)
        assert found == twin.push(data, start, end)
        assert all(len(picture[0]) <= UNIT_LIMIT for picture in found or ())
    assert counters(kernel) == counters(twin)
    agree_in_runs(data, spans, rtp.JpegDepacketizer(26, UNIT_LIMIT), reference.JpegDepacketizer(26, UNIT_LIMIT))
    for unit in receive(_PLAN, data, spans):
        head = read_head(unit.data)
        assert (head.width, head.height) == (unit.format.width, unit.format.height)
        assert unit.data.rstrip(b"\0").endswith(b"\xff\xd9")
        assert len(unit.data) <= LARGEST_PICTURE + (1 << 17)
