"""Signing in: the one way from a name and a password to a session (abuse A1, A3).

An unknown user, a wrong password and a disabled user get the same answer at the same cost.  What is refused before the
password is looked at (locked out, too many at once) costs next to nothing.
"""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import trio

from appliance.auth.lockout import network_of
from appliance.auth.sessions import bad_credentials
from appliance.auth.user_rows import account_of
from appliance.base.faults import Fault, Kind, invalid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.auth.lockout import Lockout
    from appliance.auth.passwords import Passwords
    from appliance.auth.sessions import Session, Sessions
    from appliance.auth.user_rows import User
    from appliance.auth.users import Users
    from appliance.base.secrets import Secret

log = logging.getLogger(__name__)

#: Sign-ins under way: with two hashes at once the last of them waits about 2.5 s.
AT_ONCE: Final = 64
AT_ONCE_PER_ADDRESS: Final = 4
BUSY_RETRY_S: Final = 3.0


@dataclass(frozen=True)
class SignedIn:
    """A new session.  ``token`` goes to the client now and is kept nowhere."""

    user: User
    session: Session
    token: Secret


class SignIn:
    """Checks passwords, within the limits of `Lockout`."""

    def __init__(self, users: Users, sessions: Sessions, passwords: Passwords, lockout: Lockout) -> None:
        self._users = users
        self._sessions = sessions
        self._passwords = passwords
        self._lockout = lockout
        self._under_way: Counter[str] = Counter()

    async def attempt(self, username: str, password: Secret, address: str, agent: str) -> SignedIn:
        """Open a session for the user.  ``address`` is the client's, ``agent`` its words about itself.

        Raises `Fault` ``bad_credentials``, ``locked`` or ``busy`` (both with ``retry_after_s``).
        """
        user = await self._verified(username, password, address)
        session, token = await self._sessions.open(user.id, user.password_at, address, agent)
        return SignedIn(user, session, token)

    async def change_password(
        self, user_id: str, old: Secret, new: Secret, address: str, *, keep_session: str | None = None
    ) -> None:
        """Change one's own password, knowing the old one.  The user's sessions end, but ``keep_session``.

        Raises `Fault` ``bad_credentials`` (field ``old``), ``locked``, ``busy``, ``weak_password``, ``no_such_user``.
        """
        user = self._users.get(user_id)
        if old == new:
            raise invalid("weak_password", "The new password is the old one.", "Choose another.", field="password")
        try:
            await self._verified(user.name, old, address)
        except Fault as fault:
            if fault.code == "bad_credentials":
                raise invalid("bad_credentials", "The old password is not right.", field="old") from None
            raise
        await self._users.set_password(user_id, new, keep_session=keep_session)

    async def _verified(self, username: str, password: Secret, address: str) -> User:
        account = account_of(username)
        now = trio.current_time()
        left = self._lockout.seconds(account, address, now)
        if left > 0:
            raise locked(left)
        with self._place(address):
            attempt = self._lockout.begin(account, address, now)
            await trio.sleep(self._lockout.delay(attempt))
            user = self._users.by_name(username)
            right = await self._passwords.verify(user.password_hash if user else None, password)
            # as it is now: much can happen while a hash is made
            current = self._users.find(user.id) if user else None
            if not right or user is None or current is None or current.disabled:
                raise bad_credentials()
            if current.password_at != user.password_at:
                raise bad_credentials()
            self._lockout.succeeded(attempt)
        if self._passwords.outdated(current.password_hash):
            try:
                await self._users.rehash(current, password)
            except Fault as fault:  # the old hash does
                log.warning("a password could not be hashed at today's cost: %s", fault)
        return current

    @contextmanager
    def _place(self, address: str) -> Iterator[None]:
        """A place among those under way.  No queue: whoever finds none is told when to come back."""
        network = network_of(address)
        if self._under_way.total() >= AT_ONCE or self._under_way[network] >= AT_ONCE_PER_ADDRESS:
            raise Fault(
                Kind.LIMITED, "busy", "Too many are signing in.", "Try again in a moment.", retry_after_s=BUSY_RETRY_S
            )
        self._under_way[network] += 1
        try:
            yield
        finally:
            self._under_way[network] -= 1
            if not self._under_way[network]:
                del self._under_way[network]


def locked(seconds: float) -> Fault:
    """Refused without looking at the password."""
    minutes, rest = divmod(max(1, round(seconds)), 60)
    wait = f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return Fault(Kind.LIMITED, "locked", "Too many wrong passwords.", f"Wait {wait}.", retry_after_s=seconds)
