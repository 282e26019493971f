"""A camera stream's recordings as one strip: its groups of pictures in the order of time, whatever file they are in.

Files begin with a key picture, so a group of pictures is in one file.  What leads a key picture is shown before it and
refers to the group before: it belongs to what is *shown* of that one, and is decoded behind the key picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from appliance.base.clock import TICKS_PER_SECOND
from appliance.base.faults import Fault
from appliance.media.sample_table import AUDIO, LEADING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import numpy.typing as npt

    from appliance.recorder.archive import Archive
    from appliance.recorder.files import Opened, RecordedFile

    Numbers = npt.NDArray[np.intp]

DAMAGED: Final = "recording_damaged"
#: Less than this is no gap: the picture before it stays on the screen.
GAP = 2 * TICKS_PER_SECOND
#: Where a file is missing, those beside it are looked for so far away.
MISSING = 3600 * TICKS_PER_SECOND


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """A group of pictures, as far as it has been recorded.  ``number`` counts the key pictures of its file."""

    opened: Opened
    number: int
    first: int  # numbers of samples: the key picture, and what no longer belongs to it
    end: int

    @property
    def file(self) -> RecordedFile:
        return self.opened.file

    @property
    def key_at(self) -> int:
        """When its key picture is shown, in UTC ticks."""
        return self.file.zero + int(self.opened.table.pts[self.first])

    @property
    def is_last(self) -> bool:
        """Whether it is the last one of its file."""
        return self.end == len(self.opened.table)

    def pictures(self, *, leading: bool) -> Numbers:
        """The numbers of those that lead its key picture, or of all others, in decoding order."""
        wanted = LEADING if leading else 0
        flags = self.opened.table.flags[self.first : self.end] & (AUDIO | LEADING)
        return np.flatnonzero(flags == wanted) + self.first

    @property
    def ends_at(self) -> int:
        """When the last of its own pictures has been shown for as long as it is to be."""
        table, pictures = self.opened.table, self.pictures(leading=False)
        return self.file.zero + int((table.pts[pictures] + table.duration[pictures]).max())


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What is on the screen from one key picture to the next, and how it is decoded.

    ``parts``: in decoding order, numbers of samples of files.  ``times``: when each is shown, in order; the key picture
    that others lead is decoded for them and not shown here.
    """

    group: Group
    parts: list[tuple[Opened, Numbers]]
    times: list[int] = field(repr=False)

    def upto(self, at: int) -> int:
        """The time of the last picture that is shown at ``at``, or before; of the first if all come later."""
        place = int(np.searchsorted(self.times, at, side="right")) - 1
        return self.times[max(0, place)]

    def beside(self, at: int, count: int) -> list[int]:
        """The times of so many pictures after that of a time; negative: before."""
        place = self.times.index(at)
        return self.times[place + 1 : place + 1 + count] if count > 0 else self.times[max(0, place + count) : place]

    def samples(self) -> Iterator[tuple[Opened, int, int]]:
        """File, number and UTC time of each, in decoding order."""
        for opened, numbers in self.parts:
            for number in numbers.tolist():
                yield opened, number, opened.file.zero + int(opened.table.pts[number])

    def needed(self, wanted: Collection[int]) -> list[tuple[Opened, int, int]]:
        """The samples that have to be decoded for the pictures of these times: up to the last one of them."""
        samples = list(self.samples())
        last = max((n for n, (_, _, time) in enumerate(samples) if time in wanted), default=-1)
        return samples[: last + 1]


