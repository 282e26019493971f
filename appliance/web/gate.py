"""The gate that every request passes: who is it, may they, is the input what it should be.

Handlers are plain coroutines that get a `Call` with all of that answered; none of them asks again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import trio
from quart import Response, request, websocket
from quart.wrappers import Websocket
from werkzeug.exceptions import HTTPException

from appliance.auth.rights import CAMERA_RIGHTS, LOCAL, Principal, Right
from appliance.base.faults import Fault, Kind, invalid
from appliance.base.secrets import Secret
from appliance.serve.connection import Connection, current_connection
from appliance.web import problem
from appliance.web.table import Access, Finder, Route, Table, Video
from appliance.web.times import moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from quart.wrappers import Request
    from quart_trio import QuartTrio

    from appliance.auth.sessions import Session
    from appliance.sites.cameras import Camera
    from appliance.web.services import Services

log = logging.getLogger(__name__)

COOKIE = "fanal_session"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: No body that a client sends is larger; uploads are none of this interface's business.
LARGEST_BODY = 1 << 20
INTERNAL_ERROR = 1011  # RFC 6455 §7.4.1
#: The client hung up while a handler wrote to its connection: nothing that anybody has to read in the log.
GONE = (trio.BrokenResourceError, trio.ClosedResourceError)


@dataclass(slots=True)
class Call:
    """One request that passed the gate.

    ``principal`` is None on public routes when nobody is signed in; ``camera`` is there where the table says how to
    find it, ``body`` where it says what it is.
    """

    route: Route
    principal: Principal | None
    session: Session | None
    camera: Camera | None
    body: Any
    path: Mapping[str, str]
    query: Mapping[str, str]
    connection: Connection
    address: str  # of the client, as far as it can be believed
    ticket: str = ""  # that it came with, where that is what let it in
    found: Any = None  # what the route's finder found

    @property
    def who(self) -> Principal:
        """The principal, where the route needs one."""
        assert self.principal is not None
        return self.principal

    @property
    def watched(self) -> Camera:
        """The camera, where the route has one."""
        assert self.camera is not None
        return self.camera

    def number(self, name: str, least: int, most: int) -> int | None:
        """A whole number from the query, or None if it is not there.  Raises `Fault`."""
        text = self.query.get(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= 9 and least <= int(text) <= most):
            raise invalid(
                "bad_parameter",
                f"{name}={text[:20]!r} cannot be used.",
                f"Give a whole number from {least} to {most}.",
                field=name,
            )
        return int(text)

    def moment(self, name: str) -> int | None:
        """A time from the query in UTC ticks, or None if it is not there.  Raises `Fault`."""
        text = self.query.get(name)
        return None if text is None else moment(text, field=name, code="bad_parameter")


class Gate:
    """Puts routes into an application, each behind its entry in the table."""

    def __init__(self, app: QuartTrio, services: Services) -> None:
        self._app = app
        self._services = services
        self.table = Table()

    def add(self, route: Route) -> None:
        """Serve a route."""
        self.table.add(route)
        if route.websocket:

            async def join(**path: str) -> Response | None:
                return await self._pass_websocket(route, path)

            self._app.add_websocket(route.path, route.name, join)
            return

        async def handle(**path: str) -> Response:
            return await self._pass(route, path)

        self._app.add_url_rule(
            route.path, route.name, handle, methods=[route.method], provide_automatic_options=False, strict_slashes=True
        )

    async def _pass(self, route: Route, path: dict[str, str]) -> Response:
        try:
            call = self._identify(route, path, request)
            if route.endless and request.method == "HEAD":
                return Response(b"", content_type=route.media_type, headers={"Cache-Control": "no-store"})
            call.body = await self._body(route)
            if route.finder is not None:
                await self._find(route.finder, call)
            return self._answer(route, await route.handler(call))
        except Fault as fault:
            return problem.answer(fault)
        except HTTPException:
            raise  # the framework's word on a body that is too large or does not come: `web.app` answers it
        except GONE:
            return Response(b"")  # nobody is there to get it
        except Exception:
            log.exception("%s failed", route.name)
            return problem.answer(_internal())

    async def _pass_websocket(self, route: Route, path: dict[str, str]) -> Response | None:
        try:
            call = self._identify(route, path, websocket)
            self._check_origin(call)
        except Fault as fault:
            return problem.answer(fault)
        except Exception:
            log.exception("%s failed", route.name)
            return problem.answer(_internal())
        try:
            await route.handler(call)
        except GONE:
            pass
        except Exception:
            log.exception("%s failed", route.name)
            await call.connection.close_websocket(INTERNAL_ERROR, "internal error")
        return None

    def _identify(self, route: Route, path: dict[str, str], asked: Request | Websocket) -> Call:
        connection = current_connection.get()
        session, by_cookie, ticket = None, False, ""
        principal: Principal | None = None
        if connection.local:
            principal = LOCAL
        else:
            token, by_cookie = _token(asked)
            session = self._services.sessions.find(token) if token else None
            if session is not None:
                principal = self._services.auth.users.principal(session)
            elif route.by_ticket and (ticket := asked.args.get("ticket", "")):
                principal, _ = self._services.auth.tickets.redeem(ticket, asked.path)
        if session is not None and by_cookie and _changes_something(route, asked):
            self._check_csrf(session, asked)
        camera = self._allow(route, principal, path, asked.args)
        address = self._services.client(connection, asked.scope["headers"]).address
        return Call(route, principal, session, camera, None, path, asked.args, connection, address, ticket)

    def _allow(
        self, route: Route, principal: Principal | None, path: dict[str, str], query: Mapping[str, str]
    ) -> Camera | None:
        """The camera that the route is about.  Raises `Fault` unless the principal may call it."""
        if route.needs is Access.PUBLIC:
            return None
        if route.needs is Access.METRICS and self._services.is_metrics_token(_bearer(request)):
            return None
        if principal is None:
            raise problem.not_signed_in()
        if route.finder is not None:
            return None  # `_find` asks, when there is a body to find it by
        camera = None
        if route.camera is not None:
            camera = self._known(principal, path[route.camera])
            if camera is None:
                raise problem.no_camera()
        self._check_right(route, principal, camera, query)
        return camera

    async def _find(self, finder: Finder, call: Call) -> None:
        """Take in what the call is about.  Raises `Fault` unless the principal may call it."""
        found = await finder.find(call)
        camera = None if found is None else self._known(call.who, found.camera_id)
        if found is None or camera is None:
            raise finder.unknown()
        self._check_right(call.route, call.who, camera, call.query)
        call.camera, call.found = camera, found.thing

    def _known(self, principal: Principal, camera_id: str) -> Camera | None:
        """The camera, if the principal may know that there is one."""
        rights = self._services.rights
        camera = self._services.cameras.find(camera_id)
        if camera is None or not any(rights.allows(principal, right, camera.id) for right in CAMERA_RIGHTS):
            return None
        return camera

    def _check_right(self, route: Route, principal: Principal, camera: Camera | None, query: Mapping[str, str]) -> None:
        rights = self._services.rights
        if route.needs is Access.SIGNED_IN:
            return
        needed = Right.ADMINISTER if route.needs is Access.METRICS else Right(route.needs)
        if route.instead is not None and route.instead[0] in query:
            needed = route.instead[1]
        if not rights.allows(principal, needed, camera.id if camera is not None and needed in CAMERA_RIGHTS else None):
            raise problem.no_right(needed)
        if route.video is Video.NATIVE and camera is not None:
            self._services.refuse_native(principal, camera)

    def _check_csrf(self, session: Session, asked: Request | Websocket) -> None:
        if session.csrf != Secret(asked.headers.get("X-CSRF-Token", "")):
            raise Fault(Kind.FORBIDDEN, "csrf", "The request lacks the session's X-CSRF-Token.", "Reload the page.")

    def _check_origin(self, call: Call) -> None:
        """A page of somebody else's may not open a WebSocket with our cookie (abuse A14).

        Browsers always say where a page comes from; whoever is none and does not can send the token instead.
        """
        if call.session is None or _bearer(websocket):
            return
        if _place(websocket.headers.get("Origin", "")) != websocket.headers.get("Host", "").lower():
            raise Fault(
                Kind.FORBIDDEN,
                "origin",
                "With the cookie, only pages of this server may open this connection.",
                "Programs send Authorization: Bearer.",
            )

    async def _body(self, route: Route) -> Any:
        if route.body is None:
            return None
        if request.mimetype != "application/json":
            raise invalid("bad_request", "The body has to be JSON.", "Send Content-Type: application/json.")
        data = await request.get_data(cache=False)  # bounded by the application's configuration
        try:
            return msgspec.json.decode(data, type=route.body)
        except msgspec.ValidationError as error:
            text, _, where = str(error).partition(" - at `$")
            place = where.removesuffix("`").replace("[...]", "").lstrip(".") or None  # which entry, it does not say
            raise invalid("bad_request", f"The body cannot be used: {text}.", field=place) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise invalid("bad_request", f"The body is not JSON: {error}.") from error
        except RecursionError:
            raise invalid("bad_request", "The body is nested too deeply.") from None

    def _answer(self, route: Route, given: Any) -> Response:
        if isinstance(given, Response):
            return given
        if given is None:
            return Response(b"", status=204)
        return Response(
            msgspec.json.encode(given),
            status=route.status,
            content_type="application/json",
            headers={"Cache-Control": "no-store"},
        )


def too_large() -> Fault:
    return Fault(Kind.LIMITED, "too_large", f"The body is over {LARGEST_BODY >> 20} MB.")


def _changes_something(route: Route, asked: Request | Websocket) -> bool:
    """Whether a request needs the session's token: not where it makes no difference who is signed in."""
    return route.needs is not Access.PUBLIC and not isinstance(asked, Websocket) and asked.method not in SAFE_METHODS


def _place(origin: str) -> str | None:
    """Host and port of an Origin header; None for one that names none."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def _internal() -> Fault:
    return Fault(Kind.INTERNAL, "internal", "Something went wrong inside; the log says more.")


def _bearer(asked: Request | Websocket) -> str:
    kind, _, token = asked.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _token(asked: Request | Websocket) -> tuple[str, bool]:
    """The session token, and whether it came as the cookie."""
    if token := _bearer(asked):
        return token, False
    return asked.cookies.get(COOKIE, ""), True
