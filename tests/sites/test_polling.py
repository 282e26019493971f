"""Cameras that are read at the same moments."""

from __future__ import annotations

import socket
from contextlib import AsyncExitStack, ExitStack
from typing import TYPE_CHECKING

import pytest
import trio

from appliance.base.clock import SystemClock
from appliance.sites.polling import MANY, PERIOD_S, Poller
from appliance.sites.rtsp.source import open_rtsp
from appliance.sites.source import SourceError, Trouble
from tests.sites.rtsp.camera import IDR, P, ScriptedCamera
from tests.sites.rtsp.real import at, listening
from tests.sites.rtsp.talk import PPS, SPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from appliance.sites.polling import Polled


async def until(holds: Callable[[], bool]) -> None:
    with trio.fail_after(20):
        while not holds():  # noqa: ASYNC110  (nobody tells a test)
            await trio.sleep(0.001)


class Row:
    """Polled sockets, real ones; how many moments there have been."""

    def __init__(self, count: int, stack: ExitStack) -> None:
        self.poller = Poller()
        stack.callback(self.poller.close)
        self.moments = 0
        self.theirs: list[socket.socket] = []
        self.polled: list[Polled] = []
        for _ in range(count):
            ours, theirs = (stack.enter_context(each) for each in socket.socketpair())
            ours.setblocking(False)
            self.theirs.append(theirs)
            self.polled.append(self.poller.register(ours))
        due = self.poller._due

        def counted() -> Iterator[Polled]:
            self.moments += 1
            return due()

        self.poller._due = counted  # type: ignore[method-assign]


@pytest.fixture
def row() -> Iterator[Row]:
    with ExitStack() as stack:
        yield Row(3 * MANY, stack)


async def test_all_that_sent_something_are_read_at_the_same_moment(row, nursery) -> None:
    heard: list[tuple[int, bytes | None]] = []

    async def listen(polled: Polled) -> None:
        while True:
            data = await polled.receive_some(100)
            heard.append((row.moments, data))

    nursery.start_soon(row.poller.run)
    for polled in row.polled:
        nursery.start_soon(listen, polled)
    for n in range(3):
        await trio.testing.wait_all_tasks_blocked()
        for theirs in row.theirs:
            theirs.send(b"%d" % n)
        await until(lambda n=n: len(heard) == (n + 1) * len(row.polled))
    for n in range(3):
        moments = {moment for moment, data in heard if data == b"%d" % n}
        assert len(moments) == 1, heard


async def test_what_one_read_left_behind_is_read_at_once(row, nursery) -> None:
    nursery.start_soon(row.poller.run)
    row.theirs[0].send(b"x" * 350)
    sizes, moments = [], []
    with trio.fail_after(5):
        for _ in range(4):
            sizes.append(len(await row.polled[0].receive_some(100) or b""))
            moments.append(row.moments)
    assert sizes == [100, 100, 100, 50]
    assert len(set(moments)) == 1
    row.theirs[0].send(b"y" * 100)
    with trio.fail_after(5):
        assert await row.polled[0].receive_some(100) == b"y" * 100
        assert (
            await row.polled[0].receive_some(100, trio.current_time() + 60) is None
        )  # it might have been, and was not


async def test_the_end_and_a_broken_connection_are_told(row, nursery) -> None:
    nursery.start_soon(row.poller.run)
    row.theirs[0].shutdown(socket.SHUT_WR)
    ours, theirs = await tcp_pair()
    with ours, theirs:
        polled = row.poller.register(ours)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        theirs.close()
        with trio.fail_after(5):
            assert await row.polled[0].receive_some(100) == b""
            with pytest.raises(ConnectionResetError):
                await polled.receive_some(100)
        polled.leave()


async def tcp_pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        theirs = socket.create_connection(server.getsockname())
        ours, _ = server.accept()
    ours.setblocking(False)
    return ours, theirs


async def test_a_deadline_ends_a_wait_and_nothing_is_lost(row, nursery) -> None:
    nursery.start_soon(row.poller.run)
    with trio.fail_after(5):
        assert await row.polled[0].receive_some(100, trio.current_time() + 0.01) is None
        row.theirs[0].send(b"late")
        assert await row.polled[0].receive_some(100, trio.current_time() + 60) == b"late"


async def test_who_gives_up_waiting_can_wait_again_and_only_one_can_at_a_time(row, nursery) -> None:
    nursery.start_soon(row.poller.run)
    with trio.move_on_after(0.01) as scope:
        await row.polled[0].receive_some(100)
    assert scope.cancelled_caught
    nursery.start_soon(row.polled[0].receive_some, 100)
    await trio.testing.wait_all_tasks_blocked()
    with pytest.raises(trio.BusyResourceError):
        await row.polled[0].receive_some(100)
    row.theirs[0].send(b"x")
    await until(lambda: not row.polled[0].is_awaited)


