"""The walk over every route × role × camera (abuse A7): what is due, said once more by address, and the judge.

What a route needs is said here by its address and not by its entry in the table: a route whose entry says too little is
found out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.auth.rights import ALL, CAMERA_RIGHTS, Role
from appliance.auth.user_rows import account_of
from appliance.base.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from appliance.sites.cameras import Camera
    from appliance.web.table import Route
    from tests.web.appliance import House
    from tests.web.manners import Answer
    from tests.web.visitor import Visitor

NOBODYS_ID = "3f2c9a52-7d0c-4a0e-9b1d-2f1f0c9d8e7a"

#: Nobody has to be signed in for these.
PUBLIC = {
    "GET /api/v1/server",
    "POST /api/v1/session",
    "GET /healthz",
    "GET /trust",
    "GET /trust/ca.crt",
    "GET /trust/style.css",
}
#: Every user may; what is answered depends on who asks.
SIGNED_IN = {
    "GET /api/v1/session",
    "DELETE /api/v1/session",
    "POST /api/v1/session/password",
    "GET /api/v1/cameras",
    "GET /api/v1/events",
    "GET /api/v1/bookmarks",
    "GET /api/v1/openapi.json",
}
#: Whoever has any right on the camera.
SEES_CAMERA = {"GET /api/v1/cameras/<camera_id>", "POST /api/v1/cameras/<camera_id>/ticket"}


#: Whoever may play back the camera that the body names, or that the thing in the path belongs to.
PLAYS_BACK = {
    "POST /api/v1/bookmarks",
    "PATCH /api/v1/bookmarks/<bookmark_id>",
    "DELETE /api/v1/bookmarks/<bookmark_id>",
    "GET /api/v1/cameras/<camera_id>/recordings",
    "GET /api/v1/cameras/<camera_id>/playback",
}


def needs(method: str, path: str) -> str:
    """What a route needs, by its address.  Raises LookupError for one that nobody has thought about."""
    call = f"{method} {path}"
    if call in PUBLIC:
        return "public"
    if call in SIGNED_IN:
        return "signed in"
    if call in SEES_CAMERA:
        return "sees"
    if call in PLAYS_BACK:
        return "playback"
    if path == "/api/v1/cameras/<camera_id>/events":
        return "playback" if method == "GET" else "administer"
    if path == "/api/v1/cameras/<camera_id>/playback":
        return "playback"
    if path.startswith("/api/v1/cameras/<camera_id>/recording."):
        return "export"
    if path.startswith("/api/v1/cameras/<camera_id>/"):  # everything else of a camera is its picture
        return "live"
    if path.startswith(("/api/v1/admin/", "/api/v1/status")) or path == "/metrics":
        return "administer"
    if method == "GET" and not path.startswith("/api") and re.fullmatch(r"(/[\w.-]*|/<\w+>)+", path):
        return "public"  # the web client's pages and files
    raise LookupError(f"say in this test what {call} needs")


@dataclass(frozen=True)
class Standing:
    """``rights`` by camera; None: not signed in (any more)."""

    name: str
    rights: dict[str, set[str]] | None
    administers: bool = False


ALL_RIGHTS = {"live", "audio", "unmasked", "playback", "export"}
ROLES = (
    Standing("nobody", None),
    Standing("a stranger with a token of their own making", None),
    Standing("a viewer without rights", {}),
    Standing("a viewer with live on another camera", {"Yard": {"live"}}),
    Standing("a viewer with live", {"Gate": {"live"}}),
    Standing("a viewer with sound only", {"Gate": {"audio"}}),
    Standing("a viewer who may see what masks hide, and nothing else", {"Gate": {"unmasked"}}),
    Standing("a viewer of recordings", {"Gate": {"playback", "unmasked"}}),
    Standing("a viewer who may save recordings, and nothing else", {"Gate": {"export", "unmasked"}}),
    Standing("a viewer with all", {"Gate": ALL_RIGHTS, "Yard": ALL_RIGHTS}),
    Standing("an administrator", {"Gate": ALL_RIGHTS, "Yard": ALL_RIGHTS}, administers=True),
    Standing("a viewer whose right was taken meanwhile", {}),
    Standing("an administrator who is a viewer meanwhile", {}),
    Standing("a viewer who was disabled meanwhile", None),
    Standing("an administrator who was removed meanwhile", None),
    Standing("a viewer whose password was changed meanwhile", None),
)
#: What an allowed call is answered where that is not the status of the table: (status, code).
ALLOWED = {
    "snapshot at": (404, "no_recording"),
    "sign_in": (401, "bad_credentials"),
    "password": (422, "bad_credentials"),
    **{f"recording_{form}": (422, "bad_parameter") for form in ("mp4", "mkv", "avi")},  # from when is not said
}


def expected(needed: str, role: Standing, camera: str | None) -> tuple[int, str] | None:
    """The refusal that is due, or None where the call is allowed (design §7)."""
    if needed == "public":
        return None
    if role.rights is None:
        return 401, "not_signed_in"
    if needed == "signed in":
        return None
    held = role.rights.get(camera or "", set())
    if camera is not None and not held:
        return 404, "no_camera"
    if needed == "administer":
        return None if role.administers else (403, "no_right")
    return None if needed == "sees" or needed in held else (403, "no_right")


#: Where a parameter of the query asks for something else, another right is needed: said once more.
WITH = {"snapshot": ("?at=2026-03-12T14:03:27Z", "playback")}


class World:
    """A house with two cameras and somebody in every role."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.cameras: dict[str, Camera] = {name: house.do(house.camera, name) for name in ("Gate", "Yard")}
        self.visitors: dict[str, list[Visitor]] = {}
        self._bookmarks: dict[tuple[int, str, str | None], str] = {}
        for number, role in enumerate(ROLES):
            self.visitors[role.name] = [
                house.do(self.visitor, role, f"user {number}{how}", how == "c") for how in ("b", "c")
            ]

    async def visitor(self, role: Standing, name: str, by_cookie: bool) -> Visitor:
        house, users = self.house, self.house.services.auth.users
        if role.name == "nobody":
            return house.stranger()
        if role.name.startswith("a stranger"):
            return house.stranger(token="A" * 43, csrf="A" * 43, by_cookie=by_cookie)
        was_administrator = role.name.startswith("an administrator")
        user = await house.user(name, Role.ADMINISTRATOR if was_administrator else Role.VIEWER)
        visitor = await house.visitor(user, by_cookie=by_cookie)
        for right in CAMERA_RIGHTS:
            held = {self.cameras[camera].id for camera, rights in (role.rights or {}).items() if right.value in rights}
            if held and not was_administrator:
                await users.grant(user.id, {right: frozenset(held)})
        match role.name.split()[-2:]:
            case ["taken", _]:
                await users.grant(user.id, dict.fromkeys(CAMERA_RIGHTS, ALL))
                await users.grant(user.id, dict.fromkeys(CAMERA_RIGHTS, frozenset()))
            case ["viewer", _]:
                await users.change(user.id, role=Role.VIEWER)
            case ["disabled", _]:
                await users.change(user.id, disabled=True)
            case ["removed", _]:
                await users.remove(user.id)
            case ["changed", _]:
                await users.set_password(user.id, Secret("another passphrase of theirs"))
        return visitor

    async def prepare(self) -> None:
        """What the calls of the table are about: there, and not yet there."""
        services = self.house.services
        await services.checks.wait_ended()
        for name in ("léa", "scratch"):
            if services.auth.users.find(name):
                await services.auth.users.remove(name)
        for name in ("gate house", "Scratch", "front gate"):
            if services.cameras.find(name):
                await services.cameras.remove(name)
        await self.house.user("scratch")
        await self.house.camera("Scratch")
        services.auth.lockout.unlock(account_of("léa"), address="127.0.0.1")

    async def renew(self, visitor: Visitor, name: str) -> Visitor:
        user = self.house.services.auth.users.get(name)
        return await self.house.visitor(user, by_cookie=visitor.by_cookie)

    async def bookmark(self, number: int, how: str, camera: str | None) -> str:
        """The id of one that this user made on the camera."""
        if camera not in self.cameras:
            return NOBODYS_ID
        book, whose = self.house.services.bookmarks, (number, how, camera)
        if whose not in self._bookmarks or await book.find(self._bookmarks[whose]) is None:
            user = self.house.services.auth.users.find(f"user {number}{how}")
            made = await book.add(self.cameras[camera].id, None if user is None else user.id, 0, None, "x")
            self._bookmarks[whose] = made.id
        return self._bookmarks[whose]

    def call(self, route: Route, visitor: Visitor, camera: str | None, number: int = 0, query: str = "") -> Answer:
        camera_id = self.cameras[camera].id if camera in self.cameras else NOBODYS_ID
        values = {"camera_id": camera_id, "user": "scratch", "which": "Scratch", "tab": "general",
                  "stream": "main", "tracks": "video", "piece": "init-0.mp4"}  # fmt: skip
        if "<bookmark_id>" in route.path:
            how = "c" if visitor.by_cookie else "b"
            values["bookmark_id"] = self.house.do(self.bookmark, number, how, camera)
        path = re.sub(r"<(\w+)>", lambda match: values.get(match[1], "x"), route.path) + query
        if route.websocket:
            # of the right page: what this is about is rights
            return visitor.shake_hands(path, {"Origin": f"https://{visitor.host}:{visitor.port}"})
        if route.endless:
            return visitor.begin(path)
        example = route.example
        if route.name == "bookmark_add":
            example = {**example, "camera": camera_id}
        if route.name == "camera_add":
            example = {**example, "name": "gate house"}
        return visitor.call(route.method, path, example) if example is not None else visitor.call(route.method, path)


