from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
import trio

from appliance.base.faults import Fault, Kind
from appliance.base.secrets import Secret
from appliance.media.recording_rules import NOT_RECORDED, RecordingMode, RecordingRules
from appliance.sites.cameras import Camera, CameraAdded, CameraBook, CameraChanged, CameraRemoved
from appliance.store import Store, open_store, tables
from appliance.store.secretbox import KEY_NAME
from tests.store.fresh import put_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable
    from pathlib import Path

MAIN, SUB = "rtsp://10.0.0.5/main", "rtsp://10.0.0.5/sub"
PASSWORD = Secret("s3cret-canary")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with open_store(put_database(tmp_path)) as opened:
        yield opened


@pytest.fixture
async def book(store: Store) -> CameraBook:
    return await CameraBook.load(store)


async def fault_of(doing: Awaitable[object]) -> Fault:
    try:
        await doing
    except Fault as fault:
        return fault
    pytest.fail("there was no fault")


def credentials(camera: Camera) -> list[tuple[str, str | None]]:
    return [(stream.username, stream.password.reveal() if stream.password else None) for stream in camera.streams]


async def reloaded(store: Store) -> CameraBook:
    return await CameraBook.load(store)


async def test_a_camera_is_there_at_once_and_after_a_restart(store: Store, book: CameraBook) -> None:
    camera = await book.add("  Front   gate ", "rtsp://admin:s3cret-canary@10.0.0.5:8554/main", SUB)
    assert (camera.name, camera.position, camera.site_id) == ("Front gate", 0, book.site_id)
    assert [(stream.name, stream.ordinal, stream.url) for stream in camera.streams] == [
        ("main", 0, "rtsp://10.0.0.5:8554/main"),
        ("sub", 1, SUB),
    ]
    assert credentials(camera) == [("admin", "s3cret-canary")] * 2
    for each in (book, await reloaded(store)):
        assert each.list() == (camera,)
        assert each.find(camera.id) == each.find("front GATE") == each.find(" Front gate") == camera
        assert each.find("back gate") is None
        assert each.site_id == camera.site_id


async def test_cameras_keep_their_order(store: Store, book: CameraBook) -> None:
    for name in ("one", "two", "three"):
        await book.add(name, MAIN)
    await book.remove("two")
    await book.add("four", MAIN)
    for each in (book, await reloaded(store)):
        assert [camera.name for camera in each.list()] == ["one", "three", "four"]


async def test_changes_are_announced_in_order(book: CameraBook) -> None:
    with book.changes.listen() as news:
        camera = await book.add("gate", MAIN)
        changed = await book.change("gate", name="door")
        assert await book.change("door", name="door") == changed  # nothing new: no news
        await book.remove(camera.id)
        seen = [await news.receive() for _ in range(3)]
    assert seen == [CameraAdded(camera), CameraChanged(changed), CameraRemoved(camera.id)]
    assert changed.name == "door"
    assert book.find("gate") is None


@pytest.mark.parametrize("name", ["Gate", " gate", "ＧＡＴＥ"])
async def test_a_name_is_taken_however_it_is_written(book: CameraBook, name: str) -> None:
    await book.add("gate", MAIN)
    other = await book.add("door", MAIN)
    for doing in (book.add(name, MAIN), book.change("door", name=name)):
        fault = await fault_of(doing)
        assert (fault.kind, fault.code, fault.field) == (Kind.CONFLICT, "name_taken", "name")
    assert book.find("door") == other
    assert (await book.change("gate", name=name)).name.casefold() in {"gate", "ｇａｔｅ"}, "its own name is no other's"


async def test_two_at_once_with_one_name_are_one(book: CameraBook) -> None:
    codes: list[str] = []

    async def add() -> None:
        try:
            await book.add("gate", MAIN)
        except Fault as fault:
            codes.append(fault.code)

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(add)
    assert codes == ["name_taken"] * 4
    assert len(book.list()) == 1


