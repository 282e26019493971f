"""The whole measurement, some twenty seconds of a machine that has nothing else to do."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

import trio

from appliance.base.clock import SystemClock, to_rfc3339
from appliance.base.faults import Fault
from appliance.measuring import direct, footage, pipelines
from appliance.status.capacity import Capacity
from appliance.status.load import Load, process_cpu_s
from appliance.workers.crew import open_crew
from appliance.workers.pool import open_pool

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.measuring.footage import Footage
    from appliance.status.capacity import Transcoding
    from appliance.workers.pool import Pool

#: On a machine that is busy or slow: what matters least is left out after this time.
LONGEST_S: Final = 45.0
#: Who watches meanwhile is served before us (`nice(2)`); it is processor time that is measured, and not the clock.
NICE: Final = 10
SOURCE: Final = f"{footage.WIDTH}x{footage.HEIGHT}, {footage.FPS} pictures a second, {footage.KBPS / 1000:g} Mbit/s"


async def run(tell: Callable[[float], None]) -> Capacity:
    """Measure this machine; ``tell`` is called with the share that is done.  Raises `Fault`."""
    os.nice(NICE)
    try:
        return await _Measurement(tell).run()
    except BaseExceptionGroup as group:
        faults, others = group.split(Fault)
        if faults is None or others is not None:
            raise
        raise _first(faults) from group


def _first(group: BaseExceptionGroup[Fault]) -> Fault:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


class _Measurement:
    def __init__(self, tell: Callable[[float], None]) -> None:
        self._tell = tell
        self._cases = pipelines.cases(footage.CODECS)
        self._steps = 2 * len(footage.CODECS) + 6 + len(self._cases)  # in units of a case's usual time
        self._done = 0
        self._load = Load()

    async def run(self) -> Capacity:
        began, busy_before = time.monotonic(), self._load.machine_busy_s()
        async with open_pool() as pool:
            films: dict[str, Footage] = {}
            async with trio.open_nursery() as nursery:
                for codec in reversed(footage.CODECS):  # what takes longest is not begun last
                    nursery.start_soon(self._make, pool, codec, films)
            direct_ms = await direct.measure(films["h264"])
            self._advance(6)
            made: list[Transcoding] = []
            async with open_crew(pool) as crew:
                for case in self._cases:
                    if len(made) < len(pipelines.SIZES) or time.monotonic() - began < LONGEST_S:
                        made.append(await pipelines.measure(crew, pool.size, films[case.codec], case))
                    self._advance()
            seconds = time.monotonic() - began
            ours = time.process_time() + sum(map(process_cpu_s, pool.workers))
        others = (self._load.machine_busy_s() - busy_before - ours) / seconds
        return Capacity(
            measured_at=to_rfc3339(SystemClock().utc_90k()),
            cores=pool.size,
            direct_cpu_ms=direct_ms,
            direct_kbps=footage.KBPS,
            source=SOURCE,
            transcoding=made,
            busy_cores=round(max(0.0, others), 2),
        )

    async def _make(self, pool: Pool, codec: str, films: dict[str, Footage]) -> None:
        films[codec] = await footage.make(pool, codec)
        self._advance(2)

    def _advance(self, steps: int = 1) -> None:
        self._done += steps
        self._tell(self._done / self._steps)
