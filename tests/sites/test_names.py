"""Names are looked up once for all who ask, in few threads, and the slow ones do not keep the others waiting."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import trio

from appliance.sites.names import AGAIN_AT_ONCE, AT_ONCE, KEPT_S, SLOW_S, Names, is_no_answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ANSWER = [(socket.AF_INET, "192.0.2.9")]
PATIENCE_S = 10.0


class Server:
    """A name server.  Names that begin with ``silent`` it answers when told to, others at once."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.failing: dict[str, int] = {}  # names, and the error that they are
        self._held: dict[str, threading.Event] = {}

    def __call__(self, host: bytes, port: int, **more: Any) -> list[tuple[Any, ...]]:
        assert (port, more) == (0, {"type": socket.SOCK_STREAM})
        name = host.decode()
        self.asked[name] += 1
        if name.startswith("silent"):
            assert self._held.setdefault(name, threading.Event()).wait(PATIENCE_S)
        if name in self.failing:
            raise socket.gaierror(self.failing[name], "as the test wants it")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.9", port))]

    def answer(self, name: str) -> None:
        self._held.setdefault(name, threading.Event()).set()

    def silence(self, name: str) -> None:
        self._held[name] = threading.Event()

    def close(self) -> None:
        for held in list(self._held.values()):
            held.set()


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


@asynccontextmanager
async def asking(names: Names, *hosts: str) -> AsyncIterator[list[Any]]:
    """They are asked for, each by a task of its own, until the block ends; its value is what was told."""
    told: list[Any] = []

    async def ask(host: str) -> None:
        try:
            told.append(await names.addresses(host))
        except OSError as error:
            told.append(error)

    async with trio.open_nursery() as nursery:
        for host in hosts:
            nursery.start_soon(ask, host)
        await trio.testing.wait_all_tasks_blocked()
        yield told
        nursery.cancel_scope.cancel()


async def until(holds: Any) -> None:
    """Threads take real time."""
    with trio.fail_after(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 (a thread changes it)
            await trio.sleep(0.005)


class Time:
    """What the test says it is."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_all_who_ask_share_one_lookup_and_the_next_who_asks_gets_another(server: Server) -> None:
    names = Names(server)
    async with asking(names, *["silent.lan"] * 30) as told:
        await until(lambda: server.asked["silent.lan"] == 1)
        assert names.running == 1
        server.answer("silent.lan")
        await until(lambda: len(told) == 30)
    assert told == [ANSWER] * 30
    assert await names.addresses("silent.lan") == ANSWER
    assert server.asked["silent.lan"] == 2  # a camera may get another address at any time


async def test_an_address_is_nobodys_to_look_up(server: Server) -> None:
    names = Names(server)
    assert await names.addresses("192.0.2.1") == [(socket.AF_INET, "192.0.2.1")]
    assert await names.addresses("2001:db8::1") == [(socket.AF_INET6, "2001:db8::1")]
    assert not server.asked


async def test_each_who_asks_is_told_of_a_failure(server: Server) -> None:
    names = Names(server)
    server.failing["silent.lan"] = socket.EAI_NONAME
    async with asking(names, "silent.lan", "silent.lan") as told:
        server.answer("silent.lan")
        await until(lambda: len(told) == 2)
    assert [error.errno for error in told] == [socket.EAI_NONAME] * 2
    assert told[0] is not told[1]  # a traceback of its own
    assert not is_no_answer(told[0])


async def test_who_gave_up_and_asks_again_gets_no_second_thread(server: Server) -> None:
    names = Names(server)
    for _ in range(5):
        async with asking(names, "silent.lan", "silent.lan"):
            pass
    await until(lambda: server.asked["silent.lan"] == 1)
    assert names.running == 1
    async with asking(names, "silent.lan") as told:
        server.answer("silent.lan")
        await until(lambda: told)
    assert told == [ANSWER]
    assert server.asked["silent.lan"] == 1


@pytest.mark.parametrize("error", [None, socket.EAI_NONAME, socket.EAI_AGAIN])
async def test_an_answer_that_comes_too_late_is_used_by_the_next_who_asks(server: Server, error: int | None) -> None:
    time = Time()
    names = Names(server, time)
    if error is not None:
        server.failing["silent.lan"] = error
    for passed in (KEPT_S - 1, KEPT_S + 1):
        server.silence("silent.lan")
        before = server.asked["silent.lan"]
        async with asking(names, "silent.lan"):
            await until(lambda before=before: server.asked["silent.lan"] == before + 1)
        server.answer("silent.lan")
        await until(lambda: names.running == 0)
        time.now += passed
        async with asking(names, "silent.lan") as told:
            await until(lambda told=told: told)
        assert told == [ANSWER] or told[0].errno == error
        kept = error != socket.EAI_AGAIN and passed < KEPT_S  # that nobody answered says nothing of the next time
        assert server.asked["silent.lan"] - before == (1 if kept else 2)


async def test_so_many_threads_and_no_more_and_who_leaves_the_queue_is_never_asked_for(server: Server) -> None:
    names = Names(server)
    hosts = [f"silent{number}.lan" for number in range(AT_ONCE + 10)]
    async with asking(names, *hosts) as told:
        await until(lambda: server.asked.total() == AT_ONCE)
        async with asking(names, "camera.lan") as also:  # all threads hang
            await trio.sleep(0.05)
            assert (also, names.running) == ([], AT_ONCE)
        async with asking(names, "other.lan") as also:
            for host in list(server.asked)[:2]:
                server.answer(host)
            await until(lambda: len(told) == 2)
            await until(lambda: server.asked.total() == AT_ONCE + 2)
            assert names.running == AT_ONCE
            assert not also  # it is not its turn yet
            for host in hosts:
                server.answer(host)
            await until(lambda: len(told) == len(hosts) and also)
    assert server.asked["camera.lan"] == 0
    assert max(server.asked.values()) == 1


async def test_names_that_were_not_answered_leave_threads_to_the_others(server: Server) -> None:
    time = Time()
    names = Names(server, time)
    hosts = [f"silent{number}.lan" for number in range(AT_ONCE)]
    async with asking(names, *hosts) as told:
        await until(lambda: server.asked.total() == AT_ONCE)
        time.now += SLOW_S + 5  # as the system gives up
        for host in hosts:
            server.failing[host] = socket.EAI_AGAIN
            server.answer(host)
        await until(lambda: len(told) == AT_ONCE)
    assert all(is_no_answer(error) for error in told)
    for host in hosts:
        server.silence(host)
    async with asking(names, *hosts):  # a second later
        await until(lambda: server.asked.total() == AT_ONCE + AGAIN_AT_ONCE)
        assert names.running == AGAIN_AT_ONCE
        for number in range(5):
            with trio.fail_after(2):
                assert await names.addresses(f"camera{number}.lan") == ANSWER
        # the name server is back: one after the other is answered, and is an ordinary name again
        server.failing.clear()
        for host in hosts:
            server.answer(host)
        await until(lambda: names.running == 0)
    for host in hosts:
        server.silence(host)
    async with asking(names, *hosts):
        await until(lambda: names.running == AT_ONCE)


def test_an_appliance_that_ends_does_not_wait_for_a_name(server: Server) -> None:
    names = Names(server)

    async def ask() -> None:
        with trio.move_on_after(0.05):
            await names.addresses("silent.lan")

    trio.run(ask)
    assert server.asked["silent.lan"] == 1
    server.answer("silent.lan")  # the thread finds nobody to tell, and says nothing
