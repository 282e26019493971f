"""Recordings over the WebSocket: the picture that was on the screen at a time, and no other."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
import trio

from appliance.base.clock import TICKS_PER_SECOND as S
from appliance.base.clock import to_rfc3339
from appliance.media.fmp4_read import read_samples
from tests.media.clips import encode_aac, encode_h264, encode_h265
from tests.recorder.made import endless, make_recording
from tests.streams.recordings import FRAME, START, number_in, stretch
from tests.web.appliance import House, running_house
from tests.web.transcoding import AVC, HEVC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.sites.cameras import Camera
    from tests.web.visitor import Visitor

#: Pictures say their number; 130 s are three files, whose numbers begin anew every 8 s.
CLIP = encode_h264(200, gop=25, b=2)
HALF = encode_h264(200, (160, 90), gop=10)
OTHER = encode_h265(100, (320, 180), gop=25)
SOUND, SOUNDS = encode_aac(2.0)
DIRECT = {"width": 320, "height": 180, "codecs": [AVC, HEVC]}
#: When each was recorded: with sound; then, after an hour, another format that follows at once on the first.
LONG, AGAIN, ANOTHER = START, START + 3600 * S, START + 3610 * S
END = ANOTHER + 4 * S


@dataclass
class World:
    house: House
    camera: Camera
    anna: Visitor

    def do(self, act: Any, *args: Any) -> Any:
        return self.house.do(act, self, *args)


def number_at(at: int) -> int:
    """The number of the picture that was on the screen."""
    for start, count in ((ANOTHER, len(OTHER.units)), (AGAIN, len(CLIP.units)), (LONG, len(CLIP.units))):
        if at >= start:
            return (at - start) // FRAME % count
    raise LookupError(at)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with running_house() as house:
        camera = house.do(house.camera)
        index = house.services.archive._index
        for clip, at, seconds, sounds in ((CLIP, LONG, 130, SOUNDS), (CLIP, AGAIN, 10, ()), (OTHER, ANOTHER, 4, ())):
            make_recording(house.folder, endless(clip, at, seconds, sounds=sounds), camera_id=camera.id, index=index)
        user = house.do(lambda: house.user("anna", playback=[camera], audio=[camera]))
        yield World(house, camera, house.do(house.visitor, user))


def instants(count: int) -> list[int]:
    """Anything but the times of key pictures, in any order."""
    chance = random.Random(count)
    spans = [(LONG, 129 * S), (AGAIN, 9 * S), (ANOTHER, 3 * S)]
    chosen = [chance.choices(spans, [8, 2, 2])[0] for _ in range(count)]
    return [start + chance.randrange(length) // 90 * 90 for start, length in chosen]


async def directly(world: World, times: list[int]) -> None:
    async with world.anna.live(world.camera.id, way="playback") as view:
        await view.want(**DIRECT)
        for number, at in enumerate(times, 1):
            await view.say({"type": "seek", "at": to_rfc3339(at), "id": number})
            found = await stretch(view, number, until=at)
            assert (found.told["mode"], found.told["reason"]) == ("direct", None)
            shown, image = found.shown_at(at + 89)
            assert number_in(image) == number_at(at + 89), (number, at - START)
            assert 0 <= at + 89 - shown < FRAME
            assert found.units[0][0] <= at


def test_fifty_instants_are_shown_exactly_by_a_player_of_what_is_sent(world: World) -> None:
    world.do(directly, instants(50))


async def plays_over_the_border_of_files(world: World) -> None:
    """With sound, at four times the speed, into the next file; then a pause."""
    async with world.anna.live(world.camera.id, way="playback") as view:
        await view.want(**DIRECT, audio=True)
        at = LONG + 55 * S
        await view.say({"type": "play", "at": to_rfc3339(at), "speed": 4, "id": 1})
        found = await stretch(view, 1, until=LONG + 65 * S)
        assert found.audio == SOUND
        times = sorted(each for each, _ in found.units)
        assert {after - before for before, after in pairwise(times[:-3])} == {FRAME}  # others follow on the last
        assert {after - before for before, after in pairwise(found.sounds)} == {SOUNDS[0].duration}
        positions = [text for text in view.texts if text["type"] == "position"]
        assert positions[0] == {
            "type": "position", "id": 1, "utc_ms": at // 90, "state": "playing", "speed": 4.0
        }  # fmt: skip
        # no more than 4 s of the client's time ahead, at once
        began = trio.current_time()
        while max(at for at, _ in found.units) < LONG + 80 * S:
            message = await view.hear()
            if isinstance(message, bytes):
                found.take(message)
        assert trio.current_time() - began > 1
        await view.say({"type": "pause", "id": 2})
        while (told := await view.told("position"))["id"] != 2:
            pass
        assert told["state"] == "paused"
        assert LONG + 60 * S < told["utc_ms"] * 90 < LONG + 80 * S
        with trio.move_on_after(0.5):
            await view.hear()
            raise AssertionError("it goes on")


def test_playing_goes_on_over_the_border_of_files_and_stops_when_told(world: World) -> None:
    world.do(plays_over_the_border_of_files)


@pytest.mark.parametrize("gaps", ["skip", "play"])
def test_a_gap_is_skipped_or_played(world: World, gaps: str) -> None:
    async def act(world: World) -> None:
        async with world.anna.live(world.camera.id, way="playback") as view:
            await view.want(**DIRECT)
            at = LONG + 129 * S
            await view.say({"type": "play", "at": to_rfc3339(at), "gaps": gaps, "id": 7})
            told = await view.told("gap")
            assert told == {"type": "gap", "id": 7, "from": (LONG + 130 * S) // 90, "to": AGAIN // 90}
            if gaps == "skip":
                (fragment,) = await view.fragments(1)
                (sample,) = read_samples(fragment)
                (told,) = (text for text in view.texts if text["type"] == "stream")
                assert told["utc_zero"] + sample.dts + sample.composition == AGAIN
                return
            began = trio.current_time()
            while (told := await view.told("position"))["state"] != "gap":
                pass
            assert trio.current_time() - began < 4
            assert told["utc_ms"] >= (LONG + 130 * S) // 90
            with trio.move_on_after(0.5):
                await view.fragments(1)
                raise AssertionError("what follows on an hour is not due yet")

    world.do(act)


def test_another_format_is_announced_and_the_end_is_told(world: World) -> None:
    async def act(world: World) -> None:
        async with world.anna.live(world.camera.id, way="playback") as view:
            await view.want(**DIRECT)
            await view.say({"type": "play", "at": to_rfc3339(ANOTHER - S // 2), "speed": 4, "id": 1})
            first = await view.told("stream")
            second = await view.told("stream")
            assert ("avc1" in first["mime"], "hvc1" in second["mime"]) == (True, True)
            assert second["id"] == 1
            while (told := await view.told("position"))["state"] != "ended":
                pass
            assert told["utc_ms"] == END // 90

    world.do(act)


def test_where_nothing_was_recorded_the_nearest_is_told(world: World) -> None:
    async def act(world: World) -> None:
        async with world.anna.live(world.camera.id, way="playback") as view:
            await view.want(**DIRECT)
            for at, before, after in (
                (LONG - S, None, LONG), (AGAIN - S, LONG + 130 * S, AGAIN), (END + S, END, None)
            ):  # fmt: skip
                await view.say({"type": "seek", "at": to_rfc3339(at), "id": 1})
                told = await view.told("status")
                assert (told["state"], told["reason"]) == ("waiting", "no_recording")
                assert [told[name] for name in ("previous", "next")] == [
                    None if each is None else each // 90 for each in (before, after)
                ]
                assert (await view.told("position"))["state"] == "paused"

    world.do(act)
