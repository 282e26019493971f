"""The load of this machine and of this program, from /proc: processor and memory, with a history."""

from __future__ import annotations

import os
import time
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path

#: One sample in so many seconds, kept for an hour.
SAMPLE_S = 5.0
KEPT = 720
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Sample:
    """``machine``: share of all cores in use, 0–1.  ``own``: cores used by this program and its workers; ``main``: by
    the main process alone, whose loop is one thread."""

    at: float  # seconds, monotonic
    machine: float
    own: float
    memory: int  # bytes resident, of the main process
    sent: float  # bytes a second to clients
    main: float = 0.0


class Load:
    """Takes samples when told to; a sample is the mean since the one before."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._before: tuple[float, float, float, float, int, float] | None = None
        self.history: deque[Sample] = deque(maxlen=KEPT)

    def sample(self, now: float, workers: list[int], bytes_sent: int) -> Sample:
        """Read the counters; about a tenth of a millisecond."""
        busy, total = self._machine()
        main = self._process("self")
        own = main + sum(self._process(str(pid)) for pid in workers)
        before = self._before or (now - 1, busy, total, own, bytes_sent, main)
        self._before = (now, busy, total, own, bytes_sent, main)
        seconds = max(1e-3, now - before[0])
        machine = (busy - before[1]) / max(1e-3, total - before[2])
        # a worker that ended takes its counter with it
        used, sent = max(0.0, own - before[3]) / seconds, max(0, bytes_sent - before[4]) / seconds
        by_main = (main - before[5]) / seconds
        sample = Sample(now, min(1.0, max(0.0, machine)), used, self._resident(), sent, by_main)
        self.history.append(sample)
        return sample

    @property
    def latest(self) -> Sample | None:
        return self.history[-1] if self.history else None

    def mean(self, samples: int) -> Sample | None:
        """Of the latest so many: one alone may be of a moment in which a process began."""
        latest = list(self.history)[-samples:]
        if not latest:
            return None
        columns = {name: sum(getattr(one, name) for one in latest) / len(latest) for name in ("machine", "own", "main")}
        return replace(latest[-1], **columns)

    def machine_busy_s(self) -> float:
        """Processor seconds that the whole machine has worked since its start."""
        return self._machine()[0]

    def _machine(self) -> tuple[float, float]:
        fields = [int(text) for text in (self._proc / "stat").read_text().split("\n", 1)[0].split()[1:9]]
        idle = fields[3] + fields[4]
        return (sum(fields) - idle) / _TICK, sum(fields) / _TICK

    def _process(self, pid: str) -> float:
        try:
            fields = (self._proc / pid / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / _TICK

    def _resident(self) -> int:
        return int((self._proc / "self" / "statm").read_text().split()[1]) * _PAGE


def process_cpu_s(pid: int) -> float:
    """Processor seconds of a process and its threads, exact (`clock_getcpuclockid(3)`).

    Raises OSError if it has ended.
    """
    return time.clock_gettime(~pid << 3 | 2)  # CPUCLOCK_SCHED of linux/posix-timers
