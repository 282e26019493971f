"""Pictures are made smaller as the twin does it, and as libswscale would."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import time
from fractions import Fraction
from functools import cache

import av
import numpy as np
import pytest
import simplejpeg
from av.video.reformatter import ColorRange, Interpolation
from hypothesis import given
from hypothesis import strategies as st

from appliance._native import scale
from tests.native.planes import noise, plane_sizes, roomy, scaled
from tests.reference import scale as reference

PATHS = pytest.mark.parametrize("portable", [False, True], ids=["fastest", "portable"])
LAYOUTS = sorted(scale.LAYOUTS)


@st.composite
def sizes(draw: st.DrawFn) -> tuple[tuple[int, int], tuple[int, int]]:
    """Of a source, and of something not larger; whole factors are as likely as others."""
    across, down = draw(st.tuples(st.integers(1, 150), st.integers(1, 40)))
    if draw(st.booleans()):
        factors = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
        return (across * factors[0], down * factors[1]), (across, down)
    return (across, down), (draw(st.integers(1, across)), draw(st.integers(1, down)))


fractions = st.floats(0, 1) | st.sampled_from([0.0, 0.25, 1 / 3, 0.5, 1.0])
polygons = st.lists(st.lists(st.tuples(fractions, fractions), min_size=3, max_size=7), max_size=2)


@given(
    sizes(), st.sampled_from(LAYOUTS), st.booleans(), st.sampled_from([0, 90, 180, 270]), polygons, st.integers(0, 40)
)
def test_both_paths_agree_with_the_reference(size, layout, expand, turn, polygons, room) -> None:
    source, out = size
    shown = out[::-1] if turn in (90, 270) else out
    planes = noise(*source, layout, seed=room)
    options = {"layout": layout, "expand": expand, "turn": turn, "polygons": polygons, "fill": (30, 90, 200)}
    expected = reference.scale(planes, shown, **options)
    for portable in (False, True):
        made = scaled(planes, shown, room=room, portable=portable, **options)
        assert all(np.array_equal(*pair) for pair in zip(made, expected, strict=True))


@PATHS
@pytest.mark.parametrize("size", [(1920, 1080, 640, 360), (1920, 1080, 854, 480), (1280, 720, 640, 360),
                                  (3840, 2160, 640, 360), (704, 576, 704, 528), (1000, 900, 7, 3),
                                  (641, 361, 320, 361)])  # fmt: skip
def test_sizes_that_are_in_use_agree_with_the_reference(size, portable) -> None:
    planes = noise(*size[:2])
    expected = reference.scale(planes, size[2:])
    assert all(map(np.array_equal, scaled(planes, size[2:], portable=portable), expected))


@PATHS
@pytest.mark.parametrize("factors", list(itertools.product((1, 2, 3, 4), repeat=2)))
def test_small_whole_factors_give_the_rounded_mean_exactly(factors, portable) -> None:
    across, down = factors
    count = across * down
    wide = 64
    # every sum there is, in every place of a vector
    sums = np.resize(np.arange(255 * count + 1), (-(-255 * count // wide) + 1, wide))
    blocks = (sums[..., None] + np.arange(count)) // count  # adds up to each sum
    luma = blocks.reshape(*sums.shape, down, across).transpose(0, 2, 1, 3).reshape(-1, wide * across).astype(np.uint8)
    assert int(luma.sum()) == int(sums.sum())
    made = scaled([luma], sums.shape[::-1], layout="gray", expand=False, portable=portable)[0]
    assert np.array_equal(made, (2 * sums + count) // (2 * count))


@pytest.mark.parametrize(("source", "out"), [((97, 61), (41, 30)), ((120, 90), (100, 89)), ((300, 200), (12, 7)),
                                             ((96, 66), (16, 6))])  # fmt: skip
def test_a_sample_is_the_mean_of_what_it_covers(source, out) -> None:
    luma = noise(*source)[0]
    exact = luma.astype(float)
    for axis, (size, wanted) in enumerate(zip(source[::-1], out[::-1], strict=True)):
        shares = [[_share(i, size, o, wanted) for i in range(size)] for o in range(wanted)]
        exact = np.moveaxis(np.tensordot(np.array(shares), np.moveaxis(exact, axis, 0), 1), 0, axis)
    off = np.abs(scaled([luma], out, layout="gray", expand=False)[0] - exact)
    assert off.max() < 1.2  # both ends of a share are taken to 1/256 of a sample
    assert off.mean() < 0.3  # rounding alone makes it 0.25


def _share(sample: int, size: int, at: int, wanted: int) -> float:
    begins, ends = Fraction(at * size, wanted), Fraction((at + 1) * size, wanted)
    return float(max(Fraction(0), min(ends, Fraction(sample + 1)) - max(begins, Fraction(sample))) / (ends - begins))


@PATHS
@pytest.mark.parametrize("out", [(64, 64), (32, 32), (16, 8), (41, 30)])
def test_limited_range_becomes_full(out, portable) -> None:
    for luma, shown in ((0, 0), (16, 0), (126, 128), (235, 255), (255, 255)):
        made = scaled([np.full((64, 64), luma, np.uint8)], out, layout="gray", portable=portable)
        assert (made[0] == shown).all()
        assert (made[1] == 128).all()
    for chroma, shown in ((0, (0,)), (16, (0, 1)), (128, (128,)), (184, (192,)), (240, (255,)), (255, (255,))):
        planes = [np.full((rows, wide), chroma, np.uint8) for wide, rows in plane_sizes(64, 64, "420")]
        for made in scaled(planes, out, portable=portable)[1:]:
            assert set(made.flat) <= set(shown)


@PATHS
def test_full_range_of_the_same_size_stays_as_it_is(portable) -> None:
    planes = noise(77, 35)
    assert all(map(np.array_equal, scaled(planes, (77, 35), expand=False, portable=portable), planes))


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_turning_is_clockwise(turn) -> None:
    planes = noise(160, 90)
    upright = scaled(planes, (53, 45))
    turned = scaled(planes, (53, 45) if turn == 180 else (45, 53), turn=turn)
    for before, after in zip(upright, turned, strict=True):
        assert np.array_equal(after, np.rot90(before, -turn // 90))


def test_semi_planar_chroma_and_planar_chroma_give_the_same() -> None:
    luma, u, v = noise(333, 222)
    pairs = np.dstack([u, v]).reshape(u.shape[0], -1)
    for one, other in zip(
        scaled([luma, u, v], (100, 80)), scaled([luma, pairs], (100, 80), layout="nv12"), strict=True
    ):
        assert np.array_equal(one, other)


# ---- beside libswscale


@cache
def _soft_shapes(width: int, height: int) -> np.ndarray:
    """And edges, and some noise: RGB."""
    y, x = np.mgrid[0:height, 0:width] / height
    random = np.random.default_rng(3)
    channels = [np.sin(x * 9 + n) * 60 + np.sin(y * 7 * (n + 1)) * 40 + 60 * ((x + y) % 0.3 > 0.15) for n in range(3)]
    rgb = np.dstack(channels) + 110 + random.normal(0, 6, (height, width, 3))
    return rgb.clip(0, 255).astype(np.uint8)


def _photograph(width: int, height: int, pixels: str) -> av.VideoFrame:
    """Soft shapes, edges and some noise, in limited range."""
    return av.VideoFrame.from_ndarray(_soft_shapes(width, height), "rgb24").reformat(format=pixels)


def _planes(frame: av.VideoFrame) -> list[tuple[object, int]]:
    return [(plane, plane.line_size) for plane in frame.planes]


def _arrays(frame: av.VideoFrame) -> list[np.ndarray]:
    return [np.frombuffer(p, np.uint8).reshape(p.height, p.line_size)[:, : p.width] for p in frame.planes]


@PATHS
@pytest.mark.parametrize("expand", [True, False])
@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p", "nv12"])
@pytest.mark.parametrize(
    "size", [(960, 540, 320, 180), (960, 540, 428, 240), (960, 540, 480, 270), (720, 576, 384, 288)]
)
def test_libswscale_averages_to_nearly_the_same(size, pixels, expand, portable) -> None:
    frame = _photograph(*size[:2], pixels)
    theirs = frame.reformat(
        *size[2:], "yuv420p", src_color_range=ColorRange.MPEG, interpolation=Interpolation.AREA, threads=1,
        dst_color_range=ColorRange.JPEG if expand else ColorRange.MPEG,
    )  # fmt: skip
    layout = {"yuv420p": "420", "yuv422p": "422", "nv12": "nv12"}[pixels]
    scaler = scale.Scaler(*size, layout=layout, expand=expand, portable=portable)
    ours = [np.empty((rows, wide), np.uint8) for wide, rows in scaler.sizes]
    scaler.scale(_planes(frame), [(plane, plane.shape[1]) for plane in ours])
    for number, (mine, other) in enumerate(zip(ours, _arrays(theirs), strict=True)):
        off = np.abs(mine.astype(int) - other)
        # libswscale's range step leaves chroma half a level low
        assert off.mean() < (0.7 if number and expand else 0.15)
        assert off.max() <= 2


def test_what_comes_out_is_what_the_jpeg_encoder_takes() -> None:
    frame = _photograph(640, 360, "yuv420p")
    scaler = scale.Scaler(640, 360, 320, 180)
    planes = [np.empty((rows, wide), np.uint8) for wide, rows in scaler.sizes]
    scaler.scale(_planes(frame), [(plane, plane.shape[1]) for plane in planes])
    shown = simplejpeg.decode_jpeg(simplejpeg.encode_jpeg_yuv_planes(*planes, quality=95)).astype(int)
    wanted = frame.reformat(320, 180, "rgb24", interpolation=Interpolation.AREA).to_ndarray()
    assert np.abs(shown - wanted).mean() < 3


# ---- bounds


def test_nothing_outside_the_planes_is_touched() -> None:
    """Each plane lies between two pages that end the process which touches them."""
    command = [sys.executable, "-m", "tests.native.guarded"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 500


@PATHS
def test_what_lies_beside_the_rows_does_not_matter(portable) -> None:
    for out in ((32, 20), (48, 30), (24, 15), (50, 31), (19, 12), (12, 10)):
        planes = noise(96, 60)
        for one, other in zip(*(scaled(planes, out, room=room, portable=portable) for room in (0, 9)), strict=True):
            assert np.array_equal(one, other)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"width": 0}, "width is 0"),
        ({"height": 1 << 40}, "height is 1099511627776"),
        ({"out_width": -1}, "out_width is -1"),
        ({"out_height": 0}, "out_height is 0"),
        ({"out_width": 65}, "64x48 cannot be made 65x24: only smaller"),
        ({"out_height": 49}, "only smaller"),
        ({"out_width": 24, "out_height": 65, "turn": 90}, "64x48 cannot be made 65x24"),
        ({"layout": "411"}, "layout is '411'"),
        ({"turn": 45}, "turn is 45"),
        ({"fill": (0, 0)}, "fill has 2 levels"),
        ({"fill": (0, 0, 256)}, "fill is 256"),
        ({"polygons": [[(0, 0), (1, 1)]]}, "polygon 0 has 2 points"),
        ({"polygons": [[(0, 0), (1, 1), (1.01, 0)]]}, r"polygon 0: the point \(1.01, 0.0\)"),
        ({"polygons": [[(0, 0), (1, 1), (0, float("nan"))]]}, "nan"),
        ({"polygons": [[(0, 0), (1, 1), (0, 1)]] * 65}, "65 polygons"),
        ({"polygons": [[(0, 0)] * 513]}, "more than 512 points"),
    ],
)
def test_a_scaler_that_cannot_be_is_refused(arguments, said) -> None:
    with pytest.raises(ValueError, match=said):
        scale.Scaler(**{"width": 64, "height": 48, "out_width": 32, "out_height": 24, **arguments})


def test_planes_that_do_not_fit_are_refused_and_nothing_is_written() -> None:
    scaler = scale.Scaler(64, 48, 32, 24)
    source = roomy(noise(64, 48), 0)
    target = roomy([np.full((rows, wide), 7, np.uint8) for wide, rows in scaler.sizes], 0)

    def changed(planes, number, data, stride):
        return [*planes[:number], (data, stride), *planes[number + 1 :]]

    together = bytearray(2000)
    refused = [
        (source[:2], target, "the source has 2 planes where 3 are needed"),
        (source, [*target, target[0]], "the target has 4 planes"),
        (changed(source, 0, source[0][0], 63), target, "source's plane 0: a stride of 63 is less than its width of 64"),
        (changed(source, 1, source[1][0], -32), target, "source's plane 1: a stride of -32"),
        (changed(source, 2, source[2][0], 1 << 60), target, "source's plane 2: a stride of .* too much"),
        (changed(source, 0, source[0][0][:-1], 64), target, "source's plane 0 has 3071 bytes .* need 3072"),
        (changed(source, 1, b"", 32), target, "source's plane 1 has 0 bytes"),
        (source, changed(target, 2, bytearray(191), 16), "target's plane 2 has 191 bytes"),
        (source, changed(target, 1, target[0][0], 16), "target's planes 0 and 1 overlap"),
        (source, changed(target, 2, source[0][0], 16), "target's plane 2 overlaps the source's plane 0"),
        (changed(source, 0, target[0][0].repeat(4), 64), changed(changed(target, 1, together, 16), 2,
         memoryview(together)[191:], 16), "target's planes 1 and 2 overlap"),
        ([source[0][0]] * 3, target, "source's plane 0 is not a buffer and its stride"),
        (changed(source, 0, "text", 64), target, "source's plane 0: a bytes-like object is required"),
        (changed(source, 0, source[0][0][::-1], 64), target, "source's plane 0: .*contiguous"),
        (source, changed(target, 0, bytes(768), 32), "target's plane 0: .*not writable"),
    ]  # fmt: skip
    before = [plane.copy() for plane, _ in target]
    for given_source, given_target, said in refused:
        with pytest.raises(ValueError, match=said):
            scaler.scale(given_source, given_target)
    assert all(map(np.array_equal, before, [plane for plane, _ in target]))


def test_buffers_are_let_go() -> None:
    scaler = scale.Scaler(64, 48, 32, 24)
    source = [(bytearray(wide * rows), wide) for wide, rows in plane_sizes(64, 48, "420")]
    target = [(bytearray(wide * rows), wide) for wide, rows in scaler.sizes]
    scaler.scale(source, target)
    with pytest.raises(ValueError, match="overlap"):
        scaler.scale(source, [target[0], target[1], target[1]])
    for plane, _ in source + target:
        plane.clear()  # refused while anything holds it


def test_the_interpreter_is_free_meanwhile_and_a_second_thread_is_refused() -> None:
    scaler = scale.Scaler(1920, 1080, 1279, 719, portable=True)
    source = roomy(noise(1920, 1080), 0)
    end, over = time.monotonic() + 30, threading.Event()

    def work() -> None:
        target = [(bytearray(wide * rows), wide) for wide, rows in scaler.sizes]
        while not over.is_set() and time.monotonic() < end:
            try:
                scaler.scale(source, target)
            except RuntimeError:
                over.set()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert over.is_set()
