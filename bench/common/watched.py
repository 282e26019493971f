"""`fanal` with a watch on its loop: how late a timer of one millisecond is.

    python -m bench.common.watched run …       the commands of ``fanal``

SIGUSR1 begins a window; SIGUSR2 ends it and writes the latenesses, in milliseconds, to the file BENCH_STALLS names.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from array import array
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trio

from appliance.cli.app import main
from appliance.cli.context import Program
from appliance.compose import offline, run

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMER_S = 0.001


class Watch:
    def __init__(self) -> None:
        self.late = array("f")

    async def look(self) -> None:
        while True:
            due = time.perf_counter() + TIMER_S
            await trio.sleep(TIMER_S)
            self.late.append((time.perf_counter() - due) * 1000)

    async def obey(self) -> None:
        with trio.open_signal_receiver(signal.SIGUSR1, signal.SIGUSR2) as signals:
            async for number in signals:
                if number == signal.SIGUSR2:
                    path = Path(os.environ["BENCH_STALLS"])
                    text = json.dumps([round(each, 3) for each in self.late])
                    path.with_suffix(".part").write_text(text)
                    path.with_suffix(".part").replace(path)
                self.late = array("f")


async def _run(task_status: Any = trio.TASK_STATUS_IGNORED, **options: Any) -> None:
    watch = Watch()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch.obey)
        nursery.start_soon(watch.look)
        await run(task_status=task_status, **options)
        nursery.cancel_scope.cancel()


@contextmanager
def _offline(folder: Path) -> Iterator[None]:
    with offline(folder):
        yield


if __name__ == "__main__":
    if sys.argv[1:2] == ["worker"]:
        raise SystemExit("the pool starts workers as python -m appliance")
    sys.exit(main(Program(run=_run, offline=_offline)))
