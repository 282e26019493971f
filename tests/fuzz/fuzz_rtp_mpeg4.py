"""MPEG-4 over RTP: the kernel agrees with its twin; what the receiver gives out is whole, bounded and in order."""

from __future__ import annotations

from contextlib import suppress

from appliance._native import rtp
from appliance.media.mpeg4 import read_picture, video_format
from appliance.media.parameter_sets import LARGEST_SIDE, ParameterSetError
from appliance.sites.rtsp.codecs import choose
from appliance.sites.rtsp.oddities import Oddities
from appliance.sites.rtsp.sdp import parse_sdp
from tests.fuzz.receiving import check_groups, receive
from tests.reference import rtp as reference
from tests.reference.agree import agree_in_runs, counters
from tests.reference.packets import interleaved
from tests.reference.packets import rtp as packet
from tests.sites.rtsp.talk import MPEG4, MPEG4_HEADERS, sdp

UNIT_LIMIT = 400
KEY, NEXT, BETWEEN = (b"\0\0\1\xb6" + bytes((kind << 6,)) + b"\x5a" * 50 for kind in range(3))
GROUP = b"\0\0\1\xb3\0\x10\7"


def stream(*pictures: tuple[int, bytes], size: int = 40, sequence: int = 65533, marker: bool = True) -> bytes:
    """Pictures, each with its time in pictures, cut into packets."""
    found = b""
    for number, data in pictures:
        parts = [data[at : at + size] for at in range(0, len(data), size)]
        for n, part in enumerate(parts):
            last = marker and n == len(parts) - 1
            found += interleaved(0, packet(part, sequence=sequence, time=number * 3600, marker=last))
            sequence += 1
    return found


SEEDS = [
    stream((0, MPEG4_HEADERS + GROUP + KEY), (1, NEXT), (2, NEXT), (3, MPEG4_HEADERS + KEY)),
    stream((1, KEY), (0, BETWEEN), (3, NEXT), (2, BETWEEN), (5, GROUP + KEY), (4, BETWEEN), marker=False),
    stream((0, KEY), (1, NEXT)) + stream((3, NEXT), (4, KEY), sequence=30),
    stream((0, MPEG4_HEADERS), (0, KEY), (1, NEXT), size=500),
]
_PLAN = choose(parse_sdp(sdp(MPEG4), Oddities()), Oddities(), audio=False).video


def check(data: bytes) -> None:
    spans, _, _ = rtp.scan_interleaved(data)
    kernel, twin = rtp.Mpeg4Depacketizer(96, UNIT_LIMIT), reference.Mpeg4Depacketizer(96, UNIT_LIMIT)
    for _, start, end in spans:
        found = kernel.push(data, start, end)
        assert found == twin.push(data, start, end)
        assert all(unit[0].startswith(b"\0\0\1") and len(unit[0]) <= UNIT_LIMIT for unit in found or ())
    assert counters(kernel) == counters(twin)
    agree_in_runs(data, spans, rtp.Mpeg4Depacketizer(96, UNIT_LIMIT), reference.Mpeg4Depacketizer(96, UNIT_LIMIT))
    with suppress(ParameterSetError):
        made = video_format(data[data.find(b"\0\0\1") :])
        assert 0 < made.width <= LARGEST_SIDE
        assert 0 < made.height <= LARGEST_SIDE
    units = receive(_PLAN, data, spans)
    check_groups(units)
    assert all(read_picture(unit.data).is_key == unit.is_idr and unit.pts >= unit.dts for unit in units)
