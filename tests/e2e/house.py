"""An appliance as it is installed: a child process with a data folder, told what to do by its command line.

A first one makes what takes long (its authority, the demo camera's clip, an administrator with a known password);
those of the tests begin with copies of its folder, so that one browser trusts them all.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import select
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import pytest

from tests.cli import program
from tests.cli.forkserver import Program

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOPBACK = "127.0.0.1"
PASSWORD = "seven gulls over the pier"
#: The first start makes the demo camera's clip: 15 s of work, on a machine that may have other things to do.
FIRST_WITHIN_S = 240.0
READY_WITHIN_S = 60.0
STOPPED_WITHIN_S = 20.0
ROOT = Path(__file__).parents[2]
#: What the demo camera's clip depends on.
MADE_BY = [ROOT / "appliance" / name for name in ("sites/demo.py", "workers/demo.py", "workers/scene.py")]


@dataclass
class House:
    """One appliance; `start` and `stop` as often as wanted, on the same ports."""

    folder: Path
    http: int
    https: int
    demo: bool = False
    process: Program | None = None
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.folder.with_name(f"{self.folder.name}.log")

    @property
    def url(self) -> str:
        return f"https://{LOOPBACK}:{self.https}"

    @property
    def authority(self) -> Path:
        return self.folder / "tls" / "authority.pem"

    def start(self) -> None:
        """Run it and wait for the line ``ready``."""
        command = ["run", "--data", str(self.folder), "--bind", LOOPBACK]
        command += ["--http", str(self.http), "--https", str(self.https), *(["--demo"] if self.demo else [])]
        with self.log.open("a") as errors:
            self.process = Program(command, environment=program.surroundings(), stderr=errors)
        said = ""
        end = time.monotonic() + READY_WITHIN_S
        while not re.search(r"^ready .*\n", said, re.MULTILINE):
            if time.monotonic() > end or self.process.poll() is not None:
                self.stop()
                pytest.fail(f"the appliance did not start:\n{said}{self.log.read_text()[-4000:]}")
            if select.select([self.process.stdout], [], [], 0.2)[0]:
                said += os.read(self.process.stdout.fileno(), 4096).decode()
        assert f"{self.url}" in said

    def stop(self) -> None:
        """In order, as a supervisor does it."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOPPED_WITHIN_S)
            pytest.fail("the appliance did not stop")
        finally:
            self.process.stdout.close()
            self.process = None

    def fanal(self, *words: str, told: str = "") -> str:
        """Run a command of ``fanal`` on this appliance; its output."""
        done = program.fanal(*words, data=self.folder, stdin=told)
        assert done.code == 0, f"fanal {' '.join(words)}: {done.out}{done.err}"
        return done.out

    def add_user(self, name: str, *changes: str, role: str = "viewer", password: str = PASSWORD) -> None:
        self.fanal("user", "add", name, "--role", role, "--password-stdin", told=f"{password}\n")
        if changes:
            self.fanal("user", "set", name, *changes)

    def add_camera(self, name: str, url: str, sub: str | None = None) -> None:
        self.fanal("camera", "add", name, url, *(["--sub", sub] if sub else []))

    def remove_camera(self, name: str) -> None:
        self.fanal("camera", "remove", name)

    def cameras(self) -> list[dict[str, Any]]:
        return json.loads(self.fanal("camera", "list", "--json"))["cameras"]  # type: ignore[no-any-return]


def free_ports(count: int) -> list[int]:
    """Ports that nobody had a moment ago, all different."""
    probes = [socket.create_server((LOOPBACK, 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@contextmanager
def first_house() -> Iterator[House]:
    """The folder that all others are copied from; its appliance has stopped."""
    with tempfile.TemporaryDirectory(prefix="fanal-e2e-") as folder:
        house = House(Path(folder) / "first", *free_ports(2), demo=True)
        kept = kept_clip()
        if kept.exists():
            house.folder.mkdir(mode=0o700)
            shutil.copytree(kept, house.folder / "demo")
        house.start()
        try:
            clip = house.folder / "demo" / "demo-3-sub.mp4"
            end = time.monotonic() + FIRST_WITHIN_S
            while not clip.exists():
                assert time.monotonic() < end, house.log.read_text()[-4000:]
                time.sleep(0.2)
            house.fanal("user", "set", "admin", "--password-stdin", told=f"{PASSWORD}\n")
        finally:
            house.stop()
        if not kept.exists():
            beside = kept.with_suffix(f".{os.getpid()}")
            shutil.copytree(house.folder / "demo", beside)
            try:
                beside.rename(kept)
            except OSError:  # another process has made it meanwhile
                shutil.rmtree(beside)
        yield house


def kept_clip() -> Path:
    """Where the demo camera's clip is from one run to the next, as long as what makes it stays as it is."""
    state = f"{av.__version__} {[(path.name, path.stat().st_mtime_ns) for path in MADE_BY]}"
    folder = ROOT / ".cache" / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / hashlib.sha256(state.encode()).hexdigest()[:32]


@contextmanager
def open_house(first: House, name: str, *, demo: bool = False) -> Iterator[House]:
    """A running appliance with the authority, the administrator and the demo clip of the first one."""
    folder = first.folder.with_name(name)
    shutil.copytree(first.folder, folder)
    house = House(folder, *free_ports(2), demo=demo)
    house.start()
    try:
        if not demo:
            house.remove_camera("demo")
        yield house
    finally:
        house.stop()
        shutil.rmtree(folder)
