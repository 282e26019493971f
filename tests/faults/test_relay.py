"""The long way of the fault tests is what it says: late, in order, and with room for so much and no more."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

import pytest
import trio

from tests.peers.relay import KERNEL_ROOM, ROOM, Relay

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

DELAY_S, JITTER_S = 0.1, 0.05


async def listening(nursery: trio.Nursery, handler: Callable[[trio.SocketStream], Awaitable[object]]) -> int:
    """The port of a server whose connections are given to ``handler``."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, handler, [listener])
    port: int = listener.socket.getsockname()[1]
    return port


async def test_what_goes_through_comes_late_and_in_order() -> None:
    data = random.Random(3).randbytes(3 * ROOM)
    took: list[float] = []

    async def echo(stream: trio.SocketStream) -> None:
        async for piece in stream:
            await stream.send_all(piece)

    async with trio.open_nursery() as nursery:
        port = await listening(nursery, echo)
        relay: Relay = await nursery.start(Relay("127.0.0.1", port, DELAY_S, JITTER_S).run)
        with trio.fail_after(10):
            async with await trio.open_tcp_stream("127.0.0.1", relay.at) as stream:
                for _ in range(5):
                    began = trio.current_time()
                    await stream.send_all(b"!")
                    assert await stream.receive_some(1) == b"!"
                    took.append(trio.current_time() - began)
                back = bytearray()

                async def read() -> None:
                    async for piece in stream:
                        back.extend(piece)
                    done.set()

                done = trio.Event()
                nursery.start_soon(read)
                await stream.send_all(data)
                await stream.send_eof()
                await done.wait()
        nursery.cancel_scope.cancel()
    assert hashlib.sha256(back).digest() == hashlib.sha256(data).digest()
    assert min(took) > 2 * (DELAY_S - JITTER_S)
    assert max(took) > 2 * DELAY_S - JITTER_S
    assert max(took) - min(took) > 0.005  # it is not always the same


async def test_who_sends_more_than_is_read_has_to_wait_and_a_stall_ends() -> None:
    reading, read = trio.Event(), trio.Event()
    heard = 0

    async def late(stream: trio.SocketStream) -> None:
        nonlocal heard
        await reading.wait()
        async for piece in stream:
            heard += len(piece)
        read.set()

    async with trio.open_nursery() as nursery:
        port = await listening(nursery, late)
        relay: Relay = await nursery.start(Relay("127.0.0.1", port, 0.05).run)
        async with await trio.open_tcp_stream("127.0.0.1", relay.at) as stream:
            sent = 0
            relay.stall(0.5)
            with trio.move_on_after(0.4) as waited:
                while True:
                    await stream.send_all(bytes(4096))
                    sent += 4096
            assert waited.cancelled_caught
            assert relay.most_held == ROOM
            ours = stream.getsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_SNDBUF)
            assert ROOM <= sent < ROOM + 4 * KERNEL_ROOM + ours
            with trio.fail_after(5):
                reading.set()
                await stream.send_all(bytes(ROOM))
                await stream.send_eof()
                await read.wait()
        nursery.cancel_scope.cancel()
    assert heard == pytest.approx(sent + ROOM, abs=4096)  # the piece that was being sent may have gone in part
