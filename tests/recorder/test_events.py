"""The book of events: what it keeps, in which bounds, and what it says to whoever records by it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
import trio

from appliance.base.clock import TICKS_PER_SECOND, ManualClock
from appliance.base.faults import Fault, Kind
from appliance.recorder import events as module
from appliance.recorder.events import DAY, EventBook
from appliance.settings.settings import Settings
from appliance.sites.cameras import CameraBook
from appliance.store import Store, open_store, tables
from tests.store.fresh import put_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable
    from pathlib import Path

    from trio.testing import MockClock

S = TICKS_PER_SECOND
URL = "rtsp://192.0.2.1/main"
EVER = 10**15


class Desk:
    """A book of events with all that it stands on, and two cameras."""

    def __init__(self, store: Store, cameras: CameraBook, settings: Settings, clock: ManualClock) -> None:
        self.store, self.cameras, self.settings, self.clock = store, cameras, settings, clock
        self.gate = self.yard = ""
        self.time: MockClock

    def pass_time(self, seconds: float) -> None:
        self.time.jump(seconds)
        self.clock.advance(seconds)

    async def book(self) -> EventBook:
        """As after a start."""
        return await EventBook.load(self.store, self.cameras, self.settings, self.clock)

    async def kept(self) -> int:
        query = sa.select(sa.func.count()).select_from(tables.events)
        return await self.store.read(lambda connection: connection.execute(query).scalar_one())


@asynccontextmanager
async def open_desk(folder: Path) -> AsyncIterator[Desk]:
    clock = ManualClock()
    async with open_store(put_database(folder), clock) as store:
        desk = Desk(store, await CameraBook.load(store, clock), await Settings.load(store, clock), clock)
        desk.gate, desk.yard = [(await desk.cameras.add(name, URL)).id for name in ("gate", "yard")]
        yield desk


@pytest.fixture
async def desk(tmp_path: Path, mock_clock: MockClock) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        opened.time = mock_clock
        yield opened


async def fault_of(doing: Awaitable[object]) -> Fault:
    try:
        await doing
    except Fault as fault:
        return fault
    pytest.fail("there was no fault")


async def test_an_event_is_told_kept_and_found_again(desk: Desk, mock_clock: MockClock) -> None:
    book = await desk.book()
    with book.changes.listen() as news:
        first = await book.add(desk.gate, "door-open", "  North   door ")
        assert await news.receive() == first
    assert (first.at, first.until, first.kind, first.text) == (
        desk.clock.now,
        desk.clock.now,
        "door-open",
        "North door",
    )
    desk.pass_time(60)
    second = await book.add(desk.gate, "motion")
    await book.add(desk.yard, "motion")
    for each in (book, await desk.book()):
        assert await each.between(desk.gate, 0, EVER, 10) == [first, second]
        assert await each.between(desk.gate, 0, EVER, 1) == [first]
        assert await each.between(desk.gate, first.at, second.at, 10) == [first]
        assert await each.between(desk.gate, first.at + 1, second.at + 1, 10) == [second]
        assert await each.between(desk.gate, second.at + 1, EVER, 10) == []


async def test_when_the_last_one_ended_outlives_a_restart_and_obeys_nobody_who_sets_the_clock(
    desk: Desk, mock_clock: MockClock
) -> None:
    book = await desk.book()
    assert book.last_event(desk.gate) is None
    await book.add(desk.gate, "motion")
    desk.pass_time(20)
    for each in (book, await desk.book()):
        assert each.last_event(desk.gate) == desk.clock.now - 20 * S
        assert each.last_event(desk.yard) is None
    desk.clock.advance(-3600)  # the clock is put right
    assert book.last_event(desk.gate) == desk.clock.now - 20 * S
    again = await desk.book()  # as the store has it, the event is still to come: it is taken for one of now
    assert again.last_event(desk.gate) == desk.clock.now


@pytest.mark.parametrize("kind", ["", " ", "Motion", "door open", "-x", "x" * 33, "motion\n", "bewegüng", "<b>"])
async def test_what_is_no_kind_is_refused(desk: Desk, mock_clock: MockClock, kind: str) -> None:
    fault = await fault_of((await desk.book()).add(desk.gate, kind))
    assert (fault.code, fault.field) == ("invalid_event", "kind")
    assert await desk.kept() == 0


async def test_a_text_shows_all_of_it_and_a_camera_is_there(desk: Desk, mock_clock: MockClock) -> None:
    book = await desk.book()
    for text in ("x\u202ey", "x" * 501, "x\x1b[31m"):
        assert (await fault_of(book.add(desk.gate, "motion", text))).code == "invalid_text"
    assert (await fault_of(book.add("nobody", "motion"))).code == "no_camera"
    assert await desk.kept() == 0


async def test_so_many_a_second_of_each_camera_and_then_again(desk: Desk, mock_clock: MockClock) -> None:
    book = await desk.book()
    for _ in range(module.AT_ONCE):
        await book.add(desk.gate, "motion")
    fault = await fault_of(book.add(desk.gate, "motion"))
    assert (fault.kind, fault.code) == (Kind.LIMITED, "events_too_fast")
    await book.add(desk.yard, "motion")
    desk.pass_time(1)
    for _ in range(module.PER_SECOND):
        await book.add(desk.gate, "motion")
    assert (await fault_of(book.add(desk.gate, "motion"))).code == "events_too_fast"
    assert await desk.kept() == module.AT_ONCE + module.PER_SECOND + 1


async def test_the_oldest_go_when_there_are_too_many(
    desk: Desk, mock_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PER_CAMERA": 10, "MOST": 15, "SLACK": 4, "AT_ONCE": 1000}.items():
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(module._Camera, "__init__", _full)
    book = await desk.book()

    async def add(camera_id: str, count: int) -> None:
        for _ in range(count):
            desk.pass_time(1)
            await book.add(camera_id, "motion", str(desk.clock.now))

    async def texts(camera_id: str) -> list[str]:
        return [event.text for event in await book.between(camera_id, 0, EVER, 1000)]

    await add(desk.gate, 10)
    before = await texts(desk.gate)
    await add(desk.gate, 1)
    assert (await texts(desk.gate))[:-1] == before[4:]
    book = await desk.book()  # what it counts is what there is
    await add(desk.gate, 3)
    assert len(await texts(desk.gate)) == 10
    await add(desk.yard, 5)
    assert (len(await texts(desk.gate)), await desk.kept()) == (10, 15)
    await add(desk.yard, 1)  # of all together too many: the camera with most of them pays
    assert (len(await texts(desk.gate)), len(await texts(desk.yard))) == (6, 6)
    await desk.cameras.remove("gate")
    await add(desk.yard, 4)
    assert (len(await texts(desk.yard)), await desk.kept()) == (10, 10)


def _full(camera: module._Camera, count: int = 0, ended: float | None = None) -> None:
    camera.count, camera.ended, camera.tokens, camera.filled = count, ended, 1000.0, 0.0


async def test_events_are_kept_as_long_as_recordings(desk: Desk, mock_clock: MockClock) -> None:
    await desk.cameras.change("yard", recording={"retention_days": 2})
    book = await desk.book()
    for days in (0, 3, 28):
        desk.clock.advance(days * 24 * 3600)
        for camera_id in (desk.gate, desk.yard):
            await book.add(camera_id, "motion")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(book.run)
        while len(await book.between(desk.yard, 0, EVER, 10)) > 1:
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    ages = {
        camera_id: [(desk.clock.now - event.at) // DAY for event in await book.between(camera_id, 0, EVER, 10)]
        for camera_id in (desk.gate, desk.yard)
    }
    assert ages == {desk.gate: [28, 0], desk.yard: [0]}
    await desk.settings.change({"recording.retention_days": 7}, by="anna")
    await book.tidy()
    assert len(await book.between(desk.gate, 0, EVER, 10)) == 1


async def test_events_of_a_camera_that_is_removed_go_with_it(desk: Desk, mock_clock: MockClock) -> None:
    book = await desk.book()
    await book.add(desk.gate, "motion")
    await desk.cameras.remove("gate")
    assert await desk.kept() == 0
    await book.tidy()
    assert book.last_event(desk.gate) is None
    async with trio.open_nursery() as nursery:  # at once, either may come first
        faults: list[str] = []

        async def add() -> None:
            try:
                await book.add(desk.yard, "motion")
            except Fault as fault:
                faults.append(fault.code)

        nursery.start_soon(desk.cameras.remove, "yard")
        nursery.start_soon(add)
    assert faults in ([], ["no_camera"])
    assert await desk.kept() == 0
