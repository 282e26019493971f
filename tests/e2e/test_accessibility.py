"""axe finds nothing on any page in any state: a desktop in English, dark and light, and a phone in French, light."""

from __future__ import annotations

import contextlib
import json
import ssl
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.axe import THEMES, Judge
from tests.e2e.house import LOOPBACK, PASSWORD
from tests.e2e.states import serving_states
from tests.e2e.visit import DESKTOP, PATIENCE_S, Visit
from tests.e2e.wire import wire_to
from tests.peers.cameras import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

    from tests.e2e.house import House
    from tests.e2e.wire import Wire
    from tests.peers.cameras import Cameras

pytestmark = [pytest.mark.browser, pytest.mark.peer]
DEMO = False
MS = PATIENCE_S * 1000
#: Nothing moves while it is looked at: a colour on its way to another one is neither.
STILL = {"reduced_motion": "reduce"}
#: The least width that WCAG 2.2 asks for (success criterion 1.4.10).
NARROW = {"width": 320, "height": 640}
DEVICES = {
    "desktop": {"size": DESKTOP, "language": "en-GB"},
    "phone": {"size": NARROW, "language": "fr-FR", "has_touch": True, "is_mobile": True},
}
LOCKED = "petra"
VIEWER = "vera"
LOST, STRANGE = "Boathouse", "Gate"


@pytest.fixture(scope="module", autouse=True)
def watched(house: House, cameras: Cameras) -> None:
    """A camera of each kind, and people: one locked out, one who may watch nothing."""
    house.add_camera("Yard", cameras.url("/sub"))
    house.add_camera(LOST, f"rtsp://{LOOPBACK}:{free_port()}/none")
    house.add_camera(STRANGE, cameras.url("/h265sub", 2))
    house.add_user(LOCKED)
    house.add_user(VIEWER)
    lock_out(house, LOCKED)


@pytest.fixture(scope="module")
def states(house: House) -> Iterator[str]:
    """Where the page that shows every component in every state is served, as while developing."""
    with serving_states(house.url) as address:
        yield address


