"""The peer node-media-server (npm, locked in package-lock.json): live FLV over WebSocket of the same footage.

It is fed by ffmpeg over RTMP, which is the way in that it has; the CPU that ffmpeg takes is nobody's.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.common.footage import footage
from bench.common.load import Target
from bench.common.paths import CACHE
from bench.common.process import end_with_parent, ended, running

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
INSTALLED = CACHE / "node-media-server"


class NoNodeError(Exception):
    """The peer cannot be had on this machine."""


def install() -> None:
    """Fetch what the lock file names, once.  Raises `NoNodeError`."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise NoNodeError("node-media-server was not measured: there is no Node.js on PATH.")
    lock = (HERE / "package-lock.json").read_bytes()
    stamp = INSTALLED / "installed"
    if stamp.exists() and stamp.read_bytes() == lock:
        return
    INSTALLED.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(HERE / name, INSTALLED)
    done = subprocess.run(
        ["npm", "ci", "--ignore-scripts"], cwd=INSTALLED, capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        raise NoNodeError(f"node-media-server was not measured: npm could not fetch it.\n{done.stderr[-300:]}")
    stamp.write_bytes(lock)


def described() -> str:
    """The version that is locked."""
    package = json.loads((HERE / "package.json").read_text())
    return f"node-media-server {package['dependencies']['node-media-server']}"


@contextlib.contextmanager
def running_node_media_server() -> Iterator[tuple[int, Target]]:
    """The peer as a child, playing: its process, and its live view.  Raises `NoNodeError`."""
    install()
    rtmp, http = _free_ports(2)
    with tempfile.TemporaryDirectory(prefix="fanal-bench-") as folder:
        environment = {"NODE_PATH": str(INSTALLED / "node_modules"), "NODE_ENV": "production"}
        command = ["node", str(HERE / "serve.cjs"), str(rtmp), str(http), folder]
        with running(command, environment=environment) as server:
            source = ["-re", "-stream_loop", "-1", "-i", str(footage().mp4), "-c", "copy"]
            place = f"rtmp://127.0.0.1:{rtmp}/live/stream"
            feeding = subprocess.Popen(
                ["ffmpeg", "-v", "quiet", "-nostdin", *source, "-f", "flv", place],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                preexec_fn=end_with_parent,  # noqa: PLW1509  # what starts children here has one thread
            )
            with ended(feeding):
                time.sleep(1.0)
                if feeding.poll() is not None:
                    raise NoNodeError("node-media-server was not measured: ffmpeg could not publish to it.")
                yield server.pid, Target(http, "/live/stream.flv")


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as open_sockets:
        found = []
        for _ in range(count):
            sock = open_sockets.enter_context(socket.create_server(("127.0.0.1", 0)))
            found.append(int(sock.getsockname()[1]))
        return found
