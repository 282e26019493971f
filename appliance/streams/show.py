"""What a playback session shows from one command to the next: what was asked, and how it is answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import trio

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.masks import NO_MASK
from appliance.serve.frames import text_frame
from appliance.streams import messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.base.clock import Clock
    from appliance.media.ladder import Rung
    from appliance.media.masks import Mask
    from appliance.recorder.player import Group, Strip
    from appliance.serve.outlet import Outlet
    from appliance.streams.choosing import Chosen, Policy
    from appliance.streams.playhead import Playhead

#: Where it is, is told so often.
TELL_S = 1.0
#: What is recorded now is there some seconds later; who has come to its end waits for more, and looks so often.
LIVE_EDGE, LOOK_S = 15 * TICKS_PER_SECOND, 0.5


@dataclass(eq=False)
class Show:
    """``number``: of the command that is obeyed.  ``at``: the time that is to be on the screen first.

    ``begun``: called once that picture is on its way.
    """

    number: int
    at: int
    playing: bool
    skips: bool  # gaps
    chosen: Chosen
    strip: Strip
    group: Group
    playhead: Playhead
    outlet: Outlet
    policy: Policy
    clock: Clock
    hears: bool  # sound is wanted, and may be heard
    beside: bool  # and the client takes it between pictures
    begun: Callable[[], None]
    stepped: int = 0  # it was come to by a step: 1 forwards, -1 backwards
    #: Pictures beside those that were stepped to, by stream, rung and time: whoever steps goes on stepping.
    kept: dict[tuple[str, Rung, int], bytes] = field(default_factory=dict, repr=False)
    gap: tuple[int, int] | None = None  # that is played, not skipped

    @property
    def speed(self) -> float:
        return self.playhead.speed

    def tell(self, text: str) -> None:
        self.outlet.control(text_frame(text))

    def tell_position(self, state: str | None = None) -> None:
        """Where it is now, and what it does."""
        now = self.playhead.now
        if state is None:
            state = "playing" if self.playing else "paused"
            if self.gap is not None and self.gap[0] <= now < self.gap[1]:
                state = "gap"
        self.tell(messages.position(self.number, now, state, self.speed))

    def may_show(self, mask: Mask) -> bool:
        """Whether all that this user may not see, now, is hidden."""
        return self.policy.mask in (NO_MASK, mask)

    def crosses(self, since: int, until: int) -> None:
        """Nothing was recorded in between, and playing comes to it."""
        self.tell(messages.gap(self.number, since, until))
        if self.skips:
            self.playhead.jump(since, until)
        else:
            self.gap = (min(since, until), max(since, until))

    async def more_may_come(self, end: int) -> bool:
        """Where it ends at ``end``: waits a moment if that is now; False: it is over."""
        if self.clock.utc_90k() - end > LIVE_EDGE:
            return False
        await trio.sleep(LOOK_S)
        return True
