"""What has been recorded, in numbers: of which cameras, from when, how much, how fast, and what room is left."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from shutil import disk_usage
from typing import TYPE_CHECKING, Final

import trio

from appliance.base.beat import rest
from appliance.base.clock import TICKS_PER_SECOND
from appliance.base.faults import Fault
from appliance.store.folder import fault_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.base.clock import Clock
    from appliance.recorder.index import Index, Stream

log = logging.getLogger(__name__)

#: How often it is looked at of which cameras there is anything: a few rows.
PERIOD_S: Final = 2.0
#: The time over which it is measured how fast it grows, and the least of it that tells something.
RATE: Final = 600 * TICKS_PER_SECOND
RATE_LEAST: Final = 10 * TICKS_PER_SECOND


@dataclass(frozen=True, slots=True)
class CameraStock:
    """Of one camera, which may have been removed since.  ``oldest`` and ``newest``: UTC ticks."""

    camera_id: str
    oldest: int
    newest: int
    bytes: int
    bytes_per_second: float  # as in the last ten minutes


@dataclass(frozen=True, slots=True)
class Figures:
    """``disk`` and ``free``: bytes of the file system that it is on, and what of that anybody may use."""

    cameras: tuple[CameraStock, ...]
    disk: int
    free: int


class Stock:
    """See the module.  `run` is its task."""

    def __init__(self, index: Index, clock: Clock) -> None:
        self._index = index
        self._clock = clock
        self._kept: frozenset[str] = frozenset()  # the cameras of which there are recordings, as last seen

    @property
    def kept(self) -> frozenset[str]:
        """The cameras of which there are recordings."""
        self._kept |= {each.camera_id for each in self._index.growing}
        return self._kept

    async def figures(self) -> Figures:
        """Raises `Fault` where index or disk cannot be read."""
        return await trio.to_thread.run_sync(_figures, self._index, self._clock.utc_90k())

    async def run(self, changed: Callable[[str], None]) -> None:
        """Keep ``kept``; ``changed`` is told of cameras that came to have recordings, or have none any more."""
        while True:
            try:
                streams = await trio.to_thread.run_sync(self._index.streams)
            except Fault as fault:
                log.warning("what was recorded cannot be looked at: %s", fault)
            else:
                before, self._kept = self._kept, frozenset(each.camera_id for each in streams if each.bytes)
                for camera_id in before ^ self.kept:
                    changed(camera_id)
            await rest(PERIOD_S)


def _figures(index: Index, now: int) -> Figures:
    streams: dict[str, list[Stream]] = {}
    for stream in index.streams():
        streams.setdefault(stream.camera_id, []).append(stream)
    written: dict[str, int] = {}
    for growing in index.growing:
        written[growing.camera_id] = written.get(growing.camera_id, 0) + growing.file.size
    cameras = []
    for camera_id, own in streams.items():
        bounds = index.bounds(camera_id)
        if bounds is None:
            continue
        size = sum(each.bytes for each in own) + written.get(camera_id, 0)
        begin = max(now - RATE, bounds.start)
        grown = sum(_share(index, each, begin, now) for each in own)
        rate = grown * TICKS_PER_SECOND / max(RATE_LEAST, now - begin)
        cameras.append(CameraStock(camera_id, bounds.start, bounds.end, size, rate))
    try:
        usage = disk_usage(index.root)
    except OSError as error:
        raise fault_of(error, index.root) from error
    return Figures(tuple(cameras), usage.total, usage.free)


def _share(index: Index, stream: Stream, begin: int, end: int) -> float:
    """How many bytes of a stream's files are of that time."""
    files = index.files(stream.camera_id, stream.name, begin, end)
    return sum(
        file.size * (min(file.end, end) - max(file.start, begin)) / (file.end - file.start)
        for file in files
        if file.end > file.start
    )
