"""What stands for a worker, of pictures or of sound, in tests of who uses it: it is lost when a test says so."""

from __future__ import annotations

from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

import trio

from appliance.workers.crew import CREDITS, SeatLostError
from appliance.workers.wire import PipelineOpen, PipelinePicture, PipelineRungs, PipelineUnit, PipelineWorked
from tests.media.clips import START

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

Taken = TypeVar("Taken")
Answer = TypeVar("Answer")


@dataclass(eq=False)
class ScriptedSeat(Generic[Taken, Answer]):
    """``waiting``: what it has not answered."""

    told: Callable[[], None]
    waiting: deque[Taken] = field(default_factory=deque)
    given: list[Answer] = field(default_factory=list)
    lost: SeatLostError | None = None
    pid: int = 7

    @property
    def in_flight(self) -> int:
        return len(self.waiting)

    @property
    def has_credit(self) -> bool:
        return self.in_flight < CREDITS

    def answers(self) -> list[Answer]:
        if self.lost is not None:
            raise self.lost
        given, self.given = self.given, []
        return given

    def lose(self, *, blamed: bool = True) -> None:
        self.lost = SeatLostError("it died", blamed=blamed, hung=False)
        self.told()


# --- of pictures


@dataclass(eq=False)
class Seat(ScriptedSeat[PipelineUnit, PipelineWorked]):
    """Answers when the test lets it work, or at once where its ``is_fast``."""

    is_fast: Callable[[], bool] = bool
    keeps_back: bool = False  # as a decoder of B pictures does
    opened: PipelineOpen | None = None
    rungs: PipelineRungs | None = None
    units: list[PipelineUnit] = field(default_factory=list)  # those that waited for another come before it
    made_for: deque[int] = field(default_factory=deque)  # rungs, of each that waits

    def open(self, opening: PipelineOpen, rungs: PipelineRungs) -> None:
        self.opened, self.rungs = opening, rungs

    def change(self, rungs: PipelineRungs) -> None:
        self.rungs = rungs

    def work(self, unit: PipelineUnit) -> None:
        assert self.has_credit
        self.units += [PipelineUnit(data, pts, shown=False) for data, pts in unit.before]
        self.units.append(unit)
        assert self.rungs is not None
        self.waiting.append(unit)
        self.made_for.append(len(self.rungs.rungs))
        if self.is_fast():
            self.let(1)

    def let(self, count: int) -> None:
        """Answer so many units."""
        for _ in range(count):
            unit = self.waiting.popleft()
            numbers = [(number, number) for number in range(self.made_for.popleft())]
            jpegs = [b"%d at %d" % (number, unit.pts) for number, _ in numbers]
            made = [PipelinePicture(unit.pts, jpegs, numbers)] if unit.shown else []
            self.given.append(PipelineWorked(1 + len(unit.before), made, at_once=not self.keeps_back))
        self.told()

    @property
    def shown(self) -> list[int]:
        """The numbers of the pictures that are shown."""
        return [number_of(unit) for unit in self.units if unit.shown]


def number_of(unit: PipelineUnit) -> int:
    return (unit.pts - START) * 25 // 90_000


@dataclass
class Crew:
    is_fast: bool = True
    seats: list[Seat] = field(default_factory=list)
    in_haste: list[bool] = field(default_factory=list)

    @asynccontextmanager
    async def seat(self, load: float, told: Callable[[], None], *, at_once: bool = False) -> AsyncIterator[Seat]:
        await trio.lowlevel.checkpoint()
        assert load > 0
        self.in_haste.append(at_once)
        self.seats.append(Seat(told, pid=len(self.seats) + 1, is_fast=lambda: self.is_fast))
        yield self.seats[-1]
