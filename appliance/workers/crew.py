"""The crew: workers that pipelines live in, for as long as somebody watches.

Each new pipeline goes to the worker that has least to do; there are as many as the machine has cores, and one more that
is ready to take the place of one that dies or does not answer.  What a pipeline had in its worker is lost then: its
owner hears of it, and opens it again.  A worker that has nothing to do for a while is let go: the one that is ready is
enough for whoever comes next.
"""

from __future__ import annotations

import logging
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
import trio

from appliance.base.beat import rest
from appliance.base.faults import Fault
from appliance.media.aac import LARGEST_FRAME
from appliance.workers.pool import END_S, WorkerDiedError
from appliance.workers.wire import Kind, PipelineWorked, SoundHeard, WireError, encode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from appliance.workers.pool import Pool, Worker
    from appliance.workers.wire import PipelineOpen, PipelineRungs, PipelineUnit, SoundOpen, SoundPiece

Answer = PipelineWorked | SoundHeard
log = logging.getLogger(__name__)

#: A worker that has work and does not answer for so long hangs.  Looked at in steps, so that a loop that was held up
#: itself blames nobody.
STUCK_S = 2.0
LOOK_S = 0.25
#: One without pipelines is let go after so long.
IDLE_S = 10.0
#: Units of one pipeline in a worker at most: enough that it never waits for the next one.
CREDITS = 4
#: AAC frames that one piece of sound, of a second at most, may come back as; what waited before it among them.
FRAMES_LIMIT = 64
#: A new spare is tried again so often.
RETRY_S = 5.0


class _IdleError(Exception):
    """A worker has had nothing to do for `IDLE_S`."""


class SeatLostError(Exception):
    """The worker is gone.  ``blamed``: it was at work on a unit of this pipeline."""

    def __init__(self, message: str, *, blamed: bool, hung: bool) -> None:
        super().__init__(message)
        self.blamed = blamed
        self.hung = hung


class Seat:
    """One pipeline's place in a worker.

    Everything here is synchronous.  ``told()`` is called whenever there is something new: an answer came, or the
    worker is gone.
    """

    def __init__(self, hand: _Hand, number: int, load: float, told: Callable[[], None]) -> None:
        self.load = load
        self.in_flight = 0
        self._hand = hand
        self._number = number
        self._told = told
        self._rungs = 0
        self._answers: deque[Answer] = deque()
        self._lost: SeatLostError | None = None

    @property
    def pid(self) -> int:
        """The worker's process."""
        return self._hand.worker.process.pid

    @property
    def has_credit(self) -> bool:
        return self.in_flight < CREDITS

    def open(self, opening: PipelineOpen, rungs: PipelineRungs) -> None:
        """Begin; once, before anything else."""
        self._hand.post(encode(Kind.OPEN, self._number, opening))
        self.change(rungs)

    def change(self, rungs: PipelineRungs) -> None:
        self._rungs = len(rungs.rungs)
        self._hand.post(encode(Kind.RUNGS, self._number, rungs))

    def work(self, unit: PipelineUnit) -> None:
        """Have a unit decoded; only while `has_credit`."""
        assert self.has_credit
        self.in_flight += 1
        self._hand.in_flight.append((self, self._rungs))
        self._hand.post(encode(Kind.UNIT, self._number, unit))

    def open_sound(self, opening: SoundOpen) -> None:
        """Begin a pipeline of sound; once, before anything else."""
        self._hand.post(encode(Kind.SOUND, self._number, opening))

    def hear(self, piece: SoundPiece) -> None:
        """Have a piece of sound coded anew; only while `has_credit`."""
        assert self.has_credit
        self.in_flight += 1
        self._hand.in_flight.append((self, None))
        self._hand.post(encode(Kind.PIECE, self._number, piece))

    def answers(self) -> list[Answer]:
        """What came since the last call.  Raises `SeatLostError`."""
        if self._lost is not None:
            raise self._lost
        came, self._answers = list(self._answers), deque()
        return came

    def answered(self, answer: Answer) -> None:
        self.in_flight -= 1
        self._answers.append(answer)
        self._told()

    def lose(self, message: str, *, blamed: bool, hung: bool) -> None:
        self._lost = SeatLostError(message, blamed=blamed, hung=hung)
        self._told()


