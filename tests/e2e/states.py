"""The page that shows every component in every state (``/states``), served as while developing."""

from __future__ import annotations

import contextlib
import runpy
import socket
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING

from tests.e2e.axe import CLIENT
from tests.e2e.house import LOOPBACK, ROOT, free_ports
from tests.e2e.visit import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def serving_states(api: str) -> Iterator[str]:
    """Its address.  ``api``: whose HTTP interface it has behind it."""
    environment = runpy.run_path(str(ROOT / "build" / "webclient.py"))["environment"]()  # one that has Node.js
    [port] = free_ports(1)
    command = ["node", "node_modules/vite/bin/vite.js", "--host", LOOPBACK, "--port", str(port), "--strictPort"]
    with tempfile.TemporaryFile() as said:
        server = subprocess.Popen(
            command, cwd=CLIENT, env={**environment, "FANAL_URL": api}, stdout=said, stderr=subprocess.STDOUT
        )
        try:
            end = time.monotonic() + PATIENCE_S
            while True:
                with contextlib.suppress(ConnectionRefusedError), socket.create_connection((LOOPBACK, port), 1):
                    break
                assert server.poll() is None
                assert time.monotonic() < end
                time.sleep(0.1)
            yield f"http://{LOOPBACK}:{port}"
        finally:
            server.terminate()
            server.communicate(timeout=20)
