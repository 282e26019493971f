"""The chunks of an AVI (`Rows`).

What is said of each is made of the samples when it is needed, some thousand rows at a time: a file of hours is laid out
for its end, or for its first bytes, and most of it is never read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from appliance.media.aac_silence import silence
from appliance.media.avi_order import added, streams_of, taken
from appliance.media.sample_table import SYNC
from appliance.media.virtual import CHUNK, Columns, LayoutError, Rows
from appliance.media.virtual_sets import inserted_sets, inserts_before, start_codes_before

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from appliance.media.avi_slots import Slots
    from appliance.media.selection import Selection
    from appliance.media.units import AudioFormat

    Ints = npt.NDArray[np.int64]
    Sizes = npt.NDArray[np.int32]
    Bytes = npt.NDArray[np.uint8]
    Mask = npt.NDArray[np.bool_]

T = TypeVar("T", bound=np.generic)

#: Those whose parameter sets stand in the stream; those of MPEG-4 stand in the header, as players expect.
IN_STREAM: Final = ("h264", "h265")
_HEAD: Final = 8
_ALIGN: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class Chunks:
    """Some rows: of which stream each is, what is inserted, its bytes without head, those of the sample.

    ``is_new``: which ones have no content; None: all have.
    """

    stream: Bytes
    insert: Bytes
    body: Sizes
    size: Sizes
    flags: Bytes
    is_new: Mask | None
    samples: slice

    @property
    def is_key(self) -> Mask:
        """Whether decoding can start there."""
        found: Mask = (self.stream > 0) | (self.flags & np.uint8(SYNC) != 0)
        return found


class AviRows:
    """See the module.  ``largest``: the bytes of the largest chunk; ``total``: those of each stream's together."""

    def __init__(self, selection: Selection, slots: Sequence[Slots]) -> None:
        """Raises `LayoutError`."""
        self.samples = taken(selection, slots)
        self._added = added(self.samples, slots)
        self._has_start_codes = selection.codec in IN_STREAM
        sets = inserted_sets(selection, start_codes_before, always=self._has_start_codes)
        self._has_sets = len(sets) > 1
        self._first_silence = len(sets) - 1  # of the stream 1, that is
        silences = tuple(_silence(audio) for audio in selection.sounds) if len(self._added.rows) else ()
        self.inserts = sets + silences
        self._inserted = np.array([len(text) for text in self.inserts], np.int32)
        self._names = np.frombuffer(b"".join(chunk_name(stream) for stream in range(len(slots))), "<u4")
        self._count = len(self.samples) + len(self._added.rows)
        self.starts = np.empty(self._count + 1, np.int64)
        #: Of each stream, how many rows come before each `CHUNK`.
        self._before = np.zeros((-(-self._count // CHUNK) + 1, len(slots)), np.int64)
        self.total = [0] * len(slots)
        self.largest = 0
        self._measure()

    def __len__(self) -> int:
        return self._count

    def _measure(self) -> None:
        self.starts[0] = at = 0
        for number, (first, last) in enumerate(self.pieces(0, self._count)):
            chunks = self.chunks(first, last)
            body, left = chunks.body, last - first
            lengths = body + np.int32(_HEAD + _ALIGN - 1)
            lengths &= -_ALIGN
            starts = self.starts[first + 1 : last + 1]
            np.cumsum(lengths, out=starts)
            starts += at
            at = int(starts[-1])
            self.largest = max(self.largest, int(body.max()))
            for stream in range(1, len(self.total)):
                mine = chunks.stream == stream
                count = int(np.count_nonzero(mine))
                self._before[number + 1, stream] = self._before[number, stream] + count
                self.total[stream] += int((body * mine).sum(dtype=np.int64))
                left -= count
            self._before[number + 1, 0] = self._before[number, 0] + left

    @staticmethod
    def pieces(first: int, last: int) -> Iterator[tuple[int, int]]:
        """These rows, some at a time."""
        while first < last:
            end = min(last, (first // CHUNK + 1) * CHUNK)
            yield first, end
            first = end

    def before(self, stream: int, row: int) -> int:
        """How many rows of a stream come before this one."""
        number, rest = divmod(row, CHUNK)
        known = int(self._before[number, stream])
        return known + int(np.count_nonzero(self.chunks(row - rest, row).stream == stream)) if rest else known

    def near(self, stream: int, number: int) -> int:
        """A row from which on the one with this number in a stream is to be looked for: it is not far."""
        return (int(np.searchsorted(self._before[:, stream], number, "right")) - 1) * CHUNK

    def chunks(self, first: int, last: int) -> Chunks:
        """What is known of the rows ``first`` to ``last``."""
        a, b = np.searchsorted(self._added.rows, (first, last)).tolist()
        samples = slice(first - a, last - b)
        flags, size = self.samples.flags[samples], self.samples.size[samples]
        stream = streams_of(flags, self.samples.format[samples])
        insert = (
            inserts_before(flags, self.samples.format[samples]) if self._has_sets else np.zeros(len(flags), np.uint8)
        )
        is_new: Mask | None = None
        if b > a:
            new, streams = self._added.rows[a:b] - first, self._added.streams[a:b]
            is_new = np.zeros(last - first, np.bool_)
            is_new[new] = True
            flags, stream, insert = (_spread(each, is_new) for each in (flags, stream, insert))
            size = _spread(size, is_new)
            stream[new] = streams
            insert[new] = np.where(streams > 0, self._first_silence + streams, 0)
        body = size + self._inserted.take(insert) if len(self.inserts) > 1 else size
        return Chunks(stream, insert, body, size, flags, is_new, samples)

    def columns(self, first: int, last: int) -> Columns:
        """See `Rows`."""
        chunks = self.chunks(first, last)
        heads = np.empty((last - first, 2), "<u4")
        heads[:, 0] = self.names(chunks)
        heads[:, 1] = chunks.body
        offset = self.samples.offset[chunks.samples].astype(np.int64)
        codes = (chunks.stream == 0) if self._has_start_codes else np.zeros(last - first, np.bool_)
        if chunks.is_new is not None:
            offset = _spread(offset, chunks.is_new)
            codes &= ~chunks.is_new
        return Columns(offset, chunks.size, heads.view(np.uint8), chunks.insert, codes.view(np.uint8))

    def names(self, chunks: Chunks) -> npt.NDArray[np.uint32]:
        """``00dc``, ``01wb`` …, as numbers."""
        return self._names[chunks.stream]

    def rows(self) -> Rows:
        firsts = self.samples.firsts + self._added.before(self.samples.firsts)
        firsts[0] = 0  # what comes before the first sample is of its file, if of any
        return Rows(self.starts, self.samples.files, firsts, self.columns, self.inserts, _ALIGN)


def chunk_name(stream: int) -> bytes:
    return b"%02d" % stream + (b"wb" if stream else b"dc")


def _spread(column: npt.NDArray[T], is_new: Mask) -> npt.NDArray[T]:
    """With zeros where there is no sample."""
    found = np.zeros(len(is_new), column.dtype)
    found[~is_new] = column
    return found


def _silence(audio: AudioFormat) -> bytes:
    try:
        return silence(audio.channels)
    except KeyError:
        raise LayoutError(
            "not_in_this_form", "An AVI file cannot have sound of so many channels.", "Ask for MP4 or MKV."
        ) from None
