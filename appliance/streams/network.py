"""What one client's network carries, and so which of the ways to serve it: `appliance.media.rate_control` at work."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, NamedTuple, Protocol

import trio

from appliance.base.beat import beat_within, rest
from appliance.media.rate_control import LOOK_S, Cause, Control, Sight, follow, rebased
from appliance.media.steps import Step, rates_kbps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from appliance.serve.outlet import Seen
    from appliance.serve.pacing import Way
    from appliance.streams.audience import Audience
    from appliance.streams.choosing import Chosen
    from appliance.streams.messages import Stats

#: With nothing that waits and nothing known to be wrong it is looked at so often, if the client says anything.
AT_REST_S = 1.0
#: Looks are a little early or late.
ALMOST_S = 0.02
#: After so many viewers the loop is given back.
BATCH = 32


class Ways(NamedTuple):
    """What a client may be sent, the best first, and what each takes of the network (``kbps``) and of the client
    (``work``, samples a second); ``made``: from which on it is JPEG."""

    options: tuple[Chosen, ...]
    kbps: tuple[float, ...]
    made: int
    work: tuple[float, ...] = ()

    def rates(self, at: int, picture_bytes: float | None) -> Sequence[float]:
        """What each takes, where pictures of one that is JPEG have been measured."""
        if at < self.made or picture_bytes is None:
            return self.kbps
        chain = [
            Step(option.rung, kbps)
            for option, kbps in zip(self.options[self.made :], self.kbps[self.made :], strict=True)
            if option.rung is not None
        ]
        return (*self.kbps[: self.made], *rates_kbps(chain, at - self.made, picture_bytes))


class Sender(Protocol):
    """What is looked at (`appliance.serve.fanout.Outlet`)."""

    def is_at_rest(self, now: float, /) -> bool: ...

    def look(self, now: float, /) -> Seen: ...

    def way(self) -> Way | None: ...


class Network:
    """Follows one client."""

    def __init__(self, outlet: Sender) -> None:
        self._outlet = outlet
        self._control = Control()
        self._ways: Ways | None = None
        self._rates: Sequence[float] = ()
        self._looked_at = float("-inf")
        self._buffer_s: float | None = None
        self._dropped = 0
        self._was_heard = False  # since the last look

    def hear(self, stats: Stats) -> None:
        """What the client says of itself."""
        self._buffer_s = stats.buffer_s
        self._dropped += stats.dropped
        self._was_heard = True

    @property
    def is_client_slow(self) -> bool:
        """Whether it is the client, not its network, that what is sent is less for."""
        return self._control.step > 0 and self._control.cause is Cause.CLIENT

    def step(self, ways: Ways) -> int:
        """Which of the ways is to be taken."""
        before = self._ways
        if before is None:
            self._rates = ways.kbps
        elif ways is not before and (keys := _keys(ways)) != (earlier := _keys(before)):
            taken = earlier[min(self._control.step, len(earlier) - 1)]
            if self._control.step and taken in keys:  # what is below, or above, it is another
                self._control = replace(self._control, step=keys.index(taken))
            elif self._control.step or taken != keys[0]:
                self._control = rebased(self._control, self._rates, ways.kbps)
            self._rates = ways.kbps
        self._ways = ways
        return min(self._control.step, len(ways.options) - 1)

    def look(self, now: float, at: int | None, picture_bytes: float | None) -> bool:
        """See how the client keeps up with what is sent, the ``at``-th of the ways; whether another is to be taken.

        ``picture_bytes``: a picture of that takes, where it is JPEG; ``at`` None: what is sent is none of them.
        """
        ways, control = self._ways, self._control
        if ways is None or at is None or len(ways.options) < 2:
            return False
        self._looked_at, self._was_heard = now, False
        seen = self._outlet.look(now)
        sight = Sight(
            now,
            at,
            seen.lag_s,
            seen.made,
            seen.left_out,
            seen.acknowledged,
            self._buffer_s if at < ways.made else None,
            self._dropped,
        )
        self._rates = ways.rates(at, picture_bytes)
        self._control = follow(control, sight, self._rates, ways.work)
        return self._control.step != control.step

    def rests(self, now: float) -> bool:
        """Whether there is nothing to look at yet: the best is sent, nothing waits, and the client says nothing new."""
        control = self._control
        if control.step or control.busy is not None or not self._outlet.is_at_rest(now):
            return False
        return not self._was_heard or now - self._looked_at < AT_REST_S - ALMOST_S

    def told(self, at: int | None) -> dict[str, float | int | None]:
        """How it is, for the client, which gets the ``at``-th of the ways.

        ``arrives_kbps``: what was acknowledged of late; ``carries_kbps``: so much is carried and no more, as far as is
        known; ``takes_kbps``: what is sent takes; ``step`` of ``steps``: 0 is the best.  None: not known.
        """
        control, way = self._control, self._outlet.way()
        seen, ways = control.seen, self._ways
        carries = inf if self.is_client_slow else control.ceiling_kbps  # that is what the client shows
        arrives = None
        if len(seen) > 1:
            arrives = round((seen[-1].sent - seen[0].sent) * 8 / 1000 / (seen[-1].at_s - seen[0].at_s), 1)
        return {
            "arrives_kbps": arrives,
            "carries_kbps": None if carries == inf else round(carries, 1),
            "takes_kbps": None if at is None or at >= len(self._rates) else round(self._rates[at], 1),
            "round_trip_ms": None if way is None else round(way.round_trip_s * 1000, 1),
            "resent": None if way is None else round(way.lost, 4),
            "step": at or 0,
            "steps": 1 if ways is None else len(ways.options),
        }


async def watch_networks(audience: Audience) -> None:
    """Let each viewer look at its network, for ever: while all are at rest, once a second and as soon as one is not."""
    while True:
        is_at_rest, stirred = True, audience.stirred
        for number, member in enumerate(audience):
            if number % BATCH == BATCH - 1:
                await trio.lowlevel.checkpoint()
            if member.ending is None:
                is_at_rest &= not member.viewer.look(trio.current_time())
        with trio.move_on_at(beat_within(AT_REST_S)):
            if is_at_rest:
                await stirred.wait()
            await rest(LOOK_S)


def _keys(ways: Ways) -> list[object]:
    return [(option.stream.id, option.rung) for option in ways.options]
