"""The peer rtsp-streaming-server (npm, locked in package-lock.json; install.sh fetches it): another RTSP server.

It takes and gives UDP alone, and its manners are its own.  ffmpeg publishes a movie to it.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.peers.cameras import free_port, wait_ready

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
INSTALLED = HERE.parents[2] / ".cache" / "rtsp-streaming-server"


@contextlib.contextmanager
def running_streaming_server(movie: Path) -> Iterator[str]:
    """A server, and the address at which it plays the movie in a loop."""
    publish, play, first = free_port(), free_port(), free_port() & ~1
    server = subprocess.Popen(
        [node(), str(HERE / "serve.cjs"), str(publish), str(play), str(min(first, 65_000))],
        env={"NODE_PATH": str(INSTALLED / "node_modules")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with ended(server):
        wait_ready(server)
        source = ["-re", "-stream_loop", "-1", "-i", str(movie), "-c", "copy", "-an"]
        out = ["-f", "rtsp", "-rtsp_transport", "udp", f"rtsp://127.0.0.1:{publish}/cam"]
        feeding = subprocess.Popen(["ffmpeg", "-v", "error", "-nostdin", *source, *out])
        with ended(feeding):
            time.sleep(1.0)
            assert feeding.poll() is None, "ffmpeg could not publish"
            yield f"rtsp://127.0.0.1:{play}/cam"


@contextlib.contextmanager
def ended(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        process.kill()
        process.communicate()


def node() -> str:
    """Node.js as install.sh found it."""
    return (INSTALLED / "node").read_text().strip()
