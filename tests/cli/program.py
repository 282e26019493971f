"""The real program for tests: ``python -m appliance`` in processes of its own, as somebody in a terminal runs it.

Where nothing around it matters it is forked (`tests.cli.forkserver`), which saves the time for imports.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.cli import forkserver
from tests.cli.forkserver import Program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

FANAL = [sys.executable, "-W", "error", "-m", "appliance"]
LOOPBACK = "127.0.0.1"
LOCALLY = ["--bind", LOOPBACK, "--http", "auto", "--https", "auto"]
#: No test waits longer for a child; a busy machine takes its time to import.
PATIENCE_S = 40.0
#: How soon an orderly end has to be over: "a few seconds".
END_S = 8.0


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def fanal(
    *arguments: str,
    data: Path | None = None,
    stdin: str = "",
    prefix: Sequence[str] = (),
    environment: dict[str, str | None] | None = None,
) -> Done:
    """Run a command to its end."""
    more = [] if data is None else ["--data", str(data)]
    if not prefix and not environment:
        return Done(*forkserver.run([*arguments, *more], environment=surroundings(), told=stdin, timeout=PATIENCE_S))
    done = subprocess.run(
        [*prefix, *FANAL, *arguments, *more],
        input=stdin, capture_output=True, text=True, timeout=PATIENCE_S, check=False, env=surroundings(environment),
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


def surroundings(changes: dict[str, str | None] | None = None) -> dict[str, str]:
    """The environment of a child; None takes a variable away."""
    wanted: dict[str, str | None] = {**os.environ, "FANAL_DATA": None, **(changes or {})}
    return {name: value for name, value in wanted.items() if value is not None}


def own_mounts() -> list[str]:
    """What a command is begun with to get mounts of its own, which vanish with it."""
    return ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]


@dataclass
class Server:
    """A running ``fanal run``."""

    process: subprocess.Popen[str] | Program
    folder: Path
    said: list[str]  # lines of its standard output
    token: str = ""
    errors: list[str] = field(default_factory=list)  # lines of its standard error

    @property
    def pid(self) -> int:
        return self.process.pid

    def url(self, scheme: str) -> str:
        ready = next(line for line in self.said if line.startswith("ready "))
        return next(url for url in ready.split() if url.startswith(f"{scheme}://"))

    @property
    def port(self) -> int:
        return int(self.url("https").rpartition(":")[2])

    @property
    def log(self) -> str:
        return "".join(path.read_text() for path in sorted((self.folder / "logs").iterdir()))

    def command(self, *arguments: str, stdin: str = "") -> Done:
        return fanal(*arguments, data=self.folder, stdin=stdin)

    def ask(self, method: str, path: str, body: Any = None, token: str | None = None) -> tuple[int, Any]:
        """Status and body (JSON where it is) of a request over HTTPS, as whoever has the token."""
        context = ssl.create_default_context(cadata=(self.folder / "tls" / "authority.pem").read_text())
        connection = http.client.HTTPSConnection(LOOPBACK, self.port, timeout=PATIENCE_S, context=context)
        try:
            headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
            headers |= {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            data = response.read()
        finally:
            connection.close()
        is_json = "json" in (response.getheader("Content-Type") or "")
        return response.status, json.loads(data) if is_json else data

    def first_password(self) -> str:
        text = (self.folder / "first-password").read_text()
        found = re.search(r"^password:?\s+(\S+)$", text, re.MULTILINE | re.IGNORECASE)
        assert found, "the file names no password"
        return found[1]

    def sign_in(self, user: str, password: str) -> str:
        status, answer = self.ask("POST", "/api/v1/session", {"username": user, "password": password}, token="")
        assert status == 200, answer
        self.token = answer["token"]
        return self.token

    def children(self) -> list[int]:
        """The processes that it started: its workers."""
        tasks = Path(f"/proc/{self.pid}/task")
        return [int(pid) for task in tasks.iterdir() for pid in _read(task / "children").split()]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it in order; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(END_S)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


@contextmanager
def running(
    folder: Path,
    *arguments: str,
    environment: dict[str, str | None] | None = None,
    data: bool = True,
    prefix: Sequence[str] = (),
) -> Iterator[Server]:
    """``fanal run`` on free ports of this machine, in a process group of its own; killed at the end."""
    command = ["run", *LOCALLY, *arguments, *(["--data", str(folder)] if data else [])]
    process: subprocess.Popen[str] | Program
    if prefix or environment:
        process = subprocess.Popen(
            [*prefix, *FANAL, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env=surroundings(environment), start_new_session=True,
        )  # fmt: skip
    else:
        process = Program(command, environment=surroundings(), own_session=True)
    assert process.stdout is not None
    assert process.stderr is not None
    server = Server(process, folder, [])
    ready = threading.Event()

    def read(pipe: Any, lines: list[str]) -> None:
        for line in pipe:
            lines.append(line.rstrip("\n"))
            if line.startswith("ready "):
                ready.set()
        ready.set()

    readers = [
        threading.Thread(target=read, args=(process.stdout, server.said)),
        threading.Thread(target=read, args=(process.stderr, server.errors)),
    ]
    for reader in readers:
        reader.start()
    try:
        assert ready.wait(PATIENCE_S), "it is not ready"
        assert any(line.startswith("ready ") for line in server.said), "\n".join(server.errors)
        yield server
    finally:
        process.kill()
        process.wait(PATIENCE_S)
        for reader in readers:
            reader.join(PATIENCE_S)
        process.stdout.close()
        process.stderr.close()


def until(holds: Callable[[], Any], within_s: float = 10.0) -> Any:
    """What ``holds`` gives as soon as it is true."""
    end = time.monotonic() + within_s
    while not (found := holds()):
        assert time.monotonic() < end, f"still {found!r} after {within_s} s"
        time.sleep(0.1)
    return found


def is_alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    state = re.search(r"^State:\s+(\w)", _read(Path(f"/proc/{pid}/status")), re.MULTILINE)
    return state is not None and state[1] not in "ZX"


def refused(done: Done, *said: str) -> None:
    """It failed, and one sentence says with all these words what is wrong and what to do."""
    assert (done.code, done.out) == (1, ""), done
    assert done.err.startswith("fanal: ")
    assert len(done.err.splitlines()) == 1
    for word in said:
        assert word in done.err
    assert "•••" not in done.err
