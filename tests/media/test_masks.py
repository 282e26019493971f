"""Privacy masks as values: what is one, what is none and why, as text and as it is kept."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from appliance._native import scale
from appliance.base.faults import Fault
from appliance.media import masks
from appliance.media.masks import EVERYTHING, NO_MASK, checked, from_kept, kept, parse_mask, show_mask

CORNER = ((0.0, 0.0), (0.4, 0.0), (0.4, 0.3))
OTHER = ((0.8, 0.5), (1.0, 0.5), (1.0, 1.0), (0.8, 1.0))


@pytest.mark.parametrize(("text", "mask"), [
    ("", NO_MASK), (" ", NO_MASK), ("none", NO_MASK), (" none ", NO_MASK),
    ("0,0 0.4,0 0.4,0.3", (CORNER,)),
    ("0,0  .4,0\t0.40,3e-1", (CORNER,)),
    ("0,0 0.4,0 0.4,0.3; 0.8,0.5 1,0.5 1,1 0.8,1", (CORNER, OTHER)),
    ("0,0 0.4,0 0.4,0.3;0.8,0.5 1,0.5 1,1 0.8,1", (CORNER, OTHER)),
])  # fmt: skip
def test_a_text_is_read(text: str, mask: masks.Mask) -> None:
    assert parse_mask(text) == mask


@pytest.mark.parametrize(("text", "said"), [
    ("0,0 1,1", "Polygon 1 of the mask has 2 points"),
    ("0,0 0.4,0 0.4,0.3;", "Polygon 2 of the mask has 0 points"),
    ("0,0 0.4,0 0.4", "“0.4” is not a point"),
    ("0,0 0.4,0 0.4,0.3,0.2", "“0.4,0.3,0.2” is not a point"),
    ("left upper corner", "“left” is not a point"),
    ("0,0 0.4,0 0.4,nan", "0.4,nan of polygon 1 is not within the picture"),
    ("0,0 0.4,0 inf,0.5", "inf,0.5 of polygon 1 is not within the picture"),
    ("0,0 0.4,0 0.4,1.01", "0.4,1.01 of polygon 1 is not within the picture"),
    ("0,0 0.4,0 -0.1,0.5", "-0.1,0.5 of polygon 1 is not within the picture"),
    ("0,0 0.5,0.5 1,1", "The points of polygon 1 lie on one line"),
    ("0.5,0.5 0.5,0.5 0.5,0.5", "The points of polygon 1 lie on one line"),
    (";".join(["0,0 0,1 1,0"] * 65), "The mask has 65 polygons"),
    (" ".join(["0,0 0,1 1,0"] * 171), "The mask has 513 points"),
    ("0" * 40_000, "too long"),
])  # fmt: skip
def test_what_is_no_mask_is_said(text: str, said: str) -> None:
    with pytest.raises(Fault) as caught:
        parse_mask(text)
    assert (caught.value.code, caught.value.field) == ("invalid_mask", "mask")
    assert said in caught.value.message
    assert caught.value.hint


def test_a_point_has_two_numbers() -> None:
    with pytest.raises(Fault, match="has 3 numbers"):
        checked([[(0, 0, 0), (1, 1, 1), (0, 1, 0)]])


def test_as_much_as_is_taken_is_what_the_scaler_takes() -> None:
    assert (masks.MOST_POLYGONS, masks.MOST_POINTS) == (scale.POLYGONS, scale.POINTS)
    most = checked([[(n / 64, 0.0), (n / 64, 1.0), ((n + 1) / 64, 0.0)] + [(n / 64, 0.5)] * 5 for n in range(64)])
    scale.Scaler(64, 64, 32, 32, polygons=most)
    with pytest.raises(Fault, match="513 points"):
        checked([*most[1:], (*most[0], (0.5, 0.5))])


numbers = st.floats(0, 1, allow_nan=False)
polygons = st.lists(st.lists(st.tuples(numbers, numbers), min_size=3, max_size=8), min_size=1, max_size=4)


@given(polygons)
def test_a_mask_is_the_same_after_being_written_and_read(given_polygons: list[list[tuple[float, float]]]) -> None:
    try:
        mask = checked(given_polygons)
    except Fault:
        assume(False)
        return
    assert parse_mask(show_mask(mask)) == mask == from_kept(kept(mask))


@given(st.text(alphabet="01., ;e-n") | st.text())
def test_any_text_is_a_mask_or_a_fault(text: str) -> None:
    try:
        mask = parse_mask(text)
    except Fault:
        return
    assert all(0 <= value <= 1 and math.isfinite(value) for polygon in mask for point in polygon for value in point)
    scale.Scaler(16, 16, 8, 8, polygons=mask)


@pytest.mark.parametrize("text", [
    "", "null", "[]", "{}", "[[]]", "[[[0, 0], [1, 1]]]", "[[0, 1, 2]]", "[[[0, 2], [1, 1], [0, 0]]]", "[" * 9999,
    '[[["a", 0], [1, 1], [0, 1]]]', json.dumps([[[0, 0]] * 600]),
])  # fmt: skip
def test_what_is_kept_and_damaged_is_noticed(text: str) -> None:
    with pytest.raises(ValueError, match="mask"):
        from_kept(text)
    assert from_kept(None) == NO_MASK
    assert from_kept(kept(EVERYTHING)) == EVERYTHING
