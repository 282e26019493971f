"""What is recorded, when, and what is said of it.  Trio's time runs faster here."""

from __future__ import annotations

import threading
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
import trio
from trio.testing import MockClock

from appliance.base.clock import TICKS_PER_SECOND as S
from appliance.media.recording_rules import NOT_RECORDED
from appliance.recorder.files import Span
from appliance.recorder.memory import Memory
from appliance.recorder.recorder import LAST_S
from appliance.recorder.stream import StreamRecorder
from appliance.recorder.writing import Writer
from tests.media.clips import encode_aac
from tests.recorder.made import open_index
from tests.recorder.studio import CLIP, CONTINUOUS, EVENT, GATE, QUAY, camera, open_studio

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


EVER = (0, 1 << 62)
_, SOUNDS = encode_aac(2.0)


@pytest.fixture
def mock_clock() -> MockClock:
    return MockClock(rate=20.0)


async def test_what_comes_is_recorded_and_can_be_read_seconds_later(mock_clock: MockClock, tmp_path: Path) -> None:
    async with open_studio(tmp_path, camera(GATE, CONTINUOUS)) as studio:
        await studio.doing(GATE, "waiting", "no_video")
        sent_from = studio.clock.utc_90k()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(studio.send, f"{GATE}-main", studio.pictures(70, sounds=SOUNDS))
            await studio.doing(GATE, "on")
            mock_clock.rate = 0.0  # what follows takes as long as this machine needs: time goes by in steps
            for step in range(300):
                mock_clock.jump(0.1)
                await studio.quiet(GATE)
                spans = (await studio.archive.ranges(GATE, *EVER))[0]
                # at first there may be more to send than a step's, as time went by faster than the machine
                assert step < 100 or studio.clock.utc_90k() - spans[-1].end < 2 * S
            (span,) = spans
            assert abs(span.start - sent_from) < S
            (file,) = await studio.archive.files(GATE, "main", *EVER)
            opened = await studio.archive.open(file)
            assert opened.audio == SOUNDS[0].format
            assert opened.table.file_size == file.size
            last = int(opened.table.offset[-1]), int(opened.table.size[-1])
            assert len(await studio.archive.read(file, *last)) == last[1]
            mock_clock.rate = 20.0
        await studio.recorded(GATE, 70)
        await studio.doing(GATE, "waiting", "no_video")
    async with open_studio(tmp_path, camera(GATE, NOT_RECORDED)) as studio:
        files = await studio.archive.files(GATE, "main", *EVER)
        assert [round((file.end - file.start) / S) for file in files] == [60, 10]
        assert files[0].end == files[1].start
        assert await studio.archive.streams(GATE) == ["main"]
        (span,) = (await studio.archive.ranges(GATE, *EVER))[0]
        assert span.end - span.start == 70 * S


async def test_rules_are_followed_and_the_sub_stream_is_recorded_if_asked(
    mock_clock: MockClock, tmp_path: Path
) -> None:
    async with open_studio(tmp_path, camera(GATE, NOT_RECORDED), camera(QUAY, CONTINUOUS)) as studio:
        await studio.doing(GATE, "off")
        await studio.send(f"{GATE}-main", studio.pictures(2))
        studio.cameras[GATE].recording = replace(CONTINUOUS, sub=True)
        await studio.doing(GATE, "waiting", "no_video")
        async with trio.open_nursery() as nursery:
            for name in ("main", "sub"):
                nursery.start_soon(studio.send, f"{GATE}-{name}", studio.pictures(5))
        studio.cameras[GATE].recording = NOT_RECORDED
        await studio.doing(GATE, "off")
        with trio.fail_after(20):
            while studio.taps.keys() != {f"{QUAY}-main"}:  # noqa: ASYNC110 (nobody tells a test)
                await trio.sleep(0.1)
        assert await studio.archive.streams(GATE) == ["main", "sub"]
        for name in ("main", "sub"):
            (span,) = (await studio.archive.ranges(GATE, *EVER, stream=name))[0]
            assert span.end - span.start == 5 * S


