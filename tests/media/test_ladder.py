"""The sizes and rates of JPEG: few, of the picture's shape, within the limit."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.media.ladder import (
    ENLARGED,
    NARROWEST_TILE,
    NO_LIMIT,
    RATES,
    Limit,
    Rung,
    magnification,
    rate,
    rung,
    shown_size,
    sizes,
)

LEVEL_1 = Limit(25, (1920, 1080))


@pytest.mark.parametrize(
    ("source", "limit", "made"),
    [
        ((1920, 1080), LEVEL_1, [(1920, 1080), (960, 540), (640, 360), (320, 180)]),
        ((1280, 720), LEVEL_1, [(1280, 720), (640, 360), (426, 240), (212, 120)]),
        ((640, 360), LEVEL_1, [(640, 360), (320, 180), (212, 120)]),
        ((3840, 2160), LEVEL_1, [(1920, 1080), (1280, 720), (640, 360), (320, 180)]),
        ((3840, 2160), NO_LIMIT, [(3840, 2160), (1920, 1080), (1280, 720), (640, 360)]),
        ((2560, 1440), LEVEL_1, [(1920, 1080), (1280, 720), (852, 480), (426, 240)]),
        ((2592, 1944), LEVEL_1, [(1440, 1080), (864, 648), (432, 324), (216, 162)]),  # 4:3: the height limits
        ((1080, 1920), LEVEL_1, [(1080, 1920), (540, 960), (360, 640), (180, 320)]),  # on its side, whole
        ((2160, 3840), LEVEL_1, [(1080, 1920), (720, 1280), (360, 640), (180, 320)]),
        ((1920, 1080), Limit(8, (640, 360)), [(640, 360), (320, 180), (160, 90)]),
        ((704, 576), LEVEL_1, [(704, 576), (352, 288), (234, 192), (116, 96)]),
        ((176, 144), LEVEL_1, [(176, 144), (88, 72)]),
        ((80, 60), LEVEL_1, [(80, 60)]),
        ((641, 361), LEVEL_1, [(640, 360), (320, 180), (212, 120)]),  # colour is shared by two samples
    ],
)
def test_three_sizes_and_one_for_thumbnails(source, limit, made) -> None:
    assert list(sizes(source, limit)) == made


@pytest.mark.parametrize(
    ("tile", "size"),
    [
        ((1920, 1080), (1920, 1080)),
        ((3840, 2160), (1920, 1080)),  # never enlarged
        ((912, 513), (960, 540)),  # four to a screen
        ((1000, 563), (960, 540)),  # 4 % more than there is, and a quarter of the samples
        ((1020, 574), (1920, 1080)),
        ((608, 342), (640, 360)),  # nine
        ((456, 257), (640, 360)),  # sixteen
        ((240, 135), (640, 360)),
        ((239, 134), (320, 180)),  # a thumbnail
        ((60, 34), (320, 180)),
        ((640, 640), (640, 360)),  # fitted in: bars above and below
        ((1920, 360), (640, 360)),  # at the sides
        ((640, 0), (640, 360)),  # a width only
        ((0, 360), (640, 360)),
        ((0, 0), (1920, 1080)),
        (None, (1920, 1080)),
    ],
)
def test_the_smallest_that_fills_the_tile(tile, size) -> None:
    assert rung((1920, 1080), tile, 25, source_fps=25, limit=LEVEL_1) == Rung(*size, None, 75)


@pytest.mark.parametrize(
    ("wanted", "source", "limit", "made"),
    [
        (25, 25, None, None),
        (25, 24.6, None, None),
        (25, 25.4, None, None),  # measured
        (30, 25, None, None),
        (25, 30, None, 25),
        (60, 30, 25, 25),  # PER-2
        (25, 12, 25, None),
        (10, 25, 25, 10),
        (11, 25, 25, 10),  # not more than is asked for
        (7.5, 25, None, 6),
        (1, 25, None, 1),
        (0.7, 25, None, 0.5),
        (0.01, 25, None, 0.5),
        (25, None, None, 25),
        (200, None, 200, 60),
    ],
)
def test_rates(wanted, source, limit, made) -> None:
    assert rate(wanted, source, Limit(max_fps=limit)) == made


def test_twenty_viewers_of_twenty_widths_share_three_encodings() -> None:
    random.seed(20)
    for source in [(1920, 1080), (1280, 720), (2592, 1944), (3840, 2160), (640, 360), (1080, 1920)]:
        for _ in range(15):
            widths = random.sample(range(NARROWEST_TILE, 2000), 20)
            tiles = [(width, round(width * 9 / 16)) for width in widths]
            assert len({rung(source, (w, 0), 25, source_fps=25, limit=LEVEL_1) for w in widths}) <= 3
            wide = [tile for tile in tiles if source[0] * magnification(source, tile) >= NARROWEST_TILE]
            assert len({rung(source, tile, 25, source_fps=25, limit=LEVEL_1) for tile in wide}) <= 3


def test_samples_that_are_not_square() -> None:
    assert shown_size(720, 576, (64, 45)) == (1024, 576)
    assert shown_size(1920, 1080) == (1920, 1080)


sides = st.integers(64, 8192)
tiles = st.none() | st.tuples(st.integers(0, 16_384), st.integers(0, 16_384))
limits = st.builds(
    Limit, st.none() | st.integers(1, 60), st.none() | st.tuples(st.integers(160, 7680), st.integers(90, 4320))
)


@given(source=st.tuples(sides, sides), tile=tiles, limit=limits, fps=st.floats(0.01, 240), sent=st.floats(0.1, 120))
def test_whatever_is_asked_for(source, tile, limit, fps, sent) -> None:
    made = sizes(source, limit)
    got = rung(source, tile, fps, source_fps=sent, limit=limit)
    assert got.size in made
    assert 1 <= len(made) <= 4
    assert list(made) == sorted(set(made), reverse=True)
    scale = min(1.0, limit.magnification(source))
    for width, height in made:
        assert width % 2 == height % 2 == 0
        assert width <= max(2, source[0] * scale + 1e-6)
        assert height <= max(2, source[1] * scale + 1e-6)
        # the same shape, but for what is lost to even sides: under two samples of each
        assert abs(width / source[0] - height / source[1]) < max(2 / source[0], 2 / source[1]) + 1e-9
    needed = source[0] * min(1.0, magnification(source, tile, limit))
    assert got.width * ENLARGED >= needed - 2 * ENLARGED or got.size == made[0]
    assert got.fps is None or got.fps in RATES
    allowed = min(fps, limit.max_fps or fps)
    assert (got.fps or sent) <= max(RATES[-1], allowed * 1.02 + 1e-9)


@given(source=st.tuples(sides, sides), width=st.integers(1, 8192), more=st.integers(0, 2000))
def test_a_larger_tile_never_gets_a_smaller_picture(source, width, more) -> None:
    one, other = (rung(source, (w, 0), 25, limit=LEVEL_1) for w in (width, width + more))
    assert one.width <= other.width
