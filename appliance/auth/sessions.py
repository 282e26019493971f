"""Sessions: who is signed in, by which token, since when (design §7).

A token is 256 random bits; only its SHA-256 is kept, in memory and in the store.  A session ends after 12 h without
use and 30 days at most.  While the server runs both are measured by a clock that neither jumps nor stops in
sleep; on disk stand UTC seconds, rewritten when the wall clock has jumped (abuse A21, F10).
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
import trio

from appliance.base.beat import rest
from appliance.base.clock import SystemClock, utc_seconds
from appliance.base.faults import Fault, Kind
from appliance.base.ids import new_id
from appliance.base.secrets import Secret
from appliance.base.watch import Broadcast
from appliance.store import tables

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from appliance.base.clock import Clock
    from appliance.store import Store

log = logging.getLogger(__name__)

IDLE_S: Final = 12 * 3600
LONGEST_S: Final = 30 * 86_400
#: Per user; one more ends the one that was used least recently.
PER_USER: Final = 50
#: How often ended ones are looked for and the last use is written.
FLUSH_S: Final = 60
#: A difference between the clocks beyond this is a jump of the wall clock.
JUMP_S: Final = 5
TOKEN_BYTES: Final = 32
_TOKEN_CHARS: Final = 43
_AGENT_CHARS: Final = 200


class Ending(StrEnum):
    """Why a session ended."""

    SIGNED_OUT = "signed_out"
    EXPIRED = "expired"
    REPLACED = "replaced"  # by a newer one of a user with many
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 (a reason, not a password)
    USER_DISABLED = "user_disabled"
    USER_REMOVED = "user_removed"


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in client.  ``csrf`` is what its unsafe requests carry beside the cookie."""

    id: str
    user_id: str
    csrf: Secret
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """Whatever runs by this session has to stop."""

    session_id: str
    user_id: str
    ending: Ending


@dataclass(slots=True)
class _Held:
    session: Session
    token_hash: str
    opened: float  # these three by the clock that does not jump
    used: float
    written: float | None  # the ``used`` that the store has; None: the store has nothing of it


