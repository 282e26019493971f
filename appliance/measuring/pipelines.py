"""What transcoding takes: footage through pipelines in the workers, one on each core at the same time.

All cores at once, since that is when it matters: two threads of one core, and the cache that all share, make each of
them slower.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import trio

from appliance.base.clock import TICKS_PER_SECOND
from appliance.base.faults import Fault, Kind
from appliance.measuring.footage import FPS, HEIGHT, WIDTH
from appliance.media.cheapest import Pictures, cheapest
from appliance.media.ladder import sizes
from appliance.media.offer import Offer
from appliance.status.capacity import Transcoding
from appliance.status.load import process_cpu_s
from appliance.workers.crew import SeatLostError
from appliance.workers.wire import PipelineOpen, PipelineRung, PipelineRungs, PipelineUnit, PipelineWorked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from appliance.measuring.footage import Footage
    from appliance.media.cheapest import Plan
    from appliance.workers.crew import Crew

#: All that the ladder makes of such a picture.
SIZES: Final = sizes((WIDTH, HEIGHT))
#: At two rates; what lies between them costs what lies between them.
RATES: Final = (25.0, 10.0)
#: So often the footage goes through, and so long it may take on a machine that is busy or small.
ROUNDS: Final = 2
PATIENCE_S: Final = 60.0


@dataclass(frozen=True)
class Case:
    """One row: a codec, and what is made of it."""

    codec: str
    size: tuple[int, int]
    fps: float

    def plan(self) -> Plan:
        """The way that a viewer of this size and rate would be served."""
        offer = Offer((WIDTH, HEIGHT), self.codec, float(FPS), gop_s=1.0)
        plan = cheapest([offer], self.size, self.fps)
        assert plan is not None
        return plan


def cases(codecs: Sequence[str]) -> list[Case]:
    """What matters most first.  MJPEG of the camera's own size is passed through and not made."""
    every = [Case(codec, size, fps) for fps in RATES for codec in codecs for size in SIZES]
    return [case for case in every if case.plan().pictures is not Pictures.NONE]


async def measure(crew: Crew, count: int, film: Footage, case: Case) -> Transcoding:
    """The processor time for one stream, of ``count`` at once.  Raises `Fault`."""
    taken = 0.0
    before = time.process_time()

    async def one() -> None:
        nonlocal taken
        taken += await _run(crew, film, case)

    try:
        with trio.fail_after(PATIENCE_S):
            async with trio.open_nursery() as nursery:
                for _ in range(count):
                    nursery.start_soon(one)
    except* (SeatLostError, trio.TooSlowError) as group:
        raise Fault(Kind.UNAVAILABLE, "not_measured", "A media worker did not finish.", "Try again.") from group
    taken += time.process_time() - before
    return Transcoding(
        case.codec, *case.size, case.fps, round(taken / count / ROUNDS * FPS / len(film.units) * 1000, 2)
    )


async def _run(crew: Crew, film: Footage, case: Case) -> float:
    """Processor seconds of the worker for all rounds."""
    plan = case.plan()
    rung = plan.rung
    news, answered, made = trio.Event(), 0, 0

    def told() -> None:
        news.set()

    async with crew.seat(1.0, told) as seat:
        before = process_cpu_s(seat.pid)
        opening = PipelineOpen(
            film.format.codec, film.format.configuration, film.format.full_range, plan.skip_loop_filter, plan.reduce
        )
        seat.open(opening, PipelineRungs([PipelineRung(rung.width, rung.height, rung.fps, rung.quality)]))
        waiting, count = _units(film), ROUNDS * len(film.units)
        while answered < count:
            for worked in seat.answers():
                if isinstance(worked, PipelineWorked):
                    answered += 1
                    made += len(worked.pictures)
            while seat.has_credit and (unit := next(waiting, None)) is not None:
                seat.work(unit)
            if answered < count:
                await news.wait()
                news = trio.Event()
        taken = process_cpu_s(seat.pid) - before
    due = count * min(1.0, case.fps / FPS)
    if not due - 2 <= made <= due + 2:
        raise Fault(Kind.INTERNAL, "not_measured", f"{made} pictures were made where {due:g} were due.")
    return taken


def _units(film: Footage) -> Iterator[PipelineUnit]:
    for n in range(ROUNDS * len(film.units)):
        data = film.units[n % len(film.units)]
        yield PipelineUnit(data, n * TICKS_PER_SECOND // FPS, alone=film.format.is_intra)
