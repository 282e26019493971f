"""How near JPEG comes to what it was made of: peak signal-to-noise ratio of luma, in decibels."""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING

import av
import numpy as np
import simplejpeg
from av.video.reformatter import ColorRange, Interpolation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from bench.common.footage import Footage

    Luma = npt.NDArray[np.uint8]

START_OF_IMAGE = b"\xff\xd8\xff"


def mean_psnr(film: Footage, size: tuple[int, int], pictures: Iterable[tuple[int, bytes]], near: int = 0) -> float:
    """Of JPEG pictures and the numbers of those they were made of, give or take ``near``.

    Beside each picture of the footage, decoded in full and scaled by libswscale's Lanczos, which neither of ours nor
    ffmpeg's ways is.
    """
    made = list(pictures)
    last = len(film.pictures) - 1
    wanted = _luma(film.path, size, frozenset(each for number, _ in made for each in _around(number, near, last)))
    found = []
    for number, jpeg in made:
        luma = simplejpeg.decode_jpeg(jpeg, colorspace="GRAY")[:, :, 0]
        found.append(max(_psnr(luma, wanted[each]) for each in _around(number, near, last)))
    return sum(found) / len(found)


def _around(number: int, near: int, last: int) -> range:
    return range(max(0, number - near), min(number + near, last) + 1)


def split(stream: bytes) -> list[bytes]:
    """JPEG pictures one after the other: inside of one no marker begins like its start (ITU-T T.81 B.1.1.5)."""
    return [START_OF_IMAGE + rest for rest in stream.split(START_OF_IMAGE)[1:]]


def some(pictures: Sequence[tuple[int, bytes]], most: int = 24) -> Iterator[tuple[int, bytes]]:
    """Enough for a mean, from all over the footage."""
    return islice(pictures, 0, None, max(1, len(pictures) // most))


def _psnr(one: Luma, other: Luma) -> float:
    error = float(np.mean((one.astype(np.int16) - other) ** 2))
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def _luma(path: Path, size: tuple[int, int], numbers: frozenset[int]) -> dict[int, Luma]:
    """Of the pictures of these numbers."""
    width, height = size
    found = {}
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number not in numbers:
                continue
            shown = frame.reformat(
                width=width,
                height=height,
                format="yuv420p",
                src_color_range=ColorRange.MPEG,
                dst_color_range=ColorRange.JPEG,
                interpolation=Interpolation.LANCZOS | Interpolation.ACCURATE_RND,
            )
            plane = shown.planes[0]
            rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
            found[number] = rows[:, :width].copy()
    return found
