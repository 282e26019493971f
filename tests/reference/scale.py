"""Pictures made smaller, masked, turned and written on: NumPy, a whole plane at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Plane = NDArray[np.uint8]
    Size = tuple[int, int]
    Points = Sequence[tuple[float, float]]

MOST_IN_BOX = 256
#: Parts of a source sample that points of a mask are taken to.
ONE = 1 << 16
#: Luma samples across and down for a chroma sample.
SUBSAMPLING = {"gray": (2, 2), "420": (2, 2), "422": (2, 1), "444": (1, 1), "nv12": (2, 2)}


def scale(
    planes: Sequence[Plane],
    shown: Size,
    *,
    layout: str = "420",
    expand: bool = True,
    turn: int = 0,
    polygons: Iterable[Points] = (),
    fill: Sequence[int] = (0, 128, 128),
) -> list[Plane]:
    """4:2:0 planes; the size is of what comes out."""
    across, down = SUBSAMPLING[layout]
    luma = planes[0]
    height, width = luma.shape
    out = shown[::-1] if turn in (90, 270) else shown
    small = halved(out)
    made = [plane(luma, out, is_chroma=False, expand=expand)]
    if layout == "gray":
        made += [np.full(small[::-1], 128, np.uint8) for _ in range(2)]
    else:
        chroma = [planes[1][:, 0::2], planes[1][:, 1::2]] if layout == "nv12" else planes[1:]
        made += [plane(each, small, is_chroma=True, expand=expand) for each in chroma]

    polygons = [[(int(x * width * ONE + 0.5), int(y * height * ONE + 0.5)) for x, y in points] for points in polygons]
    touched = np.zeros((height, width), bool)
    for points in polygons:
        touched |= touched_by(points, width, height)
    covered = spread(touched, out)
    coloured = spread(shrunk(touched, across, down), small) | shrunk(covered, 2, 2)
    for each, where, value in zip(made, (covered, coloured, coloured), fill, strict=True):
        each[where] = value
    return [np.ascontiguousarray(np.rot90(each, -turn // 90)) for each in made]


def halved(size: Size) -> Size:
    return (size[0] + 1) // 2, (size[1] + 1) // 2


# ---- one plane


def plane(samples: Plane, out: Size, *, is_chroma: bool, expand: bool) -> Plane:
    """Smaller, and if asked from 16..235 (chroma 16..240) to 0..255."""
    height, width = samples.shape
    if (width, height) == out and not expand:
        return samples.copy()
    swing, ours = (224 if is_chroma else 219), 255
    if not expand:
        swing = ours = 1
    # what the range step takes off, in 2^-21 levels
    above = rounded((128 * 31 if is_chroma else 16 * 255) << 21, swing) if expand else 0
    samples = samples.astype(np.int64)
    across, down = width // out[0], height // out[1]
    if width % out[0] == height % out[1] == 0 and across * down <= MOST_IN_BOX:
        sums = samples.reshape(out[1], down, out[0], across).sum(axis=(1, 3))
        shift = (256 // (across * down)).bit_length() - 1
        multiplier = -(-(ours << 22) // (swing * (across * down << shift)))
        values = (((sums << shift) * multiplier >> 16) + 32 - rounded(above, 1 << 15)) >> 6
    else:
        columns = (product(weights(height, out[1], 256), samples) + 1) >> 1
        weighed = product(columns, weights(width, out[0], rounded(ours << 14, swing)).T)
        values = (weighed + (1 << 20) - above) >> 21
    return values.clip(0, 255).astype(np.uint8)


def rounded(of: int, by: int) -> int:
    return (2 * of + by) // (2 * by)


def weights(size: int, out: int, whole: int) -> NDArray[np.int64]:
    """A row for each output sample: of its ``whole`` parts, how many lie in each source sample."""
    ends = np.arange(1, size + 1) * out
    begins = np.arange(out)[:, None] * size
    covered = (ends - begins).clip(0, size)  # up to the end of a source sample, in parts of out * size
    until = (2 * covered * whole + size) // (2 * size)
    return np.diff(until, axis=1, prepend=0)


def product(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    """By way of floating point, which is faster and exact: no sum comes near 2^53."""
    return (a.astype(float) @ b.astype(float)).astype(np.int64)


# ---- masks


def touched_by(points: list[tuple[int, int]], width: int, height: int) -> NDArray[np.bool_]:
    """The samples that a polygon (in units of 1/ONE sample) has anything in common with, other than a border."""
    found = np.zeros((height, width), bool)
    for row in range(height):
        top, middle, bottom = row * ONE, row * ONE + ONE // 2, (row + 1) * ONE
        crossings = []
        for edge in zip(points, points[1:] + points[:1], strict=True):
            (ax, ay), (bx, by) = sorted(edge, key=lambda point: point[1])
            if by <= top or ay >= bottom:
                continue
            if ay == by:
                ends = [(ax, 1), (bx, 1)]
            else:
                ends = [((bx - ax) * (y - ay) + ax * (by - ay), by - ay) for y in (max(ay, top), min(by, bottom))]
                if ay <= middle < by:
                    crossings.append(((bx - ax) * (middle - ay) + ax * (by - ay)) // (by - ay))
            start, end = min(of // by for of, by in ends), max(-(-of // by) for of, by in ends)
            found[row, start // ONE : -(-end // ONE)] = True
        crossings.sort()
        for start, end in zip(crossings[::2], crossings[1::2], strict=True):
            found[row, start // ONE : -(-end // ONE)] = True
    return found


def spread(touched: NDArray[np.bool_], out: Size) -> NDArray[np.bool_]:
    """The output samples that are made from any of these: counted, in floating point, which is faster."""
    height, width = touched.shape
    return reach(height, out[1]) @ touched.astype(np.float32) @ reach(width, out[0]).T > 0


def reach(size: int, out: int) -> NDArray[np.float32]:
    """A row for each output sample: 1 for source samples that lie in it, wholly or partly."""
    at, sample = np.arange(out)[:, None] * size, np.arange(size) * out
    return ((sample + out > at) & (sample < at + size)).astype(np.float32)


def shrunk(touched: NDArray[np.bool_], across: int, down: int) -> NDArray[np.bool_]:
    """For each block, whether any of it is."""
    height, width = touched.shape
    whole = np.pad(touched, ((0, -height % down), (0, -width % across)))
    return whole.reshape(whole.shape[0] // down, down, -1, across).any(axis=(1, 3))


# ---- writing


def stamp(
    planes: Sequence[Plane], alpha: Plane, x: int, y: int, *, light: int = 255, dark: int = 0, box: int = 0
) -> None:
    """Blend writing into 4:2:0 planes, its left upper corner at x, y."""
    height, width = planes[0].shape
    writing = np.pad(alpha.astype(np.int64), 1)
    around = np.pad(writing, 1)
    rows, columns = writing.shape
    near = [around[dy : dy + rows, dx : dx + columns] for dy in range(3) for dx in range(3)]
    edge = np.maximum.reduce([*near, np.full_like(writing, box)])
    keep = ((255 - edge) * (255 - writing) * 256 + 32512) // 65025
    come = ((dark * edge * (255 - writing) + light * writing * 255) * 256 + 32512) // 65025

    kept = np.full((height + height % 2, width + width % 2), 256)
    came = np.zeros_like(kept)
    left, top = x - 1, y - 1
    ours = np.s_[max(0, top) : max(0, min(height, top + rows)), max(0, left) : max(0, min(width, left + columns))]
    theirs = np.s_[max(0, -top) : max(0, height - top), max(0, -left) : max(0, width - left)]
    kept[ours], came[ours] = keep[theirs], come[theirs]

    luma = planes[0].astype(np.int64) * kept[:height, :width] + came[:height, :width]
    planes[0][:] = ((luma + 128) >> 8).clip(max=255)
    least = kept.reshape(kept.shape[0] // 2, 2, -1, 2).min(axis=(1, 3))
    for chroma in planes[1:]:
        chroma[:] = (chroma * least + 128 * (256 - least) + 128) >> 8
