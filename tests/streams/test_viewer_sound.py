"""Sound beside JPEG pictures: announced before it comes, for who wants it and may, gone at once where it may not."""

from __future__ import annotations

import json

import pytest
import trio

from appliance.media.fmp4_read import read_samples
from appliance.media.masks import Mask
from appliance.media.units import Run
from appliance.streams.messages import Want
from tests.streams.scripted import CLIP, SMALL, SOUND, SOUNDS, START, picture, sound
from tests.streams.scripted_workers import Crew
from tests.streams.staging import Stage, frames, settle, stage

JPEG = Want(width=320, height=180, mode="transcoded", audio=True)
ZERO = CLIP.units[0].run.utc_zero
MASK: Mask = (((0, 0), (1, 0), (1, 1)),)


async def received(s: Stage) -> list[object]:
    """What came since the last call: words with their sound, ``init``, ``jpeg n``, ``sound n``, ``video``."""
    await settle()
    data, s.read = bytes(s.lane.taken[s.read :]), len(s.lane.taken)
    got: list[object] = []
    for opcode, payload in frames(data):
        if opcode == 1:
            told = json.loads(payload)
            if told["type"] == "stream":
                got.append((told["mode"], told.get("sound")))
        elif payload[4:8] == b"ftyp":
            got.append(f"init {payload.count(b'trak')} {payload.count(b'mp4a')}")
        elif payload[4:8] == b"moof":
            (sample,) = read_samples(payload)
            got.append(f"sound {round(sample.dts / SOUNDS[0].duration)}" if sample.is_audio else "video")
        else:
            got.append(f"jpeg {(int(payload[8:].split()[-1]) - START) * 25 // 90_000}")
    return got


HEARD = ("transcoded", {"mime": f'audio/mp4; codecs="{SOUND.codec_string}"', "utc_zero": ZERO})
SILENT = ("transcoded", None)
SINCE_ZERO = round((START - ZERO) / SOUNDS[0].duration)


def heard(*pieces: int) -> list[str]:
    return [f"sound {SINCE_ZERO + n}" for n in pieces]


async def watching(s: Stage, want: Want = JPEG) -> None:
    s.viewer.want(want)
    await settle()
    await s.camera("main").give(picture(0))
    await s.camera("main").give(sound(0))


async def test_it_joins_with_an_init_segment_and_goes_between_the_pictures() -> None:
    async with stage("main", crew=Crew()) as s:
        await watching(s)
        (hub,) = s.directory.hubs
        assert hub.hearers == 1
        assert await received(s) == [SILENT, "jpeg 0", HEARD, "init 1 1", *heard(0), "jpeg 0"]
        await s.camera("main").give(picture(1), sound(1), sound(2), picture(2))
        assert sorted(map(str, await received(s))) == sorted(["jpeg 1", *heard(1, 2), "jpeg 2"])
        # who comes later has it from the first
        s.viewer.want(wanting(audio=False))
        assert await received(s) == [SILENT, "jpeg 2"]
        assert (hub.hearers, len(hub.sound_fanout)) == (0, 0)
        await s.camera("main").give(sound(3), picture(3))
        assert await received(s) == ["jpeg 3"]
        s.viewer.want(JPEG)
        assert await received(s) == [HEARD, "init 1 1", "jpeg 3"]
        await s.camera("main").give(sound(4))
        assert await received(s) == heard(4)