async def test_what_is_wrong_changes_nothing(store: Store, book: CameraBook) -> None:
    camera = await book.add("gate", MAIN)
    for doing, code, field in [
        (book.add("", MAIN), "invalid_name", "name"),
        (book.add("0b5ad5a4-92f7-4b3c-8b0e-3ba6ab9d3d54", MAIN), "invalid_name", "name"),
        (book.add("x", "nonsense"), "invalid_url", "url"),
        (book.add("x", MAIN, "nonsense"), "invalid_url", "sub"),
        (book.add("x", "demo:main"), "invalid_url", "url"),
        (book.add("x", MAIN, username="a\nb"), "invalid_credentials", "username"),
        (book.add("x", MAIN, password=Secret("a\nb")), "invalid_credentials", "password"),
        (book.change("gate", name="door", url="nonsense"), "invalid_url", "url"),
        (book.change("nobody", name="x"), "no_camera", None),
        (book.remove("nobody"), "no_camera", None),
    ]:
        fault = await fault_of(doing)
        assert (fault.code, fault.field) == (code, field)
    for each in (book, await reloaded(store)):
        assert each.list() == (camera,)


async def test_a_sub_stream_of_another_host_does_not_get_the_credentials(book: CameraBook) -> None:
    camera = await book.add("gate", MAIN, "rtsp://10.0.0.6/sub", username="admin", password=PASSWORD)
    assert credentials(camera) == [("admin", "s3cret-canary"), ("", None)]
    camera = await book.add("door", "rtsp://a:b@10.0.0.5/x", "rtsp://c:d@10.0.0.5/y")
    assert credentials(camera) == [("a", "b"), ("c", "d")]


async def test_credentials_stay_with_their_host_and_never_go_to_another(store: Store, book: CameraBook) -> None:
    first = await book.add("gate", MAIN, SUB, username="admin", password=PASSWORD)
    same = await book.change("gate", url="rtsp://10.0.0.5:8554/other")
    assert credentials(same) == [("admin", "s3cret-canary")] * 2
    assert [stream.id for stream in same.streams] == [stream.id for stream in first.streams]
    moved = await book.change("gate", url="rtsp://10.0.0.6/main")
    assert credentials(moved) == [("", None), ("admin", "s3cret-canary")]
    back = await book.change("gate", sub="rtsp://10.0.0.6/sub")
    assert credentials(back) == [("", None), ("", None)]
    assert (await reloaded(store)).list() == (back,)


async def test_new_credentials_are_those_of_every_stream_that_had_the_old_ones(store: Store, book: CameraBook) -> None:
    await book.add("gate", MAIN, SUB, username="admin", password=PASSWORD)
    assert credentials(await book.change("gate", password=Secret("new"))) == [("admin", "new")] * 2
    assert credentials(await book.change("gate", username="root")) == [("root", "new")] * 2
    camera = await book.change("gate", url="rtsp://op:newer@10.0.0.5/main")
    assert credentials(camera) == [("op", "newer")] * 2
    camera = await book.change("gate", username="", password=Secret(""))
    assert credentials(camera) == [("", None)] * 2
    assert (await reloaded(store)).list() == (camera,)


async def test_a_sub_stream_comes_and_goes(store: Store, book: CameraBook) -> None:
    await book.add("gate", MAIN, username="admin", password=PASSWORD)
    camera = await book.change("gate", sub=SUB)
    assert [stream.name for stream in camera.streams] == ["main", "sub"]
    assert credentials(camera) == [("admin", "s3cret-canary")] * 2
    assert (await reloaded(store)).list() == (camera,)
    camera = await book.change("gate", sub="")
    assert [stream.name for stream in camera.streams] == ["main"]
    assert (await reloaded(store)).list() == (camera,)
    assert await book.change("gate", sub="") == camera


