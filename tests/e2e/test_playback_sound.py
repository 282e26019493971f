"""Recorded sound in the browser, beside pictures that it cannot play as video: heard, and in step with them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from playwright.sync_api import expect

from appliance.base.clock import TICKS_PER_SECOND as S
from appliance.base.clock import ManualClock
from tests.e2e.deck import Deck
from tests.e2e.lipsync import SOUNDING, SOURCE, goes_together
from tests.e2e.recorded import GAP_S, LONG_S, REST_S, Recorded
from tests.e2e.visit import PATIENCE_S
from tests.media.clips import encode_aac, encode_h265, picture
from tests.recorder.made import endless, make_recording

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.house import House
    from tests.e2e.visit import Visit
    from tests.peers.cameras import Cameras

pytestmark = [pytest.mark.browser, pytest.mark.peer]
DEMO = False
FPS, SECONDS = 25, 8
#: Seconds that a flash is seen and a tick is heard.
FLASH_S, TICK_S = 0.12, 0.05


def flashing(n: int, width: int, height: int) -> np.ndarray:
    """With a white square in the corner, at each whole second."""
    image = picture(n, width, height)
    image[: height // 6, : width // 10] = 255 if n % FPS < FLASH_S * FPS else 0
    return image


def ticking(at: np.ndarray) -> np.ndarray:
    """1 kHz, at each whole second."""
    wave: np.ndarray = 0.5 * np.sin(2 * np.pi * 1000 * at) * (at % 1 < TICK_S)
    return wave


@pytest.fixture(scope="module")
def recorded(house: House, cameras: Cameras) -> Recorded:
    """H.265, which this browser does not play, and AAC: a minute, then nothing for four, then a little."""
    house.add_camera("Belfry", cameras.url("/h265"))
    house.stop()
    now = int(time.time())
    (camera,) = house.cameras()
    clip = encode_h265(FPS * SECONDS, (640, 360), FPS, FPS, draw=flashing)
    sounds = encode_aac(SECONDS + 1, wave=ticking)[1]
    sounds = sounds[1 : 1 + SECONDS * 16_000 // 1024]  # without the frame that primes
    run = Recorded((now - 3600) * 1000, now * 1000, {camera["name"]: camera["id"]})
    for begin, seconds in ((0, LONG_S), (LONG_S + GAP_S, REST_S)):
        units = endless(clip, (now - 3600 + begin) * S, seconds, sounds=sounds)
        make_recording(house.folder, units, camera_id=camera["id"], clock=ManualClock(now * S))
    house.start()
    return run


def test_recorded_sound_is_heard_beside_pictures_and_in_step_with_them(
    visit: Callable[..., Visit], recorded: Recorded
) -> None:
    deck = Deck(visit(size={"width": 1000, "height": 600}), recorded)
    page, player = deck.visit, deck.page.locator(".pbstage .tile .player").last

    def begins(what: str, before: str | None) -> str:
        """It is heard, and is not what was heard before; its source."""
        other = f"(({SOUNDING}) && {SOURCE} !== {json.dumps(before)} && {SOURCE}) || null"
        return str(page.until(what, lambda: deck.page.evaluate(other)))

    def falls_silent() -> None:
        page.until("silence", lambda: deck.page.locator(".player audio").count() == 0)

    deck.open(recorded.start + 10_300, "Belfry")
    deck.until("pictures", lambda seen: seen["phase"] == "shown" and seen["mode"] == "transcoded")
    assert deck.page.locator(".player audio").count() == 0
    deck.page.keyboard.press("a")
    heard = begins("sound", None)
    expect(deck.page.get_by_text("Sound on", exact=True).first).to_be_visible(timeout=PATIENCE_S * 1000)
    goes_together(page, player)
    # elsewhere
    deck.go(recorded.start + 35_650, "Belfry")
    heard = begins("sound after a seek", heard)
    goes_together(page, player)
    # a pause, and on
    deck.pause()
    falls_silent()
    deck.page.get_by_role("button", name="Play", exact=True).click()
    heard = begins("sound after a pause", None)
    goes_together(page, player)
    # at another speed there is none
    deck.page.keyboard.press("]")
    falls_silent()
    deck.page.keyboard.press("[")
    heard = begins("sound at the speed that it has", None)
    # over a gap
    deck.go(recorded.gap[0] - 2500, "Belfry")
    heard = begins("sound before a gap", heard)
    expect(deck.page.get_by_text("Skipped 4")).to_be_visible(timeout=PATIENCE_S * 1000)
    begins("sound behind a gap", heard)
    goes_together(page, player)
    deck.page.keyboard.press("a")
    falls_silent()
