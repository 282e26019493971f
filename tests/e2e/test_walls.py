"""Cameras of every codec at 1, 4 and 16 tiles: each is live, in the way and for the reason that the page says, in a
picture that is as large as its tile needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from appliance.cli.api import open_api
from tests.e2e.visit import PATIENCE_S, SHOWN

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator

    from tests.e2e.house import House
    from tests.e2e.visit import Visit
    from tests.peers.cameras import Cameras

pytestmark = [pytest.mark.browser, pytest.mark.peer]
DEMO = True
#: So that a tile of sixteen is not wider than half of the small streams.
SIZE = {"width": 1240, "height": 760}


@dataclass(frozen=True)
class Kind:
    """Of cameras: what they send, and what is said of it in the page.  ``codec`` None: it is played as it comes."""

    name: str
    main: str
    sub: str | None
    codec: str | None

    @property
    def reason(self) -> str | None:
        return self.codec and f"Transcoded: this browser cannot play {self.codec}"


KINDS = (
    Kind("Yard", "", "/sub", None),
    Kind("Gate", "/h265", "/h265sub", "H.265"),
    Kind("Shed", "/mjpeg", None, "MJPEG"),
    Kind("Barn", "/mpeg4", None, "MPEG-4"),
)
DEMO_KIND = Kind("Demo", "", "", None)
#: What a tile says where there is less than it could be.
LESS = re.compile("^(Low bandwidth|Slow device|Server busy)$")
#: As large as the largest stream of each is, and of these cameras the smaller one.
LARGEST, SMALLER = {"Yard": 1280, "Gate": 1280, "Shed": 640, "Barn": 640, "Demo": 1280}, 640


@pytest.fixture(scope="module", autouse=True)
def watched(house: House, cameras: Cameras) -> None:
    with open_api(house.folder, None) as api:  # one program for all of them
        for number in range(16 - len(house.cameras())):
            kind, camera = KINDS[number % len(KINDS)], 1 + number // len(KINDS)
            sub = None if kind.sub is None else cameras.url(kind.sub, 1 + camera % 2)
            body = {"name": f"{kind.name} {camera}", "url": cameras.url(kind.main, 1 + camera % 2), "sub": sub}
            api.call("POST", "admin", "cameras", body=body)
    house.add_user("four", "live=" + ",".join(f"{kind.name} 1" for kind in KINDS))


def is_right(page: Visit, where: Locator, kind: Kind) -> int:
    """The picture comes in the right way and as wide as the tile needs: how wide; 0: the tile says why there is less.

    A machine that has much to do gets less, and says so: the page may show that, but nothing else.
    """
    script = f"""(player) => {{
      const shown = ({SHOWN})(player);
      return [shown?.nodeName ?? "", shown?.videoWidth ?? shown?.width ?? 0, player.clientWidth * devicePixelRatio];
    }}"""
    found: list[int] = []

    def fits() -> bool:
        element, wide, room = where.locator(".player").first.evaluate(script)
        if element != ("VIDEO" if kind.codec is None else "CANVAS") or not wide:
            return False
        if where.get_by_title(LESS).count():
            found.append(0)
        elif min(LARGEST[kind.name], room) / 1.05 <= wide <= max(SMALLER, 2 * room):
            found.append(wide)
        return bool(found)

    page.until(f"{kind.name} fits", fits, 2 * PATIENCE_S)
    return found[0]


def says_why(where: Locator, kind: Kind, name: str) -> None:
    """The chip has the reason, the tile's name the way, and the details have both and the picture's size."""
    chip = where.locator(".pc").first
    if kind.reason is None:
        expect(chip).to_have_count(0, timeout=2 * PATIENCE_S * 1000)
    else:
        expect(chip).to_have_attribute("title", kind.reason, timeout=2 * PATIENCE_S * 1000)
    way = "Direct" if kind.codec is None else "Transcoded"
    expect(where).to_have_attribute("aria-label", f"{name}, live" + ("" if kind.codec is None else ", transcoded"))
    expect(where.locator(".inf")).to_have_text(re.compile(rf"^{way} · (main · |sub · )?\d+×\d+ · "))


def test_every_codec_at_one_four_and_sixteen_tiles(visit: Callable[..., Visit], house: House) -> None:
    page = visit(size=SIZE)
    page.come_as("four")
    page.page.keyboard.press("d")
    widths: dict[str, list[int]] = {}
    for kind in KINDS:
        tile = page.live(f"{kind.name} 1")
        of_four = is_right(page, tile, kind)
        says_why(tile, kind, f"{kind.name} 1")
        tile.dblclick()
        widths[kind.name] = [is_right(page, page.page.locator(".stage"), kind), of_four]
        page.page.keyboard.press("Escape")
    expect(page.page.locator("article.tile")).to_have_count(4)
    page.page.goto("about:blank")
    wall = visit(size=SIZE)
    wall.come_as("admin")
    wall.page.keyboard.press("d")
    expect(wall.page.locator("article.tile")).to_have_count(16)
    for camera in house.cameras():
        kind = next((each for each in KINDS if camera["name"].startswith(each.name)), DEMO_KIND)
        tile = wall.live(camera["name"])
        width = is_right(wall, tile, kind)
        says_why(tile, kind, camera["name"])
        if kind.name in widths:
            known = [each for each in (*widths[kind.name], width) if each]
            assert known == sorted(known, reverse=True), camera["name"]
            assert len(known) < 3 or known[-1] < known[0], camera["name"]
