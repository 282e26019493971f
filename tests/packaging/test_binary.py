"""The one-file program where there is nothing but glibc: no Python, no shell, no library of any other kind.

It runs in a root folder that holds the program, glibc's libraries, some devices and /proc: chroot in a mount namespace.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from appliance import __version__
from tests.peers.cameras import Cameras, cameras

__all__ = ["cameras"]

LARGEST_MB = 80
#: What glibc itself brings; the one library more would be one that the program should have brought.
GLIBC = ("ld-linux-*.so.*", "libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1")
DEVICES = ("null", "zero", "random", "urandom")
PATIENCE_S = 60.0
#: Coding the demo's clip is a quarter of a minute's work for one core, if nobody else wants it.
CLIP_S = 240.0

pytestmark = pytest.mark.timeout(420)


@dataclass
class Cell:
    """The root folder, and what was started in it."""

    root: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def command(self, *arguments: str) -> list[str]:
        mounts = [f'mount --bind "/dev/{name}" "$1/dev/{name}"' for name in DEVICES]
        script = " && ".join([*mounts, 'mount --rbind /proc "$1/proc"', 'root=$1; shift; exec chroot "$root" "$@"'])
        user = [] if os.geteuid() == 0 else ["--map-root-user"]
        return ["unshare", "--mount", *user, "sh", "-c", script, "sh", str(self.root), "/fanal", *arguments]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The process is the boot loader's."""
        command = self.command(*arguments)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={})
        self.started.append(process)
        return process

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            self.command(*arguments), capture_output=True, text=True, timeout=PATIENCE_S, env={}, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def processes(self) -> dict[int, str]:
        """Everything that runs in here: process id → command line."""
        found = {}
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and (entry / "root").samefile(self.root):
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue  # gone, or a kernel thread
        return found

    @property
    def unpacked(self) -> list[Path]:
        return sorted((self.root / "tmp").glob("_MEI*"))

    def wait_empty(self) -> None:
        end = time.monotonic() + 10
        while (left := self.processes()) and time.monotonic() < end:
            time.sleep(0.05)
        assert not left


