"""What happened at a camera: for those who may play back; and a way for administrators to say that something does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from appliance.auth.rights import Right
from appliance.base.clock import TICKS_PER_SECOND, to_rfc3339
from appliance.recorder.events import PAGE
from appliance.web.table import Parameter, Route, Video

if TYPE_CHECKING:
    from appliance.recorder.events import Event
    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services

#: What is asked for if nobody says from when.
LATELY = 24 * 3600 * TICKS_PER_SECOND
USUAL = 100


class NewEvent(msgspec.Struct, forbid_unknown_fields=True):
    """``kind``: a word such as motion or door-open; ``text``: what people read."""

    kind: str = "manual"
    text: str = ""


class EventView(msgspec.Struct):
    """``at`` and ``until``: RFC 3339; the same for what has no duration."""

    id: str
    at: str
    until: str
    kind: str
    text: str


class EventList(msgspec.Struct):
    """The oldest first; as many as were asked for: go on from the last one's time."""

    events: list[EventView]


class CameraEvents:
    """The routes of this module."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def add_to(self, gate: Gate) -> None:
        gate.add(
            Route(
                "camera_events",
                "GET",
                "/api/v1/cameras/<camera_id>/events",
                Right.PLAYBACK,
                self.all,
                "What happened at the camera, the oldest first",
                camera="camera_id",
                answer=EventList,
                video=Video.NONE,
                query=(
                    Parameter("from", "string", "RFC 3339; a day before `to` if not given"),
                    Parameter("to", "string", "RFC 3339; now if not given"),
                    Parameter("limit", "integer", f"1 to {PAGE}; {USUAL} if not given"),
                ),
            )
        )
        gate.add(
            Route(
                "camera_event_add",
                "POST",
                "/api/v1/cameras/<camera_id>/events",
                Right.ADMINISTER,
                self.add,
                "Something happens at the camera now: where events are recorded, that begins or goes on",
                camera="camera_id",
                body=NewEvent,
                answer=EventView,
                status=201,
                example={"kind": "door-open", "text": "North door"},
            )
        )

    async def all(self, call: Call) -> EventList:
        start, end = call.moment("from"), call.moment("to")
        end = self._services.clock.utc_90k() + 1 if end is None else end
        start = end - LATELY if start is None else start
        limit = call.number("limit", 1, PAGE) or USUAL
        found = await self._services.events.between(call.watched.id, start, end, limit)
        return EventList([event_view(event) for event in found])

    async def add(self, call: Call) -> EventView:
        return event_view(await self._services.events.add(call.watched.id, call.body.kind, call.body.text))


def event_view(event: Event) -> EventView:
    return EventView(event.id, to_rfc3339(event.at), to_rfc3339(event.until), event.kind, event.text)