def lock_out(house: House, user: str) -> None:
    """Guess until nobody listens any more."""
    context = ssl.create_default_context(cafile=str(house.authority))
    for _ in range(20):
        told = json.dumps({"username": user, "password": "not the password"}).encode()
        asked = urllib.request.Request(f"{house.url}/api/v1/session", told, {"Content-Type": "application/json"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(asked, timeout=20, context=context)
        with refused.value as answer:
            if answer.code == 429:
                return
    pytest.fail("the account is not locked")


@pytest.mark.parametrize("device", DEVICES)
def test_axe_finds_nothing(device: str, visit: Callable[..., Visit], house: House, cameras: Cameras) -> None:
    """On any page, in the order in which a person comes by them; all that is wrong at once."""
    with wire_to(house.https) as wire:
        one = visit(**STILL, **DEVICES[device])
        one.url = f"https://{LOOPBACK}:{wire.at}"
        phone = device == "phone"
        themes = THEMES[1:] if phone else THEMES  # the colours are the same on both
        judge = Judge(one.page, DEVICES[device]["language"][:2], phone, themes)
        outside(one, judge)
        on_the_grid(one, judge, wire)
        one_camera(one, judge)
        settings(one, judge, cameras)
        broken(one, judge)
        ended(one, judge, house)
        of_a_viewer(one, judge)
        one.open("/trust")
        judge.look("trust", themed=False)
    assert judge.found == [], "\n".join(judge.found)


def outside(one: Visit, judge: Judge) -> None:
    page = one.page
    one.open()
    expect(page.locator("input[name=password]")).to_be_visible(timeout=MS)
    judge.look("sign-in")
    one.fill("admin", "not the password")
    expect(page.get_by_role("alert")).to_be_visible(timeout=MS)
    judge.look("wrong password")
    with away(one, "**/api/v1/session"):
        one.fill("admin", PASSWORD)
        expect(page.get_by_role("alert")).to_be_visible(timeout=MS)
        judge.look("sign-in without a server")
    one.fill(LOCKED, PASSWORD)
    expect(page.locator(".note")).to_be_visible(timeout=MS)
    judge.look("locked")
    with away(one, "**/api/v1/**"):
        page.reload()
        expect(page.locator(".banner")).to_be_visible(timeout=MS)
        judge.look("nobody known yet")


@contextlib.contextmanager
def away(one: Visit, addresses: str) -> Iterator[None]:
    """As if nobody were at these addresses."""
    one.page.route(addresses, lambda route: route.abort())
    yield
    one.page.unroute(addresses)


def on_the_grid(one: Visit, judge: Judge, wire: Wire) -> None:
    page = one.page
    one.come_as("admin")
    one.live("Yard").focus()
    expect(one.tile(LOST)).to_have_attribute("data-phase", "lost", timeout=MS)
    one.live(STRANGE)  # transcoded
    page.keyboard.press("d")
    expect(one.live("Yard").locator(".inf")).not_to_be_empty()
    judge.look("grid")
    page.keyboard.press("/")
    for typed, what in (("a", "finding"), ("nothing of this name", "finding nothing")):
        page.get_by_role("combobox").fill(typed)
        expect(page.locator(".found")).to_be_visible()
        judge.look(what)
    page.keyboard.press("Escape")

    account = page.locator("button.nav:visible")
    account.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    judge.look("account")
    dialog.locator(".menu button").first.click()
    dialog.locator("form button[type=submit]").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    judge.look("changing the password")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(account).to_be_focused()
    page.keyboard.press("?")
    expect(dialog).to_be_visible()
    judge.look("keys and gestures")
    page.keyboard.press("Escape")
    expect(account).to_be_focused()

    wire.cut()
    expect(page.locator(".banner")).to_be_visible(timeout=MS)
    expect(one.tile("Yard")).to_have_attribute("data-phase", "offline", timeout=MS)
    judge.look("connection lost")
    wire.mend()
    page.evaluate("() => document.querySelector('.banner button')?.click()")  # unless it has just tried by itself
    one.live("Yard")


def one_camera(one: Visit, judge: Judge) -> None:
    page = one.page
    for name in ("Yard", LOST, STRANGE):
        one.open(f"/camera/{one.tile(name).get_attribute('data-camera')}")
        expect(page.locator(".head .when")).not_to_be_empty(timeout=MS)
        if name == "Yard":
            one.until("a picture", lambda: page.locator(".stage video").count())
            judge.look(name)
            page.keyboard.press("+")
            expect(page.locator(".overview")).to_be_visible()
        elif name == LOST:
            expect(page.locator(".stage .msg")).to_be_visible(timeout=MS)
        else:
            expect(page.locator(".stage .pc")).to_be_visible(timeout=MS)  # transcoded
        page.keyboard.press("w")
        expect(page.locator("aside.why")).to_be_visible()
        judge.look(f"{name}, why")
        one.open("/")
        expect(one.tile("Yard")).to_be_visible(timeout=MS)
    one.open("/camera/nobody")
    expect(page.locator(".cam.gone button")).to_be_visible(timeout=MS)
    judge.look("a camera that is gone")


def settings(one: Visit, judge: Judge, cameras: Cameras) -> None:
    page = one.page
    editor = page.locator(".ed")
    one.open("/status")
    expect(page.locator(".room")).to_be_visible(timeout=MS)
    judge.look("the status")
    one.open("/settings/cameras")
    expect(page.locator(".dev")).to_have_count(3, timeout=MS)
    judge.look("cameras")
    page.locator(".dev", has_text="Yard").click()
    editor.locator("input[name=name]").fill(LOST)
    page.locator(".savebar button[type=submit]").click()
    expect(editor.locator(".errmsg")).to_be_visible(timeout=MS)
    judge.look("a camera, changed")
    part = editor.locator(".rec")
    for mode, wrong in ((2, "recording.pre"), (3, None)):
        part.locator(".seg").first.locator("button").nth(mode).click()
        if wrong is not None:
            part.locator(f'[name="{wrong}"]').fill("31")
        judge.look(f"a camera, recorded in the mode {mode}")
    page.locator("a.nav:visible").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    judge.look("leaving without saving")
    dialog.locator(".leave button").first.click()
    expect(one.tile("Yard")).to_be_visible(timeout=MS)

    one.open("/settings/performance")
    page.locator(".perf .sw").last.click()
    page.locator('.perf input[name="level3.max_fps"]').fill("60")
    expect(page.locator(".perf .errmsg")).to_be_visible(timeout=MS)
    judge.look("performance, with a mistake")
    page.locator(".savebar button").first.click()
    one.open("/settings/recording")
    page.locator('.perf input[name="max_gb"]').fill("-1")
    expect(page.locator(".perf .errmsg")).to_be_visible(timeout=MS)
    judge.look("recording, with a mistake")
    page.locator(".savebar button").first.click()
    one.open("/settings/cameras/new")
    expect(editor).to_be_visible(timeout=MS)
    editor.locator("summary").first.click()
    judge.look("a new camera")
    editor.locator("input[name=url]").fill(f"{LOOPBACK}:{free_port()}/cam1")
    page.keyboard.press("Enter")
    expect(editor.locator(".stages")).to_be_visible(timeout=MS)
    editor.locator("summary").last.click()
    judge.look("a new camera that does not answer")
    editor.locator("input[name=url]").fill(cameras.url())
    page.keyboard.press("Enter")
    expect(editor.get_by_role("img")).to_be_visible(timeout=MS)
    judge.look("a new camera and its picture")
    one.open("/settings/cameras")
    page.locator(".dev", has_text=LOST).click()
    editor.locator(".btn.danger").click()
    expect(page.locator(".toast")).to_be_visible()
    judge.look("a camera, removed")
    page.locator(".toast button").first.click()
    expect(page.locator(".dev")).to_have_count(3)


def broken(one: Visit, judge: Judge) -> None:
    """What is shown where something of the page does not come."""
    page = one.page
    with away(one, "**/api/v1/admin/cameras"):
        one.open("/settings/cameras")
        expect(page.locator(".cam-list .empty")).to_be_visible(timeout=MS)
        judge.look("cameras that cannot be loaded")
    with away(one, "**/assets/settings-page*"):
        one.open("/settings/cameras")
        expect(page.locator(".empty .mono")).to_be_visible(timeout=MS)
        judge.look("a page that cannot be loaded")
    page.add_init_script("""
      if (sessionStorage.blind) { delete window.MediaSource; delete window.ManagedMediaSource; }
      if (sessionStorage.blind === "quite") delete window.createImageBitmap;
    """)
    page.evaluate("() => { sessionStorage.blind = 1; }")
    one.open()
    expect(one.live("Yard").locator(".pc")).to_be_visible(timeout=MS)
    judge.look("a browser without video")
    page.evaluate("() => { sessionStorage.blind = 'quite'; }")
    one.open()
    expect(page.locator(".empty")).to_be_visible(timeout=MS)
    judge.look("a browser without pictures")
    page.evaluate("() => { sessionStorage.clear(); }")


def ended(one: Visit, judge: Judge, house: House) -> None:
    page = one.page
    one.open()
    one.live("Yard")
    house.fanal("user", "set", "admin", "--password-stdin", told=f"{PASSWORD}\n")
    card = page.locator(".guard")
    expect(card).to_be_visible(timeout=MS)
    judge.look("session ended")
    one.fill(None, "not the password")
    expect(card.get_by_role("alert")).to_be_visible(timeout=MS)
    judge.look("session ended, wrong password")
    one.fill(None, PASSWORD)
    expect(card).to_have_count(0, timeout=MS)


def of_a_viewer(one: Visit, judge: Judge) -> None:
    page = one.page
    page.locator("button.nav:visible").click()
    page.locator(".menu button").last.click()
    expect(page.locator("input[name=username]")).to_be_visible(timeout=MS)
    one.fill(VIEWER, PASSWORD)
    expect(page.locator(".empty")).to_be_visible(timeout=MS)
    judge.look("no cameras")


def test_the_page_on_trust_is_light_where_the_device_is(visit: Callable[..., Visit]) -> None:
    one = visit(color_scheme="light")
    one.open("/trust")
    ground = "() => getComputedStyle(document.documentElement).backgroundColor"
    assert one.page.evaluate(ground) == "rgb(242, 245, 245)"
    one.page.emulate_media(color_scheme="dark")
    assert one.page.evaluate(ground) == "rgb(13, 17, 18)"


#: Which of these have neither an outline nor a border that is drawn.
SHAPELESS = """(selector) => [...document.querySelectorAll(selector)].filter((e) => e.checkVisibility()).filter((e) => {
  const style = getComputedStyle(e);
  const drawn = (kind) => style[`${kind}Style`] !== "none" && parseFloat(style[`${kind}Width`]) > 0
    && !/^(transparent|rgba.*, 0\\))$/.test(style[`${kind}Color`]);
  return !drawn("outline") && !drawn("borderTop");
}).map((e) => e.outerHTML.slice(0, 120))"""


def test_with_forced_colours_shapes_and_choices_are_drawn_as_lines(visit: Callable[..., Visit]) -> None:
    one = visit(forced_colors="active")
    page = one.page
    one.come_as("admin")
    one.live("Yard").focus()
    chosen = ".tile.sel, [aria-pressed=true], [aria-current]"
    for path in ("/", f"/camera/{one.tile('Yard').get_attribute('data-camera')}", "/settings/cameras"):
        if path != "/":
            one.open(path)
            expect(page.locator("h1")).to_be_visible(timeout=MS)
        assert page.evaluate(SHAPELESS, f".btn, .gbtn, .dock, .seg, .in, .tile, .devs, {chosen}") == []
        focus = page.locator("button:visible").first
        page.keyboard.press("Tab")
        focus.focus()
        assert focus.evaluate("(e) => getComputedStyle(e).outlineStyle") == "solid"


def test_more_contrast_leaves_no_fainter_text(visit: Callable[..., Visit]) -> None:
    one = visit(contrast="more")
    one.open()
    token = "(name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()"
    for theme in THEMES:
        one.page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
        names = {
            name: one.page.evaluate(token, name) for name in ("--text", "--text-2", "--text-3", "--edge", "--line")
        }
        assert names["--text-2"] == names["--text-3"] == names["--text"]
        assert names["--line"] == names["--edge"]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_axe_finds_nothing_in_any_state_of_any_component(states: str, language: str, chromium: Browser) -> None:
    one = Visit(chromium, states, size={"width": 1440, "height": 900}, **STILL)
    try:
        one.open(f"/states?lang={language}")
        expect(one.page.locator(".states > header h1")).to_be_visible(timeout=MS)
        one.until("its language", lambda: one.page.evaluate("() => document.documentElement.lang") == language)
        themes = THEMES if language == "en" else THEMES[1:]  # nor do they depend on the language
        judge = Judge(one.page, language, touch=False, themes=themes)
        judge.look("states", whole=False)
        assert judge.found == [], "\n".join(judge.found)
    finally:
        one.end()
