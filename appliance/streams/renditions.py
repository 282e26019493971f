"""What a transcoder makes, for whom, and how it fares."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from appliance.media.ladder import time_slot
from appliance.serve.fanout import Fanout

if TYPE_CHECKING:
    from appliance.media.ladder import Rung
    from appliance.media.picture import Picture
    from appliance.streams.transcoder import Transcoder

#: The mean size of pictures is taken over about so many.
MEAN_OF = 8
#: Rates are taken over so many seconds.
RATE_MARKS = 5


class Spectator(Protocol):
    """Who waits for a rung's pictures.  Called from the transcoder's task: neither may block."""

    def may_show(self, rendition: Rendition) -> None:
        """The rung has a picture."""
        ...

    def transcoder_changed(self, transcoder: Transcoder) -> None: ...


@dataclass(eq=False)
class Rendition:
    """One rung and who gets its pictures."""

    transcoder: Transcoder
    rung: Rung
    fanout: Fanout = field(default_factory=Fanout)
    spectators: dict[Spectator, None] = field(default_factory=dict)
    latest: Picture | None = None  # of this stretch of the stream
    why: tuple[str, ...] = ()  # it is made of this stream, and how
    mean_bytes: float | None = None  # of a picture, of late
    _slot: int | None = None  # of time, that the last picture was passed through for

    def take(self, picture: Picture) -> bool:
        """Keep the newest picture; whether it is the first of this stretch."""
        size, is_first = len(picture.message), self.latest is None
        self.latest = picture
        self.mean_bytes = size if self.mean_bytes is None else self.mean_bytes + (size - self.mean_bytes) / MEAN_OF
        return is_first

    def is_due(self, pts: int) -> bool:
        """Whether it is the turn of this picture, where the camera's own is passed through."""
        slot = time_slot(pts, self.rung.fps)
        before, self._slot = self._slot, slot
        return slot != before


@dataclass(frozen=True, slots=True)
class State:
    """``ok``, ``waiting`` or ``lost``, and the word for it."""

    state: str = "ok"
    reason: str | None = None


@dataclass
class Counters:
    """Since the transcoder began."""

    decoded: int = 0
    encoded: int = 0
    damaged: int = 0
    restarts: int = 0
    hardware: str | None = None  # the kind of device that decodes
    _marks: deque[tuple[float, int, int]] = field(default_factory=lambda: deque(maxlen=RATE_MARKS))

    def mark(self, now: float) -> None:
        """Note where the counters are, once a second at most."""
        if not self._marks or now - self._marks[-1][0] >= 1:
            self._marks.append((now, self.decoded, self.encoded))

    def per_second(self, now: float) -> tuple[float, float]:
        """Pictures decoded and JPEG encoded, of late."""
        if not self._marks or now - self._marks[0][0] < 1:
            return 0.0, 0.0
        since, decoded, encoded = self._marks[0]
        return (self.decoded - decoded) / (now - since), (self.encoded - encoded) / (now - since)
