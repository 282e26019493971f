"""The demo camera: made once, looped for ever, in step with the clock."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
import trio

from appliance.base.clock import TICKS_PER_SECOND, ManualClock, SystemClock
from appliance.base.faults import Fault
from appliance.media.fmp4 import Muxer, init_segment
from appliance.media.units import AccessUnit, AudioUnit
from appliance.sites import demo
from appliance.sites.demo import DemoCamera
from appliance.sites.loop import Loop, LoopSource, LoopUnit
from appliance.workers.pool import open_pool
from tests.media.clips import encode_aac, encode_h264

if TYPE_CHECKING:
    from pathlib import Path


def small_loop() -> Loop:
    clip, (form, sounds) = encode_h264(50, fps=25, gop=25), encode_aac(2.0)
    units = [LoopUnit(n * 3600, 3600, unit.data, unit.is_idr, False) for n, unit in enumerate(clip.units)]
    units += [LoopUnit(n * 5760, 5760, sound.data, True, True) for n, sound in enumerate(sounds) if n * 5760 < 180_000]
    return Loop(clip.format, form, tuple(sorted(units, key=lambda unit: unit.at)), 2 * TICKS_PER_SECOND)


class TrioClock:
    """Wall-clock time that runs with Trio's, so that a test's time passes by itself."""

    def __init__(self) -> None:
        self.offset = 1_700_000_000.0 - trio.current_time()

    def utc_90k(self) -> int:
        return round((trio.current_time() + self.offset) * TICKS_PER_SECOND)


async def test_it_begins_with_a_key_frame_and_goes_on_over_the_seam(autojump_clock) -> None:
    source = LoopSource(small_loop(), TrioClock())
    units: list[AccessUnit | AudioUnit] = []
    with trio.move_on_after(7):
        while True:
            units += await source.receive()
    pictures = [unit for unit in units if isinstance(unit, AccessUnit)]
    assert pictures[0].is_idr
    assert {b.pts - a.pts for a, b in pairwise(pictures)} == {3600}
    assert [unit.seq for unit in pictures] == list(range(1, len(pictures) + 1))
    assert len(pictures) >= 7 * 25
    assert len({unit.run for unit in units}) == 1
    sounds = [unit for unit in units if isinstance(unit, AudioUnit)]
    assert abs(sounds[-1].pts - pictures[-1].pts) < TICKS_PER_SECOND // 5


async def test_the_first_pictures_come_at_once_up_to_now() -> None:
    clock = ManualClock(1_700_000_000 * TICKS_PER_SECOND + TICKS_PER_SECOND * 3 // 2)
    source = LoopSource(small_loop(), clock)
    units = await source.receive()
    pictures = [unit for unit in units if isinstance(unit, AccessUnit)]
    assert pictures[0].is_idr
    assert 0 <= clock.utc_90k() - pictures[-1].pts < 3600
    assert clock.utc_90k() - pictures[0].pts <= TICKS_PER_SECOND


async def test_a_clock_that_jumps_starts_a_new_run() -> None:
    clock = ManualClock()
    source = LoopSource(small_loop(), clock)
    first = (await source.receive())[-1]
    clock.advance(3600)
    later = await source.receive()
    assert later[0].run is not first.run
    assert clock.utc_90k() - later[-1].pts < TICKS_PER_SECOND


async def test_the_clip_is_made_once_and_loaded_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "FPS", 5)  # whoever starts the product makes all pictures
    async with open_pool(1) as pool:
        await DemoCamera(tmp_path / "demo", pool, SystemClock()).prepare()
        files = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "demo").iterdir()}
        assert sorted(files) == ["demo-3-main.mp4", "demo-3-sub.mp4"]
        again = DemoCamera(tmp_path / "demo", pool, SystemClock())
        async with again.open("sub") as source:
            assert (source.video.width, source.video.height) == (640, 360)
            assert source.audio is not None
            assert (await source.receive())[0]
        async with again.open("main") as source:
            assert (source.video.width, source.video.height) == (1280, 720)
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "demo").iterdir()} == files


def test_a_clip_cut_off_by_a_crash_is_not_used(tmp_path: Path) -> None:
    clip = encode_h264(30)
    muxer = Muxer(lambda length: b"")
    movie = init_segment(clip.format) + b"".join(muxer.video(unit).message for unit in clip.units)
    for stream in demo.STREAMS:
        (tmp_path / f"demo-3-{stream}.mp4").write_bytes(movie)
    camera = DemoCamera(tmp_path, None, ManualClock())  # type: ignore[arg-type]  # no pool is asked here
    assert camera._load() is None


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    camera = DemoCamera(tmp_path / "file" / "demo", None, ManualClock())  # type: ignore[arg-type]
    with pytest.raises(Fault, match="cannot be written"):
        camera._save(None)  # type: ignore[arg-type]  # fails before it is looked at
