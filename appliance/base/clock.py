"""Time.  Durations come from Trio's clock; *when* comes from here, as ticks since the Unix epoch.

A tick is 1/90 000 s, the clock rate of RTP video (RFC 6184 §5.1) and the timescale of every file and
fragment we make, so that "now" and "then" are numbers on one axis.
"""

from __future__ import annotations

import os
import re
import time
from calendar import timegm
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

TICKS_PER_SECOND = 90_000
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,12}))?(?:([Zz])|([+-])(\d\d):(\d\d))", re.ASCII
)
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*")
#: The first second that RFC 3339 cannot write any more.
_YEAR_10000 = 253_402_300_800


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


def zone_name(link: Path = Path("/etc/localtime"), environ: Mapping[str, str] = os.environ) -> str:
    """The IANA name of the time zone that the machine is set to (`local_time`); "" where it has no name.

    As tzset(3): TZ comes first; without it a link says where in the zone information the zone is.
    """
    told = environ.get("TZ")
    if told == "":
        return "UTC"
    if told is not None:
        name = told.removeprefix(":")
    else:
        try:
            name = str(link.readlink())
        except FileNotFoundError:
            return "UTC"
        except OSError:  # a copy of a zone, which does not say of which
            return ""
    name = name.rpartition("zoneinfo/")[2]
    return name if _ZONE.fullmatch(name) else ""


def to_datetime(ticks: int) -> datetime:
    """Ticks as a moment in UTC, exact to a microsecond."""
    seconds, rest = divmod(ticks, TICKS_PER_SECOND)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 100 // 9)


def to_rfc3339(ticks: int) -> str:
    """Ticks as ``2026-03-12T14:03:27.120Z``."""
    return to_datetime(ticks).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_rfc3339(text: str) -> int:
    """The ticks of ``2026-03-12T14:03:27.120Z`` or ``2026-03-12t15:03:27+01:00`` (RFC 3339 §5.6), to the tick below.

    Raises ValueError for anything else and what lies before 1970.  A leap second is the one after it.
    """
    found = _RFC3339.fullmatch(text)
    if found is None:
        raise ValueError("not a time as in RFC 3339")
    year, month, day, hour, minute, second = (int(part) for part in found.group(1, 2, 3, 4, 5, 6))
    fraction = found[7] or "0"
    east = 0
    if found[9]:
        hours, minutes = int(found[10]), int(found[11])
        if hours > 23 or minutes > 59:
            raise ValueError("no such offset")
        east = (hours * 60 + minutes) * (-60 if found[9] == "-" else 60)
    datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)  # raises ValueError
    if second > 60:
        raise ValueError("no such second")
    seconds = timegm((year, month, day, hour, minute, second)) - east
    if not 0 <= seconds < _YEAR_10000:
        raise ValueError("out of range")
    return seconds * TICKS_PER_SECOND + int(fraction.ljust(12, "0")) * TICKS_PER_SECOND // 10**12
