"""A picture as JPEG on its way to clients (design §9): it stands alone, so a newer one takes its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from appliance.base.clock import TICKS_PER_SECOND

_TICKS_PER_MS = TICKS_PER_SECOND // 1000
#: Bytes before the JPEG: UTC in milliseconds, big-endian.
TIME_SIZE = 8


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Ready to be sent to anybody.  ``message`` begins with the framing of messages; from ``body_at`` on it is time
    and JPEG.  ``dts`` in UTC ticks: when it is shown."""

    message: bytes = field(repr=False)
    body_at: int
    dts: int
    seq: int
    is_audio: ClassVar[bool] = False
    is_idr: ClassVar[bool] = True
    leading: ClassVar[bool] = False

    @property
    def body(self) -> memoryview:
        """Without the framing of messages."""
        return memoryview(self.message)[self.body_at :]


def frame_picture(header: bytes, jpeg: bytes, pts: int, seq: int) -> Picture:
    """``header``: of a message of `TIME_SIZE` bytes and the JPEG."""
    message = b"".join((header, (pts // _TICKS_PER_MS).to_bytes(TIME_SIZE, "big"), jpeg))
    return Picture(message, len(header), pts, seq)
