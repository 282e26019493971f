"""What a WebSocket client sends: memory is bounded, how it is cut does not matter, and what the guard lets by is heard
as the library hears it."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import Any

from wsproto import ConnectionType
from wsproto.connection import Connection as Library
from wsproto.events import BytesMessage, CloseConnection, TextMessage
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from appliance.serve.frames import Opcode
from appliance.serve.guard import NOT_UTF8, PROTOCOL_ERROR, TOO_BIG, MessageLimits, WebSocketGuard
from appliance.serve.inbox import Inbox
from tests.serve.support import masked

LIMITS = MessageLimits(message_bytes=2000)
#: Close codes by which the library says that something is wrong.
COMPLAINTS = (PROTOCOL_ERROR, NOT_UTF8, TOO_BIG)
_FRAME = 14  # bytes of the longest header, RFC 6455 §5.2
_WANT = b'{"type":"want","width":640,"height":360}'
# the first byte says how it is cut
SEEDS = [
    b"\x00" + masked(Opcode.TEXT, _WANT) + masked(Opcode.PING, b"here") + masked(Opcode.BINARY, bytes(300)),
    b"\x07"
    + masked(Opcode.TEXT, _WANT[:9], final=False)
    + masked(Opcode.PONG)
    + masked(Opcode.CONTINUATION, _WANT[9:]),
    b"\x40" + masked(Opcode.TEXT, "Tür €".encode()) + masked(Opcode.CLOSE, struct.pack("!H", 1000) + b"bye"),
    b"\xff" + masked(Opcode.BINARY, bytes(1999)) + masked(Opcode.CLOSE) + masked(Opcode.TEXT, b"too late"),
]


def check(data: bytes) -> None:
    if data:
        heard = _hear(data[1:], 1 + data[0])
        assert heard == _hear(data[1:], len(data))
        understood = _understand(data[1:])
        if heard is not None and understood is not None:
            assert heard == understood


def _hear(data: bytes, step: int) -> list[str | bytes] | None:
    """The messages that come in pieces of ``step``; None where something is wrong with what comes."""
    guard, inbox = WebSocketGuard(LIMITS), Inbox()
    heard: list[str | bytes] = []
    for at in range(0, len(data), step):
        piece = data[at : at + step]
        if guard.receive(piece, 0.0) is not None:
            return None
        try:
            messages, _ = inbox.receive(piece)
        except UnicodeDecodeError:
            return None
        heard += messages
        assert len(inbox._received) + len(inbox._message) <= 2 * (LIMITS.message_bytes + _FRAME)
        if inbox.is_closing:
            break
    return heard


def _understand(data: bytes) -> list[str | bytes] | None:
    """What the library makes of it; None where it complains."""
    library = Library(ConnectionType.SERVER)
    heard: list[str | bytes] = []
    begun: list[Any] = []  # all of one kind
    try:
        with suppress(LocalProtocolError):  # more after a close frame
            library.receive_data(data)
        for event in library.events():
            if isinstance(event, TextMessage | BytesMessage):
                begun.append(event.data)
                if event.message_finished:
                    heard.append(begun[0][:0].join(begun))
                    begun = []
            elif isinstance(event, CloseConnection):  # the client's, or what the library would answer
                return None if event.code in COMPLAINTS else heard
    except RemoteProtocolError:
        return None
    return heard
