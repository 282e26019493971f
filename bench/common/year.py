"""An index as a year of recording leaves it: a file a minute, a gap a day, one camera by events alone."""

from __future__ import annotations

import itertools
import uuid
from typing import TYPE_CHECKING

from appliance.base.clock import TICKS_PER_SECOND as S
from appliance.recorder.database import NAME, Database
from appliance.recorder.files import FOLDER, MAIN
from appliance.recorder.index import Index

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

BEGAN = 1_760_000_000 * S
MINUTE, DAY = 60 * S, 24 * 3600 * S
#: Files are written side by side, so the rows of cameras come in turn.
TOGETHER_DAYS = 1
EVENTS_A_DAY = 100


def camera_id(number: int) -> str:
    return str(uuid.UUID(int=number + 1, version=4))


def open_index(folder: Path) -> Index:
    root = folder / FOLDER
    root.mkdir(parents=True, exist_ok=True)
    return Index(root, Database(root / NAME))


def make_year(folder: Path, *, cameras: int, days: int) -> int:
    """Fill an index; the number of files.  The contents are without their samples, which no list reads."""
    index = open_index(folder)
    with index.database.write() as connection:
        connection.execute("INSERT INTO formats (hash, init) VALUES (x'00', x'00')")
        for number in range(cameras):
            connection.execute("INSERT INTO streams (camera, name, bytes) VALUES (?, ?, 0)", (camera_id(number), MAIN))
            connection.executemany("INSERT INTO sequences VALUES (?, ?, ?)", _sequences(number, days))
    content = itertools.count(1)
    count = 0
    for first in range(0, days, TOGETHER_DAYS):
        with index.database.write() as connection:
            for number in range(cameras):
                count += _files(connection, number, first, min(days, first + TOGETHER_DAYS), content)
    with index.database.write() as connection:
        connection.execute("INSERT INTO contents (id, format) SELECT content, 1 FROM files ORDER BY content")
        connection.execute("UPDATE streams SET bytes = (SELECT sum(size) FROM files WHERE stream = streams.id)")
    index.database.close()
    return count


def _files(connection: sqlite3.Connection, number: int, first: int, last: int, content: Iterator[int]) -> int:
    rows = [
        (number + 1, start, MINUTE, 0, 30_000_000 + start % 1000, start // S, next(content), 0)
        for start in range(BEGAN + first * DAY, BEGAN + last * DAY, MINUTE)
    ]
    connection.executemany("INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    return len(rows)


def _sequences(number: int, days: int) -> list[tuple[int, int, int]]:
    each = EVENTS_A_DAY if number == 0 else 1
    step = DAY // each
    return [(number + 1, start, start + step - 5 * S) for start in range(BEGAN, BEGAN + days * DAY, step)]
