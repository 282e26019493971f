"""What it takes to make JPEG of a camera's stream, beside ffmpeg: 1080p at 25 pictures a second to 360p.

python -m bench.transcode [--quick] [--json FILE]
"""

from __future__ import annotations

import resource
import statistics
import subprocess
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import imageio_ffmpeg
import trio

from appliance.media import h264
from appliance.media.cheapest import Pictures, cheapest
from appliance.media.gathering import Gathering
from appliance.media.offer import Offer
from appliance.workers.crew import open_crew
from appliance.workers.pool import open_pool
from appliance.workers.wire import PipelineOpen, PipelineRung, PipelineRungs, PipelineUnit, PipelineWorked
from bench.common.cli import Options, say, script
from bench.common.footage import FPS, SECONDS, footage
from bench.common.measure import cpu_s
from bench.common.psnr import mean_psnr, some, split
from bench.common.report import Section, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from appliance.media.cheapest import Plan
    from appliance.workers.crew import Seat
    from bench.common.footage import Footage

SOURCE, SHOWN = (1920, 1080), (640, 360)
TICKS = 90_000


@dataclass(frozen=True)
class Case:
    """``target``: what of ffmpeg's CPU ours may take (design §13).  ``sub_kbits``: the camera has a stream of the size
    that is shown, too; ffmpeg gets the large one, which is all it knows of."""

    what: str
    fps: float
    target: float
    gop: int = 2 * FPS
    sub_kbits: int = 0

    def film(self) -> Footage:
        return footage(_text(SOURCE), gop=self.gop)

    def our_film(self) -> Footage:
        return footage(_text(SHOWN), kbits=self.sub_kbits, gop=self.gop) if self.sub_kbits else self.film()

    def plan(self) -> Plan:
        """As the appliance would serve a viewer of that size and rate."""
        size = SHOWN if self.sub_kbits else SOURCE
        plan = cheapest([Offer(size, "h264", float(FPS), gop_s=self.gop / FPS)], SHOWN, self.fps)
        assert plan is not None
        return plan


CASES = (
    Case("25 a second", 25.0, 0.65),
    Case("10 a second", 10.0, 0.70),
    Case("5 a second", 5.0, 0.75),
    Case("25 a second, with a 360p stream on the camera", 25.0, 0.25, sub_kbits=800),
    Case("1 a second, key frames only", 1.0, 0.18, gop=FPS),
)


def measure(options: Options) -> Section:
    """A pipeline in a worker and ffmpeg over the same pictures, in turn."""
    version = imageio_ffmpeg.get_ffmpeg_version()
    section = Section(
        "transcode",
        "JPEG of a camera's stream",
        f"{SECONDS} s of 1920x1080 at {FPS} a second and 4 Mbit/s to JPEG of 640x360, from memory: CPU of the worker "
        "and of the process that feeds it and takes the pictures, without serving; beside "
        "`ffmpeg -threads 1 -vf fps=N,scale=640:360 -c:v mjpeg -q:v 5 -f mpjpeg` as the wheel of imageio-ffmpeg has it "
        f"({version}), its start included. PSNR is that of luma against the picture decoded in full and scaled by "
        "Lanczos; of the camera's 360p stream, against that stream.",
    )
    table = section.table(
        "pictures", "ours, CPU ms for a second", "ffmpeg, CPU ms for a second", "ours, PSNR dB", "ffmpeg, PSNR dB"
    )
    for case in CASES:
        ours, theirs, quality = [], [], 0.0
        for number in range(options.count(5, 1)):
            say(f"transcode: {case.what}, round {number + 1}")
            taken, pictures = trio.run(_ours, case)
            ours.append(taken / SECONDS * 1000)
            theirs.append(_ffmpeg(case) / SECONDS * 1000)
            quality = quality or mean_psnr(case.our_film(), SHOWN, some(pictures))
        near = round(FPS / case.fps)  # ffmpeg has its own mind which of a second's pictures it takes
        their_quality = mean_psnr(case.film(), SHOWN, some(_ffmpeg_s_pictures(case)), near)
        ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
        section.find(
            f"1080p25 to 360p JPEG, {case.what}: CPU over ffmpeg's",
            ratios,
            "×",
            target=case.target,
            note=f"PSNR {shown(quality)} dB, ffmpeg's {shown(their_quality)} dB",
        )
        table.add(case.what, statistics.median(ours), statistics.median(theirs), quality, their_quality)
    return section


