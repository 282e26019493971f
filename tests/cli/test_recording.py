"""How a camera is recorded, as it is typed and shown."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.base.faults import Fault
from appliance.cli.recording import show_recording, take_recording
from appliance.cli.status import show_recorded
from appliance.media.recording_rules import NOT_RECORDED


@pytest.mark.parametrize(("typed", "recording"), [
    ({"recording": " Continuous "}, {"mode": "continuous"}),
    ({"record_sub": "Yes", "pre": "5", "post": "0030"}, {"sub": True, "pre_s": 5, "post_s": 30}),
    ({"record_sub": "off", "max_gb": "1.5", "retention_days": "7"}, {"sub": False, "max_gb": 1.5, "retention_days": 7}),
    ({"max_gb": "", "retention_days": "default"}, {"max_gb": None, "retention_days": None}),
    ({"schedule": "mon 07:00-08:00"}, {"schedule": "mon 07:00-08:00"}),
])  # fmt: skip
def test_what_is_typed_is_what_the_interface_takes(typed: dict[str, str], recording: dict[str, Any]) -> None:
    assert take_recording(typed | {"name": "gate"}) == {"name": "gate", "recording": recording}


def test_a_change_of_something_else_leaves_recording_alone() -> None:
    assert take_recording({"name": "gate"}) == {"name": "gate"}


@pytest.mark.parametrize(("typed", "said"), [
    ({"record_sub": "perhaps"}, "record_sub is yes or no"), ({"pre": "five"}, "pre is a number"),
    ({"pre": ""}, "pre is a number"), ({"retention_days": "1.5"}, "retention_days is a number"),
])  # fmt: skip
def test_what_is_mistyped_is_said(typed: dict[str, str], said: str) -> None:
    with pytest.raises(Fault, match=said) as caught:
        take_recording(typed)
    assert caught.value.hint


@pytest.mark.parametrize(("given", "shown"), [
    ({}, ""),
    ({"mode": "continuous"}, "continuous"),
    ({"mode": "continuous", "sub": True, "retention_days": 7, "max_gb": 20},
     "continuous, sub stream too, kept 7 days, at most 20 GB"),
    ({"mode": "event", "pre_s": 0}, "from 0 s before an event to 30 s after it"),
    ({"mode": "schedule", "schedule": "daily 22:00-6:00"}, "daily 22:00-06:00"),
])  # fmt: skip
def test_it_is_shown_in_a_line(given: dict[str, Any], shown: str) -> None:
    assert show_recording(NOT_RECORDED.changed(given).to_json()) == shown


@pytest.mark.parametrize(("rate", "oldest", "free", "shown"), [
    (0.0, None, 2e9, "2 cameras, 0.00 GB, 0.0 GB a day; 2.0 GB free"),
    (1e6, "2026-03-01T08:15:00.000Z", 864e9,
     "2 cameras, 0.00 GB since 2026-03-01 08:15 UTC, 86.4 GB a day; 864.0 GB free, enough for 10 more days"),
    (1e6, None, 43.2e9, "2 cameras, 0.00 GB, 86.4 GB a day; 43.2 GB free, enough for 12 more hours"),
])  # fmt: skip
def test_what_was_recorded_is_a_line_of_the_status(rate: float, oldest: str | None, free: float, shown: str) -> None:
    found = {
        "cameras": [{"name": "a"}, {"name": "b"}],
        "bytes": 0,
        "bytes_per_second": rate,
        "oldest": oldest,
        "free_bytes": free,
    }
    assert show_recorded(found) == shown


def test_cameras_that_are_gone_are_said_apart() -> None:
    cameras = [{"name": "a"}, {"name": None}]
    found = {"cameras": cameras, "bytes": 0, "bytes_per_second": 0.0, "oldest": None, "free_bytes": 2e9}
    assert show_recorded(found) == "2 cameras (1 removed since), 0.00 GB, 0.0 GB a day; 2.0 GB free"
