"""The page that shows every component in every state (``/states``), served as while developing."""

from __future__ import annotations

import contextlib
import os
import runpy
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
            command,
            cwd=CLIENT,
            env={**environment, "FANAL_URL": api, "NO_COLOR": "1"},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            end = time.monotonic() + PATIENCE_S
            # by its own word: whoever else has the port for a moment answers as well
            while b"Local:" not in (words := os.pread(said.fileno(), 1 << 16, 0)):
                assert server.poll() is None, words.decode()
                assert time.monotonic() < end, words.decode()
                time.sleep(0.1)
            yield f"http://{LOOPBACK}:{port}"
        finally:
            server.terminate()
            server.communicate(timeout=20)
