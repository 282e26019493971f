"""Room is made by deleting the oldest recordings, and only those."""

from __future__ import annotations

from collections import namedtuple
from typing import TYPE_CHECKING, Any

import pytest

from appliance.base.clock import TICKS_PER_SECOND as S
from appliance.base.clock import ManualClock
from appliance.base.faults import Fault, Kind
from appliance.media.recording_rules import GB, RecordingMode, RecordingRules
from appliance.recorder import retention, upkeep
from appliance.recorder.files import Span
from appliance.recorder.retention import CALM_S, DAY_S, Limits, Retention
from tests.recorder.made import endless, make_recording, open_index
from tests.recorder.studio import CLIP, GATE, QUAY, START

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from trio.testing import MockClock

    from appliance.recorder.index import Index

Usage = namedtuple("Usage", "total used free")


class Disk:
    """A double of what the disk has free."""

    def __init__(self) -> None:
        self.free, self.total = 1 << 40, 2 << 40

    def __call__(self, _: Path) -> Usage:
        return Usage(self.total, 0, self.free)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    found = Disk()
    monkeypatch.setattr(retention, "disk_usage", found)
    return found


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    found = open_index(tmp_path)
    yield found
    found.database.close()


def record(folder: Path, index: Index, camera: str, *days: float, stream: str = "main") -> None:
    """Ten seconds on each of these days."""
    for day in days:
        at = START + round(day * DAY_S * S)
        make_recording(
            folder, endless(CLIP, at, 10), camera_id=camera, stream=stream, index=index, clock=ManualClock(at)
        )


def left(index: Index, camera: str, stream: str = "main") -> list[float]:
    """The days of which there are recordings; the index and the disk agree."""
    files = index.files(camera, stream, 0, 1 << 62)
    folder = index.root / camera / stream
    assert sorted(path.name for path in folder.glob("*")) == [file.path.name for file in files]
    spans = index.sequences(camera, stream, 0, 1 << 62)[0]
    assert [span.start for span in spans] == [file.start for file in files]
    assert upkeep.doomed(index, 9) == []
    assert {each.name: each.bytes for each in index.streams() if each.camera_id == camera}[stream] == sum(
        file.size for file in files
    )
    return [round((file.start - START) / S / DAY_S, 1) for file in files]


def made(index: Index, clock: ManualClock, limits: Limits, **more: Any) -> Retention:
    return Retention(index, clock, lambda: limits, **more)


def limits(days: int = 3650, most: int | None = None, free: int = 0, **cameras: RecordingRules) -> Limits:
    known = {"gate": GATE, "quay": QUAY}
    return Limits(days, most, free, {known[name]: rules for name, rules in cameras.items()})


async def test_what_is_older_than_its_days_goes(
    mock_clock: MockClock, tmp_path: Path, index: Index, disk: Disk
) -> None:
    record(tmp_path, index, GATE, 0, 1, 2, 3)
    record(tmp_path, index, QUAY, 0, 1, 2, 3)
    clock = ManualClock(START + round(3.5 * DAY_S) * S)
    own = RecordingRules(RecordingMode.CONTINUOUS, retention_days=1)
    await made(index, clock, limits(2, gate=own, quay=RecordingRules())).make_room()
    assert (left(index, GATE), left(index, QUAY)) == ([3], [2, 3])
    # the camera is gone: what it left is kept as the settings say
    await made(index, clock, limits(1)).make_room()
    assert (left(index, GATE), left(index, QUAY)) == ([3], [3])


async def test_the_oldest_goes_for_bytes_of_a_camera_of_all_and_of_the_disk(
    mock_clock: MockClock, tmp_path: Path, index: Index, disk: Disk
) -> None:
    record(tmp_path, index, GATE, 0, 2, 4, 6)
    record(tmp_path, index, QUAY, 1, 3, 5, 7)
    clock = ManualClock(START)
    size = index.files(GATE, "main", 0, 1 << 62)[0].size
    own = RecordingRules(RecordingMode.CONTINUOUS, max_gb=3.5 * size / GB)
    await made(index, clock, limits(gate=own)).make_room()
    assert (left(index, GATE), left(index, QUAY)) == ([2, 4, 6], [1, 3, 5, 7])
    await made(index, clock, limits(most=round(5.5 * size))).make_room()
    assert (left(index, GATE), left(index, QUAY)) == ([4, 6], [3, 5, 7])
    disk.free = 100_000
    await made(index, clock, limits(free=100_000 + size + 1)).make_room()
    assert (left(index, GATE), left(index, QUAY)) == ([6], [5, 7])
    disk.free, disk.total = 0, 5 * size  # a small disk: a fifth of it is left free
    await made(index, clock, limits(free=5 * GB)).make_room()
    assert (left(index, GATE), left(index, QUAY)) == ([6], [7])


