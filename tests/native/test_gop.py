"""The kernel that describes access units does what its twin does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance._native import gop
from tests.reference import gop as reference

BOTH = pytest.mark.parametrize("kernel", [reference, gop], ids=["reference", "native"])


def avcc(*units: bytes) -> bytes:
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)


IDR = b"\x65\x88\x84\0"  # first_mb 0, slice type 7: all slices of the picture are I
P = b"\x41\x9a\0"  # first_mb 0, slice type 5: P
B = b"\x01\x9e\0"  # nal_ref_idc 0, slice type 6: B
RECOVERY = b"\x06\x06\x01\xc4\x80"  # SEI: recovery point, recovery_frame_cnt 0


@BOTH
@pytest.mark.parametrize(
    ("data", "described"),
    [
        (b"", (0, -1)),
        (avcc(IDR), (gop.PICTURE | gop.IS_IDR | gop.REFERENCE | gop.INTRA, -1)),
        (avcc(P), (gop.PICTURE | gop.REFERENCE, -1)),
        (avcc(B), (gop.PICTURE, -1)),
        (avcc(RECOVERY, b"\x61\x88\x80"), (gop.PICTURE | gop.REFERENCE | gop.INTRA, 0)),
        (avcc(b"\x67\x42", b"\x68\xce", IDR), (gop.PICTURE | gop.IS_IDR | gop.REFERENCE | gop.INTRA | 4, -1)),
        (avcc(P) + b"\0\0", (gop.PICTURE | gop.REFERENCE | gop.DAMAGED, -1)),
        (avcc(b"\x65"), (gop.PICTURE | gop.IS_IDR | gop.REFERENCE | gop.DAMAGED, -1)),
        (avcc(b"\x06\x04\xff\xff"), (0, -1)),
        # a first code with 32 leading zeros, which none has; found by a long fuzz run
        (avcc(b"\x41" + bytes(4) + b"\x80" + bytes(3) + b"\x40"), (gop.PICTURE | gop.REFERENCE | gop.DAMAGED, -1)),
    ],
)
def test_units_are_described_by_their_headers(kernel, data, described) -> None:
    assert kernel.describe(data) == described


HEADERS = st.sampled_from([b"\x65", b"\x41", b"\x01", b"\x06", b"\x06\x06", b"\x67", b"\x68", b"\x06\x05\x03\0\0\3"])
UNITS = st.builds(lambda head, body: head + body, HEADERS, st.binary(max_size=40))


@given(st.lists(UNITS, max_size=8).map(lambda units: avcc(*units)) | st.binary(max_size=200), st.integers(0, 40))
def test_native_agrees_with_the_reference(data: bytes, cut: int) -> None:
    for piece in (data, data[: max(0, len(data) - cut)]):
        assert gop.describe(piece) == reference.describe(piece)
