"""What the receivers of picture and sound share: counting, and the reports to and from the camera."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance._native import rtp
from appliance.sites.rtsp.errors import BadMessage
from appliance.sites.rtsp.oddities import Oddities, Oddity
from appliance.sites.rtsp.rtcp import Goodbye, ReceiverReports, SenderReport, parse_rtcp

if TYPE_CHECKING:
    from appliance.media.timeline import TrackClock

_NAMES = {
    rtp.ODD_EARLY_MARKER: Oddity.MARKER_EARLY,
    rtp.ODD_NO_MARKER: Oddity.MARKER_MISSING,
    rtp.ODD_START_CODES: Oddity.START_CODES_INSIDE,
    rtp.ODD_WHOLE_FRAGMENT: Oddity.FRAGMENT_WHOLE,
    rtp.ODD_TRAILING_ZEROS: Oddity.NAL_TRAILING_ZEROS,
    rtp.ODD_RESTART: Oddity.SEQUENCE_RESTARTED,
    rtp.ODD_TIME_INSIDE: Oddity.TIME_CHANGES_INSIDE,
    rtp.ODD_PACKET_TYPE: Oddity.PACKET_TYPE_UNKNOWN,
    rtp.ODD_TOO_BIG: Oddity.UNIT_TOO_BIG,
}


class TrackReports:
    """Counters of one track, and its RTCP.

    ``arrival_90k`` is when something came, in UTC ticks; ``now`` the same in seconds of a steady clock.
    """

    def __init__(
        self,
        depacketizer: rtp.Depacketizer,
        clock: TrackClock,
        clock_rate: int,
        oddities: Oddities,
        *,
        fragments_announced: bool = True,
    ) -> None:
        #: What counts packets.
        self.counters = self._depacketizer = depacketizer
        self._clock = clock
        self._reports = ReceiverReports(clock_rate)
        #: Of what came: its RTP time, and when it did.
        self.arrived = self._reports.arrived
        self._oddities = oddities
        self._names = _NAMES if fragments_announced else {**_NAMES, rtp.ODD_FRAGMENTS: Oddity.FRAGMENTS_UNANNOUNCED}
        self._noted = 0

    def note_oddities(self) -> None:
        """Name what the depacketizer saw since the last call."""
        found = self._depacketizer.oddities
        if found != self._noted:
            for bit, oddity in self._names.items():
                if found & bit:
                    self._oddities.note(oddity)
            self._noted = found
        if self._clock.is_odd:
            if self._clock.rate_differs:
                self._oddities.note(Oddity.CLOCK_RATE_WRONG)
            if self._clock.is_useless:
                self._oddities.note(Oddity.TIMES_USELESS)
        if self._depacketizer.foreign:
            self._oddities.note(Oddity.FOREIGN_PAYLOAD_TYPE)

    def control(self, packet: bytes, arrival_90k: int, now: float) -> bool:
        """Take an RTCP packet; whether it says goodbye."""
        try:
            found = parse_rtcp(packet)
        except BadMessage:
            self._oddities.note(Oddity.RTCP_UNREADABLE)
            return False
        ended = False
        for item in found:
            if isinstance(item, Goodbye):
                ended = ended or self._depacketizer.ssrc in item.ssrcs
            elif item.ntp_64 and self._is_ours(item):  # 0: the sender knows no time (RFC 3550 §6.4.1)
                self._clock.sender_report(item.ntp_64, item.rtp_time, arrival_90k)
                self._reports.heard(item, now)
        return ended

    def _is_ours(self, report: SenderReport) -> bool:
        return self._depacketizer.highest >= 0 and report.ssrc == self._depacketizer.ssrc

    def report(self, now: float) -> bytes | None:
        """The receiver report that is due."""
        return self._reports.report(self._depacketizer, now)
