from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from appliance.base.faults import Fault, Kind
from appliance.store import open_store_directly
from appliance.store.folder import COMMAND, SERVER, fault_of, lock_folder, make_private_folder, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator

CHILD = [sys.executable, "-m", "tests.store.children"]


@contextmanager
def held_by_another(folder: Path, holder: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*CHILD, "hold", str(folder), holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "held\n"
            yield child
        finally:
            child.kill()


def test_everything_in_the_folder_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with open_store_directly(tmp_path / "deep" / "data"):
            modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "deep" / "data").iterdir()}
    finally:
        os.umask(before)
    assert (tmp_path / "deep" / "data").stat().st_mode & 0o777 == 0o700
    assert {"fanal.db", "fanal.db-wal", "lock", "secret.key"} <= modes.keys()
    assert set(modes.values()) == {0o600}


def test_a_folder_that_others_may_write_to_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tmp_path.chmod(0o777)
    make_private_folder(tmp_path)
    assert "chmod 700" in caplog.text


def test_a_running_server_is_named_at_once(tmp_path: Path) -> None:
    with held_by_another(tmp_path, SERVER) as child:
        with pytest.raises(Fault, match=f"A server \\(process {child.pid}\\)") as caught, lock_folder(tmp_path, SERVER):
            pass
        assert caught.value.kind is Kind.CONFLICT
        assert caught.value.code == "data_in_use"
        with pytest.raises(Fault, match="A server"), open_store_directly(tmp_path):
            pass


def test_a_command_is_waited_for_and_named_when_it_lasts(tmp_path: Path) -> None:
    with held_by_another(tmp_path, COMMAND) as child:
        with pytest.raises(Fault, match=f"Another command \\(process {child.pid}\\)"):  # noqa: SIM117
            with lock_folder(tmp_path, SERVER, patience_s=0.1):
                pass
        assert child.stdin is not None
        child.stdin.close()  # it ends
        with lock_folder(tmp_path, SERVER, patience_s=20):
            assert (tmp_path / "lock").read_text() == f"server {os.getpid()}\n"


def test_a_lock_dies_with_its_process(tmp_path: Path) -> None:
    with held_by_another(tmp_path, SERVER) as child:
        child.kill()
        child.wait(10)
        with lock_folder(tmp_path, SERVER, patience_s=0):
            pass


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(Fault, match="data cannot be used") as caught, open_store_directly(tmp_path / "data"):
        pass
    assert caught.value.code == "data_unusable"
    assert "--data" in caught.value.hint


@pytest.mark.parametrize("mode", [0o500, 0o400], ids=["not writable", "not to be entered"])
def test_a_folder_one_may_not_write_to_is_named(tmp_path: Path, mode: int) -> None:
    outside = Path(tempfile.mkdtemp())  # pytest's own folder is closed to nobody
    user = 65534 if os.getuid() == 0 else os.getuid()  # root may write anywhere
    try:
        if user != os.getuid():
            os.chown(outside, user, user)
        outside.chmod(mode)
        done = subprocess.run(
            [*CHILD, "fault", str(outside), str(user)], capture_output=True, text=True, timeout=30, check=False
        )
    finally:
        outside.chmod(0o700)
        outside.rmdir()
    assert done.stdout == "unavailable data_not_writable\n", done.stderr


def test_a_full_disk_is_named_and_leaves_no_half_file(tmp_path: Path) -> None:
    """No room beyond a file size stands for a full disk: the kernel refuses the same writes."""
    with open_store_directly(tmp_path):
        pass
    done = subprocess.run(
        [*CHILD, "fault", str(tmp_path), str(os.getuid())],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.stdout.split() in (["unavailable", "disk_full"], ["unavailable", "store_disk_error"]), done.stderr
    with open_store_directly(tmp_path):
        pass


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOSPC, "disk_full"), (errno.EDQUOT, "disk_full"), (errno.EROFS, "data_not_writable"),
     (errno.EACCES, "data_not_writable"), (errno.EIO, "data_unusable")],
)  # fmt: skip
def test_each_failure_of_the_disk_has_its_fault(number: int, code: str) -> None:
    fault = fault_of(OSError(number, os.strerror(number)), Path("/data/x"))
    assert fault.code == code
    assert "/data/x" in fault.message
    assert fault.hint


def test_a_file_is_replaced_whole_and_private(tmp_path: Path) -> None:
    write_whole(tmp_path / "x", b"old")
    write_whole(tmp_path / "x", b"new")
    assert (tmp_path / "x").read_bytes() == b"new"
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(Fault) as caught:
        write_whole(tmp_path / "x", b"new")
    assert caught.value.code == "data_unusable"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_what_a_killed_process_left_beside_is_swept(tmp_path: Path) -> None:
    (tmp_path / ".fanal-secret.key.123.new").write_bytes(b"half")
    (tmp_path / ".mine.new").write_bytes(b"not ours")
    with open_store_directly(tmp_path):
        names = {path.name for path in tmp_path.iterdir()}
    assert ".fanal-secret.key.123.new" not in names
    assert ".mine.new" in names
