"""Viewers that come and go: each opens a live view over TLS, sees a picture, leaves in one of three ways."""

from __future__ import annotations

import base64
import itertools
import os
import socket
import ssl
import struct
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader

    from bench.common.load import Target

#: Where they come from, so that the limits for an address are not what is tried.
ADDRESSES = tuple(f"127.0.0.{number}" for number in range(2, 12))
PATIENCE_S = 20.0
_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10


@dataclass
class Count:
    """``failed``: what went wrong, in words."""

    done: int = 0
    failed: list[str] = field(default_factory=list)
    slowest_s: float = 0.0


class Churn:
    """Threads, one an address, that keep to a rate between them."""

    def __init__(self, target: Target, rate: float) -> None:
        self._target = target
        self._rate = rate
        self._lock = threading.Lock()
        self._context = ssl._create_unverified_context()  # our own child on loopback
        self.count = Count()

    def run(self, seconds: float, *, rate: float | None = None) -> Count:
        """Churn for so long; everybody has left when it returns.  What was counted meanwhile.

        ``rate``: another one; infinite: each address comes again as soon as it has left.
        """
        before, self.count = self.count, Count()
        begin = time.monotonic()
        numbers = itertools.count()
        threads = [
            threading.Thread(
                target=self._come_and_go, args=(address, rate or self._rate, begin, begin + seconds, numbers)
            )
            for address in ADDRESSES
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(seconds + 3 * PATIENCE_S)
        assert before is not self.count
        return self.count

    def _come_and_go(self, address: str, rate: float, begin: float, end: float, numbers: itertools.count[int]) -> None:
        while True:
            number = next(numbers)
            due = begin + number / rate
            if max(due, time.monotonic()) >= end:
                return
            time.sleep(max(0.0, due - time.monotonic()))
            began = time.monotonic()
            try:
                self._visit(address, leaving=number % 3)
            except (OSError, ValueError) as error:
                with self._lock:
                    self.count.failed.append(f"{type(error).__name__}: {error}")
            else:
                with self._lock:
                    self.count.done += 1
                    self.count.slowest_s = max(self.count.slowest_s, time.monotonic() - began)

    def _visit(self, address: str, *, leaving: int) -> None:
        """One viewer.  ``leaving``: 0 says so, 1 closes the connection, 2 resets it with media on its way."""
        with self._open(address) as (connection, reader):
            media = 0
            while media < 2:  # the init segment and a fragment
                opcode, payload = read_frame(reader)
                if opcode == _CLOSE:
                    raise ValueError(f"closed: {payload!r}")
                media += opcode == _BINARY
            if leaving == 0:
                connection.sendall(frame(_CLOSE, struct.pack(">H", 1000)))
                while read_frame(reader)[0] != _CLOSE:
                    pass
            elif leaving == 2:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    @contextmanager
    def _open(self, address: str) -> Iterator[tuple[socket.socket, BufferedReader]]:
        """A live view that was asked for."""
        target = self._target
        plain = socket.create_connection(("127.0.0.1", target.port), PATIENCE_S, source_address=(address, 0))
        with self._context.wrap_socket(plain) if target.tls else plain as connection:
            key = base64.b64encode(os.urandom(16)).decode()
            connection.sendall(
                f"GET {target.path} HTTP/1.1\r\nHost: 127.0.0.1:{target.port}\r\nConnection: Upgrade\r\n"
                f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
                f"{target.header}\r\n\r\n".encode()
            )
            with connection.makefile("rb") as reader:
                status = reader.readline()
                if b" 101 " not in status:
                    raise ValueError(f"refused: {status!r}")
                while reader.readline() not in (b"\r\n", b""):
                    pass
                connection.sendall(frame(_TEXT, (target.hello or "").encode()))
                yield connection, reader

    @contextmanager
    def steady(self) -> Iterator[list[str]]:
        """A viewer that stays, so that the stream stays open; what ended it, if it did not stay: it comes back then."""
        leaving = threading.Event()
        failed: list[str] = []

        def watch() -> None:
            while not leaving.is_set():
                try:
                    with self._open("127.0.0.1") as (connection, reader):
                        self._stay(connection, reader, leaving)
                except (OSError, ValueError) as error:
                    failed.append(f"the viewer that stays: {error}")
                    leaving.wait(1)

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield failed
        finally:
            leaving.set()
            thread.join(2 * PATIENCE_S)

    def _stay(self, connection: socket.socket, reader: BufferedReader, leaving: threading.Event) -> None:
        while not leaving.is_set():
            opcode, payload = read_frame(reader)
            if opcode == _PING:
                connection.sendall(frame(_PONG, payload))
            elif opcode == _CLOSE:
                raise ValueError(f"closed: {payload!r}")


def frame(opcode: int, payload: bytes) -> bytes:
    """A client's frame (RFC 6455 §5.2), short, its mask all zero."""
    assert len(payload) < 1 << 16
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload))
    return bytes([0x80 | opcode]) + size + bytes(4) + payload


def read_frame(reader: BufferedReader) -> tuple[int, bytes]:
    """The next frame of the server."""
    opcode, size = _exactly(reader, 2)
    if size == 126:
        (size,) = struct.unpack(">H", _exactly(reader, 2))
    elif size == 127:
        (size,) = struct.unpack(">Q", _exactly(reader, 8))
    return opcode & 15, _exactly(reader, size)


def _exactly(reader: BufferedReader, size: int) -> bytes:
    data = reader.read(size)
    if len(data) < size:
        raise ValueError("the connection ended")
    return data
