"""The authorisation table: every route with the right it needs and how its camera is found.

A route that is not in the table does not exist: `Table.check` refuses to start with one.  The generated test walks
route × role × camera over it (abuse A7), and the OpenAPI document is made from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from appliance.auth.rights import CAMERA_RIGHTS, Right

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from werkzeug.routing import Map

    from appliance.base.faults import Fault


class Access(StrEnum):
    """Who may call a route, where no right of `appliance.auth.rights` says it."""

    PUBLIC = "public"  # anybody; tells nothing that a stranger may not know
    SIGNED_IN = "signed_in"  # any user; what is answered depends on their rights
    METRICS = "metrics"  # the metrics token, or an administrator


class Video(StrEnum):
    """What a route gives of a camera's picture to a user who may not see what its privacy mask hides."""

    NATIVE = "native"  # it has the video as the camera sends it only: the gate refuses, 403 `privacy_mask`
    MASKED = "masked"  # the handler burns in what `Services.mask_for` says
    NONE = "none"  # it has no picture


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter, for the OpenAPI document."""

    name: str
    type: str  # of JSON schema
    about: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a call is about: a thing, and the camera that it belongs to."""

    camera_id: str
    thing: Any = None


@dataclass(frozen=True, slots=True)
class Finder:
    """How the camera of a call is found where no parameter of its path is its id.

    ``find`` is handed the call, its body read.  ``unknown``: what is answered where there is nothing, and the same to
    whoever may know nothing of the camera (abuse A7).
    """

    find: Callable[[Any], Awaitable[Found | None]]
    unknown: Callable[[], Fault]


@dataclass(frozen=True, slots=True)
class Route:
    """One way in.

    ``needs``: a right, or an `Access`.  ``camera``: the path parameter that holds the camera's id, or the ``finder`` of
    it; then a right is asked for that camera.  ``body`` and ``answer``: msgspec structures, or None.  ``example``: a
    body that is accepted, for the generated test and the document.  ``by_ticket``: also for players that cannot send
    headers.
    ``video`` has to be said where a right on a camera is needed, and where the answer is a picture or video.
    ``accepted``: what is answered with 202 where the query asks for later.
    ``ranges``: a part of the answer can be asked for (RFC 9110 §14).
    ``instead``: a parameter of the query, and the right on the camera that is needed in place of ``needs`` with it.
    ``endless``: the answer ends with the connection, and a HEAD request gets what stands before it.
    """

    name: str
    method: str
    path: str
    needs: Right | Access
    handler: Callable[[Any], Awaitable[Any]]
    summary: str
    camera: str | None = None
    body: type | None = None
    answer: type | None = None
    status: int = 200
    media_type: str = "application/json"
    websocket: bool = False
    by_ticket: bool = False
    video: Video | None = None
    endless: bool = False
    ranges: bool = False
    example: Any = None
    query: tuple[Parameter, ...] = ()
    accepted: type | None = None
    finder: Finder | None = None
    instead: tuple[str, Right] | None = None

    @property
    def names_camera(self) -> bool:
        """Whether it is about one camera."""
        return self.camera is not None or self.finder is not None


class Table:
    """All routes; filled by `appliance.web.app`, then fixed."""

    def __init__(self) -> None:
        self._routes: dict[str, Route] = {}

    def add(self, route: Route) -> None:
        """Raises ValueError for a name used twice, a right per camera without a camera, video without masks."""
        if route.name in self._routes:
            raise ValueError(f"two routes are called {route.name}")
        if route.needs in CAMERA_RIGHTS and not route.names_camera:
            raise ValueError(f"{route.name} needs {route.needs} and does not say on which camera")
        if route.finder is not None and (
            route.camera is not None or route.websocket or route.needs not in CAMERA_RIGHTS
        ):
            raise ValueError(f"{route.name}: a finder is for requests that need a right on the camera that it finds")
        if route.camera is not None and f"<{route.camera}>" not in route.path:
            raise ValueError(f"{route.name}: its path has no <{route.camera}>")
        shows = route.needs in CAMERA_RIGHTS or route.media_type.startswith(("video/", "image/", "multipart/"))
        if shows and route.names_camera and route.video is None:
            raise ValueError(f"{route.name} does not say whether it has masked video, native, or none")
        if route.video is Video.NATIVE and route.camera is None:
            raise ValueError(f"{route.name} has native video and does not say of which camera")
        self._routes[route.name] = route

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes.values())

    def __getitem__(self, name: str) -> Route:
        return self._routes[name]

    def check(self, rules: Map) -> None:
        """Raises RuntimeError if the application has a rule, or a rule a method, that is not in the table."""
        known = {(route.name, route.path, route.websocket, method) for route in self for method in _methods(route)}
        strangers = [
            f"{method} {rule.rule} ({rule.endpoint})"
            for rule in _rules(rules)
            for method in sorted(rule.methods or {"any"})
            if (rule.endpoint, rule.rule, rule.websocket, method) not in known
        ]
        if strangers:
            raise RuntimeError(f"routes without an entry in the authorisation table: {', '.join(strangers)}")


def _methods(route: Route) -> tuple[str, ...]:
    return ("GET", "HEAD") if route.method == "GET" else (route.method,)


def _rules(rules: Map) -> Iterable[Any]:
    return rules.iter_rules()
