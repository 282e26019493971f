"""A stretch of network between a browser and an appliance, which a test cuts, holds or mends."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from typing import TYPE_CHECKING

from tests.e2e.house import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_CONNECTIONS = 64
PIECE = 65536


class Wire:
    """Passes TCP connections on to ``port``.  Its own port is ``at``."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server((LOOPBACK, 0))
        self.at: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._held: set[socket.socket] = set()
        self._refusing = False
        self._ended = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def connections(self) -> int:
        with self._lock:
            return len(self._pairs) // 2

    def hold(self) -> None:
        """What is connected stays so and carries nothing any more, as when a phone changes networks."""
        with self._lock:
            self._held |= set(self._pairs)

    def cut(self) -> None:
        """Every connection breaks, and there is no new one until `mend`."""
        with self._lock:
            self._refusing = True
            for end in list(self._pairs):
                self._drop(end)

    def mend(self) -> None:
        with self._lock:
            self._refusing = False

    def end(self) -> None:
        self._ended = True
        self._thread.join(10)
        with self._lock:
            for end in list(self._pairs):
                self._drop(end)
        self._listener.close()

    def _drop(self, end: socket.socket) -> None:
        other = self._pairs.pop(end, None)
        for one in (end, other):
            if one is not None:
                self._pairs.pop(one, None)
                self._held.discard(one)
                one.close()

    def _run(self) -> None:
        while not self._ended:
            with self._lock, selectors.DefaultSelector() as chooser:
                chooser.register(self._listener, selectors.EVENT_READ)
                for end in self._pairs.keys() - self._held:
                    chooser.register(end, selectors.EVENT_READ)
                ready = [key.fileobj for key, _ in chooser.select(0.02)]
                for one in ready:
                    assert isinstance(one, socket.socket)
                    self._accept() if one is self._listener else self._pass(one)

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        try:
            if self._refusing or len(self._pairs) >= 2 * MOST_CONNECTIONS:
                raise ConnectionRefusedError
            far = socket.create_connection((LOOPBACK, self._port), 5)
        except OSError:
            near.close()
            return
        for end in (near, far):
            end.settimeout(5)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pairs[near], self._pairs[far] = far, near

    def _pass(self, end: socket.socket) -> None:
        other = self._pairs.get(end)
        if other is None:  # went with its other end in this round
            return
        try:
            data = end.recv(PIECE)
            if data:
                other.sendall(data)
                return
        except OSError:
            pass
        self._drop(end)


@contextlib.contextmanager
def wire_to(port: int) -> Iterator[Wire]:
    wire = Wire(port)
    try:
        yield wire
    finally:
        wire.end()
