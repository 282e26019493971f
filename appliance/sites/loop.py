"""Playing a clip for ever, on a continuous timeline: the demo camera, and movies of this machine.

Everybody who plays a clip stands at the same picture at the same time: the place in it is UTC, modulo its length.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import trio

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.units import AccessUnit, AudioUnit, Run
from appliance.sites.source import SourceStatistics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from appliance.base.clock import Clock
    from appliance.media.units import AudioFormat, Unit, VideoFormat

#: Further from its place than this, the loop begins anew at now.
ASTRAY_S = 5.0


class Place(Protocol):
    """One unit's place in a loop, in ticks: when it is decoded, and how much later it is shown."""

    @property
    def at(self) -> int: ...
    @property
    def lead(self) -> int: ...
    @property
    def duration(self) -> int: ...
    @property
    def is_idr(self) -> bool: ...
    @property
    def is_audio(self) -> bool: ...


class Places(Protocol):
    """All of them, by ``at``."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Place: ...


@dataclass(frozen=True, slots=True)
class LoopUnit:
    """A place, and the unit that stands there."""

    at: int
    duration: int
    data: bytes
    is_idr: bool
    is_audio: bool
    lead: int = 0


class Loop:
    """A clip whose end joins its beginning.  ``fetch`` gives the data of one unit; without it they hold it themselves.

    ``ats``: their places once more, where there is a list of them already.
    """

    def __init__(
        self,
        video: VideoFormat,
        audio: AudioFormat | None,
        units: Places,
        length: int,
        fetch: Callable[[int], Awaitable[bytes]] | None = None,
        ats: Sequence[int] | None = None,
    ) -> None:
        self.video = video
        self.audio = audio
        self.units = units
        self.length = length  # ticks
        self._fetch = fetch
        self._ats = [units[n].at for n in range(len(units))] if ats is None else ats

    async def data(self, index: int) -> bytes:
        if self._fetch is not None:
            return await self._fetch(index)
        unit = self.units[index]
        assert isinstance(unit, LoopUnit)
        return unit.data

    def start_before(self, place: int) -> int:
        """Index of the last unit at or before ``place`` where decoding can start."""
        index = bisect_right(self._ats, place) - 1
        while index > 0 and not (self.units[index].is_idr and not self.units[index].is_audio):
            index -= 1
        return max(index, 0)


class LoopSource:
    """An open loop; begins with the group of pictures that stands at now."""

    notes: tuple[str, ...] = ()

    def __init__(self, loop: Loop, clock: Clock) -> None:
        self._loop = loop
        self._clock = clock
        self.statistics = SourceStatistics()
        self._seq = 0
        self._start()

    def _start(self) -> None:
        now = self._clock.utc_90k()
        self._round = now - now % self._loop.length  # when the round began that is being played
        self._next = self._loop.start_before(now % self._loop.length)
        self._run = Run(self._due() - TICKS_PER_SECOND, "made")

    @property
    def video(self) -> VideoFormat:
        return self._loop.video

    @property
    def audio(self) -> AudioFormat | None:
        return self._loop.audio

    async def receive(self) -> list[Unit]:
        """The units whose time has come; waits for the next one."""
        units: list[Unit] = []
        while not units:
            wait = (self._due() - self._clock.utc_90k()) / TICKS_PER_SECOND
            if abs(wait) > ASTRAY_S:
                self._start()  # the machine's clock jumped, or it slept
                continue
            await trio.sleep(max(0.0, min(wait, 1.0)))
            now = self._clock.utc_90k()
            while self._due() <= now:
                units.append(self._take(await self._loop.data(self._next)))
        return units

    def _due(self) -> int:
        return self._round + self._loop.units[self._next].at

    def _take(self, data: bytes) -> Unit:
        unit, at = self._loop.units[self._next], self._due()
        self._next += 1
        if self._next == len(self._loop.units):
            self._next, self._round = 0, self._round + self._loop.length
        self.statistics.bytes_received += len(data)
        self.statistics.packets_received += 1
        if unit.is_audio:
            assert self._loop.audio is not None
            return AudioUnit(data, at + unit.lead, unit.duration, self._loop.audio, self._run)
        self._seq += 1
        return AccessUnit(data, at + unit.lead, at, unit.is_idr, self._seq, self._loop.video, self._run)
