"""The demo camera: needs nothing, shows a running stopwatch, ticks every second.

Its clip is made once, in a worker, kept in the data folder, and looped on a continuous timeline.  Every appliance's
demo stands at the same picture at the same time: the second of the loop is the second of UTC, modulo its length.
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import trio

from appliance._native import nal
from appliance.base.clock import TICKS_PER_SECOND
from appliance.base.faults import Fault, Kind
from appliance.media import aac, h264
from appliance.media.fmp4 import Muxer, init_segment
from appliance.media.fmp4_read import Mp4Error, read_formats, read_samples
from appliance.media.units import AccessUnit, AudioFormat, AudioUnit, Run, VideoFormat
from appliance.sites.source import SourceStatistics
from appliance.workers.wire import DemoDone, DemoJob
from appliance.workers.wire import Kind as Job

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from appliance.base.clock import Clock
    from appliance.media.units import Unit
    from appliance.workers.pool import Pool

log = logging.getLogger(__name__)

SECONDS, FPS, SAMPLE_RATE = 20, 25, 32_000
#: Streams by name: width, height, bit/s.
STREAMS = {"main": (1280, 720, 1_500_000), "sub": (640, 360, 400_000)}
#: Making the clip takes a quarter of a minute on a small machine; a stuck one is given up.
PATIENCE_S = 300.0
#: Further from its place than this, the loop begins anew at now.
ASTRAY_S = 5.0
_VERSION = 2  # of the clip: a newer one is made anew


@dataclass(frozen=True, slots=True)
class LoopUnit:
    """One unit of the loop; ``at`` is its place in it, in ticks."""

    at: int
    duration: int
    data: bytes
    is_idr: bool
    is_audio: bool


@dataclass(frozen=True)
class Loop:
    """A clip whose end joins its beginning."""

    video: VideoFormat
    audio: AudioFormat | None
    units: tuple[LoopUnit, ...]
    length: int  # ticks

    def start_before(self, place: int) -> int:
        """Index of the last unit at or before ``place`` where decoding can start."""
        index = bisect_right([unit.at for unit in self.units], place) - 1
        while index > 0 and not (self.units[index].is_idr and not self.units[index].is_audio):
            index -= 1
        return max(index, 0)


class DemoCamera:
    """Keeps the clips; `prepare` once, then `open` as often as wanted."""

    def __init__(self, folder: Path, pool: Pool, clock: Clock) -> None:
        self._folder = folder
        self._pool = pool
        self._clock = clock
        self._loops: dict[str, Loop] = {}
        self._preparing = trio.Lock()

    async def prepare(self) -> None:
        """Load the clips, making them first where they are missing or damaged.  Raises `Fault`."""
        async with self._preparing:
            if self._loops:
                return
            loops = await trio.to_thread.run_sync(self._load)
            if loops is None:
                log.info("making the demo camera's clip")
                job = DemoJob(SECONDS, FPS, list(STREAMS.values()), SAMPLE_RATE)
                made = await self._pool.run(Job.DEMO, job, DemoDone, patience_s=PATIENCE_S)
                loops = await trio.to_thread.run_sync(self._save, made)
            self._loops = loops

    @asynccontextmanager
    async def open(self, stream: str) -> AsyncIterator[DemoSource]:
        """The stream ``main`` or ``sub`` as a source."""
        await self.prepare()
        yield DemoSource(self._loops[stream], self._clock)

    def _path(self, stream: str) -> Path:
        return self._folder / f"demo-{_VERSION}-{stream}.mp4"

    def _load(self) -> dict[str, Loop] | None:
        loops = {}
        for stream in STREAMS:
            try:
                loops[stream] = _loop(self._path(stream).read_bytes())
            except FileNotFoundError:
                return None
            except (OSError, Mp4Error) as error:
                log.warning("the demo camera's clip cannot be used and is made anew: %s", error)
                return None
        return loops

    def _save(self, made: DemoDone) -> dict[str, Loop]:
        loops = {}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for number, stream in enumerate(STREAMS):
                movie = _movie(made, number)
                part = self._path(stream).with_suffix(".part")
                part.write_bytes(movie)
                part.replace(self._path(stream))
                loops[stream] = _loop(movie)
        except OSError as error:
            raise Fault(
                Kind.UNAVAILABLE,
                "data_folder",
                f"The demo camera's clip cannot be written to {self._folder}: {error.strerror}.",
                "Free some space, or choose another data folder with --data.",
            ) from error
        return loops


class DemoSource:
    """An open demo stream; begins with the group of pictures that stands at now."""

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
                units.append(self._take())
        return units

    def _due(self) -> int:
        return self._round + self._loop.units[self._next].at

    def _take(self) -> Unit:
        unit, at = self._loop.units[self._next], self._due()
        self._next += 1
        if self._next == len(self._loop.units):
            self._next, self._round = 0, self._round + self._loop.length
        self.statistics.bytes_received += len(unit.data)
        self.statistics.packets_received += 1
        if unit.is_audio:
            assert self._loop.audio is not None
            return AudioUnit(unit.data, at, unit.duration, self._loop.audio, self._run)
        self._seq += 1
        return AccessUnit(unit.data, at, at, unit.is_idr, self._seq, self._loop.video, self._run)


def _movie(made: DemoDone, number: int) -> bytes:
    """The clip of one stream as a file: the form of our own recordings."""
    tick = TICKS_PER_SECOND // FPS
    run = Run(0, "made")
    sets: dict[int, list[bytes]] = {h264.SPS: [], h264.PPS: []}
    pictures: list[tuple[int, bytes, bool]] = []
    for picture in made.pictures[number]:
        kept = []
        for start, end in nal.find_nals(picture.data):
            unit = picture.data[start:end]
            kind = unit[0] & 0x1F
            if kind in sets:
                if unit not in sets[kind]:
                    sets[kind].append(unit)
            elif kind in (h264.SLICE, h264.IDR_SLICE):
                kept.append(len(unit).to_bytes(4, "big") + unit)
        pictures.append((picture.pts * tick, b"".join(kept), picture.is_key))
    video = h264.video_format(sets[h264.SPS], sets[h264.PPS])
    audio = aac.audio_format(made.sound_config)
    muxer = Muxer(_no_framing)
    samples = audio.samples_per_unit
    fragments = [
        muxer.video(AccessUnit(data, at, at, is_key, seq, video, run))
        for seq, (at, data, is_key) in enumerate(pictures)
    ]
    for n, data in enumerate(made.sound):
        at = n * samples * TICKS_PER_SECOND // audio.sample_rate
        until = (n + 1) * samples * TICKS_PER_SECOND // audio.sample_rate
        fragments.append(muxer.audio(AudioUnit(data, at, until - at, audio, run)))
    fragments.sort(key=lambda fragment: fragment.dts)
    return init_segment(video, audio) + b"".join(fragment.message for fragment in fragments)


def _loop(movie: bytes) -> Loop:
    video, audio = read_formats(movie)
    units = [
        LoopUnit(sample.dts, sample.duration, movie[sample.start : sample.end], sample.is_sync, sample.is_audio)
        for sample in read_samples(movie)
    ]
    if len(units) < SECONDS * FPS:
        raise Mp4Error("the file is cut off")
    return Loop(video, audio, tuple(units), SECONDS * TICKS_PER_SECOND)


def _no_framing(_length: int) -> bytes:
    return b""
