"""NAL units and groups of pictures: the kernels agree with their twins whatever the bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance._native import gop, nal
from tests.reference import gop as gop_reference
from tests.reference import nal as nal_reference

if TYPE_CHECKING:
    from collections.abc import Callable

IDR, P, RECOVERY = b"\x65\x88\x84" + b"\0\0\3\1" * 9, b"\x41\x9a\x11" * 7, b"\x06\x06\x01\xc4\x80"
UNITS = [[b"\x67\x42\0\x1e\x95", b"\x68\xce\x3c\x80", IDR], [P], [RECOVERY, b"\x61\x88\x80"], [b"\x09\xf0", P, P]]

SEEDS = [b"".join(len(unit).to_bytes(4, "big") + unit for unit in units) for units in UNITS]
SEEDS += [b"".join(b"\0\0\0\1" + unit for unit in units) for units in UNITS]
SEEDS += [b"\0\0\1" * 40, b"\0" * 60, b"\x06\xff" * 30]


def check(data: bytes) -> None:
    for limit in (3, 1000):
        assert _outcome(nal.find_nals, data, limit) == _outcome(nal_reference.find_nals, data, limit)
        assert _outcome(nal.annexb_to_avcc, data, limit) == _outcome(nal_reference.annexb_to_avcc, data, limit)
        assert _outcome(nal.split_avcc, data, limit) == _outcome(nal_reference.split_avcc, data, limit)
    assert _outcome(nal.avcc_to_annexb, data) == _outcome(nal_reference.avcc_to_annexb, data)
    assert gop.describe(data) == gop_reference.describe(data)


def _outcome(function: Callable[..., object], *arguments: object) -> object:
    try:
        return function(*arguments)
    except ValueError as error:
        return str(error)
