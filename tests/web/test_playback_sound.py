"""Recorded sound between JPEG pictures: that of the pictures' time, announced before it comes, and none that is old."""

from __future__ import annotations

import json
import random
import subprocess
import time
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
import trio

from appliance.auth.rights import Right
from appliance.base.clock import TICKS_PER_SECOND as S
from appliance.base.clock import to_rfc3339
from appliance.media.fmp4_read import read_samples
from appliance.streams.soundtrack import AHEAD_S, LONGEST
from tests.media.clips import encode_aac, encode_h264
from tests.recorder.made import endless, make_recording
from tests.streams.recordings import FRAME, START
from tests.web.appliance import House, running_house
from tests.web.transcoding import AVC

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from appliance.sites.cameras import Camera
    from tests.web.listening import LiveView
    from tests.web.visitor import Visitor

CLIP = encode_h264(50, gop=25)
SOUND, SOUNDS = encode_aac(2.0)
OTHER, OTHERS = encode_aac(2.0, 32_000)
PIECE = SOUNDS[0].duration
#: With sound, in two files; after half a minute without anything, sound again, then at once a file without, and one
#: with other sound.
LONG, LONG_S = START, 70
AGAIN = LONG + 100 * S
SILENT, OTHERWISE, END = AGAIN + 3 * S, AGAIN + 6 * S, AGAIN + 12 * S
WANT = {
    "width": 320, "height": 180, "fps": 25, "codecs": [AVC], "mode": "transcoded", "audio": True, "beside": True
}  # fmt: skip


@dataclass
class World:
    house: House
    camera: Camera
    anna: Visitor

    def play(self, act: Callable[[LiveView], Any], **wants: Any) -> None:
        """With a session of hers, which wants sound beside pictures."""

        async def run() -> None:
            async with self.anna.live(self.camera.id, way="playback") as view:
                await view.want(**WANT | wants)
                await act(view)

        self.house.do(run)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with running_house() as house:
        camera = house.do(house.camera)
        spans = [(LONG, LONG + LONG_S * S, SOUNDS), (AGAIN, SILENT, SOUNDS), (SILENT, OTHERWISE, ())]
        for at, until, sounds in (*spans, (OTHERWISE, END, OTHERS)):
            make_recording(
                house.folder,
                endless(CLIP, at, (until - at) / S, sounds=sounds),
                camera_id=camera.id,
                index=house.services.archive._index,
                clock=house.services.clock,
            )
        house.do(lambda: house.services.settings.change({"recording.seeks_per_user": 100}, by="test"))
        user = house.do(lambda: house.user("anna", playback=[camera], audio=[camera]))
        yield World(house, camera, house.do(house.visitor, user))


@dataclass
class Heard:
    """What came of one announcement.  Times in UTC ticks."""

    told: dict[str, Any]
    init: bytes = b""
    pieces: list[bytes] = field(default_factory=list)
    sounds: list[int] = field(default_factory=list)
    pictures: list[int] = field(default_factory=list)
    leads: list[int] = field(default_factory=list)  # what each piece was before the time that was played
    _ahead: int = -1 << 62  # of this machine's clock is that time, by the picture that was the least late

    def take(self, message: bytes) -> None:
        now = round(time.monotonic() * S)
        if message[8:10] == b"\xff\xd8":
            self.pictures.append(int.from_bytes(message[:8], "big") * 90)
            self._ahead = max(self._ahead, self.pictures[-1] - now)
        elif message[4:8] == b"ftyp":
            assert self.told["sound"], "sound that was not announced"
            assert not self.init
            self.init = message
        else:
            assert self.init, "sound before its init segment"
            (sample,) = read_samples(message)
            assert sample.is_audio
            at = self.told["sound"]["utc_zero"] + sample.dts
            self.pieces.append(message)
            self.sounds.append(at)
            if self.pictures:
                self.leads.append(at - now - self._ahead)


async def hear(view: LiveView, number: int, until: Callable[[list[Heard]], bool]) -> list[Heard]:
    """What comes for a command, an announcement each, until it is enough."""
    found: list[Heard] = []
    with trio.fail_after(20):
        while not (found and until(found)):
            message = await view.hear()
            if isinstance(message, bytes):
                if found:
                    found[-1].take(message)
            elif message["type"] == "stream" and message["id"] == number:
                found.append(Heard(message))
    return found


