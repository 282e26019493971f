"""The twin of `appliance._native.samples`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Column = npt.NDArray[np.int64]


def unpack(
    plain: bytes, widths: tuple[int, ...], dts: Column, duration: Column, composition: Column, size: Column
) -> None:
    """See there."""
    count = len(dts)
    if len(plain) != count * (1 + sum(widths)):
        raise ValueError("its size and its count disagree")
    kinds = [flag & 1 for flag in plain[:count]]
    at = count
    for column, width in zip((dts, duration, composition, size), widths, strict=True):
        for row in range(count):
            number = bytes(plain[at + plane * count + row] for plane in range(width))
            column[row] = int.from_bytes(number, "big", signed=True)
        at += count * width
    ends = [0, 0]
    for row, kind in enumerate(kinds):
        begins = ends[kind] + int(dts[row])
        dts[row] = _wrapped(begins)
        ends[kind] = begins + int(duration[row])


def _wrapped(number: int) -> int:
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)
