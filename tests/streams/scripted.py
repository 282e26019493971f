"""A source that gives what a test tells it to, in Trio's time: for what no real camera does on order."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING

import trio

from appliance.base.clock import TICKS_PER_SECOND, ManualClock
from appliance.media.fmp4_read import read_samples
from appliance.media.units import AccessUnit, AudioFormat, AudioUnit, Run, VideoFormat
from appliance.sites.probe import ProbeResult
from appliance.sites.source import SourceError, SourceStatistics, Trouble
from tests.media.clips import START, Clip, encode_aac, encode_h264

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from appliance.media.units import Unit

CLIP: Clip = encode_h264(60, fps=25, gop=25)
SMALL: Clip = encode_h264(60, (160, 90), fps=25, gop=25)
SOUND, SOUNDS = encode_aac(3.0)
CLOCK = ManualClock(START)


class TrioClock:
    """Wall-clock time that runs with Trio's."""

    def utc_90k(self) -> int:
        return START + round(trio.current_time() * TICKS_PER_SECOND) % (1 << 40)


def picture(n: int, *, clip: Clip = CLIP, run: Run | None = None, form: VideoFormat | None = None) -> AccessUnit:
    """Picture ``n`` of an endless stream: an IDR every 25, a picture every 40 ms."""
    unit = clip.units[n % 25]
    at = START + n * TICKS_PER_SECOND // 25
    return AccessUnit(unit.data, at, at, n % 25 == 0, n, form or clip.format, run or clip.units[0].run)


def sound(n: int, run: Run | None = None) -> AudioUnit:
    duration = SOUNDS[0].duration
    return AudioUnit(SOUNDS[n % 40].data, START + n * duration, duration, SOUND, run or CLIP.units[0].run)


@dataclass
class ScriptedSource:
    """Gives the batches that are put into ``feed``; an exception among them is raised."""

    feed: trio.MemoryReceiveChannel[list[Unit] | Exception]
    video: VideoFormat | None = CLIP.format
    audio: AudioFormat | None = None
    notes: tuple[str, ...] = ()
    statistics: SourceStatistics = field(default_factory=SourceStatistics)

    async def receive(self) -> list[Unit]:
        batch = await self.feed.receive()
        if isinstance(batch, Exception):
            raise batch
        return batch


class Camera:
    """A scripted camera: `give` units, `fail`, count how often it was opened."""

    def __init__(self, name: str = "main") -> None:
        self.name = name
        self.opened = 0
        self.open_now = 0
        self.refuse: SourceError | None = None
        self._send: trio.MemorySendChannel[list[Unit] | Exception] | None = None

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[ScriptedSource]:
        self.opened += 1
        await trio.lowlevel.checkpoint()
        if self.refuse is not None:
            raise self.refuse
        self._send, receive = trio.open_memory_channel[list["Unit"] | Exception](1000)
        self.open_now += 1
        try:
            yield ScriptedSource(receive)
        finally:
            self.open_now -= 1

    async def give(self, *units: Unit) -> None:
        """Hand over the units and wait until everybody has dealt with them."""
        assert self._send is not None
        self._send.send_nowait(list(units))
        await trio.testing.wait_all_tasks_blocked(0.0)

    async def fail(self, error: Exception | None = None) -> None:
        assert self._send is not None
        self._send.send_nowait(error or SourceError(Trouble.CAMERA_LOST, "The camera hung up."))
        await trio.testing.wait_all_tasks_blocked(0.0)


def config(ident: str, name: str) -> SimpleNamespace:
    """A stream as the camera book gives it."""
    return SimpleNamespace(id=ident, name=name)


def camera(*names: str, ident: str = "cam") -> SimpleNamespace:
    return SimpleNamespace(id=ident, name="Gate", streams=tuple(config(f"{ident}-{name}", name) for name in names))


class Openers:
    """Scripted cameras by stream id."""

    def __init__(self) -> None:
        self.cameras: dict[str, Camera] = {}
        self.looks: list[str] = []
        self.probes: list[str] = []
        self.probed = ProbeResult((), None, None, (), (), None)
        self.seen: dict[str, tuple[VideoFormat | None, AudioFormat | None] | SourceError] = {}

    def opener(self, stream: SimpleNamespace) -> Camera:
        return self.cameras.setdefault(stream.id, Camera(stream.name))

    async def probe(self, stream: SimpleNamespace, *, within_s: float = 0.0) -> ProbeResult:
        await trio.lowlevel.checkpoint()
        self.probes.append(stream.url)
        return self.probed

    async def look(self, stream: SimpleNamespace) -> tuple[VideoFormat | None, AudioFormat | None]:
        await trio.lowlevel.checkpoint()
        self.looks.append(stream.id)
        answer = self.seen.get(stream.id, (None, None))
        if isinstance(answer, SourceError):
            raise answer
        return answer


def numbers(messages: list[bytes]) -> list[int]:
    """The numbers of the pictures in fragments, by their decoding time."""
    samples = [sample for message in messages for sample in read_samples(message[message.find(b"moof") - 4 :])]
    return [round((sample.dts / TICKS_PER_SECOND - 1) * 25) for sample in samples if not sample.is_audio]
