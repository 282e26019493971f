"""Recordings made without a server: real coded clips through the recorder's own cutter and writer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.base.clock import TICKS_PER_SECOND, Clock, ManualClock
from appliance.media.fmp4 import Muxer
from appliance.media.units import AccessUnit, AudioUnit, Run
from appliance.recorder.cutting import Cutter, Item
from appliance.recorder.database import NAME, Database
from appliance.recorder.files import FOLDER, MAIN
from appliance.recorder.index import Index
from appliance.recorder.writing import Writer
from appliance.store.folder import make_private_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from appliance.media.units import Unit
    from tests.media.clips import Clip


def open_index(folder: Path) -> Index:
    """The index of a data folder; ``index.database.close()`` when done."""
    root = folder / FOLDER
    make_private_folder(root)
    return Index(root, Database(root / NAME))


def items_of(units: Iterable[Unit]) -> Iterator[Item]:
    """What a hub would give of these units."""
    muxer = Muxer(lambda length: b"\x82\x7e")
    video = audio = run = None
    for unit in units:
        if isinstance(unit, AccessUnit):
            if unit.run is not run:
                audio, run = None, unit.run
            video = unit.format
            yield Item(muxer.video(unit), video, audio)
        elif video is not None and unit.run is run:
            audio = unit.format
            yield Item(muxer.audio(unit), video, audio)


def make_recording(
    folder: Path,
    units: Iterable[Unit],
    *,
    camera_id: str = "11111111-2222-4333-8444-555555555555",
    stream: str = MAIN,
    index: Index | None = None,
    clock: Clock | None = None,
) -> None:
    """Record units, in the order of their arrival, into a data folder: files and index."""
    used = index or open_index(folder)
    writer = Writer(used, clock or ManualClock(), camera_id, stream)
    cutter = Cutter()
    for part in cutter.take(items_of(units), final=True):
        assert writer.write(part)
    if index is None:
        used.database.close()


def endless(
    clip: Clip, start: int, seconds: float, *, fps: int = 25, sounds: Sequence[AudioUnit] = (), run: Run | None = None
) -> Iterator[Unit]:
    """A clip over and over, from ``start`` on; it has to begin with an IDR picture.  With sound, in order of time."""
    run = run or Run(start - TICKS_PER_SECOND)
    first, tick = clip.units[0], TICKS_PER_SECOND // fps
    heard = 0
    for n in range(round(seconds * fps)):
        unit = clip.units[n % len(clip.units)]
        shift = start - first.pts + n // len(clip.units) * len(clip.units) * tick
        yield AccessUnit(
            unit.data, unit.pts + shift, unit.dts + shift, unit.is_idr, n, unit.format, run, unit.leading
        )  # fmt: skip
        while sounds and heard * sounds[0].duration <= n * tick:
            sound = sounds[heard % len(sounds)]
            yield AudioUnit(sound.data, start + heard * sound.duration, sound.duration, sound.format, run)
            heard += 1
