"""How pictures that stand alone follow each other on their way to one client: the next when the last arrives in time.

What was written cannot be taken back.  So nothing is written as long as the kernel and the network hold too much, and
what then goes is the newest picture.  The rule is `appliance.media.rate_control.may_begin`; here is what it looks at.
"""

from __future__ import annotations

from collections import deque
from math import inf
from typing import TYPE_CHECKING, NamedTuple, Protocol

import trio

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.rate_control import may_begin

if TYPE_CHECKING:
    from appliance.media.picture import Picture

#: Over so long it is measured how fast what was written is acknowledged.
RATE_S = 0.3
#: A network's way is not taken to be shorter: the last packet of a picture is acknowledged so much later.
LEAST_WAY_S = 0.02
#: Whoever gets the first picture may take so long to acknowledge its end (tcp(7), TCP_QUICKACK), however near it is.
DELAYED_S = 0.05
#: What is on its way for so much longer than the way takes is overdue.
JITTER_S = 0.05
#: Pictures come in such intervals, whatever a camera's clock says.
SHORTEST_S, LONGEST_S = 1 / 60, 2.0
_MARKS = 256


class Way(NamedTuple):
    """What the kernel knows of the network to a client (TCP_INFO).

    ``lost``: the share that was sent again.  ``held``: bytes that the network was not given yet.  ``heard_s``: how long
    ago the last acknowledgement came.
    """

    round_trip_s: float
    least_round_trip_s: float
    lost: float
    held: int
    heard_s: float = 0.0


class Sender(Protocol):
    """What is asked of the connection (`appliance.serve.connection.Connection`)."""

    def unsent(self) -> int: ...

    def way(self) -> Way | None: ...


class Pace:
    """See the module.  ``written``: bytes given to the connection so far, as its owner counts them."""

    __slots__ = (
        "_acknowledged", "_arrived_s", "_begun_at", "_dts", "_ends", "_interval_s", "_marks", "_seen", "_sender",
        "_taken_s",
    )  # fmt: skip

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._marks: deque[tuple[float, int]] = deque(maxlen=_MARKS)  # when it was written, up to which byte
        self._ends: deque[tuple[float, int]] = deque(maxlen=_MARKS)  # when a picture was begun, up to which byte it is
        self._seen: deque[tuple[float, int]] = deque()  # what was acknowledged when
        self._acknowledged = 0
        self._begun_at = 0.0
        self._taken_s = self._arrived_s = inf
        self._interval_s = 1 / 25
        self._dts: int | None = None

    @property
    def is_on_the_way(self) -> bool:
        """Whether anything is that was not seen to be acknowledged."""
        return bool(self._marks)

    def comes(self, picture: Picture) -> None:
        """Another picture is there, to be written or not."""
        if self._dts is not None:
            interval_s = (picture.dts - self._dts) / TICKS_PER_SECOND
            self._interval_s = min(LONGEST_S, max(SHORTEST_S, interval_s))
        self._dts = picture.dts

    def acknowledged(self, now: float, written: int) -> int:
        """Bytes that the client's side has acknowledged."""
        try:
            acknowledged = max(self._acknowledged, written - self._sender.unsent())
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            acknowledged = written  # whoever writes next finds out
        self._acknowledged = acknowledged
        while self._marks and self._marks[0][1] <= acknowledged:
            self._marks.popleft()
        if self._ends and self._ends[0][1] <= acknowledged:
            came = self._came(now)
            while self._ends and self._ends[0][1] <= acknowledged:
                self._arrived_s = max(0.0, came - self._ends.popleft()[0])
        if self._marks:
            self._seen.append((now, acknowledged))
            while now - self._seen[0][0] > RATE_S:
                self._seen.popleft()
        else:
            self._seen.clear()
        return acknowledged

    def may_begin(self, now: float, written: int) -> bool:
        """Whether the newest picture may be written now."""
        if not self._marks:
            return True
        acknowledged = self.acknowledged(now, written)
        if not self._marks:
            return True
        if self._arrived_s == inf and self._is_given_to_the_network(now):
            return True
        since, then = self._seen[0]
        return may_begin(
            now - self._marks[0][0],
            self._way_s(),
            self._interval_s,
            taken_s=self._taken_s,
            arrived_s=self._arrived_s,
            left_s=(written - acknowledged) * (now - since) / (acknowledged - then) if acknowledged > then else inf,
        )

    def _came(self, now: float) -> float:
        """When what is acknowledged was: not when it is looked at, which is seldom where pictures are few."""
        if now - self._ends[0][0] <= LEAST_WAY_S + JITTER_S:
            return now  # in time in any case
        way = self._sender.way()
        return now if way is None else now - way.heard_s

    def _is_given_to_the_network(self, now: float) -> bool:
        """Whether the first picture went at once, and only its acknowledgement may be late."""
        way = self._sender.way()
        return way is not None and way.held == 0 and now - self._marks[0][0] < DELAYED_S

    def overdue_s(self, now: float) -> float:
        """By how much what is on its way is late; as of the last `acknowledged`."""
        if not self._marks:
            return 0.0
        return max(0.0, now - self._marks[0][0] - self._way_s() - JITTER_S)

    def begin(self, now: float) -> None:
        """A picture is written from now on."""
        self._begun_at = now

    def wrote(self, now: float, written: int, *, whole: bool) -> None:
        """The connection took so much of it; ``whole``: that was the end."""
        self._marks.append((now, written))
        if whole:
            self._ends.append((self._begun_at, written))
            self._taken_s = now - self._begun_at

    def _way_s(self) -> float:
        way = self._sender.way()
        return LEAST_WAY_S if way is None else max(LEAST_WAY_S, way.least_round_trip_s)
