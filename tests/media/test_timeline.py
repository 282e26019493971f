"""The timeline: monotonic, near the truth, sound with picture, jumps become runs."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.clock import TICKS_PER_SECOND as S
from appliance.base.clock import ManualClock
from appliance.media.timeline import NTP_TO_UNIX_S, RUN_MARGIN, SLEW, DecodeOrder, Timeline, TrackClock, ntp_to_ticks

T0 = 1_700_000_000 * S
PICTURE = S // 25


def ntp(ticks: int) -> int:
    seconds, rest = divmod(ticks, S)
    return (seconds + NTP_TO_UNIX_S) << 32 | (rest << 32) // S


def track(rate: int = 90_000) -> TrackClock:
    return Timeline(ManualClock(T0)).track(rate)


def test_ntp_time_is_exact_to_a_tick_also_after_2036() -> None:
    assert abs(ntp_to_ticks(ntp(T0 + 12345)) - T0 - 12345) <= 1
    in_2040 = 2_208_988_800 * S
    assert abs(ntp_to_ticks((in_2040 // S + NTP_TO_UNIX_S - 2**32) << 32) - in_2040) <= 1


def test_the_first_picture_is_placed_at_its_arrival() -> None:
    pts, run = track().place(4_000_000_000, T0)
    assert pts == T0
    assert run.utc_zero == T0 - RUN_MARGIN


@given(first=st.integers(0, 2**32 - 1), steps=st.lists(st.integers(1, S), max_size=50))
def test_times_grow_as_the_camera_says_over_any_wrap(first: int, steps: list[int]) -> None:
    clock = track()
    rtp, now = first, T0
    last, run = clock.place(rtp, now)
    for step in steps:
        rtp, now = (rtp + step) % 2**32, now + step
        pts, same = clock.place(rtp, now)
        assert same is run
        assert pts == last + step
        last = pts


def test_jitter_of_arrival_does_not_move_the_times() -> None:
    clock = track()
    clock.place(0, T0)
    for n in range(1, 1000):
        pts, _ = clock.place(n * PICTURE, T0 + n * PICTURE + (n * 7919 % 100) * S // 1000)
        assert abs(pts - T0 - n * PICTURE) <= SLEW * 100


def test_a_drifting_clock_is_followed_by_at_most_a_millisecond_a_picture() -> None:
    clock = track()
    last, _ = clock.place(0, T0)
    for n in range(1, 20_000):
        arrival = T0 + n * PICTURE + n * PICTURE // 1000  # the camera is slow by one in a thousand
        pts, _ = clock.place(n * PICTURE % 2**32, arrival)
        assert abs(pts - last - PICTURE) <= SLEW
        last = pts
        assert abs(pts - arrival) < S // 2


def test_a_believed_report_is_slewed_to() -> None:
    clock = track()
    clock.place(0, T0)
    clock.sender_report(ntp(T0 - S), 0, T0)  # the camera took the picture a second before it arrived
    last = T0
    for n in range(1, 1100):
        pts, _ = clock.place(n * PICTURE, T0 + n * PICTURE)
        assert PICTURE - SLEW <= pts - last <= PICTURE
        last = pts
    assert abs(last - (T0 + 1099 * PICTURE - S)) <= 2
    assert clock.clock == "rtcp"


def test_a_camera_whose_clock_is_hours_off_is_placed_by_arrival() -> None:
    clock = track()
    clock.place(0, T0)
    clock.sender_report(ntp(T0 - 3 * 3600 * S), 0, T0)
    for n in range(1, 500):
        pts, _ = clock.place(n * PICTURE, T0 + n * PICTURE)
        assert pts == T0 + n * PICTURE
    assert clock.clock == "arrival"


def test_reports_bring_sound_to_the_picture_even_when_the_clock_is_wrong() -> None:
    line = Timeline(ManualClock(T0))
    picture, sound = line.track(90_000), line.track(16_000)
    picture.place(500, T0)
    sound.place(900, T0 + S // 5)  # the sound of the same instant arrives 200 ms later
    wrong = T0 - 7000 * S
    picture.sender_report(ntp(wrong), 500, T0 + S // 5)
    sound.sender_report(ntp(wrong), 900, T0 + S // 5)
    for n in range(1, 400):
        seen, _ = picture.place(500 + n * PICTURE, T0 + n * PICTURE)
        heard, _ = sound.place(900 + n * 640, T0 + n * PICTURE + S // 5)
    assert seen == T0 + 399 * PICTURE
    assert abs(heard - seen) < S // 500


def test_sound_stays_with_the_picture_while_the_clock_is_corrected() -> None:
    line = Timeline(ManualClock(T0))
    picture, sound = line.track(90_000), line.track(90_000)
    picture.place(0, T0)
    sound.place(0, T0)
    for at in (picture, sound):
        at.sender_report(ntp(T0 - S), 0, T0)
    for n in range(1, 1500):
        seen, _ = picture.place(n * PICTURE, T0 + n * PICTURE)
        heard, _ = sound.place(n * PICTURE, T0 + n * PICTURE)
        assert abs(seen - heard) <= 2 * SLEW


def test_a_jump_starts_a_run_for_all_tracks_and_times_go_on() -> None:
    line = Timeline(ManualClock(T0))
    picture, sound = line.track(90_000), line.track(48_000)
    _, first = picture.place(0, T0)
    sound.place(0, T0)
    for jump in (-5 * S, 30 * S, 2**31 - 1):
        pts, second = picture.place((S + jump) % 2**32, T0 + S)
        assert second is not first
        assert pts == T0 + S or pts > T0 + S
        heard, joined = sound.place(48_000, T0 + S)
        assert joined is second
        assert heard >= T0 + S
        first = second


def test_a_stall_and_its_burst_are_one_run() -> None:
    clock = track()
    _, run = clock.place(0, T0)
    for n in range(1, 100):
        pts, same = clock.place(n * PICTURE, T0 + 4 * S)
        assert same is run
        assert pts == T0 + n * PICTURE


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 20 * S)), min_size=1, max_size=60))
def test_whatever_comes_each_run_grows_but_for_reordering(units: list[tuple[int, int]]) -> None:
    clock = track()
    now, high = T0, 0
    for rtp, wait in units:
        now += wait
        pts, run = clock.place(rtp, now)
        assert pts > high - S - SLEW
        assert pts > run.utc_zero
        high = max(high, pts)


@pytest.mark.parametrize("real", [1000, 8000, 45_000, 180_000, 16_000])
def test_a_clock_at_another_rate_is_counted_by_the_rate_it_has(real: int) -> None:
    clock = track()
    first = clock.place(4_294_900_000, T0)
    placed = [first]
    for n in range(1, 1500):  # a minute
        jitter = n * 7919 % 40 * S // 1000
        placed.append(clock.place((4_294_900_000 + n * real // 25) % 2**32, T0 + n * PICTURE + jitter))
    assert clock.rate_differs
    assert not clock.is_useless
    assert all(b[0] > a[0] for a, b in pairwise(placed))
    assert len({run for _, run in placed}) <= 4
    late = placed[-750:]  # all well for the last half of it
    assert len({run for _, run in late}) == 1
    assert all(abs(b[0] - a[0] - PICTURE) <= SLEW for a, b in pairwise(late))


def test_a_clock_that_stands_still_gives_way_to_arrival() -> None:
    clock = track()
    placed = [clock.place(77, T0 + n * PICTURE + n * 7919 % 30 * S // 1000) for n in range(1500)]
    assert clock.is_useless
    assert all(b[0] >= a[0] for a, b in pairwise(placed))
    late = placed[-750:]
    assert len({run for _, run in late}) == 1
    assert all(abs(b[0] - a[0] - PICTURE) <= PICTURE // 4 for a, b in pairwise(late))
    assert abs(late[-1][0] - (T0 + 1499 * PICTURE)) < S // 10


def test_a_clock_that_jumps_all_the_time_gives_way_to_arrival() -> None:
    clock = track()
    placed = [clock.place(n * 3_600_000_000 % 2**32, T0 + n * PICTURE) for n in range(500)]
    assert clock.is_useless
    assert len({run for _, run in placed}) <= 6
    assert all(b[0] > a[0] for a, b in pairwise(placed))


def test_jumps_now_and_then_are_no_reason_to_distrust_a_clock() -> None:
    clock = track()
    for n in range(2000):
        clock.place((n * PICTURE + n // 250 * 7_000_000) % 2**32, T0 + n * PICTURE)
    assert not clock.is_useless
    assert not clock.rate_differs


@given(st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.5, 1.0, 1.9]), min_size=30, max_size=60))
def test_stalls_and_bursts_are_not_taken_for_another_rate(stalls: list[float]) -> None:
    clock = track()
    at = now = 0
    clock.place(0, T0)
    for stall in stalls:
        for n in range(50):
            at += PICTURE
            now = max(now, at) if n else max(now, at) + round(stall * S)
            clock.place(at % 2**32, T0 + now)
    assert not clock.rate_differs
    assert not clock.is_useless


def presentation(order: list[int]) -> list[int]:
    return [T0 + n * PICTURE for n in order]


def test_without_reordering_decoding_time_is_presentation_time() -> None:
    order = DecodeOrder(0)
    times = presentation(list(range(20)))
    assert [order.dts(pts, is_idr=n % 10 == 0) for n, pts in enumerate(times)] == times


PYRAMID = [0, 4, 2, 1, 3, 8, 6, 5, 7, 12, 10, 9, 11]


def test_a_pyramid_of_b_pictures_is_spaced_evenly() -> None:
    order = DecodeOrder(2)
    times = presentation(PYRAMID)
    dts = [order.dts(pts, is_idr=n == 0) for n, pts in enumerate(times)]
    assert [b - a for a, b in pairwise(dts)] == [PICTURE] * (len(dts) - 1)
    assert all(d <= p for d, p in zip(dts, times, strict=True))


def test_an_unknown_depth_is_learnt() -> None:
    order = DecodeOrder(None)
    times = presentation([base + n for base in range(0, 400, 12) for n in PYRAMID[1:]])
    dts = [order.dts(pts, is_idr=n == 0) for n, pts in enumerate(times)]
    assert order.depth == 2
    assert all(b > a for a, b in pairwise(dts))
    assert all(d <= p for d, p in list(zip(dts, times, strict=True))[-100:])


@given(st.lists(st.tuples(st.integers(0, 100 * S), st.booleans()), max_size=100), st.none() | st.integers(0, 16))
def test_decoding_times_grow_whatever_comes(units: list[tuple[int, bool]], depth: int | None) -> None:
    order = DecodeOrder(depth)
    dts = [order.dts(T0 + pts, is_idr=idr) for pts, idr in units]
    assert all(b > a for a, b in pairwise(dts))
