"""Signing in and out (design §9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from quart import Response, request

from appliance import __version__
from appliance.auth.rights import LOCAL, Right
from appliance.base.clock import zone_name
from appliance.base.faults import Fault, Kind
from appliance.base.secrets import Secret
from appliance.settings.tabs import GeneralTab
from appliance.web.gate import COOKIE
from appliance.web.table import Access, Route

if TYPE_CHECKING:
    from appliance.auth.rights import Principal
    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services

LANGUAGES = ["en", "fr"]


class Credentials(msgspec.Struct, forbid_unknown_fields=True):
    username: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials({self.username!r})"


class PasswordChange(msgspec.Struct, forbid_unknown_fields=True):
    old: str
    new: str

    def __repr__(self) -> str:
        return "PasswordChange()"


class UserView(msgspec.Struct):
    id: str
    name: str
    role: str
    must_change_password: bool


class ServerRights(msgspec.Struct):
    """Rights on the whole server; those on cameras stand with each camera."""

    administer: bool


class SessionView(msgspec.Struct, omit_defaults=True):
    """Who is signed in.  ``csrf`` goes into X-CSRF-Token of unsafe requests; ``token`` is told once, at sign-in.
    ``time_zone``: in which times are shown, and schedules are meant: the server's (IANA name); left out: unknown."""

    user: UserView
    rights: ServerRights
    csrf: str = ""
    token: str = ""
    time_zone: str = ""


class ServerView(msgspec.Struct):
    """What a stranger may know, to sign in.  ``secure``: whether this connection is encrypted."""

    name: str
    version: str
    secure: bool
    languages: list[str]


class SessionRoutes:
    """The routes of this module."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def add_to(self, gate: Gate) -> None:
        example = {"username": "léa", "password": "not the password"}
        change = {"old": "not the password", "new": "a better passphrase"}
        for route in (
            Route(
                "server", "GET", "/api/v1/server", Access.PUBLIC, self.server, "The server's name", answer=ServerView
            ),
            Route(
                "sign_in",
                "POST",
                "/api/v1/session",
                Access.PUBLIC,
                self.sign_in,
                "Sign in",
                body=Credentials,
                answer=SessionView,
                example=example,
            ),
            Route(
                "session", "GET", "/api/v1/session", Access.SIGNED_IN, self.who, "Who is signed in", answer=SessionView
            ),
            Route("sign_out", "DELETE", "/api/v1/session", Access.SIGNED_IN, self.sign_out, "Sign out", status=204),
            Route(
                "password",
                "POST",
                "/api/v1/session/password",
                Access.SIGNED_IN,
                self.password,
                "Change one's own password; one's other sessions end",
                body=PasswordChange,
                status=204,
                example=change,
            ),
        ):
            gate.add(route)

    async def server(self, call: Call) -> ServerView:
        secure = self._services.client(call.connection, request.scope["headers"]).secure
        return ServerView(self._services.settings.tab(GeneralTab).server_name, __version__, bool(secure), LANGUAGES)

    async def sign_in(self, call: Call) -> Response:
        given: Credentials = call.body
        agent = request.headers.get("User-Agent", "")
        signed = await self._services.auth.sign_in.attempt(given.username, Secret(given.password), call.address, agent)
        principal = self._services.auth.users.principal(signed.session)
        if principal is None:
            raise Fault(Kind.UNAUTHENTICATED, "bad_credentials", "User name or password is not right.")
        token = signed.token.reveal()
        view = self._view(principal, csrf=signed.session.csrf.reveal(), token=token)
        response = Response(msgspec.json.encode(view), content_type="application/json")
        response.headers["Cache-Control"] = "no-store"
        secure = bool(self._services.client(call.connection, request.scope["headers"]).secure)
        response.set_cookie(
            COOKIE, token, max_age=30 * 86_400, httponly=True, samesite="Strict", secure=secure, path="/"
        )
        return response

    async def who(self, call: Call) -> SessionView:
        return self._view(call.who, csrf=call.session.csrf.reveal() if call.session else "")

    async def sign_out(self, call: Call) -> Response:
        if call.session is not None:
            await self._services.sessions.close(call.session.id)
        response = Response(b"", status=204)
        response.delete_cookie(COOKIE, path="/")
        return response

    async def password(self, call: Call) -> None:
        given: PasswordChange = call.body
        if call.session is None:
            raise Fault(Kind.INVALID, "no_session", "Only a signed-in user has a password.", "Use: fanal user set.")
        await self._services.auth.sign_in.change_password(
            call.who.user_id, Secret(given.old), Secret(given.new), call.address, keep_session=call.session.id
        )

    def _view(self, principal: Principal, *, csrf: str = "", token: str = "") -> SessionView:
        if principal is LOCAL:
            view = UserView(principal.user_id, principal.name, principal.role.value, must_change_password=False)
        else:
            user = self._services.auth.users.get(principal.user_id)
            view = UserView(user.id, user.name, user.role.value, user.must_change)
        administer = self._services.rights.allows(principal, Right.ADMINISTER)
        return SessionView(view, ServerRights(administer), csrf, token, zone_name())
