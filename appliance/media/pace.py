"""Whether a camera's RTP time goes as fast as it says: cameras count milliseconds, or twice, or not at all."""

from __future__ import annotations

from collections import deque

from appliance.base.clock import TICKS_PER_SECOND

#: The pace is taken over this much of arrival's time; two windows have to agree, and a burst or a stall makes no two.
WINDOW = 4 * TICKS_PER_SECOND
#: What drift, bursts and stalls never come to.
WRONG = 1.5
AGREE = 0.2
#: A measured rate so near to one of these is meant to be it.
KNOWN_RATES = (1000, 8000, 11_025, 16_000, 22_050, 32_000, 44_100, 45_000, 48_000, 90_000, 180_000)
NEAR = 0.05
#: Below this rate, or with so many jumps in a row each soon after the last, time stamps say nothing.
SLOWEST = 100
JUMPS, JUMPS_WITHIN = 5, 10 * TICKS_PER_SECOND


class Pace:
    """Compares RTP time with arrival.  ``rate`` in Hz as announced."""

    def __init__(self, rate: int) -> None:
        self._announced = self._rate = rate
        self._from = self._since = 0  # RTP time and arrival where the window begins
        self._before: float | None = None  # what the window before measured, where that was wrong
        self._jumps: deque[int] = deque(maxlen=JUMPS)
        self.is_useless = False

    @property
    def rate_differs(self) -> bool:
        return self._rate != self._announced

    def restart(self, rtp_time: int, arrival_90k: int) -> None:
        """Time begins anew here."""
        self._from, self._since, self._before = rtp_time, arrival_90k, None

    def jumped(self, arrival_90k: int) -> None:
        self._jumps.append(arrival_90k)
        if len(self._jumps) == JUMPS and arrival_90k - self._jumps[0] <= JUMPS_WITHIN:
            self.is_useless = True

    def measure(self, rtp_time: int, arrival_90k: int) -> int | None:
        """The rate to count by from here on, once it has turned out to be another; it stays where there is none."""
        elapsed = arrival_90k - self._since
        if elapsed < WINDOW:
            return None
        seen = (rtp_time - self._from) * TICKS_PER_SECOND / elapsed
        before = self._before
        self.restart(rtp_time, arrival_90k)
        if elapsed > 2 * WINDOW or self._rate / WRONG <= seen <= self._rate * WRONG:
            return None
        self._before = seen
        if before is None or abs(seen - before) > AGREE * max(abs(seen), abs(before)):
            return None
        if seen < SLOWEST:
            self.is_useless = True
        else:
            self._rate = next((known for known in KNOWN_RATES if abs(seen - known) <= NEAR * known), round(seen))
        return self._rate


class Arrivals:
    """Places what comes by its arrival alone, evened out: the network's jitter is not to be seen."""

    def __init__(self, pts: int, arrival_90k: int) -> None:
        self._last = pts
        self._arrival = arrival_90k
        self._interval = TICKS_PER_SECOND // 25

    def place(self, arrival_90k: int) -> int:
        """The time of what arrived then; times grow."""
        waited, self._arrival = arrival_90k - self._arrival, arrival_90k
        self._interval += (min(max(waited, 0), TICKS_PER_SECOND) - self._interval) // 16
        expected = self._last + self._interval
        late = arrival_90k - expected
        even = expected + max(late // 8, -self._interval // 8)
        self._last = max(self._last + 1, arrival_90k if late > TICKS_PER_SECOND else even)
        return self._last
