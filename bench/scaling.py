"""What the scaler takes for a picture, beside libswscale, its own portable rows and its twin."""

from __future__ import annotations

import functools
import statistics
import time
from itertools import islice
from typing import TYPE_CHECKING

import av
import numpy as np
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

from appliance._native import scale
from bench.common.cli import say
from tests.reference import scale as plain_scale

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from bench.common.cli import Options
    from bench.common.footage import Footage
    from bench.common.report import Section

#: From, to, and how much of libswscale's area mean's time it may take.
SIZES = [
    ((1920, 1080), (640, 360), 0.85),
    ((1920, 1080), (854, 480), 1.0),
    ((1280, 720), (640, 360), 0.60),
]
#: Pictures in turn, more than the caches near a core hold.
PICTURES = 4


def measure_scaling(section: Section, options: Options, film: Footage) -> None:
    """Add to the section on kernels.  Raises RuntimeError where kernel and twin disagree."""
    table = section.table(
        "scaling, limited to full range",
        "native ms",
        "portable ms",
        "libswscale AREA ms",
        "FAST_BILINEAR ms",
        "NumPy ms",
    )
    with av.open(str(film.path)) as container:
        pictures = list(islice(container.decode(video=0), PICTURES))
    for source, shown, target in SIZES:
        title = f"{source[1]}p to {shown[0]}x{shown[1]}"
        say(f"kernels: {title}")
        frames = [frame.reformat(*source, "yuv420p", interpolation=Interpolation.BICUBIC) for frame in pictures]
        ours, portable = _Ours(source, shown), _Ours(source, shown, portable=True)
        expected = plain_scale.scale(_arrays(frames[0]), shown)
        for each in (ours, portable):
            each(frames[0])
            if not all(map(np.array_equal, each.planes, expected)):
                raise RuntimeError(f"{title}: the scaler and its twin disagree")
        candidates: dict[str, Callable[[av.VideoFrame], Any]] = {
            "native": ours,
            "portable": portable,
            "libswscale's AREA": _Libswscale(shown, Interpolation.AREA),
            "libswscale's FAST_BILINEAR": _Libswscale(shown, Interpolation.FAST_BILINEAR),
            "its twin": functools.partial(_twin, shown),
        }
        times: dict[str, list[float]] = {name: [] for name in candidates}
        for _ in range(options.count(7, 3)):
            for name, run in candidates.items():
                shown_to = frames[:1] if name == "its twin" else frames  # a second for each
                times[name].append(_ms(run, shown_to, options.pick(0.2, 0.02)))
        for name, least in (("libswscale's AREA", target), ("libswscale's FAST_BILINEAR", 1.0), ("its twin", 1.0)):
            ratios = [mine / theirs for mine, theirs in zip(times["native"], times[name], strict=True)]
            section.find(f"{title}: CPU over {name}", ratios, "×", target=least)
        table.add(title, *(statistics.median(each) for each in times.values()))


class _Ours:
    def __init__(self, source: tuple[int, int], shown: tuple[int, int], *, portable: bool = False) -> None:
        self.scaler = scale.Scaler(*source, *shown, portable=portable)
        self.planes = [np.empty((rows, wide), np.uint8) for wide, rows in self.scaler.sizes]
        self.target = [(plane.data, plane.shape[1]) for plane in self.planes]

    def __call__(self, frame: av.VideoFrame) -> None:
        self.scaler.scale([(plane, plane.line_size) for plane in frame.planes], self.target)


class _Libswscale:
    """The same size and range, in one thread; the context is kept."""

    def __init__(self, shown: tuple[int, int], how: Interpolation) -> None:
        self.shown, self.how, self.context = shown, how, VideoReformatter()

    def __call__(self, frame: av.VideoFrame) -> av.VideoFrame:
        return self.context.reformat(
            frame,
            *self.shown,
            "yuv420p",
            src_color_range=ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
            interpolation=self.how,
            threads=1,
        )


def _twin(shown: tuple[int, int], frame: av.VideoFrame) -> None:
    plain_scale.scale(_arrays(frame), shown)


def _arrays(frame: av.VideoFrame) -> list[np.ndarray]:
    rows = [np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size) for plane in frame.planes]
    return [each[:, : plane.width] for each, plane in zip(rows, frame.planes, strict=True)]


def _ms(run: Callable[[av.VideoFrame], Any], frames: list[av.VideoFrame], at_least_s: float) -> float:
    """Milliseconds of CPU for a picture, of this thread: OpenBLAS may start more for the twin, which flatters it."""
    began, count = time.thread_time(), 0
    while (taken := time.thread_time() - began) < at_least_s or not count:
        for frame in frames:
            run(frame)
        count += 1
    return taken / count / len(frames) * 1e3
