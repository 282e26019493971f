"""The index for those who compare it with the files.  All of it blocks, for a thread, and raises `Fault`."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from appliance.media.fmp4_read import Mp4Error, read_formats
from appliance.media.sample_table import SampleTable, SampleTableError
from appliance.recorder.files import RecordedFile, Span, name_of, path_of
from appliance.recorder.index import JOINED, hash_of
from appliance.recorder.sequences import cut_sequences
from appliance.store.sqlite import is_damage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from appliance.recorder.index import Index

#: Rows that are read at once.
PAGE: Final = 200
_COLUMNS: Final = (
    "SELECT files.start, files.length, files.lead, files.size, files.grows, files.content,"
    " contents.id, CAST(contents.samples AS BLOB), CAST(formats.init AS BLOB), CAST(formats.hash AS BLOB)"
    " FROM files LEFT JOIN contents ON contents.id = files.content LEFT JOIN formats ON formats.id = contents.format"
)
#: Steps of SQLite's machine between two questions whether to go on: some milliseconds.
_STEPS: Final = 100_000


@dataclass(frozen=True)
class Row:
    """All that the index says of a file."""

    file: RecordedFile
    grows: bool
    has_content: bool
    blob: bytes | None = field(repr=False)
    kept_init: bytes | None = field(repr=False)
    hash: bytes | None = field(repr=False)

    @property
    def name(self) -> str:
        return name_of(self.file.start)

    @cached_property
    def init(self) -> bytes | None:
        """Its init segment; None if what the index has is damaged."""
        if self.kept_init is None or hash_of(self.kept_init) != self.hash:
            return None
        try:
            read_formats(self.kept_init)
        except Mp4Error:
            return None
        return self.kept_init

    @cached_property
    def table(self) -> SampleTable | None:
        """Its samples; None if the index has none, or what it has is damaged or of another file."""
        if self.blob is None or self.init is None:
            return None
        try:
            table = SampleTable.decode(self.blob)
        except SampleTableError:
            return None
        return table if (table.init_size, table.file_size) == (len(self.init), self.file.size) else None

    @property
    def is_sound(self) -> bool:
        """Whether what it says of the inside of the file makes sense.  Without samples it says nothing: they are read
        from the file when they are needed."""
        return self.has_content and self.init is not None and (self.blob is None or self.table is not None)


def page(index: Index, camera_id: str, stream: str, after: int) -> list[Row]:
    """The next rows of a stream behind a start."""
    return _rows(index, camera_id, stream, "AND files.start > ? ORDER BY files.start LIMIT ?", (after, PAGE))


def row_at(index: Index, camera_id: str, stream: str, start: int) -> Row | None:
    """The row of a file."""
    found = _rows(index, camera_id, stream, "AND files.start = ?", (start,))
    return found[0] if found else None


def _rows(index: Index, camera_id: str, stream: str, which: str, values: tuple[int, ...]) -> list[Row]:
    with index.database.read() as connection:
        key = index.key(connection, camera_id, stream)
        found = connection.execute(f"{_COLUMNS} WHERE files.stream = ? {which}", (key, *values)).fetchall()
    rows = []
    for start, length, lead, size, grows, content, there, blob, init, digest in found:
        path = path_of(index.root, camera_id, stream, start)
        file = RecordedFile(content, camera_id, stream, start - lead, start, start + length, size, path)
        rows.append(Row(file, bool(grows), there is not None, blob, init, digest))
    return rows


def _beside(path: Path) -> closing[sqlite3.Connection]:
    """A connection of one's own for what takes long: nobody waits for it."""
    return closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None))


def damage(path: Path, go_on: Callable[[], bool]) -> str | None:
    """What is wrong with the file of the index; None: nothing.  Reads all of it, and stops when ``go_on`` says so."""
    try:
        with _beside(path) as connection:
            connection.set_progress_handler(lambda: not go_on(), _STEPS)
            found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return str(error)
        if isinstance(error, sqlite3.OperationalError):  # stopped, or its disk fails: then the files do, too
            return None
        raise
    return None if found == "ok" else found


