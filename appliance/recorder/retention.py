"""Making room: recordings that are older than they are to be kept, or more than may be kept, are deleted.

The oldest first, never one that is being written, and none that is held as evidence.  What a camera left behind that
was removed is kept as long as the settings say.
"""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from shutil import disk_usage
from typing import TYPE_CHECKING, Final

import trio

from appliance.base.clock import utc_seconds
from appliance.base.faults import Fault
from appliance.media.recording_rules import GB, RecordingRules
from appliance.recorder import upkeep
from appliance.recorder.files import Span

if TYPE_CHECKING:
    from appliance.base.clock import Clock
    from appliance.recorder.index import Index, Stream
    from appliance.recorder.upkeep import Row
    from appliance.settings.tabs import RecordingTab

log = logging.getLogger(__name__)

PERIOD_S: Final = 10.0
DAY_S: Final = 24 * 3600
#: Files that are deleted in one transaction.
AT_ONCE: Final = 64
#: A clock that was set by more than this tells no age until it has been right for so long.
ASTRAY_S: Final = 60.0
CALM_S: Final = 600.0
#: No more of a disk than this is left free, whatever the setting: a small one is recorded on, too.
FREE_SHARE: Final = 5

#: What of each camera must stay.
Held = Callable[[], Mapping[str, Sequence[Span]]]


def nothing_held() -> Mapping[str, Sequence[Span]]:
    return {}


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be kept; of bytes None: as many as there is room for."""

    days: int
    most: int | None
    keep_free: int
    cameras: Mapping[str, RecordingRules]


class Retention:
    """See the module.  `run` is its task."""

    def __init__(self, index: Index, clock: Clock, limits: Callable[[], Limits], held: Held = nothing_held) -> None:
        self._index = index
        self._clock = clock
        self._limits = limits
        self._held = held
        self._urged = trio.Event()
        self._offset_s: float | None = None  # of the clock from Trio's
        self._astray_s = -CALM_S

    def urge(self) -> None:
        """The disk is full: make room now."""
        self._urged.set()

    async def run(self) -> None:
        while True:
            await self.make_room()
            with trio.move_on_after(PERIOD_S):
                await self._urged.wait()
            self._urged = trio.Event()
            await trio.sleep(1.0)  # however often it is urged

    async def make_room(self) -> None:
        """Once."""
        limits, held = self._limits(), self._held()
        now = utc_seconds(self._clock) if self._clock_is_calm() else None
        try:
            await trio.to_thread.run_sync(_make_room, self._index, limits, held, now)
        except Fault as fault:
            log.warning("no room could be made for recordings: %s", fault)

    def _clock_is_calm(self) -> bool:
        """Whether the clock tells how old a recording is: one that jumps ahead would have all of them deleted."""
        at_s = trio.current_time()
        offset = utc_seconds(self._clock) - at_s
        if self._offset_s is not None and abs(offset - self._offset_s) > ASTRAY_S:
            self._astray_s = at_s
        self._offset_s = offset
        return at_s - self._astray_s >= CALM_S


def limits_of(tab: RecordingTab, cameras: Iterable[tuple[str, RecordingRules]]) -> Limits:
    return Limits(tab.retention_days, tab.max_gb * GB or None, tab.keep_free_gb * GB, dict(cameras))


def _make_room(index: Index, limits: Limits, held: Mapping[str, Sequence[Span]], now: int | None) -> None:
    _bury(index)
    streams = index.streams()
    by_camera: dict[str, list[Stream]] = {}
    for stream in streams:
        by_camera.setdefault(stream.camera_id, []).append(stream)
    for camera_id, own in by_camera.items():
        rules = limits.cameras.get(camera_id, RecordingRules())
        if now is not None:
            _delete(index, own, held, older_than=now - (rules.retention_days or limits.days) * DAY_S)
        if rules.max_bytes is not None:
            _delete(index, own, held, surplus=sum(each.bytes for each in own) - rules.max_bytes)
    if limits.most is not None:
        _delete(index, index.streams(), held, surplus=sum(each.bytes for each in index.streams()) - limits.most)
    usage = disk_usage(index.root)
    _delete(index, streams, held, surplus=min(limits.keep_free, usage.total // FREE_SHARE) - usage.free)


def _delete(
    index: Index,
    streams: Iterable[Stream],
    held: Mapping[str, Sequence[Span]],
    *,
    older_than: int | None = None,
    surplus: int = 0,
) -> None:
    """The oldest files of these streams: what arrived before ``older_than``, else until ``surplus`` bytes are gone."""
    if older_than is None and surplus <= 0:
        return
    cameras = {stream.key: stream.camera_id for stream in streams}
    doomed: list[Row] = []
    deleted = 0
    for row in heapq.merge(*(_rows(index, key, older_than) for key in cameras), key=lambda row: row.start):
        if older_than is None and deleted >= surplus:
            break
        if any(span.start < row.end and row.start < span.end for span in held.get(cameras[row.key], ())):
            continue
        doomed.append(row)
        deleted += row.size
        if len(doomed) == AT_ONCE:
            _remove(index, doomed)
            doomed = []
    if doomed:
        _remove(index, doomed)


def _rows(index: Index, key: int, older_than: int | None) -> Iterator[Row]:
    """The files of a stream, the oldest first."""
    after = -1
    while rows := upkeep.oldest(index, key, after, AT_ONCE):
        for row in rows:
            if older_than is not None and row.arrived >= older_than:
                return
            yield row
        after = rows[-1].start


def _remove(index: Index, rows: Sequence[Row]) -> None:
    """First nobody is shown them any more, then they go from the disk, and then from what has to go."""
    try:
        upkeep.doom(index, rows)
    except Fault as fault:
        if fault.code != "disk_full":
            raise
        # the index has no room to say so: the files make it some
        for row in rows:
            with suppress(OSError):
                upkeep.path_of_row(index, row.key, row.start).unlink(missing_ok=True)
        upkeep.doom(index, rows)
    _bury(index)


def _bury(index: Index) -> None:
    """Delete what is doomed, also what a crash left of it."""
    while rows := upkeep.doomed(index, AT_ONCE):
        gone = []
        for key, start in rows:
            path = upkeep.path_of_row(index, key, start)
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                log.warning("the recording %s cannot be deleted: %s", path, error)
            else:
                gone.append((key, start))
        upkeep.buried(index, gone)
        if len(gone) < len(rows):
            return
