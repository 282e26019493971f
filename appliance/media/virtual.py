"""Virtual files: files whose every byte is known before any is read, made of recorded samples and of what a container
puts round them.

A virtual file is a row of *pieces*: bytes, or *rows*, that is samples one behind the other, each behind a head of its
own.  So its length is exact, and any stretch of it can be made by itself.  `appliance.media.virtual_mp4`, `.matroska`
and `.avi` lay them out; whoever has the files fills them (`appliance.recorder.assembling`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]
    Sizes = npt.NDArray[np.int32]
    Bytes = npt.NDArray[np.uint8]

    Piece = bytes | tuple[int, int]

#: A layout of more samples than this is refused: it takes some 40 bytes of memory for each.  Twelve hours with sound.
ROWS_LIMIT: Final = 4_000_000


class LayoutError(ValueError):
    """What was recorded cannot be put into this form.  ``code`` is stable."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint


@dataclass(frozen=True, eq=False)
class Rows:
    """Samples as they stand in a virtual file: head, what is inserted, the sample, zeros up to ``align``.

    Columns of equal length: ``file`` (a number), ``offset`` and ``size`` of the sample in it, ``insert``
    (a number in ``inserts``), ``start_codes`` (lengths of NAL units become start codes).  ``heads`` has a line a row.
    """

    file: Sizes = field(repr=False)
    offset: Ints = field(repr=False)
    size: Sizes = field(repr=False)
    heads: Bytes = field(repr=False)
    insert: Bytes = field(repr=False)
    inserts: tuple[bytes, ...]
    start_codes: Bytes = field(repr=False)
    align: int = 1

    def __len__(self) -> int:
        return len(self.file)

    @cached_property
    def starts(self) -> Ints:
        """Where each row begins, counted from the first one, and where the last one ends."""
        starts = np.zeros(len(self) + 1, np.int64)
        np.cumsum(self.lengths, out=starts[1:])
        return starts

    @cached_property
    def _changes(self) -> npt.NDArray[np.intp]:
        return np.flatnonzero(np.diff(self.file)) + 1

    def same_file(self, row: int) -> int:
        """The first row behind this one that is of another file; or how many there are."""
        number = int(np.searchsorted(self._changes, row, "right"))
        return int(self._changes[number]) if number < len(self._changes) else len(self)

    @cached_property
    def bodies(self) -> Ints:
        """The bytes of each row without its head and the zeros behind it."""
        if len(self.inserts) == 1:
            return self.size.astype(np.int64) + len(self.inserts[0])
        bodies: Ints = np.array([len(text) for text in self.inserts], np.int64)[self.insert]
        bodies += self.size
        return bodies

    @property
    def lengths(self) -> Ints:
        """The bytes of each row."""
        lengths: Ints = self.bodies + self.heads.shape[1]
        if self.align > 1:  # a power of two
            lengths += self.align - 1
            lengths &= -self.align
        return lengths


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
        self.pieces = [piece for piece in pieces if len(piece) if isinstance(piece, tuple) or piece]
        sizes = [
            len(piece) if isinstance(piece, bytes) else int(rows.starts[piece[1]] - rows.starts[piece[0]])
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
        if isinstance(piece, bytes):
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
            behind = min(stop, self.rows.same_file(row))
            begins, ends = int(starts[row]), int(starts[behind])
            skip = max(0, start - begins)
            yield Run(int(self.rows.file[row]), row, behind, skip, min(ends, end) - begins - skip)
            row = behind
