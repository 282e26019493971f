"""One playback session: what its client asked for last is what is done, and nothing else.

Commands are taken synchronously, in the task that reads the connection; `Playback.run` does them.  A new one ends what
was done for the one before, as soon as that has its picture on its way: whoever drags a slider sees pictures all the
time, of where they are and not of where they were.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from typing import TYPE_CHECKING, Final

import trio

from appliance.base.faults import Fault
from appliance.media.masks import NO_MASK
from appliance.serve.frames import text_frame
from appliance.streams import messages
from appliance.streams.choosing import Refused, Unplayable
from appliance.streams.messages import Advance, Pause, Play, Seek
from appliance.streams.playhead import Playhead
from appliance.streams.replay import Replay
from appliance.streams.selection import Selection
from appliance.streams.show import TELL_S, Show
from appliance.streams.slides import Slides
from appliance.streams.transcoder import GIVEN_UP, LOSSES, LOSSES_WITHIN_S, RESTARTING
from appliance.workers.crew import SeatLostError

if TYPE_CHECKING:
    from appliance.base.clock import Clock
    from appliance.media.ladder import Rung
    from appliance.recorder.archive import Archive
    from appliance.recorder.player import Strip
    from appliance.serve.outlet import Outlet
    from appliance.sites.cameras import Camera
    from appliance.streams.choosing import Chosen, Policy
    from appliance.streams.messages import Command, Stats, Want
    from appliance.streams.turns import Turns
    from appliance.workers.crew import Crew

log = logging.getLogger(__name__)

#: A command waits so long for the picture of the one before.
PATIENCE_S: Final = 0.3
#: What failed for the moment is tried again after so long.
AGAIN_S: Final = 1.0


class Playback:
    """See the module.  ``turns``: how often this user may seek."""

    def __init__(
        self,
        outlet: Outlet,
        archive: Archive,
        crew: Crew,
        camera: Camera,
        policy: Policy,
        clock: Clock,
        turns: Turns,
    ) -> None:
        self._outlet = outlet
        self._crew = crew
        self._camera = camera
        self._policy = policy
        self._clock = clock
        self._turns = turns
        self._selection = Selection(outlet, archive, camera.id, policy, self._lag_s)
        # what was asked
        self._want: Want | None = None
        self._number = 0
        self._at: int | None = None
        self._speed = 1.0
        self._skips = True
        self._playing = False
        self._step = 0
        self._stepped = 0
        self._kept: dict[tuple[str, Rung, int], bytes] = {}
        self._was_moved = False  # since what is done was begun
        self._must_show = False
        self._needs_turn = False
        # what is done for it
        self._show: Show | None = None
        self._replay: Replay | None = None
        self._slides: Slides | None = None
        self._acting = trio.CancelScope()
        self._news = trio.Event()
        self._since = -math.inf
        self._waits_for_picture = False
        # what went wrong
        self._is_troubled = False  # the client was told that something is in the way
        self._is_refused = False  # it may not have, or cannot play, what there is
        self._is_mending = False  # the worker was lost, and this is the next attempt
        self._lost_at: deque[float] = deque(maxlen=LOSSES)

    # --- what the client says -------------------------------------------------------------------------------------

    def want(self, want: Want) -> None:
        """What it can show and would like."""
        before, self._want = self._want, want
        if before is None or want.codecs != before.codecs:
            self._selection.forget()
        if want != before:
            self._needs_turn = True
            self._restart()

    def command(self, command: Command) -> None:
        """What it is to do."""
        self._number = max(self._number, command.id)
        if isinstance(command, Pause):
            self._hold()
            self._playing = False
            self._change(at_once=True)
            return
        if isinstance(command, Play):
            self._hold()
            if command.at is not None:
                self._move(messages.ticks(command.at))
            self._speed = self._speed if command.speed is None else command.speed
            self._skips = self._skips if command.gaps is None else command.gaps == "skip"
            self._playing, self._step = True, 0
        elif isinstance(command, Seek):
            self._move(messages.ticks(command.at))
            self._step = 0
        elif isinstance(command, Advance):
            self._hold()
            self._playing = False
            self._step += command.by
        self._needs_turn = self._must_show = True
        self._change()

    def hear(self, stats: Stats) -> None:
        """What it says of itself, once a second."""
        self._selection.hear(stats)
        if self._replay is not None:
            self._replay.hear(stats)

    # --- what else may change -------------------------------------------------------------------------------------

    @property
    def showing(self) -> object | None:
        return self._show

    @property
    def is_transcoded(self) -> bool:
        return self._show is not None and self._show.chosen.plan is not None

    def decide(self) -> None:
        """Settings, rights or the mask may be others."""
        show, want = self._show, self._want
        if want is None:
            return
        if show is None:
            if self._is_refused and not isinstance(self._selection.choose(want, self._speed), Refused | Unplayable):
                self._restart()
            return
        if show.hears and not self._policy.may_hear:
            self._outlet.silence()  # now, and nothing of what waits
        mask = NO_MASK if show.chosen.rung is None else show.chosen.rung.mask
        if self._policy.mask not in (NO_MASK, mask):
            self._outlet.forget()  # now, and nothing of what waits
            self._restart(at_once=True)
        elif self._selection.choose(want, self._speed) != show.chosen or self._hears != show.hears:
            self._restart()

    def camera_changed(self, _camera: Camera, /) -> None:
        """Its streams may be others: what was recorded is not."""
        self.decide()

    def look(self, now: float, /) -> bool:
        """See whether the network carries what is played; whether to look again in a quarter of a second."""
        if self._show is None or not self._show.playing:
            return False
        picture_bytes = None if self._slides is None else self._slides.mean_bytes
        if self._selection.look(now, self._show.chosen, picture_bytes):
            self.decide()
        return True

    def _lag_s(self) -> float:
        return 0.0 if self._replay is None else self._replay.lag_s

    @property
    def _hears(self) -> bool:
        return self._want is not None and self._want.audio and self._policy.may_hear

    # --- the task -------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Do what is asked, for as long as the client is there."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._tell_positions)
            while True:
                self._news = trio.Event()
                with trio.CancelScope() as self._acting:
                    self._waits_for_picture = False
                    await self._act()
                    await self._news.wait()
                self._end()

    async def _tell_positions(self) -> None:
        while True:
            await trio.sleep(TELL_S)
            if self._show is not None and self._show.playing:
                self._show.tell_position()

    async def _act(self) -> None:
        want = self._want
        if want is None or self._at is None or want.paused:
            return
        if self._needs_turn:
            await self._turns.take()
            self._needs_turn = False
        if not self._must_show:
            self._tell(messages.position(self._number, self._at, "paused", self._speed))
            return
        self._since, self._waits_for_picture = trio.current_time(), True
        try:
            await self._take_step()
            while await self._show_from_here(want):
                pass
        except Fault as fault:  # deleted meanwhile, say; or no worker
            self._trouble(messages.status("waiting", fault.code))
            await trio.sleep(AGAIN_S)
            self._restart()
        except Exception:  # of one session: the others, and the appliance, go on
            log.exception("%s: not played", self._camera.name)
            self._trouble(messages.status("lost", "internal"))

    async def _take_step(self) -> None:
        """From the picture that is shown to those beside it."""
        self._stepped = 0
        if not self._step:
            self._kept.clear()
        strip = await self._selection.reference()
        while self._step and self._at is not None:
            by = 1 if self._step > 0 else -1
            at = await strip.step(self._at, by)
            await self._go_on()
            self._step = 0 if at is None else self._step - by
            self._at = self._at if at is None else at
            self._stepped = by

    async def _show_from_here(self, want: Want) -> bool:
        """Show until it ends, or something else is asked; True: it goes on elsewhere."""
        assert self._at is not None
        self._show, self._was_moved = None, False
        at, number, playing, skips = self._at, self._number, self._playing, self._skips
        playhead = Playhead(at, self._speed)
        if not await self._selection.find(at):
            return await self._cross(await self._selection.reference(), at)
        chosen = self._choose(want, playhead.speed)
        if chosen is None:
            return False
        strip, group = self._selection.group(chosen)
        show = self._show = Show(
            number=number,
            at=at,
            playing=playing,
            skips=skips,
            chosen=chosen,
            strip=strip,
            group=group,
            playhead=playhead,
            outlet=self._outlet,
            policy=self._policy,
            clock=self._clock,
            hears=self._hears,
            beside=want.beside,
            begun=self._begun,
            stepped=self._stepped,
            kept=self._kept,
        )
        show.tell_position()
        try:
            end = await self._run(show)
        except SeatLostError as error:
            await self._go_on()
            return self._mend(show, error)
        if show.playing:
            if show.playhead.runs:
                await show.playhead.reach(end)
            await self._go_on()
            self._stop_at(end - 1 if show.speed > 0 else end, "ended")  # where the last picture is still shown
        return False

    async def _run(self, show: Show) -> int:
        self._replay = self._slides = None
        if show.chosen.plan is None:
            self._replay = Replay(show)
            return await self._replay.run()
        self._slides = Slides(show, self._crew, at_once=self._is_mending)
        return await self._slides.run()

    async def _cross(self, strip: Strip, at: int) -> bool:
        """Nothing was recorded here: on to where something was; False: there is none, or it does not play."""
        before, after = await strip.neighbours(at)
        await self._go_on()
        to = after if self._speed > 0 else before
        self._is_troubled = False
        self._begun()
        self._outlet.begin((), ())
        if not self._playing or to is None:
            self._trouble(messages.unrecorded(before, after))
            self._stop_at(at, "ended" if self._playing else "paused")
            return False
        self._tell(messages.gap(self._number, at, to))
        if not self._skips:
            head = Playhead(at, self._speed)
            head.start()
            while (left_s := head.due_s(to)) > 0:
                self._at = head.now
                self._tell(messages.position(self._number, self._at, "gap", self._speed))
                await trio.sleep(min(left_s, TELL_S))
        self._at = to if self._speed > 0 else to - 1
        return True

    def _mend(self, show: Show, error: SeatLostError) -> bool:
        """The worker is lost; True: another goes on, behind what ends one after the other."""
        now = trio.current_time()
        log.warning("playback of %s: another worker goes on: %s", self._camera.name, error)
        again, self._is_mending = self._is_mending, True
        if error.blamed:
            self._lost_at.append(now)
        if len(self._lost_at) == LOSSES and now - self._lost_at[0] <= LOSSES_WITHIN_S:
            self._begun()
            self._trouble(messages.status("lost", GIVEN_UP))
            return False
        self._trouble(messages.status("waiting", RESTARTING))
        self._at = show.playhead.now if show.playing else show.at
        if again and error.blamed and show.playing:
            self._at = show.group.ends_at if show.speed > 0 else show.group.key_at - 1
        return True

    async def _go_on(self) -> None:
        """Only if nothing else was asked meanwhile: what was asked is not to be written over."""
        if self._news.is_set():
            self._acting.cancel()
        await trio.lowlevel.checkpoint_if_cancelled()

    # --- inside ---------------------------------------------------------------------------------------------------

    def _choose(self, want: Want, speed: float) -> Chosen | None:
        """What this client is to get; None: nothing that there is, and it is told."""
        chosen = self._selection.choose(want, speed)
        self._is_refused = isinstance(chosen, Refused | Unplayable)
        if isinstance(chosen, Refused):
            self._trouble(messages.status("lost", chosen.reason))
            return None
        if isinstance(chosen, Unplayable):
            codec = "" if chosen.video is None else chosen.video.codec_string
            told = chosen.message if self._policy.may_know else ""
            self._trouble(messages.status("lost", str(chosen.why), told, codec=codec))
            return None
        return chosen

    def _stop_at(self, at: int, state: str) -> None:
        """It plays no more."""
        self._at, self._playing, self._must_show = at, False, False
        self._was_moved = True  # the show may have played on
        self._tell(messages.position(self._number, at, state, self._speed))

    def _hold(self) -> None:
        """Where it is, is where it goes on."""
        if self._show is not None and self._show.playing and not self._was_moved:
            self._at = self._show.playhead.now

    def _move(self, at: int) -> None:
        """There it is to be, wherever it is."""
        self._at, self._was_moved = at, True

    def _restart(self, *, at_once: bool = False) -> None:
        """Show the same in another way."""
        self._hold()
        self._must_show = True
        self._change(at_once=at_once)

    def _change(self, *, at_once: bool = False) -> None:
        """There is something else to do: now, or once there is a picture of what is done."""
        self._news.set()
        if self._waits_for_picture and not at_once:
            self._acting.deadline = min(self._acting.deadline, self._since + PATIENCE_S)
        else:
            self._acting.cancel()

    def _begun(self) -> None:
        """There is a picture."""
        self._waits_for_picture = self._is_mending = False
        if self._is_troubled:
            self._is_troubled = False
            self._tell(messages.status("ok", None))
        if self._news.is_set():
            self._acting.cancel()
        else:
            self._must_show = False

    def _end(self) -> None:
        """What was shown is no longer."""
        self._hold()
        self._show = self._replay = self._slides = None

    def _trouble(self, status: str) -> None:
        """Something is in the way."""
        self._is_troubled = True
        self._tell(status)

    def _tell(self, text: str) -> None:
        self._outlet.control(text_frame(text))
