"""Rules of recording as values: when they want it, what is none and why, as they are kept."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.clock import TICKS_PER_SECOND
from appliance.base.faults import Fault
from appliance.media.recording_rules import NOT_RECORDED, RecordingMode, RecordingRules, from_kept, kept
from appliance.media.schedule import WeekSpan, parse_schedule

S = TICKS_PER_SECOND
NOW = 1_790_000_000 * S
FRIDAY = datetime(2026, 11, 27, 12, tzinfo=UTC)
SATURDAY = datetime(2026, 11, 28, 12, tzinfo=UTC)
WORK = parse_schedule("mon-fri 07:00-19:00")

rules = st.builds(
    RecordingRules,
    st.sampled_from([RecordingMode.OFF, RecordingMode.CONTINUOUS, RecordingMode.EVENT]),
    st.booleans(),
    st.sampled_from([(), WORK, (WeekSpan((6,), 1320, 360),)]),
    st.integers(0, 30),
    st.integers(1, 3600),
    st.none() | st.integers(1, 3650),
    st.none() | st.floats(0.1, 1e6),
)


@pytest.mark.parametrize(("mode", "since_s", "local", "wanted"), [
    ("off", 0, FRIDAY, False), ("off", None, FRIDAY, False),
    ("continuous", None, SATURDAY, True), ("continuous", 99, SATURDAY, True),
    ("event", None, FRIDAY, False), ("event", 0, SATURDAY, True), ("event", 29.99, FRIDAY, True),
    ("event", 30, FRIDAY, False), ("event", -5, FRIDAY, True),  # one that has not ended yet
    ("schedule", None, FRIDAY, True), ("schedule", None, SATURDAY, False),
    ("schedule", 0, SATURDAY, False),  # whoever set times meant them
])  # fmt: skip
def test_what_is_wanted_when(mode: str, since_s: float | None, local: datetime, wanted: bool) -> None:
    chosen = RecordingRules(RecordingMode(mode), schedule=WORK, post_s=30)
    last = None if since_s is None else NOW - round(since_s * S)
    assert chosen.wants(NOW, last, local) is wanted
    assert chosen.on is (mode != "off")
    assert chosen.ahead == (5 * S if mode == "event" else 0)


def test_an_event_is_as_long_as_ever_when_the_clocks_change() -> None:
    """What the clock on the wall shows meanwhile has no part in it."""
    event = RecordingRules(RecordingMode.EVENT, post_s=60)
    back = datetime(2026, 10, 25, 2, 0, 10, tzinfo=UTC)
    assert event.wants(NOW + 59 * S, NOW, back)
    assert not event.wants(NOW + 60 * S, NOW, back)


def test_a_change_leaves_what_it_does_not_name() -> None:
    first = NOT_RECORDED.changed({"mode": "schedule", "schedule": "mon-fri 07:00-19:00", "max_gb": 20})
    assert first == RecordingRules(RecordingMode.SCHEDULE, schedule=WORK, max_gb=20.0)
    assert first.max_bytes == 20_000_000_000
    second = first.changed({"mode": "event", "pre_s": 0, "retention_days": 7})
    assert second == RecordingRules(RecordingMode.EVENT, False, WORK, 0, 30, 7, 20.0)
    assert second.changed({}) == second
    assert second.changed({"retention_days": None, "max_gb": None, "schedule": []}) == RecordingRules(
        RecordingMode.EVENT, pre_s=0
    )


@pytest.mark.parametrize(("given", "field", "said"), [
    ({"mode": "always"}, "mode", "cannot be always"),
    ({"mode": None}, "mode", "cannot be None"),
    ({"mode": ["off"]}, "mode", "cannot be"),
    ({"mode": "schedule"}, "schedule", "needs a schedule"),
    ({"sub": 1}, "sub", "yes or no"),
    ({"pre_s": 31}, "pre_s", "cannot be 31 s"),
    ({"pre_s": -1}, "pre_s", "cannot be -1 s"),
    ({"pre_s": 5.0}, "pre_s", "whole number"),
    ({"pre_s": True}, "pre_s", "whole number"),
    ({"pre_s": None}, "pre_s", "whole number"),
    ({"post_s": 0}, "post_s", "cannot be 0 s"),
    ({"post_s": 3601}, "post_s", "cannot be 3601 s"),
    ({"retention_days": 0}, "retention_days", "cannot be 0 days"),
    ({"retention_days": 3651}, "retention_days", "cannot be 3651"),
    ({"retention_days": "7"}, "retention_days", "whole number"),
    ({"max_gb": 0}, "max_gb", "cannot be 0 GB"),
    ({"max_gb": 1e9}, "max_gb", "cannot be 1e+09 GB"),
    ({"max_gb": math.nan}, "max_gb", "number of GB"),
    ({"max_gb": True}, "max_gb", "number of GB"),
    ({"schedule": 5}, "schedule", "list of spans"),
    ({"schedule": "mon"}, "schedule", "has no days"),
    ({"quality": "high"}, "quality", "no “quality”"),
])  # fmt: skip
def test_what_cannot_be_is_named(given: dict[str, object], field: str, said: str) -> None:
    with pytest.raises(Fault) as caught:
        NOT_RECORDED.changed(given)
    assert (caught.value.code, caught.value.field) == ("invalid_recording", f"recording.{field}")
    assert said in caught.value.message
    assert caught.value.hint


def test_a_schedule_that_is_followed_cannot_be_taken_away() -> None:
    followed = NOT_RECORDED.changed({"mode": "schedule", "schedule": "daily 00:00-24:00"})
    with pytest.raises(Fault, match="needs a schedule"):
        followed.changed({"schedule": []})


@given(rules)
def test_what_is_kept_comes_back(chosen: RecordingRules) -> None:
    assert from_kept(kept(chosen)) == chosen
    assert NOT_RECORDED.changed(json.loads(json.dumps(chosen.to_json()))) == chosen


def test_nothing_set_is_kept_as_nothing() -> None:
    assert kept(NOT_RECORDED) is None
    assert from_kept(None) == NOT_RECORDED


@pytest.mark.parametrize("text", ["", "x", "5", "null", "[]", '{"mode": "x"}', '{"more": 1}', "[" * 100_000])
def test_what_is_not_of_us_is_no_rules(text: str) -> None:
    with pytest.raises(ValueError, match="no rules of recording"):
        from_kept(text)
