"""Recordings as they are: the fragments of the files, with the one field rewritten that says when, ahead of the client.

From the key picture at or before the time that is asked, what leads it left out.  The client shows the exact picture
by its own clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.fmp4 import init_segment, mime_type
from appliance.media.masks import NO_MASK
from appliance.media.units import Run
from appliance.recorder.player import GAP
from appliance.recorder.spool import Cursor, Spool
from appliance.streams import announcing
from appliance.streams.playhead import zero_before
from appliance.streams.recorded import fps_of
from appliance.streams.recorded_fragments import fragment_at, sound_from

if TYPE_CHECKING:
    from appliance.recorder.files import Opened
    from appliance.streams.messages import Stats
    from appliance.streams.show import Show

#: So far ahead of playing is sent, in seconds of the client's; of a picture that stands, in ticks.
AHEAD_S: Final = 4.0
AHEAD_PAUSED: Final = TICKS_PER_SECOND
#: It is looked at again so often whether more may be sent: the client may say that it holds less than was thought.
LOOK_S: Final = 0.25
#: What a client says counts when it is about what is sent now.
SETTLED_S: Final = 1.0


class Replay:
    """One stretch, from a command on."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._spool = Spool(show.strip.archive)
        self._cursor = Cursor(show.strip, show.group)
        self._run = Run(0)
        self._announced: Opened | None = None
        self._hears = False
        self._keys = 0  # since the beginning, or since a break: what leads the first refers to what is not sent
        self._sent_to = show.at
        self._began_at = trio.current_time()
        self._heard = trio.Event()

    @property
    def lag_s(self) -> float:
        """By how much what should have been sent is late."""
        if not (self._show.playing and self._show.playhead.runs):
            return 0.0
        return max(0.0, -self._show.playhead.due_s(self._sent_to))

    def hear(self, stats: Stats) -> None:
        """What the client says that it holds."""
        show = self._show
        between = show.gap is not None and show.playhead.now < show.gap[1]
        if show.playing and not between and trio.current_time() - self._began_at > SETTLED_S:
            show.playhead.correct(stats.buffer_s, self._sent_to)
            self._heard.set()

    async def run(self) -> int:
        """Send until nothing more was recorded; gives where that ends."""
        show, cursor = self._show, self._cursor
        self._announce()
        while True:
            if self._is_sent():
                await self._wait_for_its_turn()
                await self._send()
                if not show.playing and cursor.dts > show.at + AHEAD_PAUSED:
                    return self._sent_to
            file, end = cursor.opened.file.path, self._sent_to
            while not await cursor.advance():
                self._begin()
                if not await show.more_may_come(self._sent_to):
                    return self._sent_to
            if cursor.opened.file.path != file:
                self._cross(end)

    def _is_sent(self) -> bool:
        cursor = self._cursor
        if cursor.is_audio:
            return self._hears and cursor.dts >= self._run.utc_zero
        self._keys += cursor.is_key
        return not cursor.leading or self._keys > 1

    def _cross(self, end: int) -> None:
        """Into another file."""
        cursor, announced = self._cursor, self._announced
        assert announced is not None
        gap = cursor.pts - end
        if gap >= GAP:
            self._keys = 0
            self._show.crosses(end, cursor.pts)
        elif gap <= -GAP:  # the clock was set back meanwhile
            self._show.playhead.jump(end, cursor.pts)
            self._sent_to = cursor.pts
        hears = self._has_sound()
        same = cursor.opened.video == announced.video and hears == self._hears
        if hears and cursor.opened.audio != announced.audio:
            same = False
        if not same or gap <= -GAP or cursor.dts < self._run.utc_zero:
            self._announce()

    def _announce(self) -> None:
        """What is sent from here on."""
        show, opened = self._show, self._cursor.opened
        self._announced, self._keys = opened, 0
        self._run = Run(zero_before(self._cursor.dts))
        self._hears = self._has_sound()
        audio = opened.audio if self._hears else None
        announcement = announcing.of_video(
            {
                "id": show.number,
                "mime": mime_type(opened.video, audio),
                "stream": show.strip.stream,
                "width": opened.video.width,
                "height": opened.video.height,
                "fps": fps_of(opened),
                "reason": show.chosen.reason,
                "utc_zero": self._run.utc_zero,
            },
            init_segment(opened.video, audio),
        )
        show.outlet.audio = self._hears
        show.outlet.begin(announcement, ())

    def _has_sound(self) -> bool:
        """Whether there is sound soon, and it is wanted: with a track that stays empty nothing would be shown."""
        cursor = self._cursor
        return self._show.hears and sound_from(cursor.opened, cursor.dts) is not None

    async def _wait_for_its_turn(self) -> None:
        show, at = self._show, self._cursor.dts
        if at > show.at:
            self._begin()
        while show.playing and (early_s := show.playhead.due_s(at) - AHEAD_S) > 0:
            self._heard = trio.Event()
            with trio.move_on_after(min(early_s, LOOK_S)):
                await self._heard.wait()

    def _begin(self) -> None:
        """The picture that was asked for is on its way."""
        if self._show.playing:
            self._show.playhead.start()
        self._show.begun()

    async def _send(self) -> None:
        cursor, show = self._cursor, self._show
        body = await self._spool.fragment(cursor.opened, cursor.number)
        if not show.may_show(NO_MASK):
            await trio.sleep_forever()  # the mask is new, and whoever set it ends this
        show.outlet.offer(fragment_at(cursor, body, self._run))
        if not cursor.is_audio:
            self._sent_to = max(cursor.ends_at, self._sent_to)
        await show.outlet.room()
