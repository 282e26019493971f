"""The one-file program: how large it is, and how long from its start until it serves."""

from __future__ import annotations

import subprocess
import tempfile
import time
from typing import TYPE_CHECKING

from bench.common.cli import Options, say, script
from bench.common.paths import ROOT
from bench.common.process import running
from bench.common.report import Section

if TYPE_CHECKING:
    from pathlib import Path

BINARY = ROOT / "dist" / "fanal"
SIZE_TARGET_MB = 80
START_TARGET_S = 3.5


def measure(options: Options) -> Section:
    """Starts on a new data folder, and on that folder again."""
    section = Section(
        "start",
        "The one-file program",
        "`dist/fanal run` on the clock, from the call until it says that it is ready (it unpacks itself each time): on "
        "a new data folder, where it makes its keys, its authority and the administrator; and on that folder again. "
        "The program's file is in the page cache.",
    )
    made_program()
    section.find("size", BINARY.stat().st_size / 1e6, "MB", target=SIZE_TARGET_MB)
    BINARY.read_bytes()
    new, again = [], []
    for _ in range(options.count(5, 2)):
        say("start: round")
        with tempfile.TemporaryDirectory(prefix="fanal-start-") as folder:
            new.append(_start_s(folder))
            again.append(_start_s(folder))
    section.find("start to ready, new folder", new, "s", target=START_TARGET_S)
    section.find("start to ready", again, "s", target=START_TARGET_S)
    return section


def made_program() -> Path:
    """The one-file program, made if it is older than its sources.  Raises RuntimeError."""
    say("the one-file program is made, if it is older than its sources")
    made = subprocess.run(["make", "-s", "dist/fanal"], cwd=ROOT, capture_output=True, text=True, check=False)
    if made.returncode:
        raise RuntimeError(made.stderr[-800:])
    return BINARY


def _start_s(folder: str) -> float:
    ports = ["--http", "0", "--https", "auto"]
    began = time.monotonic()
    with running([str(BINARY), "run", "--data", folder, "--bind", "127.0.0.1", *ports]):
        return time.monotonic() - began


if __name__ == "__main__":
    script(measure, __doc__)
