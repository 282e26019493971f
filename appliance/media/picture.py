"""A picture as JPEG on its way to clients (design §9): it stands alone, so a newer one takes its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Final

from appliance.base.clock import TICKS_PER_SECOND

_TICKS_PER_MS = TICKS_PER_SECOND // 1000
#: Bytes before the JPEG: UTC in milliseconds, big-endian.
TIME_SIZE = 8
#: Between the parts of a multipart body (RFC 2046 §5.1.1).
BOUNDARY: Final = "fanal-next-picture"


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Ready to be sent to anybody.  ``message`` begins with the framing of messages; from ``body_at`` on it is time
    and JPEG.  ``dts`` in UTC ticks: when it is shown."""

    message: bytes = field(repr=False)
    body_at: int
    dts: int
    seq: int
    _part: list[bytes] = field(default_factory=list, init=False, repr=False)
    is_audio: ClassVar[bool] = False
    is_idr: ClassVar[bool] = True
    leading: ClassVar[bool] = False

    @property
    def body(self) -> memoryview:
        """Without the framing of messages."""
        return memoryview(self.message)[self.body_at :]

    @property
    def part(self) -> bytes:
        """As a part of a multipart body, made when the first client needs it.

        The boundary comes behind the picture: browsers show a part when they see that it has ended.
        """
        if not self._part:
            jpeg = self.body[TIME_SIZE:]
            head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n".encode()
            self._part.append(b"".join((head, jpeg, f"\r\n--{BOUNDARY}\r\n".encode())))
        return self._part[0]


def frame_picture(header: bytes, jpeg: bytes, pts: int, seq: int) -> Picture:
    """``header``: of a message of `TIME_SIZE` bytes and the JPEG."""
    message = b"".join((header, (pts // _TICKS_PER_MS).to_bytes(TIME_SIZE, "big"), jpeg))
    return Picture(message, len(header), pts, seq)
