"""Administration of users, and of what each may do with which camera."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from appliance.auth.passwords import check_new
from appliance.auth.rights import ALL, CAMERA_RIGHTS, AllCameras, Cameras, Right, Role
from appliance.auth.user_rows import account_of
from appliance.base.clock import TICKS_PER_SECOND, to_rfc3339
from appliance.base.faults import invalid
from appliance.base.secrets import Secret
from appliance.web.admin import add_route, named_camera

if TYPE_CHECKING:
    from appliance.auth.user_rows import User
    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services

ALL_WORD = "all"
Granted = list[str] | str  # ids or names of cameras, or "all"


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


class UserAdministration:
    """The routes of this module."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def add_to(self, gate: Gate) -> None:
        add = partial(add_route, gate)
        new_user = {"name": "léa", "password": "a passphrase of hers", "role": "viewer"}
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
                grants[right] = frozenset(named_camera(self._services, which).id for which in cameras)
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


def _role(name: str) -> Role:
    try:
        return Role(name)
    except ValueError:
        raise invalid(
            "no_such_role", f"There is no role “{name[:40]}”.", "Use administrator or viewer.", field="role"
        ) from None
