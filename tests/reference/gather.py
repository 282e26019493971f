"""Rows of a virtual file, one after the other."""

from __future__ import annotations

import os
from typing import Any


def with_start_codes(data: bytes) -> bytes:
    """Lengths become start codes, up to one that leads out of the sample."""
    done, at = bytearray(data), 0
    while at + 4 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if at + 4 + length > len(data):
            break
        done[at : at + 4] = b"\0\0\0\1"
        at += 4 + length
    return bytes(done)


def gather(
    fd: int,
    out: bytearray,
    offset: Any,
    size: Any,
    heads: Any,
    insert: Any,
    inserts: tuple[bytes, ...],
    start_codes: Any,
    first: int,
    last: int,
    align: int,
) -> int:
    made = bytearray()
    for row in range(first, last):
        data = os.pread(fd, int(size[row]), int(offset[row]))
        if len(data) < size[row]:
            raise EOFError("the file ends before its samples do")
        if start_codes[row]:
            data = with_start_codes(data)
        unit = heads[row].tobytes() + inserts[insert[row]] + data
        made += unit + bytes(-len(unit) % align)
    if len(made) > len(out):
        raise ValueError("no room for the rows")
    out[: len(made)] = made
    return len(made)
