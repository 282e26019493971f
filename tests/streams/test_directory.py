"""The directory: hubs live as long as they are used, cameras are known without being watched."""

from __future__ import annotations

from types import SimpleNamespace

import trio

from appliance.sites.source import SourceError, Trouble
from appliance.streams.directory import CameraState, Directory, open_directory
from tests.streams.scripted import CLIP, SMALL, SOUND, Openers, TrioClock, camera, config, picture, sound


async def settle() -> None:
    await trio.testing.wait_all_tasks_blocked(0.0)


async def test_viewers_of_a_stream_share_one_pull_that_outlives_the_last_by_seconds(autojump_clock) -> None:
    openers, cam = Openers(), camera("main")
    async with open_directory(openers, TrioClock()) as directory:
        with directory.lease(cam, cam.streams[0]) as one, directory.lease(cam, cam.streams[0]) as other:
            assert one is other
            await settle()
        await trio.sleep(9)
        with directory.lease(cam, cam.streams[0]) as again:
            assert again is one
            await trio.sleep(60)
        await trio.sleep(9.9)
        assert directory.hubs == [one]
        await trio.sleep(0.2)
        assert directory.hubs == []
        assert openers.cameras["cam-main"].opened == 1
        with directory.lease(cam, cam.streams[0]) as new:
            assert new is not one
            await settle()
        assert openers.cameras["cam-main"].opened == 2


async def test_an_unwatched_camera_that_is_lost_is_logged_once_and_so_is_its_return(autojump_clock, caplog) -> None:
    openers, cam = Openers(), camera("main")
    openers.seen = {"cam-main": SourceError(Trouble.REFUSED, "Nothing answers.")}
    caplog.set_level("INFO", "appliance.streams.directory")
    async with open_directory(openers, TrioClock()) as directory:
        directory.camera_added(cam)
        await trio.sleep(200)
        assert openers.looks.count("cam-main") == 4
        openers.seen["cam-main"] = (CLIP.format, None)
        await trio.sleep(200)
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("WARNING", f"camera {cam.name}: Nothing answers."),
        ("INFO", f"camera {cam.name}: it answers again"),
    ]


async def test_unwatched_cameras_are_looked_at_once_a_minute(autojump_clock) -> None:
    openers, cam = Openers(), camera("main", "sub")
    openers.seen = {"cam-main": (CLIP.format, SOUND)}
    news: list[CameraState] = []
    async with open_directory(openers, TrioClock()) as directory:
        assert directory.state("cam").state == "unknown"
        with directory.changes.listen() as listener:
            directory.camera_added(cam)
            await trio.sleep(1)
            assert directory.state("cam").state == "ok"
            assert directory.facts("cam-main").video is CLIP.format
            openers.seen["cam-main"] = SourceError(Trouble.TIMEOUT, "No answer.")
            await trio.sleep(120)
            assert openers.looks.count("cam-main") == 3
            state = directory.state("cam")
            assert (state.state, state.reason) == ("lost", "timeout")
            while True:
                with trio.move_on_after(0.01) as scope:
                    news.append(await listener.receive())
                if scope.cancelled_caught:
                    break
        assert [item.state for item in news] == ["ok", "lost"]


async def test_a_watched_camera_is_as_its_hub_is_and_not_looked_at(autojump_clock) -> None:
    openers, cam = Openers(), camera("main")
    openers.seen = {"cam-main": (CLIP.format, None)}
    async with open_directory(openers, TrioClock()) as directory:
        directory.camera_added(cam)
        await trio.sleep(1)
        with directory.lease(cam, cam.streams[0]):
            await trio.sleep(1)
            assert directory.state("cam").state == "ok"  # connecting is no news
            await openers.cameras["cam-main"].give(picture(0))
            openers.cameras["cam-main"].refuse = SourceError(Trouble.REFUSED, "Nothing answers.")
            await openers.cameras["cam-main"].fail()
            await trio.sleep(2)
            assert directory.state("cam").reason == "refused"
            await trio.sleep(120)
            assert openers.looks == ["cam-main"]


async def test_a_camera_configured_anew_goes_on_with_the_new_address(autojump_clock) -> None:
    openers, cam = Openers(), camera("main")
    async with open_directory(openers, TrioClock()) as directory:
        directory.camera_added(cam)
        with directory.lease(cam, cam.streams[0]) as hub:
            await settle()
            changed = SimpleNamespace(
                id="cam", name="Gate", streams=(SimpleNamespace(id="cam-main", name="main", url="new"),)
            )
            directory.camera_changed(changed)
            await settle()
            assert directory.hub("cam-main") is hub
            assert openers.cameras["cam-main"].opened == 2
            directory.camera_changed(changed)  # the same again: nothing happens
            await settle()
            assert openers.cameras["cam-main"].opened == 2


async def test_facts_follow_a_camera_that_changes_its_format_and_its_sound(autojump_clock) -> None:
    openers, cam = Openers(), camera("main")
    async with open_directory(openers, TrioClock()) as directory:
        with directory.lease(cam, cam.streams[0]):
            await settle()
            source = openers.cameras["cam-main"]
            await source.give(picture(0))
            assert directory.facts("cam-main").video == CLIP.format
            assert directory.facts("cam-main").audio is None
            await source.give(sound(0))
            assert directory.facts("cam-main").audio == SOUND
            await source.give(picture(25, clip=SMALL))
            assert directory.facts("cam-main").video == SMALL.format
        await trio.sleep(60)
        assert directory.hub("cam-main") is None
        assert directory.facts("cam-main").video == SMALL.format


async def test_a_removed_camera_is_closed_and_forgotten(autojump_clock) -> None:
    openers, cam = Openers(), camera("main")
    async with open_directory(openers, TrioClock()) as directory:
        directory.camera_added(cam)
        with directory.lease(cam, cam.streams[0]):
            await settle()
            directory.camera_removed("cam")
            await settle()
            assert openers.cameras["cam-main"].open_now == 0
            assert directory.state("cam").state == "unknown"
        await trio.sleep(200)
        assert openers.looks.count("cam-main") <= 1


async def test_one_camera_that_breaks_does_not_reach_another(autojump_clock, caplog) -> None:
    openers, one, two = Openers(), camera("main", ident="a"), camera("main", ident="b")
    async with open_directory(openers, TrioClock()) as directory:

        async def broken(stream: SimpleNamespace) -> tuple[None, None]:
            await trio.lowlevel.checkpoint()
            if stream.id == "a-main":
                raise RuntimeError("boom")
            return None, None

        openers.look = broken  # type: ignore[method-assign]  # a scripted mistake
        for cam in (one, two):
            directory.camera_added(cam)
        await trio.sleep(1)
        assert directory.state("a").state == "lost"
        assert directory.state("b").state == "ok"
        with directory.lease(one, one.streams[0]), directory.lease(two, two.streams[0]) as hub:
            await settle()
            await openers.cameras["a-main"].fail(RuntimeError("boom"))
            await openers.cameras["b-main"].give(picture(0))
            assert hub.state.value.state == "ok"
    assert isinstance(directory, Directory)
    assert config("x", "main").name == "main"