def shown(at: int) -> Callable[[list[Heard]], bool]:
    """Until there is a picture of a time."""
    return lambda found: bool(found[-1].pictures) and found[-1].pictures[-1] >= at - 90


async def play(view: LiveView, at: int, number: int = 1, **how: Any) -> None:
    await view.say({"type": "play", "at": to_rfc3339(at), "id": number, **how})


def goes_with(heard: Heard, at: int) -> None:
    """The sound begins at a time, is whole, and comes in time: neither late nor much too early."""
    assert heard.sounds[0] <= at < heard.sounds[0] + PIECE
    assert {after - before for before, after in pairwise(heard.sounds)} == {PIECE}
    assert heard.sounds[-1] > heard.pictures[-1] + 0.2 * S
    assert max(heard.leads) <= (AHEAD_S + 0.1) * S


def probed(data: bytes) -> dict[str, Any]:
    """What ffprobe makes of it, without complaint."""
    shows = ["-show_entries", "stream=codec_name,sample_rate,channels:packet=pts_time"]
    done = subprocess.run(
        ["ffprobe", "-v", "warning", *shows, "-of", "json", "-"], input=data, capture_output=True, check=True
    )
    assert not done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_it_is_that_of_the_pictures_and_of_a_kind_that_players_read(world: World) -> None:
    async def act(view: LiveView) -> None:
        at = LONG + 12 * S + 345 * 90
        await play(view, at, speed=1)
        (heard,) = await hear(view, 1, shown(at + 3 * S))
        assert heard.told["sound"]["mime"] == f'audio/mp4; codecs="{SOUND.codec_string}"'
        goes_with(heard, at)
        found = await trio.to_thread.run_sync(probed, heard.init + b"".join(heard.pieces))
        (stream,) = found["streams"]
        assert (stream["codec_name"], stream["sample_rate"], stream["channels"]) == ("aac", "16000", 1)
        zero = heard.told["sound"]["utc_zero"]
        times = [float(packet["pts_time"]) for packet in found["packets"]]
        assert times == pytest.approx([(each - zero) / S for each in heard.sounds], abs=1e-5)
        # the same bytes as were recorded
        (first,) = read_samples(heard.pieces[0])
        number = (heard.sounds[0] - LONG) // PIECE % len(SOUNDS)
        assert heard.pieces[0][first.start : first.end] == SOUNDS[number].data

    world.play(act)


