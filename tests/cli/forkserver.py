"""Programs as ``python -W error -m appliance`` begins them, without the wait: forked from one that has imported it all.

Importing is most of what a command takes, and a suite begins hundreds of them.  What is forked is a process like any
other: its own arguments, environment, folder, descriptors, session and exit code.  Tests of how a program begins, or
of what surrounds it (mounts, terminals, another environment), begin a real one (`tests.cli.program.FANAL`).

One server for each process of tests and each network that a thread of it is in (`tests.faults.namespaces`), begun when
first needed; it ends when that process does, and what it has forked ends with it.  The protocol is one message for each
program: what it is given, with the descriptors for its input, output, errors and a pipe, which brings back the
process's number and, at its end, the code.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[2]
#: Importing on a machine that has much to do.
BEGUN_WITHIN_S = 60.0
_NUMBER = struct.Struct("<i")
_LARGEST = 1 << 17  # of a message: arguments and an environment


class Program:
    """A program that runs, as `subprocess.Popen` has it: what tests need of that.

    Without ``stdin`` it reads nothing; without ``stderr`` that is a pipe, as its output always is.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        stdin: IO[str] | None = None,
        stderr: IO[str] | None = None,
        own_session: bool = False,
    ) -> None:
        self.returncode: int | None = None
        told = {
            "arguments": list(arguments), "environment": dict(environment),
            "cwd": str(Path.cwd()), "own_session": own_session,
        }  # fmt: skip
        with contextlib.ExitStack() as ours:

            def pipe() -> tuple[int, int]:
                reading, writing = os.pipe()
                ours.callback(os.close, writing)
                return reading, writing

            self._status, status = pipe()
            out, out_end = pipe()
            self.stdout: IO[str] = os.fdopen(out, encoding="utf-8")
            self.stderr: IO[str] | None = None
            if stderr is None:
                errors, errors_end = pipe()
                self.stderr = os.fdopen(errors, encoding="utf-8")
            else:
                errors_end = stderr.fileno()
            given = stdin or ours.enter_context(Path(os.devnull).open(encoding="utf-8"))
            handed = [given.fileno(), out_end, errors_end, status]
            socket.send_fds(_server(_network()), [json.dumps(told).encode()], handed)
        self.pid = self._number(BEGUN_WITHIN_S, "begin")

    def _number(self, within_s: float | None, what: str) -> int:
        if not select.select([self._status], [], [], within_s)[0]:
            raise subprocess.TimeoutExpired(what, within_s or 0.0)
        data = os.read(self._status, _NUMBER.size)
        if len(data) < _NUMBER.size:
            raise RuntimeError("the server that programs are forked from has ended")
        return int(_NUMBER.unpack(data)[0])

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, or the signal that ended it, below zero.  Raises `subprocess.TimeoutExpired`."""
        if self.returncode is None:
            self.returncode = self._number(timeout, f"process {self.pid}")
            os.close(self._status)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(arguments: Sequence[str], *, environment: Mapping[str, str], told: str, timeout: float) -> tuple[int, str, str]:
    """Run a program to its end, ``told`` on its input: its code, and what it said on either output."""
    with _file() as given, _file() as errors:
        given.write(told)
        given.seek(0)
        program = Program(arguments, environment=environment, stdin=given, stderr=errors)
        try:
            with program.stdout:
                said = _all(program, timeout)
            code = program.wait(timeout)
        finally:
            program.kill()
        errors.seek(0)
        return code, said, errors.read()


def _file() -> IO[str]:
    return os.fdopen(os.memfd_create("fanal"), "w+", encoding="utf-8")


def _all(program: Program, timeout: float) -> str:
    """Its output until it closes that."""
    pieces = []
    end = time.monotonic() + timeout
    while select.select([program.stdout], [], [], max(0.0, end - time.monotonic()))[0]:
        piece = os.read(program.stdout.fileno(), 1 << 16)
        if not piece:
            return b"".join(pieces).decode()
        pieces.append(piece)
    raise subprocess.TimeoutExpired(f"process {program.pid}", timeout)


def _network() -> str:
    """The network namespace of this thread: what is forked is in that of its server."""
    return str(Path("/proc/thread-self/ns/net").readlink())


@cache
def _server(_network: str) -> socket.socket:
    """Our end of the socket of this process's server there, which ends when that is closed (as when we end)."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        server = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "tests.cli.forkserver", str(theirs.fileno())],
            cwd=ROOT, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    atexit.register(_end, ours, server)
    return ours


def _end(channel: socket.socket, server: subprocess.Popen[bytes]) -> None:
    channel.close()
    server.wait(BEGUN_WITHIN_S)


# ---- the server


def serve(channel: socket.socket) -> bool:
    """Fork what is asked for until nobody asks any more; True in a program that has been forked."""
    waking, woken = os.pipe()
    for end in (waking, woken):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # else it would not wake anybody
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    running: dict[int, int] = {}  # the pipe of each program
    while True:
        ready, _, _ = select.select([channel, waking], [], [])
        if waking in ready:
            os.read(waking, 4096)
            _reap(running)
        if channel not in ready:
            continue
        data, descriptors, _, _ = socket.recv_fds(channel, _LARGEST, 4)
        if not data:
            for pid in running:  # nobody is left to end them
                os.kill(pid, signal.SIGKILL)
            return False
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            channel.close()
            _become(json.loads(data), descriptors, [waking, woken, *running.values()])
            return True
        *given, status = descriptors
        for each in given:
            os.close(each)
        running[pid] = status
        _tell(status, pid)


def _reap(running: dict[int, int]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        pipe = running.pop(pid)
        _tell(pipe, os.waitstatus_to_exitcode(status))
        os.close(pipe)


def _tell(pipe: int, number: int) -> None:
    with contextlib.suppress(BrokenPipeError):  # nobody wants to know
        os.write(pipe, _NUMBER.pack(number))


def _become(told: dict[str, Any], descriptors: list[int], others: list[int]) -> None:
    """What `subprocess.Popen` does between the fork and the program."""
    for number, each in enumerate(descriptors[:3]):
        os.dup2(each, number)
    for each in (*descriptors, *others):
        os.close(each)
    if told["own_session"]:
        os.setsid()
    os.chdir(told["cwd"])
    os.environ.clear()
    os.environ.update(told["environment"])
    sys.argv[1:] = told["arguments"]


def main() -> None:
    from appliance.__main__ import main as fanal
    from appliance.base.imports import lasting_imports

    with lasting_imports():
        import appliance.cli.app
        import appliance.compose  # noqa: F401
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        forked = serve(channel)
    if forked:
        fanal()


if __name__ == "__main__":
    main()
