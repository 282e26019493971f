"""A camera that means harm (abuse A12): the loop keeps its time, memory its bounds, and another camera its pictures."""

from __future__ import annotations

import heapq
import subprocess
import sys
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trio

from appliance.base.clock import SystemClock
from appliance.media.h264 import ParameterSetError, parse_sps
from appliance.media.units import AccessUnit
from appliance.sites.rtsp.source import open_rtsp
from appliance.sites.source import SourceError, Trouble
from tests.peers.cameras import Cameras, cameras
from tests.sites.rtsp.hostile_camera import DATAGRAMS, DESCRIPTIONS, MEDIA, SPS_HUGE
from tests.sites.rtsp.real import at
from tests.sites.rtsp.test_cameras import target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.sites.rtsp.source import RtspSource
    from appliance.sites.rtsp.target import RtspTarget

pytestmark = pytest.mark.peer
__all__ = ["cameras"]  # the fixture: the other camera

#: How long each is suffered.
LASTS_S = 0.6
#: Of the processor, for one turn of one task: a read of 64 KB, and what it holds.
STEP_S = 0.02
PATIENCE_S = 10.0
PICTURES = 4  # of the other camera
#: What ends each connection, and what has pictures all the same: so many have to be seen.
REFUSED = {"endless-sdp", "endless-head", "long-line-sdp", "wide-sdp", "redirects"}
PLAYED = {"giant-nal": 1, "packet-flood": 10, "changing-sps": 10, "time-backwards": 10, "time-jumps": 10}
#: Packets of one connection that have to be suffered; giant-nal: more than the eight megabytes of a picture.
ENOUGH = {"giant-nal": 300, "packet-flood": 10_000} | {harm: 500 for harm in DATAGRAMS if harm != "udp-nonsense"}
GROWTH = 48 << 20
PAGE = 4096


@pytest.fixture(scope="module")
def hostile() -> Iterator[int]:
    """The port of the process that means harm."""
    command = [sys.executable, "-m", "tests.sites.rtsp.hostile_camera"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


@dataclass(eq=False)
class Steps(trio.abc.Instrument):
    """The processor time of the longest turns of any task: what the loop is late by, however busy the machine is.

    Two turns may be longer for reasons of their own: the first of its kind, and a collection of garbage.
    """

    longest: list[float] = field(default_factory=lambda: [0.0] * 3)
    began: float = float("inf")  # until a turn begins while we look

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.began = time.thread_time()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        heapq.heappushpop(self.longest, time.thread_time() - self.began)


@dataclass
class Suffering:
    """What came of watching the hostile camera, again and again."""

    units: list[AccessUnit] = field(default_factory=list)
    errors: list[SourceError] = field(default_factory=list)
    source: RtspSource | None = None  # the one at hand
    most: int = 0
    lasted_s: float = 0.0

    @property
    def packets(self) -> int:
        """Of one connection, the most."""
        if self.source is not None:
            self.most = max(self.most, self.source.statistics.packets_received)
        return self.most


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


async def suffer(where: RtspTarget, seen: Suffering) -> None:
    while True:
        try:
            async with open_rtsp(where, SystemClock()) as source:
                seen.most, seen.source = seen.packets, source
                while True:
                    seen.units += [unit for unit in await source.receive() if isinstance(unit, AccessUnit)]
        except SourceError as error:
            seen.errors.append(error)
        await trio.sleep(0.05)  # the hub waits a second


@pytest.mark.parametrize("harm", [*DESCRIPTIONS, *MEDIA, *DATAGRAMS, "redirects"])
async def test_a12_harm_stays_with_the_camera_that_means_it(
    harm: str, hostile: int, cameras: Cameras, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.sites.rtsp.connection.LEAVE_WITHIN_S", 0.05)  # it never lets us go
    steps, seen, pictures = Steps(), Suffering(), list[AccessUnit]()
    async with open_rtsp(target(cameras.url("/sub")), SystemClock(), audio=False) as other:
        await other.receive()
        before, most = resident(), 0
        trio.lowlevel.add_instrument(steps)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(suffer, at(hostile, f"/{harm}"), seen)
            began = trio.current_time()
            while seen.lasted_s < LASTS_S or (lacking(harm, seen, pictures) and seen.lasted_s < PATIENCE_S):
                pictures += [unit for unit in await other.receive() if isinstance(unit, AccessUnit)]
                most, seen.lasted_s = max(most, resident()), trio.current_time() - began
            nursery.cancel_scope.cancel()
        trio.lowlevel.remove_instrument(steps)
        assert (other.statistics.packets_lost, other.statistics.units_dropped) == (0, 0)
    assert steps.longest[0] < STEP_S
    assert most - before < GROWTH
    assert not lacking(harm, seen, pictures)
    assert all(later.seq == one.seq + 1 for one, later in pairwise(pictures))
    assert all(later.dts > one.dts for one, later in pairwise(seen.units) if one.run is later.run)
    judge(harm, seen)


def lacking(harm: str, seen: Suffering, pictures: list[AccessUnit]) -> bool:
    """Whether there was too little harm yet, or too little else: on a busy machine both take longer."""
    if harm in REFUSED and not seen.errors:
        return True
    return len(pictures) < PICTURES or seen.packets <= ENOUGH.get(harm, -1) or len(seen.units) < PLAYED.get(harm, 0)


def judge(harm: str, seen: Suffering) -> None:
    """That the harm was done, and what it came to."""
    if harm in REFUSED - {"redirects"}:
        assert {error.trouble for error in seen.errors} <= {Trouble.CAMERA_LOST, Trouble.UNSUPPORTED_CODEC}
    elif harm == "redirects":
        assert {error.message for error in seen.errors} == {"The camera sends us in circles."}
    elif harm in ("nonsense", "udp-nonsense"):
        assert all(unit.is_idr for unit in seen.units)  # as one packet in 32 768 looks by chance
    elif harm in ("slow-head", "control-flood", "no-markers", "questions"):
        assert seen.units == []
    elif harm == "giant-nal":
        assert len(seen.units) == 1
    elif harm == "packet-flood":
        assert seen.units
    elif harm in DATAGRAMS:
        assert seen.units == []  # there is no key frame among them
    elif harm == "giant-sps":
        with pytest.raises(ParameterSetError, match="macroblock"):
            parse_sps(SPS_HUGE)
        assert {unit.format.width for unit in seen.units} <= {1280}
    elif harm == "changing-sps":
        changes = sum(one.format is not later.format for one, later in pairwise(seen.units))
        assert 0 < changes <= 2 * (seen.lasted_s + 1)
    else:
        assert seen.units
