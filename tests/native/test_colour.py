"""The colours of HDTV and UHDTV become those of JPEG as they do by way of RGB."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance._native.colour import to_bt601
from tests.reference import colour as reference


@given(st.integers(1, 33), st.integers(1, 17), st.integers(0, 2**32 - 1), st.booleans())
def test_the_kernel_agrees_with_its_twin(width: int, height: int, seed: int, bt2020: bool) -> None:
    random = np.random.default_rng(seed)
    half = ((height + 1) // 2, (width + 1) // 2)
    planes = [random.integers(0, 256, shape, np.uint8) for shape in ((height, width), half, half)]
    twin = [plane.copy() for plane in planes]
    to_bt601(*planes, bt2020=bt2020)
    reference.to_bt601(*twin, bt2020=bt2020)
    for ours, theirs in zip(planes, twin, strict=True):
        assert np.abs(ours.astype(int) - theirs).max() <= 1


@pytest.mark.parametrize("bt2020", [False, True])
def test_grey_stays_as_it_is(bt2020: bool) -> None:
    y, u, v = np.arange(256, dtype=np.uint8).reshape(16, 16), *np.full((2, 8, 8), 128, np.uint8)
    before = y.copy()
    to_bt601(y, u, v, bt2020=bt2020)
    assert (y == before).all()
    assert (u == 128).all()
    assert (v == 128).all()


@pytest.mark.parametrize("shapes", [((4, 4), (2, 2), (2, 3)), ((4, 4), (4, 4), (4, 4)), ((0, 0), (0, 0), (0, 0))])
def test_planes_that_do_not_belong_together_are_refused(shapes) -> None:
    with pytest.raises(ValueError, match="different pictures"):
        to_bt601(*(np.zeros(shape, np.uint8) for shape in shapes))