class Strip:
    """See the module."""

    def __init__(self, archive: Archive, camera_id: str, stream: str) -> None:
        self.archive = archive
        self.camera_id = camera_id
        self.stream = stream

    # --- groups ---------------------------------------------------------------------------------------------------

    async def group_at(self, at: int) -> Group | None:
        """The group whose scene is on the screen at a time; None: nothing was recorded then."""
        file = await self._file_at(at)
        if file is None:
            return None
        opened = await self._open(file)
        if opened is None:
            return None
        keys = opened.table.key_pictures
        number = int(np.searchsorted(opened.table.pts[keys], at - file.zero, side="right")) - 1
        if number < 0:  # before the first key picture there is what leads it: that is of the file before
            before = await self._file_before(file)
            earlier = None if before is None or file.start - before.end >= GAP else await self._open(before)
            if earlier is not None:
                return _last(earlier)
            number = 0
        return _group(opened, number)

    async def after(self, group: Group) -> Group | None:
        """The group that follows; None: not recorded yet, or never."""
        if not group.is_last:
            return _group(group.opened, group.number + 1)
        opened = await self.again(group.opened)
        if len(opened.table.key_pictures) > group.number + 1:
            return _group(opened, group.number + 1)
        return _first(await self.opened_after(group.file))

    async def grown(self, group: Group) -> Group | None:
        """The same group with what of it was recorded since; None: nothing was."""
        if not group.is_last:
            return None
        opened = await self.again(group.opened)
        now = _group(opened, group.number)
        return now if now.end > group.end else None

    async def before(self, group: Group) -> Group | None:
        """The group before; None: it is the first of all."""
        if group.number:
            return _group(group.opened, group.number - 1)
        file: RecordedFile | None = group.file
        while file is not None:
            file = await self._file_before(file)
            opened = None if file is None else await self._open(file)
            if opened is not None:
                return _last(opened)
        return None

    async def scene(self, group: Group) -> Scene:
        """What is shown of a group."""
        own = group.pictures(leading=False)
        parts = [(group.opened, own)]
        times = group.opened.table.pts[own] + group.file.zero
        follower = await self.after(group)
        if follower is not None and follower.key_at - group.ends_at < GAP and _same(follower.opened, group.opened):
            leading = follower.pictures(leading=True)
            if len(leading):
                numbers = np.concatenate(([follower.first], leading)).astype(np.intp)
                parts.append((follower.opened, numbers))
                times = np.concatenate((times, follower.opened.table.pts[leading] + follower.file.zero))
        return Scene(group, parts, np.sort(times).tolist())

    async def scene_at(self, at: int) -> Scene | None:
        """The scene on the screen at a time."""
        group = await self.group_at(at)
        return None if group is None else await self.scene(group)

    async def step(self, at: int, by: int) -> int | None:
        """The time of the picture that is shown after or before the one at ``at``, gaps left out; None: there is
        none."""
        scene = await self.scene_at(at)
        if scene is None:
            before, after = await self.neighbours(at)
            if by > 0 or before is None:
                return after if by > 0 else None
            last = await self.scene_at(before - 1)
            return None if last is None else last.times[-1]
        place = scene.times.index(scene.upto(at)) + by
        if 0 <= place < len(scene.times):
            return scene.times[place]
        group = await (self.after(scene.group) if by > 0 else self.before(scene.group))
        if group is None:
            return None
        other = await self.scene(group)
        return other.times[0] if by > 0 else other.times[-1]

    async def neighbours(self, at: int) -> tuple[int | None, int | None]:
        """When what was recorded before ``at`` ends, and when what was recorded after it begins."""
        before, after = await self.archive.neighbours(self.camera_id, self.stream, at)
        if before is not None and before >= at:  # in the middle of what was recorded, of which a file is missing
            around = await self.archive.files(self.camera_id, self.stream, at - MISSING, at + MISSING)
            before = max((file.end for file in around if file.end <= at), default=None)
            after = min((file.start for file in around if file.start > at), default=after)
        return before, after

    # --- files ----------------------------------------------------------------------------------------------------

    async def again(self, opened: Opened) -> Opened:
        """The file as it is now: more of it may have been recorded."""
        file = opened.file
        found = await self.archive.files(self.camera_id, self.stream, file.start, file.start + 1)
        now = next((each for each in found if each.path == file.path), file)
        return opened if now == file else await self.archive.open(now)

    async def opened_after(self, file: RecordedFile) -> Opened | None:
        """The file that follows, whatever the gap."""
        later: RecordedFile | None = file
        while later is not None:
            later = await self._file_after(later)
            opened = None if later is None else await self._open(later)
            if opened is not None:
                return opened
        return None

    async def _open(self, file: RecordedFile) -> Opened | None:
        """What a file holds; None: nothing that can be shown, as it is damaged or has only just been begun."""
        try:
            opened = await self.archive.open(file)
        except Fault as fault:
            if fault.code != DAMAGED:
                raise
            return None
        return opened if len(opened.table.key_pictures) else None

    async def _file_after(self, file: RecordedFile) -> RecordedFile | None:
        found = await self.archive.files(self.camera_id, self.stream, file.start, file.end + GAP)
        later = next((each for each in found if _order(each) > _order(file)), None)
        if later is None:
            _, start = await self.neighbours(file.end)
            later = None if start is None else await self.archive.file_at(self.camera_id, self.stream, start)
        return None if later is None or _order(later) <= _order(file) else later

    async def _file_before(self, file: RecordedFile) -> RecordedFile | None:
        found = await self.archive.files(self.camera_id, self.stream, file.start - GAP, file.start + 1)
        earlier = next((each for each in reversed(found) if _order(each) < _order(file)), None)
        if earlier is None:
            end, _ = await self.neighbours(file.start - 1)
            earlier = None if end is None else await self.archive.file_at(self.camera_id, self.stream, end - 1)
        return None if earlier is None or _order(earlier) >= _order(file) else earlier

    async def _file_at(self, at: int) -> RecordedFile | None:
        file = await self.archive.file_at(self.camera_id, self.stream, at)
        if file is not None:
            return file
        around = await self.archive.files(self.camera_id, self.stream, at - GAP, at + GAP)
        before = [each for each in around if each.end <= at]
        after = [each for each in around if each.start > at]
        return before[-1] if before and after and after[0].start - before[-1].end < GAP else None


def _group(opened: Opened, number: int) -> Group:
    keys = opened.table.key_pictures
    end = int(keys[number + 1]) if number + 1 < len(keys) else len(opened.table)
    return Group(opened, number, int(keys[number]), end)


def _first(opened: Opened | None) -> Group | None:
    return None if opened is None else _group(opened, 0)


def _last(opened: Opened) -> Group:
    return _group(opened, len(opened.table.key_pictures) - 1)


def _order(file: RecordedFile) -> tuple[int, str]:
    return file.start, file.path.name


def _same(one: Opened, other: Opened) -> bool:
    return one.video == other.video
