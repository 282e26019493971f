"""Tier 5: who somebody is and what they may do.

============  =================================================================================================
`rights`      may this principal do this to this camera?  Asked everywhere, answered from memory
`users`       users, roles, grants (`user_rows`: their part in the store); the first administrator
`sessions`    who is signed in, by which token; until when
`signin`      from a name and a password to a session: the only place that looks at passwords
`passwords`   argon2id off the loop; which new passwords are refused
`lockout`     how often one may guess; pure
`tickets`     a word in a URL for players that can send neither cookie nor header
============  =================================================================================================

`open_auth` makes all of them from a store.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.auth.lockout import Lockout
from appliance.auth.passwords import Passwords
from appliance.auth.rights import Rights
from appliance.auth.sessions import Sessions, elapsed_s, open_sessions
from appliance.auth.signin import SignIn
from appliance.auth.tickets import Tickets
from appliance.auth.users import Users
from appliance.base.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from appliance.auth.rights import Principal
    from appliance.base.clock import Clock
    from appliance.store import Store


@dataclass(frozen=True)
class Auth:
    """The room, put together."""

    rights: Rights
    users: Users
    sessions: Sessions
    sign_in: SignIn
    lockout: Lockout
    tickets: Tickets

    def principal_of(self, token: str) -> Principal | None:
        """Who a token (of a cookie or a Bearer header) stands for; this uses its session."""
        session = self.sessions.find(token)
        return None if session is None else self.users.principal(session)


@asynccontextmanager
async def open_auth(
    store: Store,
    clock: Clock | None = None,
    *,
    passwords: Passwords | None = None,
    elapsed: Callable[[], float] = elapsed_s,
) -> AsyncIterator[Auth]:
    """Users, rights and sessions out of the store, kept up in the background until the end of the block."""
    clock = clock or SystemClock()
    passwords = passwords or Passwords()
    async with open_sessions(store, clock, elapsed) as sessions:
        rights = Rights()
        users = Users(store, rights, sessions, passwords, clock)
        await users.load()
        lockout = Lockout()
        sign_in = SignIn(users, sessions, passwords, lockout)
        yield Auth(rights, users, sessions, sign_in, lockout, Tickets(sessions))
