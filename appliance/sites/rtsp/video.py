"""From a camera's packets to pictures: which are whole, which can be decoded, when they are shown.

After a loss nothing is given out until decoding can start again: a picture whose reference is missing is worse than
none.  Nothing here waits; whoever has packets pushes them in.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from appliance._native import gop, rtp
from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.parameter_sets import ParameterSetError
from appliance.media.timeline import DecodeOrder
from appliance.media.units import AccessUnit
from appliance.sites.rtsp.codecs import VIDEO_CLOCK
from appliance.sites.rtsp.errors import UnsupportedCodec
from appliance.sites.rtsp.oddities import Oddities, Oddity
from appliance.sites.rtsp.parameter_sets import ParameterSets
from appliance.sites.rtsp.receiver import TrackReports

if TYPE_CHECKING:
    from appliance.media.timeline import TrackClock
    from appliance.media.units import Run, Unit, VideoFormat
    from appliance.sites.rtsp.codecs import VideoPlan
    from appliance.sites.rtsp.messages import Packets
    from appliance.sites.source import SourceStatistics

#: Changes of the parameter sets that are followed in one second (abuse A12): each makes decoders anew.
CHANGES_A_SECOND = 2
#: Pictures at which decoding could start that may come without usable parameter sets before we say so.
STARTS_WITHOUT_FORMAT = 3

_DEPACKETIZERS = {"h264": rtp.H264Depacketizer, "h265": rtp.H265Depacketizer}
#: H.265 pictures at which decoding can start, and that may be followed by some that refer to what was before them.
_OPEN_STARTS = rtp.CRA | rtp.BLA


class VideoReceiver:
    """One track of H.264 or H.265.  ``format`` is what was announced, then what came; None until either is usable."""

    def __init__(self, plan: VideoPlan, clock: TrackClock, statistics: SourceStatistics, oddities: Oddities) -> None:
        self.format = plan.format
        self._depacketizer = _DEPACKETIZERS[plan.family.name](plan.payload_type)
        self._push_run = self._depacketizer.push_run
        self.reports = TrackReports(
            self._depacketizer, clock, VIDEO_CLOCK, oddities, fragments_announced=plan.fragments_announced
        )
        self._clock = clock
        self._statistics = statistics
        self._oddities = oddities
        self._announced = plan.format  # what is to be in force from the next start on
        self._sets = ParameterSets(plan.family, plan.parameter_sets)
        self._leads_by_time = plan.family.name == "h264"
        self._last_sets: tuple[bytes, ...] = ()
        self._trouble = ""
        self._starts_without_format = 0
        self._changes: deque[int] = deque(maxlen=CHANGES_A_SECOND)
        self._order = _decode_order(plan.format)
        self._last_dts: int | None = None
        self._joined = False  # something was given out
        self._waiting = True  # for a picture at which decoding can start
        self._led: int | None = None  # H.264: pictures shown before this time lead the start that is shown then
        self._broken = False  # what the last start's leading pictures refer to did not come
        self._seq = 0
        self._dropped_before = 0

    def packets(self, packets: Packets, at: int, arrival_90k: int, now: float, out: list[Unit]) -> int:
        """Take RTP packets from ``packets.spans[at]`` on, append the units they complete, and say where to go on.

        Raises `UnsupportedCodec` when pictures come that nothing can decode.
        """
        units, at = self._push_run(packets.data, packets.spans, at)
        if units is None:
            return at
        self.reports.note_oddities()
        for picture, rtp_time, flags, sets in units:
            pts, run = self._clock.place(rtp_time, arrival_90k)
            self.reports.arrived(rtp_time, now)
            if sets and sets != self._last_sets:
                self._take_sets(sets)
            self._unit(picture, pts, run, flags, arrival_90k, out)
        return at

    def _unit(self, picture: bytes, pts: int, run: Run, flags: int, arrival_90k: int, out: list[Unit]) -> None:
        self._count_losses(flags)
        is_idr = bool(flags & rtp.IDR)
        starts = is_idr or bool(flags & _OPEN_STARTS) or (flags & rtp.SEI != 0 and self._recovers(picture))
        changed = False
        if self._announced is not self.format:
            changed = starts and self._follow(arrival_90k)
            self._waiting = self._waiting or not changed
        leading = False
        if starts:
            self._led = pts if self._leads_by_time and not is_idr else None
            self._broken = self._waiting or changed or flags & rtp.BLA != 0
        elif flags & rtp.RASL:
            leading = True
        elif self._led is not None:
            leading = pts < self._led
            if not leading:
                self._led = None
        if self._waiting:
            if not starts or self.format is None or self._announced is not self.format:
                self._drop(starts)
                return
            self._waiting = False
        elif leading and self._broken:
            if self._joined:
                self._statistics.units_dropped += 1  # no gap in the numbers: what follows does not need it
            return
        assert self.format is not None
        dts = self._dts(pts, is_idr=is_idr)
        out.append(AccessUnit(picture, pts, dts, starts, self._seq, self.format, run, leading))
        self._seq += 1
        self._joined = True

    def _recovers(self, picture: bytes) -> bool:
        """Whether decoding can start here although it is no IDR picture: all intra, and whole at once (§D.2.8)."""
        flags, recovery = gop.describe(picture)
        if recovery > 0 and self._waiting:
            self._oddities.note(Oddity.REFRESH_GRADUAL)
        return recovery == 0 and flags & (gop.INTRA | gop.DAMAGED) == gop.INTRA

    def _count_losses(self, flags: int) -> None:
        """What the depacketizer dropped, and whether anything is missing before this unit."""
        dropped = self._depacketizer.dropped - self._dropped_before
        self._dropped_before += dropped
        if flags & rtp.LOSS and self._joined:
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
                    f"The camera's pictures cannot be decoded: {self._trouble or 'their parameter sets are missing'}.",
                    "Choose another resolution or profile in the camera.",
                )

    def _dts(self, pts: int, *, is_idr: bool) -> int:
        dts = self._order.dts(pts, is_idr=is_idr)
        if self._last_dts is not None and dts <= self._last_dts:  # a new order or a new run began
            dts = self._last_dts + 1
        self._last_dts = dts
        if self._order.exceeded:
            self._oddities.note(Oddity.REORDER_DEEPER)
        return dts

    # ---- parameter sets

    def _take_sets(self, sets: tuple[bytes, ...]) -> None:
        """Parameter sets came with a picture; they are put in force with the next start."""
        self._last_sets = sets
        try:
            made = self._sets.take(sets, in_force=self.format is not None)
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
