"""Sequences: stretches without a gap, so that a year's calendar is a few rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.recorder.files import Span

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable


def merged(spans: Iterable[tuple[int, int]], start: int, end: int, joined: int, most: int) -> tuple[list[Span], int]:
    """Spans in their order, clipped to a time; those with no more than ``joined`` between them as one.

    Where that would be more than ``most``, longer gaps go too.  Also how long those are that went, at most.
    """
    found = _joined(spans, start, end, joined)
    if len(found) > most:
        joined = max(joined, -(-(end - start) // most))  # longer gaps there are fewer than that of
        found = _joined(found, start, end, joined)
    return [Span(*each) for each in found], joined


def _joined(spans: Iterable[tuple[int, int]], start: int, end: int, joined: int) -> list[tuple[int, int]]:
    """No objects yet, and nothing done twice: of a year there may be tens of thousands."""
    found: list[tuple[int, int]] = []
    begun = over = reach = start - 1  # of the last one; none yet, and up to where another one joins it
    for first, last in spans:
        if last <= start or first >= end or first >= last:
            continue
        if first < start:  # noqa: PLR1730  (a call of max for each takes as long as all the rest)
            first = start  # noqa: PLW2901  (clipped)
        if last > end:  # noqa: PLR1730
            last = end  # noqa: PLW2901
        if first > reach:
            if over > begun:
                found.append((begun, over))
            begun, over = first, last
        elif last > over:
            over = last
        else:
            continue
        reach = over + joined
    if over > begun:
        found.append((begun, over))
    return found


def extend_sequences(connection: sqlite3.Connection, key: int, start: int, end: int, joined: int) -> None:
    """Something was recorded from ``start`` to ``end``: it joins what it lies near to."""
    near = connection.execute(
        'SELECT start, "end" FROM sequences WHERE stream = ? AND start <= ? ORDER BY start DESC LIMIT 1',
        (key, start),
    ).fetchone()
    first = start
    if near is not None and near[1] + joined > start:
        first, end = near[0], max(near[1], end)
    last = connection.execute(
        'SELECT max("end") FROM sequences WHERE stream = ? AND start > ? AND start < ?', (key, first, end + joined)
    ).fetchone()[0]
    connection.execute("DELETE FROM sequences WHERE stream = ? AND start > ? AND start < ?", (key, first, end + joined))
    connection.execute(
        'INSERT INTO sequences (stream, start, "end") VALUES (?, ?, ?)'
        ' ON CONFLICT (stream, start) DO UPDATE SET "end" = excluded."end"',
        (key, first, end if last is None else max(end, last)),
    )


def cut_sequences(connection: sqlite3.Connection, key: int, start: int, end: int) -> None:
    """The files between two times are gone, and with them what was recorded then."""
    rows = connection.execute(
        'SELECT start, "end" FROM sequences WHERE stream = ? AND start < ? AND "end" >= ?', (key, end, start)
    ).fetchall()
    for first, last in rows:
        connection.execute("DELETE FROM sequences WHERE stream = ? AND start = ?", (key, first))
        for kept, until in ((first, start), (end, last)):
            if kept < until and kept >= first:
                connection.execute(
                    'INSERT OR REPLACE INTO sequences (stream, start, "end") VALUES (?, ?, ?)', (key, kept, until)
                )
