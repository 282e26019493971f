"""What it costs to pull a camera: CPU per stream from the socket to access units, beside PyAV's demuxer.

Both read the same cameras in the same rounds, in a process that does nothing else; opening is not counted.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

from appliance.sites import polling
from bench.common.camera import running_camera
from bench.common.cli import Options, say, script
from bench.common.footage import FPS
from bench.common.paths import ROOT
from bench.common.report import Section

if TYPE_CHECKING:
    from collections.abc import Sequence

SETTLE_S = 2.5  # longer than a group of pictures: everything begins with an IDR picture
TARGET = 0.40
LEAST_READ = 0.5  # of what was sent: on a busy machine readers fall behind and catch up, but less is a cut-off reader
FEW, MANY = 8, 32
PACKET_BY_PACKET_MS = 20.0
#: What is read: how many streams, and over how many milliseconds a camera spreads a picture's packets.
CASES = {
    f"{FEW} streams": (FEW, 0.0),
    f"{FEW} streams, packet by packet": (FEW, PACKET_BY_PACKET_MS),
    f"{MANY} streams": (MANY, 0.0),
}


def measure(options: Options) -> Section:
    """Rounds of ours and PyAV's in turn, for each case."""
    section = Section(
        "ingest",
        "RTSP ingest",
        "Streams of 4 Mbit/s over TCP, read by one process each: our driver (`open_rtsp`, sockets to access units) and "
        "`av.open(…).demux()`, one thread a stream. CPU of the process in the window; medians of rounds taken in turn. "
        f"*Packet by packet*: the camera writes each RTP packet by itself over {PACKET_BY_PACKET_MS:.0f} ms; else a "
        "picture at once.",
    )
    rounds, seconds = options.count(7, 1), options.pick(2.5, 2.0)
    table = section.table(
        "read", "ours µs/unit", "PyAV µs/unit", "ours % of a core a stream", "PyAV % of a core a stream"
    )
    for case, (streams, spread_ms) in CASES.items():
        say(f"ingest: {case}")
        costs: dict[str, list[float]] = {"ours": [], "pyav": []}
        with running_camera(spread_ms=spread_ms) as camera:
            urls = [camera.url(n + 1) for n in range(streams)]
            for _ in range(rounds):
                pair = {who: _child(who, urls, seconds) for who in costs}
                if behind := {who: read for who, (_, read) in pair.items() if read < LEAST_READ}:
                    section.notes.append(f"A round of {case} is left out: {_shares(behind)} of what was sent was read.")
                    continue
                for who, (cost, _) in pair.items():
                    costs[who].append(cost)
        if not costs["ours"]:
            continue  # the notes say it
        ratios = [ours / theirs for ours, theirs in zip(costs["ours"], costs["pyav"], strict=True)]
        section.find(f"CPU over PyAV's, {case}", ratios, "×", target=TARGET)
        middle = [statistics.median(found) for found in costs.values()]
        table.add(case, *middle, *(cost * FPS / 1e6 * 100 for cost in middle))
    polls = round(1 / polling.PERIOD_S)
    section.notes.append("The audio track is left out; PyAV has `fpsprobesize=0`, its cheapest way to open.")
    section.notes.append(
        f"From {polling.MANY} cameras on ours are polled together, {polls} times a second; a picture comes later by "
        f"{polling.PERIOD_S * 1000:.0f} ms at most. A Trio program that only wakes up {polls} times a second takes "
        f"{_wake_us(polls, seconds):.0f} µs of CPU each time on this machine: caches are cold and the core is asleep "
        "when it comes. The streams share that."
    )
    return section


def _wake_us(a_second: int, seconds: float) -> float:
    """CPU microseconds that Trio takes to sleep and wake."""
    import trio  # noqa: PLC0415  # as in the children

    async def main() -> float:
        count, end = 0, trio.current_time() + seconds
        cpu = time.process_time()
        while trio.current_time() < end:
            await trio.sleep(1 / a_second)
            count += 1
        return (time.process_time() - cpu) / count * 1e6

    return trio.run(main)


def _shares(behind: dict[str, float]) -> str:
    return ", ".join(f"{who} {read:.0%}" for who, read in behind.items())


def _child(who: str, urls: Sequence[str], seconds: float) -> tuple[float, float]:
    """CPU microseconds for an access unit, and how much of what was sent was read."""
    command = [sys.executable, "-m", "bench.ingest", "--child", who, "--seconds", str(seconds), *urls]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        raise RuntimeError(f"{who}: {done.stderr[-800:]}")
    found = json.loads(done.stdout)
    if not found["units"]:
        raise RuntimeError(f"{who} read nothing")
    return found["cpu_s"] / found["units"] * 1e6, found["units"] / (seconds * FPS * len(urls))


def _ours(urls: Sequence[str], seconds: float) -> tuple[float, int]:
    import trio  # noqa: PLC0415  # each child loads what it measures

    from appliance.base.clock import SystemClock  # noqa: PLC0415
    from appliance.sites.rtsp.source import open_rtsp  # noqa: PLC0415
    from appliance.sites.rtsp.target import RtspTarget  # noqa: PLC0415

    poller, count = polling.Poller(), 0

    async def pull(url: str) -> None:
        nonlocal count
        async with open_rtsp(RtspTarget.from_url(url), SystemClock(), audio=False, poller=poller) as source:
            while True:
                units = await source.receive()  # apart: += reads the count before it waits
                count += len(units)

    async def main() -> tuple[float, int]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(poller.run)
            for url in urls:
                nursery.start_soon(pull, url)
            await trio.sleep(SETTLE_S)
            cpu, before = time.process_time(), count
            await trio.sleep(seconds)
            found = time.process_time() - cpu, count - before
            nursery.cancel_scope.cancel()
        return found

    return trio.run(main)


def _pyav(urls: Sequence[str], seconds: float) -> tuple[float, int]:
    import av  # noqa: PLC0415

    counts = [0] * len(urls)
    ending = threading.Event()

    def pull(n: int, url: str) -> None:
        options = {"rtsp_transport": "tcp", "fpsprobesize": "0"}
        with av.open(url, options=options, timeout=(5, 5)) as container:
            for packet in container.demux():
                counts[n] += packet.size > 0
                if ending.is_set():
                    return

    threads = [threading.Thread(target=pull, args=each) for each in enumerate(urls)]
    for thread in threads:
        thread.start()
    time.sleep(SETTLE_S)
    cpu, before = time.process_time(), sum(counts)
    time.sleep(seconds)
    found = time.process_time() - cpu, sum(counts) - before
    ending.set()
    for thread in threads:
        thread.join(10)
    return found


def main() -> None:
    if "--child" not in sys.argv:
        script(measure, __doc__)
        return
    parser = argparse.ArgumentParser()
    parser.add_argument("--child", choices=["ours", "pyav"])
    parser.add_argument("--seconds", type=float)
    parser.add_argument("urls", nargs="+")
    options = parser.parse_args()
    pull = {"ours": _ours, "pyav": _pyav}[options.child]
    cpu, units = pull(options.urls, options.seconds)
    print(json.dumps({"cpu_s": cpu, "units": units}))


if __name__ == "__main__":
    main()
