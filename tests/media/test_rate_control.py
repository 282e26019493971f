"""What a viewer's network carries (TRA-2, F3): tables, and simulated networks with what is asserted printed."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.media.ladder import Limit
from appliance.media.rate_control import (
    CONFIRMED_S,
    HOLD_S,
    LONGEST_HOLD_S,
    Cause,
    Control,
    Sight,
    follow,
    may_begin,
    rebased,
)
from appliance.media.steps import steps
from tests.media.simulated_network import (
    Link,
    Outcome,
    Viewer,
    random_walk,
    sawtooth,
    simulate,
    simulate_two,
    steady,
    steps_of,
    trace,
)

KBPS = (4000.0, 2000.0, 1000.0, 500.0, 250.0)
LIMIT = Limit(25, (1920, 1080))
TILE = steps((1920, 1080), (640, 360), 25, source_fps=25, limit=LIMIT)
SCREEN = steps((1920, 1080), (1920, 1080), 25, source_fps=25, limit=LIMIT)
STREAMS = (4000.0, 500.0)
BELOW = tuple(step for step in TILE if step.kbps < 400)


def look(
    count: int,
    *,
    carried: float,
    at: float = 0.0,
    step: int = 0,
    lag: float = 0.0,
    fps: int = 25,
    left_out: float = 0.0,
) -> list[Sight]:
    """So many looks, four a second, at a network that takes ``carried`` kbit/s."""
    return [
        Sight(
            at + n / 4, step, lag, round(fps * n / 4), round(left_out * fps * n / 4), round(carried * 1000 / 8 * n / 4)
        )
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("sights", "step"),
    [
        (look(9, carried=4000), 0),
        (look(4, carried=900, lag=0.6), 3),  # for 0.75 s: to what is carried, at once
        (look(3, carried=900, lag=0.6), 0),  # not for long enough
        (look(20, carried=900, lag=0.4), 0),  # a large key frame
        (look(4, carried=900, lag=0.1, left_out=0.6), 3),
        (look(3, carried=900, lag=0.1, left_out=0.6), 0),
        (look(5, carried=2300, lag=0.1, left_out=0.2), 2),
        (look(4, carried=2300, lag=0.1, left_out=0.2), 0),
        (look(40, carried=3700, lag=0.1, left_out=0.05), 0),  # one in twenty is not missed
        (look(40, carried=3700, lag=0.0, left_out=0.5), 0),  # it is idle at every look: stalls that are over
        (look(4, carried=10, lag=0.6), 4),
    ],
)
def test_when_it_goes_down_and_how_far(sights, step) -> None:
    control = Control()
    for sight in sights:
        control = follow(control, sight, KBPS)
    assert control.step == step


@pytest.mark.parametrize(("carried", "step"), [(900, 3), (3900, 0)])
def test_what_waits_longer_and_longer_is_no_stall(carried, step) -> None:
    control = Control()
    for n, sight in enumerate(look(4, carried=carried)):
        control = follow(control, replace(sight, lag_s=0.2 + 0.1 * n), KBPS)
    assert control.step == step


@pytest.mark.parametrize(
    ("less", "left_out", "step"),
    [
        (0.28, 0.0, 0),  # it begins with what came since the last key frame, and soon has all of that
        (0.05, 0.0, 1),  # hardly faster than it comes: it would stay late
        (0.28, 0.05, 1),  # what it does not get does not wait
    ],
)
def test_who_catches_up_is_left_alone(less, left_out, step) -> None:
    control = Control()
    for n, sight in enumerate(look(5, carried=9000, left_out=left_out)):
        control = follow(control, replace(sight, lag_s=1.6 - less * n), KBPS)
    assert control.step == step


def test_a_client_with_nothing_left_to_show_is_believed_sooner() -> None:
    for buffer_s, step in ((0.0, 3), (0.4, 0), (None, 0)):
        control = Control()
        for sight in look(6, carried=900, lag=0.3):
            control = follow(control, replace(sight, buffer_s=buffer_s), KBPS)
        assert control.step == step, buffer_s


def test_a_client_that_drops_pictures_is_too_slow_for_them() -> None:
    control = Control()
    for n, sight in enumerate(look(8, carried=4000)):
        control = follow(control, replace(sight, dropped=3 * n), KBPS)
    assert control.step == 1
    assert follow(Control(), Sight(0, 0, 0, 0, 0, 0, dropped=500), KBPS).step == 0  # from before


def test_a_client_that_is_too_slow_gets_what_is_less_work_to_show() -> None:
    work = (100.0, 100.0, 80.0, 60.0, 20.0)  # the first of fewer bytes is no less work
    control = Control()
    for n, sight in enumerate(look(8, carried=4000)):
        control = follow(control, replace(sight, dropped=3 * n), KBPS, work)
    assert (control.step, control.cause) == (3, Cause.CLIENT)
    for n, sight in enumerate(look(20, carried=100, at=2, step=3, lag=0.6)):  # and then the network, too
        control = follow(control, replace(sight, dropped=21 + n), KBPS, work)
    assert (control.step, control.cause) == (4, Cause.NETWORK)


@pytest.mark.parametrize(
    ("lag", "left_out", "step", "cause"),
    [
        (0.0, 0.0, 1, Cause.CLIENT),
        (0.1, 0.0, 1, Cause.CLIENT),  # something is on its way, and all of it goes
        (0.1, 0.05, 0, Cause.NETWORK),  # what comes late comes all at once
        (0.6, 0.0, 3, Cause.NETWORK),
        (0.1, 0.6, 3, Cause.NETWORK),
    ],
)
def test_what_a_client_drops_is_held_against_it_only_where_the_network_brings_all(lag, left_out, step, cause) -> None:
    control = Control()
    for n, sight in enumerate(look(8, carried=900 if step == 3 else 4000, lag=lag, left_out=left_out)):
        control = follow(control, replace(sight, dropped=3 * n), KBPS)
    assert (control.step, control.cause) == (step, cause)


def test_there_is_nothing_below_the_last() -> None:
    control = Control(step=4)
    for sight in look(40, carried=10, lag=3, step=4):
        control = follow(control, sight, KBPS)
    assert control.step == 4


def test_a_step_that_has_not_taken_over_is_not_judged() -> None:
    control = Control(step=2, changed_at=0.0)
    for sight in look(12, carried=100, lag=2, step=0):
        control = follow(control, sight, KBPS)
    assert control.step == 2
    for sight in look(8, carried=100, at=3, lag=2, step=0):  # but it does not take for ever
        control = follow(control, sight, KBPS)
    assert control.step == 4


def test_up_soon_while_it_is_known_to_be_carried_then_after_a_quiet_time() -> None:
    control, changes = Control(step=4, ceiling_kbps=1200.0, changed_at=0.0), []
    for n in range(200):
        before = control.step
        control = follow(control, Sight(n / 4, control.step, 0, n, 0, n * 50_000), KBPS)
        if control.step != before:
            changes.append((n / 4, control.step))
    # 500 and 1000 are known to be carried by 1200; 2000 is an attempt, and when it went well 4000 may follow
    assert [step for _, step in changes] == [3, 2, 1, 0]
    known, _, attempt, on = [at for at, _ in changes]
    assert known <= 3
    assert HOLD_S <= attempt <= HOLD_S + 8
    assert CONFIRMED_S <= on - attempt <= CONFIRMED_S + 4


@pytest.mark.parametrize(
    ("carried", "step", "hold_s"),
    [
        (1500, 2, 2 * HOLD_S),  # what was left for the attempt is carried, no more: it has failed
        (600, 3, HOLD_S),  # less than that: it is the network that has become worse
    ],
)
def test_an_attempt_fails_only_where_the_network_is_as_it_was(carried, step, hold_s) -> None:
    control = Control(step=1, ceiling_kbps=1200.0, changed_at=0.0, tried_at=0.0, tried_from=1000.0)
    for sight in look(6, carried=carried, step=1, lag=0.1, left_out=0.5):
        control = follow(control, sight, KBPS)
    assert (control.step, control.hold_s) == (step, hold_s)


def test_a_failed_attempt_leads_back_to_what_was_left_for_it() -> None:
    """What is measured while pictures are held back is a little less than what is carried."""
    control = Control(step=1, ceiling_kbps=1200.0, changed_at=0.0, tried_at=0.0, tried_from=1000.0)
    for sight in look(6, carried=800, step=1, lag=0.1, left_out=0.5):
        control = follow(control, sight, KBPS)
    assert (control.step, control.ceiling_kbps) == (2, 1000)


@pytest.mark.parametrize(("carried", "hold_s"), [(1500, 40.0), (600, HOLD_S)])
def test_what_fails_only_in_the_long_run_is_not_tried_more_often_for_that(carried, hold_s) -> None:
    control = Control(step=1, changed_at=0.0, tried_at=0.0, tried_from=1000.0, hold_s=40.0)
    for sight in look(6, carried=carried, at=60, step=1, lag=0.1, left_out=0.5):
        control = follow(control, sight, KBPS)
    assert control.hold_s == hold_s


@pytest.mark.parametrize(("lag", "left_out", "step"), [(0.0, 0.0, 0), (0.1, 0.0, 0), (0.1, 0.08, 2)])
def test_a_network_that_is_just_full_is_left_alone(lag, left_out, step) -> None:
    """Too little is left out to go down, and too much to go up."""
    control = Control(step=2)
    for n in range(60):
        made, left = n * 6, round(n * 6 * left_out)
        control = follow(control, Sight(n / 4, control.step, lag, made, left, n * 30_000), KBPS)
    assert control.step == step


def test_an_attempt_is_given_up_sooner() -> None:
    for tried_at, step in ((0.0, 3), (None, 0)):
        control = Control(tried_at=tried_at, tried_from=2000.0)
        for sight in look(3, carried=900, lag=0.6):
            control = follow(control, sight, KBPS)
        assert control.step == step


def test_what_was_on_its_way_is_not_held_against_the_step_that_fits() -> None:
    control = Control(step=1, changed_at=0.0)
    for n, sight in enumerate(look(16, carried=2600, step=1, lag=0.6)):
        control = follow(control, sight, KBPS)
        assert control.step == (1 if n < 12 else 2)


def test_a_network_that_stands_still_says_nothing_of_what_it_carries() -> None:
    control = Control()
    for sight in look(6, carried=0, lag=0.6):
        control = follow(control, sight, KBPS)
    assert (control.step, control.ceiling_kbps) == (4, 4000)


def test_a_client_that_was_too_slow_just_now_gets_no_more() -> None:
    control = Control(step=4)
    for n, sight in enumerate(look(13, carried=100, step=4)):
        control = follow(control, replace(sight, dropped=3 * n), KBPS)
    for sight in look(10, carried=100, at=3.25, step=4):
        control = follow(control, replace(sight, dropped=36, made=75 + sight.made), KBPS)
    assert control.step == 4


@pytest.mark.parametrize(
    ("control", "after", "step"),
    [
        (Control(), (9000.0, 4000.0, 1000.0), 0),  # a larger tile on a network of which nothing is known
        (Control(step=2, ceiling_kbps=1100), (9000.0, 4000.0, 1000.0), 2),
        (Control(step=4, ceiling_kbps=1100), (9000.0, 4000.0, 1000.0), 2),
        (Control(step=4, ceiling_kbps=1100), (200.0, 100.0), 0),
        (Control(step=1, ceiling_kbps=1100), (900.0,), 0),
    ],
)
def test_another_tile_has_other_steps(control, after, step) -> None:
    moved = rebased(control, KBPS, after)
    assert moved.step == step
    assert moved.ceiling_kbps == control.ceiling_kbps


@pytest.mark.parametrize(
    ("unacknowledged", "interval", "taken", "arrived", "left", "may"),
    [
        (0.0, 0.04, inf, inf, inf, True),  # the first
        (0.02, 0.04, 0.0, inf, 0.0, False),  # the second, while nothing is known of the network
        (0.2, 0.04, 0.0, 0.12, inf, True),
        (0.23, 0.04, 0.0, 0.12, inf, False),
        (0.3, 0.25, 0.0, 0.3, inf, True),  # where pictures are few, one may take longer
        (0.4, 0.25, 0.0, 0.3, inf, False),
        (0.4, 1.0, 0.0, 0.3, inf, False),
        (0.12, 0.25, 0.3, 0.2, inf, False),  # the last one was large for this network
        (0.12, 0.04, 0.07, 0.12, inf, False),  # the socket took longer over it than pictures come
        (0.05, 0.04, 0.07, 0.12, inf, False),  # so this network has just become slow, and nobody knows yet how slow
        (0.0, 0.04, 0.07, 0.12, inf, True),
        (0.12, 0.04, 0.07, 0.12, 0.05, False),  # what was measured before may hold no longer
        (0.12, 0.25, 0.0, 0.9, inf, False),
        (0.09, 0.25, 0.3, 0.9, inf, True),  # all but what is on its way has arrived
        (0.5, 0.25, 0.3, 0.9, 0.19, True),  # or will have, as far as is known
        (0.5, 0.25, 0.3, 0.9, 0.21, False),
    ],
)
def test_a_picture_is_begun_when_the_one_before_arrives_in_time(
    unacknowledged, interval, taken, arrived, left, may
) -> None:
    assert may_begin(unacknowledged, 0.1, interval, taken_s=taken, arrived_s=arrived, left_s=left) is may


@given(
    looks=st.lists(
        st.tuples(
            st.floats(0.05, 3), st.floats(0, 3), st.integers(0, 40), st.integers(0, 40), st.integers(0, 10**6),
            st.none() | st.floats(0, 2), st.integers(0, 9), st.booleans(),
        ),
        max_size=60,
    )
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_whatever_is_seen(looks) -> None:
    control, at, made, left_out, sent, dropped, current = Control(), 0.0, 0, 0, 0, 0, 0
    for wait, lag, more, less, taken, buffer_s, lost, takes_over in looks:
        at, made, sent, dropped = at + wait, made + more, sent + taken, dropped + lost
        left_out += min(less, more)
        current = control.step if takes_over else current
        before = control
        control = follow(control, Sight(at, current, lag, made, left_out, sent, buffer_s, dropped), KBPS)
        assert 0 <= control.step < len(KBPS)
        assert before.step - control.step <= 2
        assert HOLD_S <= control.hold_s <= LONGEST_HOLD_S
        assert len(control.seen) <= 42
        if lag >= 0.5:
            assert control.step >= before.step  # never up while what waits is old


def report(name: str, outcome: Outcome, begin: float, end: float) -> None:
    print(
        f"{name}: oldest picture {outcome.oldest():.2f} s; from {begin:.0f} s to {end:.0f} s: oldest"
        f" {outcome.oldest(begin, end):.2f} s, uses {100 * outcome.utilisation(begin, end):.0f} %,"
        f" {60 * outcome.switches_between(begin, end) / (end - begin):.1f} switches a minute"
    )


@pytest.mark.parametrize("kbps", [100, 200, 300, 500, 800, 1000, 2000, 3000, 5000])
def test_a_steady_network_is_used_and_left_alone(kbps) -> None:
    outcome = simulate(Viewer(Link(steady(kbps)), chain=TILE), 600)
    report(f"steady {kbps} kbit/s", outcome, 60, 600)
    assert outcome.utilisation(60, 600) >= 0.65
    assert outcome.switches_between(60, 600) <= 3 * 9  # a minute
    assert outcome.switches_between(300, 600) <= 2 * 5  # later it is tried ever more seldom
    assert outcome.oldest() <= (2.0 if kbps >= 200 else 4.0)
    assert outcome.oldest(60, 600) <= 2.0


def test_a_good_network_gets_the_best_and_keeps_it() -> None:
    outcome = simulate(Viewer(Link(steady(10_000)), chain=TILE), 600)
    assert outcome.switches == []
    assert outcome.oldest() < 0.2


@pytest.mark.parametrize("buffer", [0, 16 << 10, 64 << 10, 256 << 10])
def test_at_300_kbits_the_picture_is_never_older_than_two_seconds(buffer) -> None:
    """F3, also where a router would keep a quarter of a megabyte, from the first picture on."""
    outcome = simulate(Viewer(Link(steady(300), buffer=buffer), chain=TILE), 300)
    report(f"300 kbit/s behind {buffer >> 10} KiB", outcome, 60, 300)
    assert outcome.oldest() <= 2.0


@pytest.mark.parametrize("kbps", [3000, 1000, 300])
@pytest.mark.parametrize("at", [20.0, 20.15, 20.3, 20.325, 20.55, 20.675, 20.7, 20.8, 20.925])
def test_it_goes_down_within_two_seconds(kbps, at) -> None:
    outcome = simulate(Viewer(Link(steps_of((0, 10_000), (at, kbps))), chain=TILE), 40)
    below = outcome.went_below(kbps, at) - at
    print(f"{kbps} kbit/s at {at} s: down after {below:.2f} s, oldest picture {outcome.oldest(18, 40):.2f} s")
    assert below <= (2.0 if kbps == 3000 else 1.25)
    # The worst: the kernel and a router hold 25 KB of one picture of the best quality when the next, of 38 KB, is begun
    # before anything can have shown that the network fell: 1.7 s at 300 kbit/s, and then a small one has to come.
    assert outcome.oldest(18, at + 3) <= 2.0
    assert outcome.oldest(at + 3, 40) <= 1.5
    assert outcome.switches_between(at, at + 10) <= 4  # at once to what is carried, and not there by and by


def test_one_large_picture_is_on_its_way_when_the_network_falls() -> None:
    """It cannot be taken back: 1920x1080 has 100 KB and more.  What comes after it is in time."""
    outcome = simulate(Viewer(Link(steps_of((0, 20_000), (60, 300))), chain=SCREEN), 180)
    report("whole screen", outcome, 70, 180)
    assert outcome.oldest(60, 68) <= (160 + 32) / 37.5 + 1
    assert outcome.oldest(68, 180) <= 2.0


def test_it_comes_back_up() -> None:
    outcome = simulate(Viewer(Link(steps_of((0, 10_000), (20, 300), (50, 10_000))), chain=TILE), 150)
    report("300 kbit/s for half a minute", outcome, 110, 150)
    assert outcome.switches[-1][1] == 0
    assert outcome.switches[-1][0] < 50 + 60
    assert outcome.oldest(50, 150) <= 2.0


def test_stalls_now_and_then_cost_nothing() -> None:
    outcome = simulate(Viewer(Link(lambda t: 0 if t % 5 < 0.4 else 12_000), chain=TILE), 300)
    assert outcome.switches == []


def test_an_outage_is_over_when_it_is_over() -> None:
    outcome = simulate(Viewer(Link(lambda t: 0 if 60 <= t < 65 else 3000), chain=TILE), 150)
    report("an outage of 5 s", outcome, 100, 150)
    assert outcome.oldest(66, 150) <= 2.0
    assert outcome.utilisation(100, 150) >= 0.6


@pytest.mark.parametrize("seed", range(4))
def test_a_mobile_network(seed) -> None:
    outcome = simulate(Viewer(Link(random_walk(seed, 150, 6000, 600)), chain=TILE), 600)
    report(f"random walk {seed}", outcome, 20, 600)
    assert outcome.oldest() <= 2.0
    assert outcome.utilisation(20, 600) >= 0.45
    assert outcome.switches_between(20, 600) <= 12 * 10


@pytest.mark.parametrize(("name", "oldest"), [("lte-drive", 2.5), ("3g-walk", 2.0), ("dsl-shared", 1.0)])
def test_traces(name, oldest) -> None:
    outcome = simulate(Viewer(Link(trace(name)), chain=TILE), 480)
    report(name, outcome, 20, 480)
    assert outcome.oldest() <= oldest  # in lte-drive hardly anything comes for two seconds
    assert outcome.switches_between(20, 480) <= 15 * 8


@pytest.mark.parametrize(("direct", "chain"), [((), TILE), (STREAMS, BELOW)])
def test_a_recorded_trace(direct, chain) -> None:
    """Where hardly anything comes, the picture gets old; as soon as something does it is a new one."""
    carries = trace("3g-oslo")
    outcome = simulate(Viewer(Link(carries), direct=direct, chain=chain), 262)
    report(f"3g-oslo, {len(direct)} streams", outcome, 20, 262)
    holes = {second + more for second in range(262) if carries(second) < 70 for more in range(3)}
    assert 20 < len(holes) < 60
    seen = [moment for moment in outcome.between(2, 262) if int(moment.at_s) not in holes]
    assert max(moment.age_s for moment in seen) <= 2.0
    assert outcome.switches_between(20, 262) <= 10 * 4


def test_a_sawtooth() -> None:
    outcome = simulate(Viewer(Link(sawtooth(300, 4000, 20)), chain=TILE), 300)
    report("sawtooth", outcome, 20, 300)
    assert outcome.oldest() <= 2.0


def test_a_scene_that_takes_twice_as_much() -> None:
    viewer = Viewer(Link(steady(1000)), chain=TILE, detail=lambda t: 2.0 if 100 < t < 200 else 1.0)
    outcome = simulate(viewer, 300)
    report("twice the detail", outcome, 100, 200)
    assert outcome.oldest() <= 2.0
    assert outcome.went_below(1050, 101) <= 104  # one picture in twenty is not missed


@pytest.mark.parametrize(("delay", "oldest"), [(0.01, 1.0), (0.15, 1.0), (0.3, 1.6)])
def test_ways_of_any_length(delay, oldest) -> None:
    outcome = simulate(Viewer(Link(steady(2000), delay), chain=TILE), 300)
    report(f"{delay} s there, as much back", outcome, 60, 300)
    assert outcome.utilisation(60, 300) >= 0.5
    assert outcome.oldest() <= oldest


def test_two_viewers_share_a_network() -> None:
    link = Link(steady(2000))
    one, other = simulate_two(Viewer(link, chain=TILE), Viewer(link, chain=TILE, seed=2), 300)
    shares = [outcome.arrived * 8 / 1000 / 300 for outcome in (one, other)]
    print(f"of 2000 kbit/s: {shares[0]:.0f} and {shares[1]:.0f}")
    assert sum(shares) >= 0.6 * 2000
    assert min(shares) >= 0.5 * max(shares)
    assert max(one.oldest(), other.oldest()) <= 2.0


def test_a_direct_stream_and_its_smaller_one() -> None:
    outcome = simulate(Viewer(Link(steps_of((0, 8000), (20, 1000))), direct=STREAMS), 600)
    report("main and sub stream, 1 Mbit/s", outcome, 30, 600)
    assert outcome.switches[0][1] == 1
    assert outcome.switches[0][0] <= 22
    assert outcome.oldest() <= 2.0
    assert outcome.switches_between(30, 600) <= 2 * 9.5  # a minute


@pytest.mark.parametrize("kbps", [8000, 4400])
def test_a_network_that_just_suffices_keeps_the_large_stream(kbps) -> None:
    assert simulate(Viewer(Link(steady(kbps)), direct=STREAMS), 300).switches == []


def test_below_the_smallest_stream_it_is_transcoded() -> None:
    viewer = Viewer(Link(steps_of((0, 8000), (20, 300), (200, 8000))), direct=STREAMS, chain=BELOW)
    outcome = simulate(viewer, 300)
    report("direct, then 300 kbit/s", outcome, 30, 200)
    assert outcome.switches[0][0] <= 22
    assert outcome.switches[0][1] >= len(STREAMS)
    assert outcome.oldest(18, 26) <= 3.1  # a key frame of 4 Mbit/s was on its way
    assert outcome.oldest(26, 300) <= 2.0
    assert outcome.switches[-1][1] == 0