@dataclass(eq=False)
class _Hand:
    """A worker and the pipelines in it."""

    worker: Worker
    seats: dict[int, Seat] = field(default_factory=dict)
    #: Whose units are in it, and for how many rungs; None: it is sound.
    in_flight: deque[tuple[Seat, int | None]] = field(default_factory=deque)
    heard: int = 0  # answers so far
    leaving: bool = False  # it is let go: nobody gets a seat in it
    outgoing: deque[bytes] = field(default_factory=deque)  # what the socket did not take at once
    posted: trio.Event = field(default_factory=trio.Event)

    @property
    def load(self) -> float:
        return sum(seat.load for seat in self.seats.values())

    def post(self, message: bytes) -> None:
        if not self.outgoing:
            message = message[self.worker.try_send(message) :]
        if message:
            self.outgoing.append(message)
            self.posted.set()

    async def run(self) -> None:
        """Talk to the worker until it fails or is let go.

        Raises `WorkerDiedError`, trio.TooSlowError or `_IdleError` (in a group).
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._send)
            nursery.start_soon(self._watch)
            while True:
                kind, number, data = await self.worker.receive()
                seat, answer = self._read(kind, data)
                self.heard += 1
                if self.seats.get(number) is seat:
                    seat.answered(answer)

    def _read(self, kind: Kind, data: bytes) -> tuple[Seat, Answer]:
        """An answer and who waits for it.  Raises `WireError`, msgspec.MsgspecError."""
        if not self.in_flight or kind is not (Kind.HEARD if self.in_flight[0][1] is None else Kind.WORKED):
            raise WireError(f"a message of kind {kind}")
        seat, rungs = self.in_flight.popleft()
        if rungs is None:
            heard = msgspec.msgpack.decode(data, type=SoundHeard)
            if not _is_bounded(heard):
                raise WireError("sound that cannot be")
            return seat, heard
        worked = msgspec.msgpack.decode(data, type=PipelineWorked)
        if not _is_sound(worked, rungs):
            raise WireError("pictures that were not asked for")
        return seat, worked

    async def _send(self) -> None:
        while True:
            await self.posted.wait()
            self.posted = trio.Event()
            while self.outgoing:
                await self.worker.stream.send_all(self.outgoing[0])
                self.outgoing.popleft()  # not before: nothing may overtake it

    async def _watch(self) -> None:
        silent, idle, heard = 0, 0, self.heard
        while True:
            await rest(LOOK_S)
            idle = 0 if self.seats else idle + 1
            if idle * LOOK_S >= IDLE_S:
                self.leaving = True
                raise _IdleError
            silent = silent + 1 if self.in_flight and self.heard == heard else 0
            heard = self.heard
            if silent * LOOK_S >= STUCK_S:
                raise trio.TooSlowError


def _is_sound(worked: PipelineWorked, rungs: int) -> bool:
    """Whether the numbers in an answer are of what there is: a worker is trusted with nothing."""
    return worked.decoded >= 0 and all(
        0 <= picture.pts < 1 << 62
        and all(0 <= rung < rungs and 0 <= jpeg < len(picture.jpegs) for rung, jpeg in picture.rungs)
        for picture in worked.pictures
    )


def _is_bounded(heard: SoundHeard) -> bool:
    """The same of sound."""
    return len(heard.frames) <= FRAMES_LIMIT and all(
        len(data) <= LARGEST_FRAME and 0 <= pts < 1 << 62 for data, pts in heard.frames
    )


class Crew:
    """See `open_crew`."""

    def __init__(self, nursery: trio.Nursery, pool: Pool) -> None:
        self._nursery = nursery
        self._pool = pool
        self._hands: list[_Hand] = []
        self._spare: Worker | None = None
        self._hiring = trio.Lock()
        self._next_number = 0
        self.died = 0
        self.hung = 0
        self.hardware_failure = ""  # why the last pipeline that could have used a device did not

    @property
    def hardware(self) -> tuple[str | None, str]:
        """The kind of device that decodes, or None and why there is none (nothing before the first worker)."""
        return self._pool.hardware

    @property
    def pipelines(self) -> int:
        return sum(len(hand.seats) for hand in self._hands)

    @asynccontextmanager
    async def seat(self, load: float, told: Callable[[], None], *, at_once: bool = False) -> AsyncIterator[Seat]:
        """A place in the worker that has least to do.  Raises `Fault` where none can be started.

        ``at_once``: somebody's picture stands still: rather a busy worker than one that has to be started.
        """
        hand = await self._least_loaded(at_once=at_once)
        self._next_number = self._next_number + 1 & 0xFFFFFFFF
        number = self._next_number
        seat = hand.seats[number] = Seat(hand, number, load, told)
        try:
            yield seat
        finally:
            if hand.seats.pop(number, None) is not None and hand in self._hands:
                hand.post(encode(Kind.CLOSE, number, None))

    async def _least_loaded(self, *, at_once: bool) -> _Hand:
        async with self._hiring:
            hands = [hand for hand in self._hands if not hand.leaving]
            least = min(hands, key=lambda hand: hand.load, default=None)
            if least is not None and (not least.seats or len(hands) >= self._pool.size):
                return least
            spare, self._spare = self._spare, None
            if spare is None and least is not None and at_once:
                return least
            return self._employ(spare or await self._pool.hire())

    def _employ(self, worker: Worker) -> _Hand:
        hand = _Hand(worker)
        self._hands.append(hand)
        self._nursery.start_soon(self._run, hand)
        self._nursery.start_soon(self._keep_a_spare)
        return hand

    async def _run(self, hand: _Hand) -> None:
        try:
            try:
                await hand.run()
            finally:
                self._hands.remove(hand)
        except* _IdleError:
            pass  # it has no seats
        except* trio.TooSlowError:
            self._lose(hand, "it does not answer", hung=True)
        except* (WorkerDiedError, WireError, msgspec.MsgspecError, trio.BrokenResourceError) as group:
            self._lose(hand, str(group.exceptions[0]), hung=False)
        finally:
            with trio.move_on_after(END_S, shield=True):
                await self._pool.retire(hand.worker)

    def _lose(self, hand: _Hand, message: str, *, hung: bool) -> None:
        log.warning("media worker %d is replaced: %s", hand.worker.process.pid, message)
        self.died += not hung
        self.hung += hung
        self._pool.replaced += 1
        blamed = hand.in_flight[0][0] if hand.in_flight else None
        for seat in list(hand.seats.values()):
            seat.lose(message, blamed=seat is blamed, hung=hung)

    async def _keep_a_spare(self) -> None:
        while self._spare is None:
            try:
                worker = await self._pool.hire()
            except Fault as fault:
                log.warning("no spare media worker: %s", fault)
                await trio.sleep(RETRY_S)
                continue
            if self._spare is None:
                self._spare = worker
            else:
                self._pool.release(worker)


@asynccontextmanager
async def open_crew(pool: Pool) -> AsyncIterator[Crew]:
    """A crew out of the pool's workers, for as long as the block lasts."""
    async with trio.open_nursery() as nursery:
        yield Crew(nursery, pool)
        nursery.cancel_scope.cancel()
