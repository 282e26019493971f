"""What a crash left behind, and what an index that was lost has to find again.  All of it blocks, for a thread.

A server that is killed leaves a file without an end in its row, and half a fragment at its end.  A power cut may have
taken the last rows from the index; then files are there that it does not know.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from appliance.base.clock import TICKS_PER_SECOND
from appliance.base.ids import is_id
from appliance.media.fmp4_read import Mp4Error
from appliance.recorder import rows, upkeep
from appliance.recorder.differences import Kind
from appliance.recorder.files import STREAMS, RecordedFile, folder_of, start_of
from appliance.recorder.heads import opened, reader_of
from appliance.recorder.reading import read_ends
from appliance.recorder.repairs import Place, read_known, settle
from appliance.store.folder import fault_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from appliance.recorder.index import Index
    from appliance.recorder.reading import Reading

log = logging.getLogger(__name__)

#: The index may lack what was written so short before a power cut, and no more.
TAKEN: Final = 3600 * TICKS_PER_SECOND


def recover(index: Index, camera_id: str, stream: str) -> bool:
    """Give the files of a stream that have no end their true one.  Raises `Fault`."""
    for file in index.unfinished(camera_id, stream):
        row = rows.row_at(index, camera_id, stream, file.start)
        try:
            with opened(file.path, os.O_RDONLY) as (descriptor, size):
                found = read_known(reader_of(descriptor), size, row)
                is_ours = os.pread(descriptor, len(found.init), 0) == found.init
            if is_ours and found.is_cut_off:
                _cut_off(index, file, found)
            else:  # a disk that lost something in the middle: what is behind it is not given up
                place = Place(index.root, camera_id, stream, file.path.name)
                settle(index, place, row, Kind.UNFINISHED, "it has no end in the index", repair=True)
            log.info("recovered the recording %s up to its last whole picture", file.path)
        except (FileNotFoundError, Mp4Error):
            with suppress(FileNotFoundError):
                file.path.unlink()
            upkeep.remove(index, file)
            log.info("nothing was written of the recording %s yet", file.path)
        except OSError as error:
            raise fault_of(error, file.path) from error
    return True


def _cut_off(index: Index, file: RecordedFile, reading: Reading) -> None:
    """Half a fragment at the end goes."""
    table = reading.table()
    if table.file_size < reading.size:
        os.truncate(file.path, table.file_size)
    measured = replace(file, end=max(file.start, file.zero + table.ends_at), size=table.file_size)
    index.put(measured, init=reading.init, table=table)


def unknown_files(index: Index, *, everything: bool) -> Iterator[Path]:
    """Files on the disk that the index does not know; unless ``everything``, only those of its last hour and newer.

    The newest first: they are wanted first.
    """
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
                    yield folder_of(index.root, camera.name, stream) / name


def adopt(index: Index, path: Path) -> bool:
    """Take a file into the index, by its head and its tail.  False: it is none of ours, or has no whole picture.

    Its time is that of its name, exact to a millisecond.  Raises `OSError`, `Fault`.
    """
    start = start_of(path.name)
    if start is None:
        return False
    with opened(path, os.O_RDONLY) as (descriptor, size):
        try:
            ends = read_ends(reader_of(descriptor), size)
        except Mp4Error:
            return False
    camera_id, stream = path.parts[-3:-1]
    zero = start - ends.first
    file = RecordedFile(0, camera_id, stream, zero, start, max(start, zero + ends.last), ends.size, path)
    index.put(file, init=ends.init, table=None)
    return True


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
