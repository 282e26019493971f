"""The wire between the main process and a media worker, over a socket pair.

A message is a header of ten bytes and a body::

    length   4  unsigned, big-endian: of kind, job and body together
    kind     2  what it is (`Kind`)
    job      4  number that the asker chose; the answer bears it again
    body     length - 6

A *job* is asked for and answered once.  A *pipeline* (`appliance.workers.transcoding`) lives in a worker until it is
closed; ``job`` is its number.  ``OPEN`` comes first, ``RUNGS`` before the first unit and whenever they change, then
one ``UNIT`` a coded picture.  Each unit, and nothing else, is answered by one ``WORKED`` with the pictures that came
out of the decoder and the JPEG made of them, in the order in which units were sent, over all pipelines of a worker.  So
the main process knows how many are in flight, keeps that below a bound, and knows which one a worker died of.
A pipeline of sound (`appliance.workers.sound`) is the same with ``SOUND``, ``PIECE`` and ``HEARD``.

Bodies are MessagePack (msgspec), typed by the structures below; coded pictures travel inside as byte strings.  Both
ends are of one version and one machine, yet the main process trusts a worker with nothing: sizes are bounded, and
what does not fit its structure ends the worker.
"""

from __future__ import annotations

import struct
from enum import IntEnum

import msgspec

from appliance.media.masks import NO_MASK, Mask

HEADER = struct.Struct(">IHI")
_REST = 6  # kind and job, which the length counts
#: A GOP of 8 MB units would be larger; nothing we ask for is.
LARGEST_BODY = 64 << 20


class Kind(IntEnum):
    HELLO = 1  # worker → main, once: Hello
    SNAPSHOT = 2  # main → worker: SnapshotJob → SnapshotDone
    DEMO = 3  # main → worker: DemoJob → DemoDone
    OPEN = 4  # main → worker: PipelineOpen; no answer
    RUNGS = 5  # main → worker: PipelineRungs; no answer
    UNIT = 6  # main → worker: PipelineUnit → WORKED
    CLOSE = 7  # main → worker: nothing; no answer
    SOUND = 8  # main → worker: SoundOpen; no answer
    PIECE = 9  # main → worker: SoundPiece → HEARD
    DONE = 10  # worker → main: the answer
    FAILED = 11  # worker → main: Failure
    WORKED = 12  # worker → main: PipelineWorked
    HEARD = 13  # worker → main: SoundHeard
    FOOTAGE = 20  # main → worker: FootageJob → FootageDone


class WireError(Exception):
    """The other end does not keep to the format."""


class Hello(msgspec.Struct, frozen=True):
    """``isolation``: what the worker could and could not give up, name → None or the reason why not.  ``hardware``:
    the kind of device that decodes; None: none, and ``hardware_why``."""

    version: str
    isolation: dict[str, str | None]
    hardware: str | None = None
    hardware_why: str = ""


class Failure(msgspec.Struct, frozen=True):
    code: str
    message: str


class SnapshotJob(msgspec.Struct, frozen=True):
    """Decode ``units`` (AVCC, from an IDR picture on) and give the last picture as JPEG, ``width`` samples wide
    (None: as it is; never enlarged), with ``mask`` hidden."""

    codec: str
    configuration: bytes
    units: list[bytes]
    full_range: bool
    pixel_aspect: tuple[int, int]
    width: int | None
    quality: int
    mask: Mask = NO_MASK


class SnapshotDone(msgspec.Struct, frozen=True):
    jpeg: bytes
    width: int
    height: int


class PipelineOpen(msgspec.Struct, frozen=True):
    """What the decoder has to know, and how the picture is to be understood.

    ``skip_loop_filter``: all rungs shrink the picture so much that it is not missed.
    ``reduce``: MJPEG is decoded at 1, 1/4 or 1/8 of its sides.
    """

    codec: str
    configuration: bytes
    full_range: bool
    skip_loop_filter: bool
    reduce: int = 1


class PipelineRung(msgspec.Struct, frozen=True, array_like=True):
    """One encoding.  ``fps`` None: every picture.  ``mask``: what is hidden."""

    width: int
    height: int
    fps: float | None
    quality: int
    mask: Mask = NO_MASK


