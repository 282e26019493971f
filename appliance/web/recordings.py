"""When a camera was recorded, for timelines and calendars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from appliance.auth.rights import Right
from appliance.base.clock import TICKS_PER_SECOND, to_rfc3339
from appliance.base.faults import invalid
from appliance.recorder.files import MAIN, STREAMS
from appliance.web.table import Parameter, Route, Video
from appliance.web.times import check_order

if TYPE_CHECKING:
    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services

DAY: Final = 24 * 3600 * TICKS_PER_SECOND
#: Ten years and some days.
LONGEST: Final = 3660 * DAY
#: Ranges in an answer.  Where there would be more, the gaps that are too short to be seen among so many go.
MOST: Final = 5000
_TICKS_PER_MS: Final = TICKS_PER_SECOND // 1000


class RangeView(msgspec.Struct):
    """A stretch of recorded time, RFC 3339, its end not included."""

    start: str = msgspec.field(name="from")
    end: str = msgspec.field(name="to")


class RecordingsView(msgspec.Struct):
    """``stream``: whose ranges these are; ``streams``: those that are recorded; ``first``, ``last``: of all that is
    kept of the camera; null: nothing.  ``resolution``: gaps of up to so many ms are not shown."""

    ranges: list[RangeView]
    stream: str
    streams: list[str]
    first: str | None
    last: str | None
    resolution: int


class Recordings:
    """The route of this module."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def add_to(self, gate: Gate) -> None:
        gate.add(
            Route(
                "recordings",
                "GET",
                "/api/v1/cameras/<camera_id>/recordings",
                Right.PLAYBACK,
                self.ranges,
                "When the camera was recorded",
                camera="camera_id",
                video=Video.NONE,
                answer=RecordingsView,
                query=(
                    Parameter("from", "string", "RFC 3339; a day before `to` if not given"),
                    Parameter("to", "string", "RFC 3339; now if not given"),
                    Parameter("resolution", "integer", "Leave out gaps of up to so many ms; 0 if not given"),
                    Parameter("stream", "string", "main (if not given) or sub"),
                ),
            )
        )

    async def ranges(self, call: Call) -> RecordingsView:
        archive, camera_id = self._services.archive, call.watched.id
        start, end = self._span(call)
        stream = recorded_stream(call)
        joined = (call.number("resolution", 0, 999_999_999) or 0) * _TICKS_PER_MS
        found, joined = await archive.ranges(camera_id, start, end, stream=stream, resolution=joined, most=MOST)
        bounds = await archive.bounds(camera_id)
        return RecordingsView(
            [RangeView(to_rfc3339(span.start), to_rfc3339(span.end)) for span in found],
            stream,
            await archive.streams(camera_id),
            None if bounds is None else to_rfc3339(bounds.start),
            None if bounds is None else to_rfc3339(bounds.end),
            joined // _TICKS_PER_MS,
        )

    def _span(self, call: Call) -> tuple[int, int]:
        end = call.moment("to")
        if end is None:
            end = self._services.clock.utc_90k()
        start = call.moment("from")
        if start is None:
            start = end - DAY
        check_order(start, end)
        if end - start > LONGEST:
            raise invalid("bad_parameter", "That is more than ten years.", "Ask for less at a time.", field="from")
        return start, end


def recorded_stream(call: Call) -> str:
    """The name of the stream that a query asks for; the larger one where it does not say.  Raises `Fault`."""
    stream = call.query.get("stream", MAIN)
    if stream not in STREAMS:
        message = f"stream={stream[:20]!r} cannot be used."
        raise invalid("bad_parameter", message, f"Use {' or '.join(STREAMS)}.", field="stream")
    return stream
