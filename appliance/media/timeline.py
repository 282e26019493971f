"""From a camera's time stamps to the one axis of the house: UTC in ticks of 1/90 000 s.

RTP time is 32 bits, wraps, starts anywhere and may jump (RFC 3550 §5.1).  A `Timeline` belongs to one connection
and is shared by its tracks.  Its first track *leads*: the others follow it, so that sound stays with the picture.
Within a *run* times only grow; a jump of the camera's clock ends the run and starts another.

Two questions, two answers:

- How do sound and picture belong together?  Sender reports say it (RFC 3550 §6.4.1), whatever the camera's clock
  shows; until they come, arrival does.
- What time is it?  The camera's clock while it stays within two seconds of arrival, else arrival: the least delay of
  the last pictures, the one that waited least in the network.

A clock that runs at another rate than it says is counted by the rate that it has (`appliance.media.pace`); one that
stands still, or jumps all the time, says nothing: pictures are then placed as they arrive.

A correction is *slewed*, at most 1 ms a unit, so that nobody sees it.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import TYPE_CHECKING

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.pace import Arrivals, Pace
from appliance.media.units import Run

if TYPE_CHECKING:
    from appliance.base.clock import Clock

NTP_TO_UNIX_S = 2_208_988_800  # 1900-01-01 to 1970-01-01
#: A sender report further from arrival than this does not say what time it is: the camera's clock is wrong.
BELIEVED = 2 * TICKS_PER_SECOND
#: A step of the time stamps that arrival does not share, or this much backwards, is a jump of the camera's clock.
JUMP_AHEAD = 2 * TICKS_PER_SECOND
JUMP_BACK = TICKS_PER_SECOND
#: No clock drifts and no burst stands this far from arrival.
ASTRAY = 10 * TICKS_PER_SECOND
SLEW = TICKS_PER_SECOND // 1000
#: Differences below this are left alone: they are the network's jitter, not the clock's drift.
DEAD_BAND = TICKS_PER_SECOND // 50
#: The least delay is taken over this many units.
WINDOW = 128
#: Runs count from this much before their first unit: decoding times and slewed sound may lie before it.
RUN_MARGIN = 5 * TICKS_PER_SECOND
_WRAP = 1 << 32


def ntp_to_ticks(ntp_64: int) -> int:
    """A 64-bit NTP time stamp (RFC 3550 §4) as ticks since 1970; era 1 begins in 2036."""
    seconds, fraction = ntp_64 >> 32, ntp_64 & 0xFFFFFFFF
    if seconds < 1 << 31:  # RFC 4330 §3: with the top bit clear it is after 2036
        seconds += 1 << 32
    return (seconds - NTP_TO_UNIX_S) * TICKS_PER_SECOND + (fraction * TICKS_PER_SECOND >> 32)


class Timeline:
    """The axis of one connection."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.run: Run | None = None
        self.shift = 0  # ticks to add to the leader's base; what is slewed
        self._leader: TrackClock | None = None
        self._ahead = 0  # of the machine's clock, since that was set back
        self._arrival: int | None = None  # of the last that came

    def steady(self, arrival_90k: int) -> int:
        """The arrival on an axis that does not go back: after the machine's clock was set back it is as if it had run
        on, until the clock is right again.  Else each picture would begin a run for as long as that takes."""
        if self._arrival is not None:
            step = arrival_90k + self._ahead - self._arrival
            if step < -ASTRAY:
                self._ahead -= step
            elif step > ASTRAY and self._ahead:
                self._ahead = max(0, self._ahead - step)
        self._arrival = arrival_90k + self._ahead
        return self._arrival

    def track(self, clock_rate: int) -> TrackClock:
        """The clock of one more track; ``clock_rate`` in Hz as its rtpmap says.  The first one leads: the picture."""
        if clock_rate <= 0:
            raise ValueError(f"a clock rate of {clock_rate} Hz")
        track = TrackClock(self, clock_rate, leads=self._leader is None)
        self._leader = self._leader or track
        return track

    def begin_run(self, first_pts: int) -> Run:
        self.run = Run(first_pts - RUN_MARGIN, "arrival")
        return self.run


