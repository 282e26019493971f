"""Asks the watch of `bench.common.watched` how late the loop is."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.common.appliance import running_appliance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.common.appliance import Server


class Watched:
    """An appliance whose loop is watched."""

    def __init__(self, server: Server, file: Path) -> None:
        self.server = server
        self._file = file

    def lateness(self, during: Callable[[], object]) -> list[float]:
        """How late a timer of one millisecond was each time, in milliseconds, while something was done."""
        os.kill(self.server.pid, signal.SIGUSR1)
        during()
        os.kill(self.server.pid, signal.SIGUSR2)
        end = time.monotonic() + 10
        while not self._file.exists():
            if time.monotonic() > end:
                raise RuntimeError("the watch on the loop says nothing")
            time.sleep(0.05)
        late: list[float] = json.loads(self._file.read_text())
        self._file.unlink()
        return late


@contextlib.contextmanager
def watched_appliance(urls: Sequence[str], **more: Any) -> Iterator[Watched]:
    """As `running_appliance`, with a watch on its loop."""
    with tempfile.TemporaryDirectory(prefix="fanal-late-") as folder:
        file = Path(folder) / "late.json"
        os.environ["BENCH_STALLS"] = str(file)
        with running_appliance(urls, module="bench.common.watched", **more) as server:
            yield Watched(server, file)


def percentile(values: list[float], which: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[which - 1]
