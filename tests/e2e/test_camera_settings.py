"""Cameras are added, changed and removed in the page: a real camera that wants a password, wrong answers first."""

from __future__ import annotations

import re
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.pictures import ALIKE, footage, grab, nearest
from tests.e2e.test_signing_in import TOO_SMALL, TOO_WIDE
from tests.e2e.visit import DESKTOP, PATIENCE_S, PHONE
from tests.peers.cameras import Cameras, free_port, running_cameras

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Locator, Page

    from tests.e2e.house import House
    from tests.e2e.visit import Visit

pytestmark = [pytest.mark.browser, pytest.mark.peer]
DEMO = False
KEEPS = True
USER, SECRET = "operator", "canary in the lantern"
FINGERS = {"size": PHONE, "has_touch": True, "is_mobile": True}
MS = PATIENCE_S * 1000


@pytest.fixture(scope="module")
def guarded() -> Iterator[Cameras]:
    """A camera that wants to know who asks."""
    with running_cameras(user=USER, password=SECRET) as cameras:
        yield cameras


@pytest.fixture(autouse=True)
def empty(house: House) -> Iterator[None]:
    yield
    for camera in house.cameras():
        house.remove_camera(camera["name"])


def field(page: Page, name: str) -> Locator:
    return page.locator(f".ed input[name={name}]")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def told(page: Page) -> Locator:
    return page.locator(".ed").get_by_role("alert")


@pytest.mark.parametrize("device", [{"size": DESKTOP}, FINGERS], ids=["desktop", "phone"])
def test_the_first_camera_is_found_signed_in_to_looked_at_named_and_watched(
    device: dict, visit: Callable[..., Visit], house: House, guarded: Cameras
) -> None:
    one = visit(**device)
    page = one.page
    one.come_as("admin")
    page.get_by_role("link", name="Add a camera").click()
    expect(page).to_have_url(f"{house.url}/settings/cameras/new")
    expect(field(page, "url")).to_be_focused()

    nowhere = free_port()
    field(page, "url").fill(f"127.0.0.1:{nowhere}/cam1")
    press(page, "Show its picture")
    expect(told(page)).to_contain_text(f"Nothing answers at 127.0.0.1:{nowhere}.", timeout=MS)
    expect(told(page)).to_contain_text("Check the address and the port")
    expect(page.locator(".stages li")).to_have_text([re.compile(f"Failed:.*Connect to 127.0.0.1:{nowhere}")])

    field(page, "url").fill(guarded.url("/nothing", userinfo=f"{USER}:{SECRET.replace(' ', '%20')}@"))
    press(page, "Show its picture")
    expect(told(page)).to_contain_text("The camera has no stream at this address.", timeout=MS)
    # what stood in the address is where it belongs, and not to be read
    expect(field(page, "url")).to_have_value(guarded.url("/nothing"))
    expect(field(page, "username")).to_have_value(USER)
    expect(field(page, "password")).to_have_attribute("type", "password")

    page.reload()
    field(page, "url").fill(guarded.url())
    expect(field(page, "password")).to_have_count(0)
    press(page, "Show its picture")
    expect(told(page)).to_contain_text("The camera asks for a user and a password.", timeout=MS)
    expect(field(page, "username")).to_be_focused()
    field(page, "username").fill(USER)
    field(page, "password").fill("guessed")
    press(page, "Show its picture")
    expect(told(page)).to_contain_text("The camera refuses this user or password.", timeout=MS)
    expect(page.locator(".stages li").last).to_contain_text("Sign in")
    expect(field(page, "password")).to_be_focused()
    field(page, "password").fill(SECRET)
    page.keyboard.press("Enter")

    showed = page.locator(".ed").get_by_role("status")
    expect(showed).to_contain_text(re.compile(r"Picture after .*H\.264, 1280×720, 10\sfps"), timeout=MS)
    picture = page.get_by_role("img", name="Test picture")
    assert picture.evaluate("(img) => [img.naturalWidth, img.naturalHeight]") == [960, 540]
    expect(picture).to_be_in_viewport()
    expect(field(page, "name")).to_have_value("127.0.0.1")
    press(page, "Add a smaller stream")
    field(page, "sub").fill(guarded.url("/sub"))
    press(page, "Show its picture")
    expect(page.locator(".ed .kv")).to_contain_text("640×360", timeout=MS)
    assert not page.evaluate(TOO_WIDE)
    if device is FINGERS:
        assert page.evaluate(TOO_SMALL) == []
    field(page, "name").fill("Front gate")
    press(page, "Add this camera")

    expect(page).to_have_url(f"{house.url}/settings/cameras")
    expect(page.locator(".toast")).to_contain_text("Front gate added.")
    row = page.locator(".dev")
    expect(row).to_contain_text("Front gate")
    expect(row).to_contain_text("1280×720", timeout=MS)
    assert not page.evaluate(TOO_WIDE)
    page.get_by_role("link", name="Live", exact=True).click()
    tile = one.live("Front gate")
    one.advances(tile)
    assert nearest(grab(tile).image, footage("main" if device is not FINGERS else "sub"))[1] < ALIKE  # type: ignore[union-attr]
    (camera,) = house.cameras()
    assert [stream["url"] for stream in camera["streams"]] == [guarded.url(), guarded.url("/sub")]
    assert [stream["has_password"] for stream in camera["streams"]] == [True, True]


