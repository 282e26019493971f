"""The recorded sound of who is sent pictures: the fragments of the files, each a little before it is due.

It goes between the pictures (`appliance.serve.beside`), which say when it begins: behind a gap, and where a file has
other sound than the one before, it is announced anew with the picture of that time, and nothing of it is sent before.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, NamedTuple

import trio

from appliance.base.clock import TICKS_PER_SECOND
from appliance.base.faults import Fault
from appliance.media.units import Run
from appliance.recorder.spool import Cursor, Spool
from appliance.streams.playhead import zero_before
from appliance.streams.recorded_fragments import fragment_at, sound_from, sounds_on

if TYPE_CHECKING:
    from appliance.media.units import AudioFormat
    from appliance.recorder.player import Group
    from appliance.streams.show import Show

log = logging.getLogger(__name__)

#: It is heard at the speed at which it was recorded.
SPEED: Final = 1.0
#: So long before it is due it is sent: clients have some in hand when they begin, and less of it is on the way than
#: `appliance.serve.beside` takes for a network that does not carry it.
AHEAD_S: Final = 0.35
#: What is later than this is left out.
LATE_S: Final = 0.5
#: It is looked at again so often whether more is due, or recorded: a gap may be jumped over meanwhile.
LOOK_S: Final = 0.1
#: A piece of it is not longer: 1024 samples at 8 kHz.
LONGEST: Final = 1024 * TICKS_PER_SECOND // 8000


class Passage(NamedTuple):
    """What one announcement holds for: from ``at`` on, in UTC ticks."""

    at: int
    cursor: Cursor
    run: Run
    audio: AudioFormat


class Soundtrack:
    """Of one stretch, from a command on.  `run` is its task."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._spool = Spool(show.strip.archive)
        self._passage: Passage | None = None
        self._sending = trio.CancelScope()
        self._news = trio.Event()

    def begin(self, group: Group, at: int) -> Passage | None:
        """What is to be announced with the picture of a time, in this group; None: there is no sound."""
        number = sound_from(group.opened, at - LONGEST)
        self._passage = None
        if number is not None and group.opened.audio is not None:
            cursor = Cursor(self._show.strip, group)
            cursor.number = number
            self._passage = Passage(at, cursor, Run(zero_before(at)), group.opened.audio)
        self._sending.cancel()
        self._news.set()
        return self._passage

    def breaks(self, before: Group, after: Group) -> bool:
        """Whether, between the groups of two files, what was announced ends, or there is something to announce."""
        if self._passage is None:
            return sound_from(after.opened, after.key_at) is not None
        return not sounds_on(before.opened, after.opened)

    async def run(self) -> None:
        """Send what was announced, until cancelled."""
        while True:
            self._news = trio.Event()
            with trio.CancelScope() as self._sending:
                if self._passage is not None:
                    await self._send(self._passage)
            await self._news.wait()

    async def _send(self, passage: Passage) -> None:
        cursor = passage.cursor
        try:
            while True:
                if cursor.is_audio and cursor.ends_at > passage.at and await self._is_due(cursor.dts):
                    await self._offer(passage)
                opened = cursor.opened
                while not await cursor.advance():  # noqa: ASYNC110 (as files grow, nobody tells)
                    await trio.sleep(LOOK_S)
                if cursor.opened.file.path != opened.file.path and not sounds_on(opened, cursor.opened):
                    return
        except Fault as fault:  # deleted meanwhile, say: the pictures have the word
            log.debug("no sound: %s", fault)

    async def _is_due(self, at: int) -> bool:
        """Wait until it is, or nearly; False: it is too late."""
        head = self._show.playhead
        while (early_s := head.due_s(at) - AHEAD_S) > 0:  # noqa: ASYNC110 (it is the clock that is waited for)
            await trio.sleep(min(early_s, LOOK_S))
        return early_s > -LATE_S - AHEAD_S

    async def _offer(self, passage: Passage) -> None:
        cursor, show = passage.cursor, self._show
        body = await self._spool.fragment(cursor.opened, cursor.number)
        if show.policy.may_hear:
            show.outlet.offer(fragment_at(cursor, body, passage.run))
