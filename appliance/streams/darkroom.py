"""Pictures of recordings as JPEG, made in a media worker for one playback session.

A worker is given what has to be decoded, from a key picture on, and gives back the pictures that are wanted, in the
order in which they are shown.  Nothing is left inside: the next ones may be of anywhere.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import trio

from appliance.media.cheapest import USUAL_FPS
from appliance.media.sample_table import SYNC
from appliance.recorder.spool import Spool
from appliance.streams.recorded import measured
from appliance.streams.transcoder import is_passed, opening
from appliance.workers.wire import PipelineRung, PipelineRungs, PipelineUnit, PipelineWorked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence

    from appliance.media.ladder import Rung
    from appliance.media.units import VideoFormat
    from appliance.recorder.archive import Archive
    from appliance.recorder.files import Opened
    from appliance.workers.crew import Crew, Seat

    Sink = Callable[[int, bytes], Awaitable[object]]


class Darkroom:
    """See `open_darkroom`."""

    def __init__(self, stack: AsyncExitStack, crew: Crew, archive: Archive, rung: Rung, *, at_once: bool) -> None:
        self._stack = stack
        self._crew = crew
        self._spool = Spool(archive)
        self._rung = rung
        self._at_once = at_once
        self._seat: Seat | None = None
        self._video: VideoFormat | None = None
        self._told = trio.lowlevel.ParkingLot()
        self.decoded = 0

    async def develop(
        self, samples: Sequence[tuple[Opened, int, int]], wanted: Collection[int], sink: Sink, *, ahead: bool = True
    ) -> None:
        """Decode samples (file, number, time) and give ``sink`` time and JPEG of each that is wanted.

        ``ahead``: others behind them in the file will be asked for next.  Raises `Fault`, `SeatLostError`.
        """
        last = len(samples) - 1
        for place, (opened, number, at) in enumerate(samples):
            data = await self._spool.sample(opened, number, ahead=ahead or place < last)
            if is_passed(opened.video, self._rung):
                if at in wanted:
                    await sink(at, data)
                continue
            seat = await self._sit(opened)
            while not seat.has_credit:
                await self._hear(seat, sink)
            if opened.video != self._video:
                self._begin(seat, opened.video)
            starts = bool(opened.table.flags[number] & SYNC)
            seat.work(PipelineUnit(data, at, at in wanted, place == last, starts))
        while self._seat is not None and self._seat.in_flight:
            await self._hear(self._seat, sink)
        if self._seat is not None:
            await self._give(self._seat, sink)

    async def _sit(self, opened: Opened) -> Seat:
        """The place in a worker, taken when it is first needed."""
        seat = self._seat
        if seat is None:
            video = opened.video
            load = video.width * video.height * (measured(opened).fps or USUAL_FPS) / 1e6
            seat = self._seat = await self._stack.enter_async_context(
                self._crew.seat(load, self._tell, at_once=self._at_once)
            )
        return seat

    def _tell(self) -> None:
        """The worker has answered, or is lost."""
        self._told.unpark_all()

    def _begin(self, seat: Seat, video: VideoFormat) -> None:
        """Another format: another decoder."""
        rung = self._rung
        wire = PipelineRung(rung.width, rung.height, None, rung.quality, rung.mask)
        seat.open(opening(video, [rung]), PipelineRungs([wire]))
        self._video = video

    async def _hear(self, seat: Seat, sink: Sink) -> None:
        """Wait for answers and pass on what they hold."""
        before = seat.in_flight
        if not await self._give(seat, sink) and seat.in_flight == before:
            await self._told.park()

    async def _give(self, seat: Seat, sink: Sink) -> bool:
        answers = seat.answers()
        for worked in answers:
            assert isinstance(worked, PipelineWorked)
            self.decoded += worked.decoded
            for made in worked.pictures:
                await sink(made.pts, made.jpegs[0])
        return bool(answers)


@asynccontextmanager
async def open_darkroom(crew: Crew, archive: Archive, rung: Rung, *, at_once: bool) -> AsyncIterator[Darkroom]:
    """Somewhere to make pictures for as long as the block lasts.  ``at_once``: a worker was lost just now."""
    async with AsyncExitStack() as stack:
        yield Darkroom(stack, crew, archive, rung, at_once=at_once)
