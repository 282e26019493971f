"""One transcoder a camera stream: decoded once, JPEG made once a rung, for however many viewers.

It lives from the first viewer that needs JPEG to the last.  Its task feeds a pipeline in a media worker: first what the
hub's ring holds of the current group of pictures, of which only the last is shown, then what comes.  Pictures that come
back are framed once and offered to all viewers of their rung.

What is slower than the camera loses pictures, never time: the feed jumps to the newest IDR picture.  A worker that is
lost is replaced and fed the ring again; if it was at work on the same group of pictures before, that group is left out.
"""

from __future__ import annotations

import logging
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

import trio

from appliance.base.clock import TICKS_PER_SECOND
from appliance.base.faults import Fault
from appliance.media.cheapest import SHRINKS
from appliance.media.picture import TIME_SIZE, frame_picture
from appliance.serve.fanout import Fanout
from appliance.serve.frames import Opcode, frame_header
from appliance.workers.crew import SeatLostError
from appliance.workers.wire import PipelineOpen, PipelineRung, PipelineRungs, PipelineUnit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.media.fmp4 import Fragment
    from appliance.media.ladder import Rung
    from appliance.media.picture import Picture
    from appliance.media.units import VideoFormat
    from appliance.streams.hub import Hub, Segment
    from appliance.workers.crew import Crew, Seat
    from appliance.workers.wire import PipelineWorked

log = logging.getLogger(__name__)

#: What waits for the decoder may reach so far back: beyond, all of it is dropped up to the next IDR picture; beyond the
#: lesser, as soon as one comes.
BEHIND_TICKS, LATE_TICKS = 2 * TICKS_PER_SECOND, TICKS_PER_SECOND // 2
#: And in bytes, whatever a camera sends in two seconds.
WAITING_BYTES = 16 << 20
#: So often within so long it fell behind: key frames only, for as long.
OVERLOADS, OVERLOAD_S = 3, 20.0
#: So many workers lost to one stream within so long: it is left alone for a while.
LOSSES, LOSSES_WITHIN_S, GIVEN_UP_S = 6, 60.0, 30.0
#: Where no worker can be started.
NO_WORKER_S = 5.0
#: Units without a picture after which the stream is said not to be decodable.
UNDECODED = 100
#: A key frame a second is enough for a rung of one picture a second; groups are measured to be so far off.
MEASURED = 1.05
USUAL_FPS = 25.0
#: Words for clients: the decoder is being replaced; it was lost too often.
RESTARTING, GIVEN_UP, UNDECODABLE = "decoder_restarts", "decoder_failed", "unsupported_codec"


class Spectator(Protocol):
    """Who waits for a rung's pictures.  Called from the transcoder's task: neither may block."""

    def may_show(self, level: Level) -> None:
        """The rung has a picture."""
        ...

    def transcoder_changed(self, transcoder: Transcoder) -> None: ...


@dataclass(eq=False)
class Level:
    """One rung and who gets its pictures."""

    transcoder: Transcoder
    rung: Rung
    fanout: Fanout = field(default_factory=Fanout)
    spectators: dict[Spectator, None] = field(default_factory=dict)
    latest: Picture | None = None  # of this stretch of the stream
    encoded: int = 0


class _Waiting(NamedTuple):
    """A unit that waits for the decoder.  ``alone``: nothing follows on it; ``fresh``: it is not from the ring."""

    fragment: Fragment
    alone: bool
    shown: bool = True
    fresh: bool = True


@dataclass(frozen=True, slots=True)
class State:
    """``ok``, ``waiting`` or ``lost``, and the word for it."""

    state: str = "ok"
    reason: str | None = None


@dataclass
class Counters:
    """Since the transcoder began."""

    decoded: int = 0
    encoded: int = 0
    dropped: int = 0  # units that were left out because the decoder was behind
    damaged: int = 0
    restarts: int = 0


