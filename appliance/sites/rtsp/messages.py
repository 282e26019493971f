"""RTSP messages and the packets between them (RFC 2326 §4–§7, §10.12): bytes in, events out.

Bounded whatever comes: a header section of 16 KB and 100 fields, a body of 64 KB (SDP), a packet of 64 KB.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from appliance._native import rtp
from appliance.sites.rtsp.errors import BadMessage
from appliance.sites.rtsp.fields import is_number
from appliance.sites.rtsp.oddities import Oddities, Oddity

if TYPE_CHECKING:
    from collections.abc import Iterable

HEAD_LIMIT = 16 * 1024
BODY_LIMIT = 64 * 1024
FIELDS_LIMIT = 100
#: Runs of blank lines and empty packets between two messages; skipping them costs, and nobody sends any on purpose.
NOTHINGS_LIMIT = 64
#: Packets given out at once.  A read has some fifty of them; if each were a picture, more would be too long a turn.
PACKETS_A_TURN = 128
_DOLLAR = 0x24
_NOT_RTSP = "Check the port: RTSP is usually on 554."


class Headers:
    """Header fields in the order they came; names in any case."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields = [(name.lower(), value) for name, value in fields]

    def get(self, name: str) -> str | None:
        """The first field of that name."""
        return next((value for key, value in self._fields if key == name.lower()), None)

    def get_all(self, name: str) -> list[str]:
        return [value for key, value in self._fields if key == name.lower()]

    def __repr__(self) -> str:  # values may hold credentials or nonces
        return f"Headers({', '.join(name for name, _ in self._fields)})"


@dataclass(frozen=True, slots=True)
class Response:
    code: int
    reason: str
    headers: Headers
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    url: str = field(repr=False)
    headers: Headers
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Packets:
    """Interleaved packets: ``(channel, start, end)`` in ``data``, which is valid until the next event is asked for."""

    data: bytes | bytearray = field(repr=False)
    spans: list[tuple[int, int, int]] = field(repr=False)


