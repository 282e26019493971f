"""A long way between two machines, for tests: a TCP relay that delivers late, and for a while not at all.

The kernel's own (netem) is missing in many kernels.  What is sent through arrives in order, each piece after a delay
of its own; as in a network, only so much is under way at a time, and who sends more has to wait.
"""

from __future__ import annotations

import random
import socket
import threading
from collections import deque
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

#: What is under way in one direction at most: 300 ms of 7 Mbit/s, as much as a cell of a mobile network holds for one.
ROOM = 256 << 10
#: And what the kernel may hold beside it on either side, so that a full relay is felt at once.
KERNEL_ROOM = 32 << 10
PIECE = 16 << 10
PATIENCE_S = 10.0


@dataclass
class Relay:
    """Connections to it are connections to ``port`` of ``host``, far away."""

    host: str
    port: int
    delay_s: float  # of each direction
    jitter_s: float = 0.0  # more or less than that
    at: int = 0  # the port that it listens on
    stalled_until: float = 0.0
    most_held: int = 0  # bytes under way in one direction
    _stop: trio.CancelScope = field(default_factory=trio.CancelScope)

    async def run(self, *, task_status: trio.TaskStatus[Relay] = trio.TASK_STATUS_IGNORED) -> None:
        """Relay until cancelled."""
        with self._stop:
            listener = trio.socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_ROOM)  # its connections inherit it
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL_ROOM)
            await listener.bind(("127.0.0.1", 0))
            listener.listen()
            self.at = listener.getsockname()[1]
            task_status.started(self)
            await trio.serve_listeners(self._connection, [trio.SocketListener(listener)])

    def stall(self, seconds: float) -> None:
        """Nothing is delivered for so long, in either direction.  Call it in the relay's own thread."""
        self.stalled_until = trio.current_time() + seconds

    async def _connection(self, near: trio.SocketStream) -> None:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(near)
            sock = trio.socket.socket()
            far = await stack.enter_async_context(trio.SocketStream(sock))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_ROOM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL_ROOM)
            try:
                await sock.connect((self.host, self.port))
                async with trio.open_nursery() as nursery:
                    for source, sink in ((near, far), (far, near)):
                        way = _Way(self)
                        nursery.start_soon(way.take, source)
                        nursery.start_soon(way.give, sink)
            except* (OSError, trio.BrokenResourceError):
                pass  # one end is gone: the other finds out by what is closed here


class _Way:
    """One direction of one connection."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._under_way: deque[tuple[float, bytes]] = deque()  # when it is there; b"" is the end
        self._held = 0
        self._last_due = 0.0
        self._changed = trio.lowlevel.ParkingLot()

    async def take(self, source: trio.SocketStream) -> None:
        data = b"?"
        while data:
            while self._held >= ROOM:
                await self._changed.park()
            data = await source.receive_some(min(PIECE, ROOM - self._held))
            delay = self._relay.delay_s + random.uniform(-self._relay.jitter_s, self._relay.jitter_s)
            self._last_due = max(self._last_due, trio.current_time() + delay)  # nothing overtakes what was sent before
            self._under_way.append((self._last_due, data))
            self._held += len(data)
            self._relay.most_held = max(self._relay.most_held, self._held)
            self._changed.unpark_all()

    async def give(self, sink: trio.SocketStream) -> None:
        while True:
            while not self._under_way:
                await self._changed.park()
            due, data = self._under_way[0]
            due = max(due, self._relay.stalled_until)
            if due > trio.current_time():
                await trio.sleep_until(due)
                continue  # meanwhile a stall may have begun
            if not data:
                await sink.send_eof()
                return
            await sink.send_all(data)
            self._under_way.popleft()
            self._held -= len(data)
            self._changed.unpark_all()


@dataclass
class Far:
    """A relay that runs in a thread of its own, as other threads see it."""

    relay: Relay
    token: trio.lowlevel.TrioToken

    def stall(self, seconds: float) -> None:
        self.token.run_sync_soon(self.relay.stall, seconds)


@contextmanager
def relaying(where: Callable[[], AbstractContextManager[None]], relay: Relay) -> Iterator[Far]:
    """The relay runs, its sockets made within the context that ``where`` gives, for as long as the block lasts."""
    started: SimpleQueue[Far | BaseException] = SimpleQueue()

    async def run() -> None:
        async with trio.open_nursery() as nursery:
            await nursery.start(relay.run)
            started.put(Far(relay, trio.lowlevel.current_trio_token()))

    def thread() -> None:
        try:
            with where():
                trio.run(run)
        except BaseException as error:
            started.put(error)

    runner = threading.Thread(target=thread, name="relay")
    runner.start()
    far = started.get(timeout=PATIENCE_S)
    if isinstance(far, BaseException):
        raise far
    try:
        yield far
    finally:
        far.token.run_sync_soon(relay._stop.cancel)
        runner.join(PATIENCE_S)
        assert not runner.is_alive()
    if not started.empty():
        failure = started.get_nowait()
        assert isinstance(failure, BaseException)
        raise failure
