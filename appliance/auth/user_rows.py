"""Users and their grants as rows of the store: the parts of a transaction of `appliance.auth.users`."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from appliance.auth.rights import ALL, CAMERA_RIGHTS, AllCameras, Cameras, Right, Role
from appliance.base.faults import Fault, Kind
from appliance.base.ids import new_id
from appliance.base.texts import NAME_LIMIT, clean_name, fold
from appliance.store import tables

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger(__name__)

MOST_USERS: Final = 1000


@dataclass(frozen=True)
class User:
    """A user as others see them.  ``password_hash`` is for `auth.signin` alone and does not print."""

    id: str
    name: str
    role: Role
    disabled: bool
    must_change: bool  # the password made at the first start is still in force
    created_at: int
    password_at: int
    grants: Mapping[Right, Cameras]
    password_hash: str = field(repr=False)


def account_of(name: str) -> str:
    """What tells users apart: the same for every way of writing a name, "" for what cannot be one."""
    if len(name) > 4 * NAME_LIMIT:  # before work that grows with the length
        return ""
    try:
        return fold(clean_name(name))
    except Fault:
        return ""


def no_such_user(name: str) -> Fault:
    return Fault(Kind.NOT_FOUND, "no_such_user", f"There is no user {name[:64]!r}.", "List the users to see them all.")


def name_taken(name: str) -> Fault:
    return Fault(
        Kind.CONFLICT, "name_taken", f"There is a user {name!r} already.", "Choose another name.", field="name"
    )


def insert(connection: sa.Connection, **values: object) -> None:
    """A new user.  Raises `Fault` ``name_taken``, ``too_many_users``."""
    users = tables.users
    if connection.execute(sa.select(users.c.id).where(users.c.folded == values["folded"])).first() is not None:
        raise name_taken(str(values["name"]))
    if connection.execute(sa.select(sa.func.count()).select_from(users)).scalar_one() >= MOST_USERS:
        raise Fault(Kind.LIMITED, "too_many_users", f"There are {MOST_USERS} users already.", "Remove some first.")
    connection.execute(sa.insert(users).values(**values))


def update(connection: sa.Connection, user_id: str, **values: object) -> None:
    connection.execute(sa.update(tables.users).where(tables.users.c.id == user_id).values(**values))


def keep_an_administrator(connection: sa.Connection, before: User) -> None:
    """After a change of that user: raise `Fault` ``last_administrator`` if it took the last enabled one away."""
    if before.role is not Role.ADMINISTRATOR or before.disabled:
        return
    users = tables.users.c
    left = sa.select(users.id).where((users.role == Role.ADMINISTRATOR.value) & sa.not_(users.disabled))
    if connection.execute(left).first() is None:
        raise Fault(
            Kind.CONFLICT,
            "last_administrator",
            "This is the last administrator.",
            "Make somebody else an administrator first.",
        )


def grant(connection: sa.Connection, user_id: str, right: Right, cameras: Cameras) -> None:
    """Replace the cameras on which the user has the right.  Raises `Fault` ``no_such_camera``."""
    grants = tables.grants
    connection.execute(sa.delete(grants).where((grants.c.user_id == user_id) & (grants.c.right == right.value)))
    for camera_id in [None] if isinstance(cameras, AllCameras) else sorted(cameras):
        known = sa.select(tables.cameras.c.id).where(tables.cameras.c.id == camera_id)
        if camera_id is not None and connection.execute(known).first() is None:
            raise Fault(Kind.NOT_FOUND, "no_such_camera", f"There is no camera {camera_id[:64]!r}.", field=right.value)
        connection.execute(
            sa.insert(grants).values(id=new_id(), user_id=user_id, right=right.value, camera_id=camera_id)
        )


def one_user(connection: sa.Connection, user_id: str) -> User:
    """Raises `Fault` ``no_such_user``."""
    row = connection.execute(sa.select(tables.users).where(tables.users.c.id == user_id)).first()
    if row is None:  # removed since the caller looked
        raise no_such_user(user_id)
    rows = connection.execute(sa.select(tables.grants).where(tables.grants.c.user_id == user_id)).all()
    return _user(row, [(grant.right, grant.camera_id) for grant in rows])


def all_users(connection: sa.Connection) -> list[User]:
    grants: dict[str, list[tuple[str, str | None]]] = {}
    for grant in connection.execute(sa.select(tables.grants)):
        grants.setdefault(grant.user_id, []).append((grant.right, grant.camera_id))
    return [_user(row, grants.get(row.id, [])) for row in connection.execute(sa.select(tables.users))]


def _user(row: sa.Row[tuple[object, ...]], grants: list[tuple[str, str | None]]) -> User:
    held: dict[Right, Cameras] = {}
    for name, camera_id in grants:
        if name not in {each.value for each in CAMERA_RIGHTS}:
            log.warning("a right that this version does not know is not granted: %s", name)
            continue
        before = held.get(Right(name), frozenset())
        held[Right(name)] = ALL if camera_id is None or isinstance(before, AllCameras) else before | {camera_id}
    role = Role(row.role) if row.role in set(Role) else Role.VIEWER  # an unknown role may nothing of itself
    return User(
        id=row.id,
        name=row.name,
        role=role,
        disabled=row.disabled,
        must_change=row.must_change,
        created_at=row.created_at,
        password_at=row.password_at,
        grants=MappingProxyType(held),
        password_hash=row.password_hash,
    )
