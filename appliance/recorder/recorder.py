"""The recorder: a task for each stream that is to be recorded, what becomes of each camera, and room on the disk.

A stream's task that fails is begun again; no other hears of it.  Where the pictures come from is handed in (`Feeds`).
"""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

import trio

from appliance.base.beat import rest
from appliance.base.faults import Fault, Kind
from appliance.base.watch import Broadcast, Watched
from appliance.media.recording_rules import NOT_RECORDED
from appliance.recorder import recovering, upkeep
from appliance.recorder.archive import Archive
from appliance.recorder.database import NAME, Database
from appliance.recorder.files import FOLDER, MAIN, SUB
from appliance.recorder.index import Index
from appliance.recorder.memory import Memory, usual_limit
from appliance.recorder.retention import Held, Retention, limits_of, nothing_held
from appliance.recorder.stream import ASK_S, Doing, RecordingState, StreamRecorder
from appliance.recorder.telling import Teller
from appliance.settings.tabs import RecordingTab
from appliance.store.folder import make_private_folder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from appliance.base.clock import Clock
    from appliance.media.recording_rules import RecordingRules
    from appliance.recorder.cutting import Item
    from appliance.settings.settings import Settings
    from appliance.sites.camera import Camera, StreamConfig
    from appliance.sites.cameras import CameraBook
    from appliance.status.board import Board

log = logging.getLogger(__name__)

#: Threads that write; a disk that hangs holds no more.
WRITERS: Final = 8
#: A stream's task that failed is begun again after so long.
AGAIN_S: Final = 5.0
#: When all stops, what is left to write may take so long.
LAST_S: Final = 5.0
#: The index is looked after this often: whether it was lost, and is to be rebuilt.
TEND_S: Final = 10.0
#: With nothing to record it is asked so often whether there is.
IDLE_S: Final = 1.0


class Feeds(Protocol):
    """Where recorded streams come from."""

    def feed(self, camera: Camera, stream: StreamConfig, tap: Callable[[Item], None]) -> AbstractContextManager[None]:
        """Have ``tap`` called with each fragment of the stream, and keep the stream open for it.  It may not block."""
        ...


@dataclass(frozen=True, slots=True)
class RecordingChanged:
    """What becomes of a camera's recording is another."""

    camera_id: str
    state: RecordingState


@dataclass(eq=False)
class _Task:
    recorder: StreamRecorder
    source: StreamConfig
    scope: trio.CancelScope = field(default_factory=lambda: trio.CancelScope(shield=True))
    done: trio.Event = field(default_factory=trio.Event)


