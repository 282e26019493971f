"""Virtual files: files whose every byte is known before any is read, made of recorded samples and of what a container
puts round them.

A virtual file is a row of *pieces*: bytes, bytes that are made when they are read, or *rows*, that is samples one
behind the other, each behind a head of its own.  So its length is exact, and any stretch of it can be made by itself.
`appliance.media.virtual_mp4`, `.matroska` and `.avi` lay them out; whoever has the files fills them
(`appliance.recorder.assembling`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]
    Sizes = npt.NDArray[np.int32]
    Bytes = npt.NDArray[np.uint8]

#: A layout of more samples than this is refused: making it takes some 40 bytes of memory for each.  Twelve hours with
#: sound.
ROWS_LIMIT: Final = 4_000_000
#: So many rows are worked on at once: what is needed meanwhile stays in the processor's cache, and memory that a
#: process has used already is used again.
CHUNK: Final = 1 << 13


class LayoutError(ValueError):
    """What was recorded cannot be put into this form.  ``code`` is stable."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Some rows, column by column: ``offset`` and ``size`` of the sample in its file, ``heads`` (a line a row),
    ``insert`` (a number in the rows' ``inserts``), ``start_codes`` (lengths of NAL units become start codes).
    """

    offset: Ints
    size: Sizes
    heads: Bytes
    insert: Bytes
    start_codes: Bytes


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Samples as they stand in a virtual file: head, what is inserted, the sample, zeros up to ``align``.

    ``starts``: where each row begins, counted from the first one, and where the last one ends.  ``files``: numbers of
    the files that they are from, of which the rows from ``firsts`` on are.  ``columns`` makes the columns of some rows.
    """

    starts: Ints = field(repr=False)
    files: Ints = field(repr=False)
    firsts: Ints = field(repr=False)
    columns: Callable[[int, int], Columns] = field(repr=False)
    inserts: tuple[bytes, ...]
    align: int = 1

    def __len__(self) -> int:
        return len(self.starts) - 1

    def run_of(self, row: int) -> tuple[int, int]:
        """The file that a row is of, and the first row behind it that is of another; or how many there are."""
        number = int(np.searchsorted(self.firsts, row, "right"))
        return int(self.files[number - 1]), int(self.firsts[number]) if number < len(self.firsts) else len(self)


def starts_of(lengths: npt.NDArray[np.integer]) -> Ints:
    """Where rows of these lengths begin, and where the last one ends."""
    starts = np.empty(len(lengths) + 1, np.int64)
    starts[0] = 0
    np.cumsum(lengths, out=starts[1:])
    return starts


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """Bytes that are made when they are read: how many, and what makes those from one place to another."""

    length: int
    make: Callable[[int, int], bytes]

    def __len__(self) -> int:
        return self.length


Piece = bytes | tuple[int, int] | Made


@dataclass(frozen=True, slots=True)
class Run:
    """Rows of one file that stand together; of their bytes, those from ``skip`` on, ``keep`` of them."""

    file: int
    first: int
    last: int
    skip: int
    keep: int


class Virtual:
    """A virtual file."""

    def __init__(self, rows: Rows, pieces: Sequence[Piece]) -> None:
        """``pieces``: bytes, or the first row and the one behind the last."""
        self.rows = rows
        self.pieces = [piece for piece in pieces if len(piece)]
        sizes = [
            int(rows.starts[piece[1]] - rows.starts[piece[0]]) if isinstance(piece, tuple) else len(piece)
            for piece in self.pieces
        ]
        self._at = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.array(sizes, np.int64))))

    @property
    def length(self) -> int:
        """Bytes of the whole file."""
        return int(self._at[-1])

    def cut(self, start: int, most: int) -> int:
        """Where a stretch from ``start`` on is best ended: behind a whole row, at most ``most`` bytes further."""
        end = min(start + most, self.length)
        if end == self.length:
            return end
        number = int(np.searchsorted(self._at, end, "right")) - 1
        piece, at = self.pieces[number], int(self._at[number])
        if not isinstance(piece, tuple):
            return end
        origin = int(self.rows.starts[piece[0]])
        row = int(np.searchsorted(self.rows.starts, origin + end - at, "right")) - 1
        whole = at + int(self.rows.starts[row]) - origin
        return whole if whole > start else end

    def parts(self, start: int, end: int) -> Iterator[bytes | memoryview | Run]:
        """What the bytes from ``start`` to ``end`` are made of."""
        number = int(np.searchsorted(self._at, start, "right")) - 1
        while start < end:
            piece, at = self.pieces[number], int(self._at[number])
            stop = min(end, int(self._at[number + 1]))
            if isinstance(piece, bytes):
                yield memoryview(piece)[start - at : stop - at]
            elif isinstance(piece, Made):
                yield piece.make(start - at, stop - at)
            else:
                yield from self._runs(*piece, start - at, stop - at)
            start = stop
            number += 1

    def _runs(self, first: int, last: int, start: int, end: int) -> Iterator[Run]:
        starts = self.rows.starts
        origin = int(starts[first])
        start, end = start + origin, end + origin
        row = int(np.searchsorted(starts, start, "right")) - 1
        stop = min(last, int(np.searchsorted(starts, end, "left")))
        while row < stop:
            file, behind = self.rows.run_of(row)
            behind = min(stop, behind)
            begins, ends = int(starts[row]), int(starts[behind])
            skip = max(0, start - begins)
            yield Run(file, row, behind, skip, min(ends, end) - begins - skip)
            row = behind
