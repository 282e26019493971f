"""How commands reach the appliance: the running one by its Unix socket, else one that is put together for the moment.

Both serve the same interface, so a command is checked and answered in the same words either way.
"""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack, contextmanager
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
#: What tells a data folder from others: the store's file (`appliance.store.sqlite`, whose import takes half a second).
DATABASE = "fanal.db"
#: How long a server may take to start or to stop before a command gives up on it.
STARTING_S = 15.0
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

    def __init__(self, folder: Path) -> None:
        super().__init__(f"Fanal does not run with the data folder {folder}.")


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
            raise NotRunningError(self._path.parent) from None
        except PermissionError:
            raise Fault(
                Kind.FORBIDDEN,
                "not_permitted",
                f"You may not use the data folder {self._path.parent}.",
                "Run the command as the user who runs Fanal, or as root.",
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
def open_api(
    folder: Path, offline: Callable[[Path], AbstractContextManager[None]] | None, *, may_begin: bool = False
) -> Iterator[Api]:
    """The interface of the appliance in a data folder.

    ``offline`` puts one together where none runs; only with ``may_begin`` also in a folder that has none yet, so that
    whoever mistypes a folder is told instead of shown an empty one.
    Raises NotRunningError if none runs there and ``offline`` is None (for commands that only a running one answers),
    `Fault` ``no_data``, and those of a start.
    """
    path = folder / CONTROL_SOCKET
    with ExitStack() as stack:
        deadline = time.monotonic() + STARTING_S
        while True:
            running = Api(path, running=True)
            try:
                running.get("server")
            except NotRunningError:
                if offline is None:
                    raise NotRunningError(folder) from None
            else:
                yield running
                return
            if not may_begin and not _is_data_folder(folder):
                raise Fault(
                    Kind.NOT_FOUND,
                    "no_data",
                    f"There is nothing of Fanal in the folder {folder}.",
                    "Start it with: fanal run. If its data are in another folder, say so with --data DIR.",
                )
            try:
                stack.enter_context(offline(folder))
                break
            except Fault as fault:
                # a server that is just starting or stopping has the folder and no socket
                if fault.code != "data_in_use" or time.monotonic() > deadline:
                    raise
            time.sleep(0.2)
        yield Api(path, running=False)


def _is_data_folder(folder: Path) -> bool:
    try:
        return (folder / DATABASE).exists()
    except OSError:
        return True  # whoever opens it can say what is wrong with it
