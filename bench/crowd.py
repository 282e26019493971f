"""A crowd for a minute: 300 viewers of one camera, plain and TLS, none of whom may miss anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.common import load
from bench.common.camera import running_camera
from bench.common.cli import Options, say, script
from bench.common.late import percentile, watched_appliance
from bench.common.load import STATS
from bench.common.measure import rss_kb
from bench.common.report import Section

if TYPE_CHECKING:
    from bench.common.late import Watched
    from bench.common.report import Table

VIEWERS = 300
WARM_S = 10.0
LATE_TARGET_MS = 20
DELAY_TARGET_MS = 1000  # the live edge on a good network
GROWTH_TARGET_MB = 1.0


def measure(options: Options) -> Section:
    """What a minute with everybody there gave them, and what it left in memory."""
    seconds = options.pick(60, 10)
    section = Section(
        "crowd",
        "A crowd for a minute",
        f"{VIEWERS} viewers of one camera of 4 Mbit/s for {seconds:.0f} s, who report once a second as browsers do. "
        "*Missed*: messages that were dropped, and viewers who were closed. *Delay*: from the time a picture bears "
        "to its arrival, by the same clock. *Late*: how late a timer of one millisecond is in the appliance. *Grew*: "
        f"resident memory of the main process, from {WARM_S:.0f} s after the last had come until the end.",
    )
    table = section.table(
        "transport", "Mbit/s in all", "cores", "delay, median ms", "longest gap s", "late, longest ms"
    )
    for transport in ("plain", "TLS"):
        say(f"crowd: {transport}")
        with running_camera() as camera, watched_appliance([camera.url()], tls=transport == "TLS") as watched:
            _minute(watched, transport, seconds, section, table)
    return section


def _minute(watched: Watched, transport: str, seconds: float, section: Section, table: Table) -> None:
    pid = watched.server.pid
    memory: list[int] = []
    runs: list[load.Load] = []

    def note() -> None:
        memory.append(rss_kb(pid))

    def serve() -> None:
        runs.append(
            load.run(watched.server.live(), VIEWERS, seconds, pids=(pid,), warm=WARM_S, during=note, tell=STATS)
        )
        note()

    late = watched.lateness(serve)
    (run,) = runs
    found = run.found
    section.find(f"missed, {transport}", found["lost"] + found["viewers"] - found["open"], "", target=0)
    section.find(f"delay, {transport}, p99", found["latency_ms"]["p99"], "ms", target=DELAY_TARGET_MS)
    section.find(f"late, {transport}, p99", percentile(late, 99), "ms", target=LATE_TARGET_MS)
    section.find(f"grew, {transport}", (memory[1] - memory[0]) / 1000, "MB", target=GROWTH_TARGET_MB)
    rate = found["bytes"] * 8 / 1e6 / run.seconds
    table.add(transport, rate, run.cores, found["latency_ms"]["p50"], found["longest_gap_s"], max(late))


if __name__ == "__main__":
    script(measure, __doc__)
