"""Planes for the tests of the scaler: made, with room beside their rows, and given to kernel and twin alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from appliance._native import scale
from tests.reference.scale import SUBSAMPLING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.uint8]

#: What lies beside rows, and must neither be read nor written.
BESIDE = 0xA5


def plane_sizes(width: int, height: int, layout: str) -> list[tuple[int, int]]:
    """In bytes across and rows down."""
    across, down = SUBSAMPLING[layout]
    chroma = (-(-width // across), -(-height // down))
    if layout == "gray":
        return [(width, height)]
    return [(width, height), (2 * chroma[0], chroma[1])] if layout == "nv12" else [(width, height), chroma, chroma]


def noise(width: int, height: int, layout: str = "420", seed: int = 0) -> list[Plane]:
    random = np.random.default_rng(seed)
    return [random.integers(0, 256, (rows, wide), np.uint8) for wide, rows in plane_sizes(width, height, layout)]


def roomy(planes: list[Plane], room: int) -> list[tuple[Plane, int]]:
    """As a decoder gives them: rows longer than the picture is wide; the last one ends where the picture does."""
    given = []
    for plane in planes:
        height, width = plane.shape
        held = np.full((height, width + room), BESIDE, np.uint8)
        held[:, :width] = plane
        given.append((held.reshape(-1)[: height * (width + room) - room], width + room))
    return given


def read_back(given: list[tuple[Plane, int]], sizes: list[tuple[int, int]]) -> list[Plane]:
    """The planes in these buffers; asserts that nothing was written beside them."""
    found = []
    for (held, stride), (width, height) in zip(given, sizes, strict=True):
        rows = np.append(held, np.full(stride - width, BESIDE, np.uint8)).reshape(height, stride)
        assert (rows[:, width:] == BESIDE).all()
        found.append(rows[:, :width])
    return found


def scaled(planes: list[Plane], out: tuple[int, int], *, room: int = 0, **options: object) -> list[Plane]:
    """What the kernel makes of them."""
    height, width = planes[0].shape
    scaler = scale.Scaler(width, height, *out, **options)
    target = roomy([np.zeros((rows, wide), np.uint8) for wide, rows in scaler.sizes], room)
    scaler.scale(roomy(planes, room), target)
    return read_back(target, scaler.sizes)