async def _ours(case: Case) -> tuple[float, list[tuple[int, bytes]]]:
    """CPU seconds for the whole footage, and the pictures with the numbers of those they were made of."""
    film, plan = case.our_film(), case.plan()
    video = h264.FAMILY.make(list(film.parameter_sets))
    rungs = PipelineRungs([PipelineRung(plan.rung.width, plan.rung.height, plan.rung.fps, plan.rung.quality)])
    keys_only = plan.pictures is Pictures.KEY
    units = [
        (data, n * TICKS // FPS, is_idr)
        for n, (data, is_idr) in enumerate(film.access_units)
        if is_idr or not keys_only
    ]
    gathering = Gathering(video.width * video.height)
    news = trio.Event()
    made: list[tuple[int, bytes]] = []

    def told() -> None:
        news.set()

    async with open_pool(1) as pool, open_crew(pool) as crew, crew.seat(1.0, told) as seat:
        before = cpu_s(seat.pid) + _own_cpu_s()
        opening = PipelineOpen(video.codec, video.configuration, video.full_range, plan.skip_loop_filter)
        seat.open(opening, rungs)
        waiting = deque(units)
        while waiting or seat.in_flight:
            for worked in seat.answers():
                assert isinstance(worked, PipelineWorked)
                gathering.may_wait = worked.at_once
                made += [(picture.pts * FPS // TICKS, picture.jpegs[0]) for picture in worked.pictures]
            while seat.has_credit and waiting:
                _work(seat, gathering, waiting.popleft(), plan)
            if seat.in_flight:
                await news.wait()
                news = trio.Event()
        taken = cpu_s(seat.pid) + _own_cpu_s() - before
    if abs(len(made) - case.fps * SECONDS) > 2:
        raise RuntimeError(f"{len(made)} pictures where {case.fps * SECONDS:g} were to be made")
    return taken, made


def _work(seat: Seat, gathering: Gathering, unit: tuple[bytes, int, bool], plan: Plan) -> None:
    """As the appliance's transcoder does."""
    data, pts, is_idr = unit
    if plan.pictures is Pictures.KEY:
        seat.work(PipelineUnit(data, pts, alone=True))
        return
    if is_idr:
        gathering.forget()
    before = gathering.take(data, pts, {plan.rung.fps})
    if before is not None:
        seat.work(PipelineUnit(data, pts, starts=is_idr, before=before))


def _own_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def ffmpeg_command(source: Sequence[str], fps: float, form: str = "mpjpeg", *, more: Sequence[str] = ()) -> list[str]:
    """What makes the same pictures with one thread, to its standard output.  ``source``, ``more``: what is said of what
    comes in, and of what goes out."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-threads", "1", *source]
    command += ["-threads", "1", "-vf", f"fps={fps:g},scale={SHOWN[0]}:{SHOWN[1]}", "-c:v", "mjpeg", "-q:v", "5"]
    return [*command, *more, "-f", form, "-"]


def _ffmpeg(case: Case) -> float:
    """CPU seconds for the whole footage."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = ffmpeg_command(["-i", str(case.film().mp4)], case.fps)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, timeout=120)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _ffmpeg_s_pictures(case: Case) -> list[tuple[int, bytes]]:
    command = ffmpeg_command(["-i", str(case.film().mp4)], case.fps, "mjpeg")
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=120)
    return [(min(round(n * FPS / case.fps), SECONDS * FPS - 1), jpeg) for n, jpeg in enumerate(split(done.stdout))]


def _text(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


if __name__ == "__main__":
    script(measure, __doc__)
