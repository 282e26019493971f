"""The rules of sound that is made here, with workers that do what a test says."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import trio
import trio.testing

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.aac import SILENCE
from appliance.media.fmp4_read import read_samples
from appliance.media.units import AudioFormat, AudioUnit, Run
from appliance.streams.directory import open_directory
from appliance.streams.sound import FRAME_TICKS
from appliance.workers.crew import CREDITS
from appliance.workers.wire import SoundHeard, SoundOpen, SoundPiece
from tests.streams.scripted import CLIP, SOUND, START, Openers, TrioClock, camera, picture
from tests.streams.scripted_workers import ScriptedSeat

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from appliance.media.fmp4 import Fragment
    from appliance.streams.hub import Hub

CONFIG = bytes.fromhex("1288")  # AAC-LC, 32 kHz, one channel
ULAW = AudioFormat("pcmu", "", b"", 8000, 1, 0)
PIECE_TICKS = TICKS_PER_SECOND // 50


def piece(n: int) -> AudioUnit:
    return AudioUnit(b"\xff" * 160, START + n * PIECE_TICKS, PIECE_TICKS, ULAW, CLIP.units[0].run)


@dataclass(eq=False)
class Seat(ScriptedSeat[SoundPiece, SoundHeard]):
    """Answers each piece at once while it is awake."""

    opened: SoundOpen | None = None
    pieces: list[SoundPiece] = field(default_factory=list)
    asleep: bool = False
    at: int | None = None

    def open_sound(self, opening: SoundOpen) -> None:
        self.opened = opening

    def hear(self, piece: SoundPiece) -> None:
        assert self.has_credit
        self.pieces.append(piece)
        if self.asleep:
            self.waiting.append(piece)
            return
        frames = []
        if self.at is None or self.at > piece.pts:  # it begins anew where times go back
            self.at = piece.pts - FRAME_TICKS
        while self.at + FRAME_TICKS <= piece.pts:
            frames.append((b"sound at %d" % self.at, self.at))
            self.at += FRAME_TICKS
        self.given.append(SoundHeard(CONFIG, frames))
        self.told()


@dataclass
class Crew:
    seats: list[Seat] = field(default_factory=list)
    open_now: int = 0
    asleep: bool = False

    @asynccontextmanager
    async def seat(self, load: float, told: Callable[[], None], *, at_once: bool = False) -> AsyncIterator[Seat]:
        await trio.lowlevel.checkpoint()
        self.seats.append(Seat(told, asleep=self.asleep))
        self.open_now += 1
        try:
            yield self.seats[-1]
        finally:
            self.open_now -= 1


@dataclass
class Stage:
    hub: Hub
    crew: Crew
    openers: Openers
    at: int = 0

    async def play(self, pieces: int, *, gap: int = 0) -> list[Fragment]:
        """Picture and sound for so many pieces; the sound that is in the ring by then."""
        self.at += gap
        source = self.openers.cameras["cam-main"]
        for _ in range(pieces):
            if self.at % 2 == 0:
                await source.give(picture(self.at // 2))
            await source.give(piece(self.at))
            self.at += 1
        return self.sound

    @property
    def sound(self) -> list[Fragment]:
        return [fragment for fragment in self.hub.ring.fragments if fragment.is_audio]


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    openers, watched, crew = Openers(), camera("main"), Crew()
    async with open_directory(openers, TrioClock(), crew) as directory:  # type: ignore[arg-type]
        with directory.lease(watched, watched.streams[0]) as hub:
            await trio.testing.wait_all_tasks_blocked()
            yield Stage(hub, crew, openers)


def is_silent(fragment: Fragment) -> bool:
    return bytes(fragment.sample) == SILENCE[1]


def has_gaps(fragments: list[Fragment]) -> bool:
    samples = [sample for each in fragments for sample in read_samples(bytes(each.body))]
    steps = {later.dts - sooner.dts for sooner, later in pairwise(samples)}
    return not steps <= {FRAME_TICKS}


async def test_nothing_is_made_until_somebody_hears_it_nor_after(autojump_clock) -> None:
    async with stage() as s:
        assert await s.play(10) == []
        assert s.crew.seats == []
        with s.hub.hearing():
            sound = await s.play(20)
            assert s.crew.seats[0].opened == SoundOpen("pcmu", 8000, 1)
            assert len(sound) >= 8
            assert not has_gaps(sound)
            assert s.hub.segment is not None
            assert s.hub.segment.audio is not None
            assert s.hub.segment.audio.sample_rate == 32_000
            with s.hub.hearing():
                await s.play(2)
            assert s.crew.open_now == len(s.crew.seats) == 1
        await s.play(1)
        assert s.crew.open_now == 0
        count = len(s.crew.seats[0].pieces)
        await s.play(5)
        assert len(s.crew.seats[0].pieces) == count


async def test_a_worker_that_is_lost_leaves_no_gap(autojump_clock) -> None:
    async with stage() as s:
        with s.hub.hearing():
            await s.play(10)
            s.crew.seats[0].lose()
            sound = await s.play(10)
            assert len(s.crew.seats) == 2
            assert s.crew.open_now == 1
            assert not is_silent(sound[-1])
            assert [fragment.dts for fragment in sound] == sorted({fragment.dts for fragment in sound})


async def test_after_the_clock_was_set_back_it_is_heard_at_once(autojump_clock) -> None:
    earlier = 3600 * TICKS_PER_SECOND
    async with stage() as s:
        with s.hub.hearing():
            await s.play(50)
            run = Run(CLIP.units[0].run.utc_zero - earlier)
            source = s.openers.cameras["cam-main"]
            for n in range(20):
                if n % 2 == 0:
                    shown = picture(n // 2)
                    await source.give(replace(shown, pts=shown.pts - earlier, dts=shown.dts - earlier, run=run))
                heard = piece(n)
                await source.give(replace(heard, pts=heard.pts - earlier, run=run))
            assert len(s.sound) >= 8
            assert not any(map(is_silent, s.sound))
            assert not has_gaps(s.sound)


async def test_while_a_worker_owes_sound_there_is_silence_and_its_late_answer_is_not_heard_twice(
    autojump_clock,
) -> None:
    async with stage() as s:
        with s.hub.hearing():
            await s.play(5)
            first = s.crew.seats[0]
            first.asleep = True
            sound = await s.play(40)
            assert sum(map(is_silent, sound)) >= 10
            assert not has_gaps(sound)
            assert len(first.pieces) <= 5 + CREDITS + 1
            first.lose(blamed=False)
            sound = await s.play(10)
            assert not is_silent(sound[-1])
            assert not has_gaps(sound)


async def test_what_ends_one_worker_after_another_is_left_alone_for_a_while(autojump_clock) -> None:
    async with stage() as s:
        with s.hub.hearing():
            s.crew.asleep = True
            for _ in range(3):
                await s.play(1)
                s.crew.seats[-1].lose()
                await trio.testing.wait_all_tasks_blocked()
            count = len(s.crew.seats)
            await s.play(10)
            assert len(s.crew.seats) == count == 3
            await trio.sleep(6)
            await s.play(5)
            assert len(s.crew.seats) == 4


async def test_a_long_hole_in_the_cameras_sound_is_not_filled(autojump_clock) -> None:
    async with stage() as s:
        with s.hub.hearing():
            await s.play(10)
            sound = await s.play(20, gap=50 * 60)
            assert sum(map(is_silent, sound)) < 10


async def test_sound_that_is_played_as_it_is_goes_to_no_worker(autojump_clock) -> None:
    async with stage() as s:
        with s.hub.hearing():
            source = s.openers.cameras["cam-main"]
            await source.give(picture(0), AudioUnit(b"aac", START, 1920, SOUND, CLIP.units[0].run))
            assert s.crew.seats == []
            assert s.hub.segment is not None
            assert s.hub.segment.audio is SOUND
