"""What a WebSocket client may send us, judged from frame headers before anything is unpacked (abuse A14).

Sans-IO: bytes in, at most one `Violation` out.  Payloads are skipped, not read: the WebSocket library behind still
checks everything else, but it would hold what it is given, count nothing, and say no code when it hangs up.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.serve.frames import Opcode

# close codes, RFC 6455 §7.4.1
PROTOCOL_ERROR = 1002
NOT_UTF8 = 1007
POLICY = 1008
TOO_BIG = 1009

_CONTROL = 0x08  # bit of an opcode, RFC 6455 §5.5
_KNOWN = frozenset(Opcode)


@dataclass(frozen=True, slots=True)
class MessageLimits:
    """``frames_per_s`` counts data frames, so whole messages and fragments alike; a burst of two seconds is let by."""

    message_bytes: int = 64 * 1024
    frames_per_s: float = 100.0
    controls_per_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Violation:
    code: int
    reason: str


class Bucket:
    """A token bucket that is full at first."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at: float | None = None

    def take(self, now: float) -> bool:
        """Whether there is a token; it is gone then.  ``now`` in seconds, never going back."""
        if self._at is not None:
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class WebSocketGuard:
    """Follows the frames of one client.  After a `Violation` or a close frame it is of no more use."""

    def __init__(self, limits: MessageLimits) -> None:
        self._limits = limits
        self._frames = Bucket(limits.frames_per_s, 2 * limits.frames_per_s)
        self._controls = Bucket(limits.controls_per_s, limits.controls_per_s)
        self._header = bytearray()
        self._payload = 0  # bytes of the current frame still to come
        self._message = 0  # bytes announced so far for the message being received
        self._continuing = False
        self._closed = False

    def receive(self, data: bytes, now: float) -> Violation | None:
        """Look at what came; whatever way it is cut into pieces, the answer is the same."""
        position = 0
        while position < len(data) and not self._closed:
            if self._payload:
                skipped = min(self._payload, len(data) - position)
                self._payload -= skipped
                position += skipped
                continue
            self._header.append(data[position])
            position += 1
            size = header_size(self._header)
            if len(self._header) < size:
                continue
            violation = self._frame(now)
            self._header.clear()
            if violation is not None:
                return violation
        return None

    def _frame(self, now: float) -> Violation | None:
        header = self._header
        opcode, final = header[0] & 0x0F, bool(header[0] & 0x80)
        if header[0] & 0x70:
            return Violation(PROTOCOL_ERROR, "reserved bits are set; no extension was agreed")
        if opcode not in _KNOWN:
            return Violation(PROTOCOL_ERROR, f"unknown opcode {opcode}")
        if not header[1] & 0x80:
            return Violation(PROTOCOL_ERROR, "a client's frames are masked")
        length = header[1] & 0x7F
        if opcode & _CONTROL:
            return self._control(opcode, length, final, now)
        if length >= 126:
            least = 126 if length == 126 else 1 << 16
            length = int.from_bytes(header[2:-4], "big")
            if length < least:
                return Violation(PROTOCOL_ERROR, "a length is written in more bytes than it takes")
        return self._data(opcode, length, final, now)

    def _control(self, opcode: int, length: int, final: bool, now: float) -> Violation | None:
        if length > 125 or not final:
            return Violation(PROTOCOL_ERROR, "a control frame is whole and has 125 bytes at most")
        if not self._controls.take(now):
            return Violation(POLICY, "too many control frames")
        self._payload = length
        self._closed = opcode == Opcode.CLOSE
        return None

    def _data(self, opcode: int, length: int, final: bool, now: float) -> Violation | None:
        if (opcode == Opcode.CONTINUATION) is not self._continuing:
            return Violation(PROTOCOL_ERROR, "a fragment is out of place")
        self._message += length
        if self._message > self._limits.message_bytes:
            return Violation(TOO_BIG, f"a message has {self._limits.message_bytes} bytes at most")
        if not self._frames.take(now):
            return Violation(POLICY, "too many messages")
        self._payload = length
        self._continuing = not final
        if final:
            self._message = 0
        return None


def header_size(begun: bytearray) -> int:
    """How long the header is (RFC 6455 §5.2), as far as its first bytes tell."""
    if len(begun) < 2:
        return 2
    extended = {126: 2, 127: 8}.get(begun[1] & 0x7F, 0)
    if begun[0] & _CONTROL:
        extended = 0  # refused before it would matter
    return 2 + extended + (4 if begun[1] & 0x80 else 0)
