"""Weekly schedules: as text, as JSON, at midnight, and in the nights in which the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.faults import Fault
from appliance.media.schedule import (
    DAY_MINUTES,
    DAYS,
    WeekSpan,
    covers,
    parse_schedule,
    schedule_from_json,
    schedule_to_json,
    show_schedule,
)

WORK = (0, 1, 2, 3, 4)
ALL = (0, 1, 2, 3, 4, 5, 6)

spans = st.builds(
    WeekSpan,
    st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    st.integers(0, DAY_MINUTES - 1),
    st.integers(1, DAY_MINUTES),
).filter(lambda span: span.start != span.end)


@pytest.mark.parametrize(("text", "schedule", "shown"), [
    ("", (), ""),
    ("mon-fri 07:00-19:00; sat 08:00-12:00",
     (WeekSpan(WORK, 420, 1140), WeekSpan((5,), 480, 720)), "mon-fri 07:00-19:00; sat 08:00-12:00"),
    ("  MON , wed,fri  7:00-19:05 ;", (WeekSpan((0, 2, 4), 420, 1145),), "mon,wed,fri 07:00-19:05"),
    ("fri-mon 22:00-06:00", (WeekSpan((0, 4, 5, 6), 1320, 360),), "mon,fri-sun 22:00-06:00"),
    ("daily 00:00-24:00", (WeekSpan(ALL, 0, 1440),), "daily 00:00-24:00"),
    ("* 00:00-00:00", (WeekSpan(ALL, 0, 1440),), "daily 00:00-24:00"),
    ("mon-sun 12:00-00:00", (WeekSpan(ALL, 720, 1440),), "daily 12:00-24:00"),
    ("sat,sun 01:00-02:00", (WeekSpan((5, 6), 60, 120),), "sat,sun 01:00-02:00"),
    ("mon,mon mon 01:00-02:00", (WeekSpan((0,), 60, 120),), "mon 01:00-02:00"),
])  # fmt: skip
def test_a_text_is_read_and_shown(text: str, schedule: tuple[WeekSpan, ...], shown: str) -> None:
    assert parse_schedule(text) == schedule
    assert show_schedule(schedule) == shown


@pytest.mark.parametrize(("text", "said"), [
    ("always", "has no days"),
    ("07:00-19:00", "has no days"),
    ("someday 07:00-19:00", "“someday” is not a day"),
    ("mon- 07:00-19:00", "“” is not a day"),
    ("mon 07:00", "“” is not a time"),
    ("mon 07-19", "“07” is not a time"),
    ("mon 07:60-19:00", "“07:60” is not a time"),
    ("mon 07:00-24:01", "“24:01” is not a time"),
    ("mon ٠٧:00-19:00", "is not a time"),
    ("mon 24:00-06:00", "cannot begin at 24:00"),
    ("mon 07:00-07:00", "begins and ends at 07:00"),
    ("; ".join(["mon 07:00-08:00"] * 65), "more than 64 spans"),
    ("mon 07:00-08:00;" * 2000, "too long"),
])  # fmt: skip
def test_what_is_no_schedule_is_said(text: str, said: str) -> None:
    with pytest.raises(Fault) as caught:
        parse_schedule(text)
    assert (caught.value.code, caught.value.field) == ("invalid_recording", "recording.schedule")
    assert said in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("value", [
    None, 5, {}, "mon", [5], [[]], [{}], [{"days": ["mon"], "from": "07:00"}],
    [{"days": "mon", "from": "07:00", "to": "08:00"}], [{"days": [], "from": "07:00", "to": "08:00"}],
    [{"days": [1], "from": "07:00", "to": "08:00"}], [{"days": ["mon"], "from": 7, "to": "08:00"}],
    [{"days": ["mon"], "from": "07:00", "to": "08:00", "more": 1}],
    [{"days": ["mon"], "from": "07:00", "to": "08:00"}] * 65,
])  # fmt: skip
def test_json_of_another_shape_is_refused(value: object) -> None:
    with pytest.raises(Fault) as caught:
        schedule_from_json(value)
    assert caught.value.field == "recording.schedule"


@given(st.lists(spans, max_size=8).map(tuple))
def test_text_and_json_keep_all_of_it(schedule: tuple[WeekSpan, ...]) -> None:
    assert parse_schedule(show_schedule(schedule)) == schedule
    assert schedule_from_json(schedule_to_json(schedule)) == schedule


@given(spans, st.integers(0, 7 * DAY_MINUTES - 1))
def test_a_span_covers_the_minutes_that_counting_on_from_its_days_gives(span: WeekSpan, minute: int) -> None:
    length = (span.end - span.start) % DAY_MINUTES or DAY_MINUTES
    counted = {
        (day * DAY_MINUTES + span.start + each) % (7 * DAY_MINUTES) for day in span.days for each in range(length)
    }
    monday = datetime(2026, 11, 23, tzinfo=UTC).replace(tzinfo=None)
    assert span.covers(monday + timedelta(minutes=minute)) == (minute in counted)


@given(st.lists(spans, max_size=4).map(tuple), st.integers(0, 7 * DAY_MINUTES - 1))
def test_spans_that_overlap_are_their_union(schedule: tuple[WeekSpan, ...], minute: int) -> None:
    local = datetime(2026, 11, 23, tzinfo=UTC).replace(tzinfo=None) + timedelta(minutes=minute)
    assert covers(schedule, local) == any(span.covers(local) for span in schedule)


@pytest.mark.parametrize(("text", "zone", "day", "minutes"), [
    # Berlin: 25 October 2026, 3:00 is 2:00 again; 29 March 2026, 2:00 is 3:00
    ("daily 00:00-24:00", "Europe/Berlin", "2026-10-25", 25 * 60),
    ("daily 00:00-24:00", "Europe/Berlin", "2026-03-29", 23 * 60),
    ("sun 02:00-03:00", "Europe/Berlin", "2026-10-25", 120),  # the hour that comes twice, twice
    ("sun 02:00-03:00", "Europe/Berlin", "2026-03-29", 0),  # the hour that is left out, not
    ("sun 01:30-02:30", "Europe/Berlin", "2026-10-25", 30 + 30 + 30),
    ("sun 02:30-03:30", "Europe/Berlin", "2026-03-29", 30),
    ("sat 22:00-06:00", "Europe/Berlin", "2026-10-25", 7 * 60),  # of the span that began the day before
    ("sat 22:00-06:00", "Europe/Berlin", "2026-03-29", 5 * 60),
    ("sun 01:00-03:00", "Australia/Lord_Howe", "2026-04-05", 150),  # half an hour, twice
    ("daily 09:00-10:00", "Asia/Kathmandu", "2026-06-01", 60),
])  # fmt: skip
def test_in_the_night_of_a_change_the_clock_on_the_wall_counts(text: str, zone: str, day: str, minutes: int) -> None:
    """Every minute of that local day, counted in UTC."""
    schedule, info = parse_schedule(text), ZoneInfo(zone)
    noon = datetime.fromisoformat(day + "T12:00").replace(tzinfo=info).astimezone(UTC)
    local = [(noon + timedelta(minutes=each)).astimezone(info) for each in range(-16 * 60, 16 * 60)]
    assert sum(covers(schedule, each) for each in local if each.date().isoformat() == day) == minutes


def test_the_days_are_those_of_the_calendar() -> None:
    for number, name in enumerate(DAYS):
        local = datetime(2026, 11, 23 + number, 12, tzinfo=UTC)
        assert local.strftime("%a").lower() == name
        assert parse_schedule(f"{name} 12:00-12:01")[0].covers(local)
