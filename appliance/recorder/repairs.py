"""What is done about a file that differs from what the index says of it.  All of it blocks, for a thread.

Nothing that can be read is deleted, and what cannot is put aside: into ``damaged`` in the folder of recordings.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from appliance._native.fmp4 import OVERHEAD
from appliance.media.fmp4_read import Mp4Error
from appliance.recorder import rows, upkeep
from appliance.recorder.differences import Difference, Kind
from appliance.recorder.files import RecordedFile, path_of, start_of
from appliance.recorder.heads import opened, reader_of
from appliance.recorder.index import JOINED
from appliance.recorder.reading import Piece, Reading, read_recording
from appliance.store.folder import fault_of, make_private_folder, sync_folder

if TYPE_CHECKING:
    from pathlib import Path

    from appliance.recorder.index import Index
    from appliance.recorder.reading import Read
    from appliance.recorder.rows import Row

ASIDE: Final = "damaged"
_COPIED: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Place:
    """A file by where it lies."""

    root: Path
    camera_id: str
    stream: str
    name: str

    @property
    def path(self) -> Path:
        return self.root / self.camera_id / self.stream / self.name

    @property
    def shown(self) -> str:
        return f"{self.camera_id}/{self.stream}/{self.name}"


def settle(index: Index, place: Place, row: Row | None, kind: Kind, detail: str, *, repair: bool) -> Difference | None:
    """Look into a file of which something is wrong, and put it right.  None: it is gone meanwhile.

    Raises `Fault` where the disk or the index fails.
    """
    try:
        with opened(place.path, os.O_RDONLY) as (descriptor, size):
            reading = read_known(reader_of(descriptor), size, row)
    except FileNotFoundError:
        return None
    except Mp4Error as error:
        return _put_away(index, place, row, str(error), repair=repair)
    except OSError as error:
        if error.errno == errno.EIO:
            return _put_away(index, place, row, os.strerror(errno.EIO), repair=repair)
        return Difference(Kind.INACCESSIBLE, place.shown, os.strerror(error.errno or 0))
    if not repair:
        return Difference(kind, place.shown, detail)
    try:
        action = _mend(index, place, row, reading)
    except FileExistsError:
        return Difference(kind, place.shown, f"{detail}; what is left of it has the name of another file")
    except OSError as error:
        raise fault_of(error, place.path) from error
    return Difference(kind, place.shown, detail, action, mended=True)


def read_known(read: Read, size: int, row: Row | None) -> Reading:
    """A file's own init segment, unless the index has one that fits, too."""
    known = None if row is None else row.init
    if known is None:
        return read_recording(read, size)
    with suppress(Mp4Error):
        reading = read_recording(read, size, known)
        if reading.pieces[0].start == len(known):
            return reading
    try:
        return read_recording(read, size)
    except Mp4Error:
        return read_recording(read, size, known)


def _mend(index: Index, place: Place, row: Row | None, reading: Reading) -> str:
    """Make the file whole, and have the index say what is in it.  What was done, as a sentence."""
    done: list[str] = []
    if reading.is_cut_off:
        end = reading.pieces[0].end
        with opened(place.path, os.O_RDWR) as (descriptor, size):
            if os.pread(descriptor, len(reading.init), 0) != reading.init:
                os.pwrite(descriptor, reading.init, 0)
                done.append("its beginning was restored")
            if size > end:
                _save_tail(descriptor, end, size, _aside(place, ".tail"))
                os.ftruncate(descriptor, end)
                done.append(f"the last {size - end} bytes, no whole picture, were put aside")
            os.fsync(descriptor)
        _index_it(index, place, row, reading, _start(place, row, reading))
    else:
        reading = _without_orphans(reading)
        start = _start(place, row, reading)
        path = path_of(place.root, place.camera_id, place.stream, start)
        if path != place.path and os.path.lexists(path):
            raise FileExistsError(path)
        _write_salvage(place, reading, path)
        if row is not None and start != row.file.start:
            upkeep.remove(index, row.file)
        _index_it(index, replace(place, name=path.name), row, reading, start)
        done.append("what can be decoded of it was written anew, and the damaged file put aside")
    done.append(f"indexed with {len(reading.table().pictures)} pictures")
    return "; ".join(done)


