"""The way in: right and wrong passwords, the lockout, a session that ends under an open page, languages and themes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import ARGUMENTS, CHROMIUM, environment
from tests.e2e.house import PASSWORD
from tests.e2e.visit import PATIENCE_S, PHONE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.e2e.house import House
    from tests.e2e.visit import Visit

pytestmark = pytest.mark.browser
DEMO = True
KEEPS = True
ANOTHER = "nine herrings in a barrel"
#: Anything of the page that reaches beyond its sides, or that a finger cannot hit.
TOO_WIDE = "() => document.documentElement.scrollWidth > window.innerWidth"
TOO_SMALL = """() => [...document.querySelectorAll("button, a, input, select")]
  .filter((e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
  .map((e) => [e.outerHTML.slice(0, 120), e.getBoundingClientRect()])
  .filter(([, box]) => box.width > 1 && (box.width < 43.5 || box.height < 43.5)).map(([text]) => text)"""


def test_a_wrong_password_is_told_in_the_same_words_as_a_wrong_name(visit: Callable[..., Visit]) -> None:
    page = visit()
    page.open()
    expect(page.page.get_by_text("Fanal video server")).to_be_visible()
    for name in ("admin", "nobody of this house"):
        page.fill(name, "not the password")
        expect(page.page.get_by_role("alert")).to_have_text("User name or password is not right.")
        expect(page.page.locator("input[name=password]")).to_have_value("")
    page.fill("admin", PASSWORD)
    page.live("Demo")
    expect(page.page).to_have_title("All cameras – Fanal")


def test_too_many_wrong_passwords_lock_the_account_here_and_say_for_how_long(
    visit: Callable[..., Visit], house: House
) -> None:
    house.add_user("petra")
    page = visit()
    page.open()
    for _ in range(10):
        page.fill("petra", "not the password")
        expect(page.page.locator("form button[type=submit]")).to_be_enabled(timeout=PATIENCE_S * 1000)
    page.fill("petra", PASSWORD)
    note = page.page.locator(".note")
    expect(note).to_contain_text("Too many wrong passwords", timeout=PATIENCE_S * 1000)
    expect(note).to_contain_text(re.compile(r"this account waits 1[45]\smin(\s\d+\ss)?\."))
    expect(page.page.get_by_role("button", name=re.compile(r"Sign in again at \d\d:\d\d"))).to_be_disabled()
    expect(page.page.locator("input[name=password]")).to_have_count(0)
    house.fanal("user", "unlock", "petra")
    page.open()
    page.fill("petra", PASSWORD)
    expect(page.page.get_by_text("You may not watch any camera yet. Ask your administrator.")).to_be_visible()


def test_a_session_that_ends_leaves_the_page_and_goes_on_after_signing_in(
    visit: Callable[..., Visit], house: House
) -> None:
    house.add_user("ines", "live=Demo")
    page = visit()
    page.sign_in("ines")
    page.live("Demo").dblclick()
    stage = page.page.locator(".stage")
    page.until("a picture", lambda: page.current_time(stage))
    address = page.page.url
    page.page.evaluate("() => { window.sameOne = true; }")
    house.fanal("user", "set", "ines", "--password-stdin", told=f"{ANOTHER}\n")
    card = page.page.get_by_role("dialog").filter(has_text="Your session has ended")
    expect(card).to_be_visible(timeout=PATIENCE_S * 1000)
    expect(page.page.locator("input[name=username]")).to_have_value("ines")
    expect(stage).to_be_visible()
    stood = page.current_time(stage)
    assert stood > 0  # the last picture stays
    page.fill(None, PASSWORD)
    expect(page.page.get_by_role("alert")).to_have_text("User name or password is not right.")
    page.fill(None, ANOTHER)
    expect(card).to_have_count(0, timeout=PATIENCE_S * 1000)
    page.until("the picture goes on", lambda: page.current_time(stage) > stood + 1)
    assert page.page.url == address
    assert page.page.evaluate("window.sameOne")


def test_signing_out_leaves_nothing(visit: Callable[..., Visit]) -> None:
    page = visit()
    page.sign_in("admin")
    page.live("Demo").dblclick()
    expect(page.page.locator(".stage")).to_be_visible()
    page.page.get_by_role("button", name="Back to all cameras").click()
    page.page.locator("button.nav:visible").click()
    page.page.get_by_role("button", name="Sign out").click()
    expect(page.page.locator("input[name=password]")).to_be_visible()
    expect(page.page.locator("video")).to_have_count(0)
    page.page.go_forward()
    expect(page.page.locator("input[name=password]")).to_be_visible()


@pytest.mark.parametrize(
    ("language", "button", "rooms"),
    [
        ("en-GB", "Sign in", ["Live", "Playback", "Status", "Settings"]),
        ("fr-FR", "Se connecter", ["Direct", "Relecture", "État", "Réglages"]),
    ],
)
def test_the_page_speaks_the_browsers_language(
    visit: Callable[..., Visit], language: str, button: str, rooms: list[str]
) -> None:
    page = visit(language=language)
    page.open()
    expect(page.page.get_by_role("button", name=button, exact=True)).to_be_visible()
    assert page.page.evaluate("document.documentElement.lang") == language[:2]
    page.fill("admin", PASSWORD)
    expect(page.page.locator("a.nav:visible")).to_have_text(rooms)


def test_dark_is_the_beginning_and_light_is_kept(visit: Callable[..., Visit]) -> None:
    page = visit()
    page.open()
    shade = "() => getComputedStyle(document.documentElement).backgroundColor"
    assert page.page.evaluate(shade) == "rgb(13, 17, 18)"
    page.page.get_by_role("button", name="Theme").click()
    page.until("light", lambda: page.page.evaluate(shade) == "rgb(242, 245, 245)")
    page.page.reload()
    page.until("still light", lambda: page.page.evaluate(shade) == "rgb(242, 245, 245)")


@pytest.mark.parametrize("language", ["en-GB", "fr-FR"])
def test_on_a_phone_nothing_is_too_wide_or_too_small_to_hit(visit: Callable[..., Visit], language: str) -> None:
    page = visit(size=PHONE, language=language, has_touch=True, is_mobile=True, device_scale_factor=2)
    page.open()
    expect(page.page.locator("input[name=password]")).to_be_visible()
    assert_fits(page.page)
    page.fill("admin", PASSWORD)
    tile = page.live("Demo")
    expect(page.page.locator(".tabbar")).to_be_visible()
    expect(page.page.locator(".rail")).to_be_hidden()
    assert page.box_for(tile)["width"] == PHONE["width"]
    assert_fits(page.page)
    page.page.locator("button.nav:visible").tap()
    expect(page.page.get_by_role("dialog")).to_be_visible()
    assert_fits(page.page)
    page.page.keyboard.press("Escape")
    page.page.goto(f"{page.url}/camera/{tile.get_attribute('data-camera')}")
    expect(page.page.locator(".dock")).to_be_visible()
    assert_fits(page.page)


def assert_fits(page: Page) -> None:
    assert not page.evaluate(TOO_WIDE)
    assert page.evaluate(TOO_SMALL) == []


def test_the_browser_offers_to_install_it_and_keeps_its_shell(chromium: Browser, house: House, tmp_path: Path) -> None:
    """Chromium's own judgement; needs a profile, because it installs nothing from a private window."""
    context = chromium.browser_type.launch_persistent_context(
        str(tmp_path / "profile"),
        executable_path=CHROMIUM,
        args=ARGUMENTS,
        env=environment(tmp_path / "home", house.authority),
        timeout=60_000,
    )
    try:
        page = context.new_page()
        page.goto(house.url)
        page.evaluate("async () => { await navigator.serviceWorker.ready; }")
        tools = context.new_cdp_session(page)
        assert tools.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
        manifest = tools.send("Page.getAppManifest")
        assert manifest["errors"] == []
        assert manifest["url"].startswith(house.url)
        page.reload()
        house.stop()
        try:
            page.reload()  # the shell comes from the browser, and says that the server is away
            expect(page.get_by_text("Connection lost.")).to_be_visible(timeout=PATIENCE_S * 1000)
        finally:
            house.start()
        expect(page.locator("input[name=password]")).to_be_visible(timeout=PATIENCE_S * 1000)
    finally:
        context.close()
