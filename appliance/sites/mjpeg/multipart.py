"""An answer of many parts, each of which replaces the one before it: how cameras send pictures over HTTP.

RFC 2046 §5.1.1 says how parts are divided, and hardly any camera keeps to it: the boundary is said with the dashes of
its line or without, parts have a length, none, or a wrong one.  What divides the first part from what is before it is
what divides them all.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from appliance.media.jpeg import END, LARGEST_PICTURE, START, JpegError, read_head
from appliance.sites.rtsp.errors import BadMessage
from appliance.sites.rtsp.fields import is_number, parameter, split_quoted
from appliance.sites.rtsp.oddities import Oddity

if TYPE_CHECKING:
    from appliance.sites.rtsp.oddities import Oddities

#: What may stand between two parts, or before the first.
BETWEEN_LIMIT: Final = 8 << 10
#: A part's header lines, all together.
HEAD_LIMIT: Final = 8 << 10
BOUNDARY_LIMIT: Final = 200


class Part(NamedTuple):
    type: str  # of its content, in lower case and without parameters; "" where nothing says it
    data: bytes


def boundary_of(content_type: str) -> str | None:
    """The boundary that ``Content-Type`` says, if any."""
    for piece in split_quoted(content_type, ";")[1:]:
        name, value = parameter(piece)
        if name == "boundary" and value and len(value) <= BOUNDARY_LIMIT:
            return value.strip()
    return None


class MultipartReader:
    """Bytes in, parts out.  Raises `BadMessage` for what is no such answer, or holds more than we take."""

    def __init__(self, boundary: str | None, oddities: Oddities, limit: int = LARGEST_PICTURE) -> None:
        self._said = None if boundary is None else boundary.encode("latin-1", "replace")
        self._oddities = oddities
        self._limit = limit
        self._buffer = bytearray()
        self._delimiter = b""  # the whole line, as it came first
        self._between = 0  # bytes since the last part ended
        self._in_head = self._in_body = False
        self._type = ""
        self._length: int | None = None  # of the body, where it is said and believed
        self._believes = True
        self._wrong = False  # the body at hand is not as long as said
        # so far the body was looked through for the line that divides, and for the picture's end; the latter is 0 until
        # it is known where the picture's content begins
        self._lines_seen = self._content_seen = 0

    @property
    def waiting(self) -> int:
        """Bytes that came and are no part yet."""
        return len(self._buffer)

    def receive_data(self, data: bytes | bytearray) -> None:
        self._buffer += data

    def next_part(self) -> Part | None:
        """The next whole part; None: more has to come."""
        while True:
            if self._in_body:
                part = self._read_body()
                if part is None or part.data:
                    return part
            elif self._in_head:
                if not self._read_head():
                    return None
            elif not self._find_delimiter():
                return None

    # ---- between the parts

    def _find_delimiter(self) -> bool:
        """Take lines up to the one that divides."""
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[: min(end, BETWEEN_LIMIT)]).strip(b" \t\r")
            del self._buffer[: end + 1]
            self._between += end + 1
            if line and self._divides(line):
                self._between = 0
                self._in_head = True
                self._type, self._length = "", None
                return True
            if self._between > BETWEEN_LIMIT:
                break
        if self._between + len(self._buffer) > BETWEEN_LIMIT:
            raise BadMessage(
                f"The camera's pictures are not divided as it says: no boundary in {BETWEEN_LIMIT} bytes.",
                "Check that the address is that of an MJPEG stream.",
            )
        return False

    def _divides(self, line: bytes) -> bool:
        if self._delimiter:
            return line == self._delimiter or line == self._delimiter + b"--"
        if self._said is not None and line.strip(b"-") == self._said.strip(b"-") != b"":
            if line != b"--" + self._said:
                self._oddities.note(Oddity.BOUNDARY_DASHES)
        elif line.startswith(b"--") and 3 <= len(line) <= BOUNDARY_LIMIT:
            self._oddities.note(Oddity.BOUNDARY_MISSING if self._said is None else Oddity.BOUNDARY_OTHER)
        else:
            return False
        self._delimiter = line
        return True

    # ---- a part

    def _read_head(self) -> bool:
        """Take header lines up to the empty one."""
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[: min(end, HEAD_LIMIT)]).strip(b" \t\r")
            del self._buffer[: end + 1]
            self._between += end + 1
            if self._between > HEAD_LIMIT:
                break
            if not line:
                self._between = 0
                self._in_head, self._in_body = False, True
                self._lines_seen = self._content_seen = 0
                self._wrong = False
                return True
            self._take_field(line)
        if self._between + len(self._buffer) > HEAD_LIMIT:
            raise BadMessage(f"The camera sent over {HEAD_LIMIT} bytes of header before a picture.")
        return False

    def _take_field(self, line: bytes) -> None:
        name, _, value = (text.strip() for text in line.decode("latin-1").partition(":"))
        match name.lower():
            case "content-type":
                self._type = value.partition(";")[0].strip().lower()[:80]
            case "content-length" if is_number(value) and self._believes:
                self._length = int(value)
                if self._length > self._limit:
                    raise BadMessage(f"The camera announced a picture of {value} bytes; the limit is {self._limit}.")

    def _read_body(self) -> Part | None:
        """A part without content is one with no data."""
        if self._length != 0 and self._buffer.startswith((b"\r", b"\n")):  # with which no picture begins
            self._oddities.note(Oddity.BLANK_LINES_BETWEEN)
            self._buffer = self._buffer.lstrip(b"\r\n")
        if self._length is not None and not self._wrong:
            if len(self._buffer) < self._length:
                return None
            data = bytes(self._buffer[: self._length])
            if not data or data.rstrip(b"\0\r\n").endswith(END) or not data.startswith(START):
                return self._give(data, self._length)
            self._wrong = True  # or the picture has no end: what divides parts tells
        end, gap = self._find_end()
        if (end if end >= 0 else len(self._buffer)) > self._limit:
            raise BadMessage(f"The camera sends a picture without end; the limit is {self._limit} bytes.")
        if end < 0:
            return None
        if self._length is not None and end != self._length:
            self._oddities.note(Oddity.PART_LENGTH_WRONG)
            self._believes = False
        return self._give(bytes(self._buffer[:end]), end + gap)

    def _give(self, data: bytes, taken: int) -> Part:
        del self._buffer[:taken]
        self._in_body = False
        self._between = 0
        return Part(self._type, data)

    def _find_end(self) -> tuple[int, int]:
        """Where the body ends, and how many bytes are between that and the line that divides; -1: not in sight.

        A picture ends with its end marker, which cannot stand inside of its content (ITU-T T.81 §B.1.1.5).
        """
        buffer = self._buffer
        if not self._content_seen and buffer[:2] == START:
            with suppress(JpegError):  # not all of it came, or it is no picture
                self._content_seen = read_head(buffer).scan_at
        divided = self._find_line(self._lines_seen)
        if self._content_seen:
            ended = buffer.find(END, self._content_seen)
            if ended >= 0 and (divided < 0 or ended < divided):
                return ended + len(END), 0
            self._content_seen = max(self._content_seen, len(buffer) - 1)
        if divided >= 0:
            gap = 2 if buffer[divided - 2 : divided] == b"\r\n" else 1 if buffer[divided - 1 : divided] == b"\n" else 0
            return divided - gap, gap
        self._lines_seen = max(0, len(buffer) - len(self._delimiter) - 2)
        return -1, 0

    def _find_line(self, start: int) -> int:
        """Where the line that divides begins, from ``start`` on; -1: not in sight."""
        buffer, delimiter = self._buffer, self._delimiter
        at = buffer.find(delimiter, start)
        while at >= 0:
            if at == 0 or buffer[at - 1] == 0x0A or buffer[at - 2 : at] == END:
                end = at + len(delimiter)
                if end == len(buffer):
                    return -1  # what follows tells
                if buffer[end] in b"\r\n- ":
                    return at
            at = buffer.find(delimiter, at + 1)
        return -1
