"""A14, on the live view itself: who sends too much, too large or too broken is closed, and the others watch on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import trio

from tests.serve.support import masked
from tests.web.appliance import House, open_house
from tests.web.endless import EndlessOpeners

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.web.visitor import Visitor

PATIENCE_S = 15.0


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house(openers=EndlessOpeners()) as opened:
        yield opened


def abuse(visitor: Visitor, camera_id: str, sent: bytes, headers: dict[str, str]) -> int:
    """The code that ends a live view after these bytes; pictures on the way are read."""
    connection: Any = visitor.connect()
    try:
        path = f"/api/v1/cameras/{camera_id}/live"
        connection.request("GET", path, headers=visitor.handshake | visitor.identity | headers)
        response = connection.getresponse()
        with response:
            assert response.status == 101
            assert response.getheader("Sec-WebSocket-Extensions") is None
            connection.sock.settimeout(PATIENCE_S)
            connection.sock.sendall(masked(1, b'{"type":"want"}') + sent)
            while True:
                first, length = response.fp.read(2)
                if length >= 126:
                    length = int.from_bytes(response.fp.read(2 if length == 126 else 8), "big")
                payload = response.fp.read(length)
                if first & 0x0F == 8:
                    return int.from_bytes(payload[:2], "big")
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\x82\xff" + (1 << 40).to_bytes(8, "big") + bytes(4), 1009),
        (masked(1, b" " * 65_537), 1009),
        (masked(1, b"{", final=False) + b"".join(masked(0, b" ", final=False) for _ in range(300)), 1008),
        (masked(1, b"{", final=False) + b"".join(masked(0, b" " * 1000, final=False) for _ in range(70)), 1009),
        (b"".join(masked(9, b"ping") for _ in range(60)), 1008),
        (b"".join(masked(1, b'{"type":"stats"}') for _ in range(300)), 1008),
        (b"\xc1" + masked(1, b'{"type":"want"}')[1:], 1002),
        (masked(1, b"\xff\xfe"), 1007),
    ],
    ids=["giant", "large", "fragments", "fragments-large", "pings", "messages", "compressed", "not-utf8"],
)
async def test_a14_a_live_view_ends_for_who_abuses_it_and_for_nobody_else(house: House, sent: bytes, code: int) -> None:
    camera = await house.camera()
    anna, bob = await house.viewer("anna", camera), await house.viewer("bob", camera)
    async with bob.live(camera.id) as view:
        await view.want()
        await view.fragments(3)
        offer = {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}
        assert await trio.to_thread.run_sync(abuse, anna, camera.id, sent, offer) == code
        await view.fragments(10)
        assert [text["type"] for text in view.texts if text["type"] in ("dropped", "error")] == []
        await trio.sleep(0.05)
        assert [member.principal.name for member in house.services.audience] == ["bob"]
