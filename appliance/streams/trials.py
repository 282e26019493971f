"""Trying a camera before it is added or changed: every step of opening its streams, and one picture to look at."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import trio

from appliance.base.faults import Fault, Kind
from appliance.media.masks import NO_MASK
from appliance.workers.wire import Kind as Job
from appliance.workers.wire import SnapshotDone, SnapshotJob

if TYPE_CHECKING:
    from collections.abc import Sequence

    from appliance.media.masks import Mask
    from appliance.sites.cameras import StreamConfig
    from appliance.sites.probe import ProbeResult
    from appliance.streams.directory import Openers
    from appliance.workers.pool import Pool

log = logging.getLogger(__name__)

#: Trials at once, of all administrators.
AT_ONCE: Final = 2
#: All streams of a camera together; with the decoding of the picture a trial ends within 20 s.
TRIAL_WITHIN_S: Final = 16.0
#: A second stream is tried for so long at least, whatever the first one took of it.
LEAST_S: Final = 3.0
DECODING_S: Final = 3.5
WIDTH, QUALITY = 960, 80


@dataclass(frozen=True, slots=True)
class Tried:
    """One stream."""

    stream: StreamConfig
    result: ProbeResult


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it.  Streams after one that failed are not tried: two wrong passwords lock some cameras.

    ``picture`` is the first of the first stream; ``undecoded`` says why there is none though the stream came.
    """

    streams: Sequence[Tried]
    picture: SnapshotDone | None = None
    undecoded: Fault | None = None


class Trials:
    """Runs them, a few at a time."""

    def __init__(self, openers: Openers, pool: Pool) -> None:
        self._openers = openers
        self._pool = pool
        self._running = 0

    async def run(self, streams: Sequence[StreamConfig], mask: Mask = NO_MASK) -> Trial:
        """Try these streams of one camera, the largest first; ``mask``: hidden in the picture.

        Raises `Fault` ``busy``.
        """
        if self._running >= AT_ONCE:
            raise Fault(
                Kind.LIMITED,
                "busy",
                f"{AT_ONCE} cameras are being tested already.",
                "Try again in a few seconds.",
                retry_after_s=5,
            )
        self._running += 1
        try:
            return await self._run(streams, mask)
        finally:
            self._running -= 1

    async def _run(self, streams: Sequence[StreamConfig], mask: Mask) -> Trial:
        end = trio.current_time() + TRIAL_WITHIN_S
        tried: list[Tried] = []
        for number, stream in enumerate(streams):
            left_s = end - trio.current_time() - LEAST_S * (len(streams) - number - 1)
            tried.append(Tried(stream, await self._openers.probe(stream, within_s=left_s)))
            if tried[-1].result.error is not None:
                break
        try:
            return Trial(tried, await self._picture(tried[0].result, mask))
        except Fault as fault:
            log.info("the picture of a camera's test was not decoded: %s", fault)
            return Trial(tried, undecoded=fault)

    async def _picture(self, result: ProbeResult, mask: Mask) -> SnapshotDone | None:
        unit = result.measured.key_picture
        if unit is None:
            return None
        video = unit.format
        job = SnapshotJob(
            video.codec, video.configuration, [unit.data], video.full_range, video.pixel_aspect, WIDTH, QUALITY, mask
        )
        try:
            with trio.fail_after(DECODING_S):
                return await self._pool.run(Job.SNAPSHOT, job, SnapshotDone, patience_s=DECODING_S)
        except trio.TooSlowError as error:
            raise Fault(Kind.UNAVAILABLE, "worker_busy", "The decoder did not get to it in time.") from error
