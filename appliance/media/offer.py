"""What a camera has to offer: its streams, as measured and as they are now."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appliance.media.ladder import Size


class State(StrEnum):
    """Of one stream.  Not opened is taken to be as good as any: only an attempt tells."""

    CLOSED = "closed"
    WAITING = "waiting"
    OK = "ok"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Offer:
    """One stream of a camera; None is not known yet."""

    size: Size | None = None  # with square samples
    codec: str | None = None  # "h264", "h265", "mjpeg", "mpeg4"
    fps: float | None = None
    kbps: float | None = None
    gop_s: float | None = None
    state: State = State.CLOSED
    sound: bool = False

    @property
    def samples(self) -> int:
        """Of one picture; 0 where the size is not known."""
        return 0 if self.size is None else self.size[0] * self.size[1]
