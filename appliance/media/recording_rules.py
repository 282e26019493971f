"""When a camera is recorded, and for how long that is kept.  A pure value, checked here and nowhere else.

``off``: never.  ``continuous``: always.  ``event``: from ``pre_s`` before an event to ``post_s`` after the last one.
``schedule``: while the weekly schedule says so, by the server's local time, and never else, whatever happens.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from appliance.base.clock import TICKS_PER_SECOND
from appliance.base.faults import invalid
from appliance.media.schedule import Schedule, covers, parse_schedule, schedule_from_json, schedule_to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from appliance.base.faults import Fault

#: Pictures before an event wait in memory: half a minute of 8 Mbit/s is 30 MB a camera.
PRE_S: Final = (0, 30)
POST_S: Final = (1, 3600)
RETENTION_DAYS: Final = (1, 3650)
#: GB are 10⁹ bytes, as on the label of the disk.
MAX_GB: Final = (0.1, 1_000_000.0)
GB: Final = 1_000_000_000


class RecordingMode(StrEnum):
    OFF = "off"
    CONTINUOUS = "continuous"
    EVENT = "event"
    SCHEDULE = "schedule"


MODES: Final = tuple(mode.value for mode in RecordingMode)


@dataclass(frozen=True, slots=True)
class RecordingRules:
    """What of a camera is recorded.  ``retention_days`` and ``max_gb``: None leaves it to the settings in general."""

    mode: RecordingMode = RecordingMode.OFF
    sub: bool = False  # the smaller stream, too
    schedule: Schedule = ()
    pre_s: int = 5
    post_s: int = 30
    retention_days: int | None = None
    max_gb: float | None = None

    def wants(self, now: int, last_event: int | None, local: datetime) -> bool:
        """Whether to record at ``now``.

        ``now`` and ``last_event``, when the last event ended, are UTC ticks, so that no change of the clocks makes an
        event longer or shorter; ``local`` is what the clock on the wall shows (`appliance.base.clock.local_time`).
        """
        if self.mode is RecordingMode.OFF:
            return False
        if self.mode is RecordingMode.CONTINUOUS:
            return True
        if self.mode is RecordingMode.SCHEDULE:
            return covers(self.schedule, local)
        return last_event is not None and now < last_event + self.post_s * TICKS_PER_SECOND

    @property
    def on(self) -> bool:
        """Whether anything may ever be recorded."""
        return self.mode is not RecordingMode.OFF

    @property
    def heeds_events(self) -> bool:
        """Whether an event makes a difference; then pictures of ``pre_s`` are kept at hand all the time."""
        return self.mode is RecordingMode.EVENT

    @property
    def ahead(self) -> int:
        """How many ticks before an event recording begins."""
        return self.pre_s * TICKS_PER_SECOND if self.heeds_events else 0

    @property
    def max_bytes(self) -> int | None:
        return None if self.max_gb is None else round(self.max_gb * GB)

    def changed(self, given: Mapping[str, object]) -> RecordingRules:
        """These rules with other values, as JSON has them; what is not given stays.

        The schedule may be its text.  Raises `Fault` ``invalid_recording`` with the field.
        """
        unknown = given.keys() - _CHECKS.keys()
        if unknown:
            name = min(unknown)[:40]
            raise _invalid(name, f"Recording has no “{name}”.", f"There are {', '.join(_CHECKS)}.")
        checked: dict[str, Any] = {name: _CHECKS[name](name, value) for name, value in given.items()}
        rules = replace(self, **checked)
        if rules.mode is RecordingMode.SCHEDULE and not rules.schedule:
            raise _invalid(
                "schedule",
                "Recording by schedule needs a schedule.",
                "Give one, for example: mon-fri 07:00-19:00; sat 08:00-12:00",
            )
        return rules

    def to_json(self) -> dict[str, Any]:
        """As JSON has it; `changed` reads it."""
        return {
            "mode": self.mode.value,
            "sub": self.sub,
            "schedule": schedule_to_json(self.schedule),
            "pre_s": self.pre_s,
            "post_s": self.post_s,
            "retention_days": self.retention_days,
            "max_gb": self.max_gb,
        }


NOT_RECORDED: Final = RecordingRules()


def kept(rules: RecordingRules) -> str | None:
    """As it lies in the store; None: nothing was ever set."""
    return None if rules == NOT_RECORDED else json.dumps(rules.to_json())


def from_kept(text: str | None) -> RecordingRules:
    """Raises ValueError for what `kept` did not make."""
    if text is None:
        return NOT_RECORDED
    try:
        return NOT_RECORDED.changed(json.loads(text))
    except Exception as error:  # it is read from a file: whatever is wrong with it, these are no rules
        raise ValueError(f"{text[:80]!r} are no rules of recording") from error


def _mode(name: str, value: object) -> RecordingMode:
    if not isinstance(value, str) or value not in MODES:
        hint = f"Use {', '.join(MODES[:-1])} or {MODES[-1]}."
        raise _invalid(name, f"Recording cannot be {str(value)[:40]}.", hint)
    return RecordingMode(value)


def _sub(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _invalid(name, "Whether the sub stream is recorded is yes or no.", "Use true or false.")
    return value


def _schedule(_name: str, value: object) -> Schedule:
    return parse_schedule(value) if isinstance(value, str) else schedule_from_json(value)


def _pre_s(name: str, value: object) -> int:
    return _whole(name, value, "Recording before an event", "s", PRE_S)


def _post_s(name: str, value: object) -> int:
    return _whole(name, value, "Recording after an event", "s", POST_S)


def _retention_days(name: str, value: object) -> int | None:
    return None if value is None else _whole(name, value, "How long recordings are kept", "days", RETENTION_DAYS)


def _max_gb(name: str, value: object) -> float | None:
    if value is None:
        return None
    least, most = MAX_GB
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise _invalid(name, "How much is kept is a number of GB.", f"Use {least:g} to {most:.0f}.")
    if not least <= value <= most:
        raise _invalid(name, f"How much is kept cannot be {value:g} GB.", f"Use {least:g} to {most:.0f}.")
    return float(value)


def _whole(name: str, value: object, what: str, unit: str, span: tuple[int, int]) -> int:
    hint = f"Use {span[0]} to {span[1]}."
    if not isinstance(value, int) or isinstance(value, bool):
        raise _invalid(name, f"{what} is a whole number ({unit}).", hint)
    if not span[0] <= value <= span[1]:
        raise _invalid(name, f"{what} cannot be {str(value)[:20]} {unit}.", hint)
    return value


_CHECKS: Final[Mapping[str, Callable[[str, object], object]]] = {
    "mode": _mode,
    "sub": _sub,
    "schedule": _schedule,
    "pre_s": _pre_s,
    "post_s": _post_s,
    "retention_days": _retention_days,
    "max_gb": _max_gb,
}


def _invalid(name: str, message: str, hint: str) -> Fault:
    return invalid("invalid_recording", message, hint, field=f"recording.{name}")
