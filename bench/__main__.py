"""`make bench`: every bench in turn, and what they found as `bench/RESULTS.md`.

python -m bench [--quick] [--output FILE] [--json FILE] [SECTION …]
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import ssl
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench import (
    crowd,
    downloads,
    fanout,
    first_picture,
    frozen,
    ingest,
    kernels,
    memory,
    playback,
    recording,
    served,
    stall,
    start,
    transcode,
)
from bench.common.cli import Options, end_in_order, say
from bench.common.paths import BENCH, ROOT
from bench.common.report import Section, Table, findings_table
from bench.peers import nginx, node_media_server

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SECTIONS: dict[str, Callable[[Options], Section]] = {
    "fanout": fanout.measure,
    "first-picture": first_picture.measure,
    "playback": playback.measure,
    "ingest": ingest.measure,
    "kernels": kernels.measure,
    "memory": memory.measure,
    "transcode": transcode.measure,
    "served": served.measure,
    "stall": stall.measure,
    "crowd": crowd.measure,
    "downloads": downloads.measure,
    "recording": recording.measure,
    "start": start.measure,
    "frozen": frozen.measure,
}
PACKAGES = ("trio", "hypercorn", "quart", "quart-trio", "wsproto", "av", "Cython")

METHOD = """\
Everything runs on this one machine, over loopback: the appliance is a child process (`fanal run` with its own data
folder, set up over its local socket), cameras are a process of `bench/common/camera.py` (H.264, 1280x720, 25 pictures
a second, 4 Mbit/s, key frames two seconds apart, RTSP over TCP), viewers are a process of `bench/loadclient.c`. CPU is
what the kernel accounts to the processes that serve, children included; the cameras' and the viewers' is nobody's.
Where there is a peer it is measured in the same run and takes turns with ours in every round, so that what else the
machine does meets both; a ratio is the median of the rounds' ratios, and *rounds* is their spread. Times on the clock
and the delays depend on the machine and what else it does; ratios do much less so."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)}; all if none is named"
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds, shorter windows: the numbers are rougher")
    parser.add_argument("--output", type=Path, metavar="FILE", help="the report; bench/RESULTS.md of a whole run")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write what was found there")
    arguments = parser.parse_args()
    if unknown := set(arguments.sections) - set(SECTIONS):
        parser.error(f"there is no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    names = [name for name in SECTIONS if name in arguments.sections or not arguments.sections]
    end_in_order()
    began = time.monotonic()
    busy_before = os.getloadavg()[0]
    sections = [attempt(name, Options(quick=arguments.quick)) for name in names]
    report = document(sections, quick=arguments.quick, seconds=time.monotonic() - began, busy_before=busy_before)
    output: Path | None = arguments.output
    if output is None and not arguments.quick and len(names) == len(SECTIONS):
        output = BENCH / "RESULTS.md"
    if output is None:
        print(report)
    else:
        output.write_text(report)
        print(findings_table([finding for section in sections for finding in section.findings]))
        say(f"written: {output}")
    if arguments.json is not None:
        data = [section.data() for section in sections]
        arguments.json.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    return int(any(section.failure for section in sections))


def attempt(name: str, options: Options) -> Section:
    """Measure a section; what keeps it from being measured goes into the report, and the others are measured."""
    try:
        return SECTIONS[name](options)
    except Exception as error:  # whatever it is, the report says it
        say("\n".join([f"{name} failed: {error}", *getattr(error, "__notes__", ())]))
        return Section(name, name, "", failure=f"{type(error).__name__}: {error}")


def document(sections: Sequence[Section], *, quick: bool, seconds: float, busy_before: float) -> str:
    """The report in Markdown."""
    findings = [finding for section in sections for finding in section.findings]
    judged = [finding for finding in findings if finding.reached is not None]
    missed = [finding for finding in judged if not finding.reached]
    verdict = f"{len(judged) - len(missed)} of {len(judged)} targets reached."
    for section in sections:
        if section.failure:
            verdict += f" **{section.name} could not be measured.**"
    if quick:
        verdict += " A quick run: few rounds, short windows, rough numbers."
    parts = [
        "# Bench results",
        f"Made by `make bench` ({seconds / 60:.1f} minutes); `bench/README.md` says how. {verdict}",
        findings_table(findings),
        "## Machine",
        machine(busy_before).markdown(),
        "## Method",
        METHOD,
        *(section.markdown() for section in sections),
    ]
    return "\n\n".join(parts) + "\n"


def machine(busy_before: float) -> Table:
    """What it ran on."""
    table = Table(["what", "which"])
    table.add("CPU", f"{_cpu_model()}, {os.cpu_count()} cores")
    table.add("memory", f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB")
    table.add("load before the run", f"{busy_before:.2f} (one minute; 0 is a quiet machine)")
    table.add("kernel", f"{platform.system()} {platform.release()}")
    table.add("Python", f"{platform.python_version()}, {ssl.OPENSSL_VERSION}")
    table.add("packages", ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES))
    table.add("ffmpeg", _first_line("ffmpeg", "-version").removeprefix("ffmpeg version ").partition(" ")[0])
    table.add("Node.js", f"{_first_line('node', '--version') or 'none'}; {node_media_server.described()}")
    table.add("nginx", nginx.described() or "none")
    table.add("commit", _commit())
    return table


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _commit() -> str:
    commit = _first_line("git", "rev-parse", "--short=12", "HEAD")
    if not commit:
        return "none: not a git checkout"
    changed = _first_line("git", "status", "--porcelain", "--untracked-files=no", "appliance", "_native", "bench")
    return f"{commit}{' and changes that are not committed' if changed else ''}"


def _first_line(*command: str) -> str:
    """What a command says; empty where there is none or it fails."""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=10)
    except OSError:
        return ""
    return done.stdout.partition("\n")[0].strip() if done.returncode == 0 else ""


if __name__ == "__main__":
    raise SystemExit(main())
