"""One hub a camera stream: one pull, one mux, for however many viewers.

The hub's task opens the source, makes each unit a fragment once, keeps the current group of pictures, and offers the
fragments to its outlets.  When the source fails it says why and tries again; its viewers stay.
"""

from __future__ import annotations

import logging
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import trio

from appliance.base.beat import rest
from appliance.base.secrets import redact
from appliance.base.watch import Watched
from appliance.media.fmp4 import Muxer, init_segment, mime_type
from appliance.media.ring import GopRing
from appliance.media.units import AccessUnit
from appliance.serve.fanout import Fanout
from appliance.serve.frames import frame_header
from appliance.sites.source import SourceError, Trouble
from appliance.streams.meter import Measured, Meter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from appliance.base.clock import Clock
    from appliance.media.fmp4 import Fragment
    from appliance.media.units import AudioFormat, AudioUnit, Run, Unit, VideoFormat
    from appliance.sites.source import Opener, Source, SourceStatistics

log = logging.getLogger(__name__)

#: Without a picture for so long a stream is `waiting`, and says so.
WAITING_S = 2.0
#: Without a picture for so long, and not ended as a source without packets is: it waits for a key frame.
KEYLESS_S = 5.0
#: Sound that is silent on the wire for so long is taken out: a browser would wait for it for ever.
SILENT_S = 2.0
#: How soon a failed source is tried again.  A wrong password is not repeated every second: cameras lock accounts.
RETRY_S = {Trouble.BAD_CREDENTIALS: 60.0, Trouble.UNSUPPORTED_CODEC: 30.0, Trouble.NOT_FOUND: 10.0}
RETRY_DEFAULT_S = 1.0
#: Pieces of sound made here that wait to be taken; the source's next unit takes them all.
MADE_LIMIT = 256


@dataclass(frozen=True, slots=True)
class StreamState:
    """How a stream is: ``state`` is unknown, waiting, ok or lost; ``reason`` a word of the live protocol."""

    state: str = "unknown"
    reason: str | None = None
    message: str = ""  # in English, for administrators and the log
    since: int = 0  # ticks


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """A stretch of a stream with one init segment in each variant."""

    video: VideoFormat
    audio: AudioFormat | None  # None: no sound in this stretch, or none yet
    run: Run

    def variant(self, *, audio: bool) -> AudioFormat | None:
        """The sound of the variant with (or without) sound."""
        return self.audio if audio else None

    def mime(self, *, audio: bool) -> str:
        return mime_type(self.video, self.variant(audio=audio))

    def init(self, *, audio: bool) -> bytes:
        return init_segment(self.video, self.variant(audio=audio))


class Subscriber(Protocol):
    """Who listens to a hub.  Called from the hub's task: neither may block."""

    def may_begin(self, hub: Hub) -> None:
        """With the burst and what follows it a client can begin now: a segment begins, sound joined or left, or the
        group of pictures that was too long to keep has ended."""
        ...

    def state_changed(self, hub: Hub) -> None: ...


