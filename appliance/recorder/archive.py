"""Reading recordings: what there is of a camera, and the bytes of it.

Everything waits in threads; none of it holds the loop.
"""

from __future__ import annotations

import errno
import os
import sys
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

import trio

from appliance.base.faults import Fault, Kind
from appliance.media.fmp4_read import Mp4Error, read_formats
from appliance.media.sample_table import SampleTable, SampleTableError
from appliance.recorder.files import MAIN, Opened, RecordedFile, Span
from appliance.recorder.heads import opened, reader_of
from appliance.recorder.reading import read_recording
from appliance.store.folder import fault_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from appliance.media.units import AudioFormat, VideoFormat
    from appliance.recorder.index import Index

T = TypeVar("T")

#: Threads that may wait for the disk, and for the index, at once.
READERS: Final = 8
#: What opened files are kept at hand: a table of a minute is some 160 KB.
OPENED_KEPT: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class Together:
    """Files to be opened one after the other, in a thread, as each is asked for."""

    samples: int  # that the index says they have, of those it has them of
    opened: Iterator[Opened]


class Archive:
    """See the module.  All times are UTC ticks."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._opened: OrderedDict[Path, Opened] = OrderedDict()
        self._disk = trio.CapacityLimiter(READERS)
        self._queries = trio.CapacityLimiter(READERS)

    async def ranges(
        self, camera_id: str, start: int, end: int, *, stream: str = MAIN, resolution: int = 0, most: int = sys.maxsize
    ) -> tuple[list[Span], int]:
        """When was recorded, clipped.

        Without gaps of up to ``resolution`` ticks, and longer ones where more than ``most`` stretches would be left;
        also up to how long.
        """
        ask = partial(self._index.sequences, camera_id, stream, start, end, joined=resolution, most=most)
        return await self._query(ask)

    async def streams(self, camera_id: str) -> list[str]:
        """The recorded streams of a camera, the main one first."""
        found = await self._query(self._index.streams)
        return sorted(each.name for each in found if each.camera_id == camera_id)

    async def files(self, camera_id: str, stream: str, start: int, end: int) -> list[RecordedFile]:
        """The files that hold anything of that time, in order."""
        return await self._query(partial(self._index.files, camera_id, stream, start, end))

    async def file_at(self, camera_id: str, stream: str, at: int) -> RecordedFile | None:
        """The file that holds a moment."""
        found = await self.files(camera_id, stream, at, at + 1)
        return found[-1] if found else None

    async def neighbours(self, camera_id: str, stream: str, at: int) -> tuple[int | None, int | None]:
        """Where the last sequence that began before ``at`` ends, at the latest ``at``; where the next one begins."""
        return await self._query(partial(self._index.neighbours, camera_id, stream, at))

    async def bounds(self, camera_id: str) -> Span | None:
        """From a camera's first recording to its last."""
        return await self._query(partial(self._index.bounds, camera_id))

    async def open(self, file: RecordedFile) -> Opened:
        """What a file holds; of one that is being written, what can be read now.

        Raises `Fault` ``recording_gone``, ``recording_damaged``.
        """
        kept = self._opened.get(file.path)
        if kept is not None and kept.file.size >= file.size:
            self._opened.move_to_end(file.path)
            return kept
        opened = await trio.to_thread.run_sync(self._open, file, limiter=self._disk)
        if not self._index.is_growing(opened.file.path):
            self._opened[file.path] = opened
            while len(self._opened) > OPENED_KEPT:
                self._opened.popitem(last=False)
        return opened

    async def open_all(self, files: Sequence[RecordedFile]) -> Together:
        """The same of many, one after the other.  They are not kept: who wants many at once has no use for them twice.

        What is asked for in the course of it raises `Fault` as `open` does, for one of those that cannot be opened.
        """
        kept = dict(self._opened)
        asked = [file.id for file in files if file.path not in kept and not self._index.is_growing(file.path)]
        contents = await self._query(partial(self._index.contents, asked)) if asked else {}

        def open_each() -> Iterator[Opened]:
            formats: dict[bytes, tuple[VideoFormat, AudioFormat | None]] = {}
            for file in files:
                known = kept.get(file.path)
                if known is None or known.file.size < file.size:
                    growing = self._index.is_growing(file.path)  # of which the index has nothing by its number
                    known = self._open(file, formats, None if growing else contents.pop(file.id, None))
                yield known

        return Together(sum(_samples_in(blob) for blob, _ in contents.values()), open_each())

    async def read(self, file: RecordedFile, offset: int, size: int) -> bytes:
        """Bytes of a file.  Raises `Fault` ``recording_gone`` if it was deleted meanwhile."""
        return await trio.to_thread.run_sync(_read, file, offset, size, limiter=self._disk)

    async def _query(self, fn: Callable[[], T]) -> T:
        return await trio.to_thread.run_sync(fn, limiter=self._queries)

    def _open(
        self,
        file: RecordedFile,
        formats: dict[bytes, tuple[VideoFormat, AudioFormat | None]] | None = None,
        known: tuple[SampleTable | bytes, bytes] | None = None,
    ) -> Opened:
        """``formats``: by init segment, of files that were opened with this one.  ``known``: what the index has."""
        try:
            known = known or self._index.content(file)
            if known is None:
                with _opened(file) as (descriptor, size):
                    reading = read_recording(reader_of(descriptor), size).up_to_damage()
                table, init = reading.table(), reading.init
            else:
                samples, init = known
                table = samples if isinstance(samples, SampleTable) else SampleTable.decode(samples)
            video, audio = (formats or {}).get(init) or read_formats(init)
            if formats is not None:
                formats[init] = video, audio
        except (Mp4Error, SampleTableError) as error:
            raise Fault(
                Kind.UNAVAILABLE, "recording_damaged", f"The recording {file.path.name} is damaged ({error}).",
                "Check the disk; fanal recorder check finds all damaged files.",
            ) from error  # fmt: skip
        return Opened(file, table, init, video, audio)


def _samples_in(blob: bytes) -> int:
    try:
        return SampleTable.count_in(blob)
    except SampleTableError:  # which is said when it is opened
        return 0


def _read(file: RecordedFile, offset: int, size: int) -> bytes:
    with _opened(file) as (descriptor, _):
        found = os.pread(descriptor, size, offset)
        while 0 < len(found) < size:  # a call reads 2 GB at most, and signals may end one early
            more = os.pread(descriptor, size - len(found), offset + len(found))
            if not more:
                break
            found += more
        return found


@contextmanager
def _opened(file: RecordedFile) -> Iterator[tuple[int, int]]:
    """The descriptor of a file and its size.  Raises `Fault` ``recording_gone``, or what is wrong with the disk."""
    try:
        with opened(file.path, os.O_RDONLY) as found:
            yield found
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ESTALE):
            raise Fault(
                Kind.NOT_FOUND, "recording_gone", "That recording was deleted meanwhile.", "Choose another time."
            ) from error
        raise fault_of(error, file.path) from error
