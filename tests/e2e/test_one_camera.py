"""One camera: whole screen and back, digital zoom, the larger stream, snapshot, why."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.lipsync import SOUNDING, goes_together
from tests.e2e.pictures import ALIKE, WATCH, decode, footage, grab, nearest
from tests.e2e.visit import PATIENCE_S, PHONE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.house import House
    from tests.e2e.visit import Visit
    from tests.peers.cameras import Cameras

pytestmark = [pytest.mark.browser, pytest.mark.peer]
DEMO = False


@pytest.fixture(scope="module", autouse=True)
def watched(house: House, cameras: Cameras) -> None:
    house.add_camera("Yard", cameras.url(), cameras.url("/sub"))
    house.add_camera("Quay", cameras.url(camera=2), cameras.url("/sub", 2))


def opened(page: Visit, camera: str = "Yard") -> str:
    """Open a camera from the grid; its id."""
    page.come_as("admin")
    tile = page.live(camera)
    found = tile.get_attribute("data-camera")
    tile.dblclick()
    expect(page.page.locator(".stage")).to_be_visible()
    assert found is not None
    return found


def scale(page: Visit) -> float:
    matrix = page.page.locator(".stage .slot").evaluate("(slot) => new DOMMatrix(getComputedStyle(slot).transform).a")
    return float(matrix)


def place(page: Visit) -> tuple[float, float]:
    script = "(slot) => { const m = new DOMMatrix(getComputedStyle(slot).transform); return [m.e, m.f]; }"
    x, y = page.page.locator(".stage .slot").evaluate(script)
    return x, y


def width(page: Visit) -> int:
    return int(page.video(page.page.locator("body"), "video.videoWidth") or 0)


def test_main_and_sub_follow_each_other_without_a_black_picture(visit: Callable[..., Visit]) -> None:
    page = visit(size={"width": 1000, "height": 600})
    page.come_as("admin")
    tile = page.live("Yard")
    assert page.video(tile, "video.videoWidth") == 640  # a tile of half the window
    page.advances(tile)
    page.page.locator("article.tile").first.wait_for()
    page.page.evaluate(WATCH)
    tile.dblclick()
    page.until("the larger stream for the larger picture", lambda: width(page) == 1280)
    stage = page.page.locator(".stage")
    assert nearest(page.until("a picture", lambda: grab(stage)).image, footage("main"))[1] < ALIKE
    page.page.keyboard.press("Escape")
    page.until("the smaller one again", lambda: width(page) == 640)
    page.advances(page.live("Yard"))
    painted = page.page.evaluate("() => { cancelAnimationFrame(window.looking); return window.painted; }")
    assert {640, 1280} <= {size for size, _ in painted}
    assert len(painted) > 50
    # the clip's own pictures are all about as bright
    darkest = min(bright for _, bright in painted)
    assert darkest > 0.6 * float(footage("sub").mean())


def test_a_tile_opens_to_the_whole_page_and_back_and_the_picture_does_not_begin_again(
    visit: Callable[..., Visit],
) -> None:
    page = visit()
    page.come_as("admin")
    tile = page.live("Yard")
    page.advances(tile)
    page.video(tile, "(video.ours = true)")
    tile.dblclick()
    stage = page.page.locator(".stage")
    expect(page.page.get_by_role("heading", name="Yard")).to_be_visible()
    assert page.video(stage, "video.ours") is True
    box = page.box_for(stage)
    assert box["width"] > 1200
    expect(page.page.locator(".head .when")).to_have_text(
        re.compile(r"^Live · \d\d:\d\d:\d\d$"), timeout=PATIENCE_S * 1000
    )
    page.page.keyboard.press("ArrowRight")
    expect(page.page.get_by_role("heading", name="Quay")).to_be_visible()
    page.page.get_by_role("button", name="Back to all cameras").click()
    expect(page.page.locator("article.tile")).to_have_count(2)
    page.advances(page.live("Yard"))
    page.page.keyboard.press("f")
    page.until("the whole screen", lambda: page.page.evaluate("document.fullscreenElement !== null"))
    page.page.keyboard.press("f")
    page.until("no more", lambda: page.page.evaluate("document.fullscreenElement === null"))


def test_the_wheel_zooms_around_the_pointer_and_dragging_moves(visit: Callable[..., Visit]) -> None:
    page = visit(size={"width": 620, "height": 600})  # where the whole picture is the smaller stream
    opened(page)
    stage = page.page.locator(".stage")
    page.until("a picture", lambda: width(page) == 640)
    box = page.box_for(stage)
    x, y = box["x"] + box["width"] / 4, box["y"] + box["height"] / 2
    page.page.mouse.move(x, y)
    page.page.mouse.wheel(0, -500)
    page.until("it is zoomed", lambda: scale(page) > 2)
    page.until("the largest stream", lambda: width(page) == 1280)
    expect(page.page.locator(".overview")).to_be_visible()
    # the point below the pointer stayed where it was
    left, _ = place(page)
    assert abs(left - (x - box["x"]) * (1 - scale(page))) < 2

    before = place(page)
    page.page.mouse.down()
    page.page.mouse.move(x + 60, y + 30, steps=5)
    page.page.mouse.up()
    page.until("it moved along", lambda: abs(place(page)[0] - before[0] - 60) < 2)
    page.page.mouse.wheel(0, -10_000)
    page.until("eight times at most", lambda: abs(scale(page) - 8) < 0.01)
    page.page.keyboard.press("Escape")
    page.until("the whole picture", lambda: scale(page) == 1)
    expect(page.page.locator(".overview")).to_have_count(0)
    page.until("the smaller stream", lambda: width(page) == 640)


def test_two_fingers_zoom_and_one_moves(visit: Callable[..., Visit]) -> None:
    page = visit(size=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2)
    page.come_as("admin")
    camera = page.live("Yard").get_attribute("data-camera")
    page.open(f"/camera/{camera}")
    stage = page.page.locator(".stage")
    page.until("a picture", lambda: page.page.locator("video").count() and page.current_time(stage))
    box = page.box_for(stage)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tools = page.context.new_cdp_session(page.page)

    def fingers(kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": at, "y": down, "id": number} for number, (at, down) in enumerate(points)]
        tools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    fingers("touchStart", (x - 30, y), (x + 30, y))
    for apart in range(40, 100, 10):
        fingers("touchMove", (x - apart, y), (x + apart, y))
    fingers("touchEnd")
    page.until("it is zoomed", lambda: scale(page) > 2)
    before = place(page)
    fingers("touchStart", (x, y))
    for far in range(10, 60, 10):
        fingers("touchMove", (x - far, y))
    fingers("touchEnd")
    page.until("it moved along", lambda: place(page)[0] < before[0] - 20)


def test_on_a_phone_the_tools_hide_no_name_and_the_dock_is_one_row(visit: Callable[..., Visit], house: House) -> None:
    page = visit(size=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2)
    extra = ["Pier", "Slipway", "Boathouse"]
    for name in extra:  # with five cameras there are two columns
        house.add_camera(name, "rtsp://127.0.0.1:9/none")
    try:
        page.come_as("admin")
        tile = page.live("Quay")
        tile.tap()
        expect(tile.locator(".tools")).to_be_visible()
        name, tools = page.box_for(tile.locator(".nm .ell")), page.box_for(tile.locator(".tools"))
        assert name["y"] + name["height"] <= tools["y"] or name["x"] + name["width"] <= tools["x"]
        assert tile.locator(".nm .ell").evaluate("(name) => name.scrollWidth <= name.clientWidth")
        lost = page.tile("Boathouse")
        expect(lost).to_have_attribute("data-phase", "lost", timeout=PATIENCE_S * 1000)
        said = lost.locator(".msg span")
        assert said.evaluate("(text) => text.scrollHeight <= text.clientHeight + 1")
        page.open(f"/camera/{tile.get_attribute('data-camera')}")
        buttons = page.page.locator(".dock button:visible")
        expect(buttons).to_have_count(6)
        assert len({one.bounding_box()["y"] for one in buttons.all()}) == 1  # type: ignore[index]
        page.page.get_by_role("button", name="Next", exact=True).tap()
        expect(page.page.get_by_role("heading", name="Pier")).to_be_visible()
    finally:
        for name in extra:
            house.remove_camera(name)


def test_a_snapshot_is_a_file_of_the_full_size_and_of_this_camera(visit: Callable[..., Visit], tmp_path: Path) -> None:
    page = visit()
    page.come_as("admin")
    tile = page.live("Yard")
    page.advances(tile)
    tile.hover()
    with page.page.expect_download(timeout=PATIENCE_S * 1000) as download:
        tile.get_by_role("button", name="Snapshot").click()
    expect(page.page.locator(".toast")).to_contain_text("Snapshot of Yard saved.")  # at once: it stays five seconds
    assert re.fullmatch(r"Yard_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d\.jpg", download.value.suggested_filename)
    path = tmp_path / "snapshot.jpg"
    download.value.save_as(path)
    assert jpeg_size(path.read_bytes()) == (1280, 720)
    [picture] = decode(path)
    assert nearest(picture, footage("main"))[1] < 2 * ALIKE  # the coder's loss and another matrix come on top


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Width and height from the frame header (ITU-T T.81 B.2.2)."""
    at = 2
    while data[at + 1] not in (0xC0, 0xC2):
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")


