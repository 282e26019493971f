"""WebSockets over real sockets: liveness, limits, close codes."""

from __future__ import annotations

import struct
from typing import Any

import pytest
import trio
from quart import websocket
from trio_websocket import open_websocket, open_websocket_url

from appliance.serve import config
from appliance.serve import connection as connection_module
from appliance.serve.connection import Connection, ConnectionLimits, Policy, current_connection
from appliance.serve.frames import Opcode
from appliance.serve.guard import MessageLimits
from tests.serve.support import LOOPBACK, Certificates, Raw, connected, make_app, masked, serving, upgrade


async def opened(client: Raw, path: str = "/ws", extra: bytes = b"") -> bytes:
    await client.send(upgrade(path, extra))
    head = await client.until(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    return head


def code_of(message: tuple[int, bytes]) -> int:
    opcode, payload = message
    assert opcode == Opcode.CLOSE
    (code,) = struct.unpack("!H", payload[:2])
    return int(code)


async def test_a_message_comes_back_plain_and_over_tls() -> None:
    tls = Certificates()
    async with serving(tls=tls) as bound:
        async with open_websocket_url(f"ws://{LOOPBACK}:{bound.http_ports[0]}/ws") as client:
            await client.send_message("abc")
            assert await client.get_message() == "abc"
        async with open_websocket(
            LOOPBACK, bound.https_ports[0], "/ws", use_ssl=tls.client()
        ) as client:  # fmt: skip
            await client.send_message(b"x" * 60_000)
            assert await client.get_message() == b"x" * 60_000


async def test_compression_is_never_agreed_on() -> None:
    offer = b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    async with serving() as bound, connected(bound.http_ports[0]) as client:
        head = await opened(client, extra=offer)
        assert b"extensions" not in head.lower()
        await client.send(b"\xc1" + masked(1, b"abc")[1:])  # RSV1 set: a compressed message
        assert code_of(await client.message()) == 1002


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (masked(1, b"x" * 65_537), 1009),
        (masked(2, bytes(65_536), final=False) + masked(0, b"x"), 1009),
        (b"\x82\xff" + (1 << 40).to_bytes(8, "big") + bytes(4), 1009),  # announced is enough
        (b"".join(masked(9) for _ in range(25)), 1008),
        (b"".join(masked(10, b"ab") for _ in range(25)), 1008),
        (b"".join(masked(1, b"x") for _ in range(300)), 1008),
        (masked(1, b"", final=False) + b"".join(masked(0, b"", final=False) for _ in range(300)), 1008),
        (b"\x81\x03abc", 1002),  # not masked
        (masked(3, b"abc"), 1002),
        (masked(9, b"x" * 126), 1002),
        (masked(9, final=False), 1002),
        (masked(0, b"abc"), 1002),
        (masked(1, b"a", final=False) + masked(1, b"b"), 1002),
    ],
)
async def test_what_a_client_may_not_send_ends_it_with_the_code_that_says_so(sent: bytes, code: int) -> None:
    async with serving() as bound, connected(bound.http_ports[0]) as client:
        await opened(client)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.send, sent)
            while (message := await client.message())[0] != Opcode.CLOSE:
                pass
        assert code_of(message) == code
        assert await client.end() == b""


async def test_a_whole_message_of_the_limit_and_some_pings_are_fine() -> None:
    async with serving() as bound, connected(bound.http_ports[0]) as client:
        await opened(client)
        for number in range(15):
            await client.send(masked(9, b"%d" % number))
        await client.send(masked(2, bytes(32_768), final=False) + masked(9, b"between") + masked(0, bytes(32_768)))
        answers = [await client.message() for _ in range(17)]
        assert [payload for opcode, payload in answers if opcode == Opcode.PONG][-1] == b"between"
        assert (Opcode.BINARY, bytes(65_536)) in answers


async def test_the_limits_are_settings() -> None:
    policy = Policy(ConnectionLimits(messages=MessageLimits(message_bytes=10)))
    async with serving(policy=policy) as bound, connected(bound.http_ports[0]) as client:
        await opened(client)
        await client.send(masked(1, b"x" * 10) + masked(1, b"x" * 11))
        assert code_of(await client.message()) == 1009


async def test_a_close_is_answered_and_the_connection_ends() -> None:
    async with serving() as bound:
        async with connected(bound.http_ports[0]) as client:
            await opened(client)
            await client.send(masked(8, struct.pack("!H", 1000)))
            assert code_of(await client.message()) == 1000
            assert await client.end() == b""
        with trio.fail_after(2):
            await bound.connections.wait_none()


async def test_frames_before_the_handshake_is_answered_are_refused() -> None:
    async with serving() as bound, connected(bound.http_ports[0]) as client:
        answer = await client.ask(upgrade() + masked(1, b"abc"))
        assert answer.status == 400
        assert await client.end() == b""


async def test_a_silent_client_is_gone_after_its_time_and_one_that_answers_pings_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(config, "PING_INTERVAL_S", 0.1)
    async with (
        serving(policy=Policy(ConnectionLimits(silence_s=0.8))) as bound,
        open_websocket_url(f"ws://{LOOPBACK}:{bound.http_ports[0]}/ws") as alive,
    ):
        async with connected(bound.http_ports[0]) as silent:
            await opened(silent)
            assert {(await silent.frame())[0] & 15 for _ in range(3)} == {Opcode.PING}
            await silent.end()
        await trio.sleep(0.05)
        (connection,) = bound.connections
        assert trio.current_time() - connection.last_heard < 0.7
        await alive.send_message("still there")
        assert await alive.get_message() == "still there"


async def test_the_application_may_close_with_a_code_of_its_own() -> None:
    app = make_app()
    ended = trio.Event()

    @app.websocket("/revoked")
    async def revoked() -> None:
        try:
            await websocket.accept()
            await current_connection.get().close_websocket(4403, "right taken")
            await websocket.send("never seen")
            await trio.sleep_forever()
        finally:
            ended.set()

    async with serving(app) as bound, connected(bound.http_ports[0]) as client:
        await opened(client, "/revoked")
        assert await client.message() == (Opcode.CLOSE, struct.pack("!H", 4403) + b"right taken")
        assert await client.end() == b""
        with trio.fail_after(2):
            await ended.wait()


async def test_a_client_that_floods_an_application_that_does_not_listen_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The application's queue is full when its client goes: nobody may wait for room in it."""
    monkeypatch.setattr(connection_module, "FAREWELL_S", 0.2)
    app = make_app()
    seen: list[Connection] = []

    @app.websocket("/deaf")
    async def deaf() -> None:
        await websocket.accept()
        seen.append(current_connection.get())
        await trio.sleep_forever()

    async with serving(app) as bound:
        async with connected(bound.http_ports[0]) as client:
            await opened(client, "/deaf")
            for _ in range(60):
                await client.send(masked(1, b"x"))
            await trio.sleep(0.1)
        seen[0].abort()
        with trio.fail_after(5):
            await bound.connections.wait_none()


async def test_an_application_that_ends_with_its_queue_full_leaves_nothing_behind() -> None:
    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            await trio.sleep(0.2)

    async with serving(app) as bound, connected(bound.http_ports[0]) as client:
        await opened(client)
        for _ in range(30):
            await client.send(masked(1, b"x"))
        assert code_of(await client.message()) == 1011
        await client.stream.aclose()
        with trio.fail_after(3):
            await bound.connections.wait_none()
