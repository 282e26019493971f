"""Reading recordings: what there is of a camera, and the bytes of it.

Everything waits in threads; none of it holds the loop.
"""

from __future__ import annotations

import errno
import os
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

import trio

from appliance.base.faults import Fault, Kind
from appliance.media.fmp4_read import Mp4Error, read_formats
from appliance.media.sample_table import SampleTable, SampleTableError
from appliance.recorder.files import MAIN, Opened, RecordedFile, Span
from appliance.store.folder import fault_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from appliance.recorder.index import Index

T = TypeVar("T")

#: Threads that may wait for the disk, and for the index, at once.
READERS: Final = 8
#: What opened files are kept at hand: a table of a minute is some 160 KB.
OPENED_KEPT: Final = 64


class Archive:
    """See the module.  All times are UTC ticks."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._opened: OrderedDict[Path, Opened] = OrderedDict()
        self._disk = trio.CapacityLimiter(READERS)
        self._queries = trio.CapacityLimiter(READERS)

    async def ranges(
        self, camera_id: str, start: int, end: int, *, stream: str = MAIN, resolution: int = 0
    ) -> list[Span]:
        """When was recorded, clipped; gaps of up to ``resolution`` ticks are left out."""
        return await self._query(partial(self._index.sequences, camera_id, stream, start, end, joined=resolution))

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
        if not self._index.is_growing(opened.file):
            self._opened[file.path] = opened
            while len(self._opened) > OPENED_KEPT:
                self._opened.popitem(last=False)
        return opened

    async def read(self, file: RecordedFile, offset: int, size: int) -> bytes:
        """Bytes of a file.  Raises `Fault` ``recording_gone`` if it was deleted meanwhile."""
        return await trio.to_thread.run_sync(_read, file, offset, size, limiter=self._disk)

    async def _query(self, fn: Callable[[], T]) -> T:
        return await trio.to_thread.run_sync(fn, limiter=self._queries)

    def _open(self, file: RecordedFile) -> Opened:
        try:
            known = self._index.content(file)
            if known is None:
                content = _read(file, 0, None)
                table = SampleTable.of_file(content)
                init = content[: table.init_size]
            else:
                samples, init = known
                table = samples if isinstance(samples, SampleTable) else SampleTable.decode(samples)
            video, audio = read_formats(init)
        except (Mp4Error, SampleTableError) as error:
            raise Fault(
                Kind.UNAVAILABLE, "recording_damaged", f"The recording {file.path.name} is damaged ({error}).",
                "Check the disk; fanal recorder check finds all damaged files.",
            ) from error  # fmt: skip
        return Opened(file, table, init, video, audio)


def _read(file: RecordedFile, offset: int, size: int | None) -> bytes:
    try:
        descriptor = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            wanted = os.fstat(descriptor).st_size if size is None else size
            found = os.pread(descriptor, wanted, offset)
            while 0 < len(found) < wanted:  # a call reads 2 GB at most, and signals may end one early
                more = os.pread(descriptor, wanted - len(found), offset + len(found))
                if not more:
                    break
                found += more
            return found
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ESTALE):
            raise Fault(
                Kind.NOT_FOUND, "recording_gone", "That recording was deleted meanwhile.", "Choose another time."
            ) from error
        raise fault_of(error, file.path) from error