async def test_with_few_there_are_no_moments_but_who_waits_is_not_forgotten(row, nursery) -> None:
    nursery.start_soon(row.poller.run)
    assert row.polled[0].is_active
    heard: list[bytes | None] = []

    async def listen() -> None:
        heard.append(await row.polled[0].receive_some(100))

    nursery.start_soon(listen)
    await trio.testing.wait_all_tasks_blocked()
    for polled in row.polled[MANY - 1 :]:
        polled.leave()
    assert not row.polled[0].is_active
    row.theirs[0].send(b"x")
    await until(lambda: bool(heard))
    await trio.sleep(2 * PERIOD_S)  # the one under way ends
    moments = row.moments
    await trio.sleep(5 * PERIOD_S)
    assert row.moments == moments
    assert heard == [b"x"]


async def test_with_few_a_deadline_ends_a_wait_too_and_a_closed_socket_is_told(row, nursery) -> None:
    nursery.start_soon(row.poller.run)
    for polled in row.polled[MANY - 1 :]:
        polled.leave()
    first = row.polled[0]
    assert not first.is_active
    with trio.fail_after(5):
        assert await first.receive_some(100, trio.current_time() + 0.01) is None
        row.theirs[0].send(b"late")
        assert await first.receive_some(100, trio.current_time() + 60) == b"late"

    async def close() -> None:
        await trio.testing.wait_all_tasks_blocked()
        trio.lowlevel.notify_closing(first.fd)

    first.give_up()  # nobody waits: it is not taken for the end of the next wait
    nursery.start_soon(close)
    with trio.fail_after(5), pytest.raises(trio.ClosedResourceError):
        await first.receive_some(100)


async def test_a_socket_that_is_left_while_others_read_is_passed_over(row, nursery) -> None:
    """All have something to read; the first of a later turn is left during the first turn."""
    nursery.start_soon(row.poller.run)
    heard = []

    async def listen(number: int) -> None:
        await row.polled[number].receive_some(100)
        heard.append(number)
        if number == 0:
            row.polled[-1].leave()

    for number in range(len(row.polled) - 1):
        nursery.start_soon(listen, number)
    for theirs in row.theirs:
        theirs.send(b"x")
    await until(lambda: len(heard) == len(row.polled) - 1)
    assert sorted(heard) == list(range(len(row.polled) - 1))


async def test_real_connections_are_polled_and_their_troubles_are_their_own(nursery) -> None:
    """Five good cameras, one that hangs up, one that falls silent, all over TCP."""

    async def media(camera: ScriptedCamera) -> None:
        await camera.pictures(60, every_s=0.1)

    async def short(camera: ScriptedCamera) -> None:
        await camera.picture(SPS, 0, PPS, IDR)
        await camera.stream.aclose()

    async def silent(camera: ScriptedCamera) -> None:
        await camera.picture(SPS, 0, PPS, IDR)
        await camera.picture(P, 9000)
        await trio.sleep_forever()

    poller = Poller()
    cameras = [ScriptedCamera(nursery, media=each) for each in [media] * 5 + [short, silent]]
    counts, ends = [0] * len(cameras), [""] * len(cameras)

    async def watch(number: int, port: int) -> None:
        try:
            async with open_rtsp(at(port), SystemClock(), audio=False, poller=poller) as source:
                while counts[number] < 50:
                    units = await source.receive()  # apart: += reads the count before it waits
                    counts[number] += len(units)
            ends[number] = "left"
        except SourceError as error:
            ends[number] = error.trouble

    async with trio.open_nursery() as running:
        running.start_soon(poller.run)
        async with AsyncExitStack() as stack:
            watching = await stack.enter_async_context(trio.open_nursery())
            for number, camera in enumerate(cameras):
                watching.start_soon(watch, number, await stack.enter_async_context(listening(camera)))
            await until(lambda: all(counts))
            assert poller.is_active
            await until(lambda: all(ends))
        running.cancel_scope.cancel()
    assert not poller.is_active
    poller.close()
    assert counts[:5] == [50] * 5
    assert counts[5:] == [1, 2]
    assert ends == ["left"] * 5 + [Trouble.CAMERA_LOST, Trouble.TIMEOUT]
    assert all(camera.methods[-1] == "TEARDOWN" for camera in cameras[:5])
