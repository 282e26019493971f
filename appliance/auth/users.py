"""Users, their roles and what they are granted: in memory for reading, in the store for good.

Every change is checked inside its transaction, where nobody else changes anything, and memory (these users, the
snapshot `appliance.auth.rights`, the sessions that have to end) follows before the next one begins.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
import trio

from appliance.auth import sessions as session_rows
from appliance.auth import user_rows as rows
from appliance.auth.passwords import check_new, make_first
from appliance.auth.rights import CAMERA_RIGHTS, AllCameras, Cameras, Holdings, Principal, Right, Rights, Role
from appliance.auth.sessions import Ending
from appliance.auth.user_rows import User, account_of
from appliance.base.clock import utc_seconds
from appliance.base.faults import invalid
from appliance.base.ids import is_id, new_id
from appliance.base.texts import clean_name, fold
from appliance.store import tables
from appliance.store.folder import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from appliance.auth.passwords import Passwords
    from appliance.auth.sessions import Session, Sessions
    from appliance.base.clock import Clock
    from appliance.base.secrets import Secret
    from appliance.store import Store

__all__ = ["FIRST_PASSWORD", "FirstPassword", "User", "Users"]

log = logging.getLogger(__name__)

FIRST_PASSWORD: Final = "first-password"  # noqa: S105 (a file's name)
FIRST_NAMES: Final = ("admin", "administrator")


@dataclass(frozen=True)
class FirstPassword:
    """What the first administrator signs in with."""

    name: str
    password: Secret


class Users:
    """All users.  Made by `appliance.auth.open_auth`; ``load`` comes first."""

    def __init__(self, store: Store, rights: Rights, sessions: Sessions, passwords: Passwords, clock: Clock) -> None:
        self._store = store
        self._rights = rights
        self._sessions = sessions
        self._passwords = passwords
        self._clock = clock
        self._disk = trio.CapacityLimiter(1)
        self._users: dict[str, User] = {}
        self._ids: dict[str, str] = {}  # by folded name

    async def load(self) -> None:
        """Take up what the store holds."""

        def then(users: list[User]) -> None:
            for user in users:
                self._take(user)

        await self._store.read(rows.all_users, then=then)

    # ── asking ──────────────────────────────────────────────────────────────────────────────────────────────

    def list(self) -> tuple[User, ...]:
        """All users in the order of their names."""
        return tuple(self._users[user_id] for _, user_id in sorted(self._ids.items()))

    def find(self, name_or_id: str) -> User | None:
        """The user of this name (however it is written) or id."""
        return self._users.get(name_or_id) or self.by_name(name_or_id)

    def by_name(self, name: str) -> User | None:
        """The user of this name, however it is written."""
        return self._users.get(self._ids.get(account_of(name), ""))

    def get(self, name_or_id: str) -> User:
        """The same, or `Fault` ``no_such_user``."""
        user = self.find(name_or_id)
        if user is None:
            raise rows.no_such_user(name_or_id)
        return user

    def principal(self, session: Session) -> Principal | None:
        """Who acts by this session; None if the user is disabled or gone."""
        user = self._users.get(session.user_id)
        if user is None or user.disabled:
            return None
        return Principal(user.id, user.name, user.role, session.id)

    # ── changing ────────────────────────────────────────────────────────────────────────────────────────────

    async def add(self, name: str, password: Secret, role: Role = Role.VIEWER) -> User:
        """A new user, who may nothing until granted (an administrator: everything).

        Raises `Fault` ``invalid_name``, ``name_taken``, ``weak_password``, ``too_many_users``.
        """
        name = clean_name(name)
        if is_id(name):
            raise invalid("invalid_name", "A user cannot be called like an id.", "Give another name.", field="name")
        if self.find(name) is not None:  # before the hash; asked again where it counts
            raise rows.name_taken(name)
        check_new(password, name)
        return await self._insert(name, await self._passwords.hash(password), role, must_change=False)

    async def change(self, name_or_id: str, *, role: Role | None = None, disabled: bool | None = None) -> User:
        """Another role; disabled or enabled again.  A disabled user's sessions end.

        Raises `Fault` ``no_such_user``, ``last_administrator``.
        """
        user_id = self.get(name_or_id).id
        values = {
            name: value for name, value in (("role", role and role.value), ("disabled", disabled)) if value is not None
        }

        def fn(connection: sa.Connection) -> User:
            before = rows.one_user(connection, user_id)
            if values:
                rows.update(connection, user_id, **values)
            if disabled:
                session_rows.delete_all_of(connection, user_id)
            rows.keep_an_administrator(connection, before)
            return rows.one_user(connection, user_id)

        def then(user: User) -> None:
            self._take(user)
            if user.disabled:
                self._sessions.end_all_of(user.id, Ending.USER_DISABLED)

        return await self._store.write(fn, then=then)

    async def grant(self, name_or_id: str, grants: Mapping[Right, Cameras]) -> User:
        """For each right given, the cameras on which the user has it from now on; other rights stay.

        Raises `Fault` ``no_such_user``, ``no_such_camera``, ``not_a_camera_right``.
        """
        user_id = self.get(name_or_id).id
        for right in grants:
            if right not in CAMERA_RIGHTS:
                raise invalid(
                    "not_a_camera_right",
                    f"The right {right.value} is not granted camera by camera.",
                    f"These are: {', '.join(each.value for each in CAMERA_RIGHTS)}.",
                    field=right.value,
                )

        def fn(connection: sa.Connection) -> User:
            rows.one_user(connection, user_id)
            for right, cameras in grants.items():
                rows.grant(connection, user_id, right, cameras)
            return rows.one_user(connection, user_id)

        return await self._store.write(fn, then=self._take)

    async def remove(self, name_or_id: str) -> None:
        """The user, their grants and their sessions are gone.

        Raises `Fault` ``no_such_user``, ``last_administrator``.
        """
        user = self.get(name_or_id)

        def fn(connection: sa.Connection) -> None:
            before = rows.one_user(connection, user.id)
            connection.execute(sa.delete(tables.users).where(tables.users.c.id == user.id))
            rows.keep_an_administrator(connection, before)

        def then(_: None) -> None:
            self._sessions.end_all_of(user.id, Ending.USER_REMOVED)
            if self._users.pop(user.id, None) is not None:
                del self._ids[fold(user.name)]
            self._rights.drop(user.id)

        await self._store.write(fn, then=then)
        await self._forget_first_password(user.name)

    async def set_password(self, name_or_id: str, password: Secret, *, keep_session: str | None = None) -> User:
        """A new password.  All sessions of the user end but ``keep_session`` (the one that asks).

        Whoever calls this has made sure that the asker is an administrator or knows the old one
        (`SignIn.change_password`).  Raises `Fault` ``no_such_user``, ``weak_password``.
        """
        user = self.get(name_or_id)
        check_new(password, user.name)
        hashed = await self._passwords.hash(password)

        def fn(connection: sa.Connection) -> User:
            before = rows.one_user(connection, user.id)
            # always another time, for it also tells a sign-in under way that the password is not the one it knew
            password_at = max(utc_seconds(self._clock), before.password_at + 1)
            values = {"password_hash": hashed, "must_change": False, "password_at": password_at}
            rows.update(connection, user.id, **values)
            session_rows.delete_all_of(connection, user.id, keep=keep_session)
            return rows.one_user(connection, user.id)

        def then(changed: User) -> None:
            self._take(changed)
            self._sessions.end_all_of(user.id, Ending.PASSWORD_CHANGED, keep=keep_session)

        changed = await self._store.write(fn, then=then)
        await self._forget_first_password(user.name)
        return changed

    async def rehash(self, user: User, password: Secret) -> User:
        """The same, verified password hashed at today's cost; nothing else changes."""
        hashed = await self._passwords.hash(password)

        def fn(connection: sa.Connection) -> User:
            same = (tables.users.c.id == user.id) & (tables.users.c.password_hash == user.password_hash)
            connection.execute(sa.update(tables.users).where(same).values(password_hash=hashed))
            return rows.one_user(connection, user.id)

        return await self._store.write(fn, then=self._take)

    def forget_camera(self, camera_id: str) -> None:
        """A camera was removed (the store has dropped its grants by itself): drop them here too."""
        for user in self._users.values():
            if any(not isinstance(cameras, AllCameras) and camera_id in cameras for cameras in user.grants.values()):
                kept = {
                    right: cameras if isinstance(cameras, AllCameras) else cameras - {camera_id}
                    for right, cameras in user.grants.items()
                }
                self._users[user.id] = replace(user, grants=MappingProxyType(kept))
        self._rights.forget_camera(camera_id)

    # ── the first administrator ─────────────────────────────────────────────────────────────────────────────

    async def ensure_administrator(self, *, to_file: bool) -> FirstPassword | None:
        """At a start without any enabled administrator, make one with a random password; else None.

        ``to_file`` puts the password into the file `FIRST_PASSWORD` of the data folder too (for a server without a
        terminal to show it on); it goes at the first change of that password.
        """
        if any(user.role is Role.ADMINISTRATOR and not user.disabled for user in self._users.values()):
            return None
        numbered = (f"admin-{number}" for number in range(2, rows.MOST_USERS + 2))
        name = next(name for name in (*FIRST_NAMES, *numbered) if self.find(name) is None)
        first = FirstPassword(name, make_first())
        hashed = await self._passwords.hash(first.password)
        if to_file:  # first: a password that nobody was told would lock everybody out
            text = f"user: {name}\npassword: {first.password.reveal()}\n"
            await trio.to_thread.run_sync(write_whole, self._first_password_path(), text.encode(), limiter=self._disk)
        await self._insert(name, hashed, Role.ADMINISTRATOR, must_change=True)
        return first

    async def _forget_first_password(self, name: str) -> None:
        path = self._first_password_path()

        def forget() -> None:
            try:
                if path.read_text(encoding="utf-8").startswith(f"user: {name}\n"):
                    path.unlink()
            except FileNotFoundError:
                pass
            except (OSError, ValueError) as error:
                log.warning("the file with the first password could not be deleted: delete %s (%s)", path, error)

        await trio.to_thread.run_sync(forget, limiter=self._disk)

    def _first_password_path(self) -> Path:
        return self._store.folder / FIRST_PASSWORD

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────

    async def _insert(self, name: str, password_hash: str, role: Role, *, must_change: bool) -> User:
        user_id, now = new_id(), utc_seconds(self._clock)

        def fn(connection: sa.Connection) -> User:
            rows.insert(
                connection,
                id=user_id,
                name=name,
                folded=fold(name),
                role=role.value,
                disabled=False,
                password_hash=password_hash,
                must_change=must_change,
                created_at=now,
                password_at=now,
            )
            return rows.one_user(connection, user_id)

        return await self._store.write(fn, then=self._take)

    def _take(self, user: User) -> None:
        self._users[user.id] = user
        self._ids[fold(user.name)] = user.id
        self._rights.put(user.id, Holdings(user.role, user.disabled, user.grants))
