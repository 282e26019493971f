"""Privacy masks: nothing that is inside has any effect on what leaves, and no more is covered than that takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from appliance._native import scale
from tests.native.planes import noise, scaled
from tests.native.test_scale import LAYOUTS, PATHS, sizes
from tests.reference import scale as reference
from tests.reference.scale import SUBSAMPLING

if TYPE_CHECKING:
    from tests.native.planes import Plane

FILL = (41, 103, 207)
STAR = [(0.5, 0.02), (0.8, 0.95), (0.02, 0.35), (0.98, 0.35), (0.2, 0.95)]
Points = list[tuple[float, float]]


def inside(points: Points, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Even-odd, by a ray to the right; ``x`` is a row, ``y`` a column."""
    odd = np.zeros(np.broadcast(x, y).shape, bool)
    for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1], strict=True):
        if ay != by:
            rows = ((ay > y) != (by > y))[:, 0]
            odd[rows] ^= x < (bx - ax) * (y[rows] - ay) / (by - ay) + ax
    return odd


def seen_inside(points: Points, width: int, height: int) -> np.ndarray:
    """Samples of which some place lies inside: a grid in each is looked at, and every edge is walked along."""
    fine = 8
    x = (np.arange(width * fine) + 0.5) / (width * fine)
    y = (np.arange(height * fine) + 0.5) / (height * fine)
    found = inside(points, x[None, :], y[:, None]).reshape(height, fine, width, fine).any(axis=(1, 3))
    for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1], strict=True):
        along = np.linspace(0, 1, 40 * (width + height))
        x, y = (ax + (bx - ax) * along) * width, (ay + (by - ay) * along) * height
        # a place on the border of a sample is in neither
        clear = (np.abs(x - x.round()) > 1e-3) & (np.abs(y - y.round()) > 1e-3)
        found[y[clear].astype(int), x[clear].astype(int)] = True
    return found


