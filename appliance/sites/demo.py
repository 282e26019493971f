"""The demo camera: needs nothing, shows a running stopwatch, ticks every second.

Its clip is made once, in a worker, kept in the data folder, and looped on a continuous timeline.  Every appliance's
demo stands at the same picture at the same time: the second of the loop is the second of UTC, modulo its length.
"""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import trio

from appliance._native import nal
from appliance.base.clock import TICKS_PER_SECOND
from appliance.base.faults import Fault, Kind
from appliance.media import aac, h264
from appliance.media.fmp4 import Muxer, init_segment
from appliance.media.fmp4_read import Mp4Error, read_formats, read_samples
from appliance.media.units import AccessUnit, AudioUnit, Run
from appliance.sites.loop import Loop, LoopSource, LoopUnit
from appliance.workers.wire import DemoDone, DemoJob
from appliance.workers.wire import Kind as Job

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from appliance.base.clock import Clock
    from appliance.workers.pool import Pool

log = logging.getLogger(__name__)

SECONDS, FPS, SAMPLE_RATE = 20, 25, 32_000
#: Streams by name: width, height, bit/s.
STREAMS = {"main": (1280, 720, 1_500_000), "sub": (640, 360, 400_000)}
#: Making the clip takes some seconds on a small machine; a stuck one is given up.
PATIENCE_S = 300.0
_VERSION = 3  # of the clip: a newer one is made anew


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
    async def open(self, stream: str) -> AsyncIterator[LoopSource]:
        """The stream ``main`` or ``sub`` as a source."""
        await self.prepare()
        yield LoopSource(self._loops[stream], self._clock)

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
    return Loop(video, audio, units, SECONDS * TICKS_PER_SECOND)


def _no_framing(_length: int) -> bytes:
    return b""
