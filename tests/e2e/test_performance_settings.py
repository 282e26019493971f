"""The performance settings in the page: what is wrong is said before the server is asked, what is saved is in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.visit import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.house import House
    from tests.e2e.visit import Visit

pytestmark = [pytest.mark.browser]
DEMO = False
MS = PATIENCE_S * 1000


def test_a_level_is_set_and_in_force_and_a_mistake_is_said(house: House, visit: Callable[..., Visit]) -> None:
    one = visit()
    one.known_as("admin")
    page = one.page
    one.open("/settings/performance")
    field = page.locator('.perf input[name="level2.max_fps"]')
    page.locator(".perf section").nth(2).get_by_role("switch").click()
    field.fill("25")
    expect(page.locator(".perf .errmsg")).to_have_text("Must be below level 1 (25).", timeout=MS)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(field).to_be_focused()
    field.fill("12")
    page.get_by_role("button", name="Low bandwidth", exact=True).click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".toast")).to_contain_text("Saved. In force.", timeout=MS)
    expect(page.locator(".savebar")).to_have_count(0)
    shown = {
        key: house.fanal("config", "get", f"performance.{key}").strip() for key in ("level2.enabled", "level2.max_fps")
    }
    assert shown == {"level2.enabled": "on", "level2.max_fps": "12"}
    assert house.fanal("config", "get", "performance.adaptive_mode").strip() == "bandwidth"
