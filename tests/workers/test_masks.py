"""Privacy masks in what workers make: nothing that is hidden has any part in it, whatever the camera sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
import simplejpeg

from appliance.workers.pictures import snapshot, to_jpeg
from appliance.workers.scaling import FILL, Scaling, Target
from appliance.workers.transcoding import Pipeline
from appliance.workers.wire import PipelineOpen, PipelineRung, PipelineRungs, PipelineUnit, SnapshotJob
from tests.media.clips import encode_h264
from tests.media.clips import picture as drawn
from tests.media.jpegs import jpeg
from tests.native.test_scale_masks import STAR, seen_inside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from appliance.media.masks import Mask

#: A star that crosses itself, a corner, and a sliver: edges between samples and on them.
MASK: Mask = (tuple(STAR), ((0.0, 0.0), (0.25, 0.0), (0.0, 0.125)), ((0.9, 0.3), (0.97, 0.31), (0.94, 0.7)))
LEFT: Mask = (((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)),)
FORMATS = (
    "yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "nv12", "gray", "yuv420p10le", "yuv422p10le",
    "yuv444p12le", "gray10le", "yuvj440p", "yuv411p", "yuvj411p", "yuv410p", "gbrp", "rgb24",
)  # fmt: skip
WIDTH, HEIGHT = 96, 64


def noisy(form: str, hidden: np.ndarray | None = None) -> av.VideoFrame:
    """A picture of noise; where ``hidden`` is, every sample that shows any of that is another one."""
    frame = av.VideoFrame(WIDTH, HEIGHT, form)
    random = np.random.default_rng(7)
    for plane in frame.planes:
        deep = any(form.endswith(bits) for bits in ("10le", "12le"))
        most = (1 << int(form[-4:-2])) - 1 if deep else 255
        kind = np.uint16 if deep else np.uint8
        rows = random.integers(0, most + 1, plane.buffer_size // kind().itemsize).astype(kind)
        rows = rows.reshape(plane.height, -1)
        if hidden is not None:
            across, down = WIDTH // plane.width, HEIGHT // plane.height
            shared = hidden.reshape(plane.height, down, plane.width, across).any(axis=(1, 3))
            beside = {"nv12": 2 if plane.width < WIDTH else 1, "rgb24": 3}.get(form, 1)
            shared = shared.repeat(beside, axis=1)
            rows[:, : shared.shape[1]][shared] ^= most
        plane.update(rows.tobytes())
    return frame


def hidden_by(mask: Mask, width: int, height: int) -> np.ndarray:
    return np.logical_or.reduce([seen_inside(list(polygon), width, height) for polygon in mask])


@pytest.fixture(scope="module")
def hidden() -> np.ndarray:
    return hidden_by(MASK, WIDTH, HEIGHT)


@pytest.mark.parametrize("colours", [2, 1], ids=["BT.601", "BT.709"])
@pytest.mark.parametrize("form", FORMATS)
def test_what_is_hidden_has_no_part_in_any_picture(form: str, colours: int, hidden: np.ndarray) -> None:
    sizes = [(96, 64), (48, 32), (64, 42), (32, 20), (128, 64)]  # the last one: samples wider than high
    targets = {Target(size, MASK) for size in sizes}
    made = []
    for frame in (noisy(form), noisy(form, hidden)):
        frame.colorspace = colours
        made.append(Scaling().scale(frame, targets, full_range=False))
    for target in targets:
        for plane, other, fill in zip(made[0][target], made[1][target], FILL, strict=True):
            assert np.array_equal(plane, other), target
            rows, columns = plane.shape
            assert (plane[hidden_by(MASK, columns, rows)] == fill).all()
            if fill != 128 or "gray" not in form:
                assert 0.1 < (plane != fill).mean() < 0.95  # and the rest is there
    # the test would notice: without a mask the two differ
    blind = [Scaling().scale(noisy(form, where), {Target((48, 32))}, full_range=False) for where in (None, hidden)]
    assert not np.array_equal(blind[0][Target((48, 32))][0], blind[1][Target((48, 32))][0])


def test_beside_the_mask_a_picture_is_what_it_is_without_one() -> None:
    frame = noisy("yuv420p")
    targets = {Target(size, mask) for size in ((96, 64), (48, 32), (64, 42)) for mask in ((), LEFT)}
    made = Scaling().scale(frame, targets, full_range=False)
    for target in targets:
        width = target.size[0]
        for plane, whole in zip(made[target], made[Target(target.size)], strict=True):
            assert np.array_equal(plane[:, -plane.shape[1] // 2 + 1 :], whole[:, -plane.shape[1] // 2 + 1 :]), width


@pytest.mark.parametrize("colours", [2, 1], ids=["BT.601", "BT.709"])
@pytest.mark.parametrize(
    "form", [form for form in FORMATS if "gray" not in form]
)  # libswscale has its own idea of gray
def test_the_colours_beside_a_mask_are_right(form: str, colours: int) -> None:
    frame = av.VideoFrame.from_ndarray(drawn(5, WIDTH, HEIGHT), "rgb24").reformat(format=form)
    frame.colorspace = colours
    targets = {Target(size, mask) for size in ((96, 64), (64, 42), (128, 64)) for mask in ((), LEFT)}
    made = Scaling().scale(frame, targets, full_range=False)
    for size in ((96, 64), (64, 42), (128, 64)):
        for plane, whole in zip(made[Target(size, LEFT)], made[Target(size)], strict=True):
            right = np.s_[:, plane.shape[1] * 5 // 8 :]
            assert np.abs(plane[right].astype(int) - whole[right]).mean() < 2.5, size


@pytest.mark.parametrize("form", ["yuyv422", "p010le", "nv16"])
def test_a_picture_that_cannot_be_masked_is_none(form: str) -> None:
    """No decoder of ours gives such a thing today."""
    frame = av.VideoFrame(WIDTH, HEIGHT, form)
    with pytest.raises(ValueError, match="cannot be masked"):
        Scaling().masked(frame, Target((48, 32), MASK), full_range=False)


def test_two_masks_and_none_of_one_picture_do_not_get_into_each_other() -> None:
    frame = noisy("yuv420p")
    right: Mask = (((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)),)
    made = Scaling().scale(
        frame, {Target(size, mask) for size in ((96, 64), (48, 32)) for mask in ((), LEFT, right)}, full_range=True
    )
    for size in ((96, 64), (48, 32)):
        middle = size[0] // 2
        assert not made[Target(size, LEFT)][0][:, :middle].any()
        assert made[Target(size, LEFT)][0][:, middle:].any()
        assert not made[Target(size, right)][0][:, middle:].any()
        assert made[Target(size, right)][0][:, :middle].any()
        assert made[Target(size)][0][:, :middle].any()


# ── JPEG, of what cameras send ──────────────────────────────────────────────────────────────────────────────────────


def bars(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    """The left and the right half of a JPEG picture in RGB."""
    rgb = simplejpeg.decode_jpeg(data)
    middle = rgb.shape[1] // 2
    return rgb[:, :middle], rgb[:, middle:]


def is_black(rgb: np.ndarray, edge: int = 16) -> bool:
    """All of it but for the blocks at the mask's right edge, which JPEG codes together with what is beside them."""
    return int(rgb[:, :-edge].max()) <= 2 and float(rgb.mean()) < 4


