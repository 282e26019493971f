"""Which level applies (row PER-4): by the load of the server, and not back and forth.

A threshold that is exceeded by less than five per cent keeps the current level.  A level lowers the very load that it
answers to, so a load that has fallen says little: after a while the level before is tried again, and where that brings
the load back, ever more seldom.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appliance.media.levels import BusyLevel, Levels

#: A threshold exceeded by less than this keeps the current level.
MARGIN = 1.05
#: Load is evened out over this time: a process that starts is no reason.
EVEN_S = 10.0
#: So long has a threshold to be exceeded.
BUSY_FOR_S = 10.0
#: So long it is not before the level before is tried; twice as long each time that this brought the load back.
QUIET_FOR_S, LONGEST_QUIET_S = 60.0, 1800.0
#: It was brought back if within this time.
PROBATION_S = 120.0


@dataclass(frozen=True, slots=True)
class Demand:
    """A sample of the load: percent of all cores in use, kbit/s to all clients."""

    at_s: float
    cpu_percent: float
    kbps: float


@dataclass(frozen=True, slots=True)
class InForce:
    """``level`` is 1, 2 or 3.  The rest is what the next choice needs, the load evened out among it."""

    level: int = 1
    at_s: float | None = None
    cpu_percent: float = 0.0
    kbps: float = 0.0
    busy_since: float | None = None
    quiet_since: float | None = None
    quiet_for_s: float = QUIET_FOR_S
    lowered_at: float | None = None


def follow(before: InForce, demand: Demand, levels: Levels) -> InForce:
    """The level from now on; to be called with each sample of the load, a few seconds apart."""
    now = demand.at_s
    weight = 1.0 if before.at_s is None else 1 - exp(-max(0.0, now - before.at_s) / EVEN_S)
    cpu = before.cpu_percent + (demand.cpu_percent - before.cpu_percent) * weight
    kbps = before.kbps + (demand.kbps - before.kbps) * weight
    least = _level(levels, cpu, kbps, MARGIN)  # below it one is exceeded by five per cent and more
    most = _level(levels, cpu, kbps, 1.0)  # above it none is exceeded at all
    level = before.level if _is_on(levels, before.level) else _next_lower(levels, before.level)
    busy_since = _since(before.busy_since, now) if least > level else None
    quiet_since = _since(before.quiet_since, now) if most < level else None
    quiet_for_s, lowered_at = before.quiet_for_s, before.lowered_at
    if busy_since is not None and now - busy_since >= BUSY_FOR_S:
        again = lowered_at is not None and now - lowered_at < PROBATION_S
        quiet_for_s = min(2 * quiet_for_s, LONGEST_QUIET_S) if again else QUIET_FOR_S
        level, busy_since, quiet_since, lowered_at = least, None, None, None
    elif quiet_since is not None and now - quiet_since >= quiet_for_s:
        level, quiet_since, lowered_at = _next_lower(levels, level), None, now
    return InForce(level, now, cpu, kbps, busy_since, quiet_since, quiet_for_s, lowered_at)


def _level(levels: Levels, cpu: float, kbps: float, margin: float) -> int:
    """The highest whose threshold is exceeded, by this margin."""
    for number, level in ((3, levels.level3), (2, levels.level2)):
        if level.enabled and _exceeds(level, cpu / margin, kbps / margin):
            return number
    return 1


def _exceeds(level: BusyLevel, cpu: float, kbps: float) -> bool:
    return (0 < level.cpu_percent < cpu) or (0 < level.bandwidth_kbps < kbps)


def _is_on(levels: Levels, level: int) -> bool:
    return level == 1 or (levels.level2 if level == 2 else levels.level3).enabled


def _next_lower(levels: Levels, level: int) -> int:
    return 2 if level == 3 and levels.level2.enabled else 1


def _since(before: float | None, now: float) -> float:
    return now if before is None else before
