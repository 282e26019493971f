"""The real program with a simulated camera of two streams, for the tests of one module."""

from __future__ import annotations

import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.program import Server, running
from tests.peers.cameras import running_cameras

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "seven gulls over the pier"


@dataclass
class Served:
    """A running ``fanal run``, a user who may watch everything (signed in), and the camera."""

    server: Server
    camera_id: str
    authority: str

    @property
    def live(self) -> str:
        return f"/api/v1/cameras/{self.camera_id}/live"

    @property
    def http_port(self) -> int:
        return int(self.server.url("http").rpartition(":")[2])

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=self.authority)

    def tell(self, *words: str, told: str = "") -> None:
        done = self.server.command(*words, stdin=told)
        assert done.code == 0, done.err

    def add_user(self, name: str) -> None:
        self.tell("user", "add", name, "--password-stdin", told=f"{PASSWORD}\n")


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with tempfile.TemporaryDirectory(prefix="fanal-") as name:
        folder = Path(name) / "data"
        with running_cameras() as cameras, running(folder) as server:
            served = Served(server, "", (folder / "tls" / "authority.pem").read_text())
            served.tell("camera", "add", "Gate", cameras.url(), "--sub", cameras.url("/sub"))
            served.add_user("anna")
            served.tell("user", "set", "anna", "live=all")
            served.tell("config", "set", "performance.streams_per_user", "500")
            server.sign_in("anna", PASSWORD)
            served.camera_id = server.ask("GET", "/api/v1/cameras")[1]["cameras"][0]["id"]
            yield served
