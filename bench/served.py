"""Transcoding as it is served: ten viewers of one stream beside ten ffmpeg, and what direct streams take beside it.

python -m bench.served [--quick] [--json FILE]
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from bench.common import load
from bench.common.appliance import running_appliance
from bench.common.camera import running_camera
from bench.common.cli import Options, say, script
from bench.common.footage import FPS, SECONDS, footage
from bench.common.load import WANT, WANT_JPEG
from bench.common.measure import tree_cpu_s
from bench.common.report import Section
from bench.transcode import ffmpeg_command

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.common.appliance import Server
    from bench.common.footage import Footage

TEN, AT_ONCE = 10, 5
TEN_TARGET = 0.08
DIRECT_TARGET = 100
#: A viewer who plays nothing of what the camera sends, with a tile as large as its picture.
WANT_LARGE_JPEG = WANT_JPEG.replace("640", "1920").replace("360", "1080")
#: Direct viewers of one camera: few and many, to know what a further one takes; cameras that are transcoded: likewise.
FEW, MANY = 20, 120
CAMERAS = (1, 2)
SETTLE_S = 3.0
#: ffmpeg looks at a camera for so long before it begins.
PROBING_S = 8.0
#: Of the pictures that are due, so many have to come, or the machine could not keep up.
LEAST = 0.9


def measure(options: Options) -> Section:
    film = footage("1920x1080")
    section = Section(
        "served",
        "Transcoding, served",
        "Cameras of 1920x1080, 25 a second, 4 Mbit/s, over RTSP into the appliance, plain WebSockets out; CPU of all "
        "its processes. *Ten viewers*: of one camera at 640x360, beside ten `ffmpeg -threads 1` at once, each with the "
        "same film from memory, as fast as it can; and beside ten that read the camera as it sends, as ours does "
        f"({AT_ONCE} at once, twice). *Direct over transcoded*: what each further direct viewer of a camera takes "
        f"(between {FEW} and {MANY}, who report once a second as browsers do) beside what each further transcoded "
        f"camera with its viewer takes (between {CAMERAS[0]} and {CAMERAS[1]}): how many of one fit in a core for one "
        "of the other. At the camera's own size a viewer gets the same picture either way.",
    )
    rounds, seconds = options.count(3, 1), options.pick(5.0, 3.0)
    table = section.table("what", "CPU ms for a second of one")
    with ExitStack() as stack:
        camera = stack.enter_context(running_camera(film=film))
        urls = [camera.url(number + 1) for number in range(CAMERAS[1])]
        server = stack.enter_context(running_appliance(urls))
        ours, theirs, live, direct, large, small = [], [], [], [], [], []
        for number in range(rounds):
            say(f"served: round {number + 1} of {rounds}")
            ours.append(_viewers(server, TEN, WANT_JPEG, seconds))
            theirs.append(_ten_ffmpeg(film))
            live.append(sum(_ffmpeg_of_the_camera(urls[0], AT_ONCE) for _ in range(TEN // AT_ONCE)))
            few, many = (_viewers(server, count, WANT, seconds, tell=load.STATS) for count in (FEW, MANY))
            direct.append((many - few) / (MANY - FEW))
            large.append(_each_camera(server, WANT_LARGE_JPEG, seconds))
            small.append(_each_camera(server, WANT_JPEG, seconds))
    for what, peers in (("ten ffmpeg's", theirs), ("ten ffmpeg's that read the camera, too", live)):
        ratios = [one / ten for one, ten in zip(ours, peers, strict=True)]
        section.find(f"ten viewers of one transcoded stream: CPU over {what}", ratios, "×", target=TEN_TARGET)
    for what, found, target in (("1920x1080", large, DIRECT_TARGET), ("640x360", small, None)):
        section.find(
            f"direct streams per core over streams transcoded to {what} per core",
            [one / other for one, other in zip(found, direct, strict=True)],
            "×",
            target=target,
            at_least=True,
        )
    for what, values in (
        ("ten viewers of one camera at 640x360", ours),
        ("ten ffmpeg", theirs),
        ("ten ffmpeg that read the camera", live),
        ("a further direct viewer", direct),
        ("a further camera, transcoded to 1920x1080", large),
        ("a further camera, transcoded to 640x360", small),
    ):
        table.add(what, statistics.median(values) * 1000)
    return section


def _viewers(server: Server, count: int, want: str, seconds: float, tell: str | None = None) -> float:
    """Cores for so many viewers of the first camera."""
    found = load.run(server.live(0, want), count, seconds, pids=(server.pid,), warm=SETTLE_S, tell=tell)
    due = count * FPS * found.seconds
    if found.found["open"] != count or found.messages < LEAST * due:
        raise RuntimeError(f"{found.messages} of {due:.0f} pictures came: {found.found}")
    return found.cores


def _each_camera(server: Server, want: str, seconds: float) -> float:
    """Cores for each further camera that is transcoded for one viewer."""
    few, many = (_cameras(server, count, want, seconds) for count in CAMERAS)
    return (many - few) / (CAMERAS[1] - CAMERAS[0])


def _cameras(server: Server, count: int, want: str, seconds: float) -> float:
    with ExitStack() as stack:
        for number in range(count):
            stack.enter_context(load.watching(server.live(number, want), 1))
        _until(lambda: [each["encoded"] > FPS for each in _transcoders(server)] == [True] * count)
        before, encoded, began = tree_cpu_s(server.pid), _encoded(server), time.monotonic()
        time.sleep(seconds)
        taken, lasted = tree_cpu_s(server.pid) - before, time.monotonic() - began
        made, due = _encoded(server) - encoded, count * FPS * lasted
    _until(lambda: not _transcoders(server))
    if made < LEAST * due:
        raise RuntimeError(f"{made} of {due:.0f} pictures were made: this machine cannot keep up")
    return taken / lasted


def _transcoders(server: Server) -> list[dict[str, int]]:
    found: list[dict[str, int]] = server.api.get("status")["transcoders"]
    return found


def _encoded(server: Server) -> int:
    return sum(each["encoded"] for each in _transcoders(server))


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError("the transcoders did not begin, or end, within half a minute")
        time.sleep(0.2)


def _ten_ffmpeg(film: Footage) -> float:
    """Cores for ten of them."""
    return _cpu_of([ffmpeg_command(["-i", str(film.mp4)], FPS)] * TEN) / SECONDS


def _ffmpeg_of_the_camera(url: str, count: int) -> float:
    """Cores for so many that read what a camera sends, when it sends it."""
    command = ffmpeg_command(["-rtsp_transport", "tcp", "-i", url], FPS, more=["-frames:v", str(SECONDS * FPS)])
    began = time.monotonic()
    taken = _cpu_of([command] * count)
    if time.monotonic() - began > SECONDS / LEAST + PROBING_S:
        raise RuntimeError(f"{count} ffmpeg cannot keep up with a camera on this machine")
    return taken / SECONDS


def _cpu_of(commands: list[list[str]]) -> float:
    """CPU seconds of programs that run at once."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    children = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
    try:
        for child in children:
            if child.wait(timeout=180):
                raise RuntimeError("ffmpeg failed")
    finally:
        for child in children:
            child.kill()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    script(measure, __doc__)
