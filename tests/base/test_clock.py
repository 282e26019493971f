from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from appliance.base.clock import TICKS_PER_SECOND, local_time

if TYPE_CHECKING:
    from collections.abc import Iterator


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
