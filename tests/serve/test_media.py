"""The way past Hypercorn: whole frames in order whatever else is sent, and nothing corrupt when it is cut short."""

from __future__ import annotations

import socket
import ssl
import struct
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import trio
from quart import websocket

from appliance.serve.connection import Connection, ConnectionLimits, Policy, current_connection
from appliance.serve.frames import Opcode, frame_header
from appliance.serve.guard import MessageLimits
from tests.serve.support import Certificates, Raw, connected, make_app, masked, serving, upgrade

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from appliance.serve.runner import Bound

SECURE = pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
PAYLOAD = bytes(range(256)) * 80


def numbered(number: int) -> bytes:
    payload = struct.pack("!I", number) + PAYLOAD
    return frame_header(len(payload)) + payload


async def push(connection: Connection, data: bytes) -> None:
    """As the fan-out does it: at once if it fits, the rest in its turn."""
    taken = connection.try_send(data)
    if taken < len(data) or connection.has_pending:
        async with connection.send_lock:
            await connection.flush()
            if taken < len(data):
                await connection.send_all(memoryview(data)[taken:])


@asynccontextmanager
async def lane(
    secure: bool, *, buffer: int | None = None, policy: Policy | None = None
) -> AsyncIterator[tuple[Connection, Raw, Bound]]:
    """A WebSocket's two ends: the server's connection, and a client that reads what it is told to."""
    tls = Certificates() if secure else None
    app = make_app()
    opened: list[Connection] = []

    @app.websocket("/media")
    async def media() -> None:
        await websocket.accept()
        connection = current_connection.get()
        connection.prepare_for_media()
        opened.append(connection)
        while True:
            await websocket.receive()

    async with serving(app, tls, policy=policy) as bound:
        port = (bound.https_ports if tls else bound.http_ports)[0]
        async with connected(port, tls.client() if tls else None) as client:
            if buffer is not None:
                stream: Any = client.stream
                (stream.transport_stream if secure else stream).setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            await client.send(upgrade("/media"))
            await client.until(b"\r\n\r\n")
            assert await client.frame() == (0x89, b""), "Hypercorn's first ping"
            while not opened:
                await trio.lowlevel.checkpoint()
            yield opened[0], client, bound


@SECURE
async def test_five_hundred_frames_arrive_in_order_with_pongs_in_between(secure: bool) -> None:
    pongs: list[bytes] = []
    numbers: list[int] = []

    many_pings = Policy(ConnectionLimits(messages=MessageLimits(controls_per_s=1000)))
    async with (
        lane(secure, buffer=65_536, policy=many_pings) as (connection, client, _),
        trio.open_nursery() as nursery,
    ):

        async def send() -> None:
            for number in range(500):
                await push(connection, numbered(number))

        async def ping() -> None:
            for number in range(50):
                await client.send(masked(9, b"%d" % number))
                await trio.sleep(0.01)

        nursery.start_soon(send)
        nursery.start_soon(ping)
        while len(numbers) < 500 or len(pongs) < 50:
            first, payload = await client.frame()
            if first == 0x8A:
                pongs.append(payload)
            elif first == 0x82:
                assert payload[4:] == PAYLOAD
                numbers.append(struct.unpack("!I", payload[:4])[0])
                if len(numbers) % 20 == 0:
                    await trio.sleep(0.02)  # now the sender's socket is full
            else:
                assert first == 0x89
                assert payload == b""
    assert numbers == list(range(500))
    assert pongs == [b"%d" % number for number in range(50)]


async def fill(connection: Connection, frame: bytes) -> tuple[int, int]:
    """Send without waiting until no more goes; gives how many whole frames went and how much of the next."""
    for whole in range(10_000):
        while connection.send_lock.locked():  # the task that sent the ping is not through
            await trio.lowlevel.checkpoint()
        taken = connection.try_send(frame)
        if taken < len(frame) or connection.has_pending:
            return whole, taken
        await trio.lowlevel.checkpoint()
    raise AssertionError("the socket is never full")


