"""What it costs to pull a camera: CPU per stream from the socket to access units, beside PyAV's demuxer.

Both read the same cameras in the same rounds, in a process that does nothing else; opening is not counted.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

from bench.common.camera import running_camera
from bench.common.cli import Options, say, script
from bench.common.paths import ROOT
from bench.common.report import Section

if TYPE_CHECKING:
    from collections.abc import Sequence

STREAMS = 8
SETTLE_S = 2.5  # longer than a group of pictures: everything begins with an IDR picture
#: How a camera sends a picture: all at once, or packet by packet over so many milliseconds.
PACES = {"whole pictures": 0.0, "packet by packet": 20.0}


def measure(options: Options) -> Section:
    """Rounds of ours and PyAV's in turn, for each pace."""
    section = Section(
        "ingest",
        "RTSP ingest",
        f"{STREAMS} streams of 4 Mbit/s over TCP in one process each: our driver (`open_rtsp`, sockets to access "
        "units) and `av.open(…).demux()`, one thread a stream. CPU of the process in the window; medians of rounds "
        "taken in turn. *Packet by packet*: the camera writes each RTP packet by itself over 20 ms, so that each is "
        "read by itself.",
    )
    rounds, seconds = options.count(3, 1), options.pick(4.0, 2.5)
    table = section.table("camera sends", "ours µs/unit", "PyAV µs/unit", "ours % of a core", "PyAV % of a core")
    for pace, spread_ms in PACES.items():
        say(f"ingest: {pace}")
        found: dict[str, list[tuple[float, int]]] = {"ours": [], "pyav": []}
        with running_camera(spread_ms=spread_ms) as camera:
            urls = [camera.url(n + 1) for n in range(STREAMS)]
            for _ in range(rounds):
                for who, results in found.items():
                    results.append(_child(who, urls, seconds))
        costs = {who: [cpu / units * 1e6 for cpu, units in results] for who, results in found.items()}
        shares = {who: [cpu / seconds / STREAMS * 100 for cpu, _ in results] for who, results in found.items()}
        ratios = [ours / theirs for ours, theirs in zip(costs["ours"], costs["pyav"], strict=True)]
        section.find(f"CPU of ours over PyAV's, {pace}", ratios, "×", target=0.40)
        middle = {key: sorted(values)[len(values) // 2] for key, values in costs.items()}
        cores = {key: sorted(values)[len(values) // 2] for key, values in shares.items()}
        table.add(pace, middle["ours"], middle["pyav"], cores["ours"], cores["pyav"])
    section.notes.append("The audio track is left out; PyAV has `fpsprobesize=0`, its cheapest way to open.")
    return section


def _child(who: str, urls: Sequence[str], seconds: float) -> tuple[float, int]:
    """CPU seconds and access units of a window."""
    command = [sys.executable, "-m", "bench.ingest", "--child", who, "--seconds", str(seconds), *urls]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        raise RuntimeError(f"{who}: {done.stderr[-800:]}")
    found = json.loads(done.stdout)
    expected = seconds * 25 * len(urls)
    if not 0.9 * expected < found["units"] < 1.1 * expected:
        raise RuntimeError(f"{who} took {found['units']} units; the cameras sent about {expected:.0f}")
    return found["cpu_s"], found["units"]


def _ours(urls: Sequence[str], seconds: float) -> tuple[float, int]:
    import trio  # noqa: PLC0415  # each child loads what it measures

    from appliance.base.clock import SystemClock  # noqa: PLC0415
    from appliance.sites.rtsp.source import open_rtsp  # noqa: PLC0415
    from appliance.sites.rtsp.target import RtspTarget  # noqa: PLC0415

    count = 0

    async def pull(url: str) -> None:
        nonlocal count
        async with open_rtsp(RtspTarget.from_url(url), SystemClock(), audio=False) as source:
            while True:
                units = await source.receive()  # apart: += reads the count before it waits
                count += len(units)

    async def main() -> tuple[float, int]:
        async with trio.open_nursery() as nursery:
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