async def test_no_credentials_are_in_the_store_in_clear_or_print(
    store: Store, book: CameraBook, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        camera = await book.add("gate", "rtsp://operator-canary:s3cret-canary@10.0.0.5/password=p4th-canary", SUB)
        await book.change("gate", name="door")
        await fault_of(book.add("door", "rtsp://operator-canary:s3cret-canary@10.0.0.5/x"))
        await reloaded(store)
    shown = repr(camera) + repr(camera.streams) + repr(book.list()) + camera.streams[0].shown_url + caplog.text
    assert "canary" not in shown
    files = b"".join(path.read_bytes() for path in store.folder.iterdir())
    assert b"10.0.0.5" in files
    assert b"operator-canary" not in files
    assert b"s3cret-canary" not in files


async def test_a_password_moved_to_another_row_is_not_used(store: Store, book: CameraBook) -> None:
    """Whoever can write to the database cannot make us send one camera's password to another."""
    await book.add("gate", MAIN, username="admin", password=PASSWORD)
    thief = await book.add("thief", "rtsp://203.0.113.66/x", username="x", password=Secret("y"))

    def swap(connection: sa.Connection) -> None:
        streams = tables.streams
        stolen = connection.execute(sa.select(streams.c.password).where(streams.c.url == MAIN)).scalar_one()
        connection.execute(sa.update(streams).where(streams.c.url != MAIN).values(password=stolen))

    await store.write(swap)
    found = (await reloaded(store)).get(thief.id)
    assert credentials(found) == [("", None)]
    assert found.streams[0].credentials_lost


async def test_a_lost_key_costs_the_credentials_and_putting_it_back_restores_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_store(tmp_path) as store:
        book = await CameraBook.load(store)
        camera = await book.add("gate", MAIN, SUB, username="admin", password=PASSWORD)
        await book.add("door", "rtsp://10.0.0.7/x", username="admin", password=PASSWORD)
    key = (tmp_path / KEY_NAME).read_bytes()
    (tmp_path / KEY_NAME).unlink()
    async with open_store(tmp_path) as store:
        book = await CameraBook.load(store)
        assert camera.id in caplog.text
        lost = book.get("gate")
        assert credentials(lost) == [("", None)] * 2
        assert all(stream.credentials_lost for stream in lost.streams)
        # changes that have nothing to do with them leave them in the store
        await book.change("gate", name="gate 2", url="rtsp://10.0.0.5/other")
        door = await book.change("door", username="root", password=Secret("new"))
        assert not door.streams[0].credentials_lost
        new_key = (tmp_path / KEY_NAME).read_bytes()
        assert (await CameraBook.load(store)).get("door") == door
    (tmp_path / KEY_NAME).write_bytes(key)
    async with open_store(tmp_path) as store:
        book = await CameraBook.load(store)
        assert credentials(book.get("gate 2")) == [("admin", "s3cret-canary")] * 2
        assert book.get("gate 2").streams[0].url == "rtsp://10.0.0.5/other"
        assert book.get("door").streams[0].credentials_lost
    assert new_key != key


async def test_removing_a_camera_takes_its_streams_and_grants_along(store: Store, book: CameraBook) -> None:
    camera = await book.add("gate", MAIN, SUB)

    def grant(connection: sa.Connection) -> None:
        connection.execute(
            sa.insert(tables.users).values(
                id="u",
                name="v",
                folded="v",
                role="viewer",
                disabled=False,
                password_hash="x",
                must_change=False,
                created_at=0,
                password_at=0,
            )
        )
        connection.execute(sa.insert(tables.grants).values(id="g", user_id="u", right="live", camera_id=camera.id))

    await store.write(grant)
    await book.remove("gate")
    for table in (tables.cameras, tables.streams, tables.grants):
        query = sa.select(table)
        assert await store.read(lambda connection, query=query: connection.execute(query).all()) == []  # type: ignore[misc]


async def test_two_changes_at_once_both_happen(store: Store, book: CameraBook) -> None:
    await book.add("gate", MAIN)

    async def change(**what: str) -> None:
        await book.change(book.list()[0].id, **what)  # type: ignore[arg-type]

    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: change(name="door"))
        nursery.start_soon(lambda: change(sub=SUB))
        nursery.start_soon(lambda: change(username="admin"))
    (camera,) = book.list()
    assert camera.name == "door"
    assert [stream.username for stream in camera.streams] == ["admin", "admin"]
    assert (await reloaded(store)).list() == (camera,)


async def test_one_of_two_removals_at_once_finds_nothing(book: CameraBook) -> None:
    camera = await book.add("gate", MAIN)
    codes: list[str] = []

    async def remove() -> None:
        try:
            await book.remove(camera.id)
        except Fault as fault:
            codes.append(fault.code)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(remove)
        nursery.start_soon(remove)
    assert codes == ["no_camera"]


async def test_the_demo_camera_is_made_once_whatever_is_called_like_it(store: Store, book: CameraBook) -> None:
    await book.add("DEMO", MAIN)
    demo = await book.ensure_demo()
    assert demo.name == "Demo 2"
    assert [stream.url for stream in demo.streams] == ["demo:main", "demo:sub"]
    assert await book.ensure_demo() == demo
    assert await (await reloaded(store)).ensure_demo() == demo
    assert len(book.list()) == 2


