"""Limits of transcoded pictures in three levels (rows PER-2, PER-3): the settings, and what is wrong with them.

Level 1 always applies.  Levels 2 and 3 apply while the server is busy, and allow less each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.media.ladder import NO_LIMIT, Limit

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FPS = (1, 60)
#: On the longer and on the shorter side.
MAX_WIDTH, MAX_HEIGHT = (160, 7680), (90, 4320)
#: Percent of all cores.  A threshold counts as exceeded five per cent above it, and that has to be possible.
CPU_PERCENT = (10, 95)
#: kbit/s to all clients together.
BANDWIDTH_KBPS = (100, 10_000_000)


@dataclass(frozen=True, slots=True)
class Level1:
    """The default limits."""

    enabled: bool = True
    max_fps: int = 25
    max_width: int = 1920
    max_height: int = 1080


@dataclass(frozen=True, slots=True)
class BusyLevel:
    """The limits while a threshold is exceeded; a threshold of 0 is none."""

    enabled: bool = False
    cpu_percent: int = 70
    bandwidth_kbps: int = 50_000
    max_fps: int = 15
    max_width: int = 1280
    max_height: int = 720


_LEVEL_3 = BusyLevel(cpu_percent=85, bandwidth_kbps=80_000, max_fps=8, max_width=640, max_height=360)


@dataclass(frozen=True, slots=True)
class Levels:
    level1: Level1 = Level1()
    level2: BusyLevel = BusyLevel()
    level3: BusyLevel = _LEVEL_3

    def limit(self, level: int) -> Limit:
        """What the level allows; one that is off is as the one before."""
        for settings in (self.level3, self.level2, self.level1)[3 - level :]:
            if settings.enabled:
                return Limit(settings.max_fps, (settings.max_width, settings.max_height))
        return NO_LIMIT


@dataclass(frozen=True, slots=True)
class Problem:
    """``field`` as in ``level2.max_fps``."""

    field: str
    message: str
    hint: str


def problems(levels: Levels) -> tuple[Problem, ...]:
    """What is wrong with these settings.  Levels that are off need only be within their ranges, and none is compared
    with one that is off."""
    named = (("level1", levels.level1), ("level2", levels.level2), ("level3", levels.level3))
    found = [problem for name, level in named for problem in _out_of_range(name, level)]
    before: tuple[str, Level1 | BusyLevel] | None = None
    for name, level in named:
        if not level.enabled:
            continue
        if isinstance(level, BusyLevel) and not (level.cpu_percent or level.bandwidth_kbps):
            found.append(Problem(f"{name}.cpu_percent", "No threshold is set.", "Set one of CPU and bandwidth."))
        if before is not None:
            found += _not_beyond(name, level, *before)
        before = (name, level)
    kept: dict[str, Problem] = {}
    for problem in found:  # the first of each field says enough
        kept.setdefault(problem.field, problem)
    return tuple(kept.values())


def _out_of_range(name: str, level: Level1 | BusyLevel) -> Iterator[Problem]:
    ranges = {"max_fps": MAX_FPS, "max_width": MAX_WIDTH, "max_height": MAX_HEIGHT}
    if isinstance(level, BusyLevel):
        ranges |= {"cpu_percent": CPU_PERCENT, "bandwidth_kbps": BANDWIDTH_KBPS}
    for each, (least, most) in ranges.items():
        value = getattr(level, each)
        may_be_off = each in ("cpu_percent", "bandwidth_kbps")
        if not (least <= value <= most or (may_be_off and value == 0)):
            hint = f"Use {least} to {most}{', or 0 for no threshold' if may_be_off else ''}."
            yield Problem(f"{name}.{each}", f"{value} is not possible.", hint)


def _not_beyond(
    name: str, level: Level1 | BusyLevel, before_name: str, before: Level1 | BusyLevel
) -> Iterator[Problem]:
    """A level allows less than the one before, and comes into force later."""
    title = before_name.replace("level", "Level ")
    if level.max_fps >= before.max_fps:
        most = before.max_fps - MAX_FPS[0]
        hint = f"Use {most} at most." if most else f"Raise it on {title}, as there is nothing below."
        yield Problem(f"{name}.max_fps", f"{title} allows {before.max_fps} pictures a second already.", hint)
    size, size_before = (level.max_width, level.max_height), (before.max_width, before.max_height)
    if size == size_before or level.max_width > before.max_width or level.max_height > before.max_height:
        wrong = "max_height" if level.max_width <= before.max_width and size != size_before else "max_width"
        message = f"{title} allows {before.max_width}x{before.max_height} already."
        yield Problem(f"{name}.{wrong}", message, "Use a smaller size, larger on neither side.")
    if not (isinstance(level, BusyLevel) and isinstance(before, BusyLevel)):
        return
    for each, what, unit in (
        ("cpu_percent", "CPU threshold", " %"),
        ("bandwidth_kbps", "bandwidth threshold", " kbit/s"),
    ):
        value, lower = getattr(level, each), getattr(before, each)
        if value and lower and value <= lower:
            message = f"The {what} of {title} is {lower}{unit}."
            yield Problem(f"{name}.{each}", message, f"Use more than {lower}{unit}, or 0 for no threshold.")
