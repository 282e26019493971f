"""From a camera's packets to pictures of H.264 or H.265: which are whole, which can be decoded, when they are shown.

After a loss nothing is given out until decoding can start again: a picture whose reference is missing is worse than
none.  Nothing here waits; whoever has packets pushes them in.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from appliance._native import gop, rtp
from appliance.sites.rtsp.groups import GroupReceiver
from appliance.sites.rtsp.oddities import Oddities, Oddity
from appliance.sites.rtsp.parameter_sets import ParameterSets

if TYPE_CHECKING:
    from appliance.media.timeline import TrackClock
    from appliance.media.units import Run, Unit
    from appliance.sites.rtsp.codecs import VideoPlan
    from appliance.sites.rtsp.messages import Packets
    from appliance.sites.source import SourceStatistics

_DEPACKETIZERS = {"h264": rtp.H264Depacketizer, "h265": rtp.H265Depacketizer}
#: H.265 pictures at which decoding can start, and that may be followed by some that refer to what was before them.
_OPEN_STARTS = rtp.CRA | rtp.BLA


class VideoReceiver(GroupReceiver):
    """One track of H.264 or H.265."""

    missing = "their parameter sets are missing"
    advice = "Choose another resolution or profile in the camera."

    def __init__(self, plan: VideoPlan, clock: TrackClock, statistics: SourceStatistics, oddities: Oddities) -> None:
        depacketizer = _DEPACKETIZERS[plan.family.name](plan.payload_type)
        super().__init__(
            depacketizer,
            plan.format,
            clock,
            statistics,
            oddities,
            fragments_announced=plan.fragments_announced,
            leads_by_time=plan.family.name == "h264",  # H.265 says which pictures lead
        )
        self._push_run = depacketizer.push_run
        self._sets = ParameterSets(plan.family, plan.parameter_sets)
        self._last_sets: tuple[bytes, ...] = ()

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
                self._last_sets = sets
                self._announce(partial(self._sets.take, sets, in_force=self.format is not None))
            self._unit(picture, pts, run, flags, arrival_90k, out)
        return at

    def _unit(self, picture: bytes, pts: int, run: Run, flags: int, arrival_90k: int, out: list[Unit]) -> None:
        self._count_losses(missing=flags & rtp.LOSS != 0)
        is_idr = bool(flags & rtp.IDR)
        starts = is_idr or bool(flags & _OPEN_STARTS) or (flags & rtp.SEI != 0 and self._recovers(picture))
        leads, broken = flags & rtp.RASL != 0, flags & rtp.BLA != 0
        self._give(picture, pts, run, arrival_90k, out, starts=starts, is_idr=is_idr, leads=leads, broken=broken)

    def _recovers(self, picture: bytes) -> bool:
        """Whether decoding can start here although it is no IDR picture: all intra, and whole at once (§D.2.8)."""
        flags, recovery = gop.describe(picture)
        if recovery > 0 and self._waiting:
            self._oddities.note(Oddity.REFRESH_GRADUAL)
        return recovery == 0 and flags & (gop.INTRA | gop.DAMAGED) == gop.INTRA
