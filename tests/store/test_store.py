from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
import trio

from appliance.base.faults import Fault
from appliance.store import Store, open_store, open_store_directly, tables

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with open_store(tmp_path) as opened:
        yield opened


def put(key: str) -> Callable[[sa.Connection], str]:
    def fn(connection: sa.Connection) -> str:
        connection.execute(sa.insert(tables.settings).values(key=key, value="1", changed_at=0, changed_by="test"))
        return key

    return fn


def keys(connection: sa.Connection) -> set[str]:
    return set(connection.execute(sa.select(tables.settings.c.key)).scalars())


async def test_what_was_written_is_there_after_opening_again(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        assert await store.write(put("a")) == "a"
    with open_store_directly(tmp_path) as direct:
        assert direct.read(keys) == {"a"}
        direct.write(put("b"))
    async with open_store(tmp_path) as store:
        assert await store.read(keys) == {"a", "b"}


async def test_a_write_that_raises_wrote_nothing_and_the_next_one_works(store: Store) -> None:
    def fn(connection: sa.Connection) -> None:
        put("a")(connection)
        raise LookupError("on purpose")

    with pytest.raises(LookupError):
        await store.write(fn)
    assert await store.read(keys) == set()
    await store.write(put("b"))
    assert await store.read(keys) == {"b"}


async def test_a_read_cannot_write(store: Store) -> None:
    with pytest.raises(Fault, match="may not be written"):
        await store.read(put("a"))
    await store.write(put("b"))
    assert await store.read(keys) == {"b"}


async def test_an_error_in_the_database_does_not_print_the_values(store: Store) -> None:
    await store.write(put("s3cret"))
    with pytest.raises(sa.exc.IntegrityError) as caught:
        await store.write(put("s3cret"))
    assert "s3cret" not in str(caught.value)


async def test_rows_go_with_the_row_they_belong_to(store: Store) -> None:
    def fn(connection: sa.Connection) -> None:
        connection.execute(sa.insert(tables.sites).values(id="s", kind="local", created_at=0))
        connection.execute(
            sa.insert(tables.cameras).values(id="c", site_id="s", name="x", folded="x", position=0, created_at=0)
        )
        connection.execute(sa.delete(tables.sites))

    await store.write(fn)
    assert await store.read(lambda connection: connection.execute(sa.select(tables.cameras)).all()) == []


async def test_a_cancelled_write_was_never_begun_or_is_done_and_memory_told(store: Store) -> None:
    began, go_on = threading.Event(), threading.Event()
    told: list[str] = []

    def slow(connection: sa.Connection) -> str:
        began.set()
        assert go_on.wait(20)
        return put("begun")(connection)

    async def write(fn: Callable[[sa.Connection], str]) -> None:
        await store.write(fn, then=told.append)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write, slow)
        await trio.to_thread.run_sync(began.wait, 20)
        nursery.start_soon(write, put("waiting"))
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
        go_on.set()
    assert told == ["begun"]
    assert await store.read(keys) == {"begun"}


async def test_memory_follows_in_the_order_of_the_commits_with_nobody_in_between(store: Store) -> None:
    committed: list[str] = []
    told: list[str] = []

    async def write(key: str) -> None:
        def fn(connection: sa.Connection) -> str:
            assert committed == told, "somebody wrote before memory had followed"
            committed.append(put(key)(connection))
            return key

        await store.write(fn, then=told.append)

    async with trio.open_nursery() as nursery:
        for number in range(30):
            nursery.start_soon(write, str(number))
    assert told == committed
    assert await store.read(keys) == set(told)


async def test_the_loop_goes_on_while_the_disk_is_slow(store: Store) -> None:
    let_go = threading.Event()

    def slow(connection: sa.Connection) -> None:
        assert let_go.wait(20)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(store.write, slow)
        for _ in range(100):
            await trio.lowlevel.checkpoint()
        let_go.set()


async def test_two_servers_in_one_folder_are_one_too_many(tmp_path: Path) -> None:
    async with open_store(tmp_path):
        with pytest.raises(Fault, match="A server"):
            async with open_store(tmp_path):
                pass
    async with open_store(tmp_path):
        pass


async def test_two_appliances_in_one_process_do_not_mix(tmp_path: Path) -> None:
    async with open_store(tmp_path / "1") as one, open_store(tmp_path / "2") as two:
        await one.write(put("one"))
        await two.write(put("two"))
        assert await one.read(keys) == {"one"}
        assert await two.read(keys) == {"two"}


async def test_cancelling_the_owner_closes_and_unlocks(tmp_path: Path) -> None:
    with trio.CancelScope() as scope:
        async with open_store(tmp_path) as store:
            await store.write(put("a"))
            scope.cancel()
            await trio.sleep_forever()
    assert not (tmp_path / "fanal.db-wal").exists()
    with open_store_directly(tmp_path) as direct:
        assert direct.read(keys) == {"a"}


async def test_a_full_database_gives_a_fault_changes_nothing_and_recovers(store: Store) -> None:
    def shrink(connection: sa.Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")  # as many as there are: SQLite then says "full"

    def many(connection: sa.Connection) -> None:
        for number in range(2000):
            put(f"key {number}")(connection)

    await store.write(shrink)
    with pytest.raises(Fault, match="no room") as caught:
        await store.write(many)
    assert caught.value.code == "disk_full"
    assert await store.read(keys) == set()
    await store.write(lambda connection: connection.exec_driver_sql("PRAGMA max_page_count = 100000"))
    await store.write(many)
    assert len(await store.read(keys)) == 2000
