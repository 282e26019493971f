"""Values that can be waited for, and news that fan out to whoever listens."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

import trio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")


class Watched(Generic[T]):
    """A value with one writer and many readers that may wait for it to change."""

    def __init__(self, value: T) -> None:
        self._value = value
        self._changed = trio.Event()

    @property
    def value(self) -> T:
        return self._value

    def set(self, value: T) -> None:
        """Take the new value; wakes the waiting only if it differs."""
        if value == self._value:
            return
        self._value = value
        changed, self._changed = self._changed, trio.Event()
        changed.set()

    async def wait_change(self) -> T:
        """Wait for the next change and return the value then in force."""
        await self._changed.wait()
        return self._value

    async def wait_value(self, predicate: Callable[[T], bool]) -> T:
        """Wait until the predicate holds (at once if it does) and return the value."""
        while not predicate(self._value):
            await self._changed.wait()
        return self._value


class Listener(Generic[T]):
    """One reader's bounded queue of news."""

    def __init__(self, room: int) -> None:
        self._send, self._receive = trio.open_memory_channel[T](room)
        #: True once news were lost because the queue was full: the reader has to start over.
        self.overflowed = False

    def offer(self, news: T) -> None:
        try:
            self._send.send_nowait(news)
        except trio.WouldBlock:
            self.overflowed = True

    async def receive(self) -> T:
        return await self._receive.receive()


class Broadcast(Generic[T]):
    """News for whoever listens now; the speaker never waits for a listener."""

    def __init__(self) -> None:
        self._listeners: set[Listener[T]] = set()

    def publish(self, news: T) -> None:
        for listener in tuple(self._listeners):
            listener.offer(news)

    @contextmanager
    def listen(self, room: int = 256) -> Iterator[Listener[T]]:
        """Everything published from now on; ``room`` items may wait before the listener overflows."""
        listener: Listener[T] = Listener(room)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
