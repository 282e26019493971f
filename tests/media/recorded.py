"""Recorded files for tests: real clips in fragments, cut as the recorder cuts them, and tables of files nobody has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from appliance._native.fmp4 import OVERHEAD
from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.axis import Part
from appliance.media.fmp4 import Muxer, init_segment
from appliance.media.fmp4_read import read_samples
from appliance.media.sample_table import AUDIO, SYNC, Sample, SampleTable
from appliance.media.units import AccessUnit, AudioFormat, AudioUnit, Run, VideoFormat

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.media.clips import Clip


@dataclass(frozen=True)
class Recorded:
    """A file: what is in it, and what is known of it."""

    part: Part
    content: bytes

    def write(self, path: Path) -> Path:
        path.write_bytes(self.content)
        return path


def moved(clip: Clip, sound: Sequence[AudioUnit], by: int) -> tuple[list[AccessUnit], list[AudioUnit]]:
    """The same so many ticks later."""
    run = Run(0)
    pictures = [
        AccessUnit(u.data, u.pts + by, u.dts + by, u.is_idr, u.seq, u.format, run, u.leading) for u in clip.units
    ]
    return pictures, [AudioUnit(u.data, u.pts + by, u.duration, u.format, run) for u in sound]


def record(pictures: Sequence[AccessUnit], sound: Sequence[AudioUnit] = ()) -> Recorded:
    """One file of these, in the order of decoding times."""
    zero = pictures[0].dts
    muxer = Muxer(lambda _: b"")
    run = Run(zero)
    units: list[AccessUnit | AudioUnit] = [
        *(AccessUnit(u.data, u.pts, u.dts, u.is_idr, u.seq, u.format, run, u.leading) for u in pictures),
        *(AudioUnit(u.data, u.pts, u.duration, u.format, run) for u in sound if u.pts >= zero),
    ]
    units.sort(key=lambda unit: unit.dts if isinstance(unit, AccessUnit) else unit.pts)
    audio = sound[0].format if sound else None
    content = init_segment(pictures[0].format, audio)
    for unit in units:
        fragment = muxer.video(unit) if isinstance(unit, AccessUnit) else muxer.audio(unit)
        content += fragment.message
    return Recorded(Part(zero, table_of(content), pictures[0].format, audio), content)


def table_of(content: bytes) -> SampleTable:
    """The table of a file, box by box, up to its last whole fragment.

    What leads a key picture is known by its time: it is shown before it.
    """
    samples: list[Sample] = []
    init_size = key_pts = 0
    for found in read_samples(content):
        init_size = init_size or found.start - OVERHEAD
        pts = found.dts + found.composition
        if not found.is_audio and found.is_sync:
            key_pts = pts
        leading = not found.is_audio and not found.is_sync and pts < key_pts
        size = found.end - found.start
        samples.append(
            Sample(found.dts, found.duration, found.composition, size, found.is_audio, found.is_sync, leading)
        )
    return SampleTable.of(init_size, samples)


def record_in_files(
    pictures: Sequence[AccessUnit], sound: Sequence[AudioUnit] = (), *, every: int = 2
) -> list[Recorded]:
    """The same cut into files at each ``every``-th picture at which decoding can start."""
    keys = [n for n, unit in enumerate(pictures) if unit.is_idr][::every]
    files = []
    for first, last in zip(keys, [*keys[1:], len(pictures)], strict=True):
        group = pictures[first:last]
        end = pictures[last].dts if last < len(pictures) else 1 << 62
        heard = [unit for unit in sound if group[0].dts <= unit.pts < end]
        files.append(record(group, heard))
    return files


def long_parts(
    hours: float,
    video: VideoFormat,
    audio: AudioFormat | None,
    *,
    bitrate: int = 4_000_000,
    fps: int = 25,
    start: int = 1_790_000_000 * TICKS_PER_SECOND,
) -> list[Part]:
    """Tables of files of a minute each, as a camera of this rate gives them; there are no such files."""
    rng = np.random.default_rng(3)
    step = TICKS_PER_SECOND // fps
    parts = []
    heard = 0
    for minute in range(round(hours * 60)):
        zero = start + minute * 60 * TICKS_PER_SECOND
        dts = np.arange(60 * fps) * step
        size = rng.normal(bitrate / 8 / fps, bitrate / 8 / fps / 5, len(dts)).astype(np.int64)
        flags = np.where(np.arange(len(dts)) % (2 * fps) == 0, SYNC, 0).astype(np.uint8)
        duration = np.full(len(dts), step)
        if audio is not None:
            unit = audio.samples_per_unit * TICKS_PER_SECOND / audio.sample_rate
            count = int(60 * (minute + 1) * TICKS_PER_SECOND / unit) - heard
            times = ((heard + np.arange(count)) * unit).astype(np.int64) - minute * 60 * TICKS_PER_SECOND
            heard += count
            dts, size = np.concatenate((dts, times)), np.concatenate((size, rng.integers(200, 400, count)))
            flags = np.concatenate((flags, np.full(count, AUDIO | SYNC, np.uint8)))
            duration = np.concatenate((duration, np.full(count, int(unit))))
            order = np.argsort(dts, kind="stable")
            dts, size, flags, duration = dts[order], size[order], flags[order], duration[order]
        table = SampleTable(1000, flags, dts, duration, np.zeros(len(dts), np.int64), np.maximum(size, 50))
        parts.append(Part(zero, table, video, audio))
    return parts
