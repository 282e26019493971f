"""The worker process: reads jobs and units of pipelines from its socket, one after the other, and answers them.

It is started by `appliance.workers.pool` with one end of a socket pair as its only connection to the world, and gives
up what it can (`appliance.workers.isolation`) between loading its libraries and reading the first job.
"""

from __future__ import annotations

import functools
import os
import socket
import sys
from io import BufferedReader
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from appliance import __version__
from appliance.base.imports import lasting_imports
from appliance.workers import isolation
from appliance.workers.wire import (
    HEADER,
    DemoJob,
    Failure,
    FootageJob,
    Hello,
    Kind,
    PipelineOpen,
    PipelineRungs,
    PipelineUnit,
    PipelineWorked,
    SnapshotJob,
    SoundHeard,
    SoundOpen,
    SoundPiece,
    body_size,
    encode,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

#: Units are read as they come, several at a time.
PIECE = 1 << 17


def main(arguments: list[str]) -> int:
    """``worker FD PARENT auto|off``: serve jobs on the socket FD until it closes; hardware decodes, or not."""
    fd, parent = int(arguments[0]), int(arguments[1])
    isolation.die_with_parent(parent)
    given_up = isolation.before_libraries()
    with lasting_imports():
        from appliance.workers import (  # noqa: PLC0415  (libav and NumPy start threads)
            demo,
            footage,
            hardware,
            pictures,
            sound,
            transcoding,
        )

    device = hardware.find() if arguments[2] == "auto" else hardware.Found(None, "it is switched off")
    given_up |= isolation.after_libraries(device=device.kind is not None)
    with socket.socket(fileno=fd) as channel, BufferedReader(channel.makefile("rb", 0), PIECE) as incoming:
        channel.sendall(encode(Kind.HELLO, 0, Hello(__version__, given_up, device.kind, device.why)))
        pipelines: dict[int, transcoding.Pipeline] = {}
        sounds: dict[int, sound.SoundPipeline] = {}
        while True:
            header = _receive(incoming, HEADER.size)
            if header is None:
                return 0
            kind, job, size = body_size(header)
            body = _receive(incoming, size)
            if body is None:
                return 0
            if kind is Kind.UNIT:
                unit = msgspec.msgpack.decode(body, type=PipelineUnit)
                worked = _work(pipelines, job, unit, PipelineWorked(0, [], damaged=True))
                channel.sendall(encode(Kind.WORKED, job, worked))
                continue
            if kind is Kind.PIECE:
                piece = msgspec.msgpack.decode(body, type=SoundPiece)
                heard = _work(sounds, job, piece, SoundHeard(b"", [], damaged=True))
                channel.sendall(encode(Kind.HEARD, job, heard))
                continue
            if kind is Kind.SOUND:
                hearing = msgspec.msgpack.decode(body, type=SoundOpen)
                _put(sounds, job, functools.partial(sound.SoundPipeline, hearing))
                continue
            if kind is Kind.OPEN:
                opening = msgspec.msgpack.decode(body, type=PipelineOpen)
                _put(pipelines, job, functools.partial(transcoding.Pipeline, opening, device.kind))
                continue
            if kind is Kind.RUNGS:
                rungs = msgspec.msgpack.decode(body, type=PipelineRungs)
                if job in pipelines:  # else it could not be opened
                    pipelines[job].change(rungs)
                continue
            if kind is Kind.CLOSE:
                pipelines.pop(job, None)
                sounds.pop(job, None)
                continue
            try:
                answer: object
                if kind is Kind.SNAPSHOT:
                    answer = pictures.snapshot(msgspec.msgpack.decode(body, type=SnapshotJob))
                elif kind is Kind.DEMO:
                    answer = demo.make_demo(msgspec.msgpack.decode(body, type=DemoJob))
                elif kind is Kind.FOOTAGE:
                    answer = footage.make_footage(msgspec.msgpack.decode(body, type=FootageJob))
                else:
                    answer = Failure("unknown_job", f"no job of kind {kind}")
            except pictures.NoPictureError as error:
                answer = Failure("no_picture", str(error))
            except MemoryError:
                answer = Failure("too_large", "the picture needs more memory than a worker may have")
            except Exception as error:  # whatever a decoder raises is this job's failure, not the worker's end
                answer = Failure("job_failed", f"{type(error).__name__}: {error}")
            channel.sendall(encode(Kind.FAILED if isinstance(answer, Failure) else Kind.DONE, job, answer))


class _Pipeline(Protocol):
    def work(self, taken: Any, /) -> object: ...


def _put(pipelines: dict[int, T], job: int, make: Callable[[], T]) -> None:
    """Open a pipeline.  Where that fails there is none, and `_work` answers each of its units as damaged."""
    try:
        pipelines[job] = make()
    except Exception:  # of a library, or of memory: not the end of the others in this worker
        pipelines.pop(job, None)


def _work(pipelines: Mapping[int, _Pipeline], job: int, taken: object, damaged: object) -> object:
    """Always an answer: whatever a picture, or sound, does to a library is its own failure."""
    try:
        with isolation.cpu_limit():
            return pipelines[job].work(taken)
    except Exception:  # see above
        return damaged


def _receive(incoming: BufferedReader[socket.SocketIO], size: int) -> bytes | None:
    """Exactly ``size`` bytes, or None when the other end has closed."""
    data = incoming.read(size)
    return data if len(data) == size else None


if __name__ == "__main__":
    os._exit(main(sys.argv[1:]))  # no clean-up of libraries: everything a worker has dies with it
