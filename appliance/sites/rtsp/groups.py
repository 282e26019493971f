"""What the receivers of video share whose pictures refer to others: it comes in groups of pictures.

Decoding starts at the first picture of a group.  After a loss nothing is given out until then.  A format that is
announced in between is put in force with the next such picture.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, ClassVar, Final

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.parameter_sets import ParameterSetError
from appliance.media.timeline import DecodeOrder
from appliance.media.units import AccessUnit
from appliance.sites.pictures import CHANGES_A_SECOND
from appliance.sites.rtsp.codecs import VIDEO_CLOCK
from appliance.sites.rtsp.errors import UnsupportedCodec
from appliance.sites.rtsp.oddities import Oddities, Oddity
from appliance.sites.rtsp.receiver import TrackReports

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance._native import rtp
    from appliance.media.timeline import TrackClock
    from appliance.media.units import Run, Unit, VideoFormat
    from appliance.sites.source import SourceStatistics

#: Pictures at which decoding could start that may come without a usable format before we say so.
STARTS_WITHOUT_FORMAT: Final = 3


class GroupReceiver:
    """One track.  ``format`` is what was announced, then what came; None until either is usable."""

    #: What is wrong where nothing that describes the format came, and what to choose in the camera then.
    missing: ClassVar[str]
    advice: ClassVar[str]

    def __init__(
        self,
        depacketizer: rtp.Depacketizer,
        announced: VideoFormat | None,
        clock: TrackClock,
        statistics: SourceStatistics,
        oddities: Oddities,
        *,
        fragments_announced: bool = True,
        leads_by_time: bool = True,
    ) -> None:
        self.format = announced
        self.reports = TrackReports(depacketizer, clock, VIDEO_CLOCK, oddities, fragments_announced=fragments_announced)
        self._counters = depacketizer
        self._clock = clock
        self._statistics = statistics
        self._oddities = oddities
        self._announced = announced  # what is to be in force from the next start on
        self._leads_by_time = leads_by_time
        self._trouble = ""
        self._starts_without_format = 0
        self._changes: deque[int] = deque(maxlen=CHANGES_A_SECOND)
        self._order = _decode_order(announced)
        self._last_dts: int | None = None
        self._joined = False  # something was given out
        self._waiting = True  # for a picture at which decoding can start
        self._led: int | None = None  # pictures shown before this time lead the start that is shown then
        self._broken = False  # what the last start's leading pictures refer to did not come
        self._seq = 0
        self._dropped_before = 0

    def _give(
        self,
        data: bytes,
        pts: int,
        run: Run,
        arrival_90k: int,
        out: list[Unit],
        *,
        starts: bool,
        is_idr: bool = False,
        leads: bool = False,
        broken: bool = False,
    ) -> None:
        """Give a picture out, if it can be decoded.

        ``starts``: decoding can start at it; ``is_idr``: and all that comes later is shown later.  ``leads``: it says
        that it leads the last start.  ``broken``: a start whose leading pictures refer to what did not come.
        """
        changed = False
        if self._announced is not self.format:
            changed = starts and self._follow(arrival_90k)
            self._waiting = self._waiting or not changed
        leading = restarts = False
        if starts:
            self._led = pts if self._leads_by_time and not is_idr else None
            self._broken = self._waiting or changed or broken
        elif leads:
            leading = True
        elif self._led is not None:
            leading = pts < self._led
            if not leading:
                self._led = None
        if self._waiting:
            if not starts or self.format is None or self._announced is not self.format:
                self._drop(starts)
                return
            self._waiting, restarts = False, True
        elif leading and self._broken:
            if self._joined:
                self._statistics.units_dropped += 1  # no gap in the numbers: what follows does not need it
            return
        assert self.format is not None
        pts, dts = self._times(pts, is_idr=is_idr or restarts)
        out.append(AccessUnit(data, pts, dts, starts, self._seq, self.format, run, leading))
        self._seq += 1
        self._joined = True

    def _count_losses(self, *, missing: bool) -> None:
        """What the depacketizer dropped; ``missing``: anything before the unit at hand is."""
        dropped = self._counters.dropped - self._dropped_before
        self._dropped_before += dropped
        if missing and self._joined:
            self._statistics.units_dropped += dropped
            self._seq += max(dropped, 1)
            self._waiting = True

    def _drop(self, starts: bool) -> None:
        if self._joined:
            self._statistics.units_dropped += 1
            self._seq += 1
        if starts and self.format is None:
            self._starts_without_format += 1
            if self._starts_without_format >= STARTS_WITHOUT_FORMAT:
                raise UnsupportedCodec(
                    f"The camera's pictures cannot be decoded: {self._trouble or self.missing}.", self.advice
                )

    def _times(self, pts: int, *, is_idr: bool) -> tuple[int, int]:
        """When a picture is shown, and when it is decoded."""
        dts = self._order.dts(pts, is_idr=is_idr)
        if self._last_dts is not None and dts <= self._last_dts:  # a new order or a new run began
            dts = self._last_dts + 1
        self._last_dts = dts
        if self._order.exceeded:
            self._oddities.note(Oddity.REORDER_DEEPER)
        return pts, dts

    def _announce(self, read: Callable[[], VideoFormat | None]) -> None:
        """What describes the format came with a picture; it is put in force with the next start."""
        try:
            made = read()
        except ParameterSetError as error:
            self._oddities.note(Oddity.PARAMETER_SETS_UNREADABLE)
            self._trouble = str(error)
            return
        # One object for one value: whether something changed is asked for every picture.
        self._announced = self.format if made == self.format else made

    def _follow(self, arrival_90k: int) -> bool:
        """Put what was announced in force, unless that happens too often."""
        if self.format is not None:
            if len(self._changes) == CHANGES_A_SECOND and arrival_90k - self._changes[0] < TICKS_PER_SECOND:
                self._oddities.note(Oddity.FORMAT_CHANGES_TOO_OFTEN)
                return False
            self._changes.append(arrival_90k)
        self.format = self._announced
        self._order = _decode_order(self.format)
        return True


def _decode_order(made: VideoFormat | None) -> DecodeOrder:
    if made is None:
        return DecodeOrder(None)
    if made.nominal_fps:
        return DecodeOrder(made.reorder_depth, picture_ticks=round(TICKS_PER_SECOND / made.nominal_fps))
    return DecodeOrder(made.reorder_depth)
