"""The index for those who make room and look after it.  All of it blocks, for a thread, and raises `Fault`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from appliance.recorder.files import TICKS_PER_MS, path_of
from appliance.recorder.index import forget
from appliance.recorder.sequences import cut_sequences

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from appliance.recorder.files import RecordedFile
    from appliance.recorder.index import Index

#: random(4): another one each time that the machine starts.
BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Row:
    """A file as it is weighed.  ``arrived``: seconds, by the clock here when it began."""

    key: int  # of its stream
    start: int
    end: int
    size: int
    arrived: int


def oldest(index: Index, key: int, after: int, limit: int) -> list[Row]:
    """Complete files of a stream that begin after ``after``, the first ones."""
    with index.database.read() as connection:
        rows = connection.execute(
            "SELECT start, length, size, arrived FROM files"
            " WHERE stream = ? AND start > ? AND NOT grows ORDER BY start LIMIT ?",
            (key, after, limit),
        ).fetchall()
    return [Row(key, start, start + length, size, arrived) for start, length, size, arrived in rows]


def doom(index: Index, rows: Iterable[Row]) -> None:
    """Nobody is shown these any more; they have to go."""
    with index.database.write() as connection:
        for row in rows:
            forget(connection, row.key, row.start)
            cut_sequences(connection, row.key, row.start, row.end)
            connection.execute("INSERT OR IGNORE INTO doomed (stream, start) VALUES (?, ?)", (row.key, row.start))


def doomed(index: Index, limit: int) -> list[tuple[int, int]]:
    """Files that have to go: the key of their stream, and their start."""
    with index.database.read() as connection:
        return connection.execute("SELECT stream, start FROM doomed LIMIT ?", (limit,)).fetchall()


def buried(index: Index, rows: Sequence[tuple[int, int]]) -> None:
    """They are gone."""
    if rows:
        with index.database.write() as connection:
            connection.executemany("DELETE FROM doomed WHERE stream = ? AND start = ?", rows)


def path_of_row(index: Index, key: int, start: int) -> Path:
    with index.database.read() as connection:
        camera_id, stream = connection.execute("SELECT camera, name FROM streams WHERE id = ?", (key,)).fetchone()
    return path_of(index.root, camera_id, stream, start)


def remove(index: Index, file: RecordedFile) -> None:
    """A file that is not there, or was nothing."""
    with index.database.write() as connection:
        key = index.key(connection, file.camera_id, file.stream)
        forget(connection, key, file.start)
        cut_sequences(connection, key, file.start, max(file.end, file.start + 1))


def is_same_boot(index: Index) -> bool:
    """Whether the machine has run ever since the index was last opened; it is noted that it is open now."""
    boot = BOOT_ID.read_text(encoding="ascii").strip()
    with index.database.write() as connection:
        same = connection.execute("SELECT 1 FROM boots WHERE id = ?", (boot,)).fetchone() is not None
        connection.execute("DELETE FROM boots")
        connection.execute("INSERT INTO boots (id) VALUES (?)", (boot,))
    return same


def newest(index: Index, camera_id: str, stream: str) -> int | None:
    """When the newest file of a stream begins."""
    with index.database.read() as connection:
        key = index.key(connection, camera_id, stream)
        found = connection.execute("SELECT max(start) FROM files WHERE stream = ?", (key,)).fetchone()[0]
    return None if found is None else int(found)


def knows(index: Index, camera_id: str, stream: str, start: int) -> bool:
    """Whether a file whose name says ``start``, cut to milliseconds, is in the index, or being written.

    What is being written has no row in an index that was begun anew meanwhile.
    """
    growing = [each.start for each in index.growing if (each.camera_id, each.stream) == (camera_id, stream)]
    if any(start <= each < start + TICKS_PER_MS for each in growing):
        return True
    with index.database.read() as connection:
        key = index.key(connection, camera_id, stream)
        found = connection.execute(
            "SELECT 1 FROM files WHERE stream = ? AND start >= ? AND start < ?"
            " UNION ALL SELECT 1 FROM doomed WHERE stream = ? AND start >= ? AND start < ?",
            (key, start, start + TICKS_PER_MS, key, start, start + TICKS_PER_MS),
        ).fetchone()
    return found is not None
