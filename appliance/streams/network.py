"""What one client's network carries of a camera's streams: `appliance.media.bandwidth` at work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.media.bandwidth import Bandwidth, Sight
from appliance.media.choice import Admission, admits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from appliance.serve.fanout import Outlet
    from appliance.sites.cameras import StreamConfig
    from appliance.streams.directory import Directory


class Network:
    """``streams`` below are those of the camera that may be sent, ``codecs`` what the client plays of them."""

    def __init__(self, outlet: Outlet, directory: Directory) -> None:
        self._outlet = outlet
        self._directory = directory
        self._bandwidth = Bandwidth()

    def look(
        self, now: float, sent: StreamConfig, streams: Sequence[StreamConfig], codecs: Sequence[str] | None
    ) -> None:
        """See what waits for the client; to be called about once a second while ``sent`` is sent."""
        smaller = bool(self._smaller(sent, streams, codecs))
        self._bandwidth.see(Sight(now, self._outlet.lag_s, self._outlet.gaps), smaller=smaller)

    def carried(
        self, chosen: StreamConfig, streams: Sequence[StreamConfig], codecs: Sequence[str] | None
    ) -> tuple[StreamConfig, int]:
        """The chosen stream, or one as many steps smaller as the network needs; and how many these are."""
        if not self._bandwidth.steps:
            return chosen, 0
        smaller = self._smaller(chosen, streams, codecs)
        steps = min(self._bandwidth.steps, len(smaller))
        return (smaller[steps - 1] if steps else chosen), steps

    def _smaller(
        self, stream: StreamConfig, streams: Sequence[StreamConfig], codecs: Sequence[str] | None
    ) -> list[StreamConfig]:
        """Those with smaller pictures, the largest first."""
        found = []
        size = self._samples(stream)
        for other in streams:
            video, others = self._directory.facts(other.id).video, self._samples(other)
            if video is not None and 0 < others < size and admits(codecs, video.codec_string) is Admission.YES:
                found.append((others, other))
        return [other for _, other in sorted(found, key=lambda pair: -pair[0])]

    def _samples(self, stream: StreamConfig) -> int:
        """Of one picture; 0 where it is not known."""
        video = self._directory.facts(stream.id).video
        return 0 if video is None else video.width * video.height
