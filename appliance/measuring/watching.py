"""Clients on loopback that open live views over HTTPS, read them and report once a second, as browsers do.

In a thread of their own: what they take is not the server's.
"""

from __future__ import annotations

import selectors
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import TracebackType

REPORT_S: Final = 1.0
#: Opening all of them may take so long.
OPEN_S: Final = 15.0
PIECE: Final = 1 << 18
_HANDSHAKE = (
    b"GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bWVhc3VyaW5nIGZhbmFsLg==\r\n\r\n"
)


class TurnedAwayError(Exception):
    """The server does not serve a client, or no longer."""


def _text_frame(text: bytes) -> bytes:
    """A client's frame, masked as it has to be (RFC 6455 §5.3): with zeros, since nobody in between is to be spared."""
    assert len(text) < 65_536
    head = bytes((0x81, 0x80 | len(text))) if len(text) < 126 else b"\x81\xfe" + len(text).to_bytes(2, "big")
    return head + bytes(4) + text


WANT = _text_frame(b'{"type":"want","width":1920,"height":1080,"fps":25,"mode":"direct","codecs":["avc1.640034"]}')
STATS = _text_frame(b'{"type":"stats","buffer_s":0.4,"dropped":0}')


@dataclass
class _Client:
    sock: ssl.SSLSocket
    report_at: float
    bytes: int = 0


@dataclass
class Watchers:
    """A block: they watch while it lasts.  ``bytes``: read so far, by all."""

    port: int
    authority: bytes  # PEM: whom it trusts
    count: int
    failure: Exception | None = None
    opened: threading.Event = field(default_factory=threading.Event)
    _clients: list[_Client] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Watchers:
        self._thread = threading.Thread(target=self._run, name="watchers", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(1.0)

    @property
    def bytes(self) -> int:
        return sum(client.bytes for client in self._clients)

    @property
    def all_served(self) -> bool:
        """Whether each of them has got anything."""
        return len(self._clients) == self.count and all(client.bytes for client in self._clients)

    def _run(self) -> None:
        try:
            self._open()
            self.opened.set()
            self._read()
        except (OSError, TurnedAwayError) as error:
            self.failure = error
            self.opened.set()
        finally:
            for client in self._clients:
                with suppress(OSError):
                    client.sock.close()

    def _open(self) -> None:
        context = ssl.create_default_context(cadata=self.authority.decode())
        end = time.monotonic() + OPEN_S
        for n in range(self.count):
            if self._stop.is_set():
                return
            plain = socket.create_connection(("127.0.0.1", self.port), timeout=max(0.1, end - time.monotonic()))
            sock = context.wrap_socket(plain, server_hostname="127.0.0.1")
            self._clients.append(_Client(sock, time.monotonic() + REPORT_S * (1 + n / self.count)))
            sock.sendall(_HANDSHAKE)
            answer = b""
            while b"\r\n\r\n" not in answer and (piece := sock.recv(1)):  # not a byte of what follows
                answer += piece
            if not answer.startswith(b"HTTP/1.1 101 "):
                raise TurnedAwayError("a client was not let in")
            sock.sendall(WANT)
            sock.settimeout(0)

    def _read(self) -> None:
        into = bytearray(PIECE)
        with selectors.DefaultSelector() as selector:
            for client in self._clients:
                selector.register(client.sock, selectors.EVENT_READ, client)
            while not self._stop.is_set():
                for key, _ in selector.select(0.1):
                    self._drain(key.data, into)
                now = time.monotonic()
                for client in self._clients:
                    if now >= client.report_at:
                        client.report_at += REPORT_S
                        with suppress(ssl.SSLWantWriteError, ssl.SSLWantReadError):
                            client.sock.send(STATS)

    @staticmethod
    def _drain(client: _Client, into: bytearray) -> None:
        with suppress(ssl.SSLWantReadError):
            while taken := client.sock.recv_into(into):
                client.bytes += taken
            raise TurnedAwayError("a client was sent away")
