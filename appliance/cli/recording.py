"""How a camera is recorded, at the command line: ``recording=event pre=5 …`` and a line that says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from appliance.base.faults import invalid
from appliance.media.recording_rules import NOT_RECORDED
from appliance.media.schedule import show_schedule

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The keys of ``fanal camera set``, and what each is called in the interface.
KEYS: Final = {
    "recording": "mode",
    "record_sub": "sub",
    "schedule": "schedule",
    "pre": "pre_s",
    "post": "post_s",
    "retention_days": "retention_days",
    "max_gb": "max_gb",
}
_YES, _NO = ("yes", "on", "true", "1"), ("no", "off", "false", "0")
#: Of these an empty value leaves it to the settings of all cameras.
_MAY_BE_EMPTY = ("retention_days", "max_gb")


def take_recording(body: dict[str, Any]) -> dict[str, Any]:
    """The body with the keys of recording, texts so far, in their place.  Raises `Fault` ``invalid_recording``."""
    values = {name: _value(key, body[key]) for key, name in KEYS.items() if key in body}
    others = {key: value for key, value in body.items() if key not in KEYS}
    return others | ({"recording": values} if values else {})


def show_recording(given: Mapping[str, Any]) -> str:
    """``mon-fri 07:00-19:00, sub stream too, kept 7 days, at most 20 GB``; empty: it is not recorded."""
    rules = NOT_RECORDED.changed(given)
    if not rules.on:
        return ""
    parts = [rules.mode.value]
    if rules.heeds_events:
        parts = [f"from {rules.pre_s} s before an event to {rules.post_s} s after it"]
    elif given["mode"] == "schedule":
        parts = [show_schedule(rules.schedule)]
    parts += ["sub stream too"] if rules.sub else []
    parts += [f"kept {rules.retention_days} days"] if rules.retention_days else []
    parts += [f"at most {rules.max_gb:g} GB"] if rules.max_gb else []
    return ", ".join(parts)


def _value(key: str, text: str) -> object:
    word = text.strip().lower()
    if key == "recording":
        return word
    if key == "schedule":
        return text
    if key == "record_sub":
        if word not in _YES + _NO:
            raise invalid("invalid_recording", f"{key} is yes or no.", f"Write {key}=yes or {key}=no.", field=key)
        return word in _YES
    if key in _MAY_BE_EMPTY and word in ("", "default"):
        return None
    try:
        return float(word) if key == "max_gb" else int(word)
    except ValueError:
        raise invalid("invalid_recording", f"{key} is a number.", f"Write for example {key}=7.", field=key) from None
