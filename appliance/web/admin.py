"""Administration: users, cameras, settings (design §9).  Everything here needs the right to administer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from quart import Response

from appliance.auth.passwords import check_new
from appliance.auth.rights import ALL, CAMERA_RIGHTS, AllCameras, Cameras, Right, Role
from appliance.auth.user_rows import account_of
from appliance.base.clock import TICKS_PER_SECOND, to_rfc3339
from appliance.base.faults import Fault, Kind, invalid
from appliance.base.secrets import Secret
from appliance.media.masks import Point, checked, parse_mask
from appliance.settings.tabs import TABS, to_json
from appliance.sites.camera import configured
from appliance.sites.removals import LONGEST_S
from appliance.web.cameras import AdviceView, StateView, advice_view, removed_at, state_view
from appliance.web.pinning import FIRST, shown_fingerprint
from appliance.web.table import Parameter, Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from appliance.auth.user_rows import User
    from appliance.media.masks import Mask
    from appliance.sites.cameras import Camera
    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services

ALL_WORD = "all"
Granted = list[str] | str  # ids or names of cameras, or "all"
GivenMask = list[list[Point]] | str


class NewUser(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    password: str
    role: str = Role.VIEWER.value

    def __repr__(self) -> str:
        return f"NewUser({self.name!r})"


class UserChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is left out stays.  ``grants``: right → cameras (ids or names) or "all"."""

    role: str | None = None
    disabled: bool | None = None
    password: str | None = None
    grants: dict[str, Granted] | None = None

    def __repr__(self) -> str:
        return "UserChange()"


class AdminUser(msgspec.Struct):
    """``grants``: right → ids of cameras, or "all"."""

    id: str
    name: str
    role: str
    disabled: bool
    must_change_password: bool
    created: str
    grants: dict[str, Granted]


class AdminUsers(msgspec.Struct):
    users: list[AdminUser]


class NewCamera(msgspec.Struct, forbid_unknown_fields=True):
    """``url`` may hold user and password, or they are given apart; they are kept apart, encrypted.

    ``sub``: a smaller stream's address.  ``transport``: auto, tcp, udp or http.  ``fingerprint``: SHA-256 of the only
    certificate that an ``rtsps://`` camera may show, or "first": of the one that it shows now.

    ``mask``: polygons that hide a part of the picture from users without the right ``unmasked``, each a list of at
    least three points ``[x, y]`` as fractions of the picture, from its left upper corner; or as text,
    ``x,y x,y x,y; …``.
    """

    name: str
    url: str
    sub: str | None = None
    username: str | None = None
    password: str | None = None
    transport: str | None = None
    fingerprint: str | None = None
    mask: GivenMask | None = None

    def __repr__(self) -> str:
        return f"NewCamera({self.name!r})"


