"""How long a process has waited for a processor: what it did not do meanwhile is not its fault."""

from __future__ import annotations

import os

_NS = 1e-9


class ProcessorWait:
    """Of a process that was started just now: a media worker soon hides from all who are not root.

    What is open stays readable.  Where the system does not count (CONFIG_SCHED_INFO), no process has ever waited.
    """

    def __init__(self, pid: int) -> None:
        self._seconds = 0.0
        try:
            self._file: int | None = os.open(f"/proc/{pid}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._file = None

    @property
    def seconds(self) -> float:
        """Since it was started; of its first thread, which is the one that works."""
        if self._file is not None:
            try:
                _ran, waited, _times = os.pread(self._file, 80, 0).split()
                self._seconds = int(waited) * _NS
            except (OSError, ValueError):
                pass  # it has ended
        return self._seconds

    def close(self) -> None:
        """Once; `seconds` stays what it was."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
