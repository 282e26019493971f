"""RTP: the kernels agree with their twins, and what comes out is whole, bounded and in order."""

from __future__ import annotations

from appliance._native import rtp
from appliance._native.nal import split_avcc
from appliance.sites.rtsp.codecs import choose
from appliance.sites.rtsp.oddities import Oddities
from appliance.sites.rtsp.sdp import parse_sdp
from tests.fuzz.receiving import check_groups, receive
from tests.reference import rtp as reference
from tests.reference.agree import agree_in_runs, counters
from tests.reference.packets import aac_hbr, ap, fu, fu_a, interleaved, packetize, stap_a
from tests.reference.packets import rtp as packet
from tests.sites.rtsp.talk import H265, H265_SETS, PPS, SPS, SPS_SMALL, VIDEO, sdp

IDR = b"\x65\x88\x84" + b"\x21" * 90
P = b"\x41\x9a\x11" + b"\x22" * 20
RECOVERY = b"\x06\x06\x01\xc4\x80"
CRA, BLA, RASL, TRAIL, MIDDLE = (
    bytes((kind << 1, 1, first)) + b"\x21" * 60
    for kind, first in ((21, 0xAF), (16, 0xAF), (9, 0xD0), (1, 0xD0), (1, 0x50))
)
UNIT_LIMIT, NAL_LIMIT = 3000, 20


def _stream(*packets: bytes) -> bytes:
    return b"".join(interleaved(0, data) for data in packets)


SEEDS = [
    _stream(*packetize([[SPS, PPS, IDR], [P], [P], [SPS_SMALL, PPS, IDR], [P]], size=40)),
    _stream(*packetize([[stap_a(SPS, PPS, RECOVERY), b"\x61\x88\x80"], [P], [P]], sequence=65534, time=2**32 - 3000)),
    _stream(
        *[packet(part, sequence=n) for n, part in enumerate([*fu_a(SPS + b"\0\0\1" + IDR, 30), P, b"\x09\xf0", P])]
    ),
    _stream(
        packet(IDR, marker=True, csrc=3, extension=b"abcd", padding=8), packet(P, sequence=1, time=3000, marker=True)
    ),
    _stream(packet(aac_hbr(b"one", b"two", b"three")), packet(aac_hbr(b"x" * 60), sequence=1, time=3072, marker=True)),
    _stream(packet(b"\0\x10\x01\x40" + b"a" * 10), packet(b"\0\x10\x01\x40" + b"b" * 30, sequence=1, marker=True)),
]
SEEDS += [
    _stream(*[packet(b"\xff" * 40, sequence=n, time=160 * n) for n in range(3)], packet(b"\xd5" * 80, sequence=3)),
    _stream(*packetize([[*H265_SETS, CRA], [RASL], [TRAIL, MIDDLE], [BLA], [RASL], [TRAIL]], size=40, split=fu)),
    _stream(packet(ap(*H265_SETS, CRA)), *[packet(part, sequence=1 + n) for n, part in enumerate(fu(MIDDLE, 30))]),
]
_PLAN = choose(parse_sdp(sdp(VIDEO), Oddities()), Oddities(), audio=False).video
_PLAN_265 = choose(parse_sdp(sdp(H265), Oddities()), Oddities(), audio=False).video


def check(data: bytes) -> None:
    spans, stop, why = rtp.scan_interleaved(data)
    assert (spans, stop, why) == reference.scan_interleaved(data)
    _agree(data, spans, rtp.AacDepacketizer(96), reference.AacDepacketizer(96))
    pieces = _agree(data, spans, rtp.PcmDepacketizer(96, 50), reference.PcmDepacketizer(96, 50))
    assert all(0 < len(piece) <= 50 for piece, _ in pieces)
    units = _agree(
        data,
        spans,
        rtp.H264Depacketizer(96, UNIT_LIMIT, NAL_LIMIT),
        reference.H264Depacketizer(96, UNIT_LIMIT, NAL_LIMIT),
    )
    for unit, _, _, sets in units:
        assert len(unit) <= UNIT_LIMIT
        kinds = [unit[start] & 31 for start, _ in split_avcc(unit)]
        assert set(kinds) <= {1, 2, 3, 4, 5, 6}
        assert len(kinds) <= NAL_LIMIT
        assert all(nal[0] & 31 in (7, 8) for nal in sets)
    units = _agree(
        data,
        spans,
        rtp.H265Depacketizer(96, UNIT_LIMIT, NAL_LIMIT),
        reference.H265Depacketizer(96, UNIT_LIMIT, NAL_LIMIT),
    )
    for unit, _, _, sets in units:
        assert len(unit) <= UNIT_LIMIT
        kinds = [unit[start] >> 1 & 63 for start, _ in split_avcc(unit)]
        assert set(kinds) <= {*range(10), *range(16, 22), 39, 40}
        assert len(kinds) <= NAL_LIMIT
        assert all(nal[0] >> 1 & 63 in (32, 33, 34) for nal in sets)
    agree_in_runs(
        data,
        spans,
        rtp.H264Depacketizer(96, UNIT_LIMIT, NAL_LIMIT),
        reference.H264Depacketizer(96, UNIT_LIMIT, NAL_LIMIT),
    )
    check_groups(receive(_PLAN, data, spans))
    check_groups(receive(_PLAN_265, data, spans))


def _agree(data, spans, kernel, twin) -> list:
    given = []
    for _, start, end in spans:
        found = kernel.push(data, start, end)
        assert found == twin.push(data, start, end)
        given += found or []
    assert counters(kernel) == counters(twin)
    return given
