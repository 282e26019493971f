"""The kernels of MPEG-4 and G.711 do what their twins do (RFC 6416, RFC 3551)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance._native import rtp
from tests.reference import rtp as reference
from tests.reference.agree import counters
from tests.reference.packets import rtp as packet

BOTH = pytest.mark.parametrize("kernel", [reference, rtp], ids=["reference", "native"])
ONE, TWO = b"\0\0\1\xb6" + b"a" * 20, b"\0\0\1\xb6" + b"b" * 20


def run(depacketizer, packets):
    return [unit for data in packets for unit in depacketizer.push(data, 0, len(data)) or ()], depacketizer


@BOTH
def test_pieces_become_a_picture_at_its_marker_or_where_the_time_changes(kernel) -> None:
    units, depacketizer = run(
        kernel.Mpeg4Depacketizer(96),
        [
            packet(ONE[:10]), packet(ONE[10:], sequence=1, marker=True),
            packet(TWO[:10], sequence=2, time=3000), packet(TWO[10:], sequence=3, time=3000),
            packet(ONE, sequence=4, time=6000, marker=True),
        ],
    )  # fmt: skip
    assert units == [(ONE, 0, 0), (TWO, 3000, 0), (ONE, 6000, 0)]
    assert (depacketizer.received, depacketizer.dropped, depacketizer.oddities) == (5, 0, rtp.ODD_NO_MARKER)


@BOTH
@pytest.mark.parametrize("gone", [1, 2])
def test_a_picture_that_lacks_a_piece_is_not_given_out(kernel, gone) -> None:
    packets = [
        packet(ONE, marker=True), packet(TWO[:10], sequence=1, time=3000),
        packet(TWO[10:], sequence=2, time=3000, marker=True), packet(ONE, sequence=3, time=6000, marker=True),
    ]  # fmt: skip
    del packets[gone]
    units, depacketizer = run(kernel.Mpeg4Depacketizer(96), packets)
    assert units == [(ONE, 0, 0), (ONE, 6000, rtp.LOSS)]
    assert (depacketizer.dropped, depacketizer.lost) == (1, 1)


@BOTH
def test_who_comes_in_the_middle_of_a_picture_misses_nothing(kernel) -> None:
    units, depacketizer = run(
        kernel.Mpeg4Depacketizer(96), [packet(ONE[10:], marker=True), packet(TWO, sequence=1, time=3000, marker=True)]
    )
    assert units == [(TWO, 3000, rtp.LOSS)]
    assert depacketizer.dropped == 0


@BOTH
def test_a_picture_over_the_limit_is_dropped(kernel) -> None:
    packets = [packet(ONE), packet(b"x" * 100, sequence=1, marker=True), packet(TWO, sequence=2, time=3, marker=True)]
    units, depacketizer = run(kernel.Mpeg4Depacketizer(96, 60), packets)
    assert units == [(TWO, 3, rtp.LOSS)]
    assert depacketizer.oddities == rtp.ODD_TOO_BIG


@BOTH
def test_samples_are_given_as_they_come(kernel) -> None:
    packets = [packet(b"abc"), packet(b"", sequence=1), packet(b"d" * 11, sequence=2), packet(b"e", sequence=4, time=9)]
    units, depacketizer = run(kernel.PcmDepacketizer(96, 10), packets)
    assert units == [(b"abc", 0), (b"e", 9)]
    assert (depacketizer.malformed, depacketizer.dropped, depacketizer.lost) == (1, 1, 1)
    assert depacketizer.oddities == rtp.ODD_TOO_BIG


@given(
    st.lists(
        st.tuples(
            st.sampled_from([ONE, TWO, b"", b"rest", b"\0\0\1"]), st.integers(0, 2), st.integers(0, 2), st.booleans()
        ),
        max_size=12,
    )
)
def test_they_agree(steps) -> None:
    packets, sequence, time = [], 65_530, 0
    for payload, ahead, later, marker in steps:
        sequence, time = sequence + ahead, time + later * 3000
        packets.append(packet(payload, sequence=sequence, time=time, marker=marker))
    for name, limit in (("Mpeg4Depacketizer", 60), ("PcmDepacketizer", 10)):
        ours, theirs = getattr(rtp, name)(96, limit), getattr(reference, name)(96, limit)
        assert run(ours, packets)[0] == run(theirs, packets)[0]
        assert counters(ours) == counters(theirs)
