"""Who is watching what, now: for the list of active users, for the caps, and to end what is no longer allowed."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import trio

from appliance.auth.rights import Right

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from appliance.auth.rights import Principal
    from appliance.serve.outlet import Outlet
    from appliance.sites.cameras import Camera

#: Rates are taken over this long.
RATE_S = 5.0
#: A guest who asked for nothing for so long is gone.
GUEST_S = 15.0


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a viewer is ended: a close code of the live protocol (design §9) and a word for the log."""

    code: int
    reason: str


SESSION_ENDED = Ending(4401, "session ended")
RIGHT_TAKEN = Ending(4403, "right taken")
CAMERA_REMOVED = Ending(4404, "camera removed")
STOPPING = Ending(1001, "stopping")
TOO_SLOW = Ending(4408, "reader too slow")
TOO_MANY = Ending(4429, "too many streams")


class View(Protocol):
    """What decides what a client gets: `appliance.streams.viewer`, `appliance.streams.playback`."""

    @property
    def showing(self) -> object | None:
        """What is sent; None: nothing."""
        ...

    @property
    def is_transcoded(self) -> bool:
        """Whether what is sent is made here."""
        ...

    def decide(self) -> None:
        """Choose again: something that matters may have changed."""
        ...

    def camera_changed(self, camera: Camera, /) -> None:
        """The camera was configured anew."""
        ...

    def look(self, now: float, /) -> bool:
        """See whether the client's network carries what is sent; whether to look again in a quarter of a second.

        Else that is once a second, and when something waits in the outlet.
        """
        ...


@dataclass(eq=False)
class Member:
    """One view: whose, of which camera, through which outlet; ``needs``: the right that it ends without."""

    principal: Principal
    camera_id: str
    address: str
    outlet: Outlet
    viewer: View
    since: float  # Trio's time
    needs: Right = Right.LIVE
    ended: trio.Event = field(default_factory=trio.Event)
    ending: Ending | None = None
    buffer_s: float = 0.0  # as the client says
    _marks: list[tuple[float, int]] = field(default_factory=list)

    def end(self, ending: Ending) -> None:
        """End this view; the first reason counts."""
        if self.ending is None:
            self.ending = ending
            self.ended.set()

    def bytes_per_second(self, now: float) -> float:
        """What went out to it lately."""
        self._marks = [mark for mark in self._marks if now - mark[0] <= RATE_S] + [(now, self.outlet.bytes_sent)]
        (began, first), (at, last) = self._marks[0], self._marks[-1]
        if at - began < 1:
            return self.outlet.bytes_sent / max(1.0, now - self.since)
        return (last - first) / (at - began)


@dataclass(eq=False)
class Guest:
    """Somebody who watches by asking for one piece after the other (HLS): no connection of theirs says when they go."""

    principal: Principal
    since: float  # Trio's time, as the next
    seen_at: float
    sound: bool = False
    bytes_sent: int = 0

    def bytes_per_second(self, now: float) -> float:
        """What went out to them: pieces, so over all of their time."""
        return self.bytes_sent / max(1.0, now - self.since)


class Audience:
    """All members, and guests."""

    def __init__(self) -> None:
        self._members: dict[Member, None] = {}
        self._guests: dict[Hashable, Guest] = {}
        self.bytes_of_the_gone = 0
        #: Set once something waits for a member, or a picture is on its way to one that gets pictures; then another.
        self.stirred = trio.Event()

    def __iter__(self) -> Iterator[Member]:
        return iter(tuple(self._members))

    def __len__(self) -> int:
        return len(self._members) + len(self.guests)

    def count(self, user_id: str) -> int:
        """How many views a user has open."""
        watching: list[Member | Guest] = [*self._members, *self.guests]
        return sum(each.principal.user_id == user_id for each in watching)

    @property
    def guests(self) -> list[Guest]:
        """Those who were here a moment ago."""
        left = trio.current_time() - GUEST_S
        for key, guest in tuple(self._guests.items()):
            if guest.seen_at < left:
                del self._guests[key]
                self.bytes_of_the_gone += guest.bytes_sent
        return list(self._guests.values())

    def guest(self, key: Hashable) -> Guest | None:
        """Who is known by this, if they are here already."""
        guest = self._guests.get(key)
        if guest is not None:
            guest.seen_at = trio.current_time()
        return guest

    def welcome(self, key: Hashable, principal: Principal) -> Guest:
        """Another guest."""
        now = trio.current_time()
        guest = self._guests[key] = Guest(principal, now, now)
        return guest

    def decide(self) -> None:
        """Let every view choose anew, as what is allowed has changed."""
        for member in self:
            if member.ending is None:
                member.viewer.decide()

    @property
    def bytes_sent(self) -> int:
        """To everybody, since the start."""
        here = sum(member.outlet.bytes_sent for member in self._members)
        return self.bytes_of_the_gone + here + sum(guest.bytes_sent for guest in self._guests.values())

    def _stir(self) -> None:
        self.stirred.set()
        self.stirred = trio.Event()

    @contextmanager
    def join(self, member: Member) -> Iterator[None]:
        self._members[member] = None
        member.outlet.stirs = self._stir
        try:
            yield
        finally:
            del self._members[member]
            self.bytes_of_the_gone += member.outlet.bytes_sent
