"""Simulated cameras as a test wants them: started on free ports, ended with it.  They install nothing.

    with running_cameras(user="admin", password="pass") as cameras:
        cameras.url("/sub"), cameras.order("stall", "cam1", "7"), cameras.kill()

As pytest fixtures: ``cameras`` (one simulator for a module's tests, without password).  Run as a module it codes the
footage.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
FOOTAGE = HERE.parents[1] / ".cache" / "camsim"
PYTHON = "/usr/bin/python3"  # the one that has GStreamer's bindings
READY_WITHIN_S = 60.0  # the first time the footage is coded
SECONDS, FPS, GOP = 8, 10, 10
#: A port that was free a moment ago may be somebody's before a simulator has it: then others are tried.
ATTEMPTS = 3
TAKEN = ("Address already in use", "(in use?)")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Cameras:
    """One running simulator."""

    process: subprocess.Popen[str]
    port: int
    control_port: int
    http_port: int
    scheme: str = "rtsp"
    stopped: bool = field(default=False)

    def url(self, path: str = "", camera: int = 1, userinfo: str = "") -> str:
        return f"{self.scheme}://{userinfo}127.0.0.1:{self.port}/cam{camera}{path}"

    def order(self, *words: str) -> str:
        """Send a command (camsim.py lists them) and return its answer."""
        with socket.create_connection(("127.0.0.1", self.control_port), 5) as connection:
            connection.sendall((" ".join(words) + "\n").encode())
            answer = connection.makefile().readline().strip()
        assert not answer.startswith(("error", "no such")), answer
        return answer

    def kill(self) -> None:
        """As a power cut does."""
        self.process.kill()
        self.process.wait(10)

    def freeze(self) -> None:
        """It stops answering without closing anything."""
        self.process.send_signal(signal.SIGSTOP)
        self.stopped = True

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.stopped = False


def simulator(footage: Path = FOOTAGE) -> list[str]:
    """The command for one whose footage is coded as tests want it."""
    coded = ["--seconds", str(SECONDS), "--fps", str(FPS), "--gop", str(GOP)]
    return [PYTHON, str(HERE / "camsim.py"), "--dir", str(footage), *coded]


@contextlib.contextmanager
def running_cameras(
    *,
    cams: int = 1,
    user: str | None = None,
    password: str = "",
    auth: str = "digest",
    transport: str = "any",
    tls: Path | None = None,
    port: int | None = None,
    clip: Path | None = None,
    footage: Path = FOOTAGE,
) -> Iterator[Cameras]:
    """A simulator that serves.

    ``port`` for one that comes back where another was, ``tls`` its certificate and key, ``clip`` for other footage.
    """
    command = [*simulator(footage), "--cams", str(cams), "--transport", transport]
    if tls is not None:
        command += ["--tls", str(tls)]
    if clip is not None:
        command += ["--clip", str(clip)]
    if user is not None:
        command += ["--user", user, "--password", password, "--auth", auth]
    cameras = start(command, port, "rtsp" if tls is None else "rtsps")
    process = cameras.process
    try:
        yield cameras
    finally:
        if cameras.stopped:
            cameras.thaw()
        process.terminate()
        try:
            process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def start(command: list[str], port: int | None, scheme: str) -> Cameras:
    """A simulator, once it serves."""
    said: str | None = None
    for _ in range(ATTEMPTS):
        ports = port or free_port(), free_port(), free_port()
        options = ["--port", str(ports[0]), "--ctl", str(ports[1]), "--http", str(ports[2])]
        process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        said = said_instead(process)
        if said is None:
            return Cameras(process, *ports, scheme)
        if not any(words in said for words in TAKEN):
            break
    pytest.fail(f"the cameras did not start; are the packages of tests/peers/install.sh there?\n{said}")


def wait_ready(process: subprocess.Popen[str]) -> None:
    """Wait for the line ``ready`` of a server."""
    said = said_instead(process)
    if said is not None:
        pytest.fail(f"it did not start; are the packages of tests/peers/install.sh there?\n{said}")


def said_instead(process: subprocess.Popen[str], within_s: float = READY_WITHIN_S) -> str | None:
    """Wait for the line ``ready``; if it does not come, what was said instead."""
    assert process.stdout is not None
    said = ""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if not select.select([process.stdout], [], [], 0.2)[0]:
            continue
        piece = os.read(process.stdout.fileno(), 4096).decode()  # not readline: select does not see its buffer
        said += piece
        if said.endswith("ready\n"):
            return None
        if not piece:
            break
    process.kill()
    _, errors = process.communicate()
    return said + errors


@pytest.fixture(scope="module")
def cameras() -> Iterator[Cameras]:
    with running_cameras(cams=2) as running:
        yield running


if __name__ == "__main__":
    subprocess.run([*simulator(), "--prepare-only"], check=True)
