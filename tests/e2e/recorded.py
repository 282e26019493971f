"""An appliance with recordings whose every picture says its number, some of them up to now and beyond."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from appliance.base.clock import TICKS_PER_SECOND as S
from appliance.base.clock import ManualClock
from tests.media.clips import encode_h264
from tests.recorder.made import endless, make_recording

if TYPE_CHECKING:
    from tests.e2e.house import House
    from tests.media.clips import Clip

FPS, GOP = 25, 25
FRAME_MS = 1000 // FPS
#: Pictures after which the numbers begin anew.
PICTURES = 200
SIZE = (640, 360)
#: What was recorded, in seconds: over the borders of files, then nothing for four minutes, then a little.
LONG_S, GAP_S, REST_S = 70, 240, 20
#: Ticks from a whole millisecond to the first picture, as cameras have it: times are told cut to that.
BESIDE = 41
#: How far into the time to come the camera of the live end has been recorded.
AHEAD_S = 400


@cache
def clip() -> Clip:
    return encode_h264(PICTURES, SIZE, fps=FPS, gop=GOP, b=2, sc_threshold="0")


@dataclass
class Recorded:
    """What was recorded of whom, in UTC milliseconds."""

    start: int
    now: int
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def gap(self) -> tuple[int, int]:
        return self.start + LONG_S * 1000, self.start + (LONG_S + GAP_S) * 1000

    def number_at(self, utc_ms: float) -> int:
        """Of the picture on the screen, in any recording that began at `start`."""
        since = utc_ms - self.start if utc_ms < self.gap[0] else utc_ms - self.gap[1]
        return int(since // FRAME_MS) % PICTURES


def record(house: House) -> Recorded:
    """Of its cameras: the first as above and around now, the second at the same time, the third a little later."""
    house.stop()
    now = int(time.time())
    found = Recorded((now - 3600) * 1000, now * 1000)
    spans = {
        0: [(-3600, LONG_S), (-3600 + LONG_S + GAP_S, REST_S), (-40, 40 + AHEAD_S)],
        1: [(-3600, LONG_S)],
        2: [(-3590, 30)],
    }
    for n, camera in enumerate(house.cameras()):
        found.ids[camera["name"]] = camera["id"]
        for begin, seconds in spans.get(n, ()):
            units = endless(clip(), (now + begin) * S + BESIDE, seconds)
            # it arrives when it is recorded: how long it is kept counts from then
            make_recording(house.folder, units, camera_id=camera["id"], clock=ManualClock(now * S))
    house.start()
    return found
