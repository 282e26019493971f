"""Recorded files: where they lie, how they are called, and what they are to those who read them.

``DATA/recordings/<camera id>/<stream>/<UTC start>.mp4``: an init segment and the live fragments, whose decode times
count from the file's ``zero``.  All times are UTC, in ticks of 1/90 000 s.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from appliance.base.clock import TICKS_PER_SECOND

if TYPE_CHECKING:
    from pathlib import Path

    from appliance.media.sample_table import SampleTable
    from appliance.media.units import AudioFormat, VideoFormat

FOLDER: Final = "recordings"
SUFFIX: Final = ".mp4"
#: The streams of a camera that are recorded.
MAIN, SUB = "main", "sub"
TICKS_PER_MS: Final = TICKS_PER_SECOND // 1000
STREAMS: Final = (MAIN, SUB)
_NAME = re.compile(r"(\d{8}T\d{6})\.(\d{3})Z\.mp4", re.ASCII)


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """A file: what its row in the index says."""

    id: int
    camera_id: str
    stream: str
    zero: int  # of its decode times
    start: int  # its first picture is shown
    end: int  # the last one ends, or the first of the next file begins
    size: int  # bytes; while it is written, those that can be read
    path: Path = field(compare=False)


@dataclass(frozen=True, slots=True)
class Opened:
    """What a file holds."""

    file: RecordedFile
    table: SampleTable
    init: bytes
    video: VideoFormat
    audio: AudioFormat | None


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, its end not included."""

    start: int
    end: int


def name_of(start: int) -> str:
    """The name of the file whose first picture is shown at ``start``: its time, cut to milliseconds."""
    seconds, rest = divmod(start, TICKS_PER_SECOND)
    year, month, day, hour, minute, second, *_ = time.gmtime(seconds)
    return f"{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}.{rest // TICKS_PER_MS:03}Z{SUFFIX}"


def start_of(name: str) -> int | None:
    """The time in a file's name; None if it is not called like one of ours."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    try:
        moment = datetime.strptime(match[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    # the first tick of that millisecond
    return int(moment.timestamp()) * TICKS_PER_SECOND + int(match[2]) * TICKS_PER_MS


def folder_of(root: Path, camera_id: str, stream: str) -> Path:
    return root / camera_id / stream


def path_of(root: Path, camera_id: str, stream: str, start: int) -> Path:
    return folder_of(root, camera_id, stream) / name_of(start)
