"""The scaler: whatever sizes, strides and buffers it is given, it does what its twin does or says what is wrong."""

from __future__ import annotations

import struct

import numpy as np

from appliance._native import scale
from tests.native.planes import plane_sizes
from tests.reference import scale as reference

#: Sizes, room beside the rows of source and target, what buffers lack, layout, flags, points of a mask.
HEAD = struct.Struct("<HHHHbbbbBB")
LAYOUTS = sorted(scale.LAYOUTS)
MOST_SAMPLES = 3000


def _seed(size: tuple[int, int, int, int], room: int, layout: str, flags: int, rest: bytes = b"") -> bytes:
    return HEAD.pack(*size, room, room, 0, 0, LAYOUTS.index(layout), flags) + rest


SEEDS = [
    _seed((64, 40, 32, 20), 0, "420", 1),
    _seed((96, 30, 32, 10), 3, "422", 0, bytes(range(200))),
    _seed((66, 31, 40, 17), 0, "nv12", 1 | 2 << 1, b"\0\0\xff\0\x80\xff" * 2),
    _seed((64, 8, 16, 2), 1, "444", 3 << 1 | 1, b"\x10\x20\x30\x40\x50\x60\x70"),
    _seed((70, 42, 10, 7), 0, "gray", 1 << 1, bytes(60)),
    _seed((47, 33, 47, 33), 9, "420", 0),
    _seed((3, 2, 1, 1), 0, "420", 1),
]


def check(data: bytes) -> None:
    data = data.ljust(HEAD.size, b"\0")
    *size, room_in, room_out, lacking_in, lacking_out, layout, flags = HEAD.unpack_from(data)
    layout, rest = LAYOUTS[layout % len(LAYOUTS)], data[HEAD.size :]
    width, height, *shown = size
    turn, expand, portable = (flags >> 1) % 4 * 90, bool(flags & 1), bool(flags & 8)
    polygons = [
        [(x / 255, y / 255) for x, y in zip(part[::2], part[1::2], strict=False)] for part in (rest[:12], rest[12:20])
    ]
    options = {"layout": layout, "expand": expand, "turn": turn, "polygons": [each for each in polygons if each]}
    out = shown[::-1] if turn in (90, 270) else shown
    possible = 0 < out[0] <= width <= scale.MOST and 0 < out[1] <= height <= scale.MOST
    possible = possible and all(len(each) >= 3 for each in options["polygons"])
    if possible and width * height > MOST_SAMPLES:
        return  # the same as smaller ones, but slow in the twin
    try:
        scaler = scale.Scaler(width, height, *shown, portable=portable, **options)
    except ValueError:
        assert not possible
        return
    assert possible

    noise = np.frombuffer(rest or b"\x5a", np.uint8)
    source = [np.resize(noise, (rows, wide)) for wide, rows in plane_sizes(width, height, layout)]
    lent = [_lent(plane, room_in, lacking_in) for plane in source]
    target = [_lent(np.zeros((rows, wide), np.uint8), room_out, lacking_out) for wide, rows in scaler.sizes]
    before = [bytes(held) for held, _ in target]
    try:
        scaler.scale(lent, target)
    except ValueError:
        assert room_in < 0 or room_out < 0 or lacking_in > 0 or lacking_out > 0
        assert before == [bytes(held) for held, _ in target]
        return
    assert room_in >= 0
    assert room_out >= 0
    assert lacking_in <= 0
    assert lacking_out <= 0
    expected = reference.scale(source, (shown[0], shown[1]), **options)
    for (held, stride), plane in zip(target, expected, strict=True):
        assert bytes(held) == bytes(_lent(plane, stride - plane.shape[1], lacking_out)[0])


def _lent(plane: np.ndarray, room: int, lacking: int) -> tuple[bytearray, int]:
    """In rows with room between them, in a buffer that lacks so many bytes at its end."""
    height, width = plane.shape
    stride = width + room
    held = np.full((height, max(stride, width)), 0xA5, np.uint8)
    held[:, :width] = plane
    size = max(0, held.shape[1] * (height - 1) + width - lacking)
    return bytearray(held.tobytes().ljust(size, b"\xa5")[:size]), stride
