"""Times as clients write them: RFC 3339."""

from __future__ import annotations

from typing import Final

from appliance.base.clock import from_rfc3339, to_rfc3339
from appliance.base.faults import invalid

_HINT: Final = "Write it like 2026-03-12T14:03:27.120Z; in an address the + of +01:00 has to be %2B."


def moment(text: str, *, field: str, code: str = "bad_time") -> int:
    """The UTC ticks of a time.  Raises `Fault` with that code."""
    try:
        return from_rfc3339(text)
    except ValueError:
        raise invalid(code, f"{field}={text[:40]!r} is no time.", _HINT, field=field) from None


def check_order(start: int, end: int) -> None:
    """That `from` and `to` of a query, in UTC ticks, have time between them.  Raises `Fault`."""
    if start >= end:
        message = f"{to_rfc3339(start)} is not before {to_rfc3339(end)}."
        raise invalid("bad_parameter", message, "Let `to` be later than `from`.", field="to")
