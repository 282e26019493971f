"""The same message to many sockets, one after the other (send(2))."""

from __future__ import annotations

import socket

MOST = 64


def send_each(fds: list[int], data: bytes) -> list[int]:
    if len(fds) > MOST:
        raise ValueError("too many sockets at once")
    return [_send(fd, data) for fd in fds]


def _send(fd: int, data: bytes) -> int:
    try:
        sock = socket.socket(fileno=fd)
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