@pytest.mark.parametrize("device", [{"size": DESKTOP}, FINGERS], ids=["desktop", "phone"])
def test_a_camera_is_renamed_tested_and_given_another_password(
    device: dict, visit: Callable[..., Visit], house: House, guarded: Cameras
) -> None:
    house.add_camera("Gate", guarded.url(userinfo=f"{USER}:{SECRET.replace(' ', '%20')}@"))
    house.add_camera("Yard", guarded.url("/sub"))
    one = visit(**device)
    page = one.page
    one.known_as("admin")
    one.open("/settings/cameras")
    page.locator(".dev").filter(has_text="Gate").click()
    expect(page.locator(".ed")).to_contain_text("Set")
    expect(field(page, "password")).to_have_count(0)
    assert SECRET not in page.content()
    press(page, "Test")  # with the password that is kept
    expect(page.locator(".ed").get_by_role("status")).to_contain_text("Picture after", timeout=MS)

    field(page, "name").fill("yard")
    expect(page.locator(".was")).to_have_text("was Gate")
    press(page, "Save")
    expect(page.locator(".errmsg")).to_contain_text("There is a camera of this name already.")
    expect(field(page, "name")).to_be_focused()
    field(page, "name").fill("Back gate")
    page.get_by_role("button", name="Change", exact=True).click()
    field(page, "password").fill("guessed")
    press(page, "Test")
    expect(told(page)).to_contain_text("The camera refuses this user or password.", timeout=MS)
    expect(page.locator(".savebar")).to_contain_text("2 changes")
    press(page, "Undo all")
    expect(field(page, "name")).to_have_value("Gate")
    expect(page.locator(".savebar")).to_have_count(0)

    field(page, "name").fill("Back gate")
    page.get_by_role("link", name="Live", exact=True).click()
    dialog = page.get_by_role("dialog", name="Leave without saving?")
    dialog.get_by_role("button", name="Stay").click()
    expect(dialog).to_have_count(0)
    expect(field(page, "name")).to_have_value("Back gate")
    press(page, "Save")
    expect(page.locator(".toast").last).to_contain_text("Saved. In force.")
    page.get_by_role("link", name="Live", exact=True).click()
    one.advances(one.live("Back gate"))
    assert {camera["name"] for camera in house.cameras()} == {"Back gate", "Yard"}
    if device is FINGERS:
        one.open("/settings/cameras")
        assert page.evaluate(TOO_SMALL) == []


def openssl(*words: str) -> str:
    return subprocess.run(["openssl", *words], capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cameras, str]]:
    """A camera with a certificate that it made itself, and the fingerprint that its own page would show."""
    folder = tmp_path_factory.mktemp("camera")
    key, certificate, both = folder / "key.pem", folder / "cert.pem", folder / "both.pem"
    openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=IPC-21",
        "-keyout", str(key), "-out", str(certificate),
    )  # fmt: skip
    both.write_text(certificate.read_text() + key.read_text())
    shown = openssl("x509", "-in", str(certificate), "-noout", "-fingerprint", "-sha256").strip().partition("=")[2]
    with running_cameras(tls=both) as cameras:
        yield cameras, shown


