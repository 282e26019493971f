"""The H.265 kernel does what its twin does (RFC 7798)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance._native import rtp
from tests.reference import rtp as reference
from tests.reference.agree import counters
from tests.reference.packets import ap, avcc, fu, packetize
from tests.reference.packets import rtp as packet

BOTH = pytest.mark.parametrize("kernel", [reference, rtp], ids=["reference", "native"])


def nal(kind: int, body: bytes, layer: int = 0, tid: int = 1) -> bytes:
    return bytes((kind << 1 | layer >> 5, (layer & 31) << 3 | tid)) + body


VPS, SPS, PPS = nal(32, b"\x0c\x01"), nal(33, b"\x01\x01"), nal(34, b"\xc0\x73")
IDR, CRA, BLA = (nal(kind, b"\xaf" + b"\x21" * 40) for kind in (19, 21, 16))
P, RASL, RADL = (nal(kind, b"\xd0" + b"\x22" * 20) for kind in (1, 9, 7))
SECOND_SLICE = nal(1, b"\x50" + b"\x23" * 20)  # first_slice_segment_in_pic_flag is 0
SEI, SUFFIX = nal(39, b"\x05\x04abcd\x80"), nal(40, b"\x84\x01\x80")
AUD, FILLER, END = nal(35, b"\x50"), nal(38, b"\xff\x80"), nal(36, b"")


def run(kernel, packets, **limits):
    depacketizer = kernel.H265Depacketizer(96, **limits)
    units = [unit for data in packets for unit in depacketizer.push(data, 0, len(data)) or ()]
    return units, depacketizer


def numbered(*payloads, time=0, marker=True, start=0):
    """Packets of one picture."""
    return [
        packet(payload, sequence=start + n, time=time, marker=marker and n == len(payloads) - 1)
        for n, payload in enumerate(payloads)
    ]


@BOTH
def test_a_picture_is_given_out_at_its_marker_without_parameter_sets_and_fillers(kernel) -> None:
    units, depacketizer = run(kernel, numbered(AUD, VPS, SPS, PPS, SEI, IDR, SUFFIX, FILLER, END, time=900))
    assert units == [(avcc(SEI, IDR, SUFFIX), 900, rtp.IDR, (VPS, SPS, PPS))]
    assert (depacketizer.received, depacketizer.dropped, depacketizer.oddities) == (9, 0, 0)


@BOTH
def test_aggregates_and_fragments_are_put_together(kernel) -> None:
    units, depacketizer = run(kernel, numbered(ap(VPS, SPS, PPS, SEI), *fu(IDR, 7)))
    assert units == [(avcc(SEI, IDR), 0, rtp.IDR, (VPS, SPS, PPS))]
    assert depacketizer.oddities == 0


@BOTH
@pytest.mark.parametrize(
    ("unit", "flags"),
    [(IDR, rtp.IDR), (nal(20, b"\xaf"), rtp.IDR), (CRA, rtp.CRA), (BLA, rtp.BLA), (nal(18, b"\xaf"), rtp.BLA),
     (RASL, rtp.RASL), (nal(8, b"\xd0"), rtp.RASL), (RADL, 0), (P, 0), (nal(0, b"\xd0"), 0)],
)  # fmt: skip
def test_units_are_what_their_slices_say(kernel, unit, flags) -> None:
    for packets in (numbered(unit), numbered(ap(SEI, unit))):
        assert run(kernel, packets)[0][0][2] == flags


@BOTH
def test_several_slices_are_one_picture_with_and_without_markers(kernel) -> None:
    pictures = [[IDR, SECOND_SLICE, SECOND_SLICE], [P, SECOND_SLICE, SUFFIX], [P]]
    whole = [avcc(*picture) for picture in pictures]
    assert [unit[0] for unit in run(kernel, packetize(pictures, size=15, split=fu))[0]] == whole
    unmarked = [bytes((data[0], data[1] & 0x7F)) + data[2:] for data in packetize(pictures, size=15, split=fu)]
    units, depacketizer = run(kernel, [*unmarked, packet(AUD, sequence=len(unmarked), time=9000)])
    assert [unit[0] for unit in units] == whole
    assert depacketizer.oddities == rtp.ODD_NO_MARKER


@BOTH
def test_without_markers_and_times_pictures_are_told_apart_by_their_first_slices(kernel) -> None:
    payloads = [VPS, SPS, PPS, IDR, SECOND_SLICE, P, SECOND_SLICE, SUFFIX, SEI, P, AUD, P, AUD]
    units, _ = run(kernel, numbered(*payloads, marker=False))
    assert [unit[0] for unit in units] == [
        avcc(IDR, SECOND_SLICE), avcc(P, SECOND_SLICE, SUFFIX), avcc(SEI, P), avcc(P),
    ]  # fmt: skip


@BOTH
def test_markers_at_every_slice_are_seen_through(kernel) -> None:
    packets = [packet((P, SECOND_SLICE)[n % 2], sequence=n, time=n // 2 * 3000, marker=True) for n in range(8)]
    units, depacketizer = run(kernel, packets)
    assert depacketizer.oddities & rtp.ODD_EARLY_MARKER
    assert [unit[0] for unit in units[1:]] == [avcc(P, SECOND_SLICE)] * 2  # the first came out before it was known


@BOTH
def test_a_time_that_changes_inside_of_a_picture_does_not_cut_it(kernel) -> None:
    packets = [packet(IDR, time=0), packet(SECOND_SLICE, sequence=1, time=90)]
    packets += [packet(part, sequence=2 + n, time=100 + n) for n, part in enumerate(fu(SECOND_SLICE, 15))]
    units, depacketizer = run(kernel, [*packets, packet(P, sequence=4, time=3000, marker=True)])
    assert depacketizer.oddities & rtp.ODD_TIME_INSIDE
    assert [unit[:2] for unit in units] == [(avcc(IDR, SECOND_SLICE, SECOND_SLICE), 0), (avcc(P), 3000)]


@BOTH
def test_units_with_start_codes_inside_are_taken_apart(kernel) -> None:
    glued = VPS + b"\0\0\0\1" + SPS + b"\0\0\1" + PPS + b"\0\0\1" + IDR + b"\0\0\1\x02"
    for payloads in ([glued], fu(glued, 9)):
        units, depacketizer = run(kernel, numbered(*payloads))
        assert units == [(avcc(IDR), 0, rtp.IDR, (VPS, SPS, PPS))]
        assert depacketizer.oddities & rtp.ODD_START_CODES


@BOTH
def test_other_layers_than_the_base_are_left_out(kernel) -> None:
    above = nal(1, b"\xd0" + b"z" * 30, layer=1)
    far = nal(33, b"\xd0" + b"z" * 30, layer=33)
    packets = numbered(IDR, above, ap(far, SUFFIX), *fu(above, 9), SECOND_SLICE)
    assert [unit[0] for unit in run(kernel, packets)[0]] == [avcc(IDR, SUFFIX, SECOND_SLICE)]


@BOTH
@pytest.mark.parametrize(
    "bad",
    [
        b"\x62",  # half a header
        b"\x60\x01\0\x09\x02\x01",  # an aggregate with a length beyond its end
        b"\x62\x01",  # a fragment without its header
        b"\x62\x01\xb1\xd0",  # a fragment of a fragment
        b"\x62\x01\x01\xd0",  # the middle of nothing
        b"\x64\x01\x00\x00\xd0",  # PACI
        b"\x82\x01\xd0",  # forbidden_zero_bit
        b"\x02\x00\xd0",  # nuh_temporal_id_plus1 is 0
        b"\x60\x01\0\3\x82\x01\xd0",
    ],
)
def test_a_bad_payload_damages_its_picture_and_no_other(kernel, bad) -> None:
    packets = numbered(IDR) + numbered(P, bad, time=3000, start=1) + numbered(IDR, time=6000, start=3)
    units, depacketizer = run(kernel, packets)
    assert [(unit[1], unit[2]) for unit in units] == [(0, rtp.IDR), (6000, rtp.IDR | rtp.LOSS)]
    assert depacketizer.dropped == 1


@BOTH
@pytest.mark.parametrize("junk", [nal(41, b"ab"), nal(51, b"a"), nal(24, b"\xd0"), b"\x60\x01", b"\x60\x01\0\1\x02"])
def test_reserved_types_and_empty_aggregates_are_ignored(kernel, junk) -> None:
    packets = numbered(AUD, P, marker=True) + numbered(junk, P, SECOND_SLICE, time=3000, start=2)
    assert [unit[0] for unit in run(kernel, packets)[0]] == [avcc(P), avcc(P, SECOND_SLICE)]


@BOTH
def test_a_lost_fragment_costs_its_picture_and_is_told_with_the_next(kernel) -> None:
    packets = list(packetize([[IDR], [P], [P], [CRA]], size=9, split=fu))
    units, depacketizer = run(kernel, [data for n, data in enumerate(packets) if n != 6])
    assert [(unit[1], unit[2]) for unit in units] == [(0, rtp.IDR), (6000, rtp.LOSS), (9000, rtp.CRA)]
    assert (depacketizer.lost, depacketizer.dropped) == (1, 1)


@BOTH
@pytest.mark.parametrize("limits", [{"unit_limit": 100}, {"nal_limit": 4}])
def test_a_unit_over_the_limits_is_dropped(kernel, limits) -> None:
    small, many, large = [IDR], [P, *[SECOND_SLICE] * 5], [nal(19, b"\xaf" + b"a" * 200)]
    monster = large if "unit_limit" in limits else many
    units, depacketizer = run(kernel, packetize([small, monster, small], size=20, split=fu), **limits)
    assert [(unit[1], unit[2]) for unit in units] == [(0, rtp.IDR), (6000, rtp.IDR | rtp.LOSS)]
    assert depacketizer.oddities & rtp.ODD_TOO_BIG


@BOTH
def test_parameter_sets_without_a_picture_do_not_pile_up(kernel) -> None:
    packets = [packet(SPS, sequence=n, time=0) for n in range(150)]
    units, depacketizer = run(kernel, [*packets, *numbered(IDR, time=3000, start=150)])
    assert len(units[-1][3]) <= 64
    assert depacketizer.oddities & rtp.ODD_TOO_BIG


NALS = st.sampled_from(
    [VPS, SPS, PPS, IDR, CRA, BLA, P, RASL, SECOND_SLICE, SEI, SUFFIX, AUD, FILLER, nal(1, b"\xd0z", layer=2),
     nal(43, b"a"), nal(23, b"\xaf"), IDR + b"\0\0\1" + P, nal(19, b"\xaf\0\0"), nal(1, b"")]
)  # fmt: skip
GOOD = NALS.flatmap(
    lambda one: st.sampled_from([[one], [ap(one, P)], [ap(SPS, one)], fu(one + b"ab", 8), fu(one + b"ab", 3)])
)
BAD = st.binary(max_size=12).map(lambda data: [data]) | st.sampled_from(
    [[b"\x62\x01\xd3\xaf"], [b"\x62\x01\x93"], [b"\x62\x01\x53z"], [b"\x60\x01\0\3\x26\x01"], [b""], [b"\x26"],
     [b"\x62\x01\xa1\0\0\1\x26\x01\xaf"]]
)  # fmt: skip


@st.composite
def streams(draw) -> list[bytes]:
    sequence, time, out = draw(st.integers(65520, 65540)), 0, []
    for payloads in draw(st.lists(GOOD | GOOD | BAD, max_size=25)):
        for payload in payloads:
            sequence += draw(st.sampled_from([1, 1, 1, 1, 1, 1, 2, 0, -3, 5000]))
            time += draw(st.sampled_from([0, 0, 0, 3000, 1]))
            marker = draw(st.sampled_from([False, False, True]))
            out.append(packet(payload, sequence=sequence, time=time, marker=marker))
    return out


@given(streams(), st.sampled_from([{}, {"unit_limit": 60}, {"nal_limit": 2}]))
def test_pictures_agree_with_the_reference(packets: list[bytes], limits) -> None:
    one, other = rtp.H265Depacketizer(96, **limits), reference.H265Depacketizer(96, **limits)
    for data in packets:
        assert one.push(data, 0, len(data)) == other.push(data, 0, len(data))
        assert counters(one) == counters(other)


@given(
    st.lists(st.lists(st.sampled_from([VPS, SPS, SEI, PPS]), max_size=3), min_size=1, max_size=8),
    st.integers(2, 60),
    st.integers(0, 65535),
    st.integers(0, 2**32 - 1),
)
def test_what_was_packetized_comes_back(heads: list[list[bytes]], size: int, sequence: int, time: int) -> None:
    pictures = [[*head, CRA if n == 0 else P] for n, head in enumerate(heads)]
    units, depacketizer = run(rtp, packetize(pictures, size=size, sequence=sequence, time=time, split=fu))
    assert [unit[0] for unit in units] == [
        avcc(*[each for each in picture if each[0] >> 1 & 63 not in (32, 33, 34)]) for picture in pictures
    ]
    assert [unit[1] for unit in units] == [(time + n * 3000) % 2**32 for n in range(len(pictures))]
    assert (depacketizer.lost, depacketizer.dropped) == (0, 0)
