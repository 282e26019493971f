"""Recordings for tests of playback, whose pictures say their number, and what reads it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import av
import numpy as np

from appliance._native.fmp4 import OVERHEAD
from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.fmp4_read import Mp4Error, read_formats, read_samples
from tests.media.clips import Clip

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from appliance.media.units import AudioFormat, VideoFormat
    from tests.web.listening import LiveView

#: Some hours ago, as what is old is deleted: a whole hour.
START = (int(time.time()) // 3600 - 9) * 3600 * TICKS_PER_SECOND
FRAME = TICKS_PER_SECOND // 25


def number_in(image: np.ndarray) -> int:
    """The number that a picture of `tests.media.clips` says of itself, modulo 256."""
    height, width = image.shape[:2]
    columns = [image[height // 8 : height // 3, width * bit // 8 + 4 : width * (bit + 1) // 8 - 4] for bit in range(8)]
    return sum(int(column.mean() > 128) << (7 - bit) for bit, column in enumerate(columns))


def decoded(video: VideoFormat, units: Sequence[tuple[int, bytes]]) -> Iterator[tuple[int, np.ndarray]]:
    """Time and picture of each unit, by libav, in the order in which they are shown."""
    decoder = av.VideoCodecContext.create({"h265": "hevc"}.get(video.codec, video.codec), "r")
    decoder.extradata = video.configuration
    frames = []
    for pts, data in units:
        packet = av.Packet(data)
        packet.pts = pts
        frames += decoder.decode(packet)
    for frame in [*frames, *decoder.decode(None)]:
        yield frame.pts, frame.to_ndarray(format="rgb24")


def with_leading(clip: Clip) -> Clip:
    """The same, where what is shown before the key picture that it follows is known to be so, as sources know it."""
    units, key = [], clip.units[0].pts
    for unit in clip.units:
        key = unit.pts if unit.is_idr else key
        units.append(replace(unit, leading=unit.pts < key))
    assert any(unit.leading for unit in units)
    return Clip(clip.format, units)


@dataclass
class Stretch:
    """What came of one announcement in direct mode, as a player has it."""

    told: dict[str, object]
    video: VideoFormat | None = None
    audio: AudioFormat | None = None
    units: list[tuple[int, bytes]] = field(default_factory=list)  # UTC ticks and picture, in decoding order
    sounds: list[int] = field(default_factory=list)

    def take(self, message: bytes) -> None:
        """The init segment, then a fragment a message.  Raises AssertionError for anything else."""
        if self.video is None:
            self.video, self.audio = read_formats(message)
            assert not list(read_samples(message))
            return
        (sample,) = read_samples(message)
        assert (sample.start, sample.end) == (OVERHEAD, len(message))
        at = int(self.told["utc_zero"]) + sample.dts + sample.composition  # type: ignore[call-overload]
        if sample.is_audio:
            self.sounds.append(at)
        else:
            assert self.units or sample.is_sync, "it does not begin with a key picture"
            self.units.append((at, message[sample.start : sample.end]))

    def shown_at(self, at: int) -> tuple[int, np.ndarray]:
        """What a player shows then."""
        assert self.video is not None
        return max((each for each in decoded(self.video, self.units) if each[0] <= at), key=lambda each: each[0])


async def stretch(view: LiveView, number: int, *, until: int) -> Stretch:
    """What comes for a command, up to the picture at a time and some behind it, which a player needs."""
    while True:
        told = await view.told("stream")
        if told["id"] == number:
            break
    assert told["mode"] == "direct", told
    found = Stretch(told)
    while len(found.units) < 2 or max(at for at, _ in found.units) <= until + 3 * FRAME:
        message = await view.hear()
        if isinstance(message, bytes):
            try:
                found.take(message)
            except Mp4Error as error:
                raise AssertionError(message[:40]) from error
        elif message["type"] == "stream":
            found = Stretch(message)
    return found
