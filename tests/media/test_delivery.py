"""Direct or transcoded and why (row DIR-2): each cause, which of several is told, and the way back."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.media.choice import Admission
from appliance.media.delivery import (
    CALM_S,
    LONGEST_CALM_S,
    NO_VIDEO_S,
    PASSING,
    PROBATION_S,
    Delivery,
    Mode,
    Reason,
    Situation,
    begin,
    follow,
)

GOOD = Situation(fps=25, picture_at_s=0.0)
#: What alone makes each reason.
CAUSES: dict[Reason, dict[str, object]] = {
    Reason.MASK: {"masked": True},
    Reason.OFF: {"allowed": False},
    Reason.REQUESTED: {"asked": "transcoded"},
    Reason.REVERSE: {"speed": -1.0},
    Reason.SPEED: {"speed": 8.0},
    Reason.CODEC: {"admission": Admission.CODEC},
    Reason.LEVEL: {"admission": Admission.LEVEL},
    Reason.SITE_LOST: {"lost": Reason.SITE_LOST},
    Reason.CAMERA_LOST: {"lost": Reason.CAMERA_LOST},
    Reason.ONE_FPS: {"fps": 1.0},
}


def test_every_reason_but_the_one_of_time_has_its_cause_here() -> None:
    assert set(CAUSES) == set(Reason) - {Reason.NO_VIDEO}


@pytest.mark.parametrize("reason", CAUSES)
def test_each_cause_is_followed_at_once_and_told(reason) -> None:
    before = begin(0, GOOD)
    assert (before.mode, before.reason) == (Mode.DIRECT, None)
    after = follow(before, 1, replace(GOOD, **CAUSES[reason]))
    assert (after.mode, after.reason, after.since_s) == (Mode.TRANSCODED, reason, 1)
    assert begin(1, replace(GOOD, **CAUSES[reason])).reason is reason


#: Those that can be there at once: of one field there is but one value.
PAIRS = [(one, other) for one, other in combinations(CAUSES, 2) if not CAUSES[one].keys() & CAUSES[other].keys()]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_of_two_causes_the_one_that_lasts_is_told(first, second) -> None:
    told = begin(0, replace(GOOD, **CAUSES[first], **CAUSES[second])).reason
    assert told is min(first, second, key=list(Reason).index)


@pytest.mark.parametrize("reason", [reason for reason in CAUSES if reason not in PASSING])
def test_what_was_decided_ends_at_once(reason) -> None:
    fallen = begin(0, replace(GOOD, **CAUSES[reason]))
    back = follow(fallen, 5, replace(GOOD, picture_at_s=None))
    assert (back.mode, back.reason, back.since_s) == (Mode.DIRECT, None, 5)
    assert back.look_again_s == 5 + NO_VIDEO_S


@pytest.mark.parametrize(
    ("reason", "mode"),
    [
        (None, Mode.DIRECT),
        (Reason.MASK, Mode.NONE),
        (Reason.OFF, Mode.NONE),
        (Reason.CODEC, Mode.NONE),
        (Reason.LEVEL, Mode.NONE),
        (Reason.SITE_LOST, Mode.DIRECT),
        (Reason.CAMERA_LOST, Mode.DIRECT),
        (Reason.ONE_FPS, Mode.DIRECT),
    ],
)
def test_a_client_that_wants_direct_only_gets_that_or_nothing(reason, mode) -> None:
    got = begin(0, replace(GOOD, **CAUSES.get(reason, {}), asked="direct"))
    assert (got.mode, got.reason) == (mode, reason if mode is Mode.NONE else None)
    waits = follow(got, 100, replace(GOOD, **CAUSES.get(reason, {}), asked="direct", picture_at_s=None))
    assert waits.mode is mode


def test_no_video_for_ten_seconds() -> None:
    waiting = replace(GOOD, picture_at_s=None, fps=None)
    delivery = begin(100, waiting)
    assert delivery.look_again_s == 110
    assert follow(delivery, 109.9, waiting).mode is Mode.DIRECT
    late = follow(delivery, 110, waiting)
    assert (late.mode, late.reason) == (Mode.TRANSCODED, Reason.NO_VIDEO)


def test_video_that_stops_counts_from_its_last_picture() -> None:
    delivery = begin(100, GOOD)
    stopped = replace(GOOD, picture_at_s=107)
    delivery = follow(delivery, 111, stopped)
    assert (delivery.mode, delivery.look_again_s) == (Mode.DIRECT, 117)
    assert follow(delivery, 117, stopped).reason is Reason.NO_VIDEO


def test_pictures_from_before_do_not_make_the_wait_shorter() -> None:
    masked = begin(0, replace(GOOD, masked=True))
    assert follow(masked, 100, GOOD).look_again_s == 110


@pytest.mark.parametrize(
    ("rates", "reason"),
    [
        ([1.0], Reason.ONE_FPS),
        ([0.5], Reason.ONE_FPS),
        ([1.1], Reason.ONE_FPS),
        ([1.3], None),
        ([None], None),
        ([1.0, *[1.3] * 20], Reason.ONE_FPS),  # measured a little above one it is still one
        ([1.0, *[1.6] * 20], None),
        ([1.0, *[None] * 20], Reason.ONE_FPS),
        ([1.3, 1.4, 1.25], None),
    ],
)
def test_one_picture_a_second_as_measured(rates, reason) -> None:
    delivery = begin(0, replace(GOOD, fps=rates[0]))
    for at, fps in enumerate(rates):
        delivery = follow(delivery, at, replace(GOOD, fps=fps, picture_at_s=at))
    assert delivery.reason is reason


def drive(delivery: Delivery, at: float, until: float, situation: Situation, *, comes: bool = True) -> Delivery:
    """Look once a second, as the machine asks to at the latest; pictures come or not."""
    while at < until:
        at += 1
        picture_at = at - 0.04 if comes else situation.picture_at_s
        delivery = follow(delivery, at, replace(situation, picture_at_s=picture_at))
        if delivery.reason in PASSING:
            assert delivery.look_again_s is not None
            assert at < delivery.look_again_s <= at + 1
    return delivery


@pytest.mark.parametrize("reason", sorted(PASSING))
def test_what_happened_has_to_be_over_for_a_while(reason) -> None:
    fallen = Delivery(Mode.TRANSCODED, reason, 0, None)
    nearly = drive(fallen, 0, CALM_S, GOOD)
    assert (nearly.mode, nearly.reason, nearly.since_s) == (Mode.TRANSCODED, reason, 0)
    back = drive(nearly, CALM_S, CALM_S + 1, GOOD)
    assert (back.mode, back.reason) == (Mode.DIRECT, None)


def test_a_camera_that_answers_but_sends_nothing_is_not_back() -> None:
    fallen = Delivery(Mode.TRANSCODED, Reason.CAMERA_LOST, 0, None)
    assert drive(fallen, 0, 60, replace(GOOD, picture_at_s=None), comes=False).reason is Reason.CAMERA_LOST
    assert drive(fallen, 0, 60, replace(GOOD, picture_at_s=-1), comes=False).reason is Reason.CAMERA_LOST


def test_a_relapse_begins_the_wait_anew() -> None:
    fallen = drive(Delivery(Mode.TRANSCODED, Reason.CAMERA_LOST, 0, None), 0, 2, GOOD)
    again = follow(fallen, 2.5, replace(GOOD, lost=Reason.SITE_LOST))
    assert (again.reason, again.calm_since_s) == (Reason.SITE_LOST, None)
    assert drive(again, 3, 5, GOOD).mode is Mode.TRANSCODED


def test_a_mask_goes_before_the_wait() -> None:
    waiting = drive(Delivery(Mode.TRANSCODED, Reason.CAMERA_LOST, 0, None), 0, 2, GOOD)
    assert follow(waiting, 2, replace(GOOD, masked=True)).reason is Reason.MASK


def test_a_camera_that_comes_and_goes_is_left_transcoded_for_longer_and_longer() -> None:
    """Lost every ten seconds for one: at first it flaps along, then hardly ever, and once it is good it is forgiven."""
    delivery, changes = begin(0, GOOD), []
    for tick in range(1, 6000):
        at = tick / 10
        lost = Reason.CAMERA_LOST if at % 10 < 1 else None
        after = follow(delivery, at, replace(GOOD, lost=lost, picture_at_s=at if lost is None else at - at % 10))
        if after.mode is not delivery.mode:
            changes.append(at)
        delivery = after
    assert len(changes) <= 8
    assert changes[-1] < 60
    calm = drive(delivery, 600, 600 + LONGEST_CALM_S + PROBATION_S, GOOD)
    assert calm.mode is Mode.DIRECT
    assert follow(calm, 1000, replace(GOOD, lost=Reason.CAMERA_LOST)).calm_s == CALM_S


situations = st.builds(
    Situation,
    asked=st.sampled_from(["auto", "direct", "transcoded"]),
    masked=st.booleans(),
    allowed=st.booleans(),
    admission=st.sampled_from(Admission),
    lost=st.sampled_from([None, None, Reason.SITE_LOST, Reason.CAMERA_LOST]),
    fps=st.sampled_from([None, 0.5, 1.0, 1.3, 25.0]),
)


@given(steps=st.lists(st.tuples(st.floats(0.01, 20), situations, st.booleans()), min_size=1, max_size=30))
def test_whatever_happens(steps) -> None:
    at, picture_at, delivery = 0.0, None, None
    seen: list[tuple[float, Delivery]] = []
    for wait, described, comes in steps:
        at += wait
        picture_at = at if comes else picture_at
        situation = replace(described, picture_at_s=picture_at)
        delivery = begin(at, situation) if delivery is None else follow(delivery, at, situation)
        seen.append((at, delivery))
        assert (delivery.mode is Mode.DIRECT) is (delivery.reason is None)
        assert not (situation.masked and delivery.mode is Mode.DIRECT)
        assert delivery.mode is not Mode.NONE or situation.asked == "direct"
        assert CALM_S <= delivery.calm_s <= LONGEST_CALM_S
        assert delivery.look_again_s is None or delivery.look_again_s > at
        assert delivery.since_s <= at
        if not situation.masked and situation.allowed and situation.asked == "transcoded":
            assert delivery.reason is Reason.REQUESTED
        assert follow(delivery, at, situation) == delivery or delivery.reason is None or delivery.reason in PASSING
    for (_, one), (_, other) in pairwise(seen):
        assert other.since_s == one.since_s or (one.mode, one.reason) != (other.mode, other.reason)
