"""``fanal camera test``: what it says of cameras that others wrote, on a machine that has nothing of Fanal yet."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.peers.cameras import Cameras, cameras

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.peer
__all__ = ["cameras"]  # the fixture


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "appliance", "camera", "test", *words, "--data", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_camera_that_works_passes_every_step_and_leaves_nothing_behind(cameras: Cameras, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    done = run(folder, cameras.url(userinfo="u:canary@"))
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[1] for line in lines if line[0] == "ok"] == [
        "connect", "OPTIONS", "DESCRIBE", "SETUP", "PLAY", "picture",
    ]  # fmt: skip
    assert "picture: h264, 1280x720, 10 pictures a second as announced" in done.stdout
    assert "sound: aac, 16000 Hz" in done.stdout
    assert "canary" not in done.stdout
    assert not folder.exists()


def test_the_step_that_fails_is_the_last_one_and_says_what_to_do(cameras: Cameras, tmp_path: Path) -> None:
    done = run(tmp_path / "data", cameras.url("/nothing"))
    assert done.returncode == 1
    last = done.stdout.splitlines()[-1]
    assert last.startswith("failed  DESCRIBE")
    assert "no stream at this address" in last
    found = json.loads(run(tmp_path / "data", "rtsp://127.0.0.1:1/x", "--json").stdout)
    (stream,) = found["streams"]
    assert (found["ok"], stream["code"], [step["name"] for step in stream["steps"]]) == (False, "refused", ["connect"])


def test_a_name_wants_a_camera_that_is_set_up(tmp_path: Path) -> None:
    done = run(tmp_path / "data", "gate")
    assert done.returncode == 1
    assert "There is nothing of Fanal in the folder" in done.stderr