def test_why_says_what_the_camera_sends_and_what_is_received(visit: Callable[..., Visit]) -> None:
    page = visit()
    opened(page)
    page.page.keyboard.press("w")
    panel = page.page.locator("aside.why")
    expect(panel).to_contain_text("Direct, in the camera’s best stream.", timeout=PATIENCE_S * 1000)
    expect(panel).to_contain_text("Camera sends")
    expect(panel).to_contain_text("1280×720")
    expect(panel).to_contain_text(re.compile(r"You receive.*\d+\skB/s"), timeout=PATIENCE_S * 1000)
    page.page.keyboard.press("Escape")
    expect(panel).to_have_count(0)


def test_g711_is_heard(visit: Callable[..., Visit], house: House, cameras: Cameras) -> None:
    """The sound of the smaller stream is G.711: what is heard was made here."""
    house.add_camera("Bell", cameras.url("/sub"))
    page = visit(size={"width": 1000, "height": 600})
    opened(page, "Bell")
    page.page.keyboard.press("a")
    heard = "video && !video.muted && video.webkitAudioDecodedByteCount"
    first = page.until("sound", lambda: page.video(page.page.locator(".stage"), heard) or None)
    page.until("more of it", lambda: page.video(page.page.locator(".stage"), heard) > first + 8000)
    page.advances(page.page.locator(".stage"))


