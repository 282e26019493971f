"""A client's messages past the library: what wsproto would give, however the bytes are cut."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from quart import websocket
from quart_trio import QuartTrio
from wsproto import ConnectionType
from wsproto.connection import Connection as Library
from wsproto.events import BytesMessage, Message, Ping, TextMessage

from appliance.serve.connection import current_connection
from appliance.serve.frames import Opcode
from appliance.serve.inbox import Inbox
from tests.serve.support import connected, masked, serving, upgrade

MESSAGES = st.one_of(
    st.text(max_size=200).map(lambda text: [TextMessage(data=text)]),
    st.binary(max_size=200).map(lambda data: [BytesMessage(data=data)]),
    st.integers(65_500, 65_600).map(lambda size: [BytesMessage(data=bytes(size))]),
    st.lists(st.text(max_size=90), min_size=2, max_size=4).map(
        lambda parts: (
            [TextMessage(data=part, message_finished=False) for part in parts[:-1]] + [TextMessage(data=parts[-1])]
        )
    ),
    st.binary(max_size=125).map(lambda data: [Ping(payload=data)]),
)


@given(said=st.lists(MESSAGES, max_size=8), cuts=st.lists(st.integers(0, 70_000), max_size=8))
def test_messages_and_controls_are_those_that_the_library_sees(said: list[list], cuts: list[int]) -> None:
    client = Library(ConnectionType.CLIENT)  # masks with keys of its own
    events = [event for message in said for event in message]
    data = b"".join(client.send(event) for event in events)
    texts = [message for message in said if isinstance(message[0], Message)]
    wanted = [parts[0].data[:0].join(part.data for part in parts) for parts in texts]
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    inbox, messages, control = Inbox(), [], b""
    for start, end in pairwise(edges):
        more, some = inbox.receive(data[start:end])
        messages += more
        control += some
    assert messages == wanted
    library = Library(ConnectionType.SERVER)
    library.receive_data(control)
    assert list(library.events()) == [event for event in events if isinstance(event, Ping)]


def test_a_text_that_is_not_utf8_is_told() -> None:
    with pytest.raises(UnicodeDecodeError):
        Inbox().receive(masked(Opcode.TEXT, b"\xff"))
    inbox = Inbox()
    assert inbox.receive(masked(Opcode.TEXT, b"\xe2\x82", final=False)) == ([], b"")
    assert inbox.receive(masked(Opcode.CONTINUATION, b"\xac")) == (["€"], b"")


def test_a_close_frame_is_noticed() -> None:
    inbox = Inbox()
    inbox.receive(masked(Opcode.PING, b"here") + masked(Opcode.TEXT, b"still here"))
    assert not inbox.is_closing
    inbox.receive(masked(Opcode.CLOSE, struct.pack("!H", 1000)))
    assert inbox.is_closing


def make_listener() -> tuple[QuartTrio, list[str | bytes]]:
    app, heard = QuartTrio("tests.inbox", static_folder=None), []

    @app.websocket("/ws")
    async def ws() -> None:
        current_connection.get().take_messages(heard.append, lambda: None)
        await websocket.accept()
        await websocket.receive()  # gives nothing any more; ends with the client

    return app, heard


async def test_a_connection_hands_messages_on_and_still_answers_pings_and_closes() -> None:
    app, heard = make_listener()
    async with serving(app) as bound:
        async with connected(bound.http_ports[0]) as client:
            await client.send(upgrade("/ws"))
            await client.until(b"\r\n\r\n")
            await client.send(masked(1, b"one") + masked(9, b"there?") + masked(1, b"tw", final=False))
            while (message := await client.message())[1] != b"there?":
                pass
            assert message[0] == Opcode.PONG
            await client.send(masked(0, b"o") + masked(2, b"") + masked(8, struct.pack("!H", 1000)))
            while (message := await client.message())[0] != Opcode.CLOSE:
                pass
            assert message[1] == struct.pack("!H", 1000)
            assert await client.end() == b""
        assert heard == ["one", "two", b""]
        with trio.fail_after(2):
            await bound.connections.wait_none()


async def test_a_client_whose_text_is_not_utf8_is_closed_with_1007() -> None:
    app, heard = make_listener()
    async with serving(app) as bound, connected(bound.http_ports[0]) as client:
        await client.send(upgrade("/ws"))
        await client.until(b"\r\n\r\n")
        await client.send(masked(1, b"\xc3\x28") + masked(1, b"late"))
        while (message := await client.message())[0] != Opcode.CLOSE:
            pass
        assert message[1][:2] == struct.pack("!H", 1007)
        assert await client.end() == b""
        assert heard == []
