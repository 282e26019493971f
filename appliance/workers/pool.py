"""The pool that owns the media workers: starts them, gives them jobs, replaces the dead and the stuck."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import msgspec
import trio

from appliance import __version__
from appliance.base import unpacked
from appliance.base.faults import Fault
from appliance.base.faults import Kind as FaultKind
from appliance.workers.wire import HEADER, Failure, Hello, Kind, WireError, body_size, encode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

#: Loading libav takes about half a second; on a busy machine much longer.
START_S = 30.0
#: A killed process is gone at once, unless the machine is in trouble.
END_S = 5.0
#: What is read of a worker's answers at a time, at least: those to some units.
PIECE = 1 << 16
#: Jobs that may wait for a worker; one more is refused.
WAITING = 32


class WorkerDiedError(Exception):
    """The worker ended, or broke the format, in the middle of a job."""


@dataclass(eq=False)
class Worker:
    """One worker process and our end of its socket pair."""

    process: subprocess.Popen[bytes]
    stream: trio.SocketStream
    isolation: dict[str, str | None] = field(default_factory=dict)
    hardware: tuple[str | None, str] = (None, "")  # the kind of device that decodes, or why there is none
    _received: bytearray = field(default_factory=bytearray)  # of messages to come

    def try_send(self, data: bytes) -> int:
        """How much of it the socket takes at once; what is wrong with it finds out whoever sends the rest."""
        try:
            return os.write(self.stream.socket.fileno(), data)
        except OSError:
            return 0

    async def ask(self, kind: Kind, job: int, body: object) -> bytes:
        """The body of the answer.  Raises `WorkerDiedError`, or `Fault` where the worker says it failed."""
        try:
            await self.stream.send_all(encode(kind, job, body))
            answered, number, data = await self.receive()
        except (trio.BrokenResourceError, trio.ClosedResourceError, WireError) as error:
            raise WorkerDiedError(str(error) or "the worker ended") from error
        if number != job:
            raise WorkerDiedError(f"an answer to job {number} where {job} was asked")
        if answered is Kind.FAILED:
            failure = msgspec.msgpack.decode(data, type=Failure)
            raise Fault(FaultKind.UNAVAILABLE, failure.code, f"The picture could not be made: {failure.message}.")
        return data

    async def hello(self) -> None:
        kind, _, data = await self.receive()
        if kind is not Kind.HELLO:
            raise WireError("no hello")
        hello = msgspec.msgpack.decode(data, type=Hello)
        if hello.version != __version__:
            raise WireError(f"a worker of version {hello.version}")
        self.isolation = hello.isolation
        self.hardware = hello.hardware, hello.hardware_why

    async def end(self) -> None:
        """Kill and reap."""
        self.process.kill()
        await self.stream.aclose()
        await _reaped(self.process)
        status = self.process.returncode
        if status not in (None, -signal.SIGKILL, -signal.SIGTERM):  # ours, if it still ran, and the service manager's
            how = signal.Signals(-status).name if status < 0 else f"status {status}"
            log.warning("media worker %d had ended by itself: %s", self.process.pid, how)

    async def receive(self) -> tuple[Kind, int, bytes]:
        """The next message.  Raises `WorkerDiedError`, `WireError`."""
        await self._at_least(HEADER.size)
        kind, job, size = body_size(bytes(self._received[: HEADER.size]))
        end = HEADER.size + size
        await self._at_least(end)
        body = bytes(self._received[HEADER.size : end])
        del self._received[:end]
        return kind, job, body

    async def _at_least(self, size: int) -> None:
        """Each turn of the loop costs more than what it reads: whatever has come is taken at once."""
        while len(self._received) < size:
            await trio.lowlevel.wait_readable(self.stream.socket)  # mostly nothing has come yet
            try:
                piece = os.read(self.stream.socket.fileno(), max(PIECE, size - len(self._received)))
            except BlockingIOError:
                continue
            except OSError as error:
                raise WorkerDiedError(f"the worker ended: {error.strerror}") from error
            if not piece:
                raise WorkerDiedError("the worker ended")
            self._received += piece


class Pool:
    """Workers for jobs of one kind or another; see `open_pool`."""

    def __init__(self, size: int, *, hardware: bool) -> None:
        self.size = size
        self._uses_hardware = hardware
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._free = trio.Semaphore(size)
        self._outstanding = 0
        self._next_job = 0
        self.replaced = 0  # workers that died or hung, since the start

    async def run(self, kind: Kind, body: object, answer: type[Answer], *, patience_s: float) -> Answer:
        """Have a worker do a job; one that takes longer than ``patience_s`` is killed.

        Raises `Fault`: ``worker_busy``, ``worker_died``, ``worker_stuck`` or the job's own.
        """
        if self._outstanding >= self.size + WAITING:
            raise Fault(
                FaultKind.LIMITED,
                "worker_busy",
                "Too many pictures are being made at once.",
                "Try again in a moment.",
                retry_after_s=1,
            )
        self._outstanding += 1
        try:
            async with self._free:
                return msgspec.msgpack.decode(await self._on_a_worker(kind, body, patience_s), type=answer)
        except msgspec.MsgspecError as error:
            raise Fault(FaultKind.INTERNAL, "worker_died", f"A media worker answered nonsense: {error}.") from error
        finally:
            self._outstanding -= 1

    async def _on_a_worker(self, kind: Kind, body: object, patience_s: float) -> bytes:
        for attempt in (1, 2):
            worker = self._idle.pop() if self._idle else await self._start()
            self._next_job = self._next_job + 1 & 0xFFFFFFFF
            healthy = False
            try:
                with trio.fail_after(patience_s):
                    data = await worker.ask(kind, self._next_job, body)
                healthy = True
            except Fault:
                healthy = True
                raise
            except WorkerDiedError as error:
                log.warning("media worker %d died: %s", worker.process.pid, error)
                if attempt == 2:
                    raise Fault(
                        FaultKind.UNAVAILABLE, "worker_died", "The decoder crashed on what the camera sends, twice."
                    ) from error
            except trio.TooSlowError as error:
                log.warning("media worker %d does not answer: killed", worker.process.pid)
                raise Fault(FaultKind.UNAVAILABLE, "worker_stuck", "The decoder does not answer.") from error
            else:
                return data
            finally:
                if healthy:
                    self._idle.append(worker)
                else:
                    self.replaced += 1
                    with trio.move_on_after(END_S, shield=True):
                        await self._end(worker)
        raise AssertionError("unreachable")

    async def hire(self) -> Worker:
        """A worker for somebody else's use, until `release` or `retire`.  Raises `Fault`."""
        return self._idle.pop() if self._idle else await self._start()

    def release(self, worker: Worker) -> None:
        """It is as it was when it was hired: let jobs have it."""
        self._idle.append(worker)

    async def retire(self, worker: Worker) -> None:
        """It is of no use to anybody any more."""
        await self._end(worker)

    async def warm(self) -> None:
        """Have one worker ready before it is asked for."""
        if not self._all:
            self._idle.append(await self._start())

    @property
    def isolation(self) -> dict[str, str | None]:
        """What the workers could not give up, of the last one started (empty before the first)."""
        return next((dict(worker.isolation) for worker in self._all), {})

    @property
    def hardware(self) -> tuple[str | None, str]:
        """The kind of device that decodes, or None and why there is none (nothing before the first worker)."""
        return next((worker.hardware for worker in self._all if any(worker.hardware)), (None, ""))

    @property
    def workers(self) -> list[int]:
        """Process ids of the living."""
        return sorted(worker.process.pid for worker in self._all)

    async def _start(self) -> Worker:
        ours, theirs = socket.socketpair()
        try:
            process = _spawn(theirs.fileno(), "auto" if self._uses_hardware else "off")
        except OSError as error:
            ours.close()
            raise Fault(FaultKind.UNAVAILABLE, "worker_died", f"A media worker cannot be started: {error}.") from error
        finally:
            theirs.close()
        worker = Worker(process, trio.SocketStream(trio.socket.from_stdlib_socket(ours)))
        self._all.add(worker)
        try:
            with trio.fail_after(START_S):
                await worker.hello()
        except (trio.TooSlowError, WorkerDiedError, WireError, msgspec.MsgspecError, trio.BrokenResourceError) as error:
            with trio.move_on_after(END_S, shield=True):
                await self._end(worker)
            raise Fault(FaultKind.UNAVAILABLE, "worker_died", f"A media worker did not start: {error}.") from error
        except BaseException:
            with trio.move_on_after(END_S, shield=True):
                await self._end(worker)
            raise
        return worker

    async def _end(self, worker: Worker) -> None:
        self._all.discard(worker)
        await worker.end()

    async def end_all(self) -> None:
        for worker in list(self._all):
            await self._end(worker)


