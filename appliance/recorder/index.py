"""The index of recordings: which files there are, and what is in them.

All of it blocks, for a thread.  A file that is being written has its row from the beginning; what of it can be read is
known from the memory of who writes it (`Growing`), until its end is written down too.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from appliance.base.clock import TICKS_PER_SECOND
from appliance.recorder.files import RecordedFile, Span, folder_of, name_of, path_of
from appliance.recorder.growing import Growing, extended
from appliance.recorder.sequences import cut_sequences, extend_sequences, merged

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

    from appliance.media.sample_table import SampleTable
    from appliance.recorder.database import Database

#: What was recorded with gaps below this is one sequence.
JOINED: Final = 2 * TICKS_PER_SECOND
#: After a clock was set back recordings go on behind those that are there, if these are ahead by no more than this.
AHEAD: Final = 2 * 3600 * TICKS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Stream:
    """A recorded stream: ``bytes`` are those of its files."""

    key: int
    camera_id: str
    name: str
    bytes: int


class Index:
    """See the module."""

    def __init__(self, root: Path, database: Database) -> None:
        self.root = root
        self.database = database
        self._keys: dict[tuple[str, str, int], int] = {}
        self._growing: dict[int, Growing] = {}  # by the stream's key

    # ── who reads ───────────────────────────────────────────────────────────────────────────────────────────

    def streams(self) -> list[Stream]:
        with self.database.read() as connection:
            rows = connection.execute("SELECT id, camera, name, bytes FROM streams ORDER BY id").fetchall()
        return [Stream(*row) for row in rows]

    def sequences(
        self, camera_id: str, stream: str, start: int, end: int, *, joined: int = 0, most: int = sys.maxsize
    ) -> tuple[list[Span], int]:
        """When was recorded, clipped; gaps of up to ``joined`` are left out, and longer ones where more than ``most``
        stretches would be left; also up to how long."""
        with self.database.read() as connection:
            key = self.key(connection, camera_id, stream)
            growing = self._growing.get(key)  # before what it finishes with can be seen
            first = connection.execute(
                "SELECT max(start) FROM sequences WHERE stream = ? AND start <= ?", (key, start)
            ).fetchone()[0]
            rows = connection.execute(
                'SELECT start, "end" FROM sequences WHERE stream = ? AND start >= ? AND start < ? ORDER BY start',
                (key, start if first is None else first, end),
            ).fetchall()
        if growing is not None:
            until = growing.written[0]
            rows = [(one, max(two, until) if one <= growing.start <= two else two) for one, two in rows]
        return merged(rows, start, end, joined, most)

    def bounds(self, camera_id: str) -> Span | None:
        """From the first to the last recording of a camera."""
        found: list[Span] = []
        with self.database.read() as connection:
            for (key,) in connection.execute("SELECT id FROM streams WHERE camera = ?", (camera_id,)).fetchall():
                growing = self._growing.get(key)
                rows = [
                    connection.execute(query, (key,)).fetchone()
                    for query in (
                        'SELECT start, "end" FROM sequences WHERE stream = ? ORDER BY start LIMIT 1',
                        'SELECT start, "end" FROM sequences WHERE stream = ? ORDER BY start DESC LIMIT 1',
                    )
                ]
                found += extended([Span(*row) for row in rows if row], growing)
        found = [span for span in found if span.end > span.start]
        return Span(min(span.start for span in found), max(span.end for span in found)) if found else None

    def neighbours(self, camera_id: str, stream: str, at: int) -> tuple[int | None, int | None]:
        """Where the last sequence that began before ``at`` ends, at the latest ``at``; where the next one begins."""
        with self.database.read() as connection:
            key = self.key(connection, camera_id, stream)
            growing = self._growing.get(key)
            before = connection.execute(
                'SELECT start, "end" FROM sequences WHERE stream = ? AND start < ? ORDER BY start DESC LIMIT 1',
                (key, at),
            ).fetchone()
            after = connection.execute(
                "SELECT min(start) FROM sequences WHERE stream = ? AND start > ?", (key, at)
            ).fetchone()[0]
        ended = [min(span.end, at) for span in extended([Span(*before)] if before else [], growing)]
        return ended[0] if ended else None, after

    def files(self, camera_id: str, stream: str, start: int, end: int) -> list[RecordedFile]:
        """The files that hold anything of that time, in its order."""
        with self.database.read() as connection:
            key = self.key(connection, camera_id, stream)
            growing = self._growing.get(key)
            first = connection.execute(
                "SELECT max(start) FROM files WHERE stream = ? AND start <= ?", (key, start)
            ).fetchone()[0]
            rows = connection.execute(
                "SELECT start, length, lead, size, content FROM files WHERE stream = ? AND start >= ? AND start < ?"
                " ORDER BY start",
                (key, start if first is None else first, end),
            ).fetchall()
        folder = folder_of(self.root, camera_id, stream)
        found = [
            growing.file if growing is not None and row[0] == growing.start else _file(camera_id, stream, folder, row)
            for row in rows
        ]
        return [file for file in found if file.end > max(start, file.start)]

    def content(self, file: RecordedFile) -> tuple[SampleTable | bytes, bytes] | None:
        """The samples of a file, or the blob of them, and its init segment; None if the index does not have them."""
        for growing in self.growing:
            if growing.path == file.path:  # numbers are given again, after an index was lost
                return growing.table(), growing.init
        with self.database.read() as connection:
            row = connection.execute(
                "SELECT contents.samples, formats.init FROM contents JOIN formats ON formats.id = contents.format"
                " WHERE contents.id = ?",
                (file.id,),
            ).fetchone()
        return None if row is None or row[0] is None else (row[0], row[1])

    def contents(self, ids: Sequence[int]) -> dict[int, tuple[bytes, bytes]]:
        """The same of many, by their ids: the blob and the init segment of those that are complete."""
        with self.database.read() as connection:
            rows = connection.execute(
                "SELECT contents.id, contents.samples, formats.init FROM contents"
                " JOIN formats ON formats.id = contents.format"
                " WHERE contents.samples IS NOT NULL AND contents.id IN (SELECT value FROM json_each(?))",
                (json.dumps(list(ids)),),
            ).fetchall()
        return {number: (samples, init) for number, samples, init in rows}

    def is_growing(self, path: Path) -> bool:
        return any(growing.path == path for growing in self.growing)

    @property
    def growing(self) -> list[Growing]:
        """The files that are being written."""
        return list(self._growing.values())

    def free_from(self, camera_id: str, stream: str, start: int) -> int:
        """Where what is shown at ``start`` can be recorded: there, or behind what is recorded there already.

        A clock that was set back by an hour would have the same hour twice.  So that all recordings keep their order,
        they go on behind what there is, if that is no further ahead than `AHEAD`; what is further ahead was recorded
        when the clock was all wrong, and stays where it is.
        """
        with self.database.read() as connection:
            key = self.key(connection, camera_id, stream)
            last = connection.execute('SELECT max("end") FROM sequences WHERE stream = ?', (key,)).fetchone()[0]
            if last is None or last <= start:
                return start
            if last - start <= AHEAD:
                return int(last)
            while True:
                row = connection.execute(
                    'SELECT "end" FROM sequences WHERE stream = ? AND start <= ? ORDER BY start DESC LIMIT 1',
                    (key, start),
                ).fetchone()
                if row is None or row[0] <= start:
                    return start
                start = row[0]

    # ── who writes ──────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, camera_id: str, stream: str, *, zero: int, start: int, init: bytes, arrived: int) -> Growing:
        """A file is about to be written.  ``arrived``: seconds, by the clock here."""
        with self.database.write() as connection:
            key = self.key(connection, camera_id, stream, make=True)
            content = connection.execute(
                "INSERT INTO contents (format) VALUES (?)", (_format(connection, init),)
            ).lastrowid
            assert content is not None
            connection.execute(
                "INSERT INTO files (stream, start, length, lead, size, arrived, content, grows)"
                " VALUES (?, ?, 0, ?, 0, ?, ?, 1)",
                (key, start, start - zero, arrived, content),
            )
            extend_sequences(connection, key, start, start, JOINED)
        growing = Growing(
            key, content, camera_id, stream, zero, start, init,
            path_of(self.root, camera_id, stream, start), arrived, written=(start, 0, 0),
        )  # fmt: skip
        self._growing[key] = growing
        return growing

    def finish(self, growing: Growing) -> None:
        """All of a file is written."""
        end, size, _ = growing.written
        blob = growing.table().encode()
        with self.database.write() as connection:
            changed = connection.execute(
                "UPDATE files SET length = ?, size = ?, grows = 0 WHERE stream = ? AND start = ?",
                (end - growing.start, size, growing.key, growing.start),
            )
            known = changed.rowcount > 0
            if known:
                connection.execute("UPDATE contents SET samples = ? WHERE id = ?", (blob, growing.id))
                connection.execute("UPDATE streams SET bytes = bytes + ? WHERE id = ?", (size, growing.key))
                extend_sequences(connection, growing.key, growing.start, end, JOINED)
        if not known and growing.path.exists():  # the index was damaged, and begun anew, while it was written
            self.put(growing.file, init=growing.init, table=growing.table())
        self.leave(growing)

    def forget(self, growing: Growing) -> None:
        """Nothing came of a file, or it is gone."""
        with self.database.write() as connection:
            forget(connection, growing.key, growing.start)
            cut_sequences(connection, growing.key, growing.start, growing.start + 1)
        self.leave(growing)

    def leave(self, growing: Growing) -> None:
        """Nobody writes to it any more; its row says what is known without its writer."""
        if self._growing.get(growing.key) is growing:
            del self._growing[growing.key]

    def unfinished(self, camera_id: str, stream: str) -> list[RecordedFile]:
        """Files whose end was never written down, since the server was killed."""
        with self.database.read() as connection:
            key = self.key(connection, camera_id, stream)
            rows = connection.execute(
                "SELECT start, length, lead, size, content FROM files WHERE stream = ? AND grows ORDER BY start", (key,)
            ).fetchall()
        growing = self._growing.get(key)
        folder = folder_of(self.root, camera_id, stream)
        return [_file(camera_id, stream, folder, row) for row in rows if growing is None or row[0] != growing.start]

    def put(self, file: RecordedFile, *, init: bytes, table: SampleTable | None) -> None:
        """A file that is there, as it was found on the disk; what was known of it before is replaced."""
        blob = None if table is None else table.encode()
        with self.database.write() as connection:
            key = self.key(connection, file.camera_id, file.stream, make=True)
            row = connection.execute(
                "SELECT arrived FROM files WHERE stream = ? AND start = ?", (key, file.start)
            ).fetchone()
            arrived = file.start // TICKS_PER_SECOND if row is None else row[0]
            forget(connection, key, file.start)
            content = connection.execute(
                "INSERT INTO contents (format, samples) VALUES (?, ?)", (_format(connection, init), blob)
            ).lastrowid
            connection.execute(
                "INSERT INTO files (stream, start, length, lead, size, content, arrived, grows)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
                (key, file.start, file.end - file.start, file.start - file.zero, file.size, content, arrived),
            )
            connection.execute("UPDATE streams SET bytes = bytes + ? WHERE id = ?", (file.size, key))
            extend_sequences(connection, key, file.start, file.end, JOINED)

    def key(self, connection: sqlite3.Connection, camera_id: str, stream: str, *, make: bool = False) -> int:
        """The number of a stream; −1, of which there are no rows, if it was never recorded."""
        key = self._keys.get((camera_id, stream, self.database.made))
        if key is not None:
            return key
        row = connection.execute("SELECT id FROM streams WHERE camera = ? AND name = ?", (camera_id, stream)).fetchone()
        if row is None and make:
            key = connection.execute("INSERT INTO streams (camera, name) VALUES (?, ?)", (camera_id, stream)).lastrowid
            assert key is not None
            return key  # remembered once the transaction is over
        if row is None:
            return -1
        self._keys[camera_id, stream, self.database.made] = row[0]
        return int(row[0])


def _file(camera_id: str, stream: str, folder: Path, row: tuple[int, int, int, int, int]) -> RecordedFile:
    start, length, lead, size, content = row
    return RecordedFile(content, camera_id, stream, start - lead, start, start + length, size, folder / name_of(start))


def hash_of(init: bytes) -> bytes:
    """What an init segment is known by."""
    return hashlib.sha256(init).digest()[:16]


def _format(connection: sqlite3.Connection, init: bytes) -> int:
    digest = hash_of(init)
    connection.execute("INSERT INTO formats (hash, init) VALUES (?, ?) ON CONFLICT DO NOTHING", (digest, init))
    return int(connection.execute("SELECT id FROM formats WHERE hash = ?", (digest,)).fetchone()[0])


def forget(connection: sqlite3.Connection, key: int, start: int) -> None:
    row = connection.execute(
        "SELECT content, size, grows FROM files WHERE stream = ? AND start = ?", (key, start)
    ).fetchone()
    if row is not None:
        connection.execute("DELETE FROM contents WHERE id = ?", (row[0],))
        connection.execute("DELETE FROM files WHERE stream = ? AND start = ?", (key, start))
        if not row[2]:
            connection.execute("UPDATE streams SET bytes = bytes - ? WHERE id = ?", (row[1], key))
