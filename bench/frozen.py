"""The one-file program beside the installed package: whether it transcodes as fast.

python -m bench.frozen [--quick] [--json FILE]
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

from bench.common.cli import Options, say, script
from bench.common.paths import ROOT
from bench.common.report import Section
from bench.start import made_program

if TYPE_CHECKING:
    from collections.abc import Sequence

TARGET = 0.95
Case = tuple[str, int, float]


def measure(options: Options) -> Section:
    """Both measure themselves (`fanal bench`), in turn."""
    section = Section(
        "frozen",
        "The one-file program's transcoding",
        "`dist/fanal bench` and `python -m appliance bench` in turn: the CPU for a second of video of each (codec, "
        "size, rate) that it measures, in workers on all cores at once. Speed is the package's CPU over the program's; "
        "the median of all cases of a round.",
    )
    program = [str(made_program())]
    package = [sys.executable, "-m", "appliance"]
    speeds = []
    table = section.table("camera, width, pictures a second", "one-file program, CPU ms", "package, CPU ms")
    last: tuple[dict[Case, float], dict[Case, float]] = ({}, {})
    for number in range(options.count(3, 1)):
        say(f"frozen: round {number + 1}")
        theirs, ours = _costs(program), _costs(package)
        speeds.append(statistics.median(ours[case] / theirs[case] for case in ours.keys() & theirs.keys()))
        last = theirs, ours
    section.find("speed of transcoding over the installed package's", speeds, "×", target=TARGET, at_least=True)
    for case in sorted(last[0].keys() & last[1].keys(), key=lambda case: (case[0], -case[2], -case[1])):
        table.add(f"{case[0]}, {case[1]}, {case[2]:g}", last[0][case], last[1][case])
    return section


def _costs(command: Sequence[str]) -> dict[Case, float]:
    with tempfile.TemporaryDirectory(prefix="fanal-frozen-") as folder:
        arguments = [*command, "bench", "--json", "--data", folder]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            arguments, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
    if done.returncode:
        raise RuntimeError(done.stderr[-800:])
    found = json.loads(done.stdout)["transcoding"]
    return {(each["codec"], each["width"], each["fps"]): each["cpu_ms"] for each in found}


if __name__ == "__main__":
    script(measure, __doc__)
