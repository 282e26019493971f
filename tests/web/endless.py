"""Cameras that always have a picture, for tests that are about something else."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import trio

from appliance.base.clock import TICKS_PER_SECOND
from appliance.sites.probe import ProbeResult, probe_source
from appliance.sites.rtsp.steps import Steps
from appliance.sites.source import SourceStatistics
from tests.streams.scripted import CLIP, SMALL, SOUND, SOUNDS, picture, sound

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from appliance.media.units import AudioFormat, Unit, VideoFormat
    from appliance.sites.cameras import StreamConfig


class EndlessSource:
    """A camera that never tires: 25 pictures a second, with sound."""

    notes: tuple[str, ...] = ()

    def __init__(self, name: str) -> None:
        self.statistics = SourceStatistics()
        self._clip = SMALL if name == "sub" else CLIP
        self._began = trio.current_time()
        self._pictures = self._sounds = 0
        self.video: VideoFormat | None = self._clip.format
        self.audio: AudioFormat | None = SOUND

    async def receive(self) -> list[Unit]:
        await trio.sleep_until(self._began + self._pictures / 25)
        units: list[Unit] = [picture(self._pictures, clip=self._clip)]
        self._pictures += 1
        while self._sounds * SOUNDS[0].duration < self._pictures * TICKS_PER_SECOND // 25:
            units.append(sound(self._sounds, self._clip.units[0].run))
            self._sounds += 1
        return units


class EndlessOpeners:
    """Every stream is an `EndlessSource`."""

    def opener(self, stream: StreamConfig) -> Any:
        @asynccontextmanager
        async def open_it() -> AsyncIterator[EndlessSource]:
            await trio.lowlevel.checkpoint()
            yield EndlessSource(stream.name)

        return open_it

    async def look(self, stream: StreamConfig) -> tuple[VideoFormat | None, AudioFormat | None]:
        await trio.lowlevel.checkpoint()
        return (SMALL if stream.name == "sub" else CLIP).format, SOUND

    async def probe(self, stream: StreamConfig, *, within_s: float) -> ProbeResult:
        return await probe_source(self.opener(stream), Steps(trio.current_time), within_s=within_s)
