"""Long answers whose bytes are made in threads: written straight to the connection, past the framework.

One piece is made while the one before is sent; nothing else of the answer is in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import trio

from appliance.base.faults import Fault
from appliance.serve.streams import SLICE

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.serve.connection import Connection

#: Bytes that are made at once.
PIECE: Final = 1 << 20
#: Bytes that are offered to the socket at once, where it can take a part of them.
OFFERED: Final = 4 * SLICE
#: A client that takes nothing for so long is gone, as for any other answer (`ConnectionLimits.send_s`).
PATIENCE_S: Final = 30.0
#: Pieces that are made at once, for all: more would only make the disk seek.
MAKERS: Final = 4


class Content(Protocol):
    """Bytes that can be had from any place on."""

    def cut(self, start: int, most: int) -> int:
        """Where a piece from ``start`` on is best ended, at most ``most`` bytes further."""
        ...

    def read_into(self, out: memoryview, start: int, end: int) -> None:
        """Put the bytes from ``start`` to ``end`` into the beginning of ``out``.  Called in a thread."""
        ...


class Sending:
    """One answer on its way."""

    def __init__(self, connection: Connection, content: Content, start: int, end: int) -> None:
        self._connection = connection
        self._content = content
        self._at, self._end = start, end
        self._rooms = [memoryview(bytearray(min(PIECE, end - start))) for _ in range(2)]
        self._piece = memoryview(b"")

    async def prepare(self, limiter: trio.CapacityLimiter) -> None:
        """Make the first piece, so that what keeps it from being made can still be answered.  Raises that."""
        self._piece = await self._make(self._rooms[0], limiter)

    async def run(self, head: bytes, limiter: trio.CapacityLimiter, count: Callable[[int], None]) -> None:
        """Send head and bytes, once prepared; ``count`` is told of each piece that is sent.

        Raises groups: of what making a piece raises, `trio.TooSlowError` where the client takes nothing,
        `trio.BrokenResourceError`, `trio.ClosedResourceError`.
        """
        first, second = self._rooms
        piece = self._piece
        await self._send(memoryview(head))
        while len(piece):
            made: list[memoryview | Fault] = []
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._make_into, made, second, limiter)
                await self._send(piece)
                count(len(piece))
            if isinstance(made[0], Fault):  # what was made before it has been sent
                raise made[0]
            piece = made[0]
            first, second = second, first

    async def _make_into(self, made: list[memoryview | Fault], room: memoryview, limiter: trio.CapacityLimiter) -> None:
        try:
            made.append(await self._make(room, limiter))
        except Fault as fault:
            made.append(fault)

    async def _make(self, room: memoryview, limiter: trio.CapacityLimiter) -> memoryview:
        if self._at >= self._end:
            return room[:0]
        start, end = self._at, min(self._end, self._content.cut(self._at, len(room)))
        await trio.to_thread.run_sync(self._content.read_into, room, start, end, limiter=limiter)
        self._at = end
        return room[: end - start]

    async def _send(self, data: memoryview) -> None:
        connection, at = self._connection, 0
        while at < len(data):
            if not connection.secure:  # TLS keeps what it has taken until it is sent, and this buffer is used again
                at += connection.try_send(data[at : at + OFFERED])
            if at < len(data):
                with trio.fail_after(PATIENCE_S):
                    async with connection.send_lock:
                        await connection.send_all(data[at : at + SLICE])
                at += SLICE
