"""Child processes that say ``ready``, and are ended with the block that started them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from bench.common.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

READY_WITHIN_S = 60.0
END_WITHIN_S = 10.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


@dataclass(frozen=True)
class Running:
    """A child; ``ready``: the words behind ``ready`` on its standard output."""

    pid: int
    ready: tuple[str, ...]
    process: subprocess.Popen[bytes]

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


class DidNotStartError(Exception):
    """A child ended or kept silent instead of saying ``ready``."""


@contextlib.contextmanager
def running(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Start a child and wait until it says ``ready``; end it with SIGTERM, then with SIGKILL.

    Raises `DidNotStartError` with what it said; that is a note, too, of what goes wrong inside the block.
    """
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=errors,
            stdin=subprocess.DEVNULL,
            preexec_fn=end_with_parent,  # noqa: PLW1509  # what starts children here has one thread
        )
        with ended(process):
            line = _wait(process)
            if line is None:
                raise DidNotStartError(f"{' '.join(command[:4])} …: {_end_of(errors)}")
            try:
                yield Running(process.pid, tuple(line.split()[1:]), process)
            except Exception as error:
                if said := _end_of(errors):
                    error.add_note(f"{' '.join(command[:4])} … said: {said}")
                raise


@contextlib.contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End a child with the block."""
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def end_with_parent() -> None:
    """In a child: end when the bench is killed (prctl(2))."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _end_of(errors: IO[bytes]) -> str:
    """What a child complained of last."""
    errors.seek(0)
    return errors.read()[-2000:].decode(errors="replace")


def _wait(process: subprocess.Popen[bytes]) -> str | None:
    """The line that begins with ``ready``; None if the child ends or keeps silent."""
    assert process.stdout is not None
    said = b""
    end = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < end:
        if not select.select([process.stdout], [], [], 0.1)[0]:
            continue
        piece = os.read(process.stdout.fileno(), 4096)  # not readline: select does not see its buffer
        if not piece:
            return None
        said += piece
        for line in said.decode(errors="replace").splitlines(keepends=True):
            if line.startswith("ready") and line.endswith("\n"):
                return line
    return None
