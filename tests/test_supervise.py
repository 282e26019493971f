"""The restart policy."""

from __future__ import annotations

from itertools import pairwise

import pytest
import trio

from appliance.status.board import Board
from appliance.supervise import supervise


async def test_a_failed_service_is_started_again_later_and_later(autojump_clock) -> None:
    board, starts = Board(0), []

    async def run() -> None:
        starts.append(trio.current_time())
        await trio.sleep(0.5)
        raise RuntimeError("boom")

    with trio.move_on_after(400):
        await supervise("test", run, board)
    waits = [b - a - 0.5 for a, b in pairwise(starts)]
    assert waits[:8] == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60])
    assert board.services["test"].failures == len(starts) - (1 if board.services["test"].running else 0)
    assert board.services["test"].last_error == "RuntimeError: boom"


async def test_cancelling_a_supervised_service_ends_it(autojump_clock) -> None:
    ended = False

    async def run() -> None:
        nonlocal ended
        try:
            await trio.sleep_forever()
        finally:
            ended = True

    with trio.move_on_after(1):
        await supervise("test", run, Board(0))
    assert ended