async def test_what_is_held_or_being_written_stays(
    mock_clock: MockClock, tmp_path: Path, index: Index, disk: Disk
) -> None:
    record(tmp_path, index, GATE, 0, 1, 2)
    begun = START + 3 * DAY_S * S
    growing = index.begin(GATE, "main", zero=begun, start=begun, init=b"init", arrived=0)
    held = {GATE: [Span(START + DAY_S * S + 5 * S, START + DAY_S * S + 6 * S)]}
    keeper = made(index, ManualClock(START), limits(most=0), held=lambda: held)
    await keeper.make_room()
    assert [file.start for file in index.files(GATE, "main", 0, 1 << 62)] == [START + DAY_S * S]
    index.forget(growing)
    held.clear()
    await keeper.make_room()
    assert left(index, GATE) == []


async def test_a_sequence_loses_its_beginning_file_by_file(tmp_path: Path, index: Index, disk: Disk) -> None:
    make_recording(tmp_path, endless(CLIP, START, 200), camera_id=GATE, index=index)
    oldest = upkeep.oldest(index, 1, -1, 9)
    upkeep.doom(index, oldest[:1])
    assert index.sequences(GATE, "main", 0, 1 << 62)[0] == [Span(START + 60 * S, START + 200 * S)]
    upkeep.doom(index, oldest[2:3])
    assert index.sequences(GATE, "main", 0, 1 << 62)[0] == [
        Span(START + 60 * S, START + 120 * S),
        Span(START + 180 * S, START + 200 * S),
    ]
    upkeep.doom(index, [oldest[1], oldest[3]])
    assert index.sequences(GATE, "main", 0, 1 << 62)[0] == []


async def test_a_crash_between_index_and_disk_leaves_no_file_behind(tmp_path: Path, index: Index, disk: Disk) -> None:
    record(tmp_path, index, GATE, 0, 1)
    upkeep.doom(index, upkeep.oldest(index, 1, -1, 1))  # and then the power failed
    await made(index, ManualClock(START), limits()).make_room()
    assert left(index, GATE) == [1]


async def test_f6_room_is_made_even_if_the_index_has_none_to_say_so(
    tmp_path: Path, index: Index, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(tmp_path, index, GATE, 0, 1)
    doom = upkeep.doom

    def full(index: Index, rows: Any) -> None:
        if len(list((index.root / GATE / "main").iterdir())) == 2:
            raise Fault(Kind.UNAVAILABLE, "disk_full", "There is no room left.")
        doom(index, rows)

    monkeypatch.setattr(upkeep, "doom", full)
    disk.free = 0
    await made(index, ManualClock(START), limits(free=1)).make_room()
    assert left(index, GATE) == [1]


async def test_a21_a_clock_that_jumps_years_ahead_deletes_nothing(
    mock_clock: MockClock, tmp_path: Path, index: Index, disk: Disk
) -> None:
    record(tmp_path, index, GATE, 0)
    clock = ManualClock(START)
    keeper = made(index, clock, limits(2))
    await keeper.make_room()
    clock.advance(400 * DAY_S)
    for _ in range(50):
        mock_clock.jump(CALM_S / 60)
        clock.advance(CALM_S / 60)
        await keeper.make_room()
    assert left(index, GATE) == [0]
    clock.advance(-400 * DAY_S)  # somebody put it right
    for _ in range(100):
        mock_clock.jump(CALM_S / 60)
        clock.advance(CALM_S / 60)
        await keeper.make_room()
    assert left(index, GATE) == [0]
    clock.advance(3 * DAY_S)  # or it was right
    for _ in range(100):
        mock_clock.jump(CALM_S / 60)
        clock.advance(CALM_S / 60)
        await keeper.make_room()
    assert left(index, GATE) == []
