"""Transcoded pictures in the browser: the right ones, the newest, without a black one where video begins or ends."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.made import Between, jpegs
from tests.e2e.pictures import ALIKE, WATCH, footage, grab, nearest
from tests.e2e.visit import PATIENCE_S, PHONE, SHOWN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Locator

    from tests.e2e.house import House
    from tests.e2e.visit import Visit
    from tests.peers.cameras import Cameras

pytestmark = [pytest.mark.browser, pytest.mark.peer]
DEMO = False
#: What browsers have without any way to play video.
NO_MEDIA = "delete window.MediaSource; delete window.ManagedMediaSource;"


@pytest.fixture(scope="module", autouse=True)
def watched(house: House, cameras: Cameras) -> None:
    house.add_camera("Yard", cameras.url(), cameras.url("/sub"))


def kind(where: Locator) -> str | None:
    """The element that shows the picture: ``VIDEO``, ``CANVAS``."""
    found = where.locator(".player").first.evaluate(f"(player) => ({SHOWN})(player)?.nodeName ?? null")
    return None if found is None else str(found)


def shows(page: Visit, where: Locator, number: int) -> None:
    """This picture of the clip, and no other."""
    clip = footage("main")

    def right() -> bool:
        picture = grab(where)
        if picture is None:
            return False
        found, far = nearest(picture.image, clip)
        return found == number and far < ALIKE

    page.until(f"picture {number}", right)


def pictures(page: Visit, reason: str) -> tuple[Between, Locator]:
    """A page that shows transcoded pictures, and its tile."""
    between = Between(page, direct=False)
    page.come_as("admin")
    between.announce(reason)
    between.give(0)
    return between, page.live("Yard")


def test_the_pixels_are_those_of_the_clip_and_the_newest_picture_wins(visit: Callable[..., Visit]) -> None:
    page = visit()
    between, tile = pictures(page, "codec")
    shows(page, tile, 0)
    assert kind(tile) == "CANVAS"
    assert [worker.url for worker in page.page.workers if "jpeg-worker" in worker.url]  # not on the page's own thread
    for number in (20, 40, 60):  # far enough from each other to be told apart
        between.give(number)
        shows(page, tile, number)
    between.said.clear()
    for number in range(50):  # more than can be shown
        between.give(number)
    shows(page, tile, 49)
    page.until("it tells what it left out", lambda: sum(m.get("dropped", 0) for m in between.said) > 0)
    assert all(m["buffer_s"] == 0 for m in between.said if m["type"] == "stats")


def test_the_way_the_reason_and_the_figures_are_on_the_tile(visit: Callable[..., Visit]) -> None:
    page = visit()
    between, tile = pictures(page, "no_video_10s")
    expect(tile.locator(".pc")).to_have_attribute("title", "Transcoded: no direct video for 10 s")
    expect(tile).to_have_attribute("aria-label", "Yard, live, transcoded")
    page.page.keyboard.press("d")
    line = tile.locator(".inf")

    def right() -> bool:
        between.play(1)
        found = re.match(
            r"^Transcoded · main · 640×360 · (\d+)\sfps · (\d+)\skB/s · delay (\d\.\d)\ss$", line.inner_text()
        )
        if found is None:
            return False
        expected = sum(map(len, jpegs("main"))) / len(jpegs("main")) * int(found[1]) / 1000
        return 5 <= int(found[1]) <= 11 and 0.6 < int(found[2]) / expected < 1.6 and float(found[3]) < 2

    page.until("the figures", right)


def test_video_and_pictures_follow_each_other_without_a_black_one(visit: Callable[..., Visit]) -> None:
    page = visit(size={"width": 1000, "height": 600})
    between = Between(page)
    page.come_as("admin")
    tile = page.live("Yard")
    page.advances(tile)
    page.page.evaluate(WATCH)
    between.announce("camera_lost")
    between.play(0.5)
    page.until("pictures", lambda: kind(tile) == "CANVAS")
    between.play(1)
    expect(tile.locator(".player > *:visible")).to_have_count(1)
    assert nearest(page.until("a picture", lambda: grab(tile)).image, footage("main"))[1] < ALIKE
    between.direct_again()
    page.until("video", lambda: kind(tile) == "VIDEO")
    page.advances(page.live("Yard"))
    expect(tile.locator(".player canvas.pictures")).to_have_count(0)
    painted = page.page.evaluate("() => { cancelAnimationFrame(window.looking); return window.painted; }")
    assert len(painted) > 50
    # the clip's own pictures are all about as bright
    assert min(bright for _, bright in painted) > 0.6 * float(footage("sub").mean())


def test_without_media_source_pictures_are_asked_for_and_it_is_said(visit: Callable[..., Visit]) -> None:
    page = visit()
    page.context.add_init_script(NO_MEDIA)
    between, tile = pictures(page, "requested")
    assert between.want["mode"] == "transcoded"
    assert between.want["codecs"] == []
    shows(page, tile, 0)
    expect(tile.locator(".pc")).to_have_attribute("title", "Transcoded: this browser plays still pictures only")


def test_a_snapshot_is_the_picture_shown(visit: Callable[..., Visit], tmp_path: Path) -> None:
    page = visit()
    between, tile = pictures(page, "codec")
    tile.hover()
    between.play(0.5)  # one that has not gone on for a while is not of now
    with page.page.expect_download(timeout=PATIENCE_S * 1000) as download:
        tile.get_by_role("button", name="Snapshot").click()
    assert re.fullmatch(r"Yard_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d\.jpg", download.value.suggested_filename)
    path = tmp_path / "snapshot.jpg"
    download.value.save_as(path)
    assert path.read_bytes() in jpegs("main")


def test_zoomed_it_asks_for_the_largest_and_a_larger_picture_takes_its_place(visit: Callable[..., Visit]) -> None:
    page = visit()
    between, tile = pictures(page, "codec")
    tile.dblclick()
    stage = page.page.locator(".stage")
    expect(stage).to_be_visible()
    between.give(1)
    page.page.keyboard.press("+")
    page.until("it asks for the largest", lambda: between.want["zoom"] is True)
    between.give(25)
    shows(page, stage, 25)
    overview = page.page.locator(".overview canvas")
    page.until("the overview has the picture", lambda: overview.evaluate("(canvas) => canvas.height") == 99)


@pytest.mark.parametrize("size", [None, PHONE])
def test_why_names_the_reason_three_stations_and_what_to_do(
    visit: Callable[..., Visit], size: dict[str, int] | None
) -> None:
    page = visit() if size is None else visit(size=size, has_touch=True, is_mobile=True, device_scale_factor=2)
    page.context.add_init_script(NO_MEDIA)
    between, tile = pictures(page, "requested")
    between.said.clear()
    page.open(f"/camera/{tile.get_attribute('data-camera')}")
    between.announce("requested")
    between.play(1)
    why = page.page.get_by_role("button", name="Why do I see this?")
    why.click()
    panel = page.page.locator("aside.why")
    expect(panel.get_by_role("heading", name="Why do I see this?")).to_be_focused()
    expect(panel.get_by_role("heading", name="Why do I see this?")).to_be_in_viewport()

    def told(pattern: str) -> bool:
        between.play(0.5)
        return re.search(pattern, str(panel.text_content()), re.DOTALL) is not None

    for pattern in (
        r"Transcoded, because this browser plays still pictures only\.",
        r"Camera sends.*main, H\.264.*1280×720.*Fanal makes.*640×360.*JPEG.*You receive.*640×360",
        r"You receive.*\d+\skB/s.*Delay, by this device’s clock\d\.\d\d\ss",
        r"For a better pictureOpen Fanal in a current Chrome, Edge, Firefox or Safari",
    ):
        page.until(pattern, lambda pattern=pattern: told(pattern))
    expect(panel.locator(".path h3")).to_have_text(["Camera sends", "Fanal makes", "You receive"])
    page.page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(why).to_be_focused()
