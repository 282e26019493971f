"""Checks of the recordings, one at a time, beside everything else."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import trio

from appliance.base.faults import Fault, Kind
from appliance.recorder.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.base.clock import Clock
    from appliance.recorder.differences import Report
    from appliance.recorder.index import Index
    from appliance.sites.cameras import CameraBook

log = logging.getLogger(__name__)

#: So long a thread works before it looks whether it still should.
SLICE_S: Final = 0.05


class Doing(StrEnum):
    """How far a check is."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass
class CheckState:
    """A check, as those see it who asked for it.  ``began``, ``ended``: UTC ticks; ``message``: why it failed."""

    report: Report
    began: int
    doing: Doing = Doing.RUNNING
    ended: int | None = None
    message: str = ""


class Checks:
    """See the module.  `run` is its task."""

    def __init__(self, index: Index, cameras: CameraBook, clock: Clock) -> None:
        self._index = index
        self._cameras = cameras
        self._clock = clock
        self._check: Check | None = None
        self._asked = trio.Event()
        self._ended = trio.Event()
        self._thread = trio.CapacityLimiter(1)
        self.state: CheckState | None = None  # of the last one

    def begin(self, *, repair: bool, thorough: bool) -> CheckState:
        """Begin one.  Raises `Fault` ``check_running``."""
        if self.state is not None and self.state.doing is Doing.RUNNING:
            message = "The recordings are being checked already."
            raise Fault(Kind.CONFLICT, "check_running", message, "Wait until that ends, or stop it.")
        cameras = frozenset(camera.id for camera in self._cameras.list())
        self._check = Check(self._index, cameras, repair=repair, thorough=thorough)
        self.state = CheckState(self._check.report, self._clock.utc_90k())
        self._ended = trio.Event()
        self._asked.set()
        return self.state

    def stop(self) -> None:
        """Whatever has been repaired stays so."""
        if self._check is not None:
            self._check.stopped = True

    async def wait_ended(self) -> None:
        """Wait until none runs."""
        if self.state is not None:
            await self._ended.wait()

    async def run(self) -> None:
        """Run the checks that are asked for."""
        while True:
            await self._asked.wait()
            self._asked = trio.Event()
            check, state = self._check, self.state
            assert check is not None
            assert state is not None
            try:
                await self._go_through(check, state)
            finally:
                if state.doing is Doing.RUNNING:
                    state.doing, state.message = Doing.FAILED, "It was not finished; see the log."
                state.ended = self._clock.utc_90k()
                self._ended.set()
                _log(state)

    async def _go_through(self, check: Check, state: CheckState) -> None:
        steps, finished = check.steps(), False
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_stop_with, check)
            try:
                while not finished and not check.stopped:
                    finished = await trio.to_thread.run_sync(_work, check, steps, limiter=self._thread)
                state.doing = Doing.DONE if finished else Doing.STOPPED
            except Fault as fault:
                log.warning("the check of the recordings failed: %s", fault)
                state.doing, state.message = Doing.FAILED, str(fault)
            nursery.cancel_scope.cancel()


def _work(check: Check, steps: Iterator[None]) -> bool:
    """Some of the steps; True: there are no more."""
    until = time.monotonic() + SLICE_S
    while time.monotonic() < until and not check.stopped:
        try:
            next(steps)
        except StopIteration:
            return True
    return False


async def _stop_with(check: Check) -> None:
    """Have the thread end soon when the task is cancelled: it does not notice by itself."""
    try:
        await trio.sleep_forever()
    finally:
        check.stopped = True


def _log(state: CheckState) -> None:
    report = state.report
    for each in report.differences:
        log.info("recordings: %s: %s (%s)%s", each.path, each.kind, each.detail, each.action and f": {each.action}")
    log.info(
        "the recordings were checked (%s): %s files, %s differences, %s of them left",
        state.doing,
        report.files,
        report.found,
        report.left,
    )
