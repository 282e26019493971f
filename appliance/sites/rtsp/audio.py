"""From a camera's packets to sound: AAC frames, or samples of G.711, with the times they are heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance._native import rtp
from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.units import AudioUnit
from appliance.sites.rtsp.receiver import TrackReports

if TYPE_CHECKING:
    from appliance.media.timeline import TrackClock
    from appliance.media.units import Unit
    from appliance.sites.rtsp.codecs import AudioPlan
    from appliance.sites.rtsp.messages import Packets
    from appliance.sites.rtsp.oddities import Oddities
    from appliance.sites.source import SourceStatistics


class AudioReceiver:
    """One track of AAC or G.711.  What a packet holds stands alone, so a loss costs only what was lost."""

    def __init__(self, plan: AudioPlan, clock: TrackClock, statistics: SourceStatistics, oddities: Oddities) -> None:
        self.format = plan.format
        self._depacketizer = _depacketizer(plan)
        self._push = self._depacketizer.push
        self.reports = TrackReports(self._depacketizer, clock, plan.clock_rate, oddities)
        self._clock = clock
        self._statistics = statistics
        self._duration = round(plan.format.samples_per_unit * TICKS_PER_SECOND / plan.format.sample_rate)
        self._byte_s = plan.format.sample_rate * plan.format.channels  # of G.711
        self._last_pts: int | None = None
        self._dropped_before = 0

    def packets(self, packets: Packets, at: int, arrival_90k: int, now: float, out: list[Unit]) -> int:
        """Take the RTP packet ``packets.spans[at]``, append the units it completes, and say where to go on."""
        _, start, end = packets.spans[at]
        at += 1
        frames = self._push(packets.data, start, end)
        if frames is None:
            return at
        self.reports.note_oddities()
        self._statistics.units_dropped += self._depacketizer.dropped - self._dropped_before
        self._dropped_before = self._depacketizer.dropped
        for frame, rtp_time in frames:
            pts, run = self._clock.place(rtp_time, arrival_90k)
            if self._last_pts is not None and pts <= self._last_pts:  # the camera's clock went back a little
                self._statistics.units_dropped += 1
                continue
            self._last_pts = pts
            duration = self._duration or len(frame) * TICKS_PER_SECOND // self._byte_s
            out.append(AudioUnit(frame, pts, duration, self.format, run))
        self.reports.arrived(frames[-1][1], now)
        return at


def _depacketizer(plan: AudioPlan) -> rtp.SoundDepacketizer:
    form = plan.format
    if not form.is_played:
        return rtp.PcmDepacketizer(plan.payload_type, form.sample_rate * form.channels)  # a second in one packet
    # RTP time counts in the clock of the rtpmap line, which for HE-AAC is not that of the core
    samples = form.samples_per_unit * plan.clock_rate // form.sample_rate
    return rtp.AacDepacketizer(plan.payload_type, *plan.lengths, max(1, samples))
