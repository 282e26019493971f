"""A sound card, run by ALSA as a program: it takes what is played on its standard input, in the time that it lasts.

A player goes by the card's clock.  ALSA's own ``null`` has none: it takes any amount at once, which players then fill
with silence.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import time
from pathlib import Path

RATE = 48_000
SAMPLE_BYTES = 2
#: What is on its way to the loudspeaker: as little as a pipe holds.
ON_ITS_WAY = 4096
#: A card never runs late, whatever else the machine does: what this one lost by that, it takes at once.
CATCHES_UP_S = 1.0


def play(folder: Path) -> None:
    due = time.monotonic()
    narrow = False
    with (folder / f"played-{time.time_ns()}.raw").open("wb", buffering=0) as file:
        while piece := os.read(0, ON_ITS_WAY // 2):
            file.write(piece)
            if not narrow:
                with contextlib.suppress(OSError):  # more than that is in it
                    fcntl.fcntl(0, fcntl.F_SETPIPE_SZ, ON_ITS_WAY)
                    narrow = True
            now = time.monotonic()
            due = max(due, now - CATCHES_UP_S) + len(piece) / SAMPLE_BYTES / RATE
            if due > now:
                time.sleep(due - now)


if __name__ == "__main__":
    play(Path(sys.argv[1]))
