"""What it takes to make JPEG of a camera's stream, beside ffmpeg: 1080p at 25 pictures a second to 360p.

python -m bench.transcode [--quick] [--json FILE]
"""

from __future__ import annotations

import resource
import statistics
import subprocess
from typing import TYPE_CHECKING

import trio

from appliance.media import h264
from appliance.workers.crew import open_crew
from appliance.workers.pool import open_pool
from appliance.workers.wire import PipelineOpen, PipelineRung, PipelineRungs, PipelineUnit
from bench.common.cli import Options, say, script
from bench.common.footage import FPS, SECONDS, footage
from bench.common.measure import cpu_s
from bench.common.report import Section

if TYPE_CHECKING:
    from bench.common.footage import Footage

SOURCE, SHOWN = "1920x1080", (640, 360)
QUALITY = 75
#: Pictures a second, and what of ffmpeg's CPU it may take (design §13).
RATES = ((25.0, 0.65), (10.0, 0.70), (5.0, 0.75))
TICKS = 90_000


def measure(options: Options) -> Section:
    """A pipeline in a worker and ffmpeg over the same pictures, in turn."""
    film = footage(SOURCE)
    section = Section(
        "transcode",
        "JPEG of a camera's stream",
        f"{SECONDS} s of 1920x1080 at {FPS} a second and 4 Mbit/s to JPEG of 640x360, from memory: CPU of the worker "
        "and of the process that feeds it and takes the pictures, without serving; beside "
        "`ffmpeg -threads 1 -vf fps=N,scale=640:360 -c:v mjpeg -q:v 5 -f mpjpeg` of this machine, its start included.",
    )
    table = section.table("pictures a second", "ours, CPU ms for a second", "ffmpeg, CPU ms for a second")
    for fps, target in RATES:
        ours, theirs = [], []
        for number in range(options.count(5, 1)):
            say(f"transcode: {fps:g} a second, round {number + 1}")
            ours.append(trio.run(_ours, film, fps) / SECONDS * 1000)
            theirs.append(_ffmpeg(film, fps) / SECONDS * 1000)
        ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
        section.find(f"1080p25 to 360p JPEG, {fps:g} a second: CPU over ffmpeg's", ratios, "×", target=target)
        table.add(f"{fps:g}", statistics.median(ours), statistics.median(theirs))
    return section


async def _ours(film: Footage, fps: float) -> float:
    """CPU seconds for the whole footage."""
    video = h264.FAMILY.make(list(film.parameter_sets))
    rungs = PipelineRungs([PipelineRung(*SHOWN, None if fps >= FPS else fps, QUALITY)])
    units = [PipelineUnit(data, n * TICKS // FPS) for n, (data, _) in enumerate(film.access_units)]
    news, made, answered = trio.Event(), 0, 0

    def told() -> None:
        news.set()

    async with open_pool(1) as pool, open_crew(pool) as crew, crew.seat(1.0, told) as seat:
        before = cpu_s(seat.pid) + _own_cpu_s()
        seat.open(PipelineOpen(video.codec, video.configuration, video.full_range, skip_loop_filter=True), rungs)
        waiting = iter(units)
        while answered < len(units):
            for worked in seat.answers():
                answered += 1
                made += len(worked.pictures)
            while seat.has_credit and (unit := next(waiting, None)) is not None:
                seat.work(unit)
            if answered < len(units):
                await news.wait()
                news = trio.Event()
        taken = cpu_s(seat.pid) + _own_cpu_s() - before
    if abs(made - fps * SECONDS) > 2:
        raise RuntimeError(f"{made} pictures where {fps * SECONDS:g} were to be made")
    return taken


def _own_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _ffmpeg(film: Footage, fps: float) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = ["ffmpeg", "-v", "error", "-nostdin", "-threads", "1", "-i", str(film.mp4), "-threads", "1"]
    command += ["-vf", f"fps={fps:g},scale={SHOWN[0]}:{SHOWN[1]}", "-c:v", "mjpeg", "-q:v", "5", "-f", "mpjpeg", "-"]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, timeout=120)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    script(measure, __doc__)
