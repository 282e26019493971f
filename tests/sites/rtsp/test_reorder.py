"""Packets come out in the order in which they were sent, and none waits for longer, or among more, than it may."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sites.rtsp.reorder import LIMIT, WAIT_S, Reorder
from tests.reference.packets import rtp


def numbered(sequence: int, ssrc: int = 1) -> bytes:
    return rtp(b"x", sequence=sequence & 0xFFFF, ssrc=ssrc)


def numbers(packets: list[bytes]) -> list[int]:
    return [int.from_bytes(packet[2:4], "big") for packet in packets]


def test_what_comes_in_order_goes_on_at_once() -> None:
    order = Reorder()
    assert [numbers(order.push(numbered(n), 0.0)) for n in (65534, 65535, 0, 1)] == [[65534], [65535], [0], [1]]
    assert (len(order), order.deadline()) == (0, None)


def test_one_that_is_ahead_waits_for_those_before_it() -> None:
    order = Reorder()
    assert [numbers(order.push(numbered(n), 0.0)) for n in (7, 9, 10, 8)] == [[7], [], [], [8, 9, 10]]
    assert (len(order), order.late) == (0, 0)


def test_a_packet_that_never_comes_is_waited_for_so_long_and_then_lost() -> None:
    order = Reorder(wait_s=0.1)
    order.push(numbered(1), 0.0)
    assert order.push(numbered(3), 1.0) == []
    assert order.push(numbered(5), 1.05) == []
    assert order.deadline() == pytest.approx(1.1)
    assert numbers(order.expire(1.09)) == []
    assert numbers(order.expire(1.1)) == [3]
    assert order.deadline() == pytest.approx(1.15)
    assert numbers(order.expire(2.0)) == [5]
    assert (order.push(numbered(2), 2.0), order.late) == ([], 1)


def test_double_ones_are_dropped() -> None:
    order = Reorder()
    for n in (1, 1, 3, 3):
        order.push(numbered(n), 0.0)
    assert (numbers(order.push(numbered(2), 0.0)), order.late) == ([2, 3], 2)


def test_not_more_than_the_limit_wait() -> None:
    order = Reorder(limit=4)
    order.push(numbered(0), 0.0)
    out = [numbers(order.push(numbered(n), 0.0)) for n in range(2, 8)]
    assert out == [[], [], [], [], [2, 3, 4, 5, 6], [7]]


@pytest.mark.parametrize("first", [numbered(30_000), numbered(6, ssrc=2)])
def test_a_new_beginning_is_one(first: bytes) -> None:
    order = Reorder()
    order.push(numbered(5), 0.0)
    order.push(numbered(7), 0.0)
    assert order.push(first, 0.0) == [numbered(7), first]
    assert len(order) == 0


@pytest.mark.parametrize("data", [b"", b"\x80" * 11, b"\x40" * 40])
def test_what_is_no_packet_is_left_to_others(data: bytes) -> None:
    assert Reorder().push(data, 0.0) == [data]


@given(st.integers(0, 0xFFFF), st.lists(st.integers(0, 12), min_size=1, max_size=80), st.data())
def test_any_shuffle_within_the_bounds_is_undone(first: int, delays: list[int], data: st.DataObject) -> None:
    """Each packet is late by some others; the first comes first."""
    sent = sorted(range(len(delays)), key=lambda n: (n + delays[n] if n else -1, n))
    order, out = Reorder(), []
    for at, n in enumerate(sent):
        out += order.push(numbered(first + n), at * WAIT_S / 40)
        if data.draw(st.booleans()):  # asking costs nothing
            out += order.expire(at * WAIT_S / 40)
    assert numbers(out) == [(first + n) & 0xFFFF for n in range(len(delays))]
    assert (len(order), order.late) == (0, 0)


EVENTS = st.lists(
    st.tuples(
        st.integers(-300, 300) | st.integers(-40_000, 40_000),  # from the last number
        st.sampled_from([1, 1, 1, 2]),  # the source
        st.floats(0, 0.2),  # since the last packet
    ),
    max_size=60,
)


@given(EVENTS, st.integers(0, 0xFFFF), st.integers(1, 8))
def test_whatever_comes_the_bounds_hold_and_nothing_is_made_up(events, number: int, limit: int) -> None:
    order, now, came = Reorder(limit=limit), 0.0, 0
    given_out: list[bytes] = []
    for step, ssrc, wait in events:
        number, now = number + step, now + wait
        out = order.expire(now)
        deadline = order.deadline()
        assert deadline is None or now < deadline <= now + WAIT_S
        came += 1
        packet = rtp(came.to_bytes(2, "big"), sequence=number & 0xFFFF, ssrc=ssrc)
        out += order.push(packet, now)
        assert len(order) <= limit
        given_out += out
    given_out += order.expire(now + WAIT_S)
    assert len(order) == 0
    assert len(set(given_out)) == len(given_out)
    assert len(given_out) + order.late == came
    # between two new beginnings numbers only rise
    for one, other in pairwise(given_out):
        step = (int.from_bytes(other[2:4], "big") - int.from_bytes(one[2:4], "big")) & 0xFFFF
        restart = one[8:12] != other[8:12] or 3000 < step <= 0x10000 - 100
        assert restart or 0 < step <= 3000 + limit + LIMIT
