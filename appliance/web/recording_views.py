"""How a camera is recorded, as the administration is told it and tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

if TYPE_CHECKING:
    from appliance.media.recording_rules import RecordingRules
    from appliance.recorder.stream import RecordingState


class ScheduleSpan(msgspec.Struct, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """``days``: mon, tue …; ``from`` and ``to`` as ``07:00``, by the server's local time.

    A span that ends before it begins ends on the next day; ``24:00`` is the end of the day.
    """

    days: list[str]
    start: str
    end: str


class Recording(msgspec.Struct):
    """``mode``: off, continuous, event or schedule; ``sub``: the smaller stream is recorded, too.

    In the mode event from ``pre_s`` before an event to ``post_s`` after it.  ``retention_days`` and ``max_gb``
    (10⁹ bytes): null leaves it to the settings of all cameras.
    """

    mode: str
    sub: bool
    schedule: list[ScheduleSpan]
    pre_s: int
    post_s: int
    retention_days: int | None
    max_gb: float | None


class RecordingChange(msgspec.Struct, forbid_unknown_fields=True):
    """See `Recording`; what is left out stays.  ``schedule`` may be text: ``mon-fri 07:00-19:00; sat 08:00-12:00``."""

    mode: str | UnsetType = UNSET
    sub: bool | UnsetType = UNSET
    schedule: list[ScheduleSpan] | str | UnsetType = UNSET
    pre_s: int | UnsetType = UNSET
    post_s: int | UnsetType = UNSET
    retention_days: int | UnsetType | None = UNSET
    max_gb: float | UnsetType | None = UNSET


class RecordingStateView(msgspec.Struct):
    """``state``: off, on, waiting or failed.

    ``reason``: why it waits (event, schedule, no_video), or what is wrong with the disk (disk_full, disk_read_only,
    disk_slow, disk_failed).  ``message`` says it in English.
    """

    state: str
    reason: str | None
    message: str


def state_of_recording(state: RecordingState) -> RecordingStateView:
    return RecordingStateView(state.doing.value, state.reason, state.message)


def recording_view(rules: RecordingRules) -> Recording:
    return msgspec.convert(rules.to_json(), Recording)


def recording_values(given: RecordingChange) -> dict[str, Any]:
    """For `RecordingRules.changed`, which checks them."""
    values: dict[str, Any] = msgspec.to_builtins(given)
    return values