class Decoder:
    """Cuts what a camera sends into messages and packets.  Raises `BadMessage`."""

    def __init__(self, oddities: Oddities, *, head_limit: int = HEAD_LIMIT, body_limit: int = BODY_LIMIT) -> None:
        self._oddities = oddities
        self._head_limit = head_limit
        self._body_limit = body_limit
        self._buffer: bytes | bytearray = b""  # what one read brought is taken as it is; most end with a packet's end
        self._done = 0  # bytes of the buffer that are of no more use
        self._searched = 0  # bytes in which no end of a header section was found
        self._waiting: tuple[Request | Response, int] | None = None  # a message and the size of its body

    def receive_data(self, data: bytes | bytearray) -> None:
        if self._done:
            self._forget(self._done)
        if not self._buffer:
            self._buffer = bytes(data)
            return
        if isinstance(self._buffer, bytes):
            self._buffer = bytearray(self._buffer)
        self._buffer += data

    def next_event(self) -> Request | Response | Packets | None:
        """The next message or run of packets; None: more data are needed."""
        if self._waiting is None:
            if self._done == len(self._buffer):
                return None
            if self._done:
                self._forget(self._done)
            event = self._packets()
            if event is not None or not self._buffer or self._buffer[0] == _DOLLAR:
                return event
            if not self._head():
                return None
        return self._body()

    def _forget(self, size: int) -> None:
        """So much of the buffer is of no more use."""
        self._done = 0
        if size == len(self._buffer):
            self._buffer = b""
        elif isinstance(self._buffer, bytearray):
            del self._buffer[:size]
        else:
            self._buffer = bytearray(memoryview(self._buffer)[size:])

    def _packets(self) -> Packets | None:
        for _ in range(NOTHINGS_LIMIT):
            if self._buffer and self._buffer[0] != _DOLLAR:
                self._skip_blank_lines()
            if not self._buffer or self._buffer[0] != _DOLLAR:
                return None
            spans, stop, _ = rtp.scan_interleaved(self._buffer, 0, PACKETS_A_TURN)
            if spans:
                self._done = stop
                return Packets(self._buffer, spans)
            if not stop:
                return None
            self._forget(stop)  # empty packets, which say nothing
        raise BadMessage("The camera sends nothing but blank lines and empty packets.")

    def _skip_blank_lines(self) -> None:
        blank = len(self._buffer) - len(self._buffer.lstrip(b"\r\n"))
        if blank:
            self._oddities.note(Oddity.BLANK_LINES_BETWEEN)
            self._forget(blank)
            self._searched = 0

    def _head(self) -> bool:
        """Read the header section, if it is there whole."""
        first = self._buffer[0]
        if not 0x41 <= first <= 0x5A:  # RTSP/… and every method begin with a capital letter
            raise BadMessage(f"The camera sent 0x{first:02x} where an RTSP message has to begin.", _NOT_RTSP)
        end = _end_of_head(self._buffer, max(0, self._searched - 2))
        if (end or len(self._buffer)) > self._head_limit:
            raise BadMessage(f"The camera sent a header of over {self._head_limit} bytes.")
        if not end:
            self._searched = len(self._buffer)
            return False
        head = self._buffer[:end].decode("latin-1")
        self._forget(end)
        self._searched = 0
        message = self._parse(head)
        self._waiting = message, self._body_size(message.headers)
        return True

    def _body(self) -> Request | Response | None:
        assert self._waiting is not None
        message, size = self._waiting
        if len(self._buffer) < size:
            return None
        self._waiting = None
        self._done = size
        body = bytes(self._buffer[:size])
        if isinstance(message, Response):
            return Response(message.code, message.reason, message.headers, body)
        return Request(message.method, message.url, message.headers, body)

    def _parse(self, head: str) -> Request | Response:
        lines = head.split("\n")
        if any(not line.endswith("\r") for line in lines[:-1]):
            self._oddities.note(Oddity.LINES_WITHOUT_CR)
        first, *rest = (line.removesuffix("\r") for line in lines)
        headers = self._headers(rest)
        words = first.split()
        if first.startswith("RTSP/"):
            if len(words) < 2 or not words[0][5:6].isdigit():
                raise BadMessage("The camera sent a status line without a status.")
            if not (is_number(words[1]) and 100 <= int(words[1]) <= 599):
                raise BadMessage(f"The camera sent {_shown(words[1])} as a status.")
            if len(words) < 3:
                self._oddities.note(Oddity.REASON_MISSING)
            return Response(int(words[1]), _shown(" ".join(words[2:])), headers)
        if first.startswith("HTTP/"):
            raise BadMessage("What answers there speaks HTTP, not RTSP.", _NOT_RTSP)
        if len(words) != 3 or not words[2].startswith("RTSP/"):
            raise BadMessage("The camera sent a line that is neither an answer nor a request.", _NOT_RTSP)
        return Request(words[0], words[1], headers)

    def _headers(self, lines: list[str]) -> Headers:
        fields: list[tuple[str, str]] = []
        for line in lines:
            if not line:
                continue
            if any(char < " " and char != "\t" for char in line):
                raise BadMessage("The camera sent a header with a control character.")
            if line[0] in " \t":  # a folded line goes on with the one before (RFC 2326 §15.1)
                if not fields:
                    raise BadMessage("The camera sent a header that begins with the rest of another.")
                fields[-1] = fields[-1][0], f"{fields[-1][1]} {line.strip()}".strip()
                continue
            name, colon, value = line.partition(":")
            if not colon or not name.strip():
                raise BadMessage("The camera sent a header without a name.")
            if name != name.rstrip():
                self._oddities.note(Oddity.SPACE_BEFORE_COLON)
            fields.append((name.strip(), value.strip()))
            if len(fields) > FIELDS_LIMIT:
                raise BadMessage(f"The camera sent over {FIELDS_LIMIT} header fields.")
        return Headers(fields)

    def _body_size(self, headers: Headers) -> int:
        sizes = set(headers.get_all("Content-Length"))
        if not sizes:
            return 0
        size = sizes.pop()
        if sizes or not is_number(size):
            raise BadMessage("The camera sent a message of which the length is not clear.")
        if int(size) > self._body_limit:  # before waiting for it, not after
            raise BadMessage(f"The camera announces a body of {int(size)} bytes; the limit is {self._body_limit}.")
        return int(size)


def _end_of_head(buffer: bytes | bytearray, start: int) -> int:
    """How long the header section is, its blank line included; 0: not there yet."""
    ends = [at + len(mark) for mark in (b"\n\r\n", b"\n\n") if (at := buffer.find(mark, start)) >= 0]
    return min(ends, default=0)


def _shown(text: str, limit: int = 60) -> str:
    """What a camera said, fit for a message to people."""
    text = "".join(char if char.isprintable() else "?" for char in text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def encode_request(method: str, url: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """A request without body.  Raises `BadMessage` if a value (learned from the camera) would break out of its line."""
    return _encode(f"{method} {url} RTSP/1.0", headers)


def encode_response(code: int, reason: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """A response without body."""
    return _encode(f"RTSP/1.0 {code} {reason}", headers)


def _encode(first: str, headers: Iterable[tuple[str, str]]) -> bytes:
    lines = [first, *(f"{name}: {value}" for name, value in headers)]
    if any(not char.isprintable() for line in lines for char in line):
        raise BadMessage("The camera gave an address or a session with a control character in it.")
    return "\r\n".join([*lines, "", ""]).encode()
