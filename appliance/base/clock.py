"""Time.  Durations come from Trio's clock; *when* comes from here, as ticks since the Unix epoch.

A tick is 1/90 000 s, the clock rate of RTP video (RFC 6184 §5.1) and the timescale of every file and
fragment we make, so that "now" and "then" are numbers on one axis.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

TICKS_PER_SECOND = 90_000


class Clock(Protocol):
    """Wall-clock time as a parameter: a test hands in one that it sets itself."""

    def utc_90k(self) -> int:
        """Ticks since 1970-01-01T00:00:00Z."""
        ...


class SystemClock:
    """The machine's own clock."""

    def utc_90k(self) -> int:
        return time.time_ns() * 9 // 100_000


class ManualClock:
    """A clock that stands still until told otherwise (tests and simulations)."""

    def __init__(self, utc_90k: int = 1_700_000_000 * TICKS_PER_SECOND) -> None:
        self.now = utc_90k

    def utc_90k(self) -> int:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += round(seconds * TICKS_PER_SECOND)


def utc_seconds(clock: Clock) -> int:
    """Whole seconds since the Unix epoch."""
    return clock.utc_90k() // TICKS_PER_SECOND


def local_time(ticks: int) -> datetime:
    """What the clock on the wall shows then, in the time zone that the machine is set to now."""
    time.tzset()  # a machine that was moved to another zone: the C library looks only when it is told to
    return datetime.fromtimestamp(ticks // TICKS_PER_SECOND)  # noqa: DTZ006 -- local time, and no other, is asked for


def to_datetime(ticks: int) -> datetime:
    """Ticks as a moment in UTC, exact to a microsecond."""
    seconds, rest = divmod(ticks, TICKS_PER_SECOND)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 100 // 9)


def to_rfc3339(ticks: int) -> str:
    """Ticks as ``2026-03-12T14:03:27.120Z``."""
    return to_datetime(ticks).isoformat(timespec="milliseconds").replace("+00:00", "Z")
