"""How commands reach the appliance: the running one by its Unix socket, else one that is put together for the moment.

Both serve the same interface, so a command is checked and answered in the same words either way.
"""

from __future__ import annotations

import socket
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from appliance.base.faults import Fault, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

CONTROL_SOCKET = "control.sock"
#: An answer may wait for a camera.
PATIENCE_S = 60.0
_KINDS = {
    400: Kind.INVALID,
    401: Kind.UNAUTHENTICATED,
    403: Kind.FORBIDDEN,
    404: Kind.NOT_FOUND,
    409: Kind.CONFLICT,
    413: Kind.LIMITED,
    421: Kind.INVALID,
    422: Kind.INVALID,
    429: Kind.LIMITED,
    500: Kind.INTERNAL,
    501: Kind.UNSUPPORTED,
    503: Kind.UNAVAILABLE,
}


class NotRunningError(Exception):
    """No appliance answers in this data folder."""


class _LocalConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=PATIENCE_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Api:
    """The interface of one appliance, as its administrator."""

    def __init__(self, path: Path, *, running: bool) -> None:
        self._path = path
        self.running = running  # False: put together for this command

    def get(self, *path: str) -> Any:
        return self.call("GET", *path)

    def call(self, method: str, *path: str, body: object = None) -> Any:
        """The answer as JSON; ``path`` in parts, each of which may hold anything.  Raises `Fault`, NotRunningError."""
        connection = _LocalConnection(self._path)
        try:
            data = None if body is None else msgspec.json.encode(body)
            headers = {} if data is None else {"Content-Type": "application/json"}
            target = "/api/v1/" + "/".join(quote(part, safe="") for part in path)
            connection.request(method, target, data, headers)
            response = connection.getresponse()
            answer = response.read()
        except (FileNotFoundError, ConnectionRefusedError):
            raise NotRunningError from None
        except PermissionError:
            raise Fault(
                Kind.FORBIDDEN,
                "not_permitted",
                "You may not administer this appliance.",
                "Run the command as the user who owns the data folder, or as root.",
            ) from None
        except (OSError, HTTPException) as error:
            raise Fault(Kind.UNAVAILABLE, "no_answer", f"The appliance does not answer: {error}.") from error
        finally:
            connection.close()
        if response.status >= 400:
            raise _fault(response.status, answer)
        return msgspec.json.decode(answer) if answer else None


def _fault(status: int, answer: bytes) -> Fault:
    try:
        problem = msgspec.json.decode(answer, type=dict[str, Any])
    except msgspec.DecodeError:
        problem = {}
    return Fault(
        _KINDS.get(status, Kind.INTERNAL),
        str(problem.get("code", "error")),
        str(problem.get("detail", f"The appliance answered with status {status}.")),
        str(problem.get("hint", "")),
        field=problem.get("field"),
    )


@contextmanager
def open_api(folder: Path, offline: Callable[[Path], AbstractContextManager[None]] | None) -> Iterator[Api]:
    """The interface of the appliance in a data folder.

    Raises NotRunningError if none runs there and ``offline`` is None (for commands that only a running one answers).
    """
    path = folder / CONTROL_SOCKET
    running = Api(path, running=True)
    try:
        running.get("server")
    except NotRunningError:
        if offline is None:
            raise
    else:
        yield running
        return
    with offline(folder):
        yield Api(path, running=False)