async def test_there_are_only_so_many_cameras(book: CameraBook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.sites.cameras.MOST_CAMERAS", 2)
    await book.add("one", MAIN)
    await book.add("two", MAIN)
    fault = await fault_of(book.add("three", MAIN))
    assert (fault.kind, fault.code) == (Kind.LIMITED, "too_many_cameras")


async def test_a_disk_that_refuses_leaves_memory_as_it_was(store: Store, book: CameraBook) -> None:
    camera = await book.add("gate", MAIN)
    await store.write(lambda connection: connection.exec_driver_sql("PRAGMA query_only = ON"))
    for doing in (book.add("door", MAIN), book.change("gate", name="x"), book.remove("gate")):
        assert (await fault_of(doing)).kind is Kind.UNAVAILABLE
    await store.read(lambda connection: None)
    assert book.list() == (camera,)
    assert (await reloaded(store)).list() == (camera,)


async def test_how_a_camera_is_reached_is_set_for_all_its_streams_on_that_host(store: Store, book: CameraBook) -> None:
    pin = "ab" * 32
    await book.add("gate", "rtsps://admin:pw@10.0.0.5/main", "rtsps://10.0.0.5/sub", fingerprint=pin.upper())
    await book.add("yard", MAIN, "rtsp://10.0.0.6/sub")
    await book.change("yard", transport="udp")

    def urls(which: str, each: CameraBook) -> list[str]:
        return [stream.url for stream in each.get(which).streams]

    for each in (book, await reloaded(store)):
        assert urls("gate", each) == [f"rtsps://10.0.0.5/{name}#fingerprint={pin}" for name in ("main", "sub")]
        assert urls("yard", each) == [f"{MAIN}#transport=udp", "rtsp://10.0.0.6/sub"]
    gate = await book.change("gate", transport="http", fingerprint="")
    assert urls("gate", book) == [f"rtsps://10.0.0.5/{name}#transport=http" for name in ("main", "sub")]
    assert credentials(gate) == [("admin", "pw")] * 2
    await book.change("yard", transport="")
    assert urls("yard", book)[0] == MAIN


async def test_how_a_camera_is_recorded_is_kept_and_told(
    store: Store, book: CameraBook, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await book.add("door", MAIN)).recording == NOT_RECORDED
    with book.changes.listen() as news:
        gate = await book.add("gate", MAIN, recording={"mode": "continuous", "sub": True})
        changed = await book.change("gate", recording={"mode": "event", "retention_days": 7})
        await book.change("gate", recording={"pre_s": 5})  # as it is
        await book.change("gate", name="Gate 2")
        seen = [await news.receive() for _ in range(3)]
    assert gate.recording == RecordingRules(RecordingMode.CONTINUOUS, sub=True)
    assert changed.recording == RecordingRules(RecordingMode.EVENT, sub=True, retention_days=7)
    assert seen[:2] == [CameraAdded(gate), CameraChanged(changed)]
    assert (await reloaded(store)).get("gate 2").recording == changed.recording
    for doing in (book.change("gate 2", recording={"pre_s": 31}, name="x"), book.add("y", MAIN, recording={"sub": 1})):
        fault = await fault_of(doing)
        assert fault.code == "invalid_recording"
    assert [camera.name for camera in (await reloaded(store)).list()] == ["door", "Gate 2"]
    await book.change("gate 2", recording=NOT_RECORDED.to_json())
    query = sa.select(tables.cameras.c.recording)
    assert set(await store.read(lambda connection: connection.execute(query).scalars().all())) == {None}
    await store.write(
        lambda connection: connection.execute(sa.update(tables.cameras).values(recording='{"mode": "x"}')).rowcount
    )
    assert {camera.recording for camera in (await reloaded(store)).list()} == {NOT_RECORDED}
    assert "it is not recorded" in caplog.text


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"transport": "ship"}, "invalid_transport"),
        ({"fingerprint": "12"}, "invalid_fingerprint"),
        ({"transport": "udp"}, "invalid_url"),  # beside TLS
    ],
)
async def test_what_cannot_be_a_way_is_refused_and_changes_nothing(
    book: CameraBook, changes: dict[str, str], code: str
) -> None:
    await book.add("gate", "rtsps://10.0.0.5/main")
    assert (await fault_of(book.change("gate", **changes))).code == code
    assert book.get("gate").streams[0].url == "rtsps://10.0.0.5/main"


async def test_a_file_has_no_network_to_be_reached_over(book: CameraBook) -> None:
    await book.add("film", "file:/srv/film.mp4", local=True)
    assert (await fault_of(book.change("film", transport="udp"))).code == "invalid_transport"
    assert (await fault_of(book.add("other", "file:/srv/film.mp4"))).code == "invalid_url"
