"""How a camera is recorded, and what is kept of all of them, set in the page and read back at the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.visit import PATIENCE_S, PHONE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.house import House
    from tests.e2e.visit import Visit

pytestmark = [pytest.mark.browser]
DEMO = False
MS = PATIENCE_S * 1000


def test_a_camera_is_to_be_recorded_by_a_schedule_and_kept_for_so_long(
    house: House, visit: Callable[..., Visit]
) -> None:
    house.add_camera("Yard", "rtsp://127.0.0.1:9/main", "rtsp://127.0.0.1:9/sub")
    one = visit(size=PHONE, has_touch=True, is_mobile=True)
    one.known_as("admin")
    page = one.page
    one.open("/settings/cameras")
    page.locator(".dev", has_text="Yard").click()
    part = page.get_by_role("region", name="Recording")
    part.get_by_role("button", name="Schedule", exact=True).click()
    times = part.get_by_role("listitem", name="Times 1")
    for day in ("Mon", "Sat"):
        times.get_by_role("button", name=day, exact=True).click()
    times.get_by_label("From", exact=True).fill("22:00")
    times.get_by_label("To", exact=True).fill("22:00")
    expect(times.get_by_role("alert")).to_have_text("Enter two different times.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(times.get_by_role("button", name="Mon", exact=True)).to_be_focused()
    times.get_by_label("To", exact=True).fill("06:00")
    part.get_by_role("switch", name="Record the smaller stream, too").click()
    part.get_by_label("Keep for days").fill("14")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".toast")).to_contain_text("Saved. In force.", timeout=MS)
    expect(page.locator(".savebar")).to_have_count(0)
    assert "Yard: recorded tue-sat 22:00-06:00, sub stream too, kept 14 days" in house.fanal("camera", "list")

    house.fanal("camera", "set", "Yard", "recording=event", "pre=7")  # somebody else, meanwhile
    expect(part.get_by_label("Before an event, s")).to_have_value("7", timeout=MS)

    one.open("/settings/recording")
    page.locator('input[name="retention_days"]').fill("0")
    expect(page.get_by_role("alert")).to_have_text("Enter 1 to 3,650.")
    page.locator('input[name="retention_days"]').fill("60")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".toast")).to_contain_text("Saved. In force.", timeout=MS)
    assert house.fanal("config", "get", "recording.retention_days").strip() == "60"