@dataclass
class Running:
    """``fanal run`` that said it was ready."""

    cell: Cell
    boot_loader: subprocess.Popen[str]
    https: int
    started_in_s: float
    token: str = ""

    @property
    def child(self) -> int:
        """The process that serves: the boot loader's child."""
        children = Path(f"/proc/{self.boot_loader.pid}/task/{self.boot_loader.pid}/children").read_text().split()
        assert len(children) == 1
        return int(children[0])

    @property
    def log(self) -> str:
        return "".join(path.read_text() for path in (self.cell.root / "data" / "logs").iterdir())

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, bytes]:
        """Status and body of the answer; the certificate is verified."""
        authority = (self.cell.root / "data" / "tls" / "authority.pem").read_text()
        trusting = ssl.create_default_context(cadata=authority)
        connection = http.client.HTTPSConnection("127.0.0.1", self.https, timeout=PATIENCE_S, context=trusting)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            given["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            given["Content-Type"] = "application/json"
        with closing(connection):
            connection.request(method, path, None if body is None else json.dumps(body), given)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def sign_in(self) -> None:
        told = (self.cell.root / "data" / "first-password").read_text()
        password = told.partition("password: ")[2].strip()
        status, answer = self.ask("POST", "/api/v1/session", {"username": "admin", "password": password})
        assert status == 200
        self.token = json.loads(answer)["token"]

    def snapshot(self, camera: str) -> bytes:
        """A picture, waiting for the camera's first."""
        end = time.monotonic() + CLIP_S
        while True:
            status, picture = self.ask("GET", f"/api/v1/cameras/{camera}/snapshot.jpg")
            if status == 200:
                return picture
            assert time.monotonic() < end, f"{picture!r}\n{self.log}"
            time.sleep(0.5)


@pytest.fixture
def cell(binary: Path, tmp_path: Path) -> Iterator[Cell]:
    root = tmp_path / "root"
    for name in ("dev", "proc", "tmp", "data"):
        (root / name).mkdir(parents=True)
    for name in DEVICES:
        (root / "dev" / name).touch()
    # where the loader looks without a cache of its own; lib64 is the path that is written in the program
    for pattern in GLIBC:
        for library in [*Path("/lib64").glob(pattern), *Path("/lib").glob(f"*-linux-gnu/{pattern}")]:
            target = root / library.relative_to("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(library, target)
            target.chmod(0o755)
    shutil.copyfile(binary, root / "fanal")
    (root / "fanal").chmod(0o755)
    made = Cell(root)
    yield made
    for process in made.started:
        process.kill()
        process.communicate()
    made.wait_empty()


def run_demo(cell: Cell) -> Running:
    began = time.monotonic()
    boot_loader = cell.start(
        "run", "--demo", "--data", "/data", "--bind", "127.0.0.1", "--http", "0", "--https", "auto"
    )
    assert boot_loader.stdout is not None
    said = []
    for line in boot_loader.stdout:
        said.append(line)
        if line.startswith("ready "):
            port = urlsplit(line.split()[1]).port
            assert port is not None
            return Running(cell, boot_loader, port, time.monotonic() - began)
    pytest.fail("".join(said))


@pytest.mark.peer
def test_it_serves_where_there_is_no_python(cell: Cell, cameras: Cameras) -> None:
    running = run_demo(cell)
    megabytes = (cell.root / "fanal").stat().st_size / 1e6
    print(f"\none file: {megabytes:.1f} MB, start to ready {running.started_in_s:.2f} s")
    assert megabytes <= LARGEST_MB
    assert not [path for path in cell.root.rglob("*python*") if "_MEI" not in str(path)]
    assert len(cell.unpacked) == 1

    # the pages: the client as bundled, the server's own in two languages
    page = running.ask("GET", "/")[1].decode()
    scripts = [running.ask("GET", path) for path in re.findall(r'<script[^>]* src="([^"]+)"', page)]
    assert {status for status, _ in scripts} == {200}
    assert max(len(script) for _, script in scripts) > 10_000
    assert b'lang="fr"' in running.ask("GET", "/trust", Accept_Language="fr")[1]

    running.sign_in()
    cell.run("camera", "add", "gate", cameras.url(), "--data", "/data")
    listed = {one["name"]: one for one in json.loads(running.ask("GET", "/api/v1/cameras")[1])["cameras"]}
    assert len(listed) == 2
    # pictures are made in workers, from a strange camera and from the demo's clip that a worker coded
    for one in listed.values():
        assert running.snapshot(one["id"]).startswith(b"\xff\xd8\xff")
    told = json.loads(cell.run("status", "--json", "--data", "/data"))
    assert told["workers"] >= 1
    assert told["isolation"]
    assert len(cell.unpacked) == 1, "workers and commands leave no folder of their own"
    workers = [line for line in cell.processes().values() if " worker " in line]
    assert len(workers) == told["workers"]

    os.kill(running.boot_loader.pid, signal.SIGTERM)
    assert running.boot_loader.wait(PATIENCE_S) == 0
    cell.wait_empty()
    assert cell.unpacked == []


def test_a_killed_boot_loader_takes_all_with_it_and_the_next_start_tidies_up(cell: Cell) -> None:
    running = run_demo(cell)
    assert len(cell.processes()) >= 3  # boot loader, main process, a worker
    running.boot_loader.kill()
    cell.wait_empty()
    assert len(cell.unpacked) == 1
    assert __version__ in cell.run("--version")
    assert cell.unpacked == []


def test_a_killed_main_process_ends_all_and_leaves_no_folder(cell: Cell) -> None:
    running = run_demo(cell)
    os.kill(running.child, signal.SIGKILL)
    assert running.boot_loader.wait(PATIENCE_S) != 0
    cell.wait_empty()
    assert cell.unpacked == []


def test_a_start_beside_a_running_one_leaves_its_folder_alone(cell: Cell) -> None:
    running = run_demo(cell)
    (folder,) = cell.unpacked
    assert __version__ in cell.run("--version")
    assert cell.unpacked == [folder]
    assert running.ask("GET", "/healthz") == (200, b"ok\n")
