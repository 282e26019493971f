"""Going through recorded samples in the order in which they were written, and reading them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from appliance._native.fmp4 import OVERHEAD
from appliance.media.sample_table import AUDIO, LEADING, SYNC

if TYPE_CHECKING:
    from pathlib import Path

    from appliance.recorder.archive import Archive
    from appliance.recorder.files import Opened
    from appliance.recorder.player import Group, Strip

#: Read from the disk at once, at least: the next samples, too.
PIECE: Final = 256 << 10


class Cursor:
    """Goes through the samples from a group on, file after file: pictures and sound, as they were written."""

    def __init__(self, strip: Strip, group: Group) -> None:
        self._strip = strip
        self.opened = group.opened
        self.number = group.first

    @property
    def is_audio(self) -> bool:
        return bool(self._flags & AUDIO)

    @property
    def is_key(self) -> bool:
        return self._flags & (AUDIO | SYNC) == SYNC

    @property
    def leading(self) -> bool:
        return bool(self._flags & LEADING)

    @property
    def _flags(self) -> int:
        return int(self.opened.table.flags[self.number])

    @property
    def dts(self) -> int:
        """In UTC ticks, as `pts`."""
        return self.opened.file.zero + int(self.opened.table.dts[self.number])

    @property
    def pts(self) -> int:
        return self.opened.file.zero + int(self.opened.table.pts[self.number])

    @property
    def ends_at(self) -> int:
        return self.pts + int(self.opened.table.duration[self.number])

    async def advance(self) -> bool:
        """On to the next sample; False: there is none yet, and the cursor stays."""
        if self.number + 1 < len(self.opened.table):
            self.number += 1
            return True
        now = await self._strip.again(self.opened)
        if self.number + 1 < len(now.table):
            self.opened = now
            self.number += 1
            return True
        later = await self._strip.opened_after(self.opened.file)
        if later is None:
            return False
        self.opened, self.number = later, int(later.table.key_pictures[0])
        return True


class Spool:
    """Reads samples of files, forwards, a piece at a time."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._path: Path | None = None
        self._at = 0
        self._piece = b""

    async def sample(self, opened: Opened, number: int, *, ahead: bool = True) -> bytes:
        """The coded picture or sound.  ``ahead``: the samples behind it will be asked for next."""
        return await self._read(opened, number, 0, ahead=ahead)

    async def fragment(self, opened: Opened, number: int) -> bytes:
        """``moof`` and ``mdat``, as in the file."""
        return await self._read(opened, number, OVERHEAD, ahead=True)

    async def _read(self, opened: Opened, number: int, before: int, *, ahead: bool) -> bytes:
        table, file = opened.table, opened.file
        start, end = int(table.offset[number]) - before, int(table.offset[number] + table.size[number])
        at = start - self._at
        if self._path != file.path or at < 0 or end - self._at > len(self._piece):
            size = min(max(PIECE, end - start), table.file_size - start) if ahead else end - start
            self._piece = await self._archive.read(file, start, size)
            self._path, self._at, at = file.path, start, 0
        return self._piece[at : at + end - start]
