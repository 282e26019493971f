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
from typing import TYPE_CHECKING

import trio

from appliance.base.faults import Fault
from appliance.media.cheapest import PARTS, SHRINKS
from appliance.media.gathering import Gathering
from appliance.media.ladder import QUALITIES, shown_size
from appliance.media.picture import TIME_SIZE, frame_picture
from appliance.media.units import MJPEG
from appliance.serve.frames import Opcode, frame_header
from appliance.streams.backlog import Backlog
from appliance.streams.renditions import Counters, Rendition, State
from appliance.workers.crew import SeatLostError
from appliance.workers.wire import PipelineOpen, PipelineRung, PipelineRungs, PipelineUnit, PipelineWorked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from appliance.media.fmp4 import Fragment
    from appliance.media.ladder import Rung
    from appliance.media.picture import Picture
    from appliance.media.units import VideoFormat
    from appliance.streams.backlog import Waiting
    from appliance.streams.hub import Hub, Segment
    from appliance.streams.renditions import Spectator
    from appliance.workers.crew import Crew, Seat

log = logging.getLogger(__name__)

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


class Transcoder:
    """See the module.  `run` is its task; everything else is for viewers."""

    def __init__(self, hub: Hub, crew: Crew) -> None:
        self.hub = hub
        self.state = State()
        self.counters = Counters()
        self.worker: int | None = None  # its process id
        self._crew = crew
        self._renditions: dict[Rung, Rendition] = {}
        self._wake = trio.Event()
        self._backlog = Backlog()
        self._gathering = Gathering(0)
        self._passing: deque[Fragment] = deque(maxlen=2)  # JPEG of the camera's that is sent as it is
        self._segment: Segment | None = None
        self._seat: Seat | None = None  # that is fed, for the renditions `_fed`
        self._fed: list[Rendition] = []
        self._keys_only = False
        self._rungs_changed = False
        self._stale = False  # the pipeline has to be opened anew
        self._sent: deque[tuple[Fragment, list[Rendition]]] = deque()  # in the worker, and whom its pictures are for
        self._group = 0  # dts of the IDR picture that the worker got last
        self._blamed_group: int | None = None
        self._lost_at: deque[float] = deque(maxlen=LOSSES)
        self._undecoded = 0
        self._sequence = 0
        self._rested = trio.Event()

    # --- for viewers ----------------------------------------------------------------------------------------------

    @property
    def renditions(self) -> list[Rendition]:
        return list(self._renditions.values())

    @property
    def keys_only(self) -> bool:
        """Whether only key frames are decoded."""
        return self._keys_only

    @property
    def dropped(self) -> int:
        """Pictures that were left out because the decoder was behind."""
        return self._backlog.dropped

    @contextmanager
    def joined(self, rung: Rung, spectator: Spectator, why: tuple[str, ...] = ()) -> Iterator[Rendition]:
        """The rung's pictures, made from now on if they were not; ``why`` of this stream."""
        rendition = self._renditions.get(rung)
        if rendition is None:
            is_first = not self._renditions
            rendition = self._renditions[rung] = Rendition(self, rung)
            self._change_rungs()
            if is_first:
                self._begin_anew(self.hub.segment)
        rendition.spectators[spectator] = None
        rendition.why = why
        try:
            yield rendition
        finally:
            rendition.spectators.pop(spectator, None)
            if not rendition.spectators:
                del self._renditions[rung]
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
            self._backlog.skip()
            for rendition in self._renditions.values():
                rendition.latest = None

    # --- the task -------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Feed pipelines for as long as anybody watches; never raises for what a stream or a worker does."""
        with self.hub.subscription(self), self.hub.tapped(self._take):
            self._begin_anew(self.hub.segment)
            while True:
                await self._pass_on()
                if not (self._backlog and self._made and self._segment is not None):
                    await self._news()
                    continue
                at_once = self.state.reason == RESTARTING
                try:
                    async with self._crew.seat(self._load(), self._tell, at_once=at_once) as seat:
                        self.worker = seat.pid
                        await self._feed(seat)
                except SeatLostError as error:
                    await self._recover(error)
                except Fault as fault:
                    log.warning("%s: not transcoded: %s", self.hub.name, fault)
                    await self._rest(NO_WORKER_S)
                except Exception:  # of one stream: the others, and the appliance, go on
                    log.exception("%s: not transcoded", self.hub.name)
                    await self._rest(GIVEN_UP_S)
                finally:
                    self._seat = None
                    self._sent.clear()
                    self.worker = None

    async def _feed(self, seat: Seat) -> None:
        """Until the pipeline has to be opened anew.  Raises `SeatLostError`."""
        if self._segment is None:
            return
        video = self._segment.video
        self._stale, opening = False, self._opening(video)
        self._gathering = Gathering(video.width * video.height)
        self._fed = self._made
        self._rungs_changed = False
        seat.open(opening, _on_the_wire(self._fed))
        self._seat = seat
        while True:
            for worked in seat.answers():
                if isinstance(worked, PipelineWorked):
                    await self._publish(worked)
            await self._pass_on()
            if self._stale or self._segment is None:
                return
            if self._rungs_changed:
                self._rungs_changed = False
                self._fed = self._made
                if not self._fed or self._opening(self._segment.video) != opening:
                    self._begin_anew(self.hub.segment)
                    return
                seat.change(_on_the_wire(self._fed))
                self._gathering.hurry()
            self._work()
            await self._news()

    def _work(self) -> bool:
        """Have what waits decoded, as far as there is credit; False: the task has to see to something first."""
        if self._seat is None or self._stale or self._rungs_changed or self._segment is None:
            return False
        while self._backlog and self._seat.has_credit:
            self._send(self._seat, self._backlog.pop(), self._fed)
        return True

    def _send(self, seat: Seat, waiting: Waiting, renditions: list[Rendition]) -> None:
        """Have a picture decoded, now or together with those that come."""
        fragment, shown = waiting.fragment, waiting.shown
        data, pts, before = bytes(fragment.sample), fragment.pts, list[tuple[bytes, int]]()
        if fragment.is_idr:
            self._group = fragment.dts
            self._gathering.forget()
        if not waiting.alone:
            rates = {rendition.rung.fps for rendition in renditions} if shown else ()
            together = self._gathering.take(data, pts, rates)
            if together is None:
                return
            before = together
        self._sent.append((fragment, renditions))
        seat.work(PipelineUnit(data, pts, shown, waiting.alone, fragment.is_idr, before))

    def _opening(self, video: VideoFormat) -> PipelineOpen:
        return opening(video, [rendition.rung for rendition in self._made])

    async def _publish(self, worked: PipelineWorked) -> None:
        _, renditions = self._sent.popleft()
        self._gathering.may_wait = worked.at_once
        self.counters.decoded += worked.decoded
        self.counters.damaged += worked.damaged
        if worked.decoded:
            self.counters.hardware = worked.hardware
        if worked.hardware or worked.hardware_failure:
            self._crew.hardware_failure = worked.hardware_failure
        self.counters.mark(trio.current_time())
        if worked.decoded:
            self._undecoded = 0
        elif worked.damaged or not self._keys_only:  # of key frames, those that nobody waits for are not decoded
            self._undecoded += 1
        if self._undecoded >= UNDECODED:
            self._say("lost", UNDECODABLE)
        for made in worked.pictures:
            if self._segment is None:
                return  # the camera was lost meanwhile
            self._say("ok", None)
            self.counters.encoded += len(made.jpegs)
            framed: dict[int, Picture] = {}
            for number, which in made.rungs:
                rendition = renditions[number]
                if which not in framed:
                    framed[which] = self._framed(made.jpegs[which], made.pts)
                await self._give(rendition, framed[which])

    async def _give(self, rendition: Rendition, picture: Picture) -> None:
        is_first = rendition.take(picture)
        await rendition.fanout.publish(picture)
        if is_first:
            for spectator in tuple(rendition.spectators):
                spectator.may_show(rendition)

    async def _recover(self, error: SeatLostError) -> None:
        """Another worker goes on, after a rest if it was too often."""
        self.worker = None
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
            await self._rest(GIVEN_UP_S)
        elif self._blamed_group == self._group:
            self._backlog.skip()  # twice on the same group of pictures: on with the next
        else:
            self._blamed_group = self._group

    async def _rest(self, seconds: float) -> None:
        """Leave it alone for so long, or until the camera sends something else."""
        self.worker = None
        self._say("lost", GIVEN_UP)
        self._rested = trio.Event()
        with trio.move_on_after(seconds):
            await self._rested.wait()
        self._lost_at.clear()
        self._begin_anew(self.hub.segment)

    async def _pass_on(self) -> None:
        """Send the camera's own JPEG to the rungs that are like it."""
        while self._passing:
            fragment = self._passing.popleft()
            picture: Picture | None = None
            for rendition in self.renditions:
                if self._is_passed(rendition.rung) and rendition.is_due(fragment.pts):
                    picture = picture or self._framed(bytes(fragment.sample), fragment.pts)
                    self._say("ok", None)
                    await self._give(rendition, picture)

    def _is_passed(self, rung: Rung) -> bool:
        return self._segment is not None and is_passed(self._segment.video, rung)

    @property
    def _made(self) -> list[Rendition]:
        """The renditions that a worker makes."""
        return [rendition for rendition in self._renditions.values() if not self._is_passed(rendition.rung)]

    def _framed(self, jpeg: bytes, pts: int) -> Picture:
        self._sequence += 1
        return frame_picture(frame_header(TIME_SIZE + len(jpeg), Opcode.BINARY), jpeg, pts, self._sequence)

    # --- what waits -----------------------------------------------------------------------------------------------

    def _take(self, fragment: Fragment) -> None:
        """The hub has another picture."""
        if self._segment is None or not self._renditions:
            return
        if fragment.is_idr:  # here one may go over from all pictures to key frames, and back
            self._keys_only = self._are_keys_enough()
        made = self._made
        if len(made) < len(self._renditions):
            self._passing.append(fragment)
        if made:
            self._backlog.take(fragment, keys_only=self._keys_only, running=self.worker is not None)
        if self._passing or not self._work():  # a turn of the task costs more than what it would do
            self._tell()

    def _begin_anew(self, segment: Segment | None) -> None:
        """The pipeline has no past: feed it the ring."""
        if segment is not None and (self._segment is None or self._segment.run is not segment.run):
            for rendition in self._renditions.values():
                rendition.latest = None
        self._segment = segment
        self._stale = True
        ring = [fragment for fragment in self.hub.ring.fragments if not fragment.is_audio]
        known = segment is not None and bool(ring) and ring[0].run is segment.run
        self._keys_only = self._are_keys_enough()
        self._backlog.begin(ring if known else [], keys_only=self._keys_only)
        self._tell()

    def _change_rungs(self) -> None:
        self._rungs_changed = True
        if self._keys_only and self._renditions and not self._are_keys_enough():
            self._begin_anew(self.hub.segment)
        self._tell()

    def _are_keys_enough(self) -> bool:
        if self._backlog.is_overloaded or (self._segment is not None and self._segment.video.is_intra):
            return True
        gop_s, fastest = self.hub.measured.gop_s, 0.0
        for rung in self._renditions:
            if rung.fps is None:
                return False
            fastest = max(fastest, rung.fps)
        return gop_s is not None and bool(self._renditions) and fastest * gop_s <= MEASURED

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
        for rendition in self.renditions:
            for spectator in tuple(rendition.spectators):
                spectator.transcoder_changed(self)

    def _tell(self) -> None:
        self._wake.set()

    async def _news(self) -> None:
        await self._wake.wait()
        self._wake = trio.Event()


