"""What a crash left behind, and what an index that was lost has to find again.  All of it blocks, for a thread.

A server that is killed leaves a file without an end in its row, and half a fragment at its end.  A power cut may have
taken the last rows from the index; then files are there that it does not know.
"""

from __future__ import annotations

import logging
import os
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from appliance._native.fmp4 import OVERHEAD
from appliance.base.clock import TICKS_PER_SECOND
from appliance.base.ids import is_id
from appliance.media.fmp4_read import Mp4Error, read_formats, read_samples
from appliance.recorder import upkeep
from appliance.recorder.files import STREAMS, RecordedFile, folder_of, start_of
from appliance.recorder.heads import opened, reader_of
from appliance.recorder.reading import read_recording
from appliance.store.folder import fault_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from appliance.media.sample_table import SampleTable
    from appliance.recorder.index import Index
    from appliance.recorder.reading import Reading

log = logging.getLogger(__name__)

#: Where an init segment is looked for, and how much of the end of a file; more if a picture is larger.
HEAD: Final = 64 << 10
TAIL: Final = 1 << 20
#: The index may lack what was written so short before a power cut, and no more.
TAKEN: Final = 3600 * TICKS_PER_SECOND
_FRAGMENT: Final = struct.pack(">I4sI4s", OVERHEAD - 8, b"moof", 16, b"mfhd")


def recover(index: Index, camera_id: str, stream: str) -> bool:
    """Give the files of a stream that have no end their true one.  Raises `Fault`."""
    for file in index.unfinished(camera_id, stream):
        try:
            found = _whole(file.path)
        except (FileNotFoundError, Mp4Error):
            found = None
        except OSError as error:
            raise fault_of(error, file.path) from error
        if found is None:
            with suppress(FileNotFoundError):
                file.path.unlink()
            upkeep.remove(index, file)
            log.info("nothing was written of the recording %s yet", file.path)
            continue
        table = found.table()
        index.put(_measured(file, table), init=found.init, table=table)
        log.info("recovered the recording %s up to its last whole picture", file.path)
    return True


def _whole(path: Path) -> Reading:
    """What is in a file that may end anywhere; what is not whole is cut off.  Raises `Mp4Error`, `OSError`."""
    with opened(path, os.O_RDONLY) as (descriptor, size):
        reading = read_recording(reader_of(descriptor), size).up_to_damage()
    (piece,) = reading.pieces
    if piece.end < size:
        os.truncate(path, piece.end)
    return reading


def _measured(file: RecordedFile, table: SampleTable) -> RecordedFile:
    shown = table.pts[table.pictures] + table.duration[table.pictures]
    return RecordedFile(
        file.id, file.camera_id, file.stream, file.zero, file.start,
        max(file.start, file.zero + int(shown.max())), table.file_size, file.path,
    )  # fmt: skip


def unknown_files(index: Index, *, everything: bool) -> Iterator[Path]:
    """Files on the disk that the index does not know; unless ``everything``, only those of its last hour and newer.

    The newest first: they are wanted first.
    """
    grow = {growing.path for growing in index.growing}
    for camera in sorted(_folders(index.root)):
        if not is_id(camera.name):
            continue
        for stream in STREAMS:
            known = upkeep.newest(index, camera.name, stream)
            since = 0 if everything or known is None else known - TAKEN
            names = _names(folder_of(index.root, camera.name, stream))
            names.sort(reverse=True)  # by time, that is; of a year half a million, so nothing is made of them all
            for name in names:
                start = start_of(name)
                if start is None:
                    continue
                if start < since:
                    break
                if not upkeep.knows(index, camera.name, stream, start):
                    path = folder_of(index.root, camera.name, stream) / name
                    if path not in grow:
                        yield path


def adopt(index: Index, path: Path) -> bool:
    """Take a file into the index, by its head and its tail.  False: it is none of ours, or has no whole picture.

    Its time is that of its name, exact to a millisecond.  Raises `OSError`, `Fault`.
    """
    start = start_of(path.name)
    with path.open("rb") as content:
        head = content.read(HEAD)
        size = content.seek(0, os.SEEK_END)
        first = head.find(_FRAGMENT)
        if start is None or first <= 0:
            return False
        try:
            read_formats(head[:first])
            zero = start - next(
                sample.composition for sample in read_samples(head[:first] + _fragment(content.fileno(), first))
            )
            end = _end(content.fileno(), first, size)
        except (Mp4Error, StopIteration, struct.error):
            return False
    camera_id, stream = path.parts[-3:-1]
    file = RecordedFile(0, camera_id, stream, zero, start, max(start, zero + end[0]), end[1], path)
    index.put(file, init=head[:first], table=None)
    return True


def _fragment(descriptor: int, at: int) -> bytes:
    (size,) = struct.unpack(">I", os.pread(descriptor, 4, at + OVERHEAD - 8))
    return os.pread(descriptor, OVERHEAD - 8 + size, at)


def _end(descriptor: int, first: int, size: int) -> tuple[int, int]:
    """When the last picture ends, from the file's zero, and where in the file it does: found from the end."""
    window = TAIL
    while True:
        at = max(first, size - window)
        tail = os.pread(descriptor, size - at, at)
        begin = tail.find(_FRAGMENT)
        while begin >= 0:
            shown = 0
            end = 0
            with suppress(Mp4Error):
                for sample in read_samples(tail[begin:]):
                    end = at + begin + sample.end
                    if not sample.is_audio:
                        shown = max(shown, sample.dts + sample.composition + sample.duration)
            if shown:
                return shown, end
            begin = tail.find(_FRAGMENT, begin + 1)
        if at == first:
            raise Mp4Error("no whole picture")
        window *= 4


def _folders(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()]
    except FileNotFoundError:
        return []


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 (half a million names: no object for each)
    except FileNotFoundError:
        return []