def complaints(world: World, only: Collection[str] = ()) -> Iterator[str]:
    """Every answer that is not the one that is due."""
    for route in world.house.appliance.table:
        if only and route.name not in only:
            continue
        try:
            needed = needs(route.method, route.path)
        except LookupError as unknown:
            yield str(unknown)
            continue
        of_a_camera = "<camera_id>" in route.path or f"{route.method} {route.path}" in PLAYS_BACK
        cameras = ("Gate", "Yard", "a camera that is not there") if of_a_camera else (None,)
        for role in ROLES:
            for visitor in world.visitors[role.name]:
                for camera in cameras:
                    yield from complaint(world, route, needed, role, visitor, camera)
                    if route.name in WITH:
                        query, other = WITH[route.name]
                        yield from complaint(world, route, other, role, visitor, camera, query)
        if (route.instead is not None) is not (route.name in WITH):
            yield f"say in this test what {route.name} needs with {route.instead}"


def complaint(
    world: World,
    route: Route,
    needed: str,
    role: Standing,
    visitor: Visitor,
    camera: str | None,
    query: str = "",
) -> Iterator[str]:
    due = expected(needed, role, camera)
    if due is not None and due[0] == 404 and "<bookmark_id>" in route.path:
        due = 404, "no_bookmark"
    if due is None and route.method != "GET":
        world.house.do(world.prepare)
    if route.name == "sign_out" and role.rights is not None:  # not with the session that the others need
        number = ROLES.index(role)
        visitor = world.house.do(world.renew, visitor, f"user {number}{'c' if visitor.by_cookie else 'b'}")
    answer = world.call(route, visitor, camera, ROLES.index(role), query)
    if (due is None and route.path.startswith("/live/<")) or route.path.endswith("/<file>"):
        good = answer.status in (200, 404)
    elif due is None:
        due = ALLOWED.get(f"{route.name} at" if query else route.name)
        good = answer.status == (101 if route.websocket else route.status) if due is None else fits(answer, due)
    else:
        good = fits(answer, due)
    if not good:
        yield f"{route.name} for {role.name}, {camera}: {answer.status} {answer.body[:200]!r}; due: {due or 'allowed'}"


def fits(answer: Answer, due: tuple[int, str]) -> bool:
    if answer.status != due[0]:
        return False
    return answer.method == "HEAD" or answer.code == due[1]