@SECURE
async def test_sending_without_waiting_ends_when_the_socket_is_full(secure: bool) -> None:
    frame = numbered(1) * 3
    async with lane(secure, buffer=65_536) as (connection, client, _):
        whole, taken = await fill(connection, frame)
        assert connection.unsent() > 0
        assert connection.try_send(b"more") == 0
        if secure:
            assert connection.has_pending
            assert taken == len(frame), "TLS takes all or nothing"
        async with trio.open_nursery() as nursery:

            async def finish() -> None:
                async with connection.send_lock:
                    await connection.flush()
                    assert not connection.has_pending
                    await connection.send_all(memoryview(frame)[taken:])

            nursery.start_soon(finish)
            assert await client.exactly(len(frame) * (whole + 1)) == frame * (whole + 1)
        assert connection.try_send(b"more") == 4


@SECURE
async def test_nothing_of_hypercorns_lands_inside_a_frame_that_is_half_sent(secure: bool) -> None:
    """The pong is ready before the rest of the frame is; it has to wait."""
    frame = numbered(7) * 3
    async with lane(secure, buffer=65_536) as (connection, client, _):
        whole, taken = await fill(connection, frame)
        await client.send(masked(9, b"ping"))
        await trio.sleep(0.05)
        async with trio.open_nursery() as nursery:

            async def finish() -> None:
                await trio.sleep(0.05)
                async with connection.send_lock:
                    await connection.flush()
                    await connection.send_all(memoryview(frame)[taken:])

            nursery.start_soon(finish)
            assert await client.exactly(len(frame) * (whole + 1)) == frame * (whole + 1)
            assert await client.message() == (Opcode.PONG, b"ping")


@SECURE
async def test_a_send_cancelled_in_the_middle_ends_the_connection(secure: bool) -> None:
    frame = numbered(3) * 100
    async with lane(secure, buffer=65_536) as (connection, client, bound):
        async with connection.send_lock:
            with trio.move_on_after(0.05) as scope:
                while True:
                    await connection.send_all(frame)
            assert scope.cancelled_caught
        assert connection.fileno() == -1
        with pytest.raises((trio.BrokenResourceError, trio.ClosedResourceError)):
            connection.try_send(b"more")
        with pytest.raises((trio.BrokenResourceError, trio.ClosedResourceError)):
            await connection.send_all(b"more")
        with trio.fail_after(3):
            await bound.connections.wait_none()
        received = await client.end()
        position, size = 0, len(numbered(3))
        while position + size <= len(received):
            assert received[position : position + size] == numbered(3)
            position += size
        assert numbered(3).startswith(received[position:])


async def test_an_owner_that_cannot_finish_its_frame_ends_the_connection() -> None:
    frame = numbered(3) * 3
    async with lane(secure=False, buffer=65_536) as (connection, _, bound):
        _, taken = await fill(connection, frame)
        assert 0 < taken < len(frame)
        async with connection.send_lock:
            with trio.CancelScope() as scope:
                scope.cancel()
                await connection.send_all(memoryview(frame)[taken:])
        assert connection.fileno() == -1
        with trio.fail_after(3):
            await bound.connections.wait_none()


@SECURE
async def test_a_send_cancelled_before_its_first_byte_harms_nothing(secure: bool) -> None:
    async with lane(secure) as (connection, client, _):
        async with connection.send_lock:
            with trio.CancelScope() as scope:
                scope.cancel()
                await connection.send_all(numbered(1))
            await connection.send_all(numbered(2))
        assert (await client.message())[1][:4] == struct.pack("!I", 2)


@SECURE
async def test_flush_may_be_cancelled_and_asked_for_again(secure: bool) -> None:
    frame = numbered(1) * 3
    async with lane(secure, buffer=65_536) as (connection, client, _):
        whole, taken = await fill(connection, frame)
        with trio.move_on_after(0.05):
            await connection.flush()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(push, connection, b"") if secure else nursery.start_soon(trio.sleep, 0)
            nursery.start_soon(finish_frame, connection, memoryview(frame)[taken:])
            assert await client.exactly(len(frame) * (whole + 1)) == frame * (whole + 1)


