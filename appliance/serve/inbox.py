"""Takes a WebSocket client's messages out of the bytes it sends, past the library and the framework.

Sans-IO, and only for what `appliance.serve.guard` has let by: frames are masked, in order and bounded.  Whoever reads
the connection hands messages on in the same step; the way through Hypercorn and Quart takes three task switches, and
hundreds of viewers say something every second.
"""

from __future__ import annotations

from appliance.serve.frames import Opcode
from appliance.serve.guard import header_size

_KEY = 4  # bytes of a masking key, RFC 6455 §5.3


class Inbox:
    """One client's messages."""

    def __init__(self) -> None:
        self.is_closing = False  # the client has sent a close frame (RFC 6455 §5.5.1)
        self._received = bytearray()  # less than a frame, between calls
        self._message = bytearray()  # what came so far of one in fragments
        self._is_text = True

    def receive(self, data: bytes) -> tuple[list[str | bytes], bytes]:
        """The messages that are whole with this, and the control frames that are, for the library.

        Raises UnicodeDecodeError for a text that is not UTF-8 (RFC 6455 §8.1).
        """
        received = self._received
        received += data
        messages: list[str | bytes] = []
        control = b""
        while not self.is_closing and len(received) >= (size := header_size(received)):
            length = received[1] & 0x7F
            if length >= 126:
                length = int.from_bytes(received[2 : size - _KEY], "big")
            end = size + length
            if len(received) < end:
                break
            first = received[0]
            if first & 0x08:
                control += received[:end]
                self.is_closing = first & 0x0F == Opcode.CLOSE
            else:
                payload = _unmasked(received, size, end)
                if first & 0x0F != Opcode.CONTINUATION:
                    self._is_text = first & 0x0F == Opcode.TEXT
                if first & 0x80 and not self._message:
                    messages.append(payload.decode() if self._is_text else payload)
                else:
                    self._message += payload
                    if first & 0x80:
                        whole = bytes(self._message)
                        self._message.clear()
                        messages.append(whole.decode() if self._is_text else whole)
            del received[:end]
        if self.is_closing:
            received.clear()  # what follows a close frame is nobody's
        return messages, control


def _unmasked(frame: bytearray, start: int, end: int) -> bytes:
    size = end - start
    key = bytes(frame[start - _KEY : start]) * (size // _KEY + 1)
    masked = int.from_bytes(frame[start:end], "big")
    return (masked ^ int.from_bytes(key[:size], "big")).to_bytes(size, "big")
