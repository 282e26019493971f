"""Tickets: a word in a URL for players that can send neither cookie nor header (``?ticket=``, design §7, abuse A8).

A ticket is 256 random bits, good for one path, one camera, one user and the session it was asked for with; for 60 s, in
which a player may come back as often as players do.  It starts something and is not needed to go on.  In memory only.

A player of pieces (HLS) has to ask on and on: what it started with its ticket goes on with a *playing ticket*, good for
the addresses below one path, for as long as it is used.  Both end with the session.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import trio

from appliance.base.faults import Fault, Kind
from appliance.base.secrets import Secret

if TYPE_CHECKING:
    from appliance.auth.rights import Principal
    from appliance.auth.sessions import Sessions

LIFE_S: Final = 60.0
#: A playing ticket ends when nothing was asked for with it for so long; a player that is paused for longer starts anew.
PLAYING_S: Final = 60.0
#: Live tickets of one user; one more ends the one that would have ended first.
PER_USER: Final = 100
_TOKEN_BYTES: Final = 32
_TOKEN_CHARS: Final = 43


@dataclass(slots=True)
class _Ticket:
    """``playing``: good for all below ``path``, and for longer with each use."""

    principal: Principal
    camera_id: str
    path: str
    ends: float
    playing: bool = False

    def is_for(self, path: str) -> bool:
        return path.startswith(self.path) if self.playing else path == self.path


class Tickets:
    """The tickets that are out.  Rights are not asked here: the route does, as for any request of that principal."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._tickets: dict[str, _Ticket] = {}  # by hash

    def issue(self, principal: Principal, camera_id: str, path: str, seconds: float = LIFE_S) -> Secret:
        """A ticket for this path (without query) and camera, good for ``seconds``."""
        return self._issue(_Ticket(principal, camera_id, path, trio.current_time() + seconds))

    def issue_playing(self, principal: Principal, camera_id: str, path: str) -> Secret:
        """A playing ticket for what is below this path, which ends with a slash."""
        return self._issue(_Ticket(principal, camera_id, path, trio.current_time() + PLAYING_S, playing=True))

    def _issue(self, made: _Ticket) -> Secret:
        now = trio.current_time()
        self._tickets = {hashed: ticket for hashed, ticket in self._tickets.items() if ticket.ends > now}
        mine = [
            hashed for hashed, ticket in self._tickets.items() if ticket.principal.user_id == made.principal.user_id
        ]
        if len(mine) >= PER_USER:
            del self._tickets[min(mine, key=lambda hashed: self._tickets[hashed].ends)]
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._tickets[_hash(token)] = made
        return Secret(token)

    def redeem(self, ticket: str, path: str) -> tuple[Principal, str]:
        """For whom and which camera.  Raises `Fault` ``bad_ticket`` for anything but a good one on its path."""
        found = self._tickets.get(_hash(ticket)) if len(ticket) == _TOKEN_CHARS and ticket.isascii() else None
        if found is None or not found.is_for(path) or found.ends <= trio.current_time() or not self._alive(found):
            message, hint = "This link is no longer valid.", "Ask for a new one and open it soon."
            raise Fault(Kind.UNAUTHENTICATED, "bad_ticket", message, hint)
        if found.playing:
            found.ends = trio.current_time() + PLAYING_S
        return found.principal, found.camera_id

    def __len__(self) -> int:
        return len(self._tickets)

    def _alive(self, ticket: _Ticket) -> bool:
        session_id = ticket.principal.session_id
        return session_id is None or self._sessions.is_open(session_id)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
