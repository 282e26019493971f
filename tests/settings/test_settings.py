from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
import trio

from appliance.base.clock import ManualClock, utc_seconds
from appliance.base.faults import Fault
from appliance.settings import ConnectivityTab, GeneralTab, PerformanceTab, Settings, SettingsChange
from appliance.settings.tabs import KEYS
from appliance.store import Store, open_store, tables
from tests.store.fresh import put_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with open_store(put_database(tmp_path)) as opened:
        yield opened


async def stored(store: Store, **rows: object) -> None:
    """Put rows into the store as another version, or a person with a tool, might have left them."""

    def fn(connection: sa.Connection) -> None:
        for key, value in rows.items():
            text = value if isinstance(value, str) and value.startswith("raw:") else json.dumps(value)
            connection.execute(
                sa.insert(tables.settings).values(
                    key=key.replace("__", "."), value=text.removeprefix("raw:"), changed_at=0, changed_by="test"
                )
            )

    await store.write(fn)


async def test_a_new_store_gives_the_defaults(store: Store) -> None:
    settings = await Settings.load(store)
    assert settings.tab(ConnectivityTab) == ConnectivityTab(8081, 8082, 30, (), ())
    assert settings.tab(PerformanceTab) == PerformanceTab(adaptive=True, streams_per_user=64, viewers_per_server=1000)
    assert settings.tab(GeneralTab).log_days == 3
    assert settings.tab(GeneralTab).server_name


async def test_what_is_set_is_in_force_at_once_and_after_a_restart(store: Store) -> None:
    settings = await Settings.load(store)
    values = {"general.server_name": " Harbour ", "connectivity.host_names": ["NVR.example.org"], "general.log_days": 9}
    await settings.change(values, by="anna")
    for each in (settings, await Settings.load(store)):
        assert each.tab(GeneralTab).server_name == "Harbour"
        assert each.tab(ConnectivityTab).host_names == ("nvr.example.org",)
        assert each.get("general.log_days") == 9
        assert each.text("connectivity.host_names") == "nvr.example.org"


async def test_the_store_says_when_and_by_whom(store: Store) -> None:
    clock = ManualClock()
    settings = await Settings.load(store, clock)
    await settings.change({"general.log_days": 9}, by="anna")
    clock.advance(60)
    await settings.change({"general.log_days": 10}, by="bert")
    (row,) = await store.read(lambda connection: connection.execute(sa.select(tables.settings)).all())
    assert tuple(row) == ("general.log_days", "10", utc_seconds(clock), "bert")


async def test_one_save_is_one_change_event_that_names_what_changed(store: Store) -> None:
    settings = await Settings.load(store)
    with settings.changes.listen() as news:
        values = {"general.log_days": 9, "connectivity.http_port": 80, "connectivity.client_timeout_s": 30}
        change = await settings.change(values, by="anna")
        await settings.change({"general.log_days": 9}, by="anna")  # nothing new: no event
        await settings.change({"general.log_days": 8}, by="bert")
        seen = [await news.receive() for _ in range(2)]
    assert change == SettingsChange(
        frozenset({"general.log_days", "connectivity.http_port"}), "anna", frozenset({"connectivity.http_port"})
    )
    assert seen == [change, SettingsChange(frozenset({"general.log_days"}), "bert", frozenset())]


async def test_whoever_waits_for_a_tab_is_woken_by_its_changes_only(store: Store) -> None:
    settings = await Settings.load(store)
    woken: list[GeneralTab] = []

    async def wait() -> None:
        woken.append(await settings.watch(GeneralTab).wait_change())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        await settings.change({"performance.adaptive": False}, by="anna")
        await trio.testing.wait_all_tasks_blocked()
        assert woken == []
        await settings.change({"general.log_days": 9}, by="anna")
    assert [tab.log_days for tab in woken] == [9]


async def test_one_wrong_value_changes_nothing_anywhere(store: Store) -> None:
    settings = await Settings.load(store)
    with settings.changes.listen() as news, pytest.raises(Fault) as caught:
        await settings.change({"general.log_days": 9, "connectivity.http_port": 70000}, by="anna")
    assert caught.value.field == "connectivity.http_port"
    assert settings.get("general.log_days") == 3
    assert (await Settings.load(store)).get("general.log_days") == 3
    with trio.move_on_after(0.01) as scope:
        await news.receive()
    assert scope.cancelled_caught


