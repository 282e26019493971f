"""The peer for downloads: nginx as Debian has it, giving a file from the disk with ``sendfile``."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.common.process import end_with_parent, ended

if TYPE_CHECKING:
    from collections.abc import Iterator

READY_WITHIN_S = 10.0
CONFIGURATION = """\
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log stderr;
{user}
events {{ worker_connections 64; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    types {{ video/mp4 mp4; }}
    client_body_temp_path {folder}/1;
    proxy_temp_path {folder}/2;
    fastcgi_temp_path {folder}/3;
    uwsgi_temp_path {folder}/4;
    scgi_temp_path {folder}/5;
    server {{
        listen 127.0.0.1:{port};
        root {root};
    }}
}}
"""


class NoNginxError(Exception):
    """The peer cannot be had on this machine."""


def program() -> str | None:
    """Where it is; Debian has it where only root looks."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def described() -> str:
    """Its version; empty where there is none."""
    found = program()
    if found is None:
        return ""
    said = subprocess.run([found, "-v"], capture_output=True, text=True, check=False, timeout=10).stderr
    return said.strip().rpartition("/")[2]


@contextlib.contextmanager
def running_nginx(root: Path) -> Iterator[int]:
    """Its port, while it serves the files in a folder.  Raises `NoNginxError`."""
    found = program()
    if found is None:
        raise NoNginxError("nginx was not measured: it is not installed (tests/peers/install.sh does that).")
    with tempfile.TemporaryDirectory(prefix="fanal-nginx-") as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        user = "user root;" if os.geteuid() == 0 else ""
        configuration = Path(folder) / "nginx.conf"
        configuration.write_text(CONFIGURATION.format(folder=folder, root=root, port=port, user=user))
        process = subprocess.Popen(
            [found, "-p", folder, "-c", str(configuration), "-e", "stderr"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            preexec_fn=end_with_parent,  # noqa: PLW1509  # what starts children here has one thread
        )
        with ended(process):
            end = time.monotonic() + READY_WITHIN_S
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                if process.poll() is not None or time.monotonic() > end:
                    raise NoNginxError("nginx was not measured: it does not start.")
                time.sleep(0.05)
            yield port
