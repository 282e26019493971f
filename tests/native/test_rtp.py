"""The RTP kernels do what their twins do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance._native import rtp
from tests.reference import rtp as reference
from tests.reference.agree import agree_in_runs, counters
from tests.reference.packets import aac_hbr, avcc, fu_a, interleaved, packetize, stap_a
from tests.reference.packets import rtp as packet

BOTH = pytest.mark.parametrize("kernel", [reference, rtp], ids=["reference", "native"])

SPS = b"\x67\x42\xc0\x1e\xd9\x03"
PPS = b"\x68\xcb\x8c\xb2"
IDR = b"\x65\x88\x84" + b"\x21" * 40
P = b"\x41\x9a\x11" + b"\x22" * 20
SECOND_SLICE = b"\x41\x5a\x11" + b"\x23" * 20  # first_mb_in_slice is not 0
SEI = b"\x06\x05\x04abcd\x80"
AUD = b"\x09\xf0"
FILLER = b"\x0c\xff\x80"


def run(kernel, packets, **limits):
    depacketizer = kernel.H264Depacketizer(96, **limits)
    units = [unit for data in packets for unit in depacketizer.push(data, 0, len(data)) or ()]
    return units, depacketizer


def numbered(*payloads, time=0, marker=True, start=0):
    """Packets of one picture."""
    return [
        packet(payload, sequence=start + n, time=time, marker=marker and n == len(payloads) - 1)
        for n, payload in enumerate(payloads)
    ]


# ---- scanning


@BOTH
@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", ([], 0, rtp.MORE)),
        (b"$", ([], 0, rtp.MORE)),
        (b"$\0\0\0", ([], 4, rtp.MORE)),
        (b"$\1\0\3abc", ([(1, 4, 7)], 7, rtp.MORE)),
        (b"$\1\0\3ab", ([], 0, rtp.MORE)),
        (b"$\1\0\1aRTSP/1.0", ([(1, 4, 5)], 5, rtp.TEXT)),
        (b"$\1\0\1a$\2\xff\xff", ([(1, 4, 5)], 5, rtp.MORE)),
        (b"$\0\0\1a" * 3, ([(0, 4, 5), (0, 9, 10)], 10, rtp.FULL)),
    ],
)
def test_a_scan_finds_whole_packets_and_says_why_it_stopped(kernel, data, found) -> None:
    assert kernel.scan_interleaved(data, 0, 2) == found


@given(
    st.lists(
        st.builds(interleaved, st.integers(0, 255), st.binary(max_size=20)) | st.sampled_from([b"R", b"$", b"$\0"])
    ).map(b"".join),
    st.integers(0, 6),
)
def test_scanning_agrees_with_the_reference(data: bytes, limit: int) -> None:
    for offset in range(min(len(data), 5)):
        assert rtp.scan_interleaved(data, offset, limit) == reference.scan_interleaved(data, offset, limit)


def test_a_scan_outside_of_its_data_is_refused() -> None:
    with pytest.raises(ValueError, match="outside"):
        rtp.scan_interleaved(b"ab", 3)


# ---- H.264


@BOTH
def test_a_picture_is_given_out_at_its_marker_without_parameter_sets_and_fillers(kernel) -> None:
    units, depacketizer = run(kernel, numbered(AUD, SPS, PPS, SEI, IDR, FILLER, time=900))
    assert units == [(avcc(SEI, IDR), 900, rtp.IDR | rtp.SEI, (SPS, PPS))]
    assert (depacketizer.received, depacketizer.dropped, depacketizer.oddities) == (6, 0, 0)


@BOTH
def test_aggregates_and_fragments_are_put_together(kernel) -> None:
    units, _ = run(kernel, numbered(stap_a(SPS, PPS, SEI), *fu_a(IDR, 7)))
    assert units == [(avcc(SEI, IDR), 0, rtp.IDR | rtp.SEI, (SPS, PPS))]


@BOTH
def test_padding_extensions_and_contributing_sources_are_no_payload(kernel) -> None:
    data = packet(P, marker=True, csrc=2, extension=b"\x10\1\0\0", padding=5)
    assert run(kernel, [data])[0] == [(avcc(P), 0, 0, ())]


@BOTH
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80" * 11,
        b"\x40" + packet(P)[1:],  # version 1
        b"\x8f" + packet(P)[1:13],  # more sources than bytes
        b"\xa0" + packet(P)[1:-1] + b"\xff",  # more padding than bytes
        b"\xa0" + packet(P)[1:-1] + b"\0",  # padding of nothing
        packet(P, extension=b"")[:14],
        packet(b"", extension=b"")[:14] + b"\xff\xff",
    ],
)
def test_what_is_no_rtp_is_counted_and_left_out(kernel, data) -> None:
    units, depacketizer = run(kernel, [data, *numbered(P)])
    assert [unit[0] for unit in units] == [avcc(P)]
    assert depacketizer.malformed == 1


@BOTH
def test_packets_of_another_payload_type_are_not_ours(kernel) -> None:
    _, depacketizer = run(kernel, [packet(P, payload_type=97, marker=True)])
    assert (depacketizer.foreign, depacketizer.received) == (1, 0)


@BOTH
def test_double_and_late_packets_are_dropped_across_the_wrap(kernel) -> None:
    order = [65534, 65535, 65534, 0, 65535, 0, 1]
    packets = [packet(P, sequence=n, time=n * 3000, marker=True) for n in order]
    units, depacketizer = run(kernel, packets)
    assert len(units) == 4
    assert (depacketizer.late, depacketizer.lost, depacketizer.highest) == (3, 0, 65537)


@BOTH
def test_a_picture_with_a_hole_is_dropped_whole_and_the_next_says_so(kernel) -> None:
    packets = list(packetize([[IDR], [P] * 3, [P], [P]], size=15))
    first_of_second = next(n for n, data in enumerate(packets) if data[4:8] == (3000).to_bytes(4, "big"))
    del packets[first_of_second + 1]
    units, depacketizer = run(kernel, packets)
    assert [(unit[1], unit[2]) for unit in units] == [(0, rtp.IDR), (6000, rtp.LOSS), (9000, 0)]
    assert (depacketizer.lost, depacketizer.dropped) == (1, 1)


@BOTH
def test_a_hole_between_pictures_takes_the_beginning_of_the_next_with_it(kernel) -> None:
    packets = list(packetize([[IDR], [P, SECOND_SLICE], [P]]))
    units, depacketizer = run(kernel, [packets[0], *packets[2:]])
    assert [(unit[1], unit[2]) for unit in units] == [(0, rtp.IDR), (6000, rtp.LOSS)]
    assert depacketizer.dropped == 1


@BOTH
def test_who_comes_in_the_middle_of_a_picture_begins_with_the_next(kernel) -> None:
    packets = list(packetize([[P], [IDR]], size=10))[1:]
    units, depacketizer = run(kernel, packets)
    assert [(unit[1], unit[2] & rtp.IDR) for unit in units] == [(3000, rtp.IDR)]
    assert depacketizer.dropped == 0


@BOTH
def test_without_markers_a_picture_ends_where_the_time_changes(kernel) -> None:
    packets = [packet((P, SECOND_SLICE)[n % 2], sequence=n, time=3000 * (n // 2)) for n in range(4)]
    units, depacketizer = run(kernel, packets)
    assert units == [(avcc(P, SECOND_SLICE), 0, 0, ())]
    assert depacketizer.oddities == rtp.ODD_NO_MARKER


@BOTH
def test_without_markers_and_times_a_picture_ends_where_the_next_must_begin(kernel) -> None:
    payloads = [P, SECOND_SLICE, P, SEI, P, AUD, P, SPS, IDR, P]
    units, _ = run(kernel, [packet(payload, sequence=n) for n, payload in enumerate(payloads)])
    assert [unit[0] for unit in units] == [avcc(P, SECOND_SLICE), avcc(P), avcc(SEI, P), avcc(P), avcc(IDR)]
    assert units[4][3] == (SPS,)


@BOTH
def test_two_fields_with_one_time_and_one_marker_stay_together(kernel) -> None:
    packets = numbered(IDR) + numbered(P, P, time=3000, start=1)
    assert [unit[0] for unit in run(kernel, packets)[0]] == [avcc(IDR), avcc(P, P)]


@BOTH
def test_a_marker_on_every_slice_is_not_believed_twice(kernel) -> None:
    packets = [packet((P, SECOND_SLICE)[n % 2], sequence=n, time=3000 * (n // 2), marker=True) for n in range(9)]
    units, depacketizer = run(kernel, packets)
    assert [(unit[1], unit[2]) for unit in units] == [(0, 0), (3000, rtp.LOSS), (6000, 0), (9000, 0)]
    assert units[1][0] == avcc(P, SECOND_SLICE)
    assert depacketizer.oddities == rtp.ODD_EARLY_MARKER
    assert depacketizer.dropped == 1


@BOTH
def test_a_marker_inside_of_a_fragmented_unit_is_not_believed(kernel) -> None:
    packets = [
        packet(part, sequence=3 * picture + n, time=3000 * picture, marker=True)
        for picture in range(3)
        for n, part in enumerate(fu_a(IDR, 15))
    ]
    units, depacketizer = run(kernel, packets)
    assert [unit[0] for unit in units] == [avcc(IDR)] * 2
    assert depacketizer.oddities & rtp.ODD_EARLY_MARKER


@BOTH
def test_parameter_sets_with_their_own_time_and_marker_belong_to_the_next_picture(kernel) -> None:
    packets = [
        packet(SPS, sequence=1, time=100, marker=True),
        packet(PPS, sequence=2, time=150),
        packet(IDR, sequence=3, time=200, marker=True),
    ]
    assert run(kernel, packets)[0] == [(avcc(IDR), 200, rtp.IDR, (SPS, PPS))]


@BOTH
def test_a_time_that_changes_inside_of_a_picture_does_not_cut_it(kernel) -> None:
    packets = [
        packet(IDR, sequence=0, time=0),
        packet(SECOND_SLICE, sequence=1, time=90),
        *[packet(part, sequence=2 + n, time=100 + n) for n, part in enumerate(fu_a(SECOND_SLICE, 15))],
    ]
    units, depacketizer = run(kernel, [*packets, packet(P, sequence=4, time=3000, marker=True)])
    assert depacketizer.oddities & rtp.ODD_TIME_INSIDE
    assert [unit[:2] for unit in units] == [(avcc(IDR, SECOND_SLICE, SECOND_SLICE), 0), (avcc(P), 3000)]


@BOTH
def test_units_with_start_codes_inside_are_taken_apart(kernel) -> None:
    glued = SPS + b"\0\0\0\1" + PPS + b"\0\0\1" + IDR
    for payloads in ([glued], fu_a(glued, 9)):
        units, depacketizer = run(kernel, numbered(*payloads))
        assert units == [(avcc(IDR), 0, rtp.IDR, (SPS, PPS))]
        assert depacketizer.oddities & rtp.ODD_START_CODES


@BOTH
def test_zeros_behind_a_unit_are_left_out(kernel) -> None:
    units, depacketizer = run(kernel, numbered(PPS + b"\0\0", IDR + b"\0"))
    assert units == [(avcc(IDR), 0, rtp.IDR, (PPS,))]
    assert depacketizer.oddities == rtp.ODD_TRAILING_ZEROS


@BOTH
def test_a_fragment_that_is_first_and_last_is_a_whole_unit(kernel) -> None:
    units, depacketizer = run(kernel, numbered(bytes((0x7C, 0xC5)) + IDR[1:]))
    assert units == [(avcc(IDR), 0, rtp.IDR, ())]
    assert depacketizer.oddities == rtp.ODD_WHOLE_FRAGMENT | rtp.ODD_FRAGMENTS


@BOTH
@pytest.mark.parametrize(
    "bad",
    [
        b"\x19\0\0\0\2\x41\x9a",  # STAP-B
        b"\x1a\0\0",
        b"\x1d\x85\0\0ab",  # FU-B
        b"\x18\0\x09\x41\x9a",  # STAP-A, a length beyond its end
        b"\x7c",  # FU-A without its header
        b"\x7c\x9c\x9a",  # FU-A of a FU-A
        b"\x7c\x01\x9a",  # the middle of nothing
        b"\xc1\x9a",  # forbidden_zero_bit
        b"\x18\0\2\xc1\x9a",
    ],
)
def test_a_bad_payload_damages_its_picture_and_no_other(kernel, bad) -> None:
    packets = numbered(IDR) + numbered(P, bad, time=3000, start=1) + numbered(IDR, time=6000, start=3)
    units, depacketizer = run(kernel, packets)
    assert [(unit[1], unit[2]) for unit in units] == [(0, rtp.IDR), (6000, rtp.IDR | rtp.LOSS)]
    assert depacketizer.dropped == 1


@BOTH
@pytest.mark.parametrize("junk", [b"\0abc", b"\x1e", b"\x1f\xff", b"\x18\0\0", b"\x18\0\1\x1f", b"\x18\0"])
def test_reserved_types_and_empty_aggregates_are_ignored(kernel, junk) -> None:
    units, _ = run(kernel, numbered(P, junk, SECOND_SLICE))
    assert [unit[0] for unit in units] == [avcc(P, SECOND_SLICE)]


@BOTH
def test_a_new_source_or_a_leap_of_the_numbers_is_a_new_beginning(kernel) -> None:
    packets = [
        packet(IDR, sequence=5, marker=True),
        packet(P, sequence=40_000, time=3000, marker=True),
        packet(P, sequence=7, time=6000, marker=True, ssrc=9),
    ]
    units, depacketizer = run(kernel, packets)
    assert [unit[2] for unit in units] == [rtp.IDR, rtp.LOSS, rtp.LOSS]
    assert (depacketizer.lost, depacketizer.ssrc, depacketizer.highest) == (0, 9, 7)
    assert depacketizer.oddities == rtp.ODD_RESTART


@BOTH
@pytest.mark.parametrize("limits", [{"unit_limit": 100}, {"nal_limit": 4}])
def test_a_unit_over_the_limits_is_dropped(kernel, limits) -> None:
    small, many, large = [IDR], [P, *[SECOND_SLICE] * 5], [b"\x65\x88" + b"a" * 200]
    monster = large if "unit_limit" in limits else many
    units, depacketizer = run(kernel, packetize([small, monster, small], size=20), **limits)
    assert [(unit[1], unit[2]) for unit in units] == [(0, rtp.IDR), (6000, rtp.IDR | rtp.LOSS)]
    assert depacketizer.dropped == 1
    assert depacketizer.oddities & rtp.ODD_TOO_BIG


@BOTH
def test_parameter_sets_without_a_picture_do_not_pile_up(kernel) -> None:
    packets = [packet(SPS, sequence=n, time=0) for n in range(150)]
    units, depacketizer = run(kernel, [*packets, *numbered(IDR, time=3000, start=150)])
    assert len(units[-1][3]) <= 64
    assert depacketizer.oddities & rtp.ODD_TOO_BIG


def test_eight_megabytes_are_the_most_that_a_picture_holds() -> None:
    depacketizer = rtp.H264Depacketizer(96)
    head, body = b"\x7c\x85\x88", b"\x7c\x05" + b"a" * 65_000
    pushed = [depacketizer.push(packet(head), 0, 15)]
    for n in range(1, 140):
        data = packet(body, sequence=n)
        pushed.append(depacketizer.push(data, 0, len(data)))
    assert not any(pushed)
    assert depacketizer.oddities & rtp.ODD_TOO_BIG


@BOTH
def test_a_packet_outside_of_its_buffer_is_our_mistake(kernel) -> None:
    for depacketizer in (kernel.H264Depacketizer(96), kernel.AacDepacketizer(97)):
        for start, end in ((-1, 2), (3, 2), (0, 5)):
            with pytest.raises(ValueError, match="outside"):
                depacketizer.push(b"1234", start, end)


NALS = st.sampled_from(
    [SPS, PPS, IDR, P, SECOND_SLICE, SEI, AUD, FILLER, IDR + b"\0\0\1" + P, b"\x65\x88\0\0", b"\x41"]
)
GOOD = NALS.flatmap(
    lambda nal: st.sampled_from(
        [[nal], [stap_a(nal, P)], [stap_a(SPS, nal)], fu_a(nal + b"ab", 8), fu_a(nal + b"ab", 3)]
    )
)
BAD = st.binary(max_size=12).map(lambda data: [data]) | st.sampled_from(
    [
        [b"\x7c\xc5\x88a"],
        [b"\x7c\x85"],
        [b"\x7c\x45z"],
        [b"\x7c\x81\0"],
        [b"\x18\0\2\x65"],
        [b""],
        [b"\x7c\x87\0\0\1\x65\x88"],
    ]
)


@st.composite
def streams(draw) -> list[bytes]:
    sequence, time, out = draw(st.integers(65520, 65540)), 0, []
    for payloads in draw(st.lists(GOOD | GOOD | BAD, max_size=25)):
        for payload in payloads:
            sequence += draw(st.sampled_from([1, 1, 1, 1, 1, 1, 2, 0, -3, 5000]))
            time += draw(st.sampled_from([0, 0, 0, 3000, 1]))
            out.append(
                packet(
                    payload,
                    sequence=sequence,
                    time=time,
                    marker=draw(st.sampled_from([False, False, True])),
                    ssrc=draw(st.sampled_from([1] * 15 + [2])),
                    padding=draw(st.sampled_from([0, 0, 0, 4])),
                )
            )
    return out


@given(streams(), st.sampled_from([{}, {"unit_limit": 60}, {"nal_limit": 2}]))
def test_pictures_agree_with_the_reference(packets: list[bytes], limits) -> None:
    one, other = rtp.H264Depacketizer(96, **limits), reference.H264Depacketizer(96, **limits)
    for data in packets:
        assert one.push(data, 0, len(data)) == other.push(data, 0, len(data))
        assert counters(one) == counters(other)


@given(st.lists(st.tuples(st.integers(0, 1), streams()), max_size=4), st.sampled_from([{}, {"unit_limit": 60}]))
def test_taking_many_packets_at_a_time_agrees_with_the_reference(turns, limits) -> None:
    """Stretches of two channels; a turn ends with the stretch, or where something is complete."""
    data = b"".join(interleaved(channel, each) for channel, packets in turns for each in packets)
    spans, _, _ = rtp.scan_interleaved(data)
    one, other = rtp.H264Depacketizer(96, **limits), reference.H264Depacketizer(96, **limits)
    agree_in_runs(data, spans, one, other)


def test_a_turn_ends_at_another_channel_and_at_a_whole_picture() -> None:
    pictures = [interleaved(0, each) for each in packetize([[IDR], [P], [P]], size=15)]
    data = b"".join([*pictures[:2], interleaved(1, b"report"), *pictures[2:]])
    spans, _, _ = rtp.scan_interleaved(data)
    depacketizer = rtp.H264Depacketizer(96)
    assert depacketizer.push_run(data, spans, 0) == (None, 2)
    units, at = depacketizer.push_run(data, spans, 3)
    assert [unit[0] for unit in units] == [avcc(IDR)]
    assert [unit[0] for unit in depacketizer.push_run(data, spans, at)[0]] == [avcc(P)]


@pytest.mark.parametrize(
    ("spans", "at"), [([], 0), ([(0, 0, 1)], 1), ([(0, 0, 1)], -1), ([(0, 0, 9)], 0), ([(0, 2, 1)], 0)]
)
def test_packets_that_are_not_there_are_refused(spans, at) -> None:
    with pytest.raises(ValueError, match=r"no such|outside"):
        rtp.H264Depacketizer(96).push_run(b"abc", spans, at)


@given(
    st.lists(st.lists(st.sampled_from([SPS, SEI, PPS]), max_size=3), min_size=1, max_size=8),
    st.integers(2, 60),
    st.integers(0, 65535),
    st.integers(0, 2**32 - 1),
)
def test_what_was_packetized_comes_back(heads: list[list[bytes]], size: int, sequence: int, time: int) -> None:
    pictures = [[*head, IDR if n == 0 else P] for n, head in enumerate(heads)]
    units, depacketizer = run(rtp, packetize(pictures, size=size, sequence=sequence, time=time))
    assert [unit[0] for unit in units] == [
        avcc(*[nal for nal in picture if nal[0] & 31 not in (7, 8)]) for picture in pictures
    ]
    assert [unit[1] for unit in units] == [(time + n * 3000) % 2**32 for n in range(len(pictures))]
    assert (depacketizer.lost, depacketizer.dropped) == (0, 0)


# ---- AAC


def sound(kernel, packets, **lengths):
    depacketizer = kernel.AacDepacketizer(96, **lengths)
    return [frame for data in packets for frame in depacketizer.push(data, 0, len(data)) or ()], depacketizer


@BOTH
def test_several_frames_in_a_packet_follow_each_other_in_time(kernel) -> None:
    frames, _ = sound(kernel, [packet(aac_hbr(b"one", b"two!", b"3"), time=0xFFFFFFFF, marker=True)])
    assert frames == [(b"one", 0xFFFFFFFF), (b"two!", 1023), (b"3", 2047)]


@BOTH
def test_a_frame_in_pieces_is_put_together(kernel) -> None:
    head = (16).to_bytes(2, "big") + (9 << 3).to_bytes(2, "big")
    pieces = [head + b"abcd", head + b"efg", head + b"hi"]
    packets = [packet(piece, sequence=n, time=7, marker=n == 2) for n, piece in enumerate(pieces)]
    assert sound(kernel, packets)[0] == [(b"abcdefghi", 7)]
    frames, depacketizer = sound(kernel, [packets[0], packets[2], packet(aac_hbr(b"x"), sequence=3, time=8)])
    assert frames == [(b"x", 8)]
    assert (depacketizer.dropped, depacketizer.lost) == (1, 1)


@BOTH
@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\0",
        b"\0\0abc",
        b"\0\x20\0\x08",  # a longer section than there is
        b"\0\x08\0abc",  # shorter than one header
        b"\0\x10\0\x0babc",  # an index that is not 0
        b"\0\x10\0\x40a",  # more than there is, and the marker says that it is all
    ],
)
def test_senseless_sound_is_counted_and_left_out(kernel, payload) -> None:
    frames, depacketizer = sound(kernel, [packet(payload, marker=True), packet(aac_hbr(b"ok"), sequence=1)])
    assert frames == [(b"ok", 0)]
    assert depacketizer.malformed == 1


@BOTH
def test_lengths_that_no_stream_has_are_refused(kernel) -> None:
    for bad in ({"size_length": 0}, {"index_length": -1}, {"index_delta_length": 17}, {"samples": 0}):
        with pytest.raises(ValueError, match="lengths"):
            kernel.AacDepacketizer(96, **bad)


AAC = st.lists(st.binary(max_size=9), max_size=4).map(lambda frames: aac_hbr(*frames)) | st.binary(max_size=12)
PIECES = st.sampled_from([b"\0\x10\0\x28abc", b"\0\x10\0\x28de", b"\0\x10\0\x28f"])


@given(
    st.lists(st.tuples(AAC | PIECES, st.sampled_from([1, 1, 1, 2, 0]), st.sampled_from([0, 0, 1024]), st.booleans())),
    st.sampled_from([{}, {"size_length": 6, "index_length": 2, "index_delta_length": 0, "samples": 960}]),
)
def test_sound_agrees_with_the_reference(packets, lengths) -> None:
    one, other = rtp.AacDepacketizer(96, **lengths), reference.AacDepacketizer(96, **lengths)
    sequence = time = 0
    for payload, step, later, marker in packets:
        sequence, time = sequence + step, time + later
        data = packet(payload, sequence=sequence, time=time, marker=marker)
        assert one.push(data, 0, len(data)) == other.push(data, 0, len(data))
        assert counters(one) == counters(other)
