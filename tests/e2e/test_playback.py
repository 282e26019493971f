"""What was recorded, in the browser: the right picture at every instant, either way, in step, and up to now."""

from __future__ import annotations

import math
import random
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.axe import THEMES, Judge
from tests.e2e.deck import GO, Deck
from tests.e2e.pictures import WATCH
from tests.e2e.recorded import FRAME_MS, PICTURES, Recorded, record
from tests.e2e.visit import PATIENCE_S, PHONE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.house import House
    from tests.e2e.visit import Visit
    from tests.peers.cameras import Cameras

pytestmark = [pytest.mark.browser, pytest.mark.peer]
DEMO = False
#: Nothing moves while it is looked at.
STILL = {"reduced_motion": "reduce"}
#: A browser without a way to play video: pictures come instead.
NO_MEDIA = "delete window.MediaSource; delete window.ManagedMediaSource;"
#: As `WATCH`, of the one of live and recorded that is in front.
WATCH_FRONT = WATCH.replace('querySelector(".player")', 'querySelector(".place[data-front] .player")')


@pytest.fixture(scope="module")
def recorded(house: House, cameras: Cameras) -> Recorded:
    for n, name in enumerate(("Yard", "Quay", "Gate")):
        house.add_camera(name, cameras.url(camera=n % 2 + 1), cameras.url("/sub", n % 2 + 1))
    house.add_user("anna", "live=all", "playback=all")
    return record(house)


def test_a_recording_plays_at_its_speed_and_stops_at_the_picture_of_the_clock(
    visit: Callable[..., Visit], recorded: Recorded
) -> None:
    deck = Deck(visit(), recorded)
    deck.open(recorded.start + 10_000, "Yard")
    first = deck.until("it plays", lambda seen: seen["phase"] == "shown" and seen["time"] > recorded.start + 10_300)
    assert (first["mode"], first["rate"]) == ("direct", 1)
    deck.until("it goes on", lambda seen: seen["time"] > first["time"] + 1000)
    deck.page.keyboard.press("]")
    deck.until("twice as fast", lambda seen: seen["rate"] == 2)
    number = deck.pause()
    at = deck.look()[0]["time"]
    assert number == recorded.number_at(at)
    shown = datetime.fromtimestamp(at / 1000, UTC).astimezone().strftime("%H:%M:%S")
    assert shown in deck.clock
    # the address is where this is, and leads there again
    deck.visit.until("the address", lambda: f"{int(at) % 1000:03d}Z" in deck.page.url)
    address = deck.page.url
    deck.go(recorded.start, "Yard")
    deck.shows(0)
    deck.page.evaluate(GO, address)
    deck.shows(number)


