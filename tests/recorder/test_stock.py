"""What has been recorded, in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio

from appliance.base.clock import TICKS_PER_SECOND as S
from appliance.base.clock import ManualClock
from appliance.base.faults import Fault
from appliance.recorder.stock import Stock
from tests.recorder.made import endless, make_recording, open_index
from tests.recorder.studio import CLIP, CONTINUOUS, GATE, QUAY, START, camera, open_studio

if TYPE_CHECKING:
    from pathlib import Path

    from trio.testing import MockClock


async def test_of_which_cameras_how_much_from_when_and_how_fast(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    for camera_id, stream, start_s, seconds in (
        (GATE, "main", 0, 130),
        (GATE, "sub", 40, 60),
        (QUAY, "main", -5000, 130),
    ):
        units = endless(CLIP, START + start_s * S, seconds)
        make_recording(tmp_path, units, camera_id=camera_id, stream=stream, index=index)
    sizes = {
        camera_id: sum(path.stat().st_size for path in (tmp_path / "recordings" / camera_id).rglob("*.mp4"))
        for camera_id in (GATE, QUAY)
    }
    clock = ManualClock(START + 200 * S)
    figures = await Stock(index, clock).figures()
    gate, quay = figures.cameras
    assert (gate.camera_id, gate.oldest, gate.newest, gate.bytes) == (GATE, START, START + 130 * S, sizes[GATE])
    assert gate.bytes_per_second == pytest.approx(sizes[GATE] / 200, rel=0.01)  # since it began
    assert (quay.oldest, quay.bytes, quay.bytes_per_second) == (START - 5000 * S, sizes[QUAY], 0)
    assert 0 < figures.free < figures.disk
    clock.now = START + 660 * S  # of what lies ten minutes back half is out of it
    gate, _ = (await Stock(index, clock).figures()).cameras
    whole = sizes[GATE] * S / (600 * S)
    assert 0.4 * whole < gate.bytes_per_second < 0.8 * whole
    index.database.close()


async def test_what_is_being_written_counts_and_those_who_have_none_are_told(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    told: list[str] = []
    async with open_studio(tmp_path, camera(GATE, CONTINUOUS), camera(QUAY, CONTINUOUS)) as studio:
        stock = Stock(studio.recorder.index, studio.clock)
        assert (await stock.figures()).cameras == ()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stock.run, told.append)
            await studio.send(f"{GATE}-main", studio.pictures(20))
            (gate,) = (await stock.figures()).cameras
            (file,) = studio.recorder.index.growing
            assert gate.bytes == file.file.size > 0
            assert gate.newest - gate.oldest > 15 * S
            await trio.sleep(10)
            assert (stock.kept, told) == ({GATE}, [GATE])
            await trio.sleep(10)
            assert told == [GATE]
            nursery.cancel_scope.cancel()


async def test_a_disk_that_cannot_be_looked_at_is_a_fault(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    index.root = tmp_path / "nowhere"
    with pytest.raises(Fault):
        await Stock(index, ManualClock()).figures()
    index.database.close()
