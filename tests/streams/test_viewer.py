"""The viewer: the right stream for each client, changed at key frames, never a black picture."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import trio

from appliance.media.jpeg import video_format
from appliance.media.units import AccessUnit, Run
from appliance.sites.source import SourceError, Trouble
from appliance.streams.messages import Want
from tests.media.jpegs import jpeg
from tests.streams.scripted import CLIP, HEVC, SMALL, SOUND, START, config, picture, sound
from tests.streams.scripted_workers import Crew
from tests.streams.staging import ANY, JPEG, TILE, said, settle, stage


async def test_a_client_gets_the_announcement_the_init_segment_and_the_group() -> None:
    async with stage("main", "sub") as s:
        s.viewer.want(ANY)
        await settle()
        assert [said(m, "state", "reason") for m in await s.received()] == [["waiting", "connecting"]]
        await s.camera("main").give(*(picture(n) for n in range(3)))
        ok, announced, init, first, *rest = await s.received()
        assert said(ok, "type", "state", "reason") == ["status", "ok", None]
        assert said(announced, "type", "mode", "stream", "width", "height", "reason") == [
            "stream", "direct", "main", 320, 180, None,
        ]  # fmt: skip
        assert announced["mime"] == f'video/mp4; codecs="{CLIP.format.codec_string}"'
        assert announced["utc_zero"] == CLIP.units[0].run.utc_zero
        assert (init, first, rest) == ("init", [0, 1, 2], [])


async def test_a_later_client_does_not_wait_for_a_key_frame() -> None:
    async with stage("main") as s:
        with s.directory.lease(s.watched, s.watched.streams[0]):
            await settle()
            await s.camera("main").give(*(picture(n) for n in range(40)))
            s.viewer.want(ANY)
            assert (await s.received())[-1] == list(range(25, 40))
            assert s.camera("main").opened == 1


async def test_a_small_tile_gets_the_small_stream_and_a_zoomed_one_the_large() -> None:
    async with stage("main", "sub") as s:
        s.viewer.want(TILE)
        await settle()
        await s.camera("sub").give(picture(0, clip=SMALL), picture(1, clip=SMALL))
        *_, announced, init, first = await s.received()
        assert said(announced, "stream", "reason", "width") == ["sub", "tile_size", 160]
        assert (init, first) == ("init", [0, 1])
        s.viewer.want(Want(width=160, height=90, zoom=True))
        await settle()
        await s.camera("sub").give(picture(2, clip=SMALL))
        assert await s.received() == [[2]]  # the small one goes on until the large one has a key frame
        await s.camera("main").give(picture(3), picture(4))
        assert await s.received() == []
        await s.camera("main").give(picture(25), picture(26))
        announced, init, first = await s.received()
        assert said(announced, "stream", "reason") == ["main", None]
        assert (init, first) == ("init", [25, 26])
        await s.camera("sub").give(picture(27, clip=SMALL))
        assert await s.received() == []


async def test_a_change_of_mind_before_the_key_frame_changes_nothing() -> None:
    async with stage("main", "sub") as s:
        s.viewer.want(TILE)
        await settle()
        await s.camera("sub").give(picture(0, clip=SMALL))
        await s.received()
        s.viewer.want(ANY)
        await settle()
        s.viewer.want(TILE)
        await s.camera("main").give(picture(0))
        await s.camera("sub").give(picture(1, clip=SMALL))
        assert await s.received() == [[1]]


async def test_a_large_stream_that_is_lost_leaves_the_small_one_on() -> None:
    async with stage("main", "sub") as s:
        s.openers.opener(s.watched.streams[0]).refuse = SourceError(Trouble.TIMEOUT, "No answer.")
        s.viewer.want(TILE)
        await settle()
        await s.camera("sub").give(picture(0, clip=SMALL))
        await s.received()
        s.viewer.want(ANY)
        await settle()
        await s.camera("sub").give(picture(1, clip=SMALL))
        assert await s.received() == [[1]]


async def test_adaptive_streaming_off_serves_the_largest() -> None:
    async with stage("main", "sub") as s:
        s.policy.adaptive = False
        s.viewer.want(TILE)
        await settle()
        await s.camera("main").give(picture(0))
        assert said((await s.received())[-3], "stream", "reason") == ["main", None]


async def test_a_paused_client_gets_nothing_and_then_the_group_at_once() -> None:
    async with stage("main") as s:
        s.viewer.want(ANY)
        await settle()
        await s.camera("main").give(picture(0))
        await s.received()
        s.viewer.want(Want(width=1920, height=1080, paused=True))
        await s.camera("main").give(*(picture(n) for n in range(1, 30)))
        assert await s.received() == []
        assert s.viewer.showing is None
        s.viewer.want(ANY)
        announced, init, first = await s.received()
        assert said(announced, "type") == ["stream"]
        assert (init, first) == ("init", [25, 26, 27, 28, 29])


async def test_a_lost_camera_is_told_and_comes_back_by_itself(autojump_clock) -> None:
    async with stage("main") as s:
        s.viewer.want(ANY)
        await settle()
        await s.camera("main").give(picture(0))
        await s.received()
        s.camera("main").refuse = SourceError(Trouble.REFUSED, "Nothing answers.")
        await s.camera("main").fail()
        await trio.sleep(1.5)
        assert [said(m, "type", "state", "reason") for m in await s.received()] == [
            ["status", "lost", "camera_lost"], ["status", "lost", "refused"],
        ]  # fmt: skip
        s.camera("main").refuse = None
        await trio.sleep(1)
        await s.camera("main").give(picture(50, run=Run(START)))
        *before, announced, init, first = await s.received()
        assert [said(m, "state") for m in before] + [said(announced, "type")] == [["ok"], ["stream"]]
        assert (init, len(first)) == ("init", 1)


async def test_a_lost_camera_is_told_to_who_changed_between_direct_and_jpeg_too(autojump_clock) -> None:
    async with stage("main", crew=Crew()) as s:
        for want in (ANY, JPEG, ANY):
            s.viewer.want(want)
            await settle()
            if want is JPEG:
                await s.camera("main").give(picture(0))
        assert not s.viewer.is_transcoded
        await s.received()
        await s.camera("main").fail()
        assert [said(m, "type", "state", "reason") for m in await s.received()] == [["status", "lost", "camera_lost"]]
        await trio.sleep(1.5)
        await s.camera("main").give(picture(50, run=Run(START)))
        *before, announced, init, first = await s.received()
        assert [said(m, "state") for m in before] + [said(announced, "type", "mode")] == [["ok"], ["stream", "direct"]]
        assert (init, len(first)) == ("init", 1)


async def test_sound_is_sent_to_those_who_want_it_and_may() -> None:
    async with stage("main") as s:
        s.viewer.want(Want(width=1920, height=1080, audio=True))
        await settle()
        await s.camera("main").give(picture(0), picture(1))
        assert (await s.received())[-2:] == ["init", [0, 1]]
        await s.camera("main").give(sound(1), picture(2))
        announced, init, burst = await s.received()
        assert announced["mime"].endswith(f',{SOUND.codec_string}"')
        assert (init, burst) == ("init with sound", [0, 1, 2])
        s.policy.may_hear = False
        s.viewer.decide()
        announced, init, _ = await s.received()
        assert init == "init"


async def test_sound_that_joins_does_not_disturb_those_who_do_not_hear_it() -> None:
    async with stage("main") as s:
        s.viewer.want(ANY)
        await settle()
        await s.camera("main").give(picture(0))
        await s.received()
        await s.camera("main").give(sound(1), picture(1))
        assert await s.received() == [[1]]


async def test_a_stream_that_the_client_cannot_play_is_left_for_one_it_can() -> None:
    async with stage("main", "sub", look=False) as s:
        low = Want(width=1920, height=1080, codecs=[SMALL.format.codec_string])
        assert SMALL.format.codec_string < CLIP.format.codec_string
        s.viewer.want(low)
        await settle()
        await s.camera("main").give(picture(0))
        await settle()
        await s.camera("sub").give(picture(0, clip=SMALL))
        announced = next(m for m in await s.received() if isinstance(m, dict) and m["type"] == "stream")
        assert announced["stream"] == "sub"
        assert s.camera("main").open_now == 1  # lingers


async def test_a_client_that_can_play_nothing_is_told() -> None:
    async with stage("main") as s:
        s.viewer.want(Want(width=100, height=100, codecs=["hvc1.1.6.L93.B0"]))
        (told,) = await s.received()
        codec = CLIP.format.codec_string
        assert said(told, "state", "reason", "codec") == ["lost", "codec", codec]
        assert told["message"] == f"The camera sends H.264 ({codec}), which this client does not play."


@pytest.mark.parametrize("known", [True, False])
async def test_a_camera_of_jpeg_pictures_is_said_to_be_one(known: bool) -> None:
    """Until it is transcoded; also where that is known by its first picture only."""
    form = video_format(64, 48)
    async with stage("main", look=False) as s:
        if known:
            s.openers.seen = {"cam-main": (form, None)}
            s.directory.camera_added(s.watched)
            await settle()
        s.viewer.want(Want(width=1920, height=1080, codecs=["avc1.640028", "hvc1.1.6.L120.B0"]))
        await settle()
        if not known:
            unit = picture(0)
            await s.camera("main").give(AccessUnit(jpeg(64, 48), unit.pts, unit.dts, True, 0, form, unit.run))
        told = (await s.received())[-1]
        assert said(told, "state", "reason", "codec") == ["lost", "codec", "mp4v.6C"]
        assert told["message"] == "The camera sends MJPEG (mp4v.6C), which this client does not play."


async def test_a_smaller_stream_says_that_the_client_cannot_play_the_best() -> None:
    async with stage("main", "sub", look=False) as s:
        s.openers.seen = {"cam-main": (HEVC.format, None), "cam-sub": (SMALL.format, None)}
        s.directory.camera_added(s.watched)
        await settle()
        avc = ["avc1.640028"]
        s.viewer.want(Want(width=160, height=90, codecs=avc))
        await settle()
        await s.camera("sub").give(picture(0, clip=SMALL))
        *_, announced, _, _ = await s.received()
        assert said(announced, "stream", "reason") == ["sub", "tile_size"]
        s.viewer.want(Want(width=1920, height=1080, codecs=avc))  # and now it would need the other
        announced, init, first = await s.received()
        assert said(announced, "stream", "reason") == ["sub", "codec"]
        assert (init, first) == ("init", [0])
        s.viewer.want(Want(width=1920, height=1080, codecs=[*avc, "hvc1.1.6.L120.B0"]))
        await settle()
        await s.camera("main").give(picture(0, clip=HEVC))
        announced, init, first = await s.received()
        assert said(announced, "stream", "reason", "mime") == [
            "main", None, f'video/mp4; codecs="{HEVC.format.codec_string}"',
        ]  # fmt: skip


async def test_a_level_that_is_too_high_is_another_reason_than_a_codec() -> None:
    async with stage("main", look=False) as s:
        s.viewer.want(Want(width=1920, height=1080, codecs=["avc1.640028", "hvc1.1.6.L30.B0"]))
        await settle()
        await s.camera("main").give(picture(0, clip=HEVC))
        told = (await s.received())[-1]
        assert said(told, "state", "reason", "codec") == ["lost", "level", HEVC.format.codec_string]
        assert "H.265 of 320x180" in told["message"]


async def test_a_camera_that_sends_another_codec_after_all_is_shown(autojump_clock) -> None:
    async with stage("main", look=False) as s:
        s.openers.seen = {"cam-main": (HEVC.format, None)}
        s.directory.camera_added(s.watched)
        await settle()
        want = Want(width=1920, height=1080, codecs=["avc1.640028"])
        s.viewer.want(want)
        assert [said(m, "state", "reason") for m in await s.received()] == [["lost", "codec"]]
        s.openers.seen = {"cam-main": (CLIP.format, None)}  # somebody set it to H.264
        await trio.sleep(61)
        s.viewer.decide()  # as every word of the client's makes it
        await settle()
        await s.camera("main").give(picture(0))
        assert (await s.received())[-1] == [0]


async def test_what_came_counts_more_than_what_was_announced() -> None:
    async with stage("main", look=False) as s:
        s.openers.seen = {"cam-main": (CLIP.format, None)}
        s.directory.camera_added(s.watched)
        await settle()
        s.viewer.want(Want(width=1920, height=1080, codecs=["avc1.640028"]))
        await settle()
        await s.camera("main").give(picture(0, clip=HEVC))
        assert said((await s.received())[-1], "state", "reason") == ["lost", "codec"]
        for _ in range(3):
            s.viewer.decide()
        assert await s.received() == []
        assert s.camera("main").opened == 1


async def test_a_group_too_long_to_keep_is_waited_for_and_said() -> None:
    async with stage("main") as s:
        with s.directory.lease(s.watched, s.watched.streams[0]) as hub:
            hub.ring._limit = 3000
            await settle()
            await s.camera("main").give(*(picture(n) for n in range(10)))
            s.viewer.want(ANY)
            assert [said(m, "state", "reason") for m in await s.received()] == [["waiting", "long_gop"]]
            await s.camera("main").give(picture(25), picture(26))
            *_, first = sorted(await s.received(), key=lambda m: isinstance(m, list))
            assert first == [25, 26]


async def test_a_stream_taken_from_the_camera_is_left_for_another() -> None:
    async with stage("main", "sub") as s:
        s.viewer.want(TILE)
        await settle()
        await s.camera("sub").give(picture(0, clip=SMALL))
        await s.received()
        only_main = SimpleNamespace(id="cam", name="Gate", streams=(config("cam-main", "main"),))
        s.directory.camera_changed(only_main)
        s.viewer.camera_changed(only_main)
        await settle()
        await s.camera("main").give(picture(0))
        announced = next(m for m in await s.received() if isinstance(m, dict) and m["type"] == "stream")
        assert announced["stream"] == "main"


async def test_leaving_lets_go_of_everything(autojump_clock: Callable) -> None:
    async with stage("main", "sub") as s:
        s.viewer.want(TILE)
        await settle()
        await s.camera("sub").give(picture(0, clip=SMALL))
        s.viewer.want(ANY)
        await settle()
        s.viewer.__exit__()
        assert len(s.directory.hubs) == 2
        await trio.sleep(11)
        assert s.directory.hubs == []
        assert (s.camera("main").open_now, s.camera("sub").open_now) == (0, 0)


async def test_who_wants_sound_gets_the_stream_that_has_it(autojump_clock) -> None:
    async with stage("main", "sub", sound_in_main=True) as s:
        s.viewer.want(TILE)
        await settle()
        assert set(s.openers.cameras) == {"cam-sub"}
        s.viewer.want(Want(width=160, height=90, audio=True))
        await settle()
        assert set(s.openers.cameras) == {"cam-sub", "cam-main"}
        s.policy.may_hear = False  # whoever may not hear it gets the picture that fits
        s.viewer.want(Want(width=160, height=90, audio=True))
        await s.camera("sub").give(picture(0, clip=SMALL))
        told = [each for each in await s.received() if isinstance(each, dict) and each["type"] == "stream"]
        assert told[-1]["stream"] == "sub"


async def test_direct_goes_on_until_the_first_jpeg_is_there() -> None:
    crew = Crew(is_fast=False)
    async with stage("main", crew=crew) as s:
        s.viewer.want(ANY)
        await settle()
        await s.camera("main").give(picture(0))
        assert (await s.received())[-1] == [0]
        s.viewer.want(JPEG)
        await settle()
        await s.camera("main").give(picture(1))
        assert await s.received() == [[1]]
        assert not s.viewer.is_transcoded
        crew.seats[-1].let(1)
        announced, first = await s.received()
        assert said(announced, "mode", "mime", "stream", "width", "height", "reason") == [
            "transcoded", "image/jpeg", "main", 320, 180, "requested",
        ]  # fmt: skip
        assert first == "jpeg 0"
        crew.seats[-1].let(1)
        assert await s.received() == ["jpeg 1"]
        s.viewer.want(ANY)
        announced, init, burst = await s.received()
        assert said(announced, "mode", "reason") == ["direct", None]
        assert (init, burst) == ("init", [0, 1])
        await s.camera("main").give(picture(2))
        assert await s.received() == [[2]]
        assert len(crew.seats) == 1
        assert not crew.seats[0].waiting  # nobody needs it any more


async def test_a_camera_that_nothing_is_known_of_is_never_sent_directly_to_who_asked_for_jpeg() -> None:
    async with stage("main", look=False, crew=Crew()) as s:
        s.viewer.want(JPEG)
        await settle()
        await s.camera("main").give(picture(0), picture(1))
        kinds = [m if isinstance(m, str) else said(m, "type", "mode", "state") for m in await s.received()]
        assert kinds == [
            ["status", None, "waiting"], ["status", None, "ok"], ["stream", "transcoded", None], "jpeg 1",
        ]  # fmt: skip


async def test_a_codec_that_the_client_does_not_play_after_all_is_transcoded() -> None:
    async with stage("main", crew=Crew()) as s:
        s.viewer.want(Want(width=320, height=180, codecs=["avc1.640028"]))
        await settle()
        await s.camera("main").give(picture(0))
        await s.received()
        await s.camera("main").give(picture(25, clip=HEVC), picture(26, clip=HEVC))
        announced, *shown = await s.received()
        assert said(announced, "mode", "reason") == ["transcoded", "codec"]
        assert shown == ["jpeg 26"]
        await s.camera("main").give(picture(50), picture(51))
        announced, init, burst = await s.received()
        assert said(announced, "mode", "reason") == ["direct", None]
        assert (init, burst) == ("init", [50, 51])


async def test_the_smaller_stream_is_transcoded_where_it_is_large_enough() -> None:
    async with stage("main", "sub", crew=Crew()) as s:
        s.viewer.want(Want(width=160, height=90, mode="transcoded"))
        await settle()
        await s.camera("sub").give(picture(0, clip=SMALL))
        announced = (await s.received())[-2]
        assert said(announced, "stream", "width", "reason") == ["sub", 160, "requested"]
        assert "cam-main" not in s.openers.cameras


async def test_nobody_decodes_for_a_paused_client() -> None:
    crew = Crew()
    async with stage("main", crew=crew) as s:
        s.viewer.want(JPEG)
        await settle()
        await s.camera("main").give(picture(0))
        await s.received()
        s.viewer.want(Want(mode="transcoded", paused=True))
        await s.camera("main").give(picture(1), picture(2))
        assert await s.received() == []
        assert len(crew.seats[0].units) == 1
        s.viewer.want(JPEG)
        announced, first = await s.received()
        assert said(announced, "mode") == ["transcoded"]
        assert first == "jpeg 2"


async def test_a_camera_of_a_picture_a_second_is_transcoded_until_it_sends_more(autojump_clock) -> None:
    async with stage("main", crew=Crew()) as s:
        s.viewer.want(ANY)
        await settle()
        for n in range(0, 150, 25):
            await s.camera("main").give(picture(n))
            s.viewer.decide()
            await trio.sleep(1)
        last = [m for m in await s.received() if isinstance(m, dict) and m["type"] == "stream"][-1]
        assert said(last, "mode", "reason") == ["transcoded", "one_fps"]
        for n in range(150, 400):
            await s.camera("main").give(picture(n))
            s.viewer.decide()
            await trio.sleep(0.04)
        last = [m for m in await s.received() if isinstance(m, dict) and m["type"] == "stream"][-1]
        assert said(last, "mode", "reason") == ["direct", None]


async def test_a_camera_that_is_opened_anew_is_not_announced_before_it_has_a_picture(autojump_clock) -> None:
    async with stage("main", crew=Crew()) as s:
        s.viewer.want(JPEG)
        await settle()
        await s.camera("main").give(picture(0))
        await s.received()
        (hub,) = s.directory.hubs
        hub.reopen(s.openers.opener(s.watched.streams[0]))
        await settle()
        assert hub.segment is None
        s.viewer.want(Want(width=320, height=180, mode="transcoded"))
        s.viewer.decide()
        assert not [m for m in await s.received() if isinstance(m, str)]
        await s.camera("main").give(picture(50, run=Run(START)))
        assert "jpeg 50" in await s.received()