class Recorder:
    """See `open_recorder`."""

    def __init__(
        self,
        nursery: trio.Nursery,
        index: Index,
        clock: Clock,
        cameras: CameraBook,
        settings: Settings,
        board: Board,
        feeds: Feeds,
        *,
        last_event: Callable[[str], int | None],
        held: Held = nothing_held,
        memory: Memory | None = None,
    ) -> None:
        self.archive = Archive(index)
        self.index = index
        self.changes: Broadcast[RecordingChanged] = Broadcast()
        self.retention = Retention(
            index,
            clock,
            lambda: limits_of(settings.tab(RecordingTab), [(each.id, each.recording) for each in cameras.list()]),
            held,
        )
        self._nursery = nursery
        self._clock = clock
        self._cameras = cameras
        self._feeds = feeds
        self._last_event = last_event
        self._memory = memory or Memory(usual_limit())
        self._disk = trio.CapacityLimiter(WRITERS)
        self._tasks: dict[tuple[str, str], _Task] = {}
        self._states: dict[str, Watched[RecordingState]] = {}
        self._teller = Teller(
            board, lambda camera_id: camera.name if (camera := cameras.find(camera_id)) else camera_id
        )

    def state(self, camera_id: str) -> Watched[RecordingState]:
        """What becomes of a camera."""
        return self._states.setdefault(camera_id, Watched(RecordingState()))

    async def run(self) -> None:
        """Follow the cameras and their rules, and say what becomes of them."""
        while True:
            self._follow()
            for task in self._tasks.values():
                task.recorder.decide()
            self._look()
            await rest(ASK_S if self._tasks else IDLE_S)

    async def tend(self) -> None:
        """Look for files that the index does not know: all of them after it was lost, and after the machine started
        those of the last hour, of which a power cut may have taken the rows."""
        first = True
        while True:
            lost, self.index.database.lost = self.index.database.lost, False
            try:
                if lost or (first and not await trio.to_thread.run_sync(upkeep.is_same_boot, self.index)):
                    await self._adopt(everything=lost)
                first = False
            except Fault as fault:
                log.warning("the index of recordings cannot be looked after: %s", fault)
                self.index.database.lost = lost or self.index.database.lost
            await rest(TEND_S)

    async def stop(self) -> None:
        """Write what is left, as long as the disk takes it in time."""
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.recorder.stop()
        with trio.move_on_after(LAST_S, shield=True):
            for task in tasks:
                await task.done.wait()
        for task in tasks:
            task.scope.cancel()

    async def _adopt(self, *, everything: bool) -> None:
        unknown = recovering.unknown_files(self.index, everything=everything)
        taken = left = 0
        while (path := await trio.to_thread.run_sync(next, unknown, None)) is not None:
            try:
                done = await trio.to_thread.run_sync(recovering.adopt, self.index, path)
            except OSError as error:
                log.warning("the recording %s cannot be read: %s", path, error)
                done = False
            taken, left = taken + done, left + (not done)
        if taken or left:
            log.info("the index of recordings took in %s files that it did not know; %s are no recordings", taken, left)

    # ── the streams ─────────────────────────────────────────────────────────────────────────────────────────

    def _follow(self) -> None:
        wanted = {
            (camera.id, name): (camera, source)
            for camera in self._cameras.list()
            for name, source in _recorded(camera).items()
        }
        for key, task in self._tasks.items():
            if key not in wanted or wanted[key][1].id != task.source.id:
                task.recorder.stop()
        for key, (camera, source) in wanted.items():
            if key not in self._tasks:
                self._begin(camera, key[1], source)

    def _begin(self, camera: Camera, name: str, source: StreamConfig) -> None:
        recorder = StreamRecorder(
            camera.id,
            name,
            self.index,
            self._clock,
            self._memory,
            self._disk,
            rules=lambda: _rules(self._cameras.find(camera.id)),
            last_event=partial(self._last_event, camera.id),
            short_of_room=self.retention.urge,
        )
        task = self._tasks[camera.id, name] = _Task(recorder, source)
        self._nursery.start_soon(self._run, camera, name, task)

    async def _run(self, camera: Camera, name: str, task: _Task) -> None:
        try:
            with task.scope:
                task.recorder.decide()  # before it is fed with what the hub has at hand
                with self._feeds.feed(camera, task.source, task.recorder.tap):
                    await task.recorder.run()
        except* Exception as group:
            log.exception("camera %s: recording it (%s) failed", camera.name, name, exc_info=group)
            task.recorder.fail(Fault(Kind.INTERNAL, "internal", "An internal error ended it; see the log."))
            with trio.move_on_after(AGAIN_S):
                await task.recorder.wait_stopped()
        finally:
            task.done.set()
            del self._tasks[camera.id, name]

    # ── what becomes of them ────────────────────────────────────────────────────────────────────────────────

    def _look(self) -> None:
        found: dict[str, RecordingState] = {camera.id: RecordingState() for camera in self._cameras.list()}
        for (camera_id, _), task in self._tasks.items():
            if camera_id in found:
                found[camera_id] = max(found[camera_id], task.recorder.state(), key=_badness)
        for camera_id in self._states.keys() - found.keys():
            del self._states[camera_id]
        for camera_id, state in found.items():
            if self.state(camera_id).value != state:
                self._states[camera_id].set(state)
                self.changes.publish(RecordingChanged(camera_id, state))
        self._teller.tell(found.values(), [task.recorder for task in self._tasks.values()])


def _recorded(camera: Camera) -> dict[str, StreamConfig]:
    """The streams of a camera that are to be recorded, by their names in the archive."""
    if not camera.recording.on or not camera.streams:
        return {}
    streams = {MAIN: camera.streams[0]}
    if camera.recording.sub and len(camera.streams) > 1:
        streams[SUB] = camera.streams[-1]
    return streams


def _rules(camera: Camera | None) -> RecordingRules:
    return NOT_RECORDED if camera is None else camera.recording


def _badness(state: RecordingState) -> tuple[int, bool]:
    return list(Doing).index(state.doing), state.reason is not None


@asynccontextmanager
async def open_recorder(
    folder: Path,
    clock: Clock,
    cameras: CameraBook,
    settings: Settings,
    board: Board,
    feeds: Feeds,
    *,
    last_event: Callable[[str], int | None],
    held: Held = nothing_held,
    memory: Memory | None = None,
) -> AsyncIterator[Recorder]:
    """The recorder of a data folder; its tasks live as long as the block.  Raises `Fault`."""
    index = await trio.to_thread.run_sync(_open_index, folder / FOLDER)
    try:
        async with trio.open_nursery() as nursery:
            recorder = Recorder(
                nursery, index, clock, cameras, settings, board, feeds, last_event=last_event, held=held, memory=memory
            )
            try:
                yield recorder
            finally:
                with trio.move_on_after(2 * LAST_S, shield=True):
                    await recorder.stop()
                nursery.cancel_scope.cancel()
    finally:
        with trio.move_on_after(LAST_S, shield=True):
            await trio.to_thread.run_sync(index.database.close, abandon_on_cancel=True)


def _open_index(root: Path) -> Index:
    make_private_folder(root)
    return Index(root, Database(root / NAME))
