"""Sleep, a change of networks, a restart of the server, a camera that dies: the open page goes on by itself."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING

import psutil
import pytest
from playwright.sync_api import expect

from tests.e2e.pictures import ALIKE, footage, grab, nearest
from tests.e2e.visit import PATIENCE_S
from tests.e2e.wire import wire_to
from tests.peers.cameras import running_cameras

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator

    from tests.e2e.house import House
    from tests.e2e.visit import Visit
    from tests.peers.cameras import Cameras

pytestmark = [pytest.mark.browser, pytest.mark.peer]
DEMO = False
KEEPS = True


@pytest.fixture(scope="module", autouse=True)
def watched(house: House, cameras: Cameras) -> None:
    house.add_camera("Yard", cameras.url("/sub"))
    house.add_camera("Quay", cameras.url("/sub", 2))


def mark(page: Visit) -> None:
    """So that a page that was loaded anew is noticed."""
    page.page.evaluate("() => { window.sameOne = true; }")


def is_same(page: Visit) -> bool:
    return bool(page.page.evaluate("window.sameOne === true"))


def is_of_the_camera(page: Visit, tile: Locator) -> bool:
    """Whether the picture shown, live or the last one kept, is one of the clip."""
    picture = grab(tile)
    return picture is not None and nearest(picture.image, footage("sub"))[1] < ALIKE


def test_a_restart_of_the_server(visit: Callable[..., Visit], house: House) -> None:
    page = visit()
    page.sign_in("admin")
    tile = page.live("Yard")
    mark(page)
    house.stop()
    try:
        banner = page.page.locator(".banner", has_text="Connection lost.")
        expect(banner).to_be_visible(timeout=PATIENCE_S * 1000)
        expect(banner).to_contain_text(re.compile(r"Showing the last pictures from \d\d:\d\d:\d\d\."))
        expect(tile).to_have_attribute("data-phase", "offline", timeout=PATIENCE_S * 1000)
        assert is_of_the_camera(page, tile)
    finally:
        house.start()
    expect(page.page.get_by_text("Connected again")).to_be_visible(timeout=PATIENCE_S * 1000)
    page.advances(page.live("Yard"))
    assert is_of_the_camera(page, tile)
    assert is_same(page)


def test_a_cut_and_mended_network(visit: Callable[..., Visit], house: House) -> None:
    with wire_to(house.https) as wire:
        page = visit()
        page.url = f"https://127.0.0.1:{wire.at}"
        page.sign_in("admin")
        tile = page.live("Yard")
        mark(page)
        wire.cut()
        page.context.set_offline(True)
        expect(tile).to_have_attribute("data-phase", "offline", timeout=PATIENCE_S * 1000)
        expect(page.page.locator(".banner")).to_contain_text("Connection lost.", timeout=PATIENCE_S * 1000)
        assert is_of_the_camera(page, tile)
        wire.mend()
        page.context.set_offline(False)
        page.advances(page.live("Yard"))
        page.advances(page.live("Quay"))
        assert is_same(page)
        expect(page.page.locator(".banner")).to_have_count(0, timeout=PATIENCE_S * 1000)


def test_connections_that_die_without_a_word(visit: Callable[..., Visit], house: House) -> None:
    """No event tells the page that it has another network now: the silence does."""
    with wire_to(house.https) as wire:
        page = visit()
        page.url = f"https://127.0.0.1:{wire.at}"
        page.sign_in("admin")
        tile = page.live("Yard")
        mark(page)
        stood = page.current_time(tile)
        wire.hold()
        page.until("the picture goes on", lambda: page.current_time(tile) > stood + 8)
        page.live("Quay")
        assert is_same(page)


def test_a_machine_that_sleeps(visit: Callable[..., Visit], house: House) -> None:
    """All of the browser's processes stand still until the server has given up on them, and then go on."""
    page = visit()
    page.sign_in("admin")
    tile = page.live("Yard")
    mark(page)
    processes = [one for one in psutil.Process().children(recursive=True) if "chromium" in one.name()]
    assert len(processes) > 2
    stood, slept_at = page.current_time(tile), time.time()
    for one in processes:
        one.suspend()
    try:
        end = time.monotonic() + PATIENCE_S
        while viewers(house) > 0:
            assert time.monotonic() < end, "the server keeps viewers that take nothing"
            time.sleep(0.5)
    finally:
        for one in processes:
            one.resume()
    slept = time.time() - slept_at
    page.until("the picture is of after the sleep", lambda: page.current_time(tile) > stood + slept)
    page.advances(page.live("Yard"))
    assert is_same(page)


def viewers(house: House) -> int:
    return int(json.loads(house.fanal("status", "--json"))["viewers"])


def test_a_camera_that_dies_and_comes_back(visit: Callable[..., Visit], house: House) -> None:
    page = visit()
    with running_cameras() as cameras:
        house.add_camera("Pier", cameras.url("/sub"))
        try:
            page.sign_in("admin")
            tile = page.live("Pier")
            page.advances(tile)
            cameras.kill()
            expect(tile).to_have_attribute("data-phase", "lost", timeout=PATIENCE_S * 1000)
            message = tile.locator(".msg")
            expect(message).to_contain_text("Camera lost")
            expect(message).to_contain_text(re.compile(r"Last picture \d\d:\d\d:\d\d\."))
            assert is_of_the_camera(page, tile)  # the last one, kept …
            assert tile.locator(".player").evaluate("(p) => getComputedStyle(p).filter") != "none"  # … and dimmed
            expect(page.page.locator(".strip")).to_contain_text("1 lost", timeout=PATIENCE_S * 1000)
            assert nothing_else_is_wrong(page)
            with running_cameras(port=cameras.port):
                page.advances(page.live("Pier"))
                assert is_of_the_camera(page, tile)
                assert tile.locator(".player").evaluate("(p) => getComputedStyle(p).filter") == "none"
                expect(tile.locator(".msg")).to_have_count(0)
                expect(page.page.locator(".strip")).not_to_contain_text("lost", timeout=PATIENCE_S * 1000)
        finally:
            house.remove_camera("Pier")


def nothing_else_is_wrong(page: Visit) -> bool:
    return all(page.tile(name).get_attribute("data-phase") == "live" for name in ("Yard", "Quay"))


def test_a_camera_that_stalls_is_waited_for_and_one_that_hangs_up_comes_back(
    visit: Callable[..., Visit], cameras: Cameras
) -> None:
    page = visit()
    page.sign_in("admin")
    tile = page.live("Yard")
    cameras.order("stall", "cam1", "4")
    expect(tile).to_have_attribute("data-phase", "waiting", timeout=PATIENCE_S * 1000)
    expect(tile.locator(".msg")).to_contain_text("Waiting for video")
    assert is_of_the_camera(page, tile)
    page.advances(page.live("Yard"))
    stood = page.current_time(tile)
    cameras.order("drop")
    page.until("the picture goes on", lambda: page.current_time(tile) > stood + 5)
    page.live("Yard")
    assert is_of_the_camera(page, tile)
