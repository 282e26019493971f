"""The heads of a file's fragments against what the index says of them.  All of it blocks, for a thread.

With the index whole they can be restored, to the byte, but for a number that nobody reads.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from appliance._native.fmp4 import OVERHEAD
from appliance.media.fmp4_read import Mp4Error
from appliance.media.sample_table import AUDIO, LEADING, SYNC, Sample, SampleTable
from appliance.recorder.reading import head_of, read_recording
from appliance.store.folder import fault_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from appliance.recorder.reading import Read
    from appliance.recorder.rows import Row

#: More heads than this share that are other than the index says: it speaks of another file.
_FEW: Final = 0.01


def is_whole(path: Path, row: Row) -> bool:
    """Whether a file, of whose inside the index says nothing, is as we write them.  Raises `OSError`."""
    try:
        with opened(path, os.O_RDONLY) as (descriptor, size):
            reading = read_recording(reader_of(descriptor), size)
    except Mp4Error:
        return False
    return reading.is_whole and reading.init == row.init


def heads_that_differ(path: Path, row: Row) -> int:
    """How many heads in a file, its init segment too, are not as the index says.  Raises `OSError`."""
    assert row.table is not None
    assert row.init is not None
    with opened(path, os.O_RDONLY) as (descriptor, _):
        return sum(1 for _ in _wrong_heads(descriptor, row.init, row.table))


def restore_heads(path: Path, row: Row) -> None:
    """Write them as the index says.  Raises `Fault`."""
    assert row.table is not None
    assert row.init is not None
    try:
        with opened(path, os.O_RDWR) as (descriptor, _):
            for at, right in list(_wrong_heads(descriptor, row.init, row.table)):
                os.pwrite(descriptor, right, at)
            os.fsync(descriptor)
    except OSError as error:
        raise fault_of(error, path) from error


def are_few(differing: int, row: Row) -> bool:
    """Whether so many heads that differ are damage; else the index is wrong."""
    assert row.table is not None
    return differing <= max(2, len(row.table) * _FEW)


def _wrong_heads(descriptor: int, init: bytes, table: SampleTable) -> Iterator[tuple[int, bytes]]:
    """Where, and what should be there."""
    if os.pread(descriptor, len(init), 0) != init:
        yield 0, init
    for number, at in enumerate((table.offset - OVERHEAD).tolist()):
        found = os.pread(descriptor, OVERHEAD, at)
        right = head_of(_sample(table, number), found[20:24].ljust(4, b"\0"))
        if found != right:
            yield at, right


def _sample(table: SampleTable, number: int) -> Sample:
    flags = int(table.flags[number])
    return Sample(
        int(table.dts[number]),
        int(table.duration[number]),
        int(table.composition[number]),
        int(table.size[number]),
        bool(flags & AUDIO),
        bool(flags & SYNC),
        bool(flags & LEADING),
    )


@contextmanager
def opened(path: Path, flags: int) -> Iterator[tuple[int, int]]:
    """The descriptor of a file and its size.  Raises `OSError`."""
    descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        yield descriptor, os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)


def reader_of(descriptor: int) -> Read:
    return lambda offset, size: os.pread(descriptor, size, offset)