class TrackClock:
    """Places one track's RTP times on the timeline."""

    def __init__(self, timeline: Timeline, clock_rate: int, *, leads: bool) -> None:
        self._timeline = timeline
        self._rate = clock_rate
        self._pace = Pace(clock_rate)
        self._arrivals: Arrivals | None = None  # places what comes, where RTP time says nothing
        #: Whether `rate_differs` or `is_useless`.
        self.is_odd = False
        self._leads = leads
        self._run: Run | None = None
        self._high = 0  # the last RTP time, unwrapped
        self._base = 0  # the leader's offset is base + shift
        self._offset = 0  # ticks from unwrapped RTP time to UTC
        self._reported: int | None = None  # the offset that the last sender report gave
        self._camera_clock = False  # whether that report was near enough to arrival to be the time
        self._last_pts = 0
        self._last_arrival = 0
        self._least: int | None = None
        self._seen = 0
        self._drift: int | None = None  # where the least delay wants the offset

    @property
    def clock(self) -> str:
        """Where the times come from: ``"rtcp"`` or ``"arrival"``."""
        return "rtcp" if self._camera_clock else "arrival"

    @property
    def rate_differs(self) -> bool:
        """Whether RTP time runs at another rate than it was said to."""
        return self._pace.rate_differs

    @property
    def is_useless(self) -> bool:
        """Whether RTP time says nothing."""
        return self._arrivals is not None

    def place(self, rtp_time: int, arrival_90k: int) -> tuple[int, Run]:
        """The presentation time in UTC ticks of what carries ``rtp_time`` and arrived then, and its run."""
        arrival_90k = self._timeline.steady(arrival_90k)
        if self._run is None:
            self._high = rtp_time
            return self._start(arrival_90k, self._timeline.run)
        self._high = self._near(rtp_time)
        run = self._timeline.run
        if run is not self._run:
            return self._start(arrival_90k, run)  # another track's clock jumped: join its run
        if self._arrivals is not None:
            self._last_pts = self._arrivals.place(arrival_90k)
            return self._last_pts, self._run
        rate = self._pace.measure(self._high, arrival_90k)
        if rate is not None:
            self._rate = rate
            return self._start(arrival_90k, None)
        ticks = self._ticks(self._high)
        step = ticks + self._offset - self._last_pts
        waited = arrival_90k - self._last_arrival
        astray = abs(ticks + self._offset - arrival_90k) > ASTRAY
        if step - waited > JUMP_AHEAD or step < -JUMP_BACK or astray:
            self._pace.jumped(arrival_90k)
            return self._start(arrival_90k, None)
        self._measure(ticks, arrival_90k)
        self._slew()
        pts = ticks + self._offset
        self._last_pts, self._last_arrival = max(pts, self._last_pts), arrival_90k
        return pts, self._run

    def sender_report(self, ntp_64: int, rtp_time: int, arrival_90k: int) -> None:
        """A sender report said that ``rtp_time`` was at ``ntp_64``."""
        if self._run is None:
            return
        arrival_90k = self._timeline.steady(arrival_90k)
        said = ntp_to_ticks(ntp_64)
        self._reported = said - self._ticks(self._near(rtp_time))
        self._camera_clock = abs(said - arrival_90k) <= BELIEVED
        if self._leads:  # nothing moves now; what the report says is slewed to, or only followed
            self._base = self._reported
            self._timeline.shift = self._offset - self._base

    def _start(self, arrival_90k: int, run: Run | None) -> tuple[int, Run]:
        # A run begins after all that was given out before: times only grow, also over its border.
        pts = max(arrival_90k, self._last_pts + 1)
        self._pace.restart(self._high, arrival_90k)
        if self._pace.is_useless:
            self._arrivals = Arrivals(pts, arrival_90k)
        self.is_odd = self.is_useless or self.rate_differs
        self._offset = self._base = pts - self._ticks(self._high)
        self._reported, self._camera_clock = None, False
        self._least, self._seen, self._drift = None, 0, None
        if self._leads:
            self._timeline.shift = 0
        self._run = run or self._timeline.begin_run(pts)
        self._last_pts, self._last_arrival = pts, arrival_90k
        return pts, self._run

    def _measure(self, ticks: int, arrival_90k: int) -> None:
        delay = arrival_90k - ticks
        self._least = delay if self._least is None else min(self._least, delay)
        self._seen += 1
        if self._seen >= WINDOW:
            self._drift = self._least if abs(self._least - self._offset) > DEAD_BAND else None
            self._least, self._seen = None, 0

    def _slew(self) -> None:
        timeline = self._timeline
        if self._leads:
            if self._reported is not None and self._camera_clock:
                wanted = 0
            elif self._drift is not None:
                wanted = self._drift - self._base
            else:
                return
            if wanted != timeline.shift:
                timeline.shift += _step(wanted - timeline.shift)
                self._offset = self._base + timeline.shift
            return
        leader = timeline._leader
        assert leader is not None
        if self._reported is not None and leader._reported is not None:
            target = self._reported + timeline.shift
            if abs(target - self._offset) <= BELIEVED:  # else one of the two reports is stale or wrong
                self._offset += _step(target - self._offset)
        elif self._drift is not None:
            self._offset += _step(self._drift - self._offset)

    def _near(self, rtp_time: int) -> int:
        """The unwrapped time nearest to the last one."""
        delta = (rtp_time - self._high) % _WRAP
        return self._high + (delta if delta < _WRAP // 2 else delta - _WRAP)

    def _ticks(self, unwrapped: int) -> int:
        return unwrapped if self._rate == TICKS_PER_SECOND else unwrapped * TICKS_PER_SECOND // self._rate


def _step(difference: int) -> int:
    return max(-SLEW, min(SLEW, difference))


class DecodeOrder:
    """Decoding times from presentation times (ISO/IEC 14496-12 wants both; RTP has one).

    With ``depth`` pictures that may overtake, decoding times are the sorted presentation times, ``depth`` pictures
    late.  ``depth`` None: begins with none.  Where pictures overtake more than that, it learns from what comes.  The
    times grow strictly; while the depth is being learnt one may exceed its presentation time, which composition offsets
    of version 1 can say.
    """

    def __init__(self, depth: int | None, *, picture_ticks: int = TICKS_PER_SECOND // 25) -> None:
        self._stated = depth
        self._depth = depth or 0
        self._picture = picture_ticks
        self._sorted: list[int] = []
        self._recent: deque[int] = deque(maxlen=16)
        self._highest = 0
        self._last: int | None = None
        #: Whether pictures overtook more than was said.
        self.exceeded = False

    @property
    def depth(self) -> int:
        return self._depth

    def dts(self, pts: int, *, is_idr: bool) -> int:
        """The decoding time of the next picture in decoding order."""
        if is_idr and self._sorted and pts - self._sorted[0] > TICKS_PER_SECOND:
            self._sorted.clear()  # a loss or a new run: what waited from before is of no use
        if is_idr:
            self._recent.clear()  # what was decoded before an IDR picture is shown before it and what follows
            self._highest = pts
        elif pts < self._highest:
            self._depth = max(self._depth, sum(1 for earlier in self._recent if earlier > pts))
            self.exceeded = self._stated is not None and self._depth > self._stated
        else:
            self._highest = pts
        self._recent.append(pts)
        heapq.heappush(self._sorted, pts)
        missing = self._depth + 1 - len(self._sorted)
        dts = self._sorted[0] - missing * self._picture if missing > 0 else heapq.heappop(self._sorted)
        if self._last is not None and dts <= self._last:
            dts = self._last + 1
        self._last = dts
        return dts