def altered(planes: list[Plane], where: np.ndarray, layout: str) -> list[Plane]:
    """Every sample that shows a part of what is there is another one."""
    across, down = SUBSAMPLING[layout]
    height, width = where.shape
    luma, *chroma = (plane.copy() for plane in planes)
    luma[where] ^= 0xFF
    shared = np.pad(where, ((0, -height % down), (0, -width % across)))
    shared = shared.reshape(-(-height // down), down, -1, across).any(axis=(1, 3))
    for plane in chroma:
        plane[shared.repeat(2, axis=1) if layout == "nv12" else shared] ^= 0xFF
    return [luma, *chroma]


coordinates = st.integers(0, 997).map(lambda n: n / 997) | st.integers(0, 16).map(lambda n: n / 16)
points = st.tuples(coordinates, coordinates)
shapes = st.lists(st.lists(points, min_size=3, max_size=6), min_size=1, max_size=3)


@given(sizes(), st.sampled_from(LAYOUTS), st.sampled_from([0, 90]), shapes)
def test_what_is_inside_has_no_effect(size, layout, turn, polygons) -> None:
    (width, height), out = size
    shown = out[::-1] if turn else out
    planes = noise(width, height, layout)
    where = np.logical_or.reduce([seen_inside(polygon, width, height) for polygon in polygons])
    options = {"layout": layout, "polygons": polygons, "fill": FILL, "turn": turn}
    before = scaled(planes, shown, **options)
    after = scaled(altered(planes, where, layout), shown, **options)
    assert all(map(np.array_equal, before, after))
    assume(where.any())
    without = scaled(planes, shown, layout=layout, turn=turn)
    blind = scaled(altered(planes, where, layout), shown, layout=layout, turn=turn)
    changed = without[0] != blind[0]  # the same without a mask shows that it would have had one
    assert (before[0][changed] == FILL[0]).all()


@PATHS
@pytest.mark.parametrize("out", [(160, 96), (80, 48), (40, 24), (53, 31)])
def test_what_is_outside_stays_as_it_is(out, portable) -> None:
    planes = noise(160, 96)
    made = scaled(planes, out, polygons=[STAR], fill=FILL, portable=portable)
    plain = scaled(planes, out, portable=portable)
    for plane, untouched, fill in zip(made, plain, FILL, strict=True):
        rows, columns = plane.shape
        covered = (plane != untouched) | (untouched == fill)
        # one sample of ours further than the star, and one of the source's, which chroma doubles
        grown = seen_inside(STAR, columns, rows)
        for _ in range(3):
            wide = np.pad(grown, 1)
            grown = np.logical_or.reduce(
                [wide[dy : dy + rows, dx : dx + columns] for dy in range(3) for dx in range(3)]
            )
        assert (plane[covered & ~grown] == untouched[covered & ~grown]).all()
        assert (plane[seen_inside(STAR, columns, rows)] == fill).all()
        assert (plane == untouched).mean() > 0.2


def test_the_middle_of_a_star_is_outside_and_stays_visible() -> None:
    planes = noise(160, 96)
    made, plain = scaled(planes, (160, 96), polygons=[STAR], fill=FILL), scaled(planes, (160, 96))
    for plane, untouched in zip(made, plain, strict=True):
        rows, columns = plane.shape
        middle = np.s_[int(rows * 0.45) : int(rows * 0.55), int(columns * 0.47) : int(columns * 0.53)]
        assert np.array_equal(plane[middle], untouched[middle])


def test_two_masks_one_over_the_other_do_not_cancel_out() -> None:
    square = [(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)]
    for polygons in ([square, square], [square, square[::-1]], [square, STAR]):
        made = scaled(noise(64, 64), (64, 64), polygons=polygons, fill=FILL)
        assert all((plane[len(plane) // 4 : -len(plane) // 4, len(plane) // 4 : -len(plane) // 4] == fill).all()
                   for plane, fill in zip(made, FILL, strict=True))  # fmt: skip


@pytest.mark.parametrize("parts", [2, 3, 4, 6])
@pytest.mark.parametrize("out", [(960, 540), (480, 270), (240, 135)])
def test_a_mask_that_ends_where_a_sample_does_covers_not_one_more(parts, out) -> None:
    cut = 1 / parts
    left = [(0, 0), (cut, 0), (cut, 1), (0, 1)]
    made = scaled([np.full((540, 960), 200, np.uint8)], out, layout="gray", expand=False, polygons=[left], fill=FILL)
    columns = out[0] // parts
    assert (made[0][:, :columns] == FILL[0]).all()
    assert (made[0][:, columns:] == 200).all()


@pytest.mark.parametrize(("width", "height"), [(33, 21), (1, 1), (2, 3)])
def test_a_line_hides_what_it_crosses(width, height) -> None:
    made = scaled(noise(width, height), (width, height), polygons=[[(0.01, 0.5), (0.99, 0.5), (0.5, 0.5)]], fill=FILL)
    assert (made[0][height // 2] == FILL[0]).all()
    assert (made[1][height // 4] == FILL[1]).all()


def test_a_whole_picture_can_be_hidden() -> None:
    everything = [(0, 0), (1, 0), (1, 1), (0, 1)]
    for turn in (0, 90, 180, 270):
        made = scaled(noise(77, 51), (31, 31), polygons=[everything], fill=FILL, turn=turn)
        assert all((plane == fill).all() for plane, fill in zip(made, FILL, strict=True))


def test_as_many_masks_as_there_may_be() -> None:
    corners = [[(n / 64, 0), (n / 64 + 1 / 128, 0), (n / 64 + 1 / 128, 1), (n / 64, 1)] for n in range(scale.POLYGONS)]
    made = scaled([np.full((32, 128), 200, np.uint8)], (128, 32), layout="gray", polygons=corners, expand=False)
    assert np.array_equal(made[0], np.tile(np.array([0, 200], np.uint8), (32, 64)))
    spiky = [(n / scale.POINTS, n % 2) for n in range(scale.POINTS)]
    made = scaled(noise(1024, 8), (1024, 8), polygons=[spiky], fill=FILL)
    expected = reference.scale(noise(1024, 8), (1024, 8), polygons=[spiky], fill=FILL)
    assert all(map(np.array_equal, made, expected))
    assert (made[0][4] == FILL[0]).mean() > 0.7
