"""Where playing is, at any speed, over gaps, and what a client says of it."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from appliance.base.clock import TICKS_PER_SECOND as S
from appliance.streams.playhead import Playhead
from appliance.streams.turns import Turns, UserTurns

AT = 1_790_000_000 * S


@pytest.mark.parametrize("speed", [0.125, 1, 4, 32, -1, -8])
async def test_time_goes_by_at_the_speed(autojump_clock: trio.testing.MockClock, speed: float) -> None:
    head = Playhead(AT, speed)
    await trio.sleep(3)
    assert (head.now, head.runs) == (AT, False)
    head.start()
    head.start()
    await trio.sleep(2)
    assert head.now == AT + 2 * speed * S
    there = AT + round(5 * speed * S)
    assert head.due_s(there) == pytest.approx(3)
    began = trio.current_time()
    await head.reach(there)
    assert trio.current_time() - began == pytest.approx(3)
    head.stop()
    await trio.sleep(5)
    assert head.now == there


@pytest.mark.parametrize("way", [1, -1])
async def test_gaps_are_jumped_when_they_are_reached(autojump_clock: trio.testing.MockClock, way: int) -> None:
    head = Playhead(AT, 2 * way)
    head.start()
    head.jump(AT + way * 4 * S, AT + way * 100 * S)
    head.jump(AT + way * 102 * S, AT + way * 1000 * S)
    assert head.due_s(AT + way * 100 * S) == pytest.approx(2)
    assert head.due_s(AT + way * 1001 * S) == pytest.approx(3.5)
    await trio.sleep(1)
    assert head.now == AT + way * 2 * S
    await trio.sleep(1.5)
    assert head.now == AT + way * 101 * S
    await head.reach(AT + way * 1001 * S)
    assert head.now == AT + way * 1001 * S
    assert trio.current_time() == pytest.approx(3.5)


@pytest.mark.parametrize("way", [1, -1])
async def test_what_lies_in_a_gap_comes_with_it(autojump_clock: trio.testing.MockClock, way: int) -> None:
    """As the first picture behind it, which is decoded a moment before it is shown."""
    head = Playhead(AT, way)
    head.start()
    head.jump(AT + way * 3 * S, AT + way * 243 * S)
    for place, due_s in ((2, 2), (3, 3), (100, 3), (242.9, 3), (243, 3), (244, 4)):
        assert head.due_s(AT + way * round(place * S)) == pytest.approx(due_s), place


async def test_what_a_client_holds_of_before_a_gap_does_not_lead_back_over_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """A decoder keeps its last pictures until others follow, and these were waited for: both stood for ever."""
    head = Playhead(AT, 1)
    head.start()
    head.jump(AT + 3 * S, AT + 243 * S)
    await trio.sleep(3.1)
    head.correct(0.5, AT + 3 * S)
    assert (head.now - AT) / S == pytest.approx(243.1)
    head.correct(2.0, AT + 246 * S)
    assert (head.now - AT) / S == pytest.approx(244)


@pytest.mark.parametrize(("holds_s", "now_s"), [(3.0, 1.0), (3.2, 1.0), (2.0, 2.0), (4.0, 0.0)])
async def test_a_client_that_holds_more_or_less_than_was_thought_is_where_it_says(
    autojump_clock: trio.testing.MockClock, holds_s: float, now_s: float
) -> None:
    head = Playhead(AT, 1)
    head.start()
    await trio.sleep(1)
    head.correct(holds_s, AT + 4 * S)
    assert (head.now - AT) / S == pytest.approx(now_s)


async def test_turns_are_had_at_once_while_they_are_few(autojump_clock: trio.testing.MockClock) -> None:
    turns = Turns(lambda: 10.0)
    for _ in range(10):
        await turns.take()
    assert trio.current_time() == 0
    for _ in range(20):
        await turns.take()
    assert trio.current_time() == pytest.approx(2)
    with trio.move_on_after(0.05):
        await turns.take()  # given up, and so not taken
    await turns.take()
    assert trio.current_time() == pytest.approx(2.1)


async def test_a_user_has_the_same_turns_wherever_they_are_and_nothing_is_kept_of_who_left(
    autojump_clock: trio.testing.MockClock,
) -> None:
    users = UserTurns(lambda: 2.0)
    with users.of("anna") as one, users.of("anna") as other, users.of("bob") as bob:
        assert one is other
        assert one is not bob
    assert not users._turns