@pytest.mark.parametrize("device", [{"size": DESKTOP}, FINGERS], ids=["desktop", "phone"])
def test_a_certificate_is_compared_and_trusted_and_the_way_is_chosen(
    device: dict, visit: Callable[..., Visit], house: House, secured: tuple[Cameras, str]
) -> None:
    cameras, shown = secured
    kept = shown.replace(":", "").lower()
    one = visit(**device)
    page = one.page
    one.known_as("admin")
    one.open("/settings/cameras/new")
    field(page, "url").fill(cameras.url())
    press(page, "Show its picture")
    expect(told(page)).to_contain_text("No authority vouches for the camera’s certificate.", timeout=MS)
    expect(told(page)).to_contain_text("Open the camera’s own page")
    expect(page.locator(".stages li").last).to_contain_text("Encrypt the connection")
    assert "".join(page.locator(".print span").all_text_contents()) == shown
    assert not page.evaluate(TOO_WIDE)
    if device is FINGERS:
        assert page.evaluate(TOO_SMALL) == []

    press(page, "Trust this certificate")
    expect(page.locator(".ed").get_by_role("status")).to_contain_text("Picture after", timeout=MS)
    fold = page.locator(".way summary")
    expect(fold).to_have_text("Connection · one certificate trusted")
    fold.click()
    expect(field(page, "fingerprint")).to_have_value(shown)
    ways = page.get_by_role("group", name="How pictures come")
    ways.get_by_role("button", name="UDP").click()
    press(page, "Show its picture")
    expect(page.locator(".way .errmsg")).to_contain_text("Over UDP nothing is encrypted")
    expect(ways.get_by_role("button", name="UDP")).to_be_focused()
    ways.get_by_role("button", name="TCP").click()
    expect(page.locator(".way .errmsg")).to_have_count(0)
    assert not page.evaluate(TOO_WIDE)
    if device is FINGERS:
        assert page.evaluate(TOO_SMALL) == []
    press(page, "Show its picture")
    expect(page.locator(".ed").get_by_role("status")).to_contain_text("Picture after", timeout=MS)
    field(page, "name").fill("Gate")
    press(page, "Add this camera")
    expect(page.locator(".toast")).to_contain_text("Gate added.")
    (camera,) = house.cameras()
    assert camera["streams"][0]["url"] == f"{cameras.url()}#transport=tcp&fingerprint={kept}"

    # another certificate than the trusted one: somebody may be in between
    page.locator(".dev").click()
    expect(field(page, "url")).to_have_value(cameras.url())
    fold.click()
    field(page, "fingerprint").fill("12:34")
    press(page, "Save")
    expect(page.locator(".way .errmsg")).to_contain_text("has 64 digits")
    expect(field(page, "fingerprint")).to_be_focused()
    field(page, "fingerprint").fill("1" * 64)
    press(page, "Test")
    expect(told(page)).to_contain_text("another certificate than the one you trust", timeout=MS)
    assert "".join(page.locator(".print span").all_text_contents()) == shown
    expect(page.locator(".print")).to_be_in_viewport()
    press(page, "Trust the new certificate")
    expect(page.locator(".ed").get_by_role("status")).to_contain_text("Picture after", timeout=MS)
    expect(page.locator(".savebar")).to_have_count(0)  # it is the one that is kept
    ways.get_by_role("button", name="Automatic").click()
    expect(page.locator(".way .was")).to_have_text("was TCP")
    press(page, "Save")
    expect(page.locator(".toast").last).to_contain_text("Saved. In force.")
    (camera,) = house.cameras()
    assert camera["streams"][0]["url"] == f"{cameras.url()}#fingerprint={kept}"
    page.get_by_role("link", name="Live", exact=True).click()
    one.advances(one.live("Gate"))


