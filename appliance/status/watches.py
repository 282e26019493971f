"""What is looked at once a minute, and put on the board when it wants attention."""

from __future__ import annotations

from shutil import disk_usage
from typing import TYPE_CHECKING

import trio

from appliance.base.beat import rest
from appliance.status.board import Attention, Severity

if TYPE_CHECKING:
    from pathlib import Path

    from appliance.base.faults import Details
    from appliance.status.board import Board
    from appliance.status.logs import Logs

PERIOD_S = 60.0


async def watch_disk(folder: Path, board: Board) -> None:
    """Say when the data folder's disk runs full, before things fail."""
    while True:
        usage = await trio.to_thread.run_sync(disk_usage, folder)
        full = usage.free < max(100 << 20, usage.total // 100)
        message = f"The disk of {folder} has {usage.free >> 20} MB left."
        details: Details = {"folder": str(folder), "megabytes": usage.free >> 20}
        urgent = Attention("disk_full", message, "Free some space.", Severity.URGENT, details)
        board.attend("disk", urgent if full else None)
        await rest(PERIOD_S)


async def watch_log(logs: Logs, board: Board) -> None:
    """Say when lines of the log were lost; until the next start, as they stay lost."""
    told = 0
    while True:
        if logs.lost > told:
            told = logs.lost
            message = f"{told} lines of the log were lost: they came faster than they could be written."
            hint = "Look at the log for what repeats itself, and at the disk, which may be slow."
            board.attend("log", Attention("log_lines_lost", message, hint, details={"lines": told}))
        await rest(PERIOD_S)
