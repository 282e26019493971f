"""A4: two thousand sockets, slow on purpose, end in seconds, cost little, and fifty viewers see nothing of it."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trio

from tests.abuse.crowd import LARGE, address, reach, until, untouched, viewers
from tests.cli.program import LOOPBACK

if TYPE_CHECKING:
    from tests.abuse.conftest import Served

SLOW_HEADERS, SLOW_READERS = 1900, 100
#: What a busy machine may add to a time; what it may not is an order of magnitude.
LENIENCE = 2.0

pytestmark = [pytest.mark.peer, pytest.mark.alone]


def resident_kb(pid: int) -> int:
    found = re.search(r"^VmRSS:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1])


async def test_a4_two_thousand_slow_sockets_leave_fifty_viewers_untouched(served: Served) -> None:
    lasted: list[float] = []
    read: list[float] = []
    async with viewers(served, 50) as good:
        before, most = resident_kb(served.server.pid), 0
        pictures = min(viewer.pictures for viewer in good)
        async with trio.open_nursery() as nursery:
            for number in range(SLOW_HEADERS):
                nursery.start_soon(slow_headers, served, number, lasted)
            for number in range(SLOW_READERS):
                nursery.start_soon(slow_reader, served, f"127.0.8.{1 + number // 25}", read)
            with trio.fail_after(90):
                while len(lasted) < SLOW_HEADERS or len(read) < SLOW_READERS:
                    most = max(most, resident_kb(served.server.pid))
                    await trio.sleep(0.1)
        await until(lambda: min(viewer.pictures for viewer in good) > pictures + 50)
        each = (most - before) / (SLOW_HEADERS + SLOW_READERS)
        print(f"headers: {max(lasted):.1f} s at most; readers: {max(read):.1f} s; {each:.0f} kB a socket")
        assert max(lasted) < 5 * LENIENCE
        assert max(read) < 10 * LENIENCE
        assert most - before < SLOW_READERS * 4 * 1024
        untouched(good, pictures + 50)


async def slow_headers(served: Served, number: int, lasted: list[float]) -> None:
    """Begins a request and never ends it; how long the server stands that."""
    async with await reach(served.http_port, address(number)) as stream:
        await stream.send_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        began = trio.current_time()
        try:
            while await stream.receive_some(4096):
                pass
        except trio.BrokenResourceError:
            pass
        lasted.append(trio.current_time() - began)


async def slow_reader(served: Served, source: str, lasted: list[float]) -> None:
    """Asks for the large stream and reads nothing of it; how long the server stands that."""
    plain = await reach(served.server.port, source, window=8192)
    secure = trio.SSLStream(plain, served.trust(), server_hostname=LOOPBACK, https_compatible=True)
    lines = [
        f"GET {served.live} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {served.server.token}",
        "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]  # fmt: skip
    try:
        await secure.send_all("\r\n".join([*lines, "\r\n"]).encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += await secure.receive_some(4096)
        assert head.startswith(b"HTTP/1.1 101")
        await secure.send_all(struct.pack("!BB", 0x81, 0x80 | len(LARGE)) + bytes(4) + LARGE)
        began = trio.current_time()
        try:
            while True:  # it says that it lives, and does not read
                await trio.sleep(0.25)
                await secure.send_all(struct.pack("!BB", 0x8A, 0x80) + bytes(4))
        except trio.BrokenResourceError:
            lasted.append(trio.current_time() - began)
    finally:
        await trio.aclose_forcefully(secure)
