"""The indexes of an AVI: a box of one line for each row, made as far as it is read."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

import numpy as np

from appliance.media.avi_rows import chunk_name
from appliance.media.virtual import Made

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from appliance.media.avi_rows import AviRows

    Lines = npt.NDArray[np.uint32]

_KEY: Final = 0x10
_NO_KEY: Final = 1 << 31
#: What a row costs in both of them.
INDEXED: Final = 16 + 8


def standard_index(rows: AviRows, stream: int, first: int, last: int, base: int) -> tuple[Made, int]:
    """``ix##``: where the chunks of one stream are in one RIFF, whose ``movi`` has its content at ``base``; also how
    many there are."""
    before = rows.before(stream, first)
    count = rows.before(stream, last) - before
    origin = int(rows.starts[first]) - 8

    def lines(a: int, b: int) -> Lines:
        table = np.empty((b - a, 2), "<u4")
        done = 0
        start = max(first, rows.near(stream, before + a))
        number = rows.before(stream, start) - before  # of the row that comes next
        for piece in rows.pieces(start, last):
            chunks = rows.chunks(*piece)
            mine = np.flatnonzero(chunks.stream == stream)
            wanted = mine[max(0, a - number) : b - number]
            to = slice(done, done + len(wanted))
            table[to, 0] = rows.starts[piece[0] : piece[1]][wanted] - origin
            table[to, 1] = chunks.body[wanted]
            table[to, 1] |= np.where(chunks.is_key[wanted], np.uint32(0), np.uint32(_NO_KEY))
            number, done = number + len(mine), to.stop
            if number >= b:
                break
        return table

    said = struct.pack("<HBBI4sQI", 2, 0, 1, count, chunk_name(stream), base, 0)
    return _box(b"ix%02d" % stream, said, count, 8, lines), count


def old_index(rows: AviRows, first: int, last: int) -> Made:
    """``idx1``: all chunks of the first RIFF, counted from the word ``movi``."""
    origin = int(rows.starts[first]) - 4

    def lines(a: int, b: int) -> Lines:
        table = np.empty((b - a, 4), "<u4")
        for begins, ends in rows.pieces(first + a, first + b):
            chunks = rows.chunks(begins, ends)
            part = table[begins - first - a : ends - first - a]
            part[:, 0] = rows.names(chunks)
            part[:, 1] = np.where(chunks.is_key, np.uint32(_KEY), np.uint32(0))
            part[:, 2] = rows.starts[begins:ends] - origin
            part[:, 3] = chunks.body
        return table

    return _box(b"idx1", b"", last - first, 16, lines)


def _box(kind: bytes, said: bytes, count: int, width: int, lines: Callable[[int, int], Lines]) -> Made:
    """A box of so many lines of ``width`` bytes, which is even, behind what is said."""
    head = kind + struct.pack("<I", len(said) + count * width) + said

    def make(start: int, end: int) -> bytes:
        if end <= len(head):
            return head[start:end]
        a = max(0, start - len(head)) // width
        b = -((len(head) - end) // width)
        found = lines(a, b).tobytes()
        at = len(head) + a * width
        return head[start:] + found[max(0, start - at) : end - at]

    return Made(len(head) + count * width, make)
