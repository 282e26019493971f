"""A recorder without a server: the real one, on a real disk, fed by a test.  Cameras and settings are doubles."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import trio
from trio.testing import wait_all_tasks_blocked

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.recording_rules import RecordingMode, RecordingRules
from appliance.media.units import Run
from appliance.recorder.recorder import Recorder, open_recorder
from appliance.settings.tabs import RecordingTab
from appliance.status.board import Board
from tests.media.clips import encode_h264
from tests.recorder.made import endless, items_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from appliance.media.units import Unit
    from appliance.recorder.cutting import Item
    from appliance.recorder.files import Span

GATE, QUAY = "11111111-2222-4333-8444-555555555555", "66666666-2222-4333-8444-555555555555"
CLIP = encode_h264(50, (160, 90), gop=25)
CONTINUOUS = RecordingRules(RecordingMode.CONTINUOUS)
EVENT = RecordingRules(RecordingMode.EVENT, pre_s=5, post_s=3)
START = 1_790_000_000 * TICKS_PER_SECOND


class StudioClock:
    """The time on the wall runs with Trio's, and can be set."""

    def __init__(self) -> None:
        self.set_by = 0
        self._trio = trio.lowlevel.current_clock()  # it is asked by threads, too

    def utc_90k(self) -> int:
        return START + self.set_by + round(self._trio.current_time() * TICKS_PER_SECOND)


def camera(ident: str, rules: RecordingRules, *streams: str) -> SimpleNamespace:
    sources = tuple(SimpleNamespace(id=f"{ident}-{name}", name=name) for name in streams or ("main", "sub"))
    return SimpleNamespace(id=ident, name=ident[:4], streams=sources, recording=rules)


@dataclass
class Studio:
    """What a test directs."""

    folder: Path
    recorder: Recorder
    board: Board
    clock: StudioClock
    cameras: dict[str, Any]
    tab: list[RecordingTab]
    taps: dict[str, Callable[[Item], None]] = field(default_factory=dict)  # by stream id
    events: dict[str, int] = field(default_factory=dict)

    @property
    def archive(self) -> Any:
        return self.recorder.archive

    async def send(self, stream: str, units: Iterator[Unit], *, paced: bool = True) -> None:
        """Send units as a camera would: each when its time has come."""
        begin_s = trio.current_time()
        first: int | None = None
        tap = None
        for item in items_of(units):
            first = item.fragment.dts if first is None else first
            if paced:
                await trio.sleep_until(begin_s + (item.fragment.dts - first) / TICKS_PER_SECOND)
            tap = self.taps.get(stream)
            if tap is not None:
                tap(item)
        await trio.lowlevel.checkpoint()

    def pictures(self, seconds: float, *, run: Run | None = None, **more: Any) -> Iterator[Unit]:
        """Pictures from now on."""
        return endless(CLIP, self.clock.utc_90k(), seconds, run=run, **more)

    async def doing(self, camera_id: str, doing: str, reason: str | None = None) -> None:
        with trio.fail_after(30):
            await self.recorder.state(camera_id).wait_value(
                lambda state: (state.doing.value, state.reason) == (doing, reason)
            )
            # it is just about to be fed
            while reason == "no_video" and f"{camera_id}-main" not in self.taps:  # noqa: ASYNC110 (nobody tells a test)
                await trio.sleep(0.1)

    async def quiet(self, camera_id: str, stream: str = "main") -> None:
        """Nothing is left to do at this time, and nothing on its way to the disk, however long that takes."""
        recorder = self.recorder._tasks[camera_id, stream].recorder
        until_s = time.monotonic() + 30
        await wait_all_tasks_blocked()
        while recorder._busy_since_s is not None:
            assert time.monotonic() < until_s
            await trio.to_thread.run_sync(time.sleep, 0.002)
            await wait_all_tasks_blocked()

    async def recorded(self, camera_id: str, seconds: float, stream: str = "main") -> list[Span]:
        """When was recorded, once it is so much and no more is on its way to the disk."""
        with trio.fail_after(400):  # it is Trio's time that runs fast, not the disk
            while True:
                spans: list[Span] = (await self.archive.ranges(camera_id, 0, 1 << 62, stream=stream))[0]
                if sum(span.end - span.start for span in spans) >= seconds * TICKS_PER_SECOND:
                    return spans
                await trio.sleep(0.5)


@asynccontextmanager
async def open_studio(
    folder: Path, *cameras: Any, tab: RecordingTab | None = None, last: dict[str, int] | None = None, **more: Any
) -> AsyncIterator[Studio]:
    clock, board = StudioClock(), Board(0)
    known = {each.id: each for each in cameras}
    tabs = [tab or RecordingTab()]
    taps: dict[str, Any] = {}
    events: dict[str, int] = {} if last is None else last

    class Feeds:
        @contextmanager
        def feed(self, camera: Any, stream: Any, tap: Callable[[Item], None]) -> Iterator[None]:
            taps[stream.id] = tap
            try:
                yield
            finally:
                del taps[stream.id]

    book: Any = SimpleNamespace(list=lambda: list(known.values()), find=known.get)
    settings: Any = SimpleNamespace(tab=lambda _: tabs[0])
    async with (
        open_recorder(folder, clock, book, settings, board, Feeds(), last_event=events.get, **more) as recorder,
        trio.open_nursery() as nursery,
    ):
        for task in (recorder.run, recorder.tend, recorder.retention.run):
            nursery.start_soon(task)
        yield Studio(folder, recorder, board, clock, known, tabs, taps, events)
        nursery.cancel_scope.cancel()
