"""What recording costs, and how soon something is found in a year of it."""

from __future__ import annotations

import contextlib
import gc
import random
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.web.recordings import MOST
from bench.common import year as years
from bench.common.camera import running_camera
from bench.common.cli import Options, say, script
from bench.common.late import percentile, watched_appliance
from bench.common.measure import tree_cpu_s
from bench.common.report import Section
from bench.common.year import BEGAN, DAY, camera_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.recorder.index import Index
    from bench.common.appliance import Server

STREAMS = 64
TARGET_MS = 20
FOUND_MS = 50
CAMERAS, DAYS = 16, 365
PATIENCE_S = 60.0


def measure(options: Options) -> Section:
    """CPU and lateness with many streams recorded; queries of a day in a year of many cameras."""
    section = Section(
        "recording",
        "Recording",
        f"{STREAMS} camera streams of 4 Mbit/s are recorded; nobody watches. CPU is that of the appliance, taking the "
        "streams in included. How late a timer of one millisecond is inside it, meanwhile. Then an index as "
        f"{CAMERAS} cameras leave it after {DAYS} days of a file a minute, one of them with {years.EVENTS_A_DAY} "
        "sequences a day: how long it takes to open, and what a question about a day chosen at random takes at most, "
        "of twenty; the files of the index are in the kernel's cache.",
    )
    _streams(section, options.pick(20, 6))
    _year(section, cameras=options.count(CAMERAS, 4), days=options.count(DAYS, 30))
    return section


def _streams(section: Section, seconds: float) -> None:
    with contextlib.ExitStack() as stack:
        camera = stack.enter_context(running_camera())
        watched = stack.enter_context(watched_appliance([camera.url(number + 1) for number in range(STREAMS)]))
        server = watched.server
        say(f"recording: {STREAMS} streams")
        for camera_id_ in server.cameras:
            server.api.call("PATCH", "admin", "cameras", camera_id_, body={"recording": {"mode": "continuous"}})
        _until_all_are_well(server)
        time.sleep(3.0)
        used = -tree_cpu_s(server.pid)
        began = time.monotonic()
        late = watched.lateness(lambda: time.sleep(seconds))
        used += tree_cpu_s(server.pid)
        spent = time.monotonic() - began
    section.find("CPU of each recorded stream", 1000 * used / spent / STREAMS, "ms/s")
    section.find(f"{STREAMS} streams recorded, a timer's lateness, p99", percentile(late, 99), "ms", target=TARGET_MS)
    section.find(f"{STREAMS} streams recorded, a timer's lateness, longest", max(late), "ms")


def _until_all_are_well(server: Server) -> None:
    end = time.monotonic() + PATIENCE_S
    while (counts := server.api.get("status")["cameras"])["ok"] != STREAMS:
        if time.monotonic() > end:
            raise RuntimeError(f"after {PATIENCE_S:.0f} s the cameras are: {counts}")
        time.sleep(0.2)


def _year(section: Section, *, cameras: int, days: int) -> None:
    with tempfile.TemporaryDirectory(prefix="fanal-year-") as folder:
        say(f"recording: {days} days of {cameras} cameras are made up")
        files = years.make_year(Path(folder), cameras=cameras, days=days)
        begun = time.perf_counter()
        index = years.open_index(Path(folder))
        index.streams()
        gc.freeze()  # as `fanal run` does once it has started
        section.find(f"opening an index of {files / 1e6:.1f} million files", 1000 * (time.perf_counter() - begun), "ms")
        for what, question in questions(index, cameras, days):
            section.find(what, max(question() for _ in range(20)), "ms", target=FOUND_MS)
        index.database.close()


def questions(index: Index, cameras: int, days: int) -> list[tuple[str, Callable[[], float]]]:
    """Questions about a day, each of which says how many ms it took."""
    chance = random.Random(7)

    def ask(question: Callable[[str, int, int], object]) -> float:
        camera, day = camera_id(chance.randrange(cameras)), BEGAN + chance.randrange(days) * DAY
        begun = time.perf_counter()
        assert question(camera, day, day + DAY)
        return 1000 * (time.perf_counter() - begun)

    year = BEGAN, BEGAN + days * DAY
    asked: list[tuple[str, Callable[[str, int, int], object]]] = [
        ("the files of a day", lambda camera, start, end: index.files(camera, "main", start, end)),
        ("when was recorded on a day", lambda camera, start, end: index.sequences(camera, "main", start, end)[0]),
        ("the file of a moment", lambda camera, start, _: index.files(camera, "main", start, start + 1)),
        ("where the next sequence begins", lambda camera, start, _: index.neighbours(camera, "main", start + 1)),
        ("from when to when a camera was recorded", lambda camera, *_: index.bounds(camera)),
        (
            "a year's calendar of a camera by events",
            lambda *_: index.sequences(camera_id(0), "main", *year, most=MOST)[0],
        ),
    ]
    return [(what, partial(ask, question)) for what, question in asked]


if __name__ == "__main__":
    script(measure, __doc__)