class Transcoder:
    """See the module.  `run` is its task; everything else is for viewers."""

    def __init__(self, hub: Hub, crew: Crew) -> None:
        self.hub = hub
        self.state = State()
        self.counters = Counters()
        self.worker: int | None = None  # its process id
        self._crew = crew
        self._levels: dict[Rung, Level] = {}
        self._wake = trio.Event()
        self._pending: deque[_Waiting] = deque()
        self._segment: Segment | None = None
        self._waits_for_idr = False
        self._joined_at_idr = False  # what leads the IDR picture that it goes on with cannot be decoded
        self._keys_only = False
        self._rungs_changed = False
        self._stale = False  # the pipeline has to be opened anew
        self._sent: deque[tuple[Fragment, list[Level]]] = deque()  # in the worker, and whom its pictures are for
        self._group = 0  # dts of the IDR picture that the worker got last
        self._blamed_group: int | None = None
        self._lost_at: deque[float] = deque(maxlen=LOSSES)
        self._overloads: deque[float] = deque(maxlen=OVERLOADS)
        self._overloaded_until = 0.0
        self._undecoded = 0
        self._sequence = 0
        self._rested = trio.Event()

    # --- for viewers ----------------------------------------------------------------------------------------------

    @property
    def levels(self) -> list[Level]:
        return list(self._levels.values())

    @property
    def keys_only(self) -> bool:
        return self._keys_only

    @contextmanager
    def joined(self, rung: Rung, spectator: Spectator) -> Iterator[Level]:
        """The rung's pictures, made from now on if they were not."""
        level = self._levels.get(rung)
        if level is None:
            level = self._levels[rung] = Level(self, rung)
            self._change_rungs()
        level.spectators[spectator] = None
        try:
            yield level
        finally:
            level.spectators.pop(spectator, None)
            if not level.spectators:
                del self._levels[rung]
                self._change_rungs()

    # --- called by the hub ----------------------------------------------------------------------------------------

    def may_begin(self, hub: Hub) -> None:
        """Whether it is another stretch: what was decoded before is of no use then."""
        segment, before = hub.segment, self._segment
        if segment is None or (before is not None and segment.run is before.run and segment.video == before.video):
            self._segment = segment or before
            return
        self._undecoded = 0
        self._blamed_group = None
        self._lost_at.clear()
        self._rested.set()
        self._begin_anew(segment)

    def state_changed(self, hub: Hub) -> None:
        if hub.state.value.state == "lost":
            self._segment = None
            self._pending.clear()
            for level in self._levels.values():
                level.latest = None

    # --- the task -------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Feed pipelines for as long as anybody watches; never raises for what a stream or a worker does."""
        with self.hub.subscription(self), self.hub.tapped(self._take):
            self._begin_anew(self.hub.segment)
            while True:
                while not (self._pending and self._levels and self._segment is not None):
                    await self._news()
                at_once = self.state.reason == RESTARTING
                try:
                    async with self._crew.seat(self._load(), self._tell, at_once=at_once) as seat:
                        self.worker = seat.pid
                        await self._feed(seat)
                except SeatLostError as error:
                    await self._recover(error)
                except Fault as fault:
                    log.warning("%s: not transcoded: %s", self.hub.name, fault)
                    self._say("lost", GIVEN_UP)
                    await trio.sleep(NO_WORKER_S)
                    self._begin_anew(self.hub.segment)
                finally:
                    self._sent.clear()
                    self.worker = None

    async def _feed(self, seat: Seat) -> None:
        """Until the pipeline has to be opened anew.  Raises `SeatLostError`."""
        if self._segment is None:
            return
        self._stale, video = False, self._segment.video
        skip = self._skips_loop_filter(video)
        levels = self._open(seat, video, skip_loop_filter=skip)
        while True:
            for worked in seat.answers():
                await self._publish(worked)
            if self._stale:
                return
            if self._rungs_changed:
                if self._levels and self._skips_loop_filter(video) != skip:
                    self._begin_anew(self.hub.segment)
                    return
                levels = self._send_rungs(seat)
            while self._pending and seat.has_credit and levels:
                waiting = self._pending.popleft()
                fragment = waiting.fragment
                if fragment.is_idr:
                    self._group = fragment.dts
                self._sent.append((fragment, levels))
                seat.work(PipelineUnit(bytes(fragment.sample), fragment.pts, waiting.shown, waiting.alone))
            await self._news()

    def _open(self, seat: Seat, video: VideoFormat, *, skip_loop_filter: bool) -> list[Level]:
        levels = self.levels
        self._rungs_changed = False
        seat.open(
            PipelineOpen(video.codec, video.configuration, video.full_range, skip_loop_filter), _on_the_wire(levels)
        )
        return levels

    def _send_rungs(self, seat: Seat) -> list[Level]:
        levels = self.levels
        self._rungs_changed = False
        seat.change(_on_the_wire(levels))
        return levels

    async def _publish(self, worked: PipelineWorked) -> None:
        _, levels = self._sent.popleft()
        self.counters.decoded += worked.decoded
        self.counters.damaged += worked.damaged
        self._undecoded = 0 if worked.decoded else self._undecoded + 1
        if self._undecoded >= UNDECODED:
            self._say("lost", UNDECODABLE)
        for made in worked.pictures:
            if self._segment is None:
                return  # the camera was lost meanwhile
            self._say("ok", None)
            self.counters.encoded += len(made.jpegs)
            framed: dict[int, Picture] = {}
            for number, which in made.rungs:
                level = levels[number]
                if which not in framed:
                    jpeg = made.jpegs[which]
                    self._sequence += 1
                    header = frame_header(TIME_SIZE + len(jpeg), Opcode.BINARY)
                    framed[which] = frame_picture(header, jpeg, made.pts, self._sequence)
                await self._give(level, framed[which])

    async def _give(self, level: Level, picture: Picture) -> None:
        is_first, level.latest = level.latest is None, picture
        level.encoded += 1
        await level.fanout.publish(picture)
        if is_first:
            for spectator in tuple(level.spectators):
                spectator.may_show(level)

    async def _recover(self, error: SeatLostError) -> None:
        """Another worker goes on, after a rest if it was too often."""
        self.counters.restarts += 1
        log.warning("%s: transcoding goes on in another worker: %s", self.hub.name, error)
        self._say("waiting", RESTARTING)
        self._begin_anew(self.hub.segment)
        if not error.blamed:
            return
        now = trio.current_time()
        self._lost_at.append(now)
        if len(self._lost_at) == LOSSES and now - self._lost_at[0] <= LOSSES_WITHIN_S:
            log.warning(
                "%s: left alone for %g s: what it sends ends one decoder after another", self.hub.name, GIVEN_UP_S
            )
            self._say("lost", GIVEN_UP)
            self._rested = trio.Event()
            with trio.move_on_after(GIVEN_UP_S):
                await self._rested.wait()
            self._lost_at.clear()
            self._begin_anew(self.hub.segment)
        elif self._blamed_group == self._group:
            self._drop()  # twice on the same group of pictures: on with the next
        else:
            self._blamed_group = self._group

    # --- what waits -----------------------------------------------------------------------------------------------

    def _take(self, fragment: Fragment) -> None:
        """The hub has another picture."""
        if self._segment is None:
            return
        if fragment.is_idr:
            self._look_at_pace()
        if self._waits_for_idr:
            if not fragment.is_idr:
                self.counters.dropped += not self._keys_only
                return
            self._waits_for_idr, self._joined_at_idr = False, True
        elif fragment.is_idr:
            self._joined_at_idr = False
        if self._keys_only:
            if not fragment.is_idr:
                return
            self._leave_out_the_late(fragment, LATE_TICKS)
        elif self._joined_at_idr and fragment.leading:
            return
        elif fragment.is_idr:
            self._joined_at_idr = self._leave_out_the_late(fragment, LATE_TICKS) or self._joined_at_idr
        elif self._leave_out_the_late(fragment, BEHIND_TICKS):
            self.counters.dropped += 1
            self._waits_for_idr = True
            return
        self._pending.append(_Waiting(fragment, self._keys_only))
        self._tell()

    def _leave_out_the_late(self, fragment: Fragment, most: int) -> bool:
        """Forget what waits if it reaches too far back; whether it did."""
        oldest = next((waiting.fragment.dts for waiting in self._pending if waiting.fresh), None)
        if oldest is None:
            return False
        waiting_bytes = sum(len(waiting.fragment.message) for waiting in self._pending)
        if fragment.dts - oldest <= most and waiting_bytes <= WAITING_BYTES:
            return False
        lost = sum(waiting.fresh for waiting in self._pending)
        self._pending.clear()
        if self.worker is None:
            return True  # it has not begun, or is being replaced
        self.counters.dropped += lost
        now = trio.current_time()
        self._overloads.append(now)
        if len(self._overloads) == OVERLOADS and now - self._overloads[0] <= OVERLOAD_S:
            self._overloaded_until = now + OVERLOAD_S
        return True

    def _drop(self) -> None:
        self._pending.clear()
        self._waits_for_idr = True

    def _begin_anew(self, segment: Segment | None) -> None:
        """The pipeline has no past: feed it the ring."""
        if segment is not None and (self._segment is None or self._segment.run is not segment.run):
            for level in self._levels.values():
                level.latest = None
        self._segment = segment
        self._stale = True
        self._pending.clear()
        self._waits_for_idr, self._joined_at_idr = True, False
        burst = [fragment for fragment in self.hub.ring.fragments if not fragment.is_audio]
        if segment is not None and burst and burst[0].run is segment.run:
            self._waits_for_idr, self._joined_at_idr = False, True
            self._keys_only = self._are_keys_enough()
            burst = burst[:1] if self._keys_only else burst
            self._pending.extend(
                _Waiting(fragment, self._keys_only, fragment is burst[-1], fresh=False) for fragment in burst
            )
        self._tell()

    def _change_rungs(self) -> None:
        self._rungs_changed = True
        if self._keys_only and self._levels and not self._are_keys_enough():
            self._begin_anew(self.hub.segment)
        self._tell()

    def _look_at_pace(self) -> None:
        """At an IDR picture one may go over from all pictures to key frames, and back."""
        before, self._keys_only = self._keys_only, self._are_keys_enough()
        if before != self._keys_only:
            log.debug("%s: %s decoded", self.hub.name, "key frames" if self._keys_only else "all pictures")

    def _are_keys_enough(self) -> bool:
        if trio.current_time() < self._overloaded_until or (self._segment is not None and self._segment.video.is_intra):
            return True
        gop_s, fastest = self.hub.measured.gop_s, 0.0
        for rung in self._levels:
            if rung.fps is None:
                return False
            fastest = max(fastest, rung.fps)
        return gop_s is not None and bool(self._levels) and fastest * gop_s <= MEASURED

    def _skips_loop_filter(self, video: VideoFormat) -> bool:
        return all(video.width >= SHRINKS * rung.width for rung in self._levels)

    def _load(self) -> float:
        """Million samples a second that are decoded."""
        if self._segment is None:
            return 0.0
        video = self._segment.video
        fps = 1.0 if self._keys_only else self.hub.measured.fps or USUAL_FPS
        return video.width * video.height * fps / 1e6

    def _say(self, state: str, reason: str | None) -> None:
        new = State(state, reason)
        if new == self.state:
            return
        self.state = new
        for level in self.levels:
            for spectator in tuple(level.spectators):
                spectator.transcoder_changed(self)

    def _tell(self) -> None:
        self._wake.set()

    async def _news(self) -> None:
        await self._wake.wait()
        self._wake = trio.Event()


def _on_the_wire(levels: list[Level]) -> PipelineRungs:
    return PipelineRungs(
        [PipelineRung(each.rung.width, each.rung.height, each.rung.fps, each.rung.quality) for each in levels]
    )
