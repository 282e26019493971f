"""Which of a camera's recorded streams a playback session gets, and how: the rules of live, asked about recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.recorder.player import Strip
from appliance.streams.choosing import Chooser, Refused, Unplayable
from appliance.streams.network import Network
from appliance.streams.recorded import Recorded

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.recorder.archive import Archive
    from appliance.recorder.player import Group
    from appliance.serve.outlet import Outlet, Seen
    from appliance.serve.pacing import Way
    from appliance.streams.choosing import Chosen, Policy
    from appliance.streams.messages import Stats, Want
    from appliance.streams.network import Ways


class Pressed:
    """What the network is judged by.  What is sent as fast as it is taken never waits: it is late."""

    def __init__(self, outlet: Outlet, lag_s: Callable[[], float]) -> None:
        self._outlet = outlet
        self._lag_s = lag_s

    def is_at_rest(self, now: float, /) -> bool:
        """Whether nothing waits, and nothing is late."""
        return self._outlet.is_at_rest(now) and not self._lag_s()

    def look(self, now: float, /) -> Seen:
        """How the client keeps up."""
        seen = self._outlet.look(now)
        return seen._replace(lag_s=max(seen.lag_s, self._lag_s()))

    def way(self) -> Way | None:
        """What is known of the network to the client."""
        return self._outlet.way()


class Selection:
    """For one session.  ``lag_s()``: by how much what should have been sent is late."""

    def __init__(
        self, outlet: Outlet, archive: Archive, camera_id: str, policy: Policy, lag_s: Callable[[], float]
    ) -> None:
        self._archive = archive
        self._camera_id = camera_id
        self._recorded = Recorded()
        self._chooser = Chooser(self._recorded, self._recorded, policy, only=None, transcodes=True)
        self._network = Network(Pressed(outlet, lag_s))
        self._ways: Ways | None = None

    def strip(self, name: str) -> Strip:
        """A recorded stream."""
        return Strip(self._archive, self._camera_id, name)

    async def reference(self) -> Strip:
        """The recorded stream that says what a gap is: the largest."""
        names = await self._archive.streams(self._camera_id)
        return self.strip(names[0] if names else "main")

    async def find(self, at: int) -> bool:
        """What was recorded at a time is what is chosen from; False: nothing was."""
        found = {}
        for name in await self._archive.streams(self._camera_id):
            strip = self.strip(name)
            group = await strip.group_at(at)
            if group is not None:
                found[name] = strip, group
        self._recorded.groups = found
        return bool(found)

    def group(self, chosen: Chosen) -> tuple[Strip, Group]:
        """Where to begin."""
        return self._recorded.groups[chosen.stream.name]

    def choose(self, want: Want, speed: float) -> Chosen | Unplayable | Refused:
        """What this client gets, its network regarded."""
        self._chooser.speed = self._recorded.speed = speed
        chosen = self._chooser.choose(want)
        if isinstance(chosen, Refused | Unplayable):
            return chosen
        self._ways = self._chooser.ways(want, chosen)
        return self._ways.options[self._network.step(self._ways)]

    def forget(self) -> None:
        """What could not be played may be playable now."""
        self._chooser.forget()

    def hear(self, stats: Stats) -> None:
        """What the client says of itself."""
        self._network.hear(stats)

    def look(self, now: float, chosen: Chosen, picture_bytes: float | None) -> bool:
        """See whether the network carries what is sent; whether something else is to be."""
        if self._ways is None or self._network.rests(now):
            return False
        at = next((n for n, each in enumerate(self._ways.options) if each == chosen), None)
        return self._network.look(now, at, picture_bytes)
