"""The whole, put together and taken apart: what fails is named, what was begun is undone."""

from __future__ import annotations

import logging
import os
import socket
import threading
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import trio

from appliance import compose as composition
from appliance.auth.passwords import Cost
from appliance.base.faults import Fault
from appliance.cli.api import open_api
from appliance.cli.serving import leaves
from appliance.compose import Options, Outside, compose, offline
from appliance.status import watches
from appliance.store import open_store_directly
from appliance.workers import pool as pool_module

if TYPE_CHECKING:
    from collections.abc import Callable

CHEAP = Outside(password_cost=Cost(memory_kib=8, passes=1))


def options(folder: Path, **more) -> Options:
    return Options(folder, **{"bind": "127.0.0.1", "http": "auto", "https": "auto", "log_to_terminal": False, **more})


async def fault_of(given: Options) -> Fault:
    with pytest.raises((Fault, BaseExceptionGroup)) as caught:
        async with compose(given, CHEAP):
            pytest.fail("it started")
    (fault,) = leaves(caught.value)
    assert isinstance(fault, Fault)
    return fault


async def until(holds: Callable[[], bool]) -> None:
    with trio.fail_after(20):
        while not holds():  # noqa: ASYNC110 (boards and disks tell nobody)
            await trio.sleep(0.02)


def own_children() -> str:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text()


async def test_two_appliances_run_in_one_process(tmp_path: Path) -> None:
    async with compose(options(tmp_path / "a"), CHEAP) as one, compose(options(tmp_path / "b"), CHEAP) as other:
        assert set(one.bound.https_ports).isdisjoint(other.bound.https_ports)
        assert one.ready.fingerprint != other.ready.fingerprint


async def test_a_start_that_fails_late_undoes_what_it_began(tmp_path: Path) -> None:
    """The port is opened last: by then there are a store, logs and workers."""
    others = own_children()
    handlers = logging.getLogger().handlers[:]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        fault = await fault_of(options(tmp_path, https=taken.getsockname()[1]))
    assert fault.code == "port_in_use"
    assert logging.getLogger().handlers == handlers
    with open_store_directly(tmp_path):  # nobody holds it
        pass
    assert own_children() == others
    async with compose(options(tmp_path), CHEAP) as appliance:
        assert appliance.bound.https_ports


async def test_the_first_password_is_that_of_the_first_start_only(tmp_path: Path) -> None:
    async with compose(options(tmp_path), CHEAP) as appliance:
        assert appliance.ready.first is not None
        assert (tmp_path / "first-password").stat().st_mode & 0o777 == 0o600
    async with compose(options(tmp_path), CHEAP) as appliance:
        assert appliance.ready.first is None


async def test_plain_http_alone_is_for_this_machine(tmp_path: Path) -> None:
    async with compose(options(tmp_path, https=0), CHEAP) as appliance:
        assert [url.partition(":")[0] for url in appliance.ready.urls] == ["http"]
        assert appliance.ready.fingerprint is None
    assert (await fault_of(options(tmp_path, https=0, bind=""))).code == "not_encrypted"


async def test_a_disk_that_runs_full_wants_attention_until_it_does_not(tmp_path: Path, monkeypatch) -> None:
    free = 50 << 20
    monkeypatch.setattr(watches, "disk_usage", lambda _: SimpleNamespace(total=1 << 40, free=free))
    async with compose(options(tmp_path), CHEAP) as appliance:
        board = appliance.services.board
        await until(lambda: any(item.code == "disk_full" for item in board.attention))
        (item,) = (item for item in board.attention if item.code == "disk_full")
        assert str(tmp_path) in item.message
        assert "50 MB" in item.message
        assert item.hint


async def test_workers_that_cannot_be_started_want_attention_and_stop_nothing(tmp_path: Path, monkeypatch) -> None:
    def refuse(_fd: int, _hardware: str) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    spawn = pool_module._spawn
    monkeypatch.setattr(pool_module, "_spawn", refuse)
    monkeypatch.setattr(composition, "RETRY_S", 0.05)
    async with compose(options(tmp_path), CHEAP) as appliance:
        board = appliance.services.board
        await until(lambda: any("media worker" in item.message for item in board.attention))
        assert appliance.bound.https_ports
        monkeypatch.setattr(pool_module, "_spawn", spawn)
        await until(lambda: not any("media worker" in item.message for item in board.attention))


async def test_settings_are_obeyed_while_it_runs(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    async with compose(options(tmp_path), CHEAP) as appliance:
        for day in ("2026-01-01", "2026-01-02", "2026-01-03"):
            (logs / f"fanal.log.{day}").touch()
        await appliance.services.settings.change({"general.log_days": 1}, by="a test")
        await until(lambda: sorted(path.name for path in logs.iterdir()) == ["fanal.log", "fanal.log.2026-01-03"])


def test_commands_have_an_appliance_of_their_own_that_ends_with_them(tmp_path: Path) -> None:
    with open_api(tmp_path, offline, may_begin=True) as api:
        assert api.running is False
        assert api.get("admin", "cameras")["cameras"] == []
        assert "offline" in {thread.name for thread in threading.enumerate()}
    assert "offline" not in {thread.name for thread in threading.enumerate()}
    assert not (tmp_path / "control.sock").exists()
    with open_store_directly(tmp_path):
        pass


def test_what_keeps_commands_from_their_appliance_reaches_them_as_a_fault(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_bytes(b"short")
    with pytest.raises(Fault) as caught, offline(tmp_path):
        pass
    assert caught.value.code == "secret_key_damaged"


def test_a_command_that_fails_ends_its_appliance(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), offline(tmp_path):
        raise ZeroDivisionError
    assert "offline" not in {thread.name for thread in threading.enumerate()}


async def test_a_cancelled_start_leaves_nothing(tmp_path: Path) -> None:
    for pause_s in (0.0, 0.05, 0.2):
        with trio.move_on_after(pause_s):
            async with compose(options(tmp_path), CHEAP):
                await trio.sleep_forever()
        opening = partial(open_store_directly, tmp_path)
        with opening():
            pass


@pytest.mark.parametrize("late", [False, True], ids=["while it starts", "just as it has started"])
def test_ctrl_c_while_a_commands_appliance_starts_leaves_none(tmp_path: Path, monkeypatch, late: bool) -> None:
    class Interrupted(SimpleQueue):
        def get(self, block: bool = True, timeout: float | None = None):
            if not block:
                return super().get(block)
            if late:
                self.put(super().get())  # it is there, and the key comes before we have it
            raise KeyboardInterrupt

        def get_nowait(self):
            return self.get(block=False)

    monkeypatch.setattr(composition, "SimpleQueue", Interrupted)
    with pytest.raises(KeyboardInterrupt), offline(tmp_path):
        pass
    assert "offline" not in {thread.name for thread in threading.enumerate()}


async def test_an_empty_metrics_token_lets_nobody_in(tmp_path: Path) -> None:
    (tmp_path / "metrics-token").touch()
    async with compose(options(tmp_path), CHEAP) as appliance:
        assert len(appliance.services.metrics_token.reveal()) > 30
