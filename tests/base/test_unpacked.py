"""The one-file program's folder: held while it runs, swept when it was killed.  See tests/packaging, too."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from appliance.base import unpacked
from appliance.base.unpacked import CLAIMED, MARK, UNPACKING_S, claimed, sweep


def folder(parent: Path, name: str, *files: str, age_s: float = 0) -> Path:
    made = parent / name
    (made / "appliance").mkdir(parents=True)
    for file in files:
        (made / file).touch()
    os.utime(made, (time.time() - age_s,) * 2)
    return made


def test_it_is_none_outside_the_one_file_program() -> None:
    assert unpacked.folder() is None


def test_a_dead_programs_folder_is_removed_and_a_living_ones_is_not(tmp_path: Path) -> None:
    dead = folder(tmp_path, "_MEIdead", MARK, CLAIMED)
    alive = folder(tmp_path, "_MEIalive", MARK)
    ours = folder(tmp_path, "_MEIours", MARK)
    with claimed(alive), claimed(ours):
        assert (ours / CLAIMED).exists()
        assert not dead.exists()
        assert alive.exists()
    # its program has ended without its boot loader
    assert sweep(ours, time.time()) == [alive]
    assert ours.exists()


def test_a_folder_is_locked_against_those_who_tidy_up(tmp_path: Path) -> None:
    ours = folder(tmp_path, "_MEIours", MARK)
    descriptor = os.open(ours, os.O_RDONLY)
    with claimed(ours), pytest.raises(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as systemd-tmpfiles asks
    os.close(descriptor)


def test_one_that_is_being_unpacked_has_its_time(tmp_path: Path) -> None:
    ours = folder(tmp_path, "_MEIours", MARK)
    unpacking = folder(tmp_path, "_MEIa", MARK, age_s=UNPACKING_S - 60)
    broken_off = folder(tmp_path, "_MEIb", MARK, age_s=UNPACKING_S + 60)
    assert sweep(ours, time.time()) == [broken_off]
    assert unpacking.exists()


def test_folders_of_other_programs_are_left_alone(tmp_path: Path) -> None:
    ours = folder(tmp_path, "_MEIours", MARK)
    others = folder(tmp_path, "_MEIother", CLAIMED, age_s=1e6)
    elsewhere = folder(tmp_path / "elsewhere", "precious", MARK, CLAIMED)
    (tmp_path / "_MEIlink").symlink_to(elsewhere)
    assert sweep(ours, time.time()) == []
    assert others.exists()
    assert elsewhere.exists()


def test_folders_of_other_users_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = folder(tmp_path, "_MEIours", MARK)
    theirs = folder(tmp_path, "_MEIdead", MARK, CLAIMED)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert sweep(ours, time.time()) == []
    assert theirs.exists()


CHILD = """
import os, sys, time
from appliance.base.unpacked import die_with_boot_loader
if os.fork() == 0:
    time.sleep(float(sys.argv[1]))
    die_with_boot_loader()
    print("alive", flush=True)
    time.sleep(60)
    os._exit(0)
time.sleep(60)
"""


def started(delay_s: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", CHILD, str(delay_s)], stdout=subprocess.PIPE)


def test_it_dies_with_its_parent() -> None:
    with started(0) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"alive\n"
        parent.send_signal(signal.SIGKILL)
        assert parent.stdout.read() == b""  # the end comes when the last holder of the pipe is gone


def test_it_dies_at_once_if_its_parent_is_dead_already() -> None:
    with started(1.0) as parent:
        assert parent.stdout is not None
        time.sleep(0.5)
        parent.send_signal(signal.SIGKILL)
        assert parent.stdout.read() == b""  # its new parent is another program than Python


@pytest.mark.parametrize(
    ("parent", "exe", "expected"),
    [(4711, "the same", True), (4711, "another", False), (4711, None, True), (1, None, False)],
)
def test_the_parent_is_the_boot_loader_if_it_is_the_same_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parent: int, exe: str | None, *, expected: bool
) -> None:
    monkeypatch.setattr(os, "getppid", lambda: parent)
    program, other = tmp_path / "fanal", tmp_path / "init"
    program.touch()
    other.touch()
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "exe").symlink_to(program)
    if exe is not None:
        (tmp_path / str(parent)).mkdir()
        (tmp_path / str(parent) / "exe").symlink_to(program if exe == "the same" else other)
    assert unpacked._parent_runs(tmp_path) is expected
