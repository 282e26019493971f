"""The timeline by mouse, keys and fingers, in Chromium, on recordings that are made up (``/states?part=timeline``)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.e2e.axe import Judge
from tests.e2e.states import serving_states
from tests.e2e.visit import PATIENCE_S, PHONE, Visit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Locator

pytestmark = [pytest.mark.browser, pytest.mark.peer]
MS = PATIENCE_S * 1000
#: Nobody is behind this port: what the page asks the server for stays unanswered.
NOBODY = "http://127.0.0.1:9"
BEGIN = "14:18:36.240"


@pytest.fixture(scope="module")
def states() -> Iterator[str]:
    with serving_states(NOBODY) as address:
        yield address


@pytest.fixture
def bench(states: str, chromium: Browser) -> Iterator[Callable[..., Bench]]:
    open_: list[Bench] = []

    def begin(**more: Any) -> Bench:
        open_.append(Bench(chromium, states, **more))
        return open_[-1]

    yield begin
    for one in open_:
        one.end()


class Bench(Visit):
    """The timeline with what stands round it; the clock says where it is."""

    def __init__(self, browser: Browser, url: str, **more: Any) -> None:
        super().__init__(browser, url, **more)
        self.open("/states?part=timeline")
        self.slider: Locator = self.page.get_by_role("slider")
        expect(self.slider).to_be_visible(timeout=MS)
        expect(self.clock).to_contain_text(BEGIN)
        self.box = self.box_for(self.slider)

    @property
    def clock(self) -> Locator:
        return self.page.locator("button.clock")

    @property
    def time(self) -> str:
        said = self.clock.text_content()
        assert said is not None
        return said[-12:]

    def drag(self, y: float, *xs: float) -> None:
        """With the mouse, held down from the first to the last."""
        mouse = self.page.mouse
        mouse.move(self.box["x"] + xs[0], self.box["y"] + y)
        mouse.down()
        for x in xs[1:]:
            mouse.move(self.box["x"] + x, self.box["y"] + y, steps=4)
        mouse.up()

    def moved(self, before: str) -> str:
        """The time, once it is another."""
        return str(self.until("another time", lambda: self.time != before and self.time))


def test_a_mouse_seeks_selects_zooms_and_sees_pictures_of_what_it_points_at(bench: Callable[..., Bench]) -> None:
    one = bench()
    page, box = one.page, one.box
    picture = page.locator(".scrub")
    page.mouse.move(box["x"] + 900, box["y"] + 60)
    expect(picture.locator("img")).to_be_visible()
    assert picture.evaluate("(e) => getComputedStyle(e).pointerEvents") == "none"
    shown = picture.locator(".num").inner_text()
    page.mouse.click(box["x"] + 900, box["y"] + 60)
    assert one.moved(BEGIN).startswith(shown)
    before = one.time
    one.drag(60, 600, 500)  # the playhead goes where the pointer is
    assert one.moved(before) < before
    before = one.time

    chosen = page.locator(".selection-bar .selected b")
    one.drag(10, 500, 700)  # on the ruler it selects, and the playhead stays
    length = one.until("a length", lambda: chosen.inner_text() != "6\u202fmin 36\u202fs" and chosen.inner_text())
    assert one.time == before
    one.drag(70, 700, 800)  # its end, by the handle
    one.until("a longer one", lambda: chosen.inner_text() != length)

    pressed = page.locator(".zoom-bar [aria-pressed=true]")
    expect(pressed).to_have_count(1)
    page.mouse.wheel(0, -400)
    expect(pressed).to_have_count(0)  # no longer an hour
    page.get_by_role("button", name="6\u202fh").click()
    expect(pressed).to_have_text("6\u202fh")


def test_all_of_it_works_by_keyboard(bench: Callable[..., Bench]) -> None:
    one = bench()
    page, slider = one.page, one.slider
    expect(slider).to_have_attribute("aria-valuetext", "14:18:36, Thursday 12 March 2026, recorded by 2 cameras")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(one.clock).to_contain_text("14:18:41.240")
    expect(slider).to_have_attribute("aria-valuetext", "14:18:41, Thursday 12 March 2026, recorded by 2 cameras")
    page.keyboard.press("PageUp")  # a tenth of what is shown
    expect(one.clock).to_contain_text("14:12:41.240")

    one.clock.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox")).to_be_focused()
    page.keyboard.type("14:37:30")
    page.keyboard.press("Enter")
    expect(one.clock).to_contain_text("14:37:30.000")
    expect(one.clock).to_be_focused()

    day = page.locator(".topbar button")
    day.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    focus = page.locator(":focus")
    expect(focus).to_have_accessible_name("Thursday 12 March 2026, 14 h 47 min recorded")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    expect(focus).to_have_accessible_name("Wednesday 4 March 2026, nothing recorded")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="4 March")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(day).to_be_focused()


def test_fingers_move_time_below_the_playhead(bench: Callable[..., Bench]) -> None:
    one = bench(size=PHONE, has_touch=True, is_mobile=True)
    page, y = one.page, one.box["y"] + 60
    session = one.context.new_cdp_session(page)

    at = time.time()

    def touch(kind: str, *points: tuple[float, float], after: float = 1.0) -> None:
        """By the clock of the events, which is not that of a busy machine."""
        nonlocal at
        at += after
        fingers = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": fingers, "timestamp": at})

    def swipe(start: float, step: float) -> None:
        touch("Start", (start, y))
        for number in range(1, 9):
            touch("Move", (start + number * step, y), after=0.008)

    swipe(200, -10)
    dragged = one.moved(BEGIN)
    assert dragged > BEGIN
    expect(page.locator(".scrub")).to_be_visible()
    one.until("all of the way", lambda: one.time > "14:22:40")  # 80 of 390 pixels that show 20 min
    dragged = one.time
    touch("End")  # it has rested: no flick
    expect(page.locator(".scrub")).to_be_hidden()
    assert one.time == dragged

    swipe(300, -20)
    one.until("all of the way", lambda: one.time > "14:30:50")
    left = one.time
    touch("End", after=0.008)
    assert one.moved(left) > left  # it goes on by itself
    expect(page.locator(".scrub")).to_be_hidden()  # … until it is at rest

    chosen = page.locator(".selection-bar .selected b")
    page.get_by_role("button", name="Clear").evaluate("(button) => button.click()")
    expect(chosen).to_have_count(0)
    touch("Start", (100, y))
    expect(chosen).to_be_visible()  # after a while
    touch("Move", (180, y))
    touch("End")
    one.until("some minutes", lambda: "min" in chosen.inner_text())

    expect(page.locator(".zoom-bar [aria-pressed=true]")).to_have_text("20\u202fmin")
    touch("Start", (150, y), (250, y))
    touch("Move", (100, y), (300, y))
    touch("End")
    expect(page.locator(".zoom-bar [aria-pressed=true]")).to_have_text("10\u202fmin")


def test_what_opens_on_a_narrow_phone_is_there_for_everybody(bench: Callable[..., Bench]) -> None:
    one = bench(size={"width": 320, "height": 640}, has_touch=True, is_mobile=True, reduced_motion="reduce")
    page = one.page
    judge = Judge(page, "en", touch=True, themes=("dark",))
    openers = (".topbar button", "button.clock", ".play-side .pop-host > button", ".selection-bar .pop-host > button")
    for opener in openers:
        page.locator(opener).click()
        expect(page.get_by_role("dialog")).to_be_in_viewport(ratio=0.95)
        judge.look(opener)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    assert judge.found == [], "\n".join(judge.found)
