"""What a viewer and a camera stream hold in memory."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from bench.common import load
from bench.common.appliance import running_appliance
from bench.common.camera import running_camera
from bench.common.cli import Options, say, script
from bench.common.measure import pss_kb, tree
from bench.common.report import Section

if TYPE_CHECKING:
    from bench.common.appliance import Server

#: Some are there before: what they free at their beginning, those that are counted would get for nothing.
FEW_VIEWERS, VIEWERS = 50, 200
FEW_CAMERAS, CAMERAS = 4, 16
SETTLE_S = 3.0  # more than a group of pictures: what a beginning needs is given back, and every ring was full once
VIEWER_TARGET_KB = 100
CAMERA_TARGET_MB = 8


def measure(options: Options) -> Section:
    """Memory with some viewers and with many; with some cameras and with many."""
    section = Section(
        "memory",
        "Memory",
        "Proportional set size (`/proc/PID/smaps_rollup`) of the appliance's processes: what "
        f"{VIEWERS} more direct viewers of one camera add to {FEW_VIEWERS}, divided by {VIEWERS} (all keep up: their "
        f"queues are empty); what {CAMERAS} more cameras of 4 Mbit/s with two seconds between key frames add to "
        f"{FEW_CAMERAS}, one viewer each, divided by {CAMERAS}. A fresh appliance each time. The sockets' buffers are "
        "the kernel's.",
    )
    table = section.table("what", "transport", "before MB", "after MB")
    rounds = options.count(2, 1)
    for transport in ("plain", "TLS"):
        say(f"memory: viewers, {transport}")
        pairs = [_viewers(tls=transport == "TLS") for _ in range(rounds)]
        each = [(after - before) / VIEWERS for before, after in pairs]
        section.find(f"each viewer, {transport}", each, "KB", target=VIEWER_TARGET_KB)
        table.add(f"{FEW_VIEWERS} → {FEW_VIEWERS + VIEWERS} viewers", transport, *(kb / 1024 for kb in pairs[-1]))
    say("memory: cameras")
    pairs = [_cameras() for _ in range(rounds)]
    each = [(after - before) / 1024 / CAMERAS for before, after in pairs]
    section.find("each camera stream, with its viewer", each, "MB", target=CAMERA_TARGET_MB)
    table.add(f"{FEW_CAMERAS} → {FEW_CAMERAS + CAMERAS} cameras", "plain", *(kb / 1024 for kb in pairs[-1]))
    return section


def _viewers(*, tls: bool) -> tuple[int, int]:
    with (
        running_camera() as camera,
        running_appliance([camera.url()], tls=tls) as server,
        load.watching(server.live(want=load.WANT_DIRECT), FEW_VIEWERS),
    ):
        before = _settled(server)
        with load.watching(server.live(want=load.WANT_DIRECT), VIEWERS):
            return before, _settled(server)


def _cameras() -> tuple[int, int]:
    with running_camera() as camera, contextlib.ExitStack() as stack:
        urls = [camera.url(n + 1) for n in range(FEW_CAMERAS + CAMERAS)]
        server = stack.enter_context(running_appliance(urls))
        for number in range(FEW_CAMERAS):
            stack.enter_context(load.watching(server.live(number), 1))
        before = _settled(server)
        for number in range(FEW_CAMERAS, FEW_CAMERAS + CAMERAS):
            stack.enter_context(load.watching(server.live(number), 1))
        return before, _settled(server)


def _settled(server: Server) -> int:
    time.sleep(SETTLE_S)
    return sum(map(pss_kb, tree(server.pid)))


if __name__ == "__main__":
    script(measure, __doc__)