def elapsed_s() -> float:
    """Seconds that pass in sleep too and never jump (CLOCK_BOOTTIME)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Sessions:
    """All sessions, in memory; the store follows.  Made by `open_sessions`."""

    def __init__(self, store: Store, clock: Clock, elapsed: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._elapsed = elapsed
        self._by_hash: dict[str, _Held] = {}
        self._by_id: dict[str, _Held] = {}
        self._by_user: dict[str, dict[str, _Held]] = {}
        self._gone: set[str] = set()  # ended here, perhaps still in the store
        self._offset = self._wall_offset()
        self.ended: Broadcast[SessionEnded] = Broadcast()

    # ── asking ──────────────────────────────────────────────────────────────────────────────────────────────

    def find(self, token: str) -> Session | None:
        """The session of a token, which this uses; None if there is none (any more)."""
        if len(token) != _TOKEN_CHARS or not token.isascii():
            return None
        # found by its hash: how long that takes says nothing about a token
        held = self._by_hash.get(_hash(token))
        return None if held is None else self._use(held)

    def touch(self, session_id: str) -> Session | None:
        """Use a session without its token, as a live stream does now and then; None if it has ended."""
        held = self._by_id.get(session_id)
        return None if held is None else self._use(held)

    def is_open(self, session_id: str) -> bool:
        """Whether the session goes on; this does not use it."""
        held = self._by_id.get(session_id)
        return held is not None and not self._expired(held)

    def of_user(self, user_id: str) -> list[Session]:
        """The open sessions of a user, the one used last first."""
        held = [each for each in self._by_user.get(user_id, {}).values() if not self._expired(each)]
        return [each.session for each in sorted(held, key=lambda each: -each.used)]

    def __len__(self) -> int:
        return len(self._by_id)

    # ── beginning and ending ────────────────────────────────────────────────────────────────────────────────

    async def open(self, user_id: str, password_at: int, address: str, agent: str) -> tuple[Session, Secret]:
        """A new session and its token, which is told here and never again.

        ``password_at`` is of the password that was verified: if the user has another one by now, is disabled or gone,
        this raises `Fault` ``bad_credentials``.  While the disk refuses to write, the session lives in memory.
        """
        token = secrets.token_urlsafe(TOKEN_BYTES)
        session = Session(new_id(), user_id, Secret(secrets.token_urlsafe(TOKEN_BYTES)), address[:64], _shown(agent))
        now = self._elapsed()
        held = _Held(session, _hash(token), now, now, written=now)

        def fn(connection: sa.Connection) -> None:
            users = tables.users.c
            good = (users.id == user_id) & (users.password_at == password_at) & sa.not_(users.disabled)
            if connection.execute(sa.select(users.id).where(good)).first() is None:
                raise bad_credentials()
            connection.execute(sa.insert(tables.sessions).values(**self._row(held)))

        try:
            await self._store.write(fn, then=lambda _: self._hold(held))
        except Fault as fault:
            if fault.kind is not Kind.UNAVAILABLE:
                raise
            log.warning("a session is kept in memory only, until the disk can be written again: %s", fault)
            held.written = None
            self._hold(held)
        return session, Secret(token)

    async def close(self, session_id: str, ending: Ending = Ending.SIGNED_OUT) -> None:
        """End a session, at once and for good.  An unknown one has ended already."""
        self.end(session_id, ending)
        await self.flush()

    async def close_all_of(self, user_id: str, ending: Ending, *, keep: str | None = None) -> None:
        """End all sessions of a user but ``keep``."""
        self.end_all_of(user_id, ending, keep=keep)
        await self.flush()

    def end(self, session_id: str, ending: Ending) -> None:
        """End a session in memory, where everybody looks; `flush` makes it last."""
        held = self._by_id.pop(session_id, None)
        if held is None:
            return
        del self._by_hash[held.token_hash]
        mine = self._by_user[held.session.user_id]
        del mine[session_id]
        if not mine:
            del self._by_user[held.session.user_id]
        self._gone.add(session_id)
        self.ended.publish(SessionEnded(session_id, held.session.user_id, ending))

    def end_all_of(self, user_id: str, ending: Ending, *, keep: str | None = None) -> None:
        """`end` all sessions of a user but ``keep``."""
        for session_id in tuple(self._by_user.get(user_id, ())):
            if session_id != keep:
                self.end(session_id, ending)

    async def flush(self) -> None:
        """Write what the store does not know yet: endings, uses more than a minute old, a jump of the wall clock."""
        offset = self._wall_offset()
        jumped = abs(offset - self._offset) > JUMP_S
        gone = tuple(self._gone)
        behind = [
            held
            for held in self._by_id.values()
            if jumped or held.written is None or held.used - held.written >= FLUSH_S
        ]
        if not gone and not behind:
            return
        rows = [(held, self._row(held), held.used) for held in behind]

        def fn(connection: sa.Connection) -> None:
            sessions = tables.sessions
            for session_id in gone:
                connection.execute(sa.delete(sessions).where(sessions.c.id == session_id))
            for held, row, _ in rows:
                if held.written is None:
                    if held.session.id in self._by_id and _user_exists(connection, held.session.user_id):
                        connection.execute(sa.insert(sessions).values(**row))
                    continue
                times = {name: row[name] for name in ("opened_at", "used_at")}
                connection.execute(sa.update(sessions).where(sessions.c.id == held.session.id).values(**times))

        def then(_: None) -> None:
            self._offset = offset
            self._gone.difference_update(gone)
            for held, _row, used in rows:
                held.written = used

        await self._store.write(fn, then=then)

    # ── in the background ───────────────────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """End what has expired and flush, every minute, for ever."""
        while True:
            await rest(FLUSH_S)
            self.expire()
            try:
                await self.flush()
            except Fault as fault:
                log.warning("the sessions could not be written: %s", fault)

    def expire(self) -> None:
        """End every session whose time is over."""
        for held in [each for each in self._by_id.values() if self._expired(each)]:
            self.end(held.session.id, Ending.EXPIRED)

    async def load(self) -> None:
        """Take up what the store holds from before."""
        rows = await self._store.read(lambda connection: connection.execute(sa.select(tables.sessions)).all())
        now, utc = self._elapsed(), utc_seconds(self._clock)
        for row in rows:
            session = Session(row.id, row.user_id, Secret(row.csrf), row.address, row.agent)
            # a time to come was written before the wall clock was set back: then nothing is known to have passed
            used, opened = (now - max(0, utc - at) for at in (row.used_at, row.opened_at))
            self._hold(_Held(session, row.token_hash, min(opened, used), used, written=used))
        self.expire()

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────

    def _use(self, held: _Held) -> Session | None:
        if self._expired(held):
            self.end(held.session.id, Ending.EXPIRED)
            return None
        held.used = self._elapsed()
        return held.session

    def _expired(self, held: _Held) -> bool:
        now = self._elapsed()
        return now - held.used >= IDLE_S or now - held.opened >= LONGEST_S

    def _hold(self, held: _Held) -> None:
        mine = self._by_user.get(held.session.user_id, {})
        for oldest in sorted(mine.values(), key=lambda each: each.used)[: max(0, len(mine) + 1 - PER_USER)]:
            self.end(oldest.session.id, Ending.REPLACED)
        self._by_id[held.session.id] = self._by_hash[held.token_hash] = held
        self._by_user.setdefault(held.session.user_id, {})[held.session.id] = held

    def _row(self, held: _Held) -> dict[str, object]:
        offset = self._wall_offset()
        return {
            "id": held.session.id,
            "token_hash": held.token_hash,
            "user_id": held.session.user_id,
            "csrf": held.session.csrf.reveal(),
            "address": held.session.address,
            "agent": held.session.agent,
            "opened_at": round(held.opened + offset),
            "used_at": round(held.used + offset),
        }

    def _wall_offset(self) -> float:
        return utc_seconds(self._clock) - self._elapsed()


@asynccontextmanager
async def open_sessions(
    store: Store, clock: Clock | None = None, elapsed: Callable[[], float] = elapsed_s
) -> AsyncIterator[Sessions]:
    """The sessions, those from before the last stop included, kept up in the background; written at the end."""
    sessions = Sessions(store, clock or SystemClock(), elapsed)
    await sessions.load()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sessions.run)  # noqa: ASYNC113 (this one has nothing to wait for)
        try:
            yield sessions
        finally:
            nursery.cancel_scope.cancel()
            with trio.move_on_after(5, shield=True):
                try:
                    await sessions.flush()
                except Fault as fault:
                    log.warning("the last use of the sessions could not be written: %s", fault)


def delete_all_of(connection: sa.Connection, user_id: str, *, keep: str | None = None) -> None:
    """In a transaction that ends a user's sessions for its own reasons; `Sessions.end_all_of` follows it."""
    which = tables.sessions.c.user_id == user_id
    if keep is not None:
        which &= tables.sessions.c.id != keep
    connection.execute(sa.delete(tables.sessions).where(which))


def bad_credentials() -> Fault:
    """One answer to every wrong sign-in, whatever was wrong with it."""
    return Fault(Kind.UNAUTHENTICATED, "bad_credentials", "User name or password is not right.")


def _user_exists(connection: sa.Connection, user_id: str) -> bool:
    return connection.execute(sa.select(tables.users.c.id).where(tables.users.c.id == user_id)).first() is not None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _shown(agent: str) -> str:
    """A client's own words about itself: as much as fits a line, of what can be shown."""
    return "".join(ch if ch.isprintable() else "�" for ch in agent[:_AGENT_CHARS])