def test_sound_is_heard_beside_transcoded_pictures_and_in_step_with_them(
    visit: Callable[..., Visit], house: House, cameras: Cameras
) -> None:
    """A camera of H.265, which this browser does not play, and of G.711: picture and sound are both made here."""
    house.add_camera("Belfry", cameras.url("/h265"))
    page = visit(size={"width": 1000, "height": 600})
    opened(page, "Belfry")
    stage = page.page.locator(".stage")
    assert page.video(stage, "video.nodeName") == "CANVAS"
    assert page.page.locator(".player audio").count() == 0
    page.page.keyboard.press("a")
    page.until("sound", lambda: page.page.evaluate(SOUNDING))
    expect(page.page.get_by_text("Sound on", exact=True).first).to_be_visible(timeout=PATIENCE_S * 1000)
    goes_together(page, stage.locator(".player"))
    held = page.page.evaluate(
        "(a => a.buffered.end(a.buffered.length - 1) - a.currentTime)(document.querySelector('.player audio'))"
    )
    assert held < 0.8
    # off and on again
    page.page.keyboard.press("a")
    page.until("silence", lambda: page.page.locator(".player audio").count() == 0)
    page.page.keyboard.press("a")
    page.until("sound again", lambda: page.page.evaluate(SOUNDING))