class CameraChange(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What is left out stays; ``sub`` empty: there is none any more.

    ``transport`` and ``fingerprint``: see `NewCamera`; empty: none is asked for.  ``mask``: see there; empty: none.
    """

    name: str | None = None
    url: str | None = None
    sub: str | None = None
    username: str | None = None
    password: str | None = None
    transport: str | None = None
    fingerprint: str | None = None
    mask: GivenMask | None = None

    def __repr__(self) -> str:
        return "CameraChange()"


class AdminStream(msgspec.Struct):
    """``url`` without credentials; ``has_password`` says that there is one."""

    id: str
    name: str
    url: str
    username: str
    has_password: bool
    codec: str | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    kbps: float | None = None
    gop_s: float | None = None
    packets_lost: int | None = None  # since the stream was opened; None: it is not
    pictures_dropped: int | None = None  # because a part of them, or of what they refer to, was lost
    notes: list[str] = []
    oddities: list[str] = []
    advice: list[AdviceView] = []  # by what it sends, not by what it is set to


class AdminCamera(msgspec.Struct):
    """``remove_at``: when it is to be removed, unless that is taken back meanwhile (RFC 3339)."""

    id: str
    name: str
    site: str
    state: StateView
    message: str
    streams: list[AdminStream]
    mask: list[list[Point]]
    remove_at: str | None = None


class AdminCameras(msgspec.Struct):
    cameras: list[AdminCamera]


class Saved(msgspec.Struct):
    """Which settings changed, and which of them wait for a restart."""

    changed: list[str]
    restart: list[str]


class Administration:
    """The routes of this module."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def add_to(self, gate: Gate) -> None:
        def add(
            name: str, method: str, path: str, handler: Callable[[Call], Awaitable[Any]], summary: str, **more: Any
        ) -> None:
            gate.add(Route(name, method, f"/api/v1/admin/{path}", Right.ADMINISTER, handler, summary, **more))

        new_user = {"name": "léa", "password": "a passphrase of hers", "role": "viewer"}
        new_camera = {"name": "gate", "url": "rtsp://192.0.2.10/main", "sub": "rtsp://192.0.2.10/sub"}
        add("users", "GET", "users", self.users, "All users", answer=AdminUsers)
        add(
            "user_add",
            "POST",
            "users",
            self.add_user,
            "Add a user",
            body=NewUser,
            answer=AdminUser,
            status=201,
            example=new_user,
        )
        add(
            "user_change",
            "PATCH",
            "users/<user>",
            self.change_user,
            "Change a user",
            body=UserChange,
            answer=AdminUser,
            example={"grants": {"live": "all"}},
        )
        add("user_remove", "DELETE", "users/<user>", self.remove_user, "Remove a user", status=204)
        add("user_unlock", "POST", "users/<user>/unlock", self.unlock_user, "Forget wrong passwords", status=204)
        add("admin_cameras", "GET", "cameras", self.cameras, "All cameras", answer=AdminCameras)
        add(
            "camera_add",
            "POST",
            "cameras",
            self.add_camera,
            "Add a camera",
            body=NewCamera,
            answer=AdminCamera,
            status=201,
            example=new_camera,
        )
        add(
            "camera_change",
            "PATCH",
            "cameras/<which>",
            self.change_camera,
            "Change a camera",
            body=CameraChange,
            answer=AdminCamera,
            example={"name": "front gate"},
        )
        seconds = f"Remove it in so many seconds (1 to {LONGEST_S}) unless that is taken back"
        add(
            "camera_remove",
            "DELETE",
            "cameras/<which>",
            self.remove_camera,
            "Remove a camera",
            status=204,
            query=(Parameter("in_seconds", "integer", seconds),),
            accepted=AdminCamera,
        )
        add(
            "camera_keep",
            "DELETE",
            "cameras/<which>/removal",
            self.keep_camera,
            "Take back a removal that was to happen later",
            status=204,
        )
        add("settings_schema", "GET", "settings", self.schema, "All settings: keys, ranges, defaults, values")
        add("settings", "GET", "settings/<tab>", self.tab, "The values of one tab")
        add(
            "settings_save",
            "PUT",
            "settings/<tab>",
            self.save,
            "Save values of one tab",
            body=dict[str, Any],
            answer=Saved,
            example={"description": "in the cellar"},
        )

    # --- users --------------------------------------------------------------------------------------------------

    async def users(self, _call: Call) -> AdminUsers:
        return AdminUsers([self._user(user) for user in self._services.auth.users.list()])

    async def add_user(self, call: Call) -> AdminUser:
        given: NewUser = call.body
        user = await self._services.auth.users.add(given.name, Secret(given.password), _role(given.role))
        return self._user(user)

    async def change_user(self, call: Call) -> AdminUser:
        given: UserChange = call.body
        users = self._services.auth.users
        user = users.get(call.path["user"])
        # all of it is looked at before any of it is done
        grants = None if given.grants is None else self._grants(given.grants)
        role = None if given.role is None else _role(given.role)
        if given.password is not None:
            check_new(Secret(given.password), user.name)
        if role is not None or given.disabled is not None:
            user = await users.change(user.id, role=role, disabled=given.disabled)
        if grants is not None:
            user = await users.grant(user.id, grants)
        if given.password is not None:
            keep = call.session.id if call.session is not None and call.who.user_id == user.id else None
            user = await users.set_password(user.id, Secret(given.password), keep_session=keep)
        return self._user(user)

    async def remove_user(self, call: Call) -> None:
        await self._services.auth.users.remove(call.path["user"])

    async def unlock_user(self, call: Call) -> None:
        user = self._services.auth.users.get(call.path["user"])
        self._services.auth.lockout.unlock(account=account_of(user.name))

    def _grants(self, given: dict[str, Granted]) -> dict[Right, Cameras]:
        grants: dict[Right, Cameras] = {}
        for name, cameras in given.items():
            right = next((right for right in CAMERA_RIGHTS if right.value == name), None)
            if right is None:
                raise invalid(
                    "no_such_right",
                    f"There is no right “{name[:40]}” on cameras.",
                    f"Use {', '.join(right.value for right in CAMERA_RIGHTS)}.",
                    field=f"grants.{name[:40]}",
                )
            if isinstance(cameras, str):
                if cameras != ALL_WORD:
                    raise invalid("bad_grant", "Give a list of cameras, or “all”.", field=f"grants.{name}")
                grants[right] = ALL
            else:
                grants[right] = frozenset(self._camera(which).id for which in cameras)
        return grants

    def _user(self, user: User) -> AdminUser:
        return AdminUser(
            id=user.id,
            name=user.name,
            role=user.role.value,
            disabled=user.disabled,
            must_change_password=user.must_change,
            created=to_rfc3339(user.created_at * TICKS_PER_SECOND),
            grants={
                right.value: ALL_WORD if isinstance(cameras, AllCameras) else sorted(cameras)
                for right, cameras in user.grants.items()
            },
        )

    # --- cameras ------------------------------------------------------------------------------------------------

    async def cameras(self, _call: Call) -> AdminCameras:
        return AdminCameras([self._view(camera) for camera in self._services.cameras.list()])

    async def add_camera(self, call: Call) -> AdminCamera:
        given: NewCamera = call.body
        password = None if given.password is None else Secret(given.password)
        options: dict[str, Any] = {"transport": given.transport, "local": call.connection.local}
        if given.fingerprint == FIRST:
            streams = configured((), given.url, given.sub or None, given.username, password, **options)
            options["fingerprint"] = await shown_fingerprint(self._services, streams[0])
        else:
            options["fingerprint"] = given.fingerprint
        if given.mask is not None:
            options["mask"] = _mask(given.mask)
        options |= {"username": given.username, "password": password}
        return self._view(await self._services.cameras.add(given.name, given.url, given.sub or None, **options))

    async def change_camera(self, call: Call) -> AdminCamera:
        given: CameraChange = call.body
        camera = self._camera(call.path["which"])
        changes: dict[str, Any] = {
            name: value for name, value in msgspec.structs.asdict(given).items() if value is not None
        }
        if given.mask is not None:
            changes["mask"] = _mask(given.mask)
        if "password" in changes:
            changes["password"] = Secret(changes["password"])
        if changes.get("fingerprint") == FIRST:
            less = {"url": None, "sub": None, "username": None, "password": None} | changes
            del less["fingerprint"]
            less.pop("name", None)
            less.pop("mask", None)
            streams = configured(camera.streams, **less, local=call.connection.local)
            changes["fingerprint"] = await shown_fingerprint(self._services, streams[0])
        return self._view(await self._services.cameras.change(camera.id, local=call.connection.local, **changes))

    async def remove_camera(self, call: Call) -> Response | None:
        """Who asks for later is answered 202 and when: the appliance keeps the time, whatever becomes of the page."""
        camera = self._camera(call.path["which"])
        seconds = call.number("in_seconds", 1, LONGEST_S)
        if seconds is None:
            await self._services.cameras.remove(camera.id)
            return None
        self._services.removals.begin(camera.id, seconds)
        told = msgspec.json.encode(self._view(camera))
        return Response(told, 202, content_type="application/json", headers={"Cache-Control": "no-store"})

    async def keep_camera(self, call: Call) -> None:
        self._services.removals.cancel(self._camera(call.path["which"]).id)

    def _camera(self, which: str) -> Camera:
        return named_camera(self._services, which)

    def _view(self, camera: Camera) -> AdminCamera:
        directory = self._services.directory
        state = directory.state(camera.id)
        streams = []
        for stream in camera.streams:
            known, hub = directory.facts(stream.id), directory.hub(stream.id)
            view = AdminStream(stream.id, stream.name, stream.shown_url, stream.username, bool(stream.password))
            if known.video is not None:
                view.codec, view.width, view.height = known.video.codec, known.video.width, known.video.height
            view.fps, view.kbps, view.gop_s = known.measured.fps, known.measured.kbps, known.measured.gop_s
            view.advice = advice_view(known)
            if hub is not None:
                view.notes = list(hub.notes)
                counted = hub.source_statistics
                if counted is not None:
                    view.oddities = sorted(counted.oddities)
                    view.packets_lost, view.pictures_dropped = counted.packets_lost, counted.units_dropped
            streams.append(view)
        return AdminCamera(
            camera.id,
            camera.name,
            camera.site_id,
            state_view(state),
            state.message,
            streams,
            [list(polygon) for polygon in camera.mask],
            removed_at(self._services, camera),
        )

    # --- settings -----------------------------------------------------------------------------------------------

    async def schema(self, _call: Call) -> dict[str, Any]:
        settings = self._services.settings
        tabs = settings.describe()
        for tab in tabs:
            for one in tab["settings"]:
                one["value"] = to_json(settings.get(one["key"]))
        return {"tabs": tabs}

    async def tab(self, call: Call) -> dict[str, Any]:
        name = _tab(call.path["tab"])
        keys = [
            one["key"] for tab in self._services.settings.describe() if tab["name"] == name for one in tab["settings"]
        ]
        return {key.removeprefix(f"{name}."): to_json(self._services.settings.get(key)) for key in keys}

    async def save(self, call: Call) -> Saved:
        name = _tab(call.path["tab"])
        values = {f"{name}.{field}": value for field, value in call.body.items()}
        change = await self._services.settings.change(values, by=call.who.name)
        return Saved(sorted(change.keys), sorted(change.restart))


def named_camera(services: Services, which: str) -> Camera:
    """The camera of this name or id.  Raises `Fault` ``no_camera``, which helps whoever mistyped it."""
    camera = services.cameras.find(which)
    if camera is None:
        names = ", ".join(each.name for each in services.cameras.list()[:20])
        raise Fault(
            Kind.NOT_FOUND,
            "no_camera",
            f"There is no camera “{which[:64]}”.",
            f"There are: {names}." if names else "Add one first.",
        )
    return camera


def _mask(given: GivenMask) -> Mask:
    return parse_mask(given) if isinstance(given, str) else checked(given)


def _tab(name: str) -> str:
    if name not in [tab.name for tab in TABS]:
        raise Fault(
            Kind.NOT_FOUND,
            "no_such_tab",
            f"There is no tab “{name[:40]}”.",
            f"The tabs are {', '.join(tab.name for tab in TABS)}.",
        )
    return name


def _role(name: str) -> Role:
    try:
        return Role(name)
    except ValueError:
        raise invalid(
            "no_such_role", f"There is no role “{name[:40]}”.", "Use administrator or viewer.", field="role"
        ) from None
