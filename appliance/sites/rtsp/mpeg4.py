"""MPEG-4 Visual over RTP (RFC 6416): pieces of the bitstream become pictures, each with the time it is shown.

As with H.264, after a loss nothing is given out until a picture that stands alone.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from appliance._native import rtp
from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.mpeg4 import read_picture, video_format
from appliance.media.parameter_sets import ParameterSetError
from appliance.media.timeline import DecodeOrder
from appliance.media.units import AccessUnit
from appliance.sites.rtsp.codecs import VIDEO_CLOCK
from appliance.sites.rtsp.errors import UnsupportedCodec
from appliance.sites.rtsp.oddities import Oddities, Oddity
from appliance.sites.rtsp.receiver import TrackReports
from appliance.sites.rtsp.video import CHANGES_A_SECOND, STARTS_WITHOUT_FORMAT

if TYPE_CHECKING:
    from appliance.media.timeline import TrackClock
    from appliance.media.units import Run, Unit, VideoFormat
    from appliance.sites.rtsp.codecs import Mpeg4Plan
    from appliance.sites.rtsp.messages import Packets
    from appliance.sites.source import SourceStatistics

#: A picture that others overtake is kept back by one (ISO/IEC 14496-2 §7.6.7).
REORDER: Final = 1
#: A time that is so near to the one before is the same; nobody takes pictures so fast.
SAME: Final = TICKS_PER_SECOND // 250
LONGEST_STEP: Final = TICKS_PER_SECOND


class Mpeg4Receiver:
    """One track.  ``format`` is what was announced, then what came; None until either is usable."""

    def __init__(self, plan: Mpeg4Plan, clock: TrackClock, statistics: SourceStatistics, oddities: Oddities) -> None:
        self.format = plan.format
        self._depacketizer = rtp.Mpeg4Depacketizer(plan.payload_type)
        self._push_run = self._depacketizer.push_run
        self.reports = TrackReports(self._depacketizer, clock, VIDEO_CLOCK, oddities)
        self._clock = clock
        self._statistics = statistics
        self._oddities = oddities
        self._headers = b""  # that came last
        self._announced = plan.format  # what is to be in force from the next picture that stands alone
        self._trouble = ""
        self._starts_without_format = 0
        self._changes: deque[int] = deque(maxlen=CHANGES_A_SECOND)
        self._order = _decode_order(plan.format)
        self._last_dts: int | None = None
        self._joined = False  # something was given out
        self._waiting = True  # for a picture that stands alone
        self._last: int | None = None  # when the last picture but those between others is shown
        self._step = TICKS_PER_SECOND // 25  # to it from the one before
        self._led: int | None = None  # pictures shown before this time lead the one that is shown then
        self._broken = False  # what they refer to did not come
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
        for data, rtp_time, flags in units:
            pts, run = self._clock.place(rtp_time, arrival_90k)
            self.reports.arrived(rtp_time, now)
            self._unit(data, pts, run, flags, arrival_90k, out)
        return at

    def _unit(self, data: bytes, pts: int, run: Run, flags: int, arrival_90k: int, out: list[Unit]) -> None:
        self._count_losses(flags)
        picture = read_picture(data)
        if picture.headers and picture.headers != self._headers:
            self._take_headers(picture.headers)
        if not picture.kind:
            return  # headers alone
        if self._announced is not self.format and not (picture.is_key and self._follow(arrival_90k)):
            self._waiting = True
        if picture.kind != "B":
            pts = self._placed(pts)
        leading = restarts = False
        if picture.is_key:
            self._led, self._broken = pts, self._waiting
        elif self._led is not None:
            leading = pts < self._led
            if not leading:
                self._led = None
        if self._waiting:
            if not picture.is_key or self.format is None or self._announced is not self.format:
                self._drop(is_key=picture.is_key)
                return
            self._waiting, restarts = False, True
        elif leading and self._broken:
            self._statistics.units_dropped += self._joined
            return
        assert self.format is not None
        dts = self._order.dts(pts, is_idr=restarts)
        if self._last_dts is not None and dts <= self._last_dts:
            dts = self._last_dts + 1
        self._last_dts = dts
        out.append(AccessUnit(data, max(pts, dts), dts, picture.is_key, self._seq, self.format, run, leading))
        self._seq += 1
        self._joined = True

    def _placed(self, pts: int) -> int:
        """When a picture is shown.  GStreamer's payloader gives those with a group's header the time of the one before;
        the next one has its own again."""
        if self._last is not None:
            step = pts - self._last
            if abs(step) <= SAME:
                pts = self._last + self._step
            elif 0 < step <= LONGEST_STEP:
                self._step = step
        self._last = pts
        return pts

    def _count_losses(self, flags: int) -> None:
        dropped = self._depacketizer.dropped - self._dropped_before
        self._dropped_before += dropped
        if flags & rtp.LOSS and self._joined:
            self._statistics.units_dropped += dropped
            self._seq += max(dropped, 1)
            self._waiting = True

    def _drop(self, *, is_key: bool) -> None:
        if self._joined:
            self._statistics.units_dropped += 1
            self._seq += 1
        if is_key and self.format is None:
            self._starts_without_format += 1
            if self._starts_without_format >= STARTS_WITHOUT_FORMAT:
                raise UnsupportedCodec(
                    f"The camera's pictures cannot be decoded: {self._trouble or 'their headers are missing'}.",
                    "Choose another resolution, or H.264, in the camera.",
                )

    def _take_headers(self, headers: bytes) -> None:
        self._headers = headers
        try:
            made = video_format(headers)
        except ParameterSetError as error:
            self._oddities.note(Oddity.PARAMETER_SETS_UNREADABLE)
            self._trouble = str(error)
            return
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
    depth = REORDER if made is None or made.reorder_depth is None else made.reorder_depth
    if made is None or not made.nominal_fps:
        return DecodeOrder(depth)
    return DecodeOrder(depth, picture_ticks=round(TICKS_PER_SECOND / made.nominal_fps))
