"""What keeps Fanal from starting is said in one sentence, with what to do; nothing is lost (design §10, abuse)."""

from __future__ import annotations

import shlex
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.program import FANAL, LOCALLY, Done, fanal, own_mounts, refused


def start(data: Path, *arguments: str) -> Done:
    """A start that has to fail."""
    return fanal("run", *LOCALLY, *arguments, data=data)


@pytest.fixture(scope="module")
def used(folder: Path) -> Path:
    """A data folder that was used before."""
    assert fanal("camera", "add", "gate", "rtsp://u:s3cret@192.0.2.1/", data=folder).code == 0
    return folder


def test_a_port_in_use_is_named_with_who_has_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = start(tmp_path, "--https", str(port))
    refused_start(done, f"Port {port} is in use", Path(sys.executable).name[:6], "--https")


def test_an_address_of_another_machine_is_named(tmp_path: Path) -> None:
    refused_start(start(tmp_path, "--bind", "192.0.2.77"), "no address 192.0.2.77", "--bind")


def test_plain_http_is_not_served_to_the_network(tmp_path: Path) -> None:
    done = start(tmp_path, "--https", "0", "--bind", "0.0.0.0")
    refused_start(done, "Without HTTPS", "--bind 127.0.0.1")
    refused_start(start(tmp_path, "--https", "0", "--http", "0"), "Both ports are off")


def test_a_folder_below_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused_start(start(tmp_path / "file" / "data"), str(tmp_path / "file"), "--data")


def mounted(prepare: str, data: Path) -> Done:
    """A start after some mounting, in mounts of its own."""
    command = shlex.join([*FANAL, "run", *LOCALLY, "--data", str(data)])
    done = subprocess.run(
        [*own_mounts(), "sh", "-e", "-c", f"{prepare}\nexec {command}"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


def test_a_folder_that_cannot_be_written_is_named(used: Path) -> None:
    where = shlex.quote(str(used))
    done = mounted(f"mount --bind {where} {where}\nmount -o remount,bind,ro {where}", used)
    refused_start(done, str(used), "Read-only file system", "Mount", "--data")
    assert fanal("camera", "list", data=used).out.count("gate") == 1


@pytest.mark.parametrize("room", ["0k", "60k"])
def test_a_full_disk_is_named_wherever_it_strikes(tmp_path: Path, room: str) -> None:
    where = shlex.quote(str(tmp_path))
    fill = (
        "" if room == "0k" else f"rm {where}/fill; head -c {int(1024 - int(room[:-1])) * 1024} /dev/zero > {where}/fill"
    )
    done = mounted(
        f"mount -t tmpfs -o size=1m none {where}\nhead -c 2m /dev/zero > {where}/fill 2>/dev/null || true\n{fill}",
        tmp_path,
    )
    refused_start(done, "no room left", str(tmp_path), "Free some space")


def test_a_disk_that_is_full_later_is_named_and_nothing_is_lost(tmp_path: Path) -> None:
    where = shlex.quote(str(tmp_path))
    add = shlex.join([*FANAL, "camera", "add", "--data", str(tmp_path / "data")])
    look = shlex.join([*FANAL, "camera", "list", "--data", str(tmp_path / "data")])
    script = f"""mount -t tmpfs -o size=3m none {where}
        {add} gate rtsp://192.0.2.1/one
        head -c 4m /dev/zero > {where}/fill 2>/dev/null || true
        {add} quay rtsp://192.0.2.1/two && exit 9
        rm {where}/fill
        {look}"""
    done = subprocess.run(
        [*own_mounts(), "sh", "-e", "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0
    assert "no room left" in done.stderr
    assert "Free some space" in done.stderr
    assert "gate" in done.stdout
    assert "quay" not in done.stdout


def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path, used: Path) -> None:
    with sqlite3.connect(tmp_path / "fanal.db") as store, sqlite3.connect(used / "fanal.db") as source:
        source.backup(store)
        store.execute("UPDATE alembic_version SET version_num = '9999'")
    store.close()
    source.close()
    before = (tmp_path / "fanal.db").read_bytes()
    refused_start(start(tmp_path), "newer version", "9999", "Install that version")
    assert (tmp_path / "fanal.db").read_bytes() == before


def test_a_damaged_store_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "fanal.db").write_bytes(b"not a database" * 1000)
    refused_start(start(tmp_path), f"{tmp_path / 'fanal.db'} is damaged", "backup")
    assert (tmp_path / "fanal.db").read_bytes() == b"not a database" * 1000


def test_a_damaged_key_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_bytes(b"half a k")
    refused_start(start(tmp_path), f"{tmp_path / 'secret.key'} is not a key", "backup")
    assert (tmp_path / "secret.key").read_bytes() == b"half a k"


def refused_start(done: Done, *said: str) -> None:
    """One line says it, the last; the log may have told what it did before."""
    assert (done.code, done.out) == (1, ""), done
    assert "Traceback" not in done.err
    last = done.err.splitlines()[-1]
    refused(Done(done.code, done.out, last), *said)
