"""A weekly schedule by the clock on the wall.  Pure: whoever asks says what that clock shows.

A span has days and two times; if it ends before it begins, it ends on the next day.  What counts is what the clock
shows: in the night in which an hour comes twice, both are within or neither is; an hour that is left out is left out.
As text, for the command line: ``mon-fri 07:00-19:00; sat,sun 22:00-06:00``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from appliance.base.faults import invalid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from appliance.base.faults import Fault

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY: Final = ("daily", "*")
DAY_MINUTES: Final = 24 * 60
MOST_SPANS: Final = 64
#: The longest text that is looked at.
MOST_CHARACTERS: Final = 4096

_FIELD: Final = "recording.schedule"
_TIME: Final = re.compile(r"([0-9]{1,2}):([0-9]{2})", re.ASCII)
_EXAMPLE: Final = "Write for example: mon-fri 07:00-19:00; sat 22:00-06:00"


@dataclass(frozen=True, slots=True)
class WeekSpan:
    """Some days, Monday being 0, from one minute of the day to another; one that is not later is of the next day."""

    days: tuple[int, ...]
    start: int
    end: int  # 1 … 1440

    def covers(self, local: datetime) -> bool:
        """Whether it is within; ``local`` is what the clock on the wall shows."""
        minute, today = local.hour * 60 + local.minute, local.weekday()
        if self.start < self.end:
            return today in self.days and self.start <= minute < self.end
        return (today in self.days and minute >= self.start) or ((today - 1) % 7 in self.days and minute < self.end)


Schedule = tuple[WeekSpan, ...]


def covers(schedule: Schedule, local: datetime) -> bool:
    """Whether any of the spans is on."""
    return any(span.covers(local) for span in schedule)


def parse_schedule(text: str) -> Schedule:
    """A schedule from its text; an empty one has no spans.  Raises `Fault` ``invalid_recording``."""
    if len(text) > MOST_CHARACTERS:
        raise _invalid("The text of the schedule is too long.", f"It may have {MOST_CHARACTERS} characters.")
    spans = []
    for part in filter(None, map(str.strip, text.split(";"))):
        days, _, times = part.rpartition(" ")
        start, _, end = times.partition("-")
        spans.append(_span(_days(days), start, end))
    return _bounded(spans)


def show_schedule(schedule: Schedule) -> str:
    """Its text, which `parse_schedule` reads."""
    return "; ".join(f"{_show_days(span.days)} {_show(span.start)}-{_show(span.end)}" for span in schedule)


def schedule_from_json(value: object) -> Schedule:
    """From ``[{"days": ["mon", …], "from": "07:00", "to": "19:00"}, …]``.  Raises `Fault` ``invalid_recording``."""
    if not isinstance(value, list):
        raise _invalid("The schedule is a list of spans.", 'Give {"days": ["mon"], "from": "07:00", "to": "19:00"}.')
    return _bounded([_span_from_json(each) for each in value[: MOST_SPANS + 1]])


def schedule_to_json(schedule: Schedule) -> list[dict[str, Any]]:
    return [
        {"days": [DAYS[day] for day in span.days], "from": _show(span.start), "to": _show(span.end)}
        for span in schedule
    ]


def _span_from_json(value: object) -> WeekSpan:
    if not isinstance(value, dict) or value.keys() != {"days", "from", "to"}:
        raise _invalid("A span of the schedule has days, from and to.", _EXAMPLE)
    days, start, end = value["days"], value["from"], value["to"]
    if not (isinstance(days, list) and isinstance(start, str) and isinstance(end, str)):
        raise _invalid("A span of the schedule has a list of days, and two times as text.", _EXAMPLE)
    return _span([_day(str(day)) for day in days[: 2 * len(DAYS)]], start, end)


def _span(days: Sequence[int], start: str, end: str) -> WeekSpan:
    if not days:
        raise _invalid("A span of the schedule has no days.", _EXAMPLE)
    begins, ends = _minute(start), _minute(end) or DAY_MINUTES  # up to midnight, however that is written
    if begins == DAY_MINUTES:
        raise _invalid("A span of the schedule cannot begin at 24:00.", "Let it begin at 00:00 of the next day.")
    if begins == ends:
        raise _invalid(
            f"A span of the schedule begins and ends at {_show(begins)}.", "For the whole day, use 00:00-24:00."
        )
    return WeekSpan(tuple(sorted(set(days))), begins, ends)


def _bounded(spans: Sequence[WeekSpan]) -> Schedule:
    if len(spans) > MOST_SPANS:
        raise _invalid(f"The schedule has more than {MOST_SPANS} spans.", "Put days with the same times together.")
    return tuple(spans)


def _days(text: str) -> list[int]:
    """``mon-fri``, ``sat,sun``, ``fri-mon``, ``daily``."""
    found: list[int] = []
    for word in filter(None, re.split(r"[,\s]+", text.strip().lower())):
        if word in EVERY_DAY:
            found += range(len(DAYS))
            continue
        first, dash, last = word.partition("-")
        begin = _day(first)
        days = (_day(last) - begin) % 7 if dash else 0
        found += [(begin + each) % 7 for each in range(days + 1)]
    return found


def _day(word: str) -> int:
    if word not in DAYS:
        raise _invalid(f"“{word[:20]}” is not a day of the week.", f"Use {', '.join(DAYS)}, or daily.")
    return DAYS.index(word)


def _show_days(days: tuple[int, ...]) -> str:
    """Three days and more in a row as a range."""
    if len(days) == len(DAYS):
        return EVERY_DAY[0]
    words: list[str] = []
    left = list(days)
    while left:
        run = 1
        while run < len(left) and left[run] == left[0] + run:
            run += 1
        if run > 2:
            words.append(f"{DAYS[left[0]]}-{DAYS[left[run - 1]]}")
        else:
            words += [DAYS[day] for day in left[:run]]
        del left[:run]
    return ",".join(words)


def _minute(text: str) -> int:
    match = _TIME.fullmatch(text.strip())
    minute = int(match[1]) * 60 + int(match[2]) if match and int(match[2]) < 60 else DAY_MINUTES + 1
    if minute > DAY_MINUTES:
        raise _invalid(f"“{text[:20]}” is not a time of the day.", _EXAMPLE)
    return minute


def _show(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _invalid(message: str, hint: str) -> Fault:
    return invalid("invalid_recording", message, hint, field=_FIELD)
