"""Programs that nobody here wrote, asked what is wrong with a file: ffmpeg, mediainfo, MKVToolNix, mpv, VLC."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def judged_mediainfo(file: Path) -> None:
    tracks = json.loads(run("mediainfo", "--Output=JSON", "--Full", file).stdout)["media"]["track"]
    assert [each["@type"] for each in tracks] == ["General", "Video", "Audio"]
    assert not [key for each in tracks for key in each if "error" in key.lower() or "conformance" in key.lower()]
    assert "IsTruncated" not in tracks[0].get("extra", {})


def judged_mkvtoolnix(file: Path) -> None:
    found = json.loads(run("mkvmerge", "-J", file).stdout)
    assert (found["errors"], found["warnings"]) == ([], [])
    assert [each["type"] for each in found["tracks"]] == ["video", "audio"]
    done = run("mkvmerge", "-o", file.with_suffix(".again.mkv"), file)
    assert done.returncode == 0, done.stdout  # 1: with warnings
    if file.suffix == ".mkv":
        done = run("mkvinfo", "-v", file)
        assert (done.returncode, done.stderr) == (0, "")
        assert "EbmlVoid" not in done.stdout


def mpv_says(file: Path, only: str) -> list[str]:
    """What it warns of.  It goes through pictures or sound at once; both together wait for each other, by the clock."""
    quiet = ("--no-config", "--vo=null", "--ao=null", "--ao-null-untimed", "--untimed", "--msg-level=all=warn")
    done = run("mpv", *quiet, only, file)
    assert done.returncode == 0
    return (done.stdout + done.stderr).splitlines()


def judged_mpv(file: Path) -> None:
    """Pictures and sound apart: together it complains of this machine, when that is busy."""
    for only in ("--vid=no", "--aid=no"):
        assert mpv_says(file, only) == []


def vlc_says(file: Path) -> set[str]:
    """What VLC warns of, without addresses and numbers.  As root it plays only by its wrapper, as nobody."""
    with tempfile.TemporaryDirectory(prefix="fanal-vlc-") as folder:
        Path(folder).chmod(0o755)
        given = Path(folder) / file.name
        shutil.copy(file, given)
        player = "vlc-wrapper" if os.geteuid() == 0 else "vlc"
        done = subprocess.run(
            [player, "--intf=dummy", "--vout=dummy", "--aout=dummy", "--verbose=1", "--no-video-title-show",
             "--no-dbus", "--rate=8", given, "vlc://quit"],
            env={**os.environ, "SUDO_UID": "65534", "HOME": "/nonexistent"},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [line.partition("] ")[2] for line in done.stderr.splitlines() if " warning: " in line or " error: " in line]
    assert lines  # it always finds something, as that it has no folder of its own
    return {re.sub(r"\d+", "0", line) for line in lines if " late " not in line}  # that is this machine's fault


def judged_vlc(file: Path) -> None:
    """It says nothing of our file that it does not say of the same pictures and sound as ffmpeg writes them."""
    control = file.with_stem("control")
    done = run("ffmpeg", "-v", "error", "-y", "-i", file, "-c", "copy", control)
    assert (done.returncode, done.stderr) == (0, "")
    assert vlc_says(file) <= vlc_says(control)


def judged_ffmpeg(file: Path) -> None:
    done = run("ffmpeg", "-v", "warning", "-xerror", "-i", file, "-f", "null", "-")
    assert (done.returncode, done.stderr) == (0, "")
