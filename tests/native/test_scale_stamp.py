"""Writing on pictures: legible on anything, grey, cut off at the edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance._native import scale
from tests.native.planes import noise, read_back, roomy
from tests.reference import scale as reference

LETTER = np.array([[0, 255, 0], [255, 255, 255], [0, 255, 0]], np.uint8)


def flat(width: int, height: int, luma: int, chroma: int) -> list[np.ndarray]:
    small = ((height + 1) // 2, (width + 1) // 2)
    return [np.full((height, width), luma, np.uint8), *(np.full(small, chroma, np.uint8) for _ in range(2))]


def stamped(planes, alpha, x, y, *, room=0, **options) -> list[np.ndarray]:
    height, width = planes[0].shape
    given_planes = roomy(planes, room)
    scale.Stamp(alpha, alpha.shape[1], alpha.shape[0], **options).put(given_planes, width, height, x, y)
    return read_back(given_planes, [plane.shape[::-1] for plane in planes])


@given(
    st.integers(1, 40), st.integers(1, 30), st.integers(1, 20), st.integers(1, 12), st.integers(-30, 50),
    st.integers(-20, 40), st.tuples(*[st.integers(0, 255)] * 3), st.integers(0, 9),
)  # fmt: skip
def test_the_kernel_agrees_with_the_reference(width, height, wide, high, x, y, levels, room) -> None:
    planes = noise(width, height)
    alpha = np.random.default_rng(room).integers(0, 511, (high, wide)).clip(0, 255).astype(np.uint8)
    alpha[alpha < 40] = 0
    options = dict(zip(("light", "dark", "box"), levels, strict=True))
    made = stamped(planes, alpha, x, y, room=room, **options)
    reference.stamp(planes, alpha, x, y, **options)
    assert all(map(np.array_equal, made, planes))


@pytest.mark.parametrize("behind", [0, 16, 128, 235, 255])
def test_writing_is_light_with_a_dark_edge_on_anything(behind) -> None:
    luma, *chroma = stamped(flat(20, 12, behind, 200), LETTER, 6, 4, light=235, dark=16)
    assert (luma[4:7, 6:9][LETTER == 255] == 235).all()
    assert (luma[4:7, 6:9][LETTER == 0] == 16).all()
    assert luma[3, 7] == luma[7, 7] == luma[5, 5] == luma[5, 9] == 16
    beyond = np.ones_like(luma, bool)
    beyond[3:8, 5:10] = False
    assert (luma[beyond] == behind).all()
    for plane in chroma:
        grey = plane[1:4, 2:5] == 128
        assert grey.sum() == 8
        assert not grey[0, 0]  # what it colours lies beyond the corner of the edge
        assert (plane[:, :2] == 200).all()
        assert (plane[4:] == 200).all()


def test_a_box_darkens_what_is_behind_as_much_as_asked() -> None:
    for box, left in ((255, 0), (128, 100), (0, 200)):
        luma, *chroma = stamped(flat(16, 16, 200, 90), np.zeros((4, 6), np.uint8), 4, 4, box=box)
        assert abs(int(luma[6, 6]) - left) <= 1
        assert luma[0, 0] == 200
        assert chroma[0][3, 3] == {255: 128, 128: 109, 0: 90}[box]


@pytest.mark.parametrize(("x", "y"), [(-4, 0), (0, -4), (20, 3), (3, 12), (-16384, 16384)])
def test_writing_beside_the_picture_changes_nothing(x, y) -> None:
    planes = flat(19, 11, 77, 88)
    assert all(map(np.array_equal, stamped(planes, LETTER, x, y, box=255), planes))


def test_writing_at_the_corners_is_cut_off() -> None:
    planes = flat(19, 11, 77, 88)
    for x, y in ((-1, -1), (17, -1), (-1, 9), (17, 9)):
        luma, *_ = stamped(planes, LETTER, x, y)
        assert luma[min(max(y + 1, 0), 10), min(max(x + 1, 0), 18)] == 255
        assert 4 <= (luma != 77).sum() <= 16


def test_what_cannot_be_is_refused_and_nothing_is_written() -> None:
    for arguments, said in (
        ((LETTER, 3, 4), "the writing's plane 0 has 9 bytes where 3x4 samples .* need 12"),
        ((LETTER, 0, 3), "width is 0"),
        ((bytes(5000), 5000, 1), "the limit is 4096x4096"),
    ):
        with pytest.raises(ValueError, match=said):
            scale.Stamp(*arguments)
    for level in ("light", "dark", "box"):
        with pytest.raises(ValueError, match=f"{level} is 256"):
            scale.Stamp(LETTER, 3, 3, **{level: 256})
    stamp = scale.Stamp(LETTER, 3, 3)
    planes = roomy(flat(19, 11, 77, 88), 0)
    for arguments, said in (
        ((planes[:2], 19, 11, 0, 0), "the target has 2 planes"),
        ((planes, 20, 11, 0, 0), "target's plane 0: a stride of 19 is less"),
        ((planes, 19, 12, 0, 0), "target's plane 0 has 209 bytes"),
        ((planes, 19, 0, 0, 0), "height is 0"),
        ((planes, 19, 11, 1 << 40, 0), "not near the picture"),
        (([planes[0], planes[1], planes[1]], 19, 11, 0, 0), "target's planes 1 and 2 overlap"),
    ):
        with pytest.raises(ValueError, match=said):
            stamp.put(*arguments)
    assert all((plane == level).all() for (plane, _), level in zip(planes, (77, 88, 88), strict=True))