async def _reaped(process: subprocess.Popen[bytes]) -> None:
    """Wait until the process has ended, and take its status."""
    try:
        ended = os.pidfd_open(process.pid)
    except ProcessLookupError:
        process.poll()
        return
    try:
        await trio.lowlevel.wait_readable(ended)
    finally:
        os.close(ended)
    process.poll()


def _spawn(fd: int, hardware: str) -> subprocess.Popen[bytes]:
    """A worker on the socket ``fd``.

    Not in one of Trio's threads: a worker dies with the *thread* that made it, and those end when they are idle.
    Fork and exec hold the loop for a millisecond or two.
    """
    unpacked_at = unpacked.folder()
    program = [sys.executable] if unpacked_at else [sys.executable, "-m", "appliance"]
    environment = {"PATH": os.defpath, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "LANG": "C.UTF-8"}
    if unpacked_at:
        # PyInstaller's boot loader finds the unpacked program again by the first, and its libraries by the second
        environment |= {name: value for name, value in os.environ.items() if name.startswith("_PYI")}
        environment["LD_LIBRARY_PATH"] = str(unpacked_at)
    return subprocess.Popen(  # noqa: S603  (our own program, with two numbers and a word)
        [*program, "worker", str(fd), str(os.getpid()), hardware],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=[fd],
        env=environment,
        process_group=0,  # Ctrl-C, which reaches the whole group of a terminal, is for the main process to obey
    )


@asynccontextmanager
async def open_pool(size: int | None = None, *, hardware: bool = True) -> AsyncIterator[Pool]:
    """A pool of at most ``size`` workers (None: one per core), started when first needed, killed at the end.

    ``hardware``: have it decode, where there is any.
    """
    pool = Pool(size or len(os.sched_getaffinity(0)), hardware=hardware)
    try:
        yield pool
    finally:
        with trio.move_on_after(END_S * 2, shield=True):
            await pool.end_all()
