"""The transcoder's rules, with workers that do what a test says: losses, blame, a decoder that is too slow."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import trio

from appliance.media.ladder import Rung
from appliance.serve.outlet import Outlet
from appliance.streams import transcoder as rules
from appliance.streams.directory import open_directory
from appliance.streams.renditions import Rendition
from appliance.streams.transcoder import Transcoder
from appliance.workers.crew import CREDITS
from appliance.workers.wire import PipelineOpen, PipelineRungs
from tests.serve.test_fanout import FakeLane
from tests.streams.scripted import CLIP, SMALL, Camera, Openers, TrioClock, camera, picture
from tests.streams.scripted_workers import Crew, Seat, number_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from appliance.streams.hub import Hub

WHOLE, HALF = Rung(320, 180, None, 75), Rung(160, 90, None, 75)
SLOW = Rung(160, 90, 1.0, 75)


@dataclass
class Spectator:
    """A viewer who hears of a rung's first picture and of the transcoder's state."""

    seen: list[object] = field(default_factory=list)

    def may_show(self, rendition: Rendition) -> None:
        self.seen.append(rendition.rung.width)

    def transcoder_changed(self, transcoder: Transcoder) -> None:
        self.seen.append((transcoder.state.state, transcoder.state.reason))

    __hash__ = object.__hash__


@dataclass
class Stage:
    transcoder: Transcoder
    crew: Crew
    source: Camera
    hub: Hub
    spectator: Spectator

    async def give(self, *numbers: int, clip=CLIP) -> None:
        await self.source.give(*(picture(n, clip=clip) for n in numbers))
        await settle()

    @property
    def seat(self) -> Seat:
        return self.crew.seats[-1]


async def settle() -> None:
    await trio.testing.wait_all_tasks_blocked(0.0)


@asynccontextmanager
async def stage(*rungs: Rung, fast: bool = True) -> AsyncIterator[Stage]:
    openers, watched, crew, spectator = Openers(), camera("main"), Crew(fast), Spectator()
    async with open_directory(openers, TrioClock()) as directory, trio.open_nursery() as nursery:
        with directory.lease(watched, watched.streams[0]) as hub:
            await settle()
            transcoder = Transcoder(hub, crew)  # type: ignore[arg-type]
            joined = [transcoder.joined(rung, spectator) for rung in rungs]
            for each in joined:
                each.__enter__()
            nursery.start_soon(transcoder.run)
            await settle()
            yield Stage(transcoder, crew, openers.cameras["cam-main"], hub, spectator)
            for each in joined:
                each.__exit__(None, None, None)
        nursery.cancel_scope.cancel()


async def test_it_is_fed_the_ring_and_then_what_comes() -> None:
    async with stage(WHOLE) as s:
        await s.give(*range(5))
        assert s.seat.opened == PipelineOpen("h264", CLIP.format.configuration, False, False)
        assert s.seat.shown == [0, 1, 2, 3, 4]
        assert s.spectator.seen == [320]
    async with stage() as s:
        await s.give(*range(30))
        assert s.crew.seats == []  # nobody watches
        with s.transcoder.joined(HALF, s.spectator):
            await settle()
            assert [number_of(unit) for unit in s.seat.units] == [25, 26, 27, 28, 29]
            assert s.seat.shown == [29]
            assert s.seat.opened is not None
            assert s.seat.opened.skip_loop_filter
            await s.give(30)
            assert s.seat.shown == [29, 30]


async def test_a_larger_rung_that_joins_is_decoded_with_the_loop_filter() -> None:
    async with stage(HALF) as s:
        await s.give(*range(5))
        with s.transcoder.joined(WHOLE, s.spectator):
            await settle()
            assert len(s.crew.seats) == 2
            assert s.seat.opened is not None
            assert not s.seat.opened.skip_loop_filter
            assert s.seat.shown == [4]
            await s.give(5)
            assert s.spectator.seen == [160, 320]


async def test_a_worker_is_lost_and_the_next_is_fed_the_ring() -> None:
    async with stage(WHOLE) as s:
        await s.give(*range(30))
        s.seat.lose()
        await settle()
        assert [number_of(unit) for unit in s.seat.units] == [25, 26, 27, 28, 29]
        assert s.seat.shown == [29]
        assert s.crew.in_haste == [False, True]
        assert s.spectator.seen == [320, ("waiting", rules.RESTARTING), ("ok", None)]


async def test_twice_on_the_same_group_and_it_goes_on_with_the_next() -> None:
    async with stage(WHOLE) as s:
        await s.give(*range(5))
        for _ in range(2):
            s.seat.lose()
            await settle()
        await s.give(5, 6)
        assert len(s.crew.seats) == 2  # none is opened for a group that ends workers
        await s.give(25, 26)
        assert s.seat.shown == [25, 26]
        assert s.spectator.seen[-2:] == [("waiting", rules.RESTARTING), ("ok", None)]


async def test_a_neighbour_who_dies_is_nobodys_fault() -> None:
    async with stage(WHOLE) as s:
        await s.give(*range(5))
        for _ in range(20):
            s.seat.lose(blamed=False)
            await settle()
        assert s.seat.shown == [4]
        assert s.transcoder.state.state == "ok"


async def test_one_that_ends_too_many_workers_is_left_alone_for_a_while(autojump_clock) -> None:
    async with stage(WHOLE) as s:
        await s.give(*range(1))
        for group in range(1, 12):
            if not s.seat.lost:
                s.seat.lose()
            await trio.sleep(0.5)
            if s.transcoder.state.state == "lost":
                break
            await s.give(group * 25)
        assert s.transcoder.state.reason == rules.GIVEN_UP
        opened = len(s.crew.seats)
        assert opened == rules.LOSSES
        await trio.sleep(rules.GIVEN_UP_S - 1)
        await s.give(500)
        assert len(s.crew.seats) == opened
        await trio.sleep(2)
        assert len(s.crew.seats) == opened + 1
        assert s.transcoder.state.state == "ok"


async def test_a_decoder_that_is_too_slow_loses_pictures_and_never_time(autojump_clock) -> None:
    async with stage(WHOLE, fast=False) as s:
        await s.give(*range(20))
        assert s.seat.in_flight == CREDITS
        await s.give(*range(20, 40))
        assert len(s.transcoder._backlog) == 15  # from the IDR picture on
        assert s.transcoder.dropped == 21
        s.seat.let(CREDITS)
        await settle()
        assert s.seat.shown == [0, 1, 2, 3, 25, 26, 27, 28]
        for n in range(40, 140):  # and from now on it does not answer at all
            await s.give(n)
            assert len(s.transcoder._backlog) <= 51
        assert s.transcoder.keys_only  # too much for this machine: for a while only key frames
        await trio.sleep(21)
        await s.give(150)
        assert not s.transcoder.keys_only


async def test_key_frames_are_enough_for_a_picture_a_second() -> None:
    async with stage(SLOW) as s:
        await s.give(*range(60))
        assert s.transcoder.keys_only
        await s.give(*range(60, 76))
        await s.give(*range(76, 110))
        assert [number_of(unit) for unit in s.seat.units][-2:] == [75, 100]
        assert [unit.alone for unit in s.seat.units][-2:] == [True, True]
        with s.transcoder.joined(WHOLE, s.spectator):
            await settle()
            assert not s.transcoder.keys_only
            assert s.seat.shown == [109]
            await s.give(110)
            assert s.seat.shown == [109, 110]


async def test_pictures_that_nobody_waits_for_come_with_the_next_or_not_at_all() -> None:
    async with stage(Rung(160, 90, 5.0, 75)) as s:
        await s.give(0)
        await s.give(*range(1, 20))
        assert s.seat.shown == [0, 5, 10, 15]
        assert [number_of(unit) for unit in s.seat.units] == list(range(16))
        await s.give(*range(20, 25), 25, 26)
        # behind the last that is shown of a group of 25 nothing is decoded
        assert [number_of(unit) for unit in s.seat.units] == [*range(21), 25]
        with s.transcoder.joined(HALF, s.spectator):
            await s.give(27, 28)
            assert s.seat.shown == [0, 5, 10, 15, 20, 25, 27, 28]
        s.seat.keeps_back = True
        await s.give(29, 30)
        await s.give(*range(31, 35))  # the answer to the one that was due told, and from then on none waits
        assert [number_of(unit) for unit in s.seat.units][-6:] == [*range(29, 35)]


async def test_another_format_is_another_pipeline() -> None:
    async with stage(WHOLE) as s:
        await s.give(0, 1)
        await s.give(25, 26, clip=SMALL)
        assert [seat.opened.configuration for seat in s.crew.seats] == [  # type: ignore[union-attr]
            CLIP.format.configuration, SMALL.format.configuration,
        ]  # fmt: skip
        assert s.seat.shown == [25, 26]


async def test_answers_to_units_from_before_go_to_the_rungs_of_then() -> None:
    async with stage(WHOLE, fast=False) as s:
        lane = FakeLane()

        await s.give(0)
        with s.transcoder.joined(HALF, s.spectator) as rendition:
            rendition.fanout.add(Outlet(lane))
            await settle()
            assert s.seat.rungs is not None
            assert len(s.seat.rungs.rungs) == 2
            s.seat.rungs = PipelineRungs(s.seat.rungs.rungs[:1])  # as they were when it was sent
            s.seat.let(1)
            await settle()
            assert lane.taken == b""
