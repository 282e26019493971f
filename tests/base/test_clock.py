from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.clock import TICKS_PER_SECOND, from_rfc3339, local_time, to_rfc3339, zone_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def zones(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    yield monkeypatch
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(("utc", "zone", "shown"), [
    (1_792_886_400, "Europe/Berlin", "2026-10-25T02:00:00"),  # 00:00 UTC
    (1_792_890_000, "Europe/Berlin", "2026-10-25T02:00:00"),  # an hour later, again
    (1_774_746_000, "Europe/Berlin", "2026-03-29T03:00:00"),  # 01:00 UTC: there is no 02:00
    (1_792_886_400, "Asia/Kathmandu", "2026-10-25T05:45:00"),
    (1_792_886_400, "UTC", "2026-10-25T00:00:00"),
])  # fmt: skip
def test_the_clock_on_the_wall_is_that_of_the_machine_now(
    zones: pytest.MonkeyPatch, utc: int, zone: str, shown: str
) -> None:
    zones.setenv("TZ", zone)  # without a tzset, as when somebody sets the machine's zone
    assert local_time(utc * TICKS_PER_SECOND + 1).isoformat() == shown


@pytest.mark.parametrize(("told", "target", "name"), [
    (None, "/usr/share/zoneinfo/Europe/Berlin", "Europe/Berlin"),
    (None, "../usr/share/zoneinfo/America/Argentina/Ushuaia", "America/Argentina/Ushuaia"),
    (None, None, "UTC"),  # as tzset(3)
    (None, "/somewhere/else/../zoneinfo/../../etc/passwd", ""),
    ("Asia/Tokyo", "/usr/share/zoneinfo/Europe/Berlin", "Asia/Tokyo"),
    (":Asia/Tokyo", None, "Asia/Tokyo"),
    ("", "/usr/share/zoneinfo/Europe/Berlin", "UTC"),
    ("<+03>-3", None, ""),
])  # fmt: skip
def test_the_zone_of_the_machine_has_a_name(told: str | None, target: str | None, name: str, tmp_path: Path) -> None:
    link = tmp_path / "localtime"
    if target is not None:
        link.symlink_to(target)
    assert zone_name(link, {} if told is None else {"TZ": told}) == name


def test_a_copy_of_a_zone_does_not_say_of_which(tmp_path: Path) -> None:
    (tmp_path / "localtime").write_bytes(b"TZif2")
    assert zone_name(tmp_path / "localtime", {}) == ""


@given(st.integers(31_536_000, 253_300_000_000), st.integers(0, 999_999), st.integers(-1439, 1439))
def test_a_time_is_read_as_others_write_it(seconds: int, microseconds: int, east: int) -> None:
    there = datetime.fromtimestamp(seconds, timezone(timedelta(minutes=east))).replace(microsecond=microseconds)
    expected = seconds * TICKS_PER_SECOND + microseconds * TICKS_PER_SECOND // 1_000_000
    assert from_rfc3339(there.isoformat()) == expected


@given(st.integers(0, 200_000_000_000_000))
def test_a_time_that_was_written_is_read_back(milliseconds: int) -> None:
    assert from_rfc3339(to_rfc3339(milliseconds * 90)) == milliseconds * 90


@pytest.mark.parametrize(
    "text",
    [
        "", "now", "2026-03-12", "2026-03-12T14:03:27", "2026-03-12T14:03Z", "2026-13-12T14:03:27Z",
        "2026-02-29T14:03:27Z", "2026-03-12T24:03:27Z", "2026-03-12T14:60:27Z", "2026-03-12T14:03:61Z",
        "2026-03-12T14:03:27+24:00", "2026-03-12T14:03:27+01:60", "2026-03-12T14:03:27 01:00",
        "2026-03-12T14:03:27,5Z", "2026-03-12T14:03:27.Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01", "２０２６-03-12T14:03:27Z", "2026-03-12T14:03:27Z\n", "0000-01-01T00:00:00Z",
        "2026-03-12T14:03:27." + "1" * 5000 + "Z",
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a time|no such|out of range|must be in|day"):
        from_rfc3339(text)


def test_a_leap_second_is_the_next_and_a_fraction_goes_down() -> None:
    assert from_rfc3339("2016-12-31T23:59:60Z") == from_rfc3339("2017-01-01T00:00:00z")
    assert from_rfc3339("1970-01-01 00:00:00.999999999999Z") == TICKS_PER_SECOND - 1