H264 = encode_h264(6, (320, 180))
JPEGS = [jpeg(320, 180, seed=seed) for seed in range(6)]


def answers(opening: PipelineOpen, units: Sequence[bytes], rungs: list[PipelineRung]) -> list[list[bytes]]:
    """By rung: the JPEG that were made for it."""
    pipeline = Pipeline(opening)
    pipeline.change(PipelineRungs(rungs))
    found: list[list[bytes]] = [[] for _ in rungs]
    for number, unit in enumerate(units):
        worked = pipeline.work(PipelineUnit(unit, number * 3600))
        for picture in worked.pictures:
            for rung, which in picture.rungs:
                found[rung].append(picture.jpegs[which])
    return found


@pytest.mark.parametrize("codec", ["h264", "mjpeg"])
def test_who_may_see_and_who_may_not_get_pictures_of_their_own_of_one_decoding(codec: str) -> None:
    if codec == "h264":
        opening, units = PipelineOpen("h264", H264.format.configuration, False, False), [u.data for u in H264.units]
    else:
        opening, units = PipelineOpen("mjpeg", b"", True, False), JPEGS
    rungs = [
        PipelineRung(*size, None, 75, mask) for size in ((320, 180), (160, 90), (106, 60)) for mask in (LEFT, (), LEFT)
    ]
    made = answers(opening, units, rungs)
    assert all(len(pictures) >= 5 for pictures in made)
    for number, rung in enumerate(rungs):
        for data in made[number]:
            left, right = bars(data)
            assert left.shape[1] + right.shape[1] == rung.width
            assert right.mean() > 20
            assert is_black(left) == bool(rung.mask)
            assert bool(rung.mask) or left.mean() > 20
    assert made[0] == made[2]


@pytest.mark.parametrize("width", [None, 160, 100])
@pytest.mark.parametrize("codec", ["h264", "mjpeg"])
def test_a_snapshot_is_masked(codec: str, width: int | None) -> None:
    form = H264.format
    units = [unit.data for unit in H264.units] if codec == "h264" else JPEGS[:1]
    configuration = form.configuration if codec == "h264" else b""
    job = SnapshotJob(codec, configuration, units, codec == "mjpeg", (1, 1), width, 88)
    left, right = bars(snapshot(job).jpeg)
    assert left.mean() > 20
    masked = snapshot(SnapshotJob(codec, configuration, units, codec == "mjpeg", (1, 1), width, 88, LEFT))
    assert (masked.width, masked.height) == (snapshot(job).width, snapshot(job).height)
    hidden_half, shown_half = bars(masked.jpeg)
    assert is_black(hidden_half)
    assert np.abs(shown_half[:, 16:].astype(int) - right[:, 16:]).mean() < 6


def test_a_snapshot_of_samples_wider_than_high_is_masked() -> None:
    job = SnapshotJob("h264", b"", [], False, (4, 3), None, 88, LEFT)
    done = to_jpeg(noisy("yuv420p"), job)
    assert (done.width, done.height) == (128, 64)
    left, right = bars(done.jpeg)
    assert is_black(left)
    assert right.std() > 20
