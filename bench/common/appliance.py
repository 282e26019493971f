"""The appliance under test: ``fanal run`` as a child, set up over its local socket, as an administrator would."""

from __future__ import annotations

import contextlib
import http.client
import json
import secrets
import ssl
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from appliance.cli.api import Api, open_api
from bench.common.load import WANT, Target
from bench.common.process import running

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

USER = "bench"


@dataclass(frozen=True)
class Server:
    """A running appliance with its cameras, and one user who may watch them all."""

    pid: int
    port: int
    tls: bool
    api: Api
    token: str
    cameras: list[str]  # ids
    folder: Path  # its data

    def live(self, camera: int = 0, want: str = WANT) -> Target:
        """The live view of a camera."""
        path = f"/api/v1/cameras/{self.cameras[camera]}/live"
        return Target(self.port, path, self.tls, f"Authorization: Bearer {self.token}", want)


@contextlib.contextmanager
def running_appliance(
    urls: Sequence[str], *, tls: bool = False, module: str = "appliance", log: str = "warning"
) -> Iterator[Server]:
    """Start it with cameras at ``urls``; ``module``: another main module with the same commands."""
    with tempfile.TemporaryDirectory(prefix="fanal-bench-") as folder:
        ports = ["--http", "0", "--https", "auto"] if tls else ["--http", "auto", "--https", "0"]
        command = [sys.executable, "-m", module, "run", "--data", folder, "--bind", "127.0.0.1", *ports]
        with running([*command, "--log-level", log]) as process, open_api(Path(folder), None) as api:
            port = urlsplit(process.ready[-1]).port
            assert port is not None
            api.call("PUT", "admin", "settings", "performance", body={"streams_per_user": 1000})
            cameras = [
                api.call("POST", "admin", "cameras", body={"name": f"Camera {n}", "url": url, "sub": None})["id"]
                for n, url in enumerate(urls, 1)
            ]
            password = secrets.token_urlsafe(16)
            api.call("POST", "admin", "users", body={"name": USER, "role": "viewer", "password": password})
            rights = ("live", "audio", "playback", "export")
            api.call("PATCH", "admin", "users", USER, body={"grants": dict.fromkeys(rights, "all")})
            yield Server(process.pid, port, tls, api, _sign_in(port, password, tls=tls), cameras, Path(folder))


def _sign_in(port: int, password: str, *, tls: bool) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    if tls:
        # its own authority signs the certificate; this is our own child on loopback
        context = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=context)
    try:
        body = json.dumps({"username": USER, "password": password})
        connection.request("POST", "/api/v1/session", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
    finally:
        connection.close()
    if response.status != 200:
        raise RuntimeError(f"signing in failed: {answer}")
    return str(answer["token"])
