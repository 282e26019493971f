"""The picture in the browser is the camera's, of now, with and without sound."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.pictures import ALIKE, Grabbed, decode, footage, grab, nearest
from tests.e2e.visit import PATIENCE_S
from tests.peers.cameras import FPS

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator

    from tests.e2e.house import House
    from tests.e2e.visit import Visit
    from tests.peers.cameras import Cameras

pytestmark = [pytest.mark.browser, pytest.mark.peer]
DEMO = True
WHOLE = True
KEEPS = True
DEMO_FPS, DEMO_S = 25, 20
LIVE_WITHIN_S = 1.0


@pytest.fixture(scope="module", autouse=True)
def watched(house: House, cameras: Cameras) -> None:
    house.add_camera("Yard", cameras.url())
    house.add_camera("Quay", cameras.url("/sub", 2))


@pytest.fixture
def grid(visit: Callable[..., Visit]) -> Visit:
    page = visit()
    page.sign_in("admin")
    return page


def shown(page: Visit, where: Locator) -> Grabbed:
    return page.until("a picture", lambda: grab(where))


@pytest.mark.parametrize(("camera", "stream"), [("Yard", "main"), ("Quay", "sub")])
def test_the_pixels_in_the_tile_are_those_of_the_clip_and_go_on(grid: Visit, camera: str, stream: str) -> None:
    tile = grid.live(camera)
    clip = footage(stream)  # first: decoding takes about as long as the clip, after which its numbers come again
    numbers = set()
    for _ in range(3):
        begin = grid.current_time(tile)
        number, far = nearest(shown(grid, tile).image, clip)
        assert far < ALIKE
        numbers.add(number)
        grid.until("currentTime advances", lambda begin=begin: grid.current_time(tile) > begin + 0.5)
    assert len(numbers) == 3


def test_the_clip_is_told_from_others() -> None:
    mirrored = footage("sub")[0][:, ::-1]
    assert nearest(mirrored, footage("sub"))[1] > 2 * ALIKE


def test_the_stopwatch_in_the_picture_is_at_most_a_second_behind_the_clock(grid: Visit, house: House) -> None:
    """From the pixels alone: the demo camera's second is that of UTC, modulo the length of its loop."""
    clip = decode(house.folder / "demo" / "demo-3-main.mp4")
    assert len(clip) == DEMO_FPS * DEMO_S
    tile = grid.live("Demo")

    def behind() -> float:
        picture = shown(grid, tile)
        number, far = nearest(picture.image, clip)
        assert far < ALIKE
        return (picture.at / 1000 - number / DEMO_FPS) % DEMO_S

    for _ in range(3):
        grid.until("the picture is of now", lambda: behind() <= LIVE_WITHIN_S)


def test_two_variants_with_sound_and_without(grid: Visit) -> None:
    tile = grid.live("Yard")
    sounded = "video.webkitAudioDecodedByteCount"
    assert grid.video(tile, sounded) == 0
    assert grid.video(tile, "video.muted") is True
    tile.hover()
    tile.get_by_role("button", name="Sound on").click()
    grid.until("sound is decoded", lambda: grid.video(tile, sounded) > 0 and not grid.video(tile, "video.muted"))
    expect(tile.locator(".pc", has_text="Sound on")).to_be_visible()
    grid.advances(tile)
    assert nearest(shown(grid, tile).image, footage("main"))[1] < ALIKE
    before = grid.video(tile, sounded)
    grid.until("sound goes on", lambda: grid.video(tile, sounded) > before)

    tile.hover()
    tile.get_by_role("button", name="Sound off").click()
    expect(tile.locator(".pc")).to_have_count(0)
    grid.until("the video without sound", lambda: grid.video(tile, sounded) == 0)
    grid.advances(tile)


def test_only_one_tile_sounds_at_a_time(grid: Visit) -> None:
    for name in ("Yard", "Demo"):
        tile = grid.live(name)
        tile.hover()
        tile.get_by_role("button", name="Sound on").click()
        expect(tile.locator(".pc", has_text="Sound on")).to_be_visible(timeout=PATIENCE_S * 1000)
    # the video with sound takes the place of the one without as soon as it has begun
    grid.until("the second one sounds", lambda: grid.video(grid.tile("Demo"), "video.muted") is False)
    assert grid.video(grid.tile("Yard"), "video.muted") is True


def test_what_is_shown_is_told_on_the_tile_in_figures(grid: Visit) -> None:
    tile = grid.live("Quay")
    line = tile.locator(".inf")
    grid.page.keyboard.press("d")
    expect(line).to_be_visible()

    def right() -> bool:
        # the first second counts what was caught up with; the coder keeps to 350 kbit/s over the loop only
        found = re.match(r"^Direct · main · 640×360 · (\d+)\sfps · (\d+)\skB/s$", line.inner_text())
        return found is not None and abs(int(found[1]) - FPS) <= 2 and 20 <= int(found[2]) <= 100

    grid.until("the figures", right)


@pytest.mark.calm
def test_a_picture_that_is_behind_hurries_and_one_far_behind_jumps(grid: Visit) -> None:
    tile = grid.live("Demo")
    grid.until("some of the past is kept", lambda: grid.video(tile, "video.currentTime - video.buffered.start(0)") > 3)
    note = """{
      window.seen = { rates: [], jumps: 0 };
      video.addEventListener("ratechange", () => window.seen.rates.push(video.playbackRate));
      video.addEventListener("seeking", () => { window.seen.jumps += 1; });
    }"""
    grid.video(tile, f"(() => {note})()")
    seen = lambda: grid.page.evaluate("window.seen")  # noqa: E731
    edge = "video.buffered.end(video.buffered.length - 1) - video.currentTime"

    grid.video(tile, "video.currentTime -= 1.1")  # the one jump is ours
    grid.until("it hurries", lambda: max(seen()["rates"], default=1) > 1)
    grid.until("and is there", lambda: grid.video(tile, "video.playbackRate") <= 1 and grid.video(tile, edge) < 1)
    assert seen()["jumps"] == 1

    grid.video(tile, "video.currentTime -= 2.6")
    grid.until("it jumps", lambda: seen()["jumps"] == 3)
    grid.until("and is there", lambda: grid.video(tile, edge) < 1)
