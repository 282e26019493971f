"""Waits that end together."""

from __future__ import annotations

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.beat import BEAT_S, LONG_BEAT_S, beat_within, rest


@given(
    at=st.floats(0, 1e6, allow_subnormal=False),
    seconds=st.floats(0, 100, allow_subnormal=False),
)
def test_a_beat_is_never_late_but_for_the_next_one(at: float, seconds: float) -> None:
    beat_s = BEAT_S if seconds < LONG_BEAT_S else LONG_BEAT_S

    async def look() -> None:
        await trio.sleep_until(at)
        now = trio.current_time()
        beat = beat_within(seconds)
        assert beat % beat_s == 0
        assert now < beat <= max(now + seconds, now + beat_s)
        assert beat > now + seconds - beat_s

    trio.run(look, clock=trio.testing.MockClock(autojump_threshold=0))


async def test_all_who_rest_wake_at_the_same_moments(autojump_clock) -> None:
    woken: dict[str, list[float]] = {}

    async def beat(name: str, began: float, seconds: float) -> None:
        await trio.sleep(began)
        for _ in range(8):
            await rest(seconds)
            woken.setdefault(name, []).append(trio.current_time())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(beat, "often", 0.07, 0.25)
        nursery.start_soon(beat, "half", 0.31, 0.5)
        nursery.start_soon(beat, "seldom", 0.77, 2)
    assert woken["often"] == [0.25 * n for n in range(1, 9)]
    assert woken["half"] == [0.5 * n + 0.25 for n in range(1, 9)]
    assert woken["seldom"] == [2.0 * (n + 1) for n in range(8)]


@pytest.mark.parametrize("seconds", [0.0, 0.1])
async def test_what_is_shorter_than_a_beat_ends_with_the_next(autojump_clock, seconds: float) -> None:
    await trio.sleep(3.2)
    await rest(seconds)
    assert trio.current_time() == 3.25
    await rest(seconds)
    assert trio.current_time() == 3.5
