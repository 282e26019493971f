"""Server-Sent Events: what an open page has to hear of without asking (design §9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import trio
from quart import Response

from appliance import __version__
from appliance.auth.rights import CAMERA_RIGHTS, Right, RightsChange
from appliance.auth.sessions import SessionEnded
from appliance.base.clock import TICKS_PER_SECOND
from appliance.base.faults import Fault, Kind
from appliance.recorder.bookmarks import BookmarkRemoved, BookmarkSet
from appliance.recorder.events import Event
from appliance.recorder.recorder import RecordingChanged
from appliance.sites.cameras import CameraAdded, CameraChanged, CameraLeaving, CameraRemoved
from appliance.streams.directory import CameraState
from appliance.streams.news import Lost, Stopping
from appliance.web.camera_events import event_view
from appliance.web.cameras import Cameras, state_view
from appliance.web.table import Access, Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from appliance.auth.rights import Principal
    from appliance.web.bookmarks import BookmarkRoutes
    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services

#: A comment so often, so that proxies and clients know that the connection lives.
ALIVE_S = 15.0
#: Event streams of one user at once; a browser has one a page.
PER_USER = 32


class Events:
    """The routes of this module."""

    def __init__(self, services: Services, cameras: Cameras, bookmarks: BookmarkRoutes) -> None:
        self._services = services
        self._cameras = cameras
        self._bookmarks = bookmarks
        self._open: dict[str, int] = {}

    def add_to(self, gate: Gate) -> None:
        gate.add(
            Route(
                "events",
                "GET",
                "/api/v1/events",
                Access.SIGNED_IN,
                self.stream,
                "Cameras added, changed, removed, their states, recordings, events; bookmarks; rights, session ended",
                media_type="text/event-stream",
                endless=True,
            )
        )

    async def stream(self, call: Call) -> Response:
        if self._open.get(call.who.user_id, 0) >= PER_USER:
            raise Fault(Kind.LIMITED, "too_many_events", "This user has too many pages open.", "Close some of them.")
        response = Response(self._events(call), content_type="text/event-stream", headers={"Cache-Control": "no-store"})
        response.timeout = None  # it ends with the client
        return response

    async def _events(self, call: Call) -> AsyncIterator[bytes]:
        """No nursery or cancel scope stands open across a yield: the framework closes generators where it likes."""
        user = call.who.user_id
        self._open[user] = self._open.get(user, 0) + 1
        try:
            with self._services.news.listen() as listener:
                if self._open[user] > PER_USER:  # many came at once, between the check above and here
                    return
                hello = {"version": __version__, "utc_ms": self._services.clock.utc_90k() * 1000 // TICKS_PER_SECOND}
                yield _event("hello", hello)  # noqa: ASYNC119 (listening is an entry in a set)
                if self._has_ended(call):  # between the gate and here
                    yield ENDED  # noqa: ASYNC119 (listening is an entry in a set)
                    return
                while not listener.overflowed:  # an overflowed client comes again and asks for everything
                    news: object = None
                    with trio.move_on_after(ALIVE_S):
                        news = await listener.receive()
                    event = ALIVE if news is None else self._told(news, call)
                    if event:
                        yield event  # noqa: ASYNC119 (listening is an entry in a set)
                    if isinstance(news, Stopping) or event == ENDED:
                        return
        finally:
            self._open[user] -= 1
            if not self._open[user]:
                del self._open[user]

    def _told(self, news: object, call: Call) -> bytes:
        """News as this user hears them; empty if it is none of their business."""
        who = call.who
        if isinstance(news, CameraAdded | CameraChanged | CameraLeaving):
            if not self._sees(who, news.camera.id):
                return b""
            kind = "camera_added" if isinstance(news, CameraAdded) else "camera_changed"
            return _event(kind, self._cameras.view(news.camera, who))
        if isinstance(news, CameraRemoved):
            return _event("camera_removed", {"id": news.camera_id})  # an id alone tells a stranger nothing
        if isinstance(news, CameraState):
            if not self._sees(who, news.camera_id):
                return b""
            return _event("camera_state", {"id": news.camera_id, **msgspec.to_builtins(state_view(news))})
        if isinstance(news, BookmarkSet | BookmarkRemoved):
            return self._of_bookmark(news, who)
        if isinstance(news, RecordingChanged):
            camera = self._services.cameras.find(news.camera_id)
            if camera is None or not self._sees(who, camera.id):
                return b""
            return _event("camera_recording", {"id": camera.id, **self._cameras.recording(camera)})
        if isinstance(news, Event):
            if not self._services.rights.allows(who, Right.PLAYBACK, news.camera_id):
                return b""
            return _event("camera_event", {"camera": news.camera_id, **msgspec.to_builtins(event_view(news))})
        if isinstance(news, RightsChange):
            return _event("rights_changed", {}) if who.user_id in news.user_ids else b""
        if isinstance(news, SessionEnded):
            return ENDED if news.session_id == who.session_id else b""
        if isinstance(news, Lost):
            return _event("rights_changed", {})  # the page asks for everything
        return b""

    def _of_bookmark(self, news: BookmarkSet | BookmarkRemoved, who: Principal) -> bytes:
        bookmark = news.bookmark
        if not self._services.rights.allows(who, Right.PLAYBACK, bookmark.camera_id):
            return b""
        if isinstance(news, BookmarkRemoved):
            return _event("bookmark_removed", {"id": bookmark.id, "camera": bookmark.camera_id})
        return _event("bookmark_changed", self._bookmarks.view(bookmark, who))

    def _has_ended(self, call: Call) -> bool:
        session_id = call.who.session_id
        return session_id is not None and not self._services.sessions.is_open(session_id)

    def _sees(self, principal: Principal, camera_id: str) -> bool:
        return any(self._services.rights.allows(principal, right, camera_id) for right in CAMERA_RIGHTS)


def _event(kind: str, data: Any) -> bytes:
    return b"event: " + kind.encode() + b"\ndata: " + msgspec.json.encode(data) + b"\n\n"


ALIVE = b": alive\n\n"
ENDED = _event("session_ended", {})
