"""A privacy mask is drawn in the page, and hides what it covers from who may not see it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.e2e.axe import Judge
from tests.e2e.pictures import grab
from tests.e2e.test_signing_in import TOO_SMALL, TOO_WIDE
from tests.e2e.visit import PATIENCE_S, PHONE

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

    from tests.e2e.house import House
    from tests.e2e.visit import Visit

pytestmark = pytest.mark.browser
DEMO = True
MS = PATIENCE_S * 1000


def drag(page: Page, stage: Locator, start: tuple[float, float], end: tuple[float, float]) -> None:
    """With the mouse, between two places given as fractions of the picture."""
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box is not None
    (ax, ay), (bx, by) = ((box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end))
    page.mouse.move(ax, ay)
    page.mouse.down()
    page.mouse.move((ax + bx) / 2, (ay + by) / 2)
    page.mouse.move(bx, by)
    page.mouse.up()


def saved(house: House) -> list[list[tuple[float, float]]]:
    (camera,) = house.cameras()
    return [[(x, y) for x, y in area] for area in camera["mask"]]


def near(area: list[tuple[float, float]], wanted: list[tuple[float, float]]) -> bool:
    """To half a percent: the mouse points at whole pixels."""
    return len(area) == len(wanted) and bool(np.allclose(area, wanted, atol=0.006))


def test_a_mask_is_drawn_moved_and_saved_and_hides_what_it_covers(visit: Callable[..., Visit], house: House) -> None:
    house.add_user("anna", "live=all")
    one, other = visit(reduced_motion="reduce"), visit()
    other.come_as("anna")
    tile = other.live("Demo")
    expect(tile.get_by_text("Privacy mask")).to_have_count(0)

    one.known_as("admin")
    page = one.page
    one.open("/settings/cameras")
    page.locator(".dev").click()
    page.get_by_role("button", name="Edit the mask").click()
    dialog = page.get_by_role("dialog", name="Privacy mask of Demo")
    stage = dialog.get_by_role("group", name="Areas of the mask")
    expect(stage.get_by_role("img")).to_be_visible(timeout=MS)
    one.until("the picture is there", lambda: stage.locator("img").evaluate("(img) => img.naturalWidth") > 0)
    points = stage.get_by_role("button", name="Area 1, point")

    drag(page, stage, (0.1, 0.2), (0.4, 0.6))  # drawn
    expect(points).to_have_count(4)
    drag(page, stage, (0.4, 0.6), (0.5, 0.7))  # a point of it moved
    drag(page, stage, (0.1, 0.4), (0.05, 0.4))  # one made between two
    expect(points).to_have_count(5)
    drag(page, stage, (0.25, 0.4), (0.3, 0.4))  # all of it moved
    points.nth(4).focus()
    page.keyboard.press("Delete")
    expect(points).to_have_count(4)
    points.nth(0).focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowUp")
    expect(points.nth(0)).to_have_accessible_name(
        "Area 1, point 1: 14 percent from the left, 19.9 percent from the top"
    )
    expect(points.nth(0)).to_be_focused()
    judge = Judge(page, "en", touch=False)
    judge.look("the mask editor")
    assert judge.found == []
    page.keyboard.press("Escape")
    expect(dialog).to_contain_text("The mask is not saved.")
    dialog.get_by_role("button", name="Save the mask").click()
    expect(dialog).to_have_count(0)
    expect(page.locator(".toast")).to_contain_text("Saved. In force.")
    expect(page.locator(".ed")).to_contain_text("1 area")
    (area,) = saved(house)
    assert near(area, [(0.14, 0.199), (0.45, 0.2), (0.55, 0.7), (0.15, 0.6)]), area

    # who watches has it at once, in the pixels
    expect(tile.get_by_text("Privacy mask")).to_be_visible(timeout=MS)
    other.until("the picture is masked", lambda: hidden(tile, 0.2, 0.3, 0.4, 0.5))
    assert not hidden(tile, 0.6, 0.1, 0.95, 0.9)

    page.get_by_role("button", name="Edit the mask").click()
    dialog.get_by_text("By numbers").click()
    numbers = dialog.get_by_label("Points of all areas")
    numbers.fill("0,0 1,0 1,1 2,2")
    expect(dialog.get_by_role("alert")).to_contain_text("This is no mask")
    expect(dialog.get_by_role("button", name="Save the mask")).to_be_disabled()
    numbers.fill("0,0 0.5,0 0.5,1 0,1; 0.8,0.8 1,0.8 1,1")
    dialog.get_by_role("button", name="Save the mask").click()
    expect(dialog).to_have_count(0)
    assert saved(house) == [[(0, 0), (0.5, 0), (0.5, 1), (0, 1)], [(0.8, 0.8), (1, 0.8), (1, 1)]]

    page.get_by_role("button", name="Edit the mask").click()
    for _ in range(2):
        dialog.get_by_role("button", name="Remove this area").click()
    dialog.get_by_role("button", name="Save without a mask").click()
    expect(page.locator(".ed")).to_contain_text("None")
    assert saved(house) == []
    expect(tile.get_by_text("Privacy mask")).to_have_count(0, timeout=MS)


def hidden(tile: Locator, left: float, top: float, right: float, bottom: float) -> bool:
    """Whether this part of what is shown is black."""
    found = grab(tile)
    if found is None:
        return False
    image = np.asarray(found.image)
    rows, columns = image.shape[:2]
    return int(image[int(top * rows) : int(bottom * rows), int(left * columns) : int(right * columns)].max()) <= 8


def test_a_mask_is_drawn_with_a_finger(visit: Callable[..., Visit], house: House) -> None:
    one = visit(size=PHONE, has_touch=True, is_mobile=True)
    page = one.page
    one.known_as("admin")
    one.open("/settings/cameras")
    page.locator(".dev").click()
    page.get_by_role("button", name="Edit the mask").click()
    stage = page.get_by_role("group", name="Areas of the mask")
    one.until("the picture is there", lambda: stage.locator("img").evaluate("(img) => img.naturalWidth") > 0)
    box = one.box_for(stage)
    touch = page.context.new_cdp_session(page)
    for kind, x, y in (("touchStart", 0.2, 0.2), ("touchMove", 0.4, 0.4), ("touchMove", 0.7, 0.8), ("touchEnd", 0, 0)):
        at = [] if kind == "touchEnd" else [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})
    points = stage.get_by_role("button", name="Area 1, point")
    expect(points).to_have_count(4)
    points.nth(0).tap()
    page.get_by_role("button", name="Remove this point").tap()
    expect(points).to_have_count(3)
    assert page.evaluate(TOO_SMALL) == []
    assert not page.evaluate(TOO_WIDE)
    page.get_by_role("button", name="Save the mask").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    (area,) = saved(house)
    assert near(area, [(0.7, 0.2), (0.7, 0.8), (0.2, 0.8)]), json.dumps(area)
    house.fanal("camera", "set", "Demo", "mask=none")
    assert saved(house) == []