@pytest.mark.parametrize(("way", "count"), [("direct", 35), ("transcoded", 15)])
def test_the_picture_of_any_instant_is_shown(
    visit: Callable[..., Visit], recorded: Recorded, way: str, count: int
) -> None:
    page = visit()
    if way == "transcoded":
        page.context.add_init_script(NO_MEDIA)
    deck = Deck(page, recorded)
    deck.open(recorded.start + 5000, "Yard")
    deck.pause()
    chance = random.Random(count)
    took = []
    for _ in range(count):
        since = chance.choice([chance.randrange(69_900), recorded.gap[1] - recorded.start + chance.randrange(19_500)])
        begin = datetime.now(UTC)
        deck.go(recorded.start + since, "Yard")
        deck.shows(recorded.number_at(recorded.start + since))
        took.append((datetime.now(UTC) - begin).total_seconds())
    assert deck.look()[0]["mode"] == way
    assert sorted(took)[count // 2] < 2.0


def test_steps_go_to_the_next_picture_and_the_one_before_over_the_borders_of_files(
    visit: Callable[..., Visit], recorded: Recorded
) -> None:
    deck = Deck(visit(), recorded)
    deck.open(recorded.start + 30_000, "Yard")
    deck.pause()
    at = recorded.start + 60_000  # a file begins there
    deck.go(at, "Yard")
    number = recorded.number_at(at)
    deck.shows(number)
    for by in (*[-1] * 4, *[1] * 6):
        number += by
        deck.page.keyboard.press("." if by == 1 else ",")
        deck.shows(number)


def test_backwards_and_fast_come_as_pictures_and_a_pause_holds_the_one_on_screen(
    visit: Callable[..., Visit], recorded: Recorded
) -> None:
    deck = Deck(visit(), recorded)
    deck.open(recorded.start + 46_000, "Yard")
    before = deck.pause()
    deck.page.keyboard.press("j")
    deck.until("pictures", lambda seen: seen["mode"] == "transcoded" and seen["number"] < before - 10)
    numbers = [deck.look()[0]["number"] for _ in range(10)]
    assert numbers == sorted(numbers, reverse=True)
    number = deck.pause()
    deck.page.keyboard.press(",")
    deck.shows(number - 1)
    deck.page.get_by_role("button", name="Speed: −1×").click()
    deck.page.get_by_text("8×", exact=True).last.click()
    expect(deck.page.get_by_text("Key frames only")).to_be_visible()
    deck.until("key pictures", lambda seen: seen["mode"] == "transcoded" and seen["number"] % 25 == 0)


def test_a_gap_is_jumped_over_with_a_word_or_waited_in(visit: Callable[..., Visit], recorded: Recorded) -> None:
    deck = Deck(visit(), recorded)
    deck.open(recorded.gap[0] - 2500, "Yard")
    expect(deck.page.get_by_text(re.compile(r"^Skipped 4\smin without recording$"))).to_be_visible(
        timeout=PATIENCE_S * 1000
    )
    deck.until("it goes on behind the gap", lambda seen: seen["time"] > recorded.gap[1] + 200)
    deck.pause()
    deck.go(recorded.gap[0] + 5000, "Yard")
    expect(deck.page.get_by_text("No recording here")).to_be_visible()
    deck.page.get_by_role("button", name=re.compile("^Go to ")).first.click()
    deck.shows(0)
    # who plays from within it begins behind it
    deck.page.get_by_role("button", name="Play", exact=True).click()
    deck.until("it plays", lambda seen: seen["time"] > recorded.gap[1] + 500)
    deck.go(recorded.gap[0] - 60_000, "Yard")
    deck.until("it is elsewhere", lambda seen: seen["phase"] == "shown" and seen["time"] < recorded.gap[0])
    deck.go(recorded.gap[0] + 9000, "Yard")
    deck.until("it is behind it", lambda seen: seen["phase"] == "shown" and seen["time"] > recorded.gap[1] + 200)
    deck.open(recorded.gap[1] - 900, "Yard")
    deck.until("it begins there", lambda seen: seen["phase"] == "shown" and seen["time"] > recorded.gap[1] + 200)


def test_live_and_recorded_are_one_picture_without_black_between(
    visit: Callable[..., Visit], recorded: Recorded
) -> None:
    deck = Deck(visit(), recorded)
    deck.open(recorded.now - 30_000, "Yard")
    deck.until("the recording", lambda seen: seen["phase"] == "shown")
    live = deck.page.locator(".play-side").get_by_role("button", name="Live")
    deck.page.evaluate(WATCH_FRONT)
    live.click()
    deck.until("live", lambda seen: seen["phase"] == "live" and seen["mode"] == "direct")
    expect(live).to_have_attribute("aria-pressed", "true")
    now = int(deck.page.evaluate("Date.now()"))
    deck.go(now - 12_000, "Yard")
    deck.until("the recording again", lambda seen: seen["phase"] == "shown" and abs(seen["time"] - now) < 15_000)
    painted = deck.page.evaluate("() => { cancelAnimationFrame(window.looking); return window.painted; }")
    assert min(bright for _, bright in painted) > 10
    for _ in range(2):
        deck.page.keyboard.press("]")
    expect(live).to_have_attribute("aria-pressed", "true", timeout=PATIENCE_S * 1000)  # by itself
    deck.until("live", lambda seen: seen["phase"] == "live")


def test_three_cameras_play_in_step(visit: Callable[..., Visit], recorded: Recorded, tmp_path: Path) -> None:
    deck = Deck(visit(**STILL), recorded)
    deck.open(recorded.start + 12_000, "Yard", "Quay", "Gate")
    deck.visit.until("all play", lambda: all(seen["phase"] == "shown" for seen in deck.look()))

    def apart() -> float:
        times = [seen["time"] for seen in deck.look()]
        return math.inf if any(map(math.isnan, times)) else float(max(times) - min(times))

    deck.visit.until("they are in step", lambda: apart() <= FRAME_MS)
    worst = []
    for _ in range(10):
        deck.page.wait_for_timeout(100)
        worst.append(apart())
    assert sorted(worst)[-2] <= FRAME_MS, worst  # one may be seen in the middle of a correction
    deck.pause()

    def numbers() -> list[int]:
        return [int(seen["number"] or 0) for seen in deck.look()]

    deck.visit.until("one instant", lambda: {(numbers()[0] - each) % PICTURES for each in numbers()} == {0, 50})
    deck.page.screenshot(path=tmp_path / "three.png")
    judge = Judge(deck.page, "en", touch=False)
    judge.look("three in step")
    deck.go(recorded.start + 5000, "Yard", "Quay", "Gate")  # one was not recorded then
    tile = deck.page.locator(".pbstage .tile").nth(2)
    expect(tile.get_by_text("No recording here")).to_be_visible()
    judge.look("one without recording")
    deck.page.get_by_role("button", name="3 cameras in step").click()
    judge.look("cameras in step")
    deck.page.keyboard.press("Escape")
    assert judge.found == [], "\n".join(judge.found)
    tile.get_by_role("button", name=re.compile("^Go to ")).click()
    deck.visit.until(
        "all are where it begins",
        lambda: numbers() == [recorded.number_at(recorded.start + 10_000)] * 2 + [0],
    )


def test_a_right_that_is_taken_takes_the_picture(visit: Callable[..., Visit], house: House, recorded: Recorded) -> None:
    deck = Deck(visit(), recorded, "anna")
    deck.open(recorded.start + 20_000, "Quay")
    deck.until("it plays", lambda seen: seen["phase"] == "shown")
    house.fanal("user", "set", "anna", "playback=Yard")
    denied = deck.until("no picture", lambda seen: seen["phase"] == "denied", 5 + PATIENCE_S)
    assert denied["number"] is None
    expect(deck.page.get_by_text("You may not play back this camera")).to_be_visible()
    house.fanal("user", "set", "anna", "playback=none")
    expect(deck.page.get_by_text("You may not play back any camera yet.")).to_be_visible(timeout=PATIENCE_S * 1000)


def test_on_a_phone_in_french_from_one_camera_to_its_recording(
    visit: Callable[..., Visit], recorded: Recorded, tmp_path: Path
) -> None:
    page = visit(size=PHONE, language="fr-FR", has_touch=True, is_mobile=True, **STILL)
    deck = Deck(page, recorded)
    page.open(f"/camera/{recorded.ids['Yard']}")
    page.page.get_by_role("button", name="Relire").click()
    expect(page.page.locator(".pbstage .tile")).to_have_count(1)
    deck.until("what was recorded a moment ago", lambda seen: seen["phase"] == "shown" and seen["time"] > 0)
    assert re.search(r"/playback\?cams=[\w-]+&at=", page.page.url)
    expect(page.page.get_by_role("link", name="Relecture")).to_have_attribute("aria-current", "page")
    assert page.page.title() == "Yard, relecture – Fanal"
    assert page.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    box = page.box_for(page.page.locator(".tl canvas"))
    assert box["width"] >= PHONE["width"] - 2
    page.page.screenshot(path=tmp_path / "phone.png")
    judge = Judge(page.page, "fr", touch=True, themes=THEMES[1:])
    judge.look("recording on a phone")
    assert judge.found == [], "\n".join(judge.found)
