"""What changes on the server changes on the open page: cameras come and go, rights are given and taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.pictures import ALIKE, footage, grab, nearest
from tests.e2e.visit import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.house import House
    from tests.e2e.visit import Visit
    from tests.peers.cameras import Cameras

pytestmark = [pytest.mark.browser, pytest.mark.peer]
DEMO = False


@pytest.fixture(scope="module", autouse=True)
def watched(house: House, cameras: Cameras) -> None:
    house.add_camera("Yard", cameras.url("/sub"))


def test_an_open_page_shows_a_new_camera_by_itself_and_forgets_a_removed_one(
    visit: Callable[..., Visit], house: House, cameras: Cameras
) -> None:
    page = visit()
    page.come_as("admin")
    page.live("Yard")
    expect(page.page.locator(".strip")).to_contain_text("1 camera")
    house.add_camera("Quay", cameras.url("/sub", 2))
    tile = page.live("Quay")
    page.advances(tile)
    assert nearest(grab(tile).image, footage("sub"))[1] < ALIKE  # type: ignore[union-attr]
    expect(page.page.locator(".strip")).to_contain_text("2 cameras")
    house.remove_camera("Quay")
    expect(tile).to_have_count(0, timeout=PATIENCE_S * 1000)
    page.advances(page.live("Yard"))


def test_a_page_without_cameras_shows_the_first_one(visit: Callable[..., Visit], house: House) -> None:
    house.add_user("vera")
    page = visit()
    page.come_as("vera")
    expect(page.page.get_by_text("You may not watch any camera yet. Ask your administrator.")).to_be_visible()
    house.fanal("user", "set", "vera", "live=Yard")
    page.advances(page.live("Yard"))


def test_a_right_that_is_taken_takes_the_picture_at_once(visit: Callable[..., Visit], house: House) -> None:
    house.add_user("mira", "live=Yard")
    page = visit()
    page.come_as("mira")
    tile = page.live("Yard")
    page.advances(tile)
    page.page.evaluate("""() => {
      window.kept = [...document.querySelectorAll("video")];
      window.sounds = 0;
    }""")
    house.fanal("user", "set", "mira", "live=none")
    expect(page.page.locator("video")).to_have_count(0, timeout=5000)
    expect(tile).to_have_count(0)
    expect(page.page.get_by_text("You may not watch any camera yet. Ask your administrator.")).to_be_visible()
    # nothing of it is kept in memory either
    assert page.page.evaluate("window.kept.every((video) => video.videoWidth === 0 && video.buffered.length === 0)")


def test_a_right_that_is_taken_while_the_camera_fills_the_page(visit: Callable[..., Visit], house: House) -> None:
    house.add_user("nora", "live=Yard")
    page = visit()
    page.come_as("nora")
    page.live("Yard").dblclick()
    stage = page.page.locator(".stage")
    page.until("a picture", lambda: page.current_time(stage))
    house.fanal("user", "set", "nora", "live=none")
    expect(page.page.locator("video")).to_have_count(0, timeout=5000)
    expect(page.page.get_by_text("This camera is not here any more.")).to_be_visible()
    house.fanal("user", "set", "nora", "live=Yard")
    page.until("the picture is back", lambda: page.page.locator("video").count() and page.current_time(stage))


def test_listening_needs_its_own_right(visit: Callable[..., Visit], house: House, cameras: Cameras) -> None:
    house.add_camera("Pier", cameras.url(camera=2))
    house.add_user("olga", "live=Pier", "audio=Pier")
    page = visit()
    page.come_as("olga")
    tile = page.live("Pier")
    tile.hover()
    tile.get_by_role("button", name="Sound on").click()
    expect(tile.locator(".pc", has_text="Sound on")).to_be_visible(timeout=PATIENCE_S * 1000)
    house.fanal("user", "set", "olga", "audio=none")
    expect(tile.get_by_role("button", name="Sound o")).to_have_count(0, timeout=PATIENCE_S * 1000)
    expect(tile.locator(".pc")).to_have_count(0, timeout=PATIENCE_S * 1000)
    page.advances(page.live("Pier"))
    assert page.video(tile, "video.webkitAudioDecodedByteCount") == 0
