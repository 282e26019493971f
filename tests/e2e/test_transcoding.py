"""What Chromium cannot play, the appliance makes pictures of: they are the camera's, of now, and video comes back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.pictures import WATCH, footage, grab, nearest_in_any_colours, well_shown
from tests.e2e.visit import PATIENCE_S, PHONE, SHOWN

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator

    from tests.e2e.house import House
    from tests.e2e.visit import Visit
    from tests.peers.cameras import Cameras

pytestmark = [pytest.mark.browser, pytest.mark.peer]
DEMO = False
#: A browser that says it plays H.264, and does not while ``window.broken``.
BROKEN = """
  window.broken = true;
  const add = MediaSource.prototype.addSourceBuffer;
  MediaSource.prototype.addSourceBuffer = function (mime) {
    if (window.broken) throw new DOMException("no decoder", "NotSupportedError");
    return add.call(this, mime);
  };
"""
NO_MEDIA = "delete window.MediaSource; delete window.ManagedMediaSource;"


@pytest.fixture(scope="module", autouse=True)
def watched(house: House, cameras: Cameras) -> None:
    house.add_camera("Yard", cameras.url(), cameras.url("/sub"))
    house.add_camera("Gate", cameras.url("/h265", 2))


def kind(where: Locator) -> str | None:
    """The element that shows the picture: ``VIDEO``, ``CANVAS``."""
    found = where.locator(".player").first.evaluate(f"(player) => ({SHOWN})(player)?.nodeName ?? null")
    return None if found is None else str(found)


def width(where: Locator) -> int:
    picture = grab(where)
    return 0 if picture is None else picture.width


def goes_on(page: Visit, where: Locator, stream: str) -> None:
    """Three pictures of the clip, one after the other."""
    nearest_in_any_colours(footage(stream)[0], stream)  # decoding takes about as long as the clip
    numbers: set[int] = set()

    def another() -> bool:
        picture = grab(where)
        return picture is not None and well_shown(numbers, picture.image, stream)

    page.until("pictures of the clip", another)


def says_only(where: Locator, reason: str) -> None:
    """This is its one chip, once a machine that has much to do has come to itself."""
    chips = where.locator(".pc")
    expect(chips).to_have_count(1, timeout=2 * PATIENCE_S * 1000)
    expect(chips).to_have_attribute("title", reason)


@pytest.mark.parametrize("size", [None, PHONE])
def test_chromium_shows_h265_as_pictures_and_says_why(visit: Callable[..., Visit], size: dict[str, int] | None) -> None:
    page = visit() if size is None else visit(size=size, has_touch=True, is_mobile=True, device_scale_factor=2)
    page.come_as("admin")
    tile = page.live("Gate")
    assert kind(tile) == "CANVAS"
    goes_on(page, tile, "h265")
    says_only(tile, "Transcoded: this browser cannot play H.265")
    page.page.keyboard.press("d")
    line = tile.locator(".inf")
    pattern = re.compile(r"^Transcoded · (main · )?\d+×\d+ · \d+\sfps( · [\d.]+\s[kM]B/s( · delay \d\.\d\ss)?)?$")
    expect(line).to_have_text(pattern, timeout=PATIENCE_S * 1000)
    assert kind(page.live("Yard")) == "VIDEO"  # the others are as ever


def test_in_large_it_gets_larger_pictures_and_the_panel_says_what_is_made(visit: Callable[..., Visit]) -> None:
    page = visit(size={"width": 1000, "height": 700})
    page.come_as("admin")
    tile = page.live("Gate")
    small = page.until("a picture", lambda: width(tile))
    tile.dblclick()
    stage = page.page.locator(".stage")
    page.page.keyboard.press("+")  # zoomed: the largest
    page.until("a larger one", lambda: width(stage) == 1280)
    assert small < 1280
    page.page.keyboard.press("w")
    panel = page.page.locator("aside.why")

    def told(pattern: str) -> bool:
        return re.search(pattern, str(panel.text_content()), re.DOTALL) is not None

    for pattern in (
        r"Transcoded, because this browser cannot play H\.265\.",
        r"Camera sends.*main, H\.265.*1280×720.*Fanal makes.*1280×720.*JPEG.*You receive.*1280×720.*\d+\s[kM]B/s",
        r"Delay, by this device’s clock\d\.\d\d\ss",
        r"For a better pictureTurn on this camera’s second stream, as H\.264\.",
        r"directly\.Open camera settings.*Open Fanal in Firefox",
    ):
        page.until(pattern, lambda pattern=pattern: told(pattern))


def test_a_browser_that_does_not_decode_gets_pictures_and_video_again_when_it_is_asked_for(
    visit: Callable[..., Visit],
) -> None:
    page = visit()
    page.context.add_init_script(BROKEN)
    page.come_as("admin")
    tile = page.live("Yard")
    assert kind(tile) == "CANVAS"
    assert tile.locator(".pc").get_attribute("title") == "Transcoded: this browser does not decode H.264"
    tile.dblclick()
    stage = page.page.locator(".stage")
    goes_on(page, stage, "main")
    page.page.keyboard.press("w")
    page.page.evaluate(WATCH)
    page.page.evaluate("window.broken = false")
    page.page.get_by_role("button", name="Try direct video again").click()
    page.until("video", lambda: kind(stage) == "VIDEO")
    page.advances(stage)
    # on a machine that has much to do it may be the smaller stream for a while
    expect(page.page.locator("aside.why .lead")).to_have_text(re.compile("^Direct, in "))
    expect(stage.locator(".player canvas.pictures")).to_have_count(0)
    painted = page.page.evaluate("() => { cancelAnimationFrame(window.looking); return window.painted; }")
    assert min(bright for _, bright in painted) > 0.6 * float(footage("main").mean())


def test_without_media_source_every_camera_is_shown_as_pictures(visit: Callable[..., Visit]) -> None:
    page = visit()
    page.context.add_init_script(NO_MEDIA)
    page.come_as("admin")
    for camera, stream in (("Yard", "main"), ("Gate", "h265")):
        tile = page.live(camera)
        goes_on(page, tile, stream)
        says_only(tile, "Transcoded: this browser plays still pictures only")


def test_hidden_nothing_is_sent_and_it_goes_on_where_it_is_now(visit: Callable[..., Visit]) -> None:
    page = visit()
    sizes: list[int] = []
    page.page.on("websocket", lambda socket: socket.on("framereceived", lambda data: sizes.append(len(data))))
    page.come_as("admin")
    tile = page.live("Gate")
    goes_on(page, tile, "h265")
    page.page.get_by_role("link", name="Settings").first.click()  # no camera is shown there
    page.page.wait_for_timeout(2500)
    sizes.clear()
    page.page.wait_for_timeout(1500)
    assert not [size for size in sizes if size > 5000]
    page.page.go_back()
    goes_on(page, page.live("Gate"), "h265")
