"""``fanal recorder check``, with and without a server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from appliance.base.clock import TICKS_PER_SECOND as S
from appliance.base.clock import SystemClock
from tests.cli.program import fanal, refused, running
from tests.media.clips import encode_h264
from tests.recorder.made import endless, make_recording

if TYPE_CHECKING:
    from tests.cli.program import Server

START = SystemClock().utc_90k() - 3600 * S  # none of it is so old that it is deleted
CLIP = encode_h264(5, (64, 64), fps=5, gop=5)


@pytest.fixture(scope="module")
def recorded(folder: Path) -> Path:
    """A data folder with a camera and four files of it; the folder of these."""
    added = fanal("camera", "add", "gate", "rtsp://192.0.2.10/main", "--json", data=folder)
    make_recording(folder, endless(CLIP, START, 182, fps=5), camera_id=added.json["id"], clock=SystemClock())
    return folder / "recordings" / added.json["id"] / "main"


def files(recorded: Path) -> list[Path]:
    return sorted(recorded.glob("*.mp4"))


def test_without_a_server_it_says_and_repairs(folder: Path, recorded: Path) -> None:
    files(recorded)[0].unlink()
    with files(recorded)[0].open("ab") as file:
        file.write(b"\0" * 50)
    done = fanal("recorder", "check", data=folder)
    assert (done.code, done.err) == (1, "")
    lines = done.out.splitlines()
    assert len(lines) == 3
    assert ": missing: " in lines[0]
    assert ": of another size: " in lines[1]
    assert lines[2].endswith("2 differences, 2 of them left. To put them right: fanal recorder check --repair")
    done = fanal("recorder", "check", "--repair", "--thorough", "--json", data=folder)
    assert (done.code, done.err) == (0, "")
    assert {key: done.json[key] for key in ("state", "found", "left", "thorough")} == {
        "state": "done", "found": 2, "left": 0, "thorough": True,
    }  # fmt: skip
    actions = [each["action"] for each in done.json["differences"]]
    assert actions[0] == "its row was removed from the index"
    assert "put aside" in actions[1]


def test_with_a_server_it_is_the_server_that_checks(folder: Path, recorded: Path) -> None:
    server: Server
    with running(folder) as server:
        files(recorded)[0].unlink()
        done = server.command("recorder", "check", "--repair")
        assert (done.code, done.err) == (0, "")
        assert "→ its row was removed from the index" in done.out
        assert done.out.endswith("1 difference, all repaired.\n")
        done = server.command("recorder", "check")
        assert (done.code, done.err) == (0, "")
        assert done.out.endswith("2 files, 0.0 GB: files and index agree.\n")
        assert "the recordings were checked (done): 2 files" in server.log
        shown = next(line for line in server.command("status").out.splitlines() if line.startswith("Recorded "))
        assert "1 camera, 0.00 GB since 20" in shown
        assert server.command("status", "--json").json["recorded"]["cameras"][0]["name"] == "gate"


def test_where_there_is_nothing_of_fanal_it_says_so(tmp_path: Path) -> None:
    refused(fanal("recorder", "check", data=tmp_path), "nothing of Fanal")
    assert list(tmp_path.iterdir()) == []