def opening(video: VideoFormat, rungs: Sequence[Rung]) -> PipelineOpen:
    """What a pipeline begins with for these rungs: the least that all of them need."""
    skip = all(video.width >= SHRINKS * rung.width for rung in rungs)
    reduce = 1
    if video.codec == MJPEG and not any(rung.mask for rung in rungs):  # a block is seen beside what hides a part
        fitting = [n for n in PARTS if all(_is_enough(video, n, rung) for rung in rungs)]
        reduce = max(fitting, default=1)
    return PipelineOpen(video.codec, video.configuration, video.full_range, skip, reduce)


def is_passed(video: VideoFormat, rung: Rung) -> bool:
    """Whether the camera's own JPEG is what the rung is."""
    if video.codec != MJPEG or rung.quality != QUALITIES[0] or rung.mask:
        return False
    shown = shown_size(video.width, video.height, video.pixel_aspect)
    return shown == (video.width, video.height) and rung.size == (shown[0] // 2 * 2, shown[1] // 2 * 2)


def _is_enough(video: VideoFormat, reduce: int, rung: Rung) -> bool:
    """Whether a picture of 1/n of its sides is not enlarged by the rung."""
    return -(-video.width // reduce) >= rung.width and -(-video.height // reduce) >= rung.height


def _on_the_wire(renditions: list[Rendition]) -> PipelineRungs:
    return PipelineRungs(
        [
            PipelineRung(rung.width, rung.height, rung.fps, rung.quality, rung.mask)
            for rung in (each.rung for each in renditions)
        ]
    )
