"""The NAL kernel does what its twin does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance._native import nal
from tests.reference import nal as reference

BOTH = pytest.mark.parametrize("kernel", [reference, nal], ids=["reference", "native"])
PIECES = st.lists(
    st.sampled_from([b"\0", b"\1", b"\0\0\1", b"\0\0\0\1", b"\x65\x88", b"\xff" * 40]) | st.binary(max_size=70)
).map(b"".join)


@BOTH
@pytest.mark.parametrize(
    ("data", "spans"),
    [
        (b"", []),
        (b"\0\0\1", []),
        (b"\0\0\1\x65", [(3, 4)]),
        (b"\0\0\0\1\x67\x42\0\0\0\1\x68\0\0\1\x65\x11", [(4, 6), (10, 11), (14, 16)]),
        (b"garbage\0\0\1\x41\0\0\0", [(10, 11)]),
        (b"\0\0\1\0\0\1\x41", [(6, 7)]),
    ],
)
def test_units_stand_between_start_codes(kernel, data, spans) -> None:
    assert kernel.find_nals(data) == spans


@given(PIECES)
def test_finding_agrees_with_the_reference(data: bytes) -> None:
    assert nal.find_nals(data, 10_000) == reference.find_nals(data, 10_000)
    assert nal.annexb_to_avcc(data, 10_000) == reference.annexb_to_avcc(data, 10_000)


def outcome(function, data):
    try:
        return function(data)
    except ValueError as error:
        return str(error)


@given(PIECES | st.lists(st.binary(min_size=1, max_size=50).map(lambda b: len(b).to_bytes(4, "big") + b)).map(b"".join))
def test_length_prefixed_data_is_read_the_same(data: bytes) -> None:
    assert outcome(nal.split_avcc, data) == outcome(reference.split_avcc, data)
    assert outcome(nal.avcc_to_annexb, data) == outcome(reference.avcc_to_annexb, data)


@given(st.lists(st.binary(min_size=1, max_size=50).filter(lambda b: b[-1] and b"\0\0\1" not in b"\0" + b), max_size=20))
def test_both_forms_hold_the_same_units(units: list[bytes]) -> None:
    avcc = b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)
    assert nal.annexb_to_avcc(nal.avcc_to_annexb(avcc)) == avcc
    assert [avcc[start:end] for start, end in nal.split_avcc(avcc)] == units


@BOTH
def test_too_many_units_are_an_error(kernel) -> None:
    with pytest.raises(ValueError, match="more than 3 NAL units"):
        kernel.find_nals(b"\0\0\1\x41" * 4, 3)
    with pytest.raises(ValueError, match="more than 3 NAL units"):
        kernel.split_avcc(b"\0\0\0\1\x41" * 4, 3)