def _index_it(index: Index, place: Place, row: Row | None, reading: Reading, start: int) -> None:
    table = reading.table()
    zero = start - int(table.pts[table.pictures[0]])
    end = zero + table.ends_at
    same = row is not None and row.file.start == start
    if row is not None and same and not row.grows and 0 <= row.file.end - end <= JOINED:
        end = row.file.end  # as the next file begins there
    file = RecordedFile(0, place.camera_id, place.stream, zero, start, max(start, end), table.file_size, place.path)
    rows.mend_format(index, reading.init)
    index.put(file, init=reading.init, table=table)
    if row is not None and same:
        rows.cut(index, place.camera_id, place.stream, file.end, row.file.end)


def _start(place: Place, row: Row | None, reading: Reading) -> int:
    """When the first picture that is left is shown; by the name of the file, or exactly by its row."""
    named = start_of(place.name)
    assert named is not None
    first = next(each for piece in reading.pieces for each in piece.samples if not each.is_audio)
    shown = first.dts + first.composition
    if row is not None and abs(row.file.zero + shown - row.file.start) <= JOINED:
        return row.file.start if reading.pieces[0].start == len(reading.init) else row.file.zero + shown
    # the first of all was decoded at zero, and shown as much later as this one after its own decoding
    return named + first.dts if reading.pieces[0].start > len(reading.init) else named


def _without_orphans(reading: Reading) -> Reading:
    """Behind what is damaged everything up to the next key picture refers to pictures that are not there."""
    pieces: list[Piece] = []
    for piece in reading.pieces:
        if piece.start == len(reading.init):
            pieces.append(piece)
            continue
        at = piece.start
        for number, sample in enumerate(piece.samples):
            if sample.is_sync and not sample.is_audio:
                pieces.append(Piece(at, piece.end, piece.samples[number:]))
                break
            at += OVERHEAD + sample.size
    return replace(reading, pieces=pieces)


def _write_salvage(place: Place, reading: Reading, path: Path) -> None:
    """The init segment and the pieces to ``path``; the file itself aside.  At any moment one of the two is there."""
    beside = path.with_name(f".fanal-{path.name}.new")
    aside = _aside(place)
    with opened(place.path, os.O_RDONLY) as (source, _):
        target = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            _put(target, reading.init)
            for piece in reading.pieces:
                _copy(source, piece.start, piece.end, target)
            os.fsync(target)
        except OSError:
            with suppress(OSError):
                beside.unlink()
            raise
        finally:
            os.close(target)
    if path == place.path:
        try:
            os.link(path, aside)
        except OSError:  # a file system without links
            path.rename(aside)
    else:
        place.path.rename(aside)
    beside.rename(path)
    sync_folder(path.parent)


def _put_away(index: Index, place: Place, row: Row | None, detail: str, *, repair: bool) -> Difference:
    """Nothing in it can be decoded."""
    if not repair:
        return Difference(Kind.UNREADABLE, place.shown, detail)
    try:
        aside = _aside(place)
        place.path.rename(aside)
    except OSError as error:
        raise fault_of(error, place.path) from error
    if row is not None:
        upkeep.remove(index, row.file)
    action = f"moved to {aside.relative_to(place.root)}"
    return Difference(Kind.UNREADABLE, place.shown, detail, action, mended=True)


def _aside(place: Place, ending: str = "") -> Path:
    """A name in the folder of what is damaged that nothing has yet."""
    folder = place.root / ASIDE / place.camera_id / place.stream
    make_private_folder(folder)
    names = [f"{place.name}{ending}", *(f"{place.name}{ending}-{number}" for number in range(2, 10_000))]
    return next(path for name in names if not os.path.lexists(path := folder / name))


def _save_tail(descriptor: int, start: int, end: int, path: Path) -> None:
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        _copy(descriptor, start, end, target)
        os.fsync(target)
    finally:
        os.close(target)


def _copy(source: int, start: int, end: int, target: int) -> None:
    while start < end:
        block = os.pread(source, min(_COPIED, end - start), start)
        if not block:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        _put(target, block)
        start += len(block)


def _put(target: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(target, left) :]
