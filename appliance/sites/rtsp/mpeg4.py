"""MPEG-4 Visual over RTP (RFC 6416): pieces of the bitstream become pictures, each with the time it is shown.

As with H.264, after a loss nothing is given out until a picture that stands alone.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from appliance._native import rtp
from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.mpeg4 import read_picture, video_format
from appliance.sites.rtsp.groups import GroupReceiver
from appliance.sites.rtsp.oddities import Oddities, Oddity

if TYPE_CHECKING:
    from appliance.media.timeline import TrackClock
    from appliance.media.units import Run, Unit
    from appliance.sites.rtsp.codecs import Mpeg4Plan
    from appliance.sites.rtsp.messages import Packets
    from appliance.sites.source import SourceStatistics

#: A time that is so near to the one before is the same; nobody takes pictures so fast.
SAME: Final = TICKS_PER_SECOND // 250
LONGEST_STEP: Final = TICKS_PER_SECOND


class Mpeg4Receiver(GroupReceiver):
    """One track of MPEG-4 Visual."""

    missing = "their headers are missing"
    advice = "Choose another resolution, or H.264, in the camera."

    def __init__(self, plan: Mpeg4Plan, clock: TrackClock, statistics: SourceStatistics, oddities: Oddities) -> None:
        depacketizer = rtp.Mpeg4Depacketizer(plan.payload_type)
        super().__init__(depacketizer, plan.format, clock, statistics, oddities)
        self._push_run = depacketizer.push_run
        self._headers = b""  # that came last
        self._last: int | None = None  # when the last picture but those between others is shown
        self._step = TICKS_PER_SECOND // 25  # to it from the one before

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
        self._count_losses(missing=flags & rtp.LOSS != 0)
        picture = read_picture(data)
        if picture.headers and picture.headers != self._headers:
            self._headers = picture.headers
            self._announce(partial(video_format, picture.headers))
        if not picture.kind:
            return  # headers alone
        if picture.kind != "B":
            pts = self._placed(pts)
        self._give(data, pts, run, arrival_90k, out, starts=picture.is_key)

    def _placed(self, pts: int) -> int:
        """When a picture is shown that is not between others."""
        if self._last is not None:
            step = pts - self._last
            if abs(step) <= SAME and not self._clock.is_useless:
                self._oddities.note(Oddity.TIME_REPEATED)
                pts = self._last + self._step
            elif 0 < step <= LONGEST_STEP:
                self._step = step
        self._last = pts
        return pts

    def _times(self, pts: int, *, is_idr: bool) -> tuple[int, int]:
        pts, dts = super()._times(pts, is_idr=is_idr)
        return max(pts, dts), dts