def test_a_kept_password_stays_with_its_host(visit: Callable[..., Visit], house: House, guarded: Cameras) -> None:
    house.add_camera("Gate", guarded.url(userinfo=f"{USER}:{SECRET.replace(' ', '%20')}@"))
    one = visit()
    page = one.page
    one.known_as("admin")
    one.open("/settings/cameras")
    page.locator(".dev").click()
    field(page, "url").fill(guarded.url().replace("127.0.0.1", "localhost"))
    expect(page.locator(".ed")).to_contain_text("The one that is kept is for 127.0.0.1 only.")
    press(page, "Test")
    expect(told(page)).to_contain_text("The camera refuses this user or password.", timeout=MS)
    field(page, "password").fill(SECRET)
    press(page, "Test")
    expect(page.locator(".ed").get_by_role("status")).to_contain_text("Picture after", timeout=MS)
    press(page, "Save")
    expect(page.locator(".toast")).to_contain_text("Saved. In force.")
    (camera,) = house.cameras()
    assert camera["streams"][0]["has_password"]


def test_removing_can_be_undone_for_a_while_and_happens_then(
    visit: Callable[..., Visit], house: House, guarded: Cameras
) -> None:
    house.add_camera("Gate", guarded.url())
    house.add_camera("Yard", guarded.url("/sub"))
    one = visit(**FINGERS)
    page = one.page
    one.known_as("admin")
    one.open("/settings/cameras")

    def remove() -> float:
        page.locator(".dev").filter(has_text="Gate").click()
        press(page, "Remove this camera")
        expect(page.locator(".dev")).to_have_text(re.compile("Yard"))
        return time.monotonic()

    remove()
    press(page, "Undo")
    expect(page.locator(".dev")).to_have_count(2)
    page.wait_for_timeout(9000)
    assert len(house.cameras()) == 2

    began = remove()
    page.wait_for_timeout(5000)
    assert time.monotonic() - began > 7 or len(house.cameras()) == 2, "there is still time to think again"
    one.until("it is removed", lambda: [camera["name"] for camera in house.cameras()] == ["Yard"])
    assert time.monotonic() - began > 7.5
    for _ in range(10):  # and does not come back, not even for a moment
        assert page.locator(".dev").count() == 1
        page.wait_for_timeout(100)

    page.locator(".dev").filter(has_text="Yard").click()  # whoever leaves does not undo it any more
    press(page, "Remove this camera")
    expect(page.get_by_text("No cameras yet.")).to_be_visible()
    one.until("the server knows", lambda: house.cameras()[0]["remove_at"])
    page.goto("about:blank")
    # by the page's last word; should that be lost, the server has the time already
    one.until("it is removed", lambda: all(camera["remove_at"] for camera in house.cameras()))


def test_all_of_it_works_by_keyboard_and_in_french(visit: Callable[..., Visit], house: House, guarded: Cameras) -> None:
    one = visit(language="fr-FR")
    page = one.page
    one.come_as("admin")
    page.keyboard.press("g")
    page.keyboard.press("s")
    expect(page).to_have_url(f"{house.url}/settings/cameras")
    # of this page: the one that is left has such a link too, and the address changes a moment before the page does
    page.locator(".page-main").get_by_role("link", name="Ajouter une caméra").focus()
    page.keyboard.press("Enter")
    expect(field(page, "url")).to_be_focused()
    page.keyboard.type(guarded.url())
    page.keyboard.press("Enter")
    expect(told(page)).to_contain_text("La caméra demande un utilisateur et un mot de passe.", timeout=MS)
    expect(field(page, "username")).to_be_focused()  # the words are there a moment before
    page.keyboard.type(USER)
    page.keyboard.press("Tab")
    page.keyboard.type(SECRET)
    page.keyboard.press("Enter")
    expect(page.locator(".ed").get_by_role("status")).to_contain_text("Image après", timeout=MS)
    expect(field(page, "name")).to_be_focused()
    page.keyboard.type("Portail")  # over what was proposed
    page.keyboard.press("Enter")
    expect(page.locator(".toast")).to_contain_text("Portail ajoutée.", timeout=MS)
    assert [camera["name"] for camera in house.cameras()] == ["Portail"]
    page.locator(".dev").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".ed")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".dev")).to_be_focused()


def test_a_viewer_has_no_settings(visit: Callable[..., Visit], house: House) -> None:
    house.add_user("wanda")
    one = visit()
    one.come_as("wanda")
    expect(one.page.get_by_role("link", name="Settings")).to_have_count(0)
    one.open("/settings/cameras/new")
    expect(one.page).to_have_url(f"{house.url}/")
    expect(one.page.get_by_text("You may not watch any camera yet.")).to_be_visible()