async def test_a_form_gets_all_faults_at_once(store: Store) -> None:
    settings = await Settings.load(store)
    values = {
        "general.log_days": 0,
        "connectivity.http_port": 70000,
        "general.nothing": 1,
        "performance.adaptive": 1,
    }
    faults = settings.validate(values)
    assert [(fault.code, fault.field) for fault in faults] == [
        ("invalid_setting", "general.log_days"),
        ("invalid_setting", "connectivity.http_port"),
        ("unknown_setting", "general.nothing"),
        ("invalid_setting", "performance.adaptive"),
    ]
    assert settings.validate({"performance.adaptive": True}) == []


async def test_an_unknown_key_names_those_near_it(store: Store) -> None:
    settings = await Settings.load(store)
    for key, near in [
        ("general.servername", "general.server_name"),
        ("http_port", "connectivity.http_port"),
        ("xyzzy", "general, connectivity, performance, recording"),
    ]:
        with pytest.raises(Fault, match="There is no setting") as caught:
            await settings.change({key: 1}, by="anna")
        assert near in caught.value.hint
        with pytest.raises(Fault, match="There is no setting"):
            settings.get(key)


async def test_both_ports_cannot_be_off_or_the_same(store: Store) -> None:
    settings = await Settings.load(store)
    for http, https in [(0, 0), (9000, 9000)]:
        with pytest.raises(Fault) as caught:
            await settings.change({"connectivity.http_port": http, "connectivity.https_port": https}, by="anna")
        assert caught.value.field == "connectivity.https_port"
    await settings.change({"connectivity.http_port": 8082, "connectivity.https_port": 8081}, by="anna")  # swapped


async def test_two_changes_at_once_cannot_add_up_to_what_neither_may_do(store: Store) -> None:
    settings = await Settings.load(store)
    refused: list[Fault] = []

    async def change(key: str) -> None:
        try:
            await settings.change({key: 9000}, by="anna")
        except Fault as fault:
            refused.append(fault)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(change, "connectivity.http_port")
        nursery.start_soon(change, "connectivity.https_port")
    assert len(refused) == 1
    assert settings.tab(ConnectivityTab).problems() == []
    assert (await Settings.load(store)).tab(ConnectivityTab) == settings.tab(ConnectivityTab)


async def test_a_key_of_a_newer_program_is_left_alone(store: Store) -> None:
    await stored(store, general__hologram=True, newtab__x=[1])
    settings = await Settings.load(store)
    await settings.change({"general.log_days": 9}, by="anna")
    keys = await store.read(lambda connection: connection.execute(sa.select(tables.settings.c.key)).scalars().all())
    assert set(keys) == {"general.hologram", "newtab.x", "general.log_days"}


@pytest.mark.parametrize("value", [70000, "x", None, "raw:{not json", "raw:" + "9" * 5000])
async def test_a_stored_value_out_of_range_gives_the_default_and_a_warning(
    store: Store, value: object, caplog: pytest.LogCaptureFixture
) -> None:
    await stored(store, connectivity__http_port=value, general__log_days=9)
    with caplog.at_level(logging.WARNING):
        settings = await Settings.load(store)
    assert settings.get("connectivity.http_port") == 8081
    assert settings.get("general.log_days") == 9
    assert "connectivity.http_port" in caplog.text


@pytest.mark.parametrize(("http", "https"), [(9000, 9000), (8082, 8082), (0, 0)])
async def test_stored_values_that_do_not_go_together_give_ones_that_do(
    store: Store, http: int, https: int, caplog: pytest.LogCaptureFixture
) -> None:
    await stored(store, connectivity__http_port=http, connectivity__https_port=https)
    settings = await Settings.load(store)
    assert settings.tab(ConnectivityTab).problems() == []
    assert "connectivity" in caplog.text


async def test_a_full_disk_leaves_the_values_in_force(store: Store) -> None:
    settings = await Settings.load(store)
    await store.write(lambda connection: connection.exec_driver_sql("PRAGMA max_page_count = 1"))
    with pytest.raises(Fault, match="no room"):
        await settings.change(
            {"general.description": "x" * 500, **dict.fromkeys(["general.log_days"], 9)}, by="x" * 99999
        )
    assert settings.get("general.log_days") == 3


def test_the_description_of_all_tabs_is_json_and_complete() -> None:
    tabs = json.loads(json.dumps(Settings.describe()))
    described = {entry["key"]: entry for tab in tabs for entry in tab["settings"]}
    assert described.keys() == KEYS.keys()
    assert all(entry["hint"] for entry in described.values())
    port = described["connectivity.http_port"]
    assert port["schema"] == {
        "type": "integer",
        "anyOf": [{"const": 0}, {"minimum": 1, "maximum": 65535}],
        "default": 8081,
    }
    assert port["restart"] is True
    assert described["connectivity.client_timeout_s"]["unit"] == "s"
    assert described["general.log_days"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 365, "default": 3}
