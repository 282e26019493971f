"""A5: who opens connections faster than is allowed waits for a turn; a flood of TLS handshakes stops no picture."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import trio

from appliance.serve.limits import AdmissionLimits
from tests.abuse.crowd import reach, until, untouched, viewers
from tests.cli.program import LOOPBACK

if TYPE_CHECKING:
    from tests.abuse.conftest import Served

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
FLOOD_S = 3.0
THREADS = 4

pytestmark = pytest.mark.peer


@pytest.mark.calm
async def test_a5_connections_above_the_rate_wait_and_those_above_the_queue_are_turned_away(served: Served) -> None:
    limits = AdmissionLimits()
    answered: list[float] = []
    turned_away: list[float] = []
    began = trio.current_time()

    async def one() -> None:
        data = b""
        # who is turned away may hear of it before it knows that it was connected
        with suppress(trio.BrokenResourceError, ConnectionResetError):
            async with await reach(served.http_port, "127.0.7.1") as stream:
                await stream.send_all(HEALTH)
                while piece := await stream.receive_some(4096):
                    data += piece
        (answered if data.startswith(b"HTTP/1.1 200") else turned_away).append(trio.current_time() - began)

    async with trio.open_nursery() as nursery:
        for _ in range(400):
            nursery.start_soon(one)
    answered.sort()
    late = answered[int(limits.rate) :]
    print(f"{len(answered)} answered, the last after {answered[-1]:.1f} s; {len(turned_away)} turned away")
    assert len(answered) + len(turned_away) == 400
    assert len(answered) >= limits.rate + limits.queue_per_address  # all that may wait did, and were not refused
    assert turned_away  # what waits has a bound
    assert len(late) / (answered[-1] - answered[0]) < 1.5 * limits.rate  # one after the other, at the rate


@pytest.mark.alone
async def test_a5_a_flood_of_handshakes_stops_no_picture(served: Served) -> None:
    """From forty addresses, as fast as this machine makes them beside the server."""
    done = [0] * THREADS
    stop = threading.Event()

    def flood(number: int) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # an attacker does not care, and is faster
        turn = 0
        while not stop.is_set():
            source = f"127.0.6.{1 + number * 10 + turn % 10}"
            turn += 1
            there = LOOPBACK, served.server.port
            with suppress(OSError), context.wrap_socket(socket.create_connection(there, 10, (source, 0))):
                done[number] += 1

    async with viewers(served, 10) as good:
        pictures = min(viewer.pictures for viewer in good)
        threads = [threading.Thread(target=flood, args=(number,)) for number in range(THREADS)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        try:
            await trio.sleep(FLOOD_S)
        finally:
            stop.set()
            took = time.monotonic() - began
            for thread in threads:
                await trio.to_thread.run_sync(thread.join)
        await until(lambda: min(viewer.pictures for viewer in good) > pictures + 20)
        print(f"{sum(done) / took:.0f} handshakes a second")
        assert sum(done) > 100
        untouched(good, pictures + 20)