class Hub:
    """See the module.  `run` is its task; everything else is for viewers."""

    def __init__(self, camera_id: str, name: str, opener: Opener, clock: Clock) -> None:
        self.camera_id = camera_id
        self.name = name  # for the log
        self.state = Watched(StreamState("waiting", str(Trouble.CONNECTING), "Connecting.", clock.utc_90k()))
        self.segment: Segment | None = None
        self.ring = GopRing()
        self.fanout = Fanout()
        self.sound_fanout = Fanout()  # of the sound alone, for who is sent JPEG pictures
        self.notes: tuple[str, ...] = ()
        self.announced_audio: AudioFormat | None = None
        self.made_sound: deque[AudioUnit] = deque(maxlen=MADE_LIMIT)  # of what players do not take as it is
        self.hearers = 0
        self.sound_worker: int | None = None  # the process that makes it
        self.source_statistics: SourceStatistics | None = None
        self.pictures = 0
        self.reconnects = -1
        self._opener = opener
        self._clock = clock
        self._meter = Meter()
        self._subscribers: dict[Subscriber, int] = {}  # how often each
        self._taps: dict[Callable[[Fragment], None], bool] = {}  # whether sound too
        self._ear: Callable[[AudioUnit], None] | None = None
        self._heard = trio.Event()
        self._muxer = Muxer(frame_header)
        self._picture_at = self._sound_at = 0.0
        self._try_now = trio.Event()
        self._pulling = trio.CancelScope()

    @property
    def measured(self) -> Measured:
        return self._meter.read()

    @contextmanager
    def subscription(self, subscriber: Subscriber) -> Iterator[None]:
        """Hear of beginnings and states: once of each, also where there are two ways into this stream for a moment."""
        self._subscribers[subscriber] = self._subscribers.get(subscriber, 0) + 1
        try:
            yield
        finally:
            self._subscribers[subscriber] -= 1
            if not self._subscribers[subscriber]:
                del self._subscribers[subscriber]

    @contextmanager
    def tapped(self, tap: Callable[[Fragment], None], *, sound: bool = False) -> Iterator[None]:
        """Have ``tap`` called with each picture's fragment, once the ring has it.  It may not block."""
        self._taps[tap] = sound
        try:
            yield
        finally:
            del self._taps[tap]

    @contextmanager
    def hearing(self) -> Iterator[None]:
        """Want to hear it: sound that players do not take as it is is made into AAC for as long as anybody does."""
        self.hearers += 1
        self._heard.set()
        try:
            yield
        finally:
            self.hearers -= 1
            if not self.hearers:
                self._heard = trio.Event()

    async def wait_heard(self) -> None:
        """Wait until anybody wants to hear it."""
        await self._heard.wait()

    @contextmanager
    def ear(self, ear: Callable[[AudioUnit], None]) -> Iterator[None]:
        """Have ``ear`` called with each piece of such sound; what is made of it goes into ``made_sound``."""
        self._ear = ear
        try:
            yield
        finally:
            self._ear = None

    def burst(self) -> list[Fragment]:
        """Everything since the last IDR picture."""
        return list(self.ring.fragments)

    async def wait_beginning(self, *, audio: bool = False) -> Segment:
        """Wait until a client can begin, with sound if ``audio``."""
        while True:
            segment = self.segment
            if segment is not None and self.ring.fragments and (segment.audio is not None or not audio):
                return segment
            beginning = _Beginning()
            with self.subscription(beginning):
                await beginning.event.wait()
            await trio.lowlevel.checkpoint()  # the fragment that it was told for comes in the same step

    def retry_now(self) -> None:
        """Do not wait for the next attempt."""
        self._try_now.set()

    def reopen(self, opener: Opener) -> None:
        """The camera was configured anew: leave what is open and go on with this.  Viewers stay."""
        self._opener = opener
        self._pulling.cancel()
        self._try_now.set()

    async def run(self) -> None:
        """Pull the source for as long as the hub lives; never raises for what a source does."""
        while True:
            self.reconnects += 1
            self._say("waiting", Trouble.CONNECTING, "Connecting.", keep_lost=True)
            retry = 0.0
            try:
                with trio.CancelScope() as self._pulling:
                    await self._pull()
            except* SourceError as group:
                error = _first(group)
                self._say("lost", error.trouble, redact(str(error)))
                retry = RETRY_S.get(error.trouble, RETRY_DEFAULT_S)
            except* Exception as group:
                log.exception("%s: the source failed", self.name, exc_info=group)
                self._say("lost", Trouble.CAMERA_LOST, "An internal error ended the connection; see the log.")
                retry = 10.0
            self.ring.clear()
            self.segment = None
            self.made_sound.clear()
            self.source_statistics = None
            self._meter.reset()
            with trio.move_on_after(retry):
                await self._try_now.wait()
            self._try_now = trio.Event()

    async def _pull(self) -> None:
        async with self._opener() as source, trio.open_nursery() as nursery:
            self.source_statistics = source.statistics
            self._note(source)
            self._picture_at = trio.current_time()
            nursery.start_soon(self._watch)
            while True:
                for unit in await source.receive():
                    await self._take(unit)

    async def _watch(self) -> None:
        """Notice silence: of pictures (the state says so), of sound (it leaves the stream)."""
        while True:
            await rest(self._loud_s())
            now = trio.current_time()
            quiet, statistics = now - self._picture_at, self.source_statistics
            if quiet > KEYLESS_S and statistics is not None and statistics.packets_received:
                self._say("waiting", Trouble.LONG_GOP, "The camera is connected and sends no key frame.")
            elif quiet > WAITING_S and self.state.value.state == "ok":
                self._say("waiting", None, "The camera is connected and sends no picture.")
            segment = self.segment
            if segment is not None and segment.audio is not None and now - self._sound_at > SILENT_S:
                self._change_segment(replace(segment, audio=None))

    def _loud_s(self) -> float:
        """How long it takes at least until there may be silence to notice; 0: there is some already."""
        now = trio.current_time()
        loud_s = WAITING_S - (now - self._picture_at)
        if loud_s > 0 and self.segment is not None and self.segment.audio is not None:
            loud_s = min(loud_s, SILENT_S - (now - self._sound_at))
        return max(0.0, loud_s)

    async def _take(self, unit: Unit) -> None:
        while self.made_sound:  # in this task, so that nobody begins between a unit and the offer of it
            made = self.made_sound.popleft()
            if self.segment is not None and made.run is self.segment.run:
                await self._take_sound(made)
        if isinstance(unit, AccessUnit):
            await self._take_picture(unit)
        elif self.segment is None or unit.run is not self.segment.run:
            return
        elif unit.format.is_played:
            await self._take_sound(unit)
        elif self._ear is not None:
            self._ear(unit)

    async def _take_picture(self, unit: AccessUnit) -> None:
        segment = self.segment
        if segment is None or unit.run is not segment.run or _differ(unit.format, segment.video):
            if not unit.is_idr:
                return  # nobody could decode it: the new stretch begins with the next IDR picture
            self._say("ok", None, "")
            self.ring.clear()
            kept = None if segment is None or unit.run is not segment.run else segment.audio
            self._change_segment(Segment(unit.format, kept, unit.run))
        self._say("ok", None, "")
        self._picture_at = trio.current_time()
        self.pictures += 1
        self._meter.picture(unit)
        fragment = self._muxer.video(unit)
        if unit.is_idr and self.ring.overflowed:
            self.ring.clear()
            self._tell_may_begin()
        self.ring.push(fragment)
        for tap in tuple(self._taps):
            tap(fragment)
        await self.fanout.publish(fragment)

    async def _take_sound(self, unit: AudioUnit) -> None:
        self._sound_at = trio.current_time()
        assert self.segment is not None
        if self.segment.audio != unit.format:
            self._change_segment(replace(self.segment, audio=unit.format))
        fragment = self._muxer.audio(unit)
        self.ring.push(fragment)
        for tap, sound in tuple(self._taps.items()):
            if sound:
                tap(fragment)
        await self.fanout.publish(fragment)
        if len(self.sound_fanout):
            await self.sound_fanout.publish(fragment)

    def _change_segment(self, segment: Segment) -> None:
        self.segment = segment
        self._tell_may_begin()

    def _tell_may_begin(self) -> None:
        for subscriber in tuple(self._subscribers):
            subscriber.may_begin(self)

    def _say(self, state: str, reason: Trouble | None, message: str, *, keep_lost: bool = False) -> None:
        before = self.state.value
        if keep_lost and before.state == "lost":
            return  # a new attempt is no news; its outcome is
        if (before.state, before.reason, before.message) == (state, reason, message):
            return
        if state == "lost" and before.state != "lost":
            log.warning("%s: %s", self.name, message)
        elif state == "ok" and before.state == "lost":
            log.info("%s: picture again", self.name)
        self.state.set(StreamState(state, None if reason is None else str(reason), message, self._clock.utc_90k()))
        for subscriber in tuple(self._subscribers):
            subscriber.state_changed(self)

    def _note(self, source: Source) -> None:
        self.notes = tuple(source.notes)
        self.announced_audio = source.audio
        for note in self.notes:
            log.info("%s: %s", self.name, note)


class _Beginning:
    """A subscriber that waits."""

    def __init__(self) -> None:
        self.event = trio.Event()

    def may_begin(self, _hub: Hub) -> None:
        self.event.set()

    def state_changed(self, _hub: Hub) -> None:
        pass


def _differ(one: VideoFormat, other: VideoFormat) -> bool:
    return one is not other and one != other  # nearly always the same object


def _first(group: BaseExceptionGroup[SourceError]) -> SourceError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, SourceError)
    return error