def test_right_after_a_seek_it_is_that_of_the_new_place(world: World) -> None:
    async def act(view: LiveView) -> None:
        chance = random.Random(7)
        await play(view, LONG, speed=1)
        await hear(view, 1, shown(LONG + S))
        for number in range(2, 12):
            at = LONG + chance.randrange((LONG_S - 4) * 1000) * 90
            await view.say({"type": "seek", "at": to_rfc3339(at), "id": number})
            (heard,) = await hear(view, number, shown(at + S // 2))
            goes_with(heard, at)

    world.play(act)


def test_it_goes_on_over_the_border_of_files(world: World) -> None:
    async def act(view: LiveView) -> None:
        at = LONG + 59 * S
        await play(view, at)
        (heard,) = await hear(view, 1, shown(LONG + 61 * S))
        goes_with(heard, at)

    world.play(act)


@pytest.mark.parametrize("gaps", ["skip", "play"])
def test_behind_a_gap_it_is_announced_anew(world: World, gaps: str) -> None:
    async def act(view: LiveView) -> None:
        end = LONG + LONG_S * S
        await play(view, end - S, gaps=gaps)
        if gaps == "play":
            await view.told("gap")
            at = AGAIN - S // 2  # not to wait half a minute
            await play(view, at, 2, gaps=gaps)
            (after,) = await hear(view, 2, shown(AGAIN + S))
        else:
            before, after = await hear(view, 1, lambda found: len(found) == 2 and shown(AGAIN + S)(found))
            assert max(before.sounds) < end <= max(before.sounds) + 2 * PIECE
            assert before.told["sound"]["utc_zero"] != after.told["sound"]["utc_zero"]
        goes_with(after, AGAIN)

    world.play(act)


def test_it_leaves_and_joins_with_the_pictures_that_have_none_or_another(world: World) -> None:
    async def act(view: LiveView) -> None:
        await play(view, AGAIN + S)
        first, silent, other = await hear(view, 1, lambda found: len(found) == 3 and shown(OTHERWISE + S)(found))
        assert max(first.sounds) < SILENT
        assert silent.told["sound"] is None
        assert not silent.sounds
        assert silent.pictures[0] // 90 == SILENT // 90
        assert silent.pictures[-1] >= OTHERWISE - 2 * FRAME
        assert other.told["sound"]["mime"] == f'audio/mp4; codecs="{OTHER.codec_string}"'
        assert other.pictures[0] // 90 == OTHERWISE // 90
        assert OTHERWISE - LONGEST < other.sounds[0] <= OTHERWISE + OTHERS[0].duration

    world.play(act)


def test_what_is_recorded_last_is_heard_to_its_end(world: World) -> None:
    async def act(view: LiveView) -> None:
        await play(view, END - S)
        (heard,) = await hear(view, 1, shown(END - FRAME))
        while (await view.told("position"))["state"] != "ended":
            pass
        for message in view.media[len(heard.pieces) + len(heard.pictures) + 1 :]:
            heard.take(message)
        assert max(heard.sounds) + 2 * OTHERS[0].duration > END

    world.play(act)


@pytest.mark.parametrize(
    ("how", "wants"),
    [
        ({"speed": 2}, {}),
        ({"speed": 0.5}, {}),
        ({"speed": 8}, {}),
        ({"speed": -1}, {}),
        ({}, {"audio": False}),
        ({}, {"beside": False}),  # of a client that knows nothing of it
    ],
)
def test_at_other_speeds_and_unasked_there_is_none(world: World, how: dict[str, Any], wants: dict[str, Any]) -> None:
    async def act(view: LiveView) -> None:
        at = LONG + 30 * S
        await play(view, at, **how)
        (heard,) = await hear(view, 1, lambda found: len(found[-1].pictures) > 8)
        assert heard.told["sound"] is None
        assert not heard.init

    world.play(act, **wants)


def test_who_stands_or_steps_hears_nothing_and_who_goes_on_hears_again(world: World) -> None:
    async def act(view: LiveView) -> None:
        at = LONG + 40 * S
        await view.say({"type": "seek", "at": to_rfc3339(at), "id": 1})
        (heard,) = await hear(view, 1, lambda found: bool(found[-1].pictures))
        await view.say({"type": "step", "by": 1, "id": 2})
        (stepped,) = await hear(view, 2, lambda found: bool(found[-1].pictures))
        assert (heard.told["sound"], stepped.told["sound"]) == (None, None)
        await view.say({"type": "play", "id": 3})
        (playing,) = await hear(view, 3, shown(at + S))
        goes_with(playing, at + FRAME)
        await view.say({"type": "pause", "id": 4})
        while (await view.told("position"))["id"] != 4:
            pass
        with trio.move_on_after(0.6):
            while not isinstance(await view.hear(), bytes):
                pass
            raise AssertionError("media after a pause")

    world.play(act)


def test_the_right_is_taken_and_nothing_more_is_heard_until_it_is_given_back(world: World) -> None:
    async def run() -> None:
        users = world.house.services.auth.users
        user = await world.house.user("eve", playback=[world.camera], audio=[world.camera])
        eve = await world.house.visitor(user)
        async with eve.live(world.camera.id, way="playback") as view:
            await view.want(**WANT)
            await play(view, LONG + 20 * S)
            (heard,) = await hear(view, 1, shown(LONG + 21 * S))
            await users.grant(user.id, {Right.AUDIO: frozenset()})
            # what is announced next has none, and what comes of the old until then is what was sent before
            with trio.fail_after(5):
                while not (isinstance(told := await view.hear(), dict) and told["type"] == "stream"):
                    if isinstance(told, bytes):
                        heard.take(told)
            assert told["sound"] is None
            assert heard.sounds[-1] <= heard.pictures[-1] + (AHEAD_S + 0.1) * S
            silent = Heard(told)
            while len(silent.pictures) < 20:
                if isinstance(message := await view.hear(), bytes):
                    silent.take(message)
            assert not silent.sounds
            await users.grant(user.id, {Right.AUDIO: frozenset({world.camera.id})})
            (again,) = await hear(view, 1, lambda found: len(found[-1].sounds) > 20)
            goes_with(again, again.pictures[0])

    world.house.do(run)
