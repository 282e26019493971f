"""JPEG pictures as they come from a camera, over RTP or HTTP, to units: numbered, timed, their format followed."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.jpeg import video_format
from appliance.media.units import AccessUnit

if TYPE_CHECKING:
    from appliance.media.units import Run, VideoFormat
    from appliance.sites.source import SourceStatistics

#: Changes of a stream's format that are followed in one second (abuse A12): each makes decoders anew.
CHANGES_A_SECOND = 2


class JpegPictures:
    """One stream.  ``format`` is what was announced, then what came; None until either is known."""

    def __init__(self, statistics: SourceStatistics, announced: VideoFormat | None = None) -> None:
        self.format = announced
        self.changes_too_often = False
        self._statistics = statistics
        self._changes: deque[int] = deque(maxlen=CHANGES_A_SECOND)
        self._seq = 0
        self._last: int | None = None

    def lost(self, count: int) -> None:
        """So many pictures did not come, or cannot be used."""
        if self._last is not None:  # before the first one nobody misses anything
            self._statistics.units_dropped += count
            self._seq += count

    def take(
        self, data: bytes, size: tuple[int, int], pts: int, run: Run, arrival_90k: int, aspect: tuple[int, int] = (1, 1)
    ) -> AccessUnit | None:
        """The unit of a picture; None where it is dropped, as the format changes too often."""
        made = self.format
        if made is None or (made.width, made.height) != size or made.pixel_aspect != aspect:
            made = self._follow(video_format(*size, aspect), arrival_90k)
            if made is None:
                self.lost(1)
                return None
        if self._last is not None and pts <= self._last:  # the camera's clock went back a little, or stands still
            pts = self._last + 1
        self._last = pts
        self._seq += 1
        return AccessUnit(data, pts, pts, is_idr=True, seq=self._seq - 1, format=made, run=run)

    def _follow(self, made: VideoFormat, arrival_90k: int) -> VideoFormat | None:
        if self._last is not None:
            if len(self._changes) == CHANGES_A_SECOND and arrival_90k - self._changes[0] < TICKS_PER_SECOND:
                self.changes_too_often = True
                return None
            self._changes.append(arrival_90k)
        self.format = made
        return made
