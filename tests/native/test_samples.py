"""The kernel that unpacks sample tables writes what its twin writes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance._native.samples import unpack
from tests.reference import samples as reference

WIDTH = st.sampled_from((0, 1, 2, 4, 8))


def columns(count: int) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    return [np.full(count, 77, np.int64) for _ in range(4)]


@given(st.integers(0, 40), st.tuples(WIDTH, WIDTH, WIDTH, WIDTH), st.data())
def test_numbers_are_those_of_the_twin(count: int, widths: tuple[int, ...], data: st.DataObject) -> None:
    length = count * (1 + sum(widths))
    plain = data.draw(st.binary(min_size=length, max_size=length))
    found, wanted = columns(count), columns(count)
    unpack(plain, widths, *found)
    reference.unpack(plain, widths, *wanted)
    assert [each.tolist() for each in found] == [each.tolist() for each in wanted]


def test_what_does_not_fit_is_refused() -> None:
    for function in (unpack, reference.unpack):
        with pytest.raises(ValueError, match="disagree"):
            function(bytes(9), (1, 1, 1, 1), *columns(2))
    with pytest.raises(ValueError, match="width"):
        unpack(bytes(10), (9, -1, 0, 1), *columns(1))
    with pytest.raises(ValueError, match="lengths"):
        unpack(bytes(10), (1, 1, 1, 1), *columns(2)[:3], np.empty(1, np.int64))
