"""The HLS playlist of a hub: opened by the first player, closed after the last; what its pieces are of when formats
change."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
import trio

from appliance.base.clock import ManualClock
from appliance.base.faults import Fault
from appliance.media.fmp4_read import read_formats, read_samples
from appliance.media.units import Run
from appliance.streams.directory import LINGER_S, Directory, open_directory
from appliance.streams.hls import IDLE_S, HlsOutputs, open_hls
from tests.media.hls_reader import ReadPlaylist, read
from tests.streams.scripted import CLIP, SMALL, SOUND, START, Camera, Openers, TrioClock, camera, picture, sound

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from appliance.streams.hls import HlsOutput

GATE: Any = camera("main")
MAIN: Any = GATE.streams[0]


@dataclass
class Stage:
    directory: Directory
    outputs: HlsOutputs
    openers: Openers

    async def open(self, *, sound: bool = False) -> tuple[HlsOutput, Camera]:
        """The playlist with the first picture in it, and the camera behind it."""
        output = await self.outputs.open(GATE, MAIN, sound=sound)
        await trio.testing.wait_all_tasks_blocked()
        return output, self.openers.opener(MAIN)


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    openers = Openers()
    async with (
        open_directory(openers, TrioClock()) as directory,  # type: ignore[arg-type]
        open_hls(directory, ManualClock(START)) as outputs,
    ):
        yield Stage(directory, outputs, openers)


def listed(output: HlsOutput) -> ReadPlaylist:
    return read(output.playlist.text())


def movie(output: HlsOutput, number: int) -> bytes:
    """The so many-th listed whole segment as a file."""
    segment = listed(output).whole[number]
    init = output.playlist.init(int(segment.map_uri[5:-4]))
    media = output.playlist.segment(segment.number)
    assert init is not None
    assert media is not None
    return init + media


async def test_the_first_player_opens_it_and_some_seconds_after_the_last_it_closes(autojump_clock: object) -> None:
    async with stage() as on:
        output, source = await on.open()
        assert await on.outputs.open(GATE, MAIN, sound=False) is output
        assert await on.outputs.open(GATE, MAIN, sound=True) is not output
        assert (len(on.outputs), source.opened) == (2, 1)
        for _ in range(5):
            await trio.sleep(IDLE_S - 1)
            assert on.outputs.find(MAIN, sound=False) is output  # which is use
        assert on.outputs.find(MAIN, sound=True) is None
        await trio.sleep(IDLE_S + LINGER_S + 1)
        assert (len(on.outputs), source.open_now) == (0, 0)
        again, _ = await on.open()
        assert again is not output


async def test_what_a_player_waits_for_comes_with_the_pictures(autojump_clock: object) -> None:
    async with stage() as on:
        output, source = await on.open()
        await source.give(*(picture(n) for n in range(25)))
        with pytest.raises(Fault, match="“Gate” gives no picture"):
            await output.wait_ready("Gate")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(output.wait_ready, "Gate")
            await source.give(picture(25))
        assert [segment.duration for segment in listed(output).whole] == [1.0]
        assert listed(output).whole[0].begins == "2023-11-14T22:13:20.000Z"
        assert not await output.wait(lambda: False, 1)


async def test_who_comes_in_the_middle_of_a_group_of_pictures_gets_all_of_it(autojump_clock: object) -> None:
    async with stage() as on:
        with on.directory.lease(GATE, MAIN):
            await trio.testing.wait_all_tasks_blocked()
            source = on.openers.opener(MAIN)
            await source.give(*(picture(n) for n in range(45)))
            output, _ = await on.open()
            await source.give(*(picture(n) for n in range(45, 51)))
        samples = list(read_samples(movie(output, 0)))
        assert len(samples) == 25
        assert samples[0].is_sync


async def test_sound_joins_and_leaves_with_an_init_segment_of_its_own_at_a_key_frame(autojump_clock: object) -> None:
    async with stage() as on:
        output, source = await on.open(sound=True)
        mute, _ = await on.open()
        await source.give(*(picture(n) for n in range(30)), *(sound(n) for n in range(5)))
        await source.give(*(unit for n in range(30, 76) for unit in (picture(n), sound(n))))
        assert [read_formats(movie(output, n))[1] for n in range(3)] == [None, None, SOUND]
        assert [segment.era for segment in listed(output).segments] == [0, 0, 1, 1]
        kinds = [{sample.is_audio for sample in read_samples(movie(output, n))} for n in range(3)]
        assert kinds == [{False}, {False}, {False, True}]
        for n in range(76, 177):  # and it is silent
            await source.give(picture(n))
            await trio.sleep(0.04)
        assert read_formats(movie(output, -1))[1] is None
        assert listed(output).segments[-1].era == 2
        assert {segment.era for segment in listed(mute).segments} == {0}  # nothing happened to it


async def test_another_format_and_another_clock_begin_anew(autojump_clock: object) -> None:
    async with stage() as on:
        output, source = await on.open()
        await source.give(*(picture(n) for n in range(51)))
        await source.give(*(picture(n, clip=SMALL) for n in range(50, 80)))
        other = Run(START)
        await source.give(picture(80, clip=SMALL), *(picture(n, clip=SMALL, run=other) for n in range(100, 126)))
        now = listed(output)
        assert [segment.era for segment in now.segments] == [0, 0, 0, 1, 1, 2, 2]
        widths = [read_formats(movie(output, n))[0].width for n in range(6)]
        assert widths == [CLIP.format.width] * 3 + [SMALL.format.width] * 3


async def test_after_a_loss_the_tracks_are_the_same_if_sound_comes_in_time(autojump_clock: object) -> None:
    async with stage() as on:
        with on.directory.lease(GATE, MAIN):
            await trio.testing.wait_all_tasks_blocked()
            source = on.openers.opener(MAIN)
            await source.give(picture(0), sound(0))
            output, _ = await on.open(sound=True)
        await source.give(*(unit for n in range(1, 51) for unit in (picture(n), sound(n))))
        await source.fail()
        await trio.sleep(1.5)
        back = Run(START)
        await source.give(*(picture(n, run=back) for n in range(100, 110)))
        assert len(listed(output).segments) == 3  # it waits
        await source.give(*(unit for n in range(110, 176) for unit in (sound(n, back), picture(n, run=back))))
        now = listed(output)
        assert [segment.era for segment in now.segments] == [0, 0, 0, 1, 1, 1, 1]
        assert [read_formats(movie(output, n))[1] for n in range(6)] == [SOUND] * 6
        again = [sample for sample in read_samples(movie(output, 3)) if not sample.is_audio]
        assert (len(again), again[0].is_sync) == (25, True)  # with the pictures that came before the sound
        await source.fail()
        await trio.sleep(1.5)
        mute = Run(START)
        await source.give(*(picture(n, run=mute) for n in range(200, 276)))
        assert [segment.era for segment in listed(output).segments][-1] == 2
        assert read_formats(movie(output, -1))[1] is None  # it did not come


async def test_what_leads_the_first_picture_is_left_out_and_later_it_is_not(autojump_clock: object) -> None:
    async with stage() as on:
        output, source = await on.open()
        leading = {1, 2, 26, 27}
        for n in range(51):
            await source.give(replace(picture(n), leading=n in leading))
        assert [len(list(read_samples(movie(output, n)))) for n in (0, 1)] == [23, 25]
