"""Bookmarks in the store: what is found, in which order and on which page; whose they are; how many there may be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.auth import open_auth
from appliance.auth.passwords import Cost, Passwords
from appliance.base.clock import TICKS_PER_SECOND, ManualClock
from appliance.base.faults import Fault
from appliance.base.ids import new_id
from appliance.base.secrets import Secret
from appliance.base.texts import clean_text, searchable
from appliance.recorder import bookmarks as module
from appliance.recorder.bookmarks import (
    AHEAD,
    LONGEST,
    Bookmark,
    BookmarkRemoved,
    Bookmarks,
    BookmarkSet,
    Same,
    Wanted,
)
from appliance.sites.cameras import CameraBook
from appliance.store import open_store, tables
from tests.store.fresh import put_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

    from appliance.auth import Auth
    from appliance.store import Store

NOW = 1_790_000_000 * TICKS_PER_SECOND
SECOND = TICKS_PER_SECOND


class World:
    """A store with two cameras and two users."""

    def __init__(self, store: Store, clock: ManualClock, cameras: CameraBook, auth: Auth) -> None:
        self.store, self.clock, self.cameras, self.auth = store, clock, cameras, auth
        self.book = Bookmarks(store, clock)

    @property
    def gate(self) -> str:
        return self.cameras.get("Gate").id

    @property
    def yard(self) -> str:
        return self.cameras.get("Yard").id

    @property
    def anna(self) -> str:
        return self.auth.users.get("anna").id

    @property
    def bob(self) -> str:
        return self.auth.users.get("bob").id

    async def all(self, **wanted: Any) -> list[Bookmark]:
        return (await self.book.page(Wanted(**wanted), 1000)).bookmarks

    async def fill(self, bookmarks: list[Bookmark]) -> None:
        """These and no others, in one transaction: a thousand of them would else wait for the disk one by one."""

        def fn(connection: sa.Connection) -> None:
            connection.execute(sa.delete(tables.bookmarks))
            for each in bookmarks:
                values = {"id": each.id, "camera_id": each.camera_id, "created_at": 0, **module._changeable(each)}
                connection.execute(sa.insert(tables.bookmarks).values(**values))

        await self.store.write(fn)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    clock = ManualClock(NOW)
    cost = Passwords(Cost(memory_kib=8, passes=1))
    async with open_store(put_database(tmp_path), clock) as store, open_auth(store, clock, passwords=cost) as auth:
        cameras = await CameraBook.load(store, clock)
        for name in ("Gate", "Yard"):
            await cameras.add(name, f"rtsp://192.0.2.1/{name}")
        for name in ("anna", "bob"):
            await auth.users.add(name, Secret("a passphrase of theirs"))
        yield World(store, clock, cameras, auth)


async def test_one_is_made_found_changed_and_removed_and_all_hear_of_it(world: World) -> None:
    book = world.book
    with book.changes.listen() as listener:
        made = await book.add(world.gate, world.anna, NOW - SECOND, None, "  A  red van ")
        assert (made.text, made.at, made.until, made.user_id) == ("A red van", NOW - SECOND, None, world.anna)
        assert await book.find(made.id) == made
        assert await listener.receive() == BookmarkSet(made)
        changed = await book.change(made.id, text="A blue van", until=NOW)
        assert changed == replace(made, text="A blue van", until=NOW)
        assert await book.find(made.id) == changed
        assert await listener.receive() == BookmarkSet(changed)
        assert await book.change(made.id, until=None, at=NOW - 5) == replace(changed, until=None, at=NOW - 5)
        await book.remove(made.id)
        assert isinstance(await listener.receive(), BookmarkSet)
        assert isinstance(await listener.receive(), BookmarkRemoved)
    assert await book.find(made.id) is None
    for act in (book.change(made.id, text="x"), book.remove(made.id)):
        with pytest.raises(Fault) as caught:
            await act
        assert caught.value.code == "no_bookmark"


async def test_another_text_is_found_and_the_old_one_is_not(world: World) -> None:
    made = await world.book.add(world.gate, world.anna, NOW, None, "Voiture à l’entrée")
    assert await world.all(words="VOITURE entree") == [made]
    await world.book.change(made.id, text="Nothing")
    assert await world.all(words="voiture") == []
    assert [each.id for each in await world.all(words="NOTH")] == [made.id]


async def test_a_camera_takes_its_bookmarks_along_and_a_user_leaves_theirs(world: World) -> None:
    first = await world.book.add(world.gate, world.anna, NOW, None, "one")
    second = await world.book.add(world.yard, world.anna, NOW, None, "two")
    await world.cameras.remove("Gate")
    assert await world.book.find(first.id) is None
    await world.auth.users.remove("anna")
    assert await world.book.find(second.id) == replace(second, user_id=None)


@pytest.mark.parametrize(
    ("at", "until", "field"),
    [
        (NOW + AHEAD + 1, None, "at"),
        (NOW, NOW + AHEAD + 1, "until"),
        (NOW, NOW, "until"),
        (NOW, NOW - 1, "until"),
        (NOW - LONGEST - 1, NOW, "until"),
    ],
)
async def test_a_time_that_cannot_be_is_refused_at_the_making_and_the_changing(
    world: World, at: int, until: int | None, field: str
) -> None:
    made = await world.book.add(world.gate, world.anna, NOW - 2 * LONGEST, None, "x")
    with pytest.raises(Fault) as caught:
        await world.book.add(world.gate, world.anna, at, until, "x")
    assert (caught.value.code, caught.value.field) == ("bad_time", field)
    with pytest.raises(Fault) as caught:
        await world.book.change(made.id, at=at, until=until)
    assert (caught.value.code, caught.value.field) == ("bad_time", field)
    assert await world.all() == [made]


async def test_the_longest_span_up_to_now_is_none_too_long(world: World) -> None:
    made = await world.book.add(world.gate, world.anna, NOW + AHEAD - LONGEST, NOW + AHEAD, "x")
    assert await world.all(start=NOW + AHEAD - 1) == [made]
    assert await world.all(start=NOW + AHEAD) == []
    assert await world.all(end=made.at) == []


async def test_who_or_what_is_gone_meanwhile_is_named(world: World) -> None:
    gate, anna = world.gate, world.anna
    await world.auth.users.remove("anna")
    with pytest.raises(Fault, match="no such user"):
        await world.book.add(gate, anna, NOW, None, "x")
    await world.cameras.remove("Gate")
    with pytest.raises(Fault, match="no such camera"):
        await world.book.add(gate, None, NOW, None, "x")


async def test_there_is_room_for_so_many_of_a_user_and_for_so_many_of_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PER_USER", 3)
    monkeypatch.setattr(module, "MOST", 5)
    made = [await world.book.add(world.gate, world.anna, NOW, None, "x") for _ in range(3)]
    with pytest.raises(Fault, match="You have 3 bookmarks") as caught:
        await world.book.add(world.gate, world.anna, NOW, None, "x")
    assert caught.value.code == "too_many_bookmarks"
    for user in (world.bob, None):
        await world.book.add(world.gate, user, NOW, None, "x")
    with pytest.raises(Fault, match="of all users") as caught:
        await world.book.add(world.gate, None, NOW, None, "x")
    assert caught.value.code == "too_many_bookmarks"
    await world.book.remove(made[0].id)
    await world.book.add(world.gate, world.anna, NOW, None, "x")


@pytest.mark.parametrize("words", ["a\0b", "a\nb", "\ud800", "x" * 201])
async def test_words_that_can_be_in_no_text_are_refused(world: World, words: str) -> None:
    with pytest.raises(Fault) as caught:
        await world.all(words=words)
    assert (caught.value.code, caught.value.field) == ("invalid_text", "q")


# ── against a plain list ────────────────────────────────────────────────────────────────────────────────────────────

SIGNS = st.sampled_from("aAäÄeéÉ ßsSİi%_/\\\\'\"漢가각")
TEXTS = st.text(SIGNS, min_size=1, max_size=8).filter(lambda text: bool(text.strip()))
TIMES = st.integers(0, 30)
MADE = st.lists(st.tuples(st.booleans(), TIMES, st.none() | st.integers(1, 8), TEXTS), max_size=25)
ASKED = st.tuples(
    st.none() | st.sets(st.booleans()), st.none() | TIMES, st.none() | TIMES, st.just("") | TEXTS, st.integers(1, 6)
)


def plain(made: list[Bookmark], wanted: Wanted) -> list[Bookmark]:
    """What `Wanted` says, over a list."""
    words = searchable(wanted.words).split()
    found = []
    for each in made:
        end = each.at if each.until is None else each.until - 1
        if (
            (wanted.cameras is None or each.camera_id in wanted.cameras)
            and (wanted.end is None or each.at < wanted.end)
            and (wanted.start is None or end >= wanted.start)
            and all(word in searchable(each.text) for word in words)
        ):
            found.append(each)
    return sorted(found, key=lambda each: (each.at, each.id), reverse=True)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Callable[[World], Awaitable[None]]], None]]:
    folder = tmp_path_factory.mktemp("store")

    async def main(act: Callable[[World], Awaitable[None]]) -> None:
        clock = ManualClock(NOW)
        cost = Passwords(Cost(memory_kib=8, passes=1))
        async with open_store(folder, clock) as store, open_auth(store, clock, passwords=cost) as auth:
            cameras = await CameraBook.load(store, clock)
            for name in ("Gate", "Yard"):
                if cameras.find(name) is None:
                    await cameras.add(name, f"rtsp://192.0.2.1/{name}")
            await act(World(store, clock, cameras, auth))

    return lambda act: trio.run(main, act)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MADE, st.lists(ASKED, min_size=1, max_size=6), st.integers(1, 30))
def test_pages_and_searches_give_what_a_plain_list_would(
    run: Any, monkeypatch: pytest.MonkeyPatch, made: list[Any], asked: list[Any], searched: int
) -> None:
    async def act(world: World) -> None:
        monkeypatch.setattr(module, "SEARCHED", searched)
        monkeypatch.setattr(module, "FEW_CAMERAS", searched % 3)
        cameras = {False: world.gate, True: world.yard}
        there = [
            Bookmark(
                new_id(), cameras[camera], None, at, None if length is None else at + length, clean_text(text, limit=99)
            )
            for camera, at, length, text in made
        ]
        await world.fill(there)
        for whose, start, end, words, limit in asked:
            wanted = Wanted(None if whose is None else {cameras[each] for each in whose}, start, end, words)
            expected, found, pages = plain(there, wanted), [], 0
            while True:
                page = await world.book.page(wanted, limit)
                found += page.bookmarks
                pages += 1
                if page.next is None:
                    break
                wanted = replace(wanted, after=page.next)
            assert found == expected
            assert pages == max(1, -(-len(expected) // limit))

    run(act)


async def test_what_stays_the_same_is_said_so(world: World) -> None:
    made = await world.book.add(world.gate, world.anna, NOW - 9, NOW, "x")
    assert await world.book.change(made.id, until=Same.SAME) == made
