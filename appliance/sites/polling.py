"""Reading many cameras at the same moments.

Cameras send when they like.  A process that wakes up for every read pays for the waking, which costs several times the
reading where there is little else to do: caches have gone cold and the core has gone to sleep.  So where there are
many cameras, all that have sent something are read together, `PERIOD_S` apart; pictures come later by at most so much.

Deadlines are looked after for all together too: a cancel scope around each read costs as much as the reading.
"""

from __future__ import annotations

import math
import os
import select
from typing import TYPE_CHECKING

import outcome
import trio

from appliance._native.ticker import Ticker
from appliance.base.beat import LONG_BEAT_S, rest

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

#: With fewer, each camera is read as soon as it has sent something.
MANY = 4
PERIOD_S = 0.05
#: Read in one turn; then the loop is given back.
GROUP = 8


class Poller:
    """Polls the sockets that are registered.  `run` is its task; `close` it after that has ended."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._ticker = Ticker(PERIOD_S)
        self._polled: dict[int, Polled] = {}  # by descriptor
        self._activated = trio.Event()
        self.is_active = False  # whether there are enough for it to be worth anything

    def register(self, sock: trio.socket.SocketType | socket.socket) -> Polled:
        """Poll a connected socket that does not block; `Polled.leave` before it is closed."""
        polled = Polled(self, sock.fileno())
        self._epoll.register(polled.fd, select.EPOLLIN)
        self._polled[polled.fd] = polled
        self.is_active = len(self._polled) >= MANY
        if self.is_active:
            self._activated.set()
        return polled

    def unregister(self, polled: Polled) -> None:
        del self._polled[polled.fd]
        self.is_active = len(self._polled) >= MANY
        self._epoll.unregister(polled.fd)

    async def run(self) -> None:
        """Wake those who have something to read, at each moment, and those who have waited long enough, for ever."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._read)
            nursery.start_soon(self._end_waits)

    async def _read(self) -> None:
        self._ticker.start()
        while True:
            if not self.is_active and not any(polled.is_awaited for polled in self._polled.values()):
                self._ticker.stop()
                self._activated = trio.Event()
                await self._activated.wait()
                self._ticker.start()
            await trio.lowlevel.wait_readable(self._ticker)
            self._ticker.take()
            woken = 0
            for polled in self._due():
                if woken == GROUP:
                    woken = 0
                    await trio.lowlevel.checkpoint()
                woken += polled.wake()

    def close(self) -> None:
        self._epoll.close()
        self._ticker.close()

    async def _end_waits(self) -> None:
        now = trio.current_time()
        while True:
            soonest = min((polled.deadline for polled in self._polled.values()), default=math.inf)
            await rest(max(0.0, min(soonest - now, LONG_BEAT_S)))
            now = trio.current_time()
            for polled in self._polled.values():
                if polled.deadline <= now:
                    polled.give_up()

    def _due(self) -> Iterator[Polled]:
        """Whose turn it is; while others read, some may leave."""
        for fd, _ in self._epoll.poll(0):
            polled = self._polled.get(fd)
            if polled is not None:
                yield polled


class Polled:
    """One socket that is polled.  One task at a time reads from it."""

    def __init__(self, poller: Poller, fd: int) -> None:
        self.fd = fd
        self.deadline = math.inf  # of who waits here
        self._poller = poller
        self._task: trio.lowlevel.Task | None = None
        self._rest = False  # the last read left something behind
        self._gave_up = False

    @property
    def is_active(self) -> bool:
        return self._poller.is_active

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits here."""
        return self._task is not None

    async def receive_some(self, limit: int, deadline: float = math.inf) -> bytes | None:
        """Up to ``limit`` bytes, b"" at the end; None: the deadline came first, a second ago at most.  Raises OSError.

        Where few are polled, as soon as there is anything.
        """
        if not self._poller.is_active:
            self._gave_up, self.deadline = False, deadline
            try:
                await trio.lowlevel.wait_readable(self.fd)
            except trio.ClosedResourceError:
                if not self._gave_up:
                    raise
                return None
            finally:
                self.deadline = math.inf
        elif self._rest:
            self._rest = False
            await trio.lowlevel.checkpoint()
        else:
            if self._task is not None:
                raise trio.BusyResourceError("another task waits for this camera")
            self._task, self.deadline = trio.lowlevel.current_task(), deadline
            await trio.lowlevel.wait_task_rescheduled(self._abort)
        try:
            data = os.read(self.fd, limit)
        except BlockingIOError:  # it was the deadline
            return None
        self._rest = len(data) == limit
        return data

    def leave(self) -> None:
        self._poller.unregister(self)

    def give_up(self) -> None:
        """Who waits here has waited for long enough."""
        if not self.wake():
            self._gave_up, self.deadline = True, math.inf
            trio.lowlevel.notify_closing(self.fd)  # it is not closed: that is how Trio lets who waits for it go on

    def wake(self) -> bool:
        """Go on, whoever waits here; whether anybody did."""
        task, self._task = self._task, None
        self.deadline = math.inf
        if task is None:
            return False
        trio.lowlevel.reschedule(task, outcome.Value(None))
        return True

    def _abort(self, _: object) -> trio.lowlevel.Abort:
        self._task, self.deadline = None, math.inf
        return trio.lowlevel.Abort.SUCCEEDED
