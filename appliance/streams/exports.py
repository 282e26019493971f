"""Recordings as files: laid out from the index once, kept for who asks for the next part of the same file."""

from __future__ import annotations

import hashlib
from collections import Counter, OrderedDict
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import trio

from appliance.base.faults import Fault, Kind, invalid
from appliance.media import avi, matroska, virtual_mp4
from appliance.media.axis import Part
from appliance.media.selection import select
from appliance.media.virtual import LayoutError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from pathlib import Path

    from appliance.media.selection import Selection
    from appliance.media.virtual import Virtual
    from appliance.recorder.archive import Archive, Together
    from appliance.recorder.files import RecordedFile

FORMS: Final[Mapping[str, Callable[[Selection], Virtual]]] = {
    "mp4": virtual_mp4.lay_out,
    "mkv": matroska.lay_out,
    "avi": avi.lay_out,
}
#: Layouts that are kept have no more samples than this together, which take some 20 MB: four hours of one camera.
KEPT_ROWS: Final = 1_000_000
#: Layouts made at once, for all: they are work for a processor.
MAKERS: Final = 2
#: Who has as many downloads as they may waits so long for one to end: a player that goes to another place ends the last
#: answer and asks for the next one at once.
PLACE_S: Final = 2.0
#: Changes when the same samples are laid out in another way.
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for; times in UTC ticks."""

    form: str
    camera_id: str
    stream: str
    start: int
    end: int
    sound: bool


@dataclass(frozen=True, slots=True, eq=False)
class Export:
    """A file that is laid out: what is read where, and what it is known by."""

    virtual: Virtual
    paths: Sequence[Path]
    etag: str
    start: int  # what is shown begins, UTC ticks
    has_sound: bool


class Exports:
    """See the module."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._kept: OrderedDict[tuple[Wanted, tuple[RecordedFile, ...]], Export] = OrderedDict()
        self._makers = trio.CapacityLimiter(MAKERS)
        self._running: Counter[str] = Counter()  # by user id
        self._left = trio.Event()

    def __len__(self) -> int:
        """How many downloads run."""
        return self._running.total()

    @asynccontextmanager
    async def place(self, user_id: str, most: int) -> AsyncIterator[None]:
        """A place among a user's downloads as long as the block lasts.  Raises `Fault` ``too_many_exports``."""
        with trio.move_on_after(PLACE_S):
            while self._running[user_id] >= most:
                await self._left.wait()
        if self._running[user_id] >= most:
            raise Fault(
                Kind.LIMITED,
                "too_many_exports",
                f"You have {most} downloads of recordings running, as many as you may.",
                "Wait until one has ended.",
                retry_after_s=10,
            )
        self._running[user_id] += 1
        try:
            yield
        finally:
            self._running[user_id] -= 1
            if not self._running[user_id]:
                del self._running[user_id]
            self._left.set()
            self._left = trio.Event()

    async def lay_out(self, wanted: Wanted) -> Export:
        """The file.  Raises `Fault` ``no_recording``, or with what keeps it from being made."""
        files = await self._archive.files(wanted.camera_id, wanted.stream, wanted.start, wanted.end)
        key = (wanted, tuple(files))
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept
        together = await self._archive.open_all(files)
        made = await trio.to_thread.run_sync(_lay_out, wanted, files, together, limiter=self._makers)
        self._kept[key] = made
        while sum(len(each.virtual.rows) for each in self._kept.values()) > KEPT_ROWS:
            self._kept.popitem(last=False)
        return made


def _lay_out(wanted: Wanted, files: Sequence[RecordedFile], together: Together) -> Export:
    """In a thread, and each file opened when it is its turn: memory that is used for one is used again for the next."""
    parts = (Part(each.file.zero, each.table, each.video, each.audio) for each in together.opened)
    try:
        selection = select(parts, wanted.start, wanted.end, sound=wanted.sound, expected=together.samples)
        if selection is None:
            raise Fault(Kind.NOT_FOUND, "no_recording", "Nothing was recorded then.", "Choose another time.")
        virtual = FORMS[wanted.form](selection)
    except LayoutError as error:
        raise invalid(error.code, str(error), error.hint) from error
    return Export(
        virtual,
        [file.path for file in files],
        _etag(wanted, selection, virtual, files),
        selection.start,
        bool(selection.sounds),
    )


def _etag(wanted: Wanted, selection: Selection, virtual: Virtual, files: Sequence[RecordedFile]) -> str:
    """What the file is known by: files only grow, so how much of each is in it says which bytes it has."""
    firsts, counts = selection.firsts, np.diff(selection.firsts, append=len(selection))
    said = [_VERSION, wanted, virtual.length, selection.start, selection.end]
    said += [(files[number].path.name, files[number].zero) for number in selection.files.tolist()]
    digest = hashlib.blake2b(repr(said).encode(), digest_size=16)
    for column in (selection.offset[firsts], counts, selection.offset[firsts + counts - 1]):
        digest.update(column.astype("<i8").tobytes())
    return f'"{digest.hexdigest()}"'
