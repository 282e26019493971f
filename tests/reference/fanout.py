"""The same message to many sockets, one after the other (send(2))."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 64
LARGEST = 65536


@dataclass
class Port:
    fd: int = -1
    write: Callable[[bytes], int] | None = None
    closed: bool = False
    pending: bool = False
    torn: bool = False
    held: bool = False
    flows: bool = False
    hears: bool = False
    sent_bytes: int = 0
    sent_messages: int = 0

    @property
    def takes(self) -> bool:
        return self.flows and not (self.closed or self.torn or self.pending or self.held)


def send_each(ports: list[Port], data: bytes, sound: bool = False) -> list[tuple[int, int]]:
    if len(ports) > MOST:
        raise ValueError("too many sockets at once")
    others = []
    for place, port in enumerate(ports):
        if sound and not port.hears:
            continue
        taken = _send(port, data) if port.takes else -2
        if taken == len(data) and not port.pending:
            port.sent_bytes += taken
            port.sent_messages += 1
            continue
        if taken > 0 and port.write is None:
            port.torn = True
        others.append((place, taken))
    return others


def _send(port: Port, data: bytes) -> int:
    if port.fd < 0:
        return -2 if port.write is None or len(data) > LARGEST else port.write(data)
    try:
        sock = socket.socket(fileno=port.fd)
    except OSError:
        return -1
    try:
        return sock.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
    except (BlockingIOError, InterruptedError):
        return 0
    except OSError:
        return -1
    finally:
        sock.detach()