@dataclass(frozen=True, slots=True)
class Sums:
    """What follows from the rows of a stream, and what the index says: when was recorded, and how many bytes."""

    key: int
    true_spans: list[Span]
    said_spans: list[Span]
    true_bytes: int
    said_bytes: int

    @property
    def complaint(self) -> str:
        """What is wrong with what is said; empty: nothing."""
        if self.true_bytes != self.said_bytes:
            return f"{self.said_bytes} bytes are counted, and there are {self.true_bytes}"
        apart = disagreement(self.true_spans, self.said_spans)
        return "" if apart is None else "when was recorded does not fit its files"


def sums(index: Index, camera_id: str, stream: str) -> Sums | None:
    """Of a stream, in one consistent view; None if the index does not know it."""
    with index.database.minded(), _beside(index.database.path) as connection:
        connection.execute("BEGIN")
        row = connection.execute(
            "SELECT id, bytes FROM streams WHERE camera = ? AND name = ?", (camera_id, stream)
        ).fetchone()
        if row is None:
            return None
        key, said = row
        true = connection.execute(
            "SELECT coalesce(sum(size), 0) FROM files WHERE stream = ? AND NOT grows", (key,)
        ).fetchone()[0]
        spans = connection.execute('SELECT start, "end" FROM sequences WHERE stream = ? ORDER BY start', (key,))
        return Sums(key, _spans(connection, key), [Span(*each) for each in spans], true, said)


def mend_sums(index: Index, key: int) -> None:
    """Compute them again."""
    with index.database.write() as connection:
        spans = _spans(connection, key)
        connection.execute("DELETE FROM sequences WHERE stream = ?", (key,))
        connection.executemany(
            'INSERT INTO sequences (stream, start, "end") VALUES (?, ?, ?)',
            [(key, span.start, span.end) for span in spans],
        )
        connection.execute(
            "UPDATE streams SET bytes ="
            " (SELECT coalesce(sum(size), 0) FROM files WHERE stream = ? AND NOT grows) WHERE id = ?",
            (key, key),
        )


def mend_format(index: Index, init: bytes) -> None:
    """Where the index has that init segment, it has it undamaged from now on."""
    with index.database.write() as connection:
        connection.execute("UPDATE formats SET init = ? WHERE hash = ? AND init <> ?", (init, hash_of(init), init))


def cut(index: Index, camera_id: str, stream: str, start: int, end: int) -> None:
    """Nothing was recorded then after all."""
    if start < end:
        with index.database.write() as connection:
            cut_sequences(connection, index.key(connection, camera_id, stream), start, end)


def _spans(connection: sqlite3.Connection, key: int) -> list[Span]:
    """The sequences that the rows of a stream make.  Also one of a file in which nothing is yet."""
    found: list[Span] = []
    for start, length in connection.execute("SELECT start, length FROM files WHERE stream = ? ORDER BY start", (key,)):
        if found and start - found[-1].end < JOINED:
            found[-1] = Span(found[-1].start, max(found[-1].end, start + length))
        else:
            found.append(Span(start, start + length))
    return found


def disagreement(one: Sequence[Span], other: Sequence[Span]) -> Span | None:
    """The first stretch that is in only one of two lists and longer than the gaps that are joined anyway."""
    edges = sorted({edge for span in (*one, *other) for edge in (span.start, span.end)})
    begun: int | None = None
    for edge, here, there in zip(edges, _covering(one, edges), _covering(other, edges), strict=True):
        if here != there:
            begun = edge if begun is None else begun
        elif begun is not None:
            if edge - begun > JOINED:
                return Span(begun, edge)
            begun = None
    return None  # behind the last edge is neither


def _covering(spans: Iterable[Span], edges: Iterable[int]) -> Iterable[bool]:
    """For each edge: does one of the spans go on behind it?"""
    todo = iter(spans)
    span = next(todo, None)
    for edge in edges:
        while span is not None and span.end <= edge:
            span = next(todo, None)
        yield span is not None and span.start <= edge