def wanting(**changes: object) -> Want:
    return Want(**{"width": 320, "height": 180, "mode": "transcoded", "audio": True, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("known", [True, False], ids=["another size", "nothing is known of the camera"])
async def test_it_joins_when_another_way_was_taken_before_it_came(known: bool) -> None:
    """Two ways into one stream are open for a moment; who leaves the first still hears of what comes."""
    async with stage("main", look=known, crew=Crew()) as s:
        s.viewer.want(wanting(width=160, height=90) if known else JPEG)
        await settle()
        await s.camera("main").give(picture(0))
        s.viewer.want(JPEG)
        await s.camera("main").give(picture(1))
        assert (await received(s))[-1] == "jpeg 1"
        await s.camera("main").give(sound(0))
        await s.camera("main").give(sound(1))
        assert await received(s) == [HEARD, "init 1 1", *heard(0), "jpeg 1", *heard(1)]


async def test_the_word_comes_before_the_init_segment_and_that_before_the_first_sound() -> None:
    """The announcement is what waits first, whatever the network takes."""
    async with stage("main", crew=Crew()) as s:
        s.lane.room = 0
        await watching(s)
        await s.camera("main").give(sound(1), picture(1), sound(2))
        s.lane.drain(1 << 20)
        got = await received(s)
        assert got[: got.index("init 1 1")].count(HEARD) == 1
        assert got[got.index("init 1 1") + 1 :] == [*heard(0, 1, 2), "jpeg 1"]


async def test_the_right_is_taken_and_nothing_more_is_heard_not_even_what_waits() -> None:
    async with stage("main", crew=Crew()) as s:
        await watching(s)
        await received(s)
        s.lane.room = 0
        await s.camera("main").give(sound(1), picture(1), sound(2))
        s.policy.may_hear = False
        s.viewer.decide()
        await s.camera("main").give(sound(3))
        s.lane.drain(1 << 20)
        got = await received(s)
        # the piece that the connection had is finished; what is told next is that there is none
        assert got == [*heard(1), SILENT, "jpeg 1"]
        (hub,) = s.directory.hubs
        assert (hub.hearers, len(hub.sound_fanout)) == (0, 0)


async def test_the_right_is_taken_while_other_pictures_are_waited_for() -> None:
    crew = Crew()
    async with stage("main", "sub", crew=crew) as s:
        await watching(s)
        await received(s)
        crew.is_fast = False
        s.viewer.want(wanting(width=80, height=45))  # another rung, of which no picture has come
        await s.camera("main").give(sound(1))
        assert await received(s) == heard(1)
        s.policy.may_hear = False
        s.viewer.decide()
        await s.camera("main").give(sound(2))
        assert not [each for each in await received(s) if str(each).startswith("sound")]


async def test_the_right_is_taken_from_who_is_sent_video_while_another_stream_is_waited_for() -> None:
    async with stage("main", "sub", sound_in_main=True) as s:
        s.viewer.want(Want(width=160, height=90, audio=True))  # the small one has no sound
        await settle()
        await s.camera("main").give(picture(0), sound(0))
        assert (await received(s))[-1] == heard(0)[0]
        s.policy.may_hear = False
        s.viewer.decide()
        await s.camera("main").give(sound(1), picture(1))
        assert await received(s) == [("direct", None), "init 1 0", "video", "video"]
        await s.camera("sub").give(picture(0, clip=SMALL))
        assert await received(s) == [("direct", None), "init 1 0", "video"]


async def test_another_zero_of_time_ends_it_until_it_is_announced_anew() -> None:
    crew = Crew()
    async with stage("main", crew=crew) as s:
        await watching(s)
        await received(s)
        crew.is_fast = False
        again = Run(START + 90_000)
        await s.camera("main").give(picture(50, run=again), sound(50, again), sound(51, again))
        got = await received(s)
        assert got[0] == SILENT
        assert not [each for each in got if str(each).startswith("sound")]  # the pictures of that time are still made
        crew.is_fast = True
        crew.seats[-1].let(len(crew.seats[-1].waiting))
        await s.camera("main").give(picture(51, run=again))
        got = await received(s)
        told = got.index(("transcoded", {**HEARD[1], "utc_zero": again.utc_zero}))
        assert got[told + 1] == "init 1 1"
        assert not [each for each in got[:told] if str(each).startswith("sound")]
        await s.camera("main").give(sound(52, again))
        (last,) = await received(s)
        assert str(last).startswith("sound")


async def test_sound_that_falls_silent_leaves_and_the_pictures_go_on(autojump_clock: trio.testing.MockClock) -> None:
    async with stage("main", crew=Crew()) as s:
        await watching(s)
        await received(s)
        for n in range(1, 80):
            await s.camera("main").give(picture(n))
            await trio.sleep(0.04)
        got = await received(s)
        assert got.count(SILENT) == 1
        assert {f"jpeg {n}" for n in range(1, 80)} <= set(map(str, got))


async def test_direct_and_transcoded_take_turns_and_each_has_its_own_sound() -> None:
    async with stage("main", crew=Crew()) as s:
        await watching(s, Want(width=320, height=180, audio=True))
        assert (await received(s))[-3:] == ["init 2 1", "video", *heard(0)]
        s.viewer.want(JPEG)
        assert await received(s) == [HEARD, "init 1 1", "jpeg 0"]
        await s.camera("main").give(sound(1), picture(1))
        assert await received(s) == [*heard(1), "jpeg 1"]
        s.viewer.want(Want(width=320, height=180, audio=True))
        assert await received(s) == [("direct", None), "init 2 1", "video", *heard(0, 1), "video"]
        await s.camera("main").give(sound(2), picture(2))
        assert await received(s) == [*heard(2), "video"]
        (hub,) = s.directory.hubs
        assert len(hub.sound_fanout) == 0


@pytest.mark.parametrize("how", ["pause", "leave", "mask"])
async def test_who_pauses_or_leaves_or_waits_for_a_mask_is_in_neither_fanout(how: str) -> None:
    crew = Crew()
    async with stage("main", crew=crew) as s:
        await watching(s)
        (hub,) = s.directory.hubs
        assert len(hub.sound_fanout) == 1
        await received(s)
        crew.is_fast = False
        if how == "pause":
            s.viewer.want(wanting(paused=True))
        elif how == "leave":
            s.viewer.__exit__()
        else:
            s.policy.mask = MASK
            s.viewer.decide()
        assert len(hub.sound_fanout) == 0
        await s.camera("main").give(sound(1), picture(1))
        assert await received(s) == []
        if how == "mask":
            crew.is_fast = True
            crew.seats[-1].let(len(crew.seats[-1].waiting))
            assert await received(s) == [HEARD, "init 1 1", "jpeg 1"]
            await s.camera("main").give(sound(2))
            assert await received(s) == heard(2)


async def test_who_wants_sound_gets_pictures_of_the_stream_that_has_it() -> None:
    async with stage("main", "sub", sound_in_main=True, crew=Crew()) as s:
        s.viewer.want(Want(width=160, height=90, mode="transcoded"))
        await settle()
        assert set(s.openers.cameras) == {"cam-sub"}
        s.viewer.want(Want(width=160, height=90, mode="transcoded", audio=True))
        await settle()
        assert set(s.openers.cameras) == {"cam-sub", "cam-main"}