class PipelineRungs(msgspec.Struct, frozen=True):
    """All rungs from here on, in place of those before."""

    rungs: list[PipelineRung]


class PipelineUnit(msgspec.Struct, frozen=True, array_like=True):
    """One coded picture.

    ``shown``: JPEG is made of it; else it is only decoded, for what refers to it.  ``alone``: nothing follows on it,
    so the decoder gives it at once and forgets it.  ``starts``: decoding can start with it.  ``before``: pictures with
    their times that waited for this one: they are decoded first, and not shown.
    """

    data: bytes
    pts: int
    shown: bool = True
    alone: bool = False
    starts: bool = False
    before: list[tuple[bytes, int]] = []


class PipelinePicture(msgspec.Struct, frozen=True, array_like=True):
    """A decoded picture that some rung is due for: each JPEG once, and which rungs (by number) get which."""

    pts: int
    jpegs: list[bytes]
    rungs: list[tuple[int, int]]  # number of the rung, number of the JPEG


class PipelineWorked(msgspec.Struct, frozen=True, array_like=True):
    """``decoded``: pictures that came out of the decoder; ``damaged``: it could not use the unit.  ``hardware``:
    the kind of device that decodes; ``hardware_failure``: why there is none any more.  ``at_once``: since the last unit
    that decoding can start with, each picture came out as it was given."""

    decoded: int
    pictures: list[PipelinePicture]
    damaged: bool = False
    hardware: str | None = None
    hardware_failure: str = ""
    at_once: bool = False


class SoundOpen(msgspec.Struct, frozen=True):
    """What is decoded: G.711 (``"pcmu"``, ``"pcma"``), its samples a second in one or two channels."""

    codec: str
    sample_rate: int
    channels: int


class SoundPiece(msgspec.Struct, frozen=True, array_like=True):
    """Samples, and when the first of them is heard, in ticks."""

    data: bytes
    pts: int


class SoundHeard(msgspec.Struct, frozen=True, array_like=True):
    """AAC frames that came of a piece and those before it, each with its time in ticks; ``config``: their
    AudioSpecificConfig."""

    config: bytes
    frames: list[tuple[bytes, int]]
    damaged: bool = False


class DemoJob(msgspec.Struct, frozen=True):
    """Make the demo camera's clip: ``seconds`` of picture in each size, and its sound."""

    seconds: int
    fps: int
    sizes: list[tuple[int, int, int]]  # width, height, bit/s
    sample_rate: int


class DemoPicture(msgspec.Struct, frozen=True, array_like=True):
    data: bytes  # Annex B, as the encoder gives it
    pts: int  # pictures since the beginning
    is_key: bool


class DemoDone(msgspec.Struct, frozen=True):
    """``pictures``: one list a size, in decoding order.  ``sound``: AAC frames, and their AudioSpecificConfig."""

    pictures: list[list[DemoPicture]]
    sound: list[bytes]
    sound_config: bytes


class FootageJob(msgspec.Struct, frozen=True):
    """Make so many pictures as a camera would send them, one group of pictures; ``codec``: h264, h265, mjpeg."""

    codec: str
    width: int
    height: int
    fps: int
    pictures: int
    bit_rate: int


class FootageDone(msgspec.Struct, frozen=True):
    """``units``: H.26x in Annex B, as the encoder gives it; MJPEG a JPEG each."""

    units: list[bytes]


def encode(kind: Kind, job: int, body: object) -> bytes:
    """A whole message."""
    data = msgspec.msgpack.encode(body)
    return HEADER.pack(len(data) + _REST, kind, job) + data


def body_size(header: bytes) -> tuple[Kind, int, int]:
    """Kind, job and size of the body that follows.  Raises `WireError`."""
    length, kind, job = HEADER.unpack(header)
    if not _REST <= length <= LARGEST_BODY:
        raise WireError(f"a message of {length} bytes")
    try:
        return Kind(kind), job, length - _REST
    except ValueError:
        raise WireError(f"a message of kind {kind}") from None