async def finish_frame(connection: Connection, rest: memoryview) -> None:
    async with connection.send_lock:
        await connection.flush()
        await connection.send_all(rest)


@SECURE
async def test_abort_closes_at_once_and_tells_the_application(secure: bool) -> None:
    async with lane(secure) as (connection, client, bound):
        connection.abort()
        assert connection.fileno() == -1
        with pytest.raises((trio.BrokenResourceError, trio.ClosedResourceError)):
            connection.try_send(b"x")
        with pytest.raises(trio.ClosedResourceError):
            connection.unsent()
        with trio.fail_after(2):
            await bound.connections.wait_none()
        try:
            await client.end()
        except ssl.SSLError:
            assert secure


@SECURE
async def test_a_client_that_has_gone_is_noticed_by_who_sends(secure: bool) -> None:
    async with lane(secure) as (connection, client, _):
        await trio.aclose_forcefully(client.stream)
        with trio.fail_after(2), pytest.raises((trio.BrokenResourceError, trio.ClosedResourceError)):
            await push_for_ever(connection)


async def push_for_ever(connection: Connection) -> None:
    while True:
        await push(connection, numbered(0))
        await trio.lowlevel.checkpoint()


@SECURE
async def test_a_client_that_reads_nothing_does_not_keep_hypercorns_sends_waiting(secure: bool) -> None:
    policy = Policy(ConnectionLimits(message_send_s=0.3))
    async with lane(secure, buffer=65_536, policy=policy) as (connection, client, bound):
        await fill(connection, numbered(1) * 3)
        await client.send(masked(9, b"ping"))
        with trio.fail_after(3):
            await bound.connections.wait_none()


@SECURE
async def test_a_client_that_is_slow_but_reads_keeps_its_connection(secure: bool) -> None:
    """A pong waits behind a frame for longer than is waited for a client that takes nothing."""
    policy = Policy(ConnectionLimits(message_send_s=0.4))
    frame = numbered(5) * 3
    async with lane(secure, buffer=65_536, policy=policy) as (connection, client, _):
        whole, taken = await fill(connection, frame)

        async def finish() -> None:
            async with connection.send_lock:
                await client.send(masked(9, b"ping"))
                await connection.flush()
                await connection.send_all(memoryview(frame)[taken:])
                for _ in range(20):
                    await connection.send_all(frame)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(finish)
            began = trio.current_time()
            left = len(frame) * (whole + 21)
            while left:
                left -= len(await client.exactly(min(left, len(frame) * (whole + 21) // 15)))
                await trio.sleep(0.06)
        assert await client.message() == (Opcode.PONG, b"ping")
        assert trio.current_time() - began > 0.8


async def test_live_sockets_hold_little_in_the_kernel() -> None:
    async with lane(secure=False) as (connection, _, _):
        with socket.socket(fileno=socket.dup(connection.fileno())) as same:
            assert same.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT) == 16_384
            assert same.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


async def test_what_is_lost_again_and_again_is_soon_sent_again() -> None:
    """Numbers of linux/tcp.h: TCP_THIN_LINEAR_TIMEOUTS, and TCP_RTO_MAX_MS where the kernel has it (6.15)."""
    async with lane(secure=False) as (connection, _, _):
        with socket.socket(fileno=socket.dup(connection.fileno())) as same, socket.socket() as other:
            assert same.getsockopt(socket.IPPROTO_TCP, 16) == 1
            assert other.getsockopt(socket.IPPROTO_TCP, 16) == 0
            try:
                usual_ms = other.getsockopt(socket.IPPROTO_TCP, 44)
            except OSError:
                return  # an older kernel
            assert same.getsockopt(socket.IPPROTO_TCP, 44) == 1000 < usual_ms
