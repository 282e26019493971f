"""What is in one recorded file, sample by sample: enough to find, seek and lay out anything without reading the file.

A recorded file is an init segment and fragments of one sample each, every one `OVERHEAD` bytes and its data
(`appliance.media.fmp4`).  So sizes are enough to know where each sample is.  Times are in ticks from the file's zero.
Kept as a blob of some 2 bytes a sample: columns, differences where they are small, no wider than they have to be,
deflated.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from appliance._native.fmp4 import OVERHEAD
from appliance._native.samples import unpack

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    Flags = npt.NDArray[np.uint8]
    Column = npt.NDArray[np.int64]

_VERSION: Final = 2
_HEAD: Final = struct.Struct(">BII4B")  # version, size of the init segment, samples, bytes of each number in a column
#: So many bytes a number: 0 where all are 0.
_WIDTHS: Final = (0, 1, 2, 4, 8)
#: More samples than this are in no file of a minute or two, whatever is said.
SAMPLES_LIMIT: Final = 1 << 20
AUDIO, SYNC, LEADING = 1, 2, 4  # bits of `flags`


class SampleTableError(ValueError):
    """A blob that is none of ours, or damaged."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample, as it is written.  ``dts`` and ``composition`` in ticks, ``dts`` from the file's zero."""

    dts: int
    duration: int
    composition: int
    size: int  # bytes of the access unit, without the fragment's own
    is_audio: bool = False
    is_sync: bool = True
    leading: bool = False  # not for who starts at the last sync picture (`AccessUnit`)


@dataclass(frozen=True, eq=False)
class SampleTable:
    """The samples of a file, in the order of the file; columns of equal length."""

    init_size: int  # bytes before the first fragment
    flags: Flags = field(repr=False)
    dts: Column = field(repr=False)
    duration: Column = field(repr=False)
    composition: Column = field(repr=False)
    size: Column = field(repr=False)

    @classmethod
    def of(cls, init_size: int, samples: Sequence[Sample]) -> SampleTable:
        """The table of samples in the order in which they are written."""
        flags = [AUDIO * each.is_audio | SYNC * each.is_sync | LEADING * each.leading for each in samples]
        return cls(
            init_size,
            np.array(flags, np.uint8),
            _column(each.dts for each in samples),
            _column(each.duration for each in samples),
            _column(each.composition for each in samples),
            _column(each.size for each in samples),
        )

    def __len__(self) -> int:
        return len(self.flags)

    @cached_property
    def offset(self) -> Column:
        """Where each sample's data begins in the file, in bytes; its fragment begins `OVERHEAD` before."""
        return self.offsets()

    def offsets(self) -> Column:
        """The same for who asks once: nothing is kept of it."""
        ends = np.cumsum(self.size + OVERHEAD)
        ends -= self.size
        ends += self.init_size
        return ends

    @property
    def file_size(self) -> int:
        """Bytes of the whole file."""
        return self.init_size + int(self.size.sum()) + OVERHEAD * len(self)

    @cached_property
    def pts(self) -> Column:
        """When each is shown or heard, in ticks from the file's zero."""
        return self.dts + self.composition

    @cached_property
    def pictures(self) -> npt.NDArray[np.intp]:
        """The numbers of the samples that are pictures, in decoding order."""
        return np.flatnonzero(self.flags & AUDIO == 0)

    @cached_property
    def key_pictures(self) -> npt.NDArray[np.intp]:
        """The numbers of the pictures at which decoding can start."""
        return np.flatnonzero(self.flags & (AUDIO | SYNC) == SYNC)

    @cached_property
    def sounds(self) -> npt.NDArray[np.intp]:
        """The numbers of the samples that are sound."""
        return np.flatnonzero(self.flags & AUDIO != 0)

    @property
    def ends_at(self) -> int:
        """When the last picture has been shown for as long as it is to be; there is at least one."""
        return int((self.pts + self.duration)[self.pictures].max())

    def encode(self) -> bytes:
        """The blob."""
        columns = [self.flags.tobytes()]
        # per track a sample nearly always begins where the one before ended
        step = np.zeros_like(self.dts)
        for track in (self.pictures, self.sounds):
            if len(track):
                dts, duration = self.dts[track], self.duration[track]
                step[track[0]] = dts[0]
                step[track[1:]] = dts[1:] - dts[:-1] - duration[:-1]
        numbers = (step, self.duration, self.composition, self.size)
        widths = [_width(column) for column in numbers]
        columns += [_bytewise(column, width) for column, width in zip(numbers, widths, strict=True)]
        return _HEAD.pack(_VERSION, self.init_size, len(self), *widths) + zlib.compress(b"".join(columns), 6)

    @staticmethod
    def count_in(blob: bytes) -> int:
        """How many samples a blob says it has.  Raises `SampleTableError`."""
        return min(_head(blob)[2], SAMPLES_LIMIT)

    @classmethod
    def decode(cls, blob: bytes) -> SampleTable:
        """The table of a blob.  Raises `SampleTableError`."""
        version, init_size, count, widths = _head(blob)
        if version != _VERSION or count > SAMPLES_LIMIT or not set(_WIDTHS).issuperset(widths):
            raise SampleTableError(f"version {version}, {count} samples of {widths} bytes")
        wanted = count * (1 + sum(widths))
        inflate = zlib.decompressobj()
        try:
            plain = inflate.decompress(memoryview(blob)[_HEAD.size :], wanted + 1)
        except zlib.error as error:
            raise SampleTableError(str(error)) from error
        if len(plain) != wanted or not inflate.eof:
            raise SampleTableError("its size and its count disagree")
        table = cls(init_size, np.frombuffer(plain, np.uint8, count), *(np.empty(count, np.int64) for _ in range(4)))
        unpack(plain, widths, table.dts, table.duration, table.composition, table.size)
        return table


def _head(blob: bytes) -> tuple[int, int, int, tuple[int, ...]]:
    """Version, bytes of the init segment, samples, bytes of each number in a column.  Raises `SampleTableError`."""
    if len(blob) < _HEAD.size:
        raise SampleTableError("cut off")
    version, init_size, count, *widths = _HEAD.unpack_from(blob)
    return version, init_size, count, tuple(widths)


def _width(column: Column) -> int:
    """The least of `_WIDTHS` that all of its numbers fit into."""
    least, most = (int(column.min()), int(column.max())) if len(column) else (0, 0)
    return next(width for width in _WIDTHS if -(1 << 8 * width >> 1) <= least and most < max(1, 1 << 8 * width >> 1))


def _bytewise(column: Column, width: int) -> bytes:
    """All first bytes, then all second ones …: the high ones are nearly all alike, and deflate to nothing."""
    return column.astype(f">i{width}").view(np.uint8).reshape(-1, width).T.tobytes() if width else b""


def _column(values: Iterable[int]) -> Column:
    return np.fromiter(values, np.int64)
