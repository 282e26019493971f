"""``fanal bench`` about a machine that was measured already; the measurement has its own tests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from click.testing import CliRunner

from appliance.cli.app import fanal
from appliance.cli.context import Program
from appliance.compose import offline
from appliance.compose import run as run_appliance
from appliance.measuring import run
from appliance.status.capacity import Capacity, Transcoding

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MADE = [
    Transcoding(codec, width, width * 9 // 16, fps, cost)
    for codec, costs in (("h264", (150.0, 90.0, 80.0, 70.0)), ("mjpeg", (None, 95.0, 85.0, 75.0)))
    for width, cost in zip((1920, 960, 640, 320), costs, strict=True)
    if cost is not None
    for fps in (25, 10)
]


def bench(monkeypatch, folder: Path, *arguments: str, busy: float = 0.0):
    async def measured(tell: Callable[[float], None]) -> Capacity:
        for step in range(11):
            tell(step / 10)
        return Capacity("2026-03-12T14:03:27Z", 2, 1.5, 4000, "1080p", MADE, busy)

    monkeypatch.setattr(run, "run", measured)
    program = Program(run=run_appliance, offline=offline)
    return CliRunner().invoke(fanal, ["bench", "--data", str(folder), *arguments], obj=program)


def test_it_tells_what_fits_and_what_to_set(monkeypatch, folder: Path) -> None:
    done = bench(monkeypatch, folder, busy=1.5)
    assert done.exit_code == 0, done.output
    assert "Direct      600 viewers of 4 Mbit/s each" in done.stdout
    assert "H.264   25                 12         20       22       25" in done.stdout
    assert "MJPEG   25                 –          18       21       24" in done.stdout
    assert "  fanal config set performance.level1.max_fps 25\n" in done.stdout
    assert "others used 1.5 of 2 cores" in done.stdout
    assert "Nothing was kept" in done.stdout
    assert not folder.exists()  # nobody has begun one there


def test_without_a_server_it_is_kept_all_the_same(monkeypatch, folder: Path) -> None:
    with offline(folder):
        pass
    done = bench(monkeypatch, folder, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["kept"] is True
    assert (told["direct"], told["was_busy"], told["transcoding"][0]["streams"]) == (600, False, 12)
    assert len(told["proposed"]) == 18
    kept = json.loads((folder / "capacity.json").read_text())
    assert (kept["cores"], len(kept["transcoding"])) == (2, len(MADE))


def test_what_was_found_is_told_where_it_cannot_be_kept(monkeypatch, folder: Path) -> None:
    with offline(folder):
        pass
    (folder / "capacity.json").unlink(missing_ok=True)
    (folder / "capacity.json").mkdir()
    done = bench(monkeypatch, folder)
    assert done.exit_code == 1
    assert "Direct      600 viewers" in done.stdout
    assert "capacity.json" in done.stderr
    (folder / "capacity.json").rmdir()
