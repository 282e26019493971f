"""A year of sixteen cameras is 8.4 million files (`bench/recording.py` makes them all): no question reads more of the
index than its answer is long, so that what is quick here is quick there."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import pytest

from appliance.recorder import upkeep
from appliance.recorder.retention import AT_ONCE
from bench.common import year
from bench.common.year import BEGAN, DAY, MINUTE, camera_id
from bench.recording import questions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.recorder.index import Index

CAMERAS, DAYS = 3, 12
EACH_MS = 50.0


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder = tmp_path_factory.mktemp("year")
    assert year.make_year(folder, cameras=CAMERAS, days=DAYS) == CAMERAS * DAYS * 1440
    found = year.open_index(folder)
    yield found
    found.database.close()


def test_a_question_about_a_day_is_answered_in_fifty_milliseconds(index: Index) -> None:
    for what, ask in questions(index, CAMERAS, DAYS):
        assert statistics.median(ask() for _ in range(7)) < EACH_MS, what
    day = index.files(camera_id(1), "main", BEGAN + DAY, BEGAN + 2 * DAY)
    assert [file.start for file in day] == list(range(BEGAN + DAY, BEGAN + 2 * DAY, MINUTE))
    assert len(index.sequences(camera_id(0), "main", BEGAN, BEGAN + DAY)[0]) == year.EVENTS_A_DAY


def test_no_question_reads_a_table_from_end_to_end(index: Index) -> None:
    """Also not those of who makes room and who writes."""
    asked: set[str] = set()
    connections = (index.database._reader, index.database._writer)
    for connection in connections:
        connection.set_trace_callback(asked.add)
    for _, ask in questions(index, CAMERAS, DAYS):
        ask()
    file = index.files(camera_id(1), "main", BEGAN, BEGAN + 1)[0]
    index.content(file)
    index.unfinished(camera_id(1), "main")
    index.free_from(camera_id(1), "main", BEGAN)
    index.streams()
    upkeep.newest(index, camera_id(1), "main")
    upkeep.knows(index, camera_id(1), "main", BEGAN)
    upkeep.doom(index, upkeep.oldest(index, 3, -1, AT_ONCE))
    upkeep.buried(index, upkeep.doomed(index, AT_ONCE))
    growing = index.begin(camera_id(2), "main", zero=1, start=1, init=b"init", arrived=0)
    growing.grow([], 2, 3)
    index.finish(growing)
    for connection in connections:
        connection.set_trace_callback(None)
    seen = 0
    for statement in asked:
        if statement.split()[0] not in ("SELECT", "DELETE", "UPDATE"):
            continue
        seen += 1
        for *_, plan in index.database._reader.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall():
            assert not plan.startswith("SCAN") or plan.split()[1] in ("streams", "doomed", "CONSTANT"), (
                statement,
                plan,
            )
    assert seen > 15


def test_a_start_reads_nothing_of_it(index: Index) -> None:
    begun = time.perf_counter()
    again = year.open_index(index.root.parent)
    assert len(again.streams()) == CAMERAS
    again.database.close()
    assert time.perf_counter() - begun < 0.5
