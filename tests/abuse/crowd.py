"""Clients in numbers: good viewers who miss nothing, and sockets from many addresses of this machine."""

from __future__ import annotations

import json
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import trio
import trio_websocket

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.fmp4_read import read_samples
from tests.cli.program import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.abuse.conftest import Served

PATIENCE_S = 30.0
#: New connections from one address at once; see appliance.serve.limits.
AT_ONCE = 50
SMALL = b'{"type":"want","width":320,"height":180}'
LARGE = b'{"type":"want","width":1920,"height":1080}'
FPS = 10


def address(number: int) -> str:
    """One of this machine's own addresses for the n-th connection, so many from each that none has to wait."""
    return f"127.0.{10 + number // AT_ONCE // 250}.{1 + number // AT_ONCE % 250}"


async def reach(port: int, source: str, *, window: int = 0) -> trio.SocketStream:
    """A connection that comes from ``source``, with a small window if wanted."""
    sock = trio.socket.socket()
    try:
        if window:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        await sock.bind((source, 0))
        await sock.connect((LOOPBACK, port))
    except BaseException:
        sock.close()
        raise
    return trio.SocketStream(sock)


@dataclass
class Viewer:
    """A good viewer: it reads, and notes what it did not get."""

    pictures: int = 0
    gaps: int = 0  # pictures that do not follow on the one before
    told: list[str] = field(default_factory=list)  # of what was left out, or of the end
    longest_s: float = 0.0  # without a picture
    _dts: int = 0
    _at: float = 0.0

    async def watch(self, client: trio_websocket.WebSocketConnection) -> None:
        while True:
            message = await client.get_message()
            if isinstance(message, str):
                if json.loads(message)["type"] in ("dropped", "error"):
                    self.told.append(message)
            elif message[4:8] == b"moof":
                (sample,) = read_samples(message)
                if self._dts:
                    self.gaps += abs(sample.dts - self._dts - TICKS_PER_SECOND // FPS) > TICKS_PER_SECOND // FPS // 2
                    self.longest_s = max(self.longest_s, trio.current_time() - self._at)
                self._dts, self._at = sample.dts, trio.current_time()
                self.pictures += 1


@asynccontextmanager
async def viewers(served: Served, count: int) -> AsyncIterator[list[Viewer]]:
    """So many good viewers of the small stream, all with a picture when the block begins."""
    found = [Viewer() for _ in range(count)]
    async with trio.open_nursery() as nursery:
        for number, viewer in enumerate(found):
            nursery.start_soon(_watch, served, f"127.0.9.{1 + number // 25}", viewer)
        await until(lambda: all(viewer.pictures > FPS for viewer in found))
        for viewer in found:
            viewer.longest_s = 0.0
        yield found
        nursery.cancel_scope.cancel()


async def _watch(served: Served, source: str, viewer: Viewer) -> None:
    async with open_live(served, source) as client:
        await client.send_message(SMALL)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(viewer.watch, client)
            while True:
                await client.send_message('{"type":"stats","buffer_s":0.2}')
                await trio.sleep(1)


@asynccontextmanager
async def open_live(
    served: Served, source: str, *, window: int = 0
) -> AsyncIterator[trio_websocket.WebSocketConnection]:
    plain = await reach(served.server.port, source, window=window)
    secure = trio.SSLStream(plain, served.trust(), server_hostname=LOOPBACK, https_compatible=True)
    headers = [(b"Authorization", f"Bearer {served.server.token}".encode())]
    try:
        async with trio.open_nursery() as nursery:
            wrap = partial(trio_websocket.wrap_client_stream, extra_headers=headers, message_queue_size=1000)
            with trio.fail_after(PATIENCE_S):
                client = await wrap(nursery, secure, f"{LOOPBACK}:{served.server.port}", served.live)
            yield client
            nursery.cancel_scope.cancel()
    finally:
        await trio.aclose_forcefully(secure)


async def until(holds: Callable[[], bool], within_s: float = PATIENCE_S) -> None:
    with trio.fail_after(within_s):
        while not holds():  # noqa: ASYNC110  (nobody tells a test)
            await trio.sleep(0.05)


def untouched(crowd: list[Viewer], pictures: int) -> None:
    """Each of them got so many more pictures, one after the other, and was told of nothing."""
    print(f"{len(crowd)} viewers, longest without a picture {max(viewer.longest_s for viewer in crowd):.2f} s")
    assert min(viewer.pictures for viewer in crowd) >= pictures
    assert [viewer.told for viewer in crowd if viewer.told] == []
    assert sum(viewer.gaps for viewer in crowd) == 0
