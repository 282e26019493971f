"""What the recorder is fed with by real hubs, and what a whole appliance records of scripted cameras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio
from trio.testing import MockClock

from appliance.base.clock import TICKS_PER_SECOND as S
from appliance.base.clock import ManualClock, SystemClock
from appliance.media.units import AccessUnit, Run
from appliance.recorder.cutting import Item
from appliance.sites.source import SourceError, Trouble
from appliance.streams.directory import LINGER_S, open_directory
from appliance.streams.recording import HubFeeds
from tests.streams.scripted import CLOCK, SOUND, Openers, camera, picture, sound
from tests.web.appliance import open_house
from tests.web.scenes import eventually, feed, give

if TYPE_CHECKING:
    from tests.streams.scripted import Camera
    from tests.web.appliance import House

EVER = (0, 1 << 62)


def pictures(items: list[Item]) -> list[int]:
    return [item.fragment.seq for item in items if not item.fragment.is_audio]


async def test_what_is_recorded_begins_with_what_the_hub_has_and_keeps_it_open(autojump_clock: MockClock) -> None:
    openers, gate = Openers(), camera("main")
    stream: Any = gate.streams[0]
    async with open_directory(openers, CLOCK) as directory:
        feeds = HubFeeds(directory)
        source: Camera = openers.opener(stream)
        with directory.lease(gate, stream):  # type: ignore[arg-type]
            await trio.testing.wait_all_tasks_blocked()
            await source.give(*(picture(n) for n in range(30)))
            taken: list[Item] = []
            with feeds.feed(gate, stream, taken.append):  # type: ignore[arg-type]
                assert pictures(taken) == [25, 26, 27, 28, 29]
                await source.give(picture(30), sound(0), picture(31))
        assert pictures(taken) == [25, 26, 27, 28, 29, 30, 31]
        assert [item.audio for item in taken[-3:]] == [None, SOUND, SOUND]
        assert {item.video for item in taken} == {picture(0).format}

        later: list[Item] = []
        with feeds.feed(gate, stream, later.append):  # type: ignore[arg-type]
            await trio.sleep(3 * LINGER_S)
            assert source.open_now == 1
            opened = source.opened
            await source.fail(SourceError(Trouble.CAMERA_LOST, "The camera hung up."))
            await trio.sleep(2.5)
            assert source.opened == opened + 1  # every second, as while it is watched
            run = Run(0)
            await source.give(*(picture(n, run=run) for n in range(25, 27)))
        assert pictures(later)[-2:] == [25, 26]
        await trio.sleep(3 * LINGER_S)
        assert source.open_now == 0


def codes(house: House) -> list[str]:
    return [item.code for item in house.services.board.attention]


async def test_f10_an_appliance_records_on_in_order_when_its_clock_is_set() -> None:
    """Back by an hour, and ahead by two; each time the camera begins a run, as its timeline does."""
    clock = ManualClock(SystemClock().utc_90k())
    async with open_house(clock=clock) as house:
        gate = await house.services.cameras.add("Gate", "rtsp://192.0.2.1/gate", None, recording={"mode": "continuous"})
        source = await feed(house, gate)
        archive = house.services.archive
        for number, hours in enumerate((0, -1, 3)):
            clock.advance(hours * 3600)
            now = clock.utc_90k()
            run = Run(now - S)
            shift = now - picture(0).dts
            for n in range(50):
                unit = picture(n, run=run)
                moved = AccessUnit(unit.data, unit.pts + shift, unit.dts + shift, n % 25 == 0, n, unit.format, run)
                await give(source, moved)
            clock.advance(2)
            await eventually(lambda: ("recording_clock" in codes(house)) is (hours == -1))  # noqa: B023

            async def recorded(number: int = number) -> bool:
                files = await archive.files(gate.id, "main", *EVER)
                return len(files) == number + 1 and files[-1].end - files[-1].start == 2 * S

            with trio.fail_after(10):
                while not await recorded():  # noqa: ASYNC110 (nobody tells a test)
                    await trio.sleep(0.05)
        files = await archive.files(gate.id, "main", *EVER)
        assert [file.id for file in files] == sorted(file.id for file in files)
        assert files[1].start == files[0].end
        assert files[2].start > files[1].end
        await eventually(lambda: house.services.recorder.state(gate.id).value.doing.value == "on")
        for file in files:
            assert len((await archive.open(file)).table.pictures) == 50
        await house.services.cameras.remove(gate.id)
        await eventually(lambda: source.open_now == 0)
        assert await archive.files(gate.id, "main", *EVER) == files  # until retention takes them
