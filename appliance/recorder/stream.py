"""One recorded stream: takes what its hub gives, decides by the rules what is recorded, and has it written.

The hub's task never waits for the disk: fragments wait in memory, a second's worth is written at once in a thread.
While the disk is slow or full they wait longer, for as long as memory allows; then whole groups of pictures are left
out, and it is said how much was lost.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Final

import trio

from appliance.base.clock import TICKS_PER_SECOND, local_time
from appliance.base.faults import Fault
from appliance.recorder.cutting import Cutter, Item, Part
from appliance.recorder.recovering import recover
from appliance.recorder.roll import Roll
from appliance.recorder.writing import Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.base.clock import Clock
    from appliance.media.recording_rules import RecordingRules
    from appliance.recorder.index import Index
    from appliance.recorder.memory import Memory

log = logging.getLogger(__name__)

#: How often what came is written, and how often the rules are asked.
WRITE_S: Final = 1.0
ASK_S: Final = 0.5
#: A group of pictures is written when it is complete, so that a crash takes no more than the last one; but not more
#: often than this, where every picture is a group.
SOON_S: Final = 0.5
#: A write that takes longer than this is said to be slow.
SLOW_S: Final = 3.0
#: Without a picture for so long nothing is recorded, whatever the rules want.
QUIET_S: Final = 5.0


class Doing(StrEnum):
    """What becomes of a stream or camera, the worst last."""

    OFF = "off"
    ON = "on"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RecordingState:
    """``reason``: of ``waiting`` event, schedule or no_video; of ``on`` null or disk_slow; of ``failed`` the disk's
    trouble: disk_full, disk_read_only, disk_failed or disk_slow; or internal."""

    doing: Doing = Doing.OFF
    reason: str | None = None
    message: str = ""  # in English, for administrators and the log


#: Codes of faults as reasons of a state.
_REASONS: Final = {"disk_full": "disk_full", "data_not_writable": "disk_read_only", "internal": "internal"}


@dataclass(slots=True)
class Lost:
    """What could not be kept, since the start."""

    seconds: float = 0.0
    at: int = 0  # ticks, when it last happened


class StreamRecorder:
    """See the module.  `tap` is called by the hub's task; `run` is its own."""

    def __init__(
        self,
        camera_id: str,
        stream: str,
        index: Index,
        clock: Clock,
        memory: Memory,
        disk: trio.CapacityLimiter,
        *,
        rules: Callable[[], RecordingRules],
        last_event: Callable[[], int | None],
        short_of_room: Callable[[], None],
    ) -> None:
        self.camera_id = camera_id
        self.stream = stream
        self.lost = Lost()
        self.writer = Writer(index, clock, camera_id, stream)
        self._index = index
        self._clock = clock
        self._memory = memory
        self._disk = disk
        self._rules = rules
        self._last_event = last_event
        self._short_of_room = short_of_room
        self._wanted = False
        self._back: int | None = None  # ticks that the roll reaches back; None: there is none
        self._roll = Roll()
        self._queue: list[Item | None] = []  # None: what follows does not follow upon what was before
        self._cutter = Cutter()
        self._parts: deque[Part] = deque()
        self._skipping_since: int | None = None
        self._seen_s: float | None = None
        self._busy_since_s: float | None = None
        self._failure: Fault | None = None
        self._recovered = False
        self._stopped = False
        self._awake = trio.Event()
        self._due = False  # a group of pictures is complete
        self._written_s = 0.0

    # ── of the hub's task ───────────────────────────────────────────────────────────────────────────────────

    def tap(self, item: Item) -> None:
        """The next fragment of the stream."""
        if not item.fragment.is_audio:
            self._seen_s = trio.current_time()
        if self._wanted:
            self._take(item)
        elif self._back is not None:
            before = self._roll.size
            self._roll.push(item, self._back)
            grown = self._roll.size - before
            if grown > 0 and not self._memory.take(self, grown):
                self._roll.drop_group()
            self._account()

    def _take(self, item: Item) -> None:
        fragment = item.fragment
        begins = fragment.is_idr and not fragment.is_audio
        skipping = self._skipping_since
        if skipping is not None and not begins:
            return
        if not self._memory.take(self, len(fragment.message), again=skipping is not None):
            if skipping is None:
                self._skipping_since = fragment.dts
                self._queue.append(None)
                log.warning(
                    "camera %s (%s): recording leaves out pictures: memory is full", self.camera_id, self.stream
                )
            return
        if skipping is not None:
            self._note_lost(fragment.dts - skipping)
            self._skipping_since = None
        self._queue.append(item)
        if begins and not self._due and trio.current_time() - self._written_s >= SOON_S:
            self._due = True
            self._awake.set()

    def _note_lost(self, ticks: int) -> None:
        seconds = ticks / TICKS_PER_SECOND
        if seconds > 0:
            self.lost.seconds += seconds
            self.lost.at = self._clock.utc_90k()
            log.error("camera %s (%s): %.1f s of recording were lost", self.camera_id, self.stream, seconds)

    # ── its own task ────────────────────────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """Record until `stop` is called, and then write what is left."""
        try:
            while not self._stopped:
                if self._due or trio.current_time() - self._written_s >= WRITE_S:
                    await self._write()
                with trio.move_on_after(ASK_S):
                    await self._awake.wait()
                self._awake = trio.Event()
            self._wanted, self._back = False, None
            self._queue.append(None)
            await self._write()
        finally:
            if self._busy_since_s is None:  # else a disk that hangs has it still
                self.writer.abandon()
            self._memory.keep(self, 0)
        if self._parts:
            log.error("camera %s (%s): the disk did not take the last of it", self.camera_id, self.stream)

    async def wait_stopped(self) -> None:
        """Wait until nothing more is to be recorded."""
        while not self._stopped:
            await self._awake.wait()
            await trio.lowlevel.checkpoint()

    def fail(self, fault: Fault) -> None:
        """It cannot be recorded at all now."""
        self._failure = fault

    def stop(self) -> None:
        """Nothing more is to be recorded."""
        self._stopped = True
        self._awake.set()

    def state(self) -> RecordingState:
        """What becomes of it now."""
        rules, now = self._rules(), trio.current_time()
        if not rules.on or self._stopped:
            return RecordingState()
        if self._failure is not None:
            reason = _REASONS.get(self._failure.code, "disk_failed")
            return RecordingState(Doing.FAILED, reason, str(self._failure))
        slow = self._busy_since_s is not None and now - self._busy_since_s > SLOW_S
        if slow and self._skipping_since is not None:
            return RecordingState(Doing.FAILED, "disk_slow", "The disk takes too long; pictures are left out.")
        if self._seen_s is None or now - self._seen_s > QUIET_S:
            return RecordingState(Doing.WAITING, "no_video", "The camera sends no picture.")
        if not self._wanted:
            return RecordingState(Doing.WAITING, "event" if rules.heeds_events else "schedule", "")
        if slow:
            return RecordingState(Doing.ON, "disk_slow", "The disk is slow; pictures wait in memory.")
        return RecordingState(Doing.ON)

    def decide(self) -> None:
        """Follow the rules; called every `ASK_S`, also while the disk is waited for."""
        if self._stopped:
            return
        rules, now = self._rules(), self._clock.utc_90k()
        wanted = rules.wants(now, self._last_event(), local_time(now))
        if wanted and not self._wanted:
            self._queue += self._roll.take()
        elif self._wanted and not wanted:
            self._queue.append(None)
            self._skipping_since = None
        self._wanted = wanted
        # an event is heard of a little later than it happens
        self._back = rules.ahead + round(ASK_S * TICKS_PER_SECOND) if rules.heeds_events else None
        if self._back is None and self._roll.size:
            self._roll.clear()
            self._account()

    def _cut(self) -> None:
        """What came becomes parts of files."""
        queue, self._queue = self._queue, []
        items: list[Item] = []
        for each in queue:
            if each is not None:
                items.append(each)
                continue
            self._parts += self._cutter.take(items, final=True)
            items = []
        self._parts += self._cutter.take(items)
        self._account()

    async def _write(self) -> None:
        """Everything that can be written, as long as the disk takes it."""
        self._due, self._written_s = False, trio.current_time()
        self._cut()
        try:
            if not self._recovered:
                await self._on_disk(partial(recover, self._index, self.camera_id, self.stream))
                self._recovered = True
            while self._parts:
                part = self._parts[0]
                lost = part.length
                if not await self._on_disk(partial(self.writer.write, part)):
                    self._note_lost(lost)
                self._parts.popleft()
                self._account()
        except Fault as fault:
            if self._failure is None or self._failure.code != fault.code:
                log.error("camera %s (%s) is not recorded: %s", self.camera_id, self.stream, fault)  # noqa: TRY400
            self._failure = fault
            if fault.code == "disk_full":
                self._short_of_room()
            return
        if self._failure is not None:
            log.info("camera %s (%s) is recorded again", self.camera_id, self.stream)
            self._failure = None

    async def _on_disk(self, fn: Callable[[], bool]) -> bool:
        """In a thread; it is cancelled, and the thread left to itself, only when all ends and the disk hangs."""
        self._busy_since_s = trio.current_time()
        try:
            done = await trio.to_thread.run_sync(fn, limiter=self._disk, abandon_on_cancel=True)
        except Exception:
            self._busy_since_s = None
            raise
        self._busy_since_s = None
        return done

    def _account(self) -> None:
        waiting = sum(len(each.fragment.message) for each in self._queue if each is not None)
        self._memory.keep(self, self._roll.size + waiting + self._cutter.held + sum(part.size for part in self._parts))
