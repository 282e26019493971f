"""What is looked at once a minute."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import trio

from appliance.status import watches
from appliance.status.board import Board, Severity

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GB = 1 << 30


async def until(condition: Callable[[], object]) -> None:
    for _ in range(1000):
        if condition():
            return
        await trio.sleep(0.01)
    raise AssertionError("it did not come")


async def test_a_disk_that_runs_full_is_told_until_it_is_not(tmp_path: Path, monkeypatch) -> None:
    free = GB
    monkeypatch.setattr(watches, "PERIOD_S", 0.01)
    monkeypatch.setattr(watches, "disk_usage", lambda _: SimpleNamespace(total=10 * GB, free=free))
    board = Board(0)
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(watches.watch_disk, tmp_path, board)
            await trio.sleep(0.1)
            assert board.attention == []
            free = 50 << 20
            await until(lambda: board.attention)
            (item,) = board.attention
            assert item.severity is Severity.URGENT
            assert "50 MB left" in item.message
            free = GB
            await until(lambda: not board.attention)
            nursery.cancel_scope.cancel()


async def test_lines_of_the_log_that_were_lost_are_told(autojump_clock) -> None:
    logs, board = SimpleNamespace(lost=0), Board(0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watches.watch_log, logs, board)
        await trio.sleep(1)
        assert board.attention == []
        for lost in (3, 12):
            logs.lost = lost
            await trio.sleep(60)
            (item,) = board.attention
            assert item.code == "log_lines_lost"
            assert item.message.startswith(f"{item.details['lines']} lines")
            assert item.message.startswith(f"{lost} lines")
        nursery.cancel_scope.cancel()
