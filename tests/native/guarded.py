"""Planes that lie between two pages which may not be touched; prints how many pictures were scaled."""

from __future__ import annotations

import ctypes
import mmap

import numpy as np

from appliance._native import scale
from tests.native.planes import plane_sizes

PAGE = mmap.PAGESIZE
NOT_AT_ALL = 0
READ_WRITE = mmap.PROT_READ | mmap.PROT_WRITE


class Guarded:
    """Room for a plane that begins, or ends, where the guard does."""

    def __init__(self, size: int) -> None:
        self.pages = -(-size // PAGE)
        self.map = mmap.mmap(-1, (self.pages + 2) * PAGE)
        self.start = ctypes.addressof(ctypes.c_char.from_buffer(self.map))
        self._protect(NOT_AT_ALL)

    def plane(self, size: int, *, at_end: bool) -> np.ndarray:
        start = (self.pages + 1) * PAGE - size if at_end else PAGE
        return np.frombuffer(self.map, np.uint8)[start : start + size]

    def _protect(self, how: int) -> None:
        protect = ctypes.CDLL(None, use_errno=True).mprotect
        for guard in (0, self.pages + 1):
            address = ctypes.c_void_p(self.start + guard * PAGE)
            if protect(address, ctypes.c_size_t(PAGE), ctypes.c_int(how)):
                raise OSError(ctypes.get_errno(), "mprotect")


def run() -> int:
    rooms = [Guarded(700 * 80) for _ in range(6)]
    done = 0
    for width, height, out_width, out_height in _sizes():
        for layout in scale.LAYOUTS:
            for portable, at_end, room in ((False, False, 0), (False, True, 0), (False, True, 5), (True, True, 0)):
                scaler = scale.Scaler(width, height, out_width, out_height, layout=layout, portable=portable,
                                      polygons=[[(0, 0), (1, 0.9), (0.5, 1)]], turn=180 if room else 0)  # fmt: skip
                lent = iter(rooms)
                source, target = (
                    [
                        (next(lent).plane((wide + room) * (rows - 1) + wide, at_end=at_end), wide + room)
                        for wide, rows in sizes
                    ]
                    for sizes in (plane_sizes(width, height, layout), scaler.sizes)
                )
                scaler.scale(source, target)
                done += 1
    return done


def _sizes() -> list[tuple[int, int, int, int]]:
    whole = [
        (across * wide, down * 6, wide, 6) for across in range(1, 8) for down in (1, 2, 5) for wide in (33, 64, 95)
    ]
    return whole + [(width, 40, out, 17) for width in (95, 128, 257) for out in (3, 50, 90)]


if __name__ == "__main__":
    print(run())