async def test_an_event_is_recorded_from_before_it_to_after_it(mock_clock: MockClock, tmp_path: Path) -> None:
    async with open_studio(tmp_path, camera(GATE, EVENT)) as studio, trio.open_nursery() as nursery:
        await studio.doing(GATE, "waiting", "no_video")
        nursery.start_soon(studio.send, f"{GATE}-main", studio.pictures(60))
        await studio.doing(GATE, "waiting", "event")
        await trio.sleep(12)
        happened = studio.events[GATE] = studio.clock.utc_90k()
        await studio.doing(GATE, "on")
        await studio.doing(GATE, "waiting", "event")
        (span,) = (await studio.archive.ranges(GATE, *EVER))[0]
        # from the key picture before; the other end: it is asked every half second
        assert happened - 8 * S < span.start <= happened - EVENT.pre_s * S
        assert happened + EVENT.post_s * S - S < span.end < happened + EVENT.post_s * S + 2 * S
        assert studio.recorder._memory.total < 30 * 25 * 20_000
        nursery.cancel_scope.cancel()


class Disk:
    """A double of a disk that takes its time: writes wait until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free = threading.Event()
        self.free.set()
        put = Writer._put

        def slow(writer: Writer, data: bytes, at: int) -> None:
            assert self.free.wait(20)
            put(writer, data, at)

        monkeypatch.setattr(Writer, "_put", slow)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    found = Disk(monkeypatch)
    yield found
    found.free.set()


async def test_f6_a_disk_that_stalls_for_half_a_minute_loses_nothing(
    mock_clock: MockClock, tmp_path: Path, disk: Disk
) -> None:
    async with open_studio(tmp_path, camera(GATE, CONTINUOUS)) as studio, trio.open_nursery() as nursery:
        await studio.doing(GATE, "waiting", "no_video")
        nursery.start_soon(studio.send, f"{GATE}-main", studio.pictures(45))
        await studio.doing(GATE, "on")
        disk.free.clear()
        began = trio.current_time()
        await studio.doing(GATE, "on", "disk_slow")
        assert trio.current_time() - began < 10
        assert "recording_disk_slow" in [item.code for item in studio.board.attention]
        await trio.sleep_until(began + 30)
        disk.free.set()
        await studio.doing(GATE, "on")
        (span,) = await studio.recorded(GATE, 45)
        assert span.end - span.start == 45 * S
        assert studio.board.attention == []


async def test_f6_what_memory_cannot_hold_is_left_out_by_whole_groups_and_said(
    mock_clock: MockClock, tmp_path: Path, disk: Disk
) -> None:
    size = sum(len(unit.data) for unit in CLIP.units) // 2  # a second
    memory = Memory(10 * size)
    async with open_studio(tmp_path, camera(GATE, CONTINUOUS), memory=memory) as studio:
        await studio.doing(GATE, "waiting", "no_video")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(studio.send, f"{GATE}-main", studio.pictures(40))
            await studio.doing(GATE, "on")
            disk.free.clear()
            await studio.doing(GATE, "failed", "disk_slow")
            await trio.sleep(10)
            disk.free.set()
            await studio.doing(GATE, "on")
        await studio.doing(GATE, "waiting", "no_video")
        lost = studio.recorder._tasks[GATE, "main"].recorder.lost.seconds
        spans = await studio.recorded(GATE, 40 - lost - 0.01)
        gap = sum(after.start - before.end for before, after in pairwise(spans))
        assert gap > 5 * S
        (lost,) = [item for item in studio.board.attention if item.code == "recording_lost"]
        assert f"{gap / S:.1f} s of the recording of camera 1111 were lost" in lost.message
        assert studio.board.counters["recording_lost_ms"] == pytest.approx(gap / 90, abs=1)
        assert memory.total < size
        for file in await studio.archive.files(GATE, "main", *EVER):
            table = (await studio.archive.open(file)).table
            assert table.key_pictures[0] == 0
            assert set((table.dts[1:] - table.dts[:-1]).tolist()) == {S // 25}


async def test_a_stream_whose_task_fails_is_begun_again_and_no_other_hears_of_it(
    mock_clock: MockClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cut = StreamRecorder._cut

    def broken(recorder: StreamRecorder) -> None:
        if recorder.camera_id == GATE and recorder._queue:
            raise RuntimeError("for the test")
        cut(recorder)

    monkeypatch.setattr(StreamRecorder, "_cut", broken)
    async with open_studio(tmp_path, camera(GATE, CONTINUOUS), camera(QUAY, CONTINUOUS)) as studio:
        await studio.doing(GATE, "waiting", "no_video")
        async with trio.open_nursery() as nursery:
            for ident in (GATE, QUAY):
                nursery.start_soon(studio.send, f"{ident}-main", studio.pictures(20))
            await studio.doing(GATE, "failed", "internal")
            await studio.doing(QUAY, "on")
            monkeypatch.setattr(StreamRecorder, "_cut", cut)
        (span,) = await studio.recorded(QUAY, 20)
        assert span.end - span.start == 20 * S
        (span,) = await studio.recorded(GATE, 5)
        assert 5 * S < span.end - span.start < 20 * S
    assert "for the test" in caplog.text


async def test_f10_a_clock_that_is_set_leaves_recordings_in_their_order(mock_clock: MockClock, tmp_path: Path) -> None:
    """Set back by an hour: what is recorded then follows upon what was; set ahead: there is a gap."""
    async with open_studio(tmp_path, camera(GATE, CONTINUOUS)) as studio:
        await studio.doing(GATE, "waiting", "no_video")
        for hours in (0, -1, 2):
            studio.clock.set_by += hours * 3600 * S
            await studio.send(f"{GATE}-main", studio.pictures(4), paced=False)
            await trio.sleep(4)
        await studio.recorded(GATE, 12)
        files = await studio.archive.files(GATE, "main", *EVER)
        assert [file.id for file in files] == sorted(file.id for file in files)
        assert all(before.end <= after.start for before, after in pairwise(files))
        assert [file.end - file.start for file in files] == [4 * S] * 3
        assert files[1].start == files[0].end
        assert files[2].start - files[1].end > 3000 * S
        first, last = (await studio.archive.ranges(GATE, *EVER))[0]
        assert first == Span(files[0].start, files[1].end)
        assert last == Span(files[2].start, files[2].end)
        numbers = [(await studio.archive.open(file)).table.key_pictures.tolist() for file in files]
        assert numbers == [[0, 25, 50, 75]] * 3


async def test_a_disk_that_hangs_does_not_keep_the_server_from_ending(
    mock_clock: MockClock, tmp_path: Path, disk: Disk
) -> None:
    async with open_studio(tmp_path, camera(GATE, CONTINUOUS)) as studio:
        await studio.doing(GATE, "waiting", "no_video")
        await studio.send(f"{GATE}-main", studio.pictures(3))
        disk.free.clear()
        await studio.send(f"{GATE}-main", studio.pictures(3))
        began = trio.current_time()
    assert trio.current_time() - began < 3 * LAST_S
    assert not disk.free.is_set()


async def test_a_lost_index_is_found_again_while_it_is_recorded(mock_clock: MockClock, tmp_path: Path) -> None:
    async with open_studio(tmp_path, camera(GATE, CONTINUOUS)) as studio:
        await studio.doing(GATE, "waiting", "no_video")
        await studio.send(f"{GATE}-main", studio.pictures(3))
        await studio.recorded(GATE, 3)
    for path in (tmp_path / "recordings").glob("index.db*"):
        path.unlink()
    async with open_studio(tmp_path, camera(GATE, CONTINUOUS)) as studio:
        await studio.doing(GATE, "waiting", "no_video")
        await trio.sleep(30)
        await studio.send(f"{GATE}-main", studio.pictures(3))
        spans = await studio.recorded(GATE, 5.99)
        assert [round((span.end - span.start) / S, 1) for span in spans] == [3, 3]
    index = open_index(tmp_path)
    assert len(index.files(GATE, "main", *EVER)) == 2
    index.database.close()
