"""WebSocket frames as a server sends them: unmasked and whole (RFC 6455 §5.2), so one frame serves every viewer."""

from __future__ import annotations

import struct
from enum import IntEnum


class Opcode(IntEnum):
    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


_FIN = 0x80
_CONTROL_LIMIT = 125  # bytes of payload of a control frame, RFC 6455 §5.5
_REASON_LIMIT = _CONTROL_LIMIT - 2  # the code takes two


def frame_header(length: int, opcode: int = Opcode.BINARY) -> bytes:
    """The header (2, 4 or 10 bytes) of a final frame with ``length`` bytes of payload."""
    first = _FIN | opcode
    if length < 126:
        return bytes((first, length))
    if length < 1 << 16:
        return struct.pack("!BBH", first, 126, length)
    return struct.pack("!BBQ", first, 127, length)


def text_frame(text: str) -> bytes:
    """A whole text message."""
    payload = text.encode()
    return frame_header(len(payload), Opcode.TEXT) + payload


def close_frame(code: int, reason: str = "") -> bytes:
    """A close frame; the reason is cut to the 123 bytes there are, never within a character.

    Raises `ValueError` for a code that may not be sent (RFC 6455 §7.4).
    """
    if not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999):
        raise ValueError(f"close code {code} may not be sent")
    text = reason.encode()[:_REASON_LIMIT].decode(errors="ignore").encode()
    return frame_header(2 + len(text), Opcode.CLOSE) + struct.pack("!H", code) + text
