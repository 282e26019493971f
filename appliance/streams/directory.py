"""The directory of hubs: opens one for the first who wants a stream, closes it some seconds after the last.

It also knows how each camera is: from its hubs while there are any, else from a look once a minute.
"""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import trio

from appliance.base.watch import Broadcast
from appliance.sites.source import SourceError, Trouble
from appliance.streams.hub import Hub, StreamState
from appliance.streams.meter import Measured
from appliance.streams.sound import SoundTranscoder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from appliance.base.clock import Clock
    from appliance.media.units import AudioFormat, VideoFormat
    from appliance.sites.cameras import Camera, StreamConfig
    from appliance.sites.probe import ProbeResult
    from appliance.sites.source import Opener
    from appliance.workers.crew import Crew

log = logging.getLogger(__name__)

#: A hub outlives its last user by so much: after a reload, or a tile to full screen and back, it is found warm.
LINGER_S = 10.0
#: A camera that nobody watches is looked at this often (design §5.1).
LOOK_S = 60.0
#: So many cameras are looked at at once, at a start with hundreds.
LOOKS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What is known of a stream, as last seen; all None before."""

    video: VideoFormat | None = None
    audio: AudioFormat | None = None
    measured: Measured = field(default_factory=Measured)


@dataclass(frozen=True, slots=True)
class CameraState:
    """How a camera is, for lists and events."""

    camera_id: str
    state: str
    reason: str | None
    message: str
    since: int


class Openers(Protocol):
    """Where sources come from (`appliance.sites.opening`)."""

    def opener(self, stream: StreamConfig) -> Opener: ...

    async def look(self, stream: StreamConfig) -> tuple[VideoFormat | None, AudioFormat | None]:
        """Whether the stream is there and what it announces, without playing it.  Raises `SourceError`."""
        ...

    async def probe(self, stream: StreamConfig, *, within_s: float) -> ProbeResult:
        """Open the stream step by step and look at its first pictures."""
        ...


@dataclass(eq=False)
class _Entry:
    """An open hub and how many use it."""

    hub: Hub
    stream: StreamConfig
    scope: trio.CancelScope
    users: int = 0
    idle: trio.Event = field(default_factory=trio.Event)


class Directory:
    """See `open_directory`."""

    def __init__(self, nursery: trio.Nursery, openers: Openers, clock: Clock, crew: Crew | None) -> None:
        self._nursery = nursery
        self._crew = crew
        self._openers = openers
        self._clock = clock
        self._entries: dict[str, _Entry] = {}  # by stream id
        self._facts: dict[str, StreamFacts] = {}
        self._looked: dict[str, VideoFormat] = {}  # what each stream announced, when it was looked at
        self._states: dict[str, CameraState] = {}
        self._looks: dict[str, trio.CancelScope] = {}  # by camera id
        self._look_limit = trio.CapacityLimiter(LOOKS_AT_ONCE)
        self.changes: Broadcast[CameraState] = Broadcast()

    @contextmanager
    def lease(self, camera: Camera, stream: StreamConfig) -> Iterator[Hub]:
        """The hub of a stream; opened now if it was not."""
        entry = self._entries.get(stream.id) or self._open(camera, stream)
        entry.users += 1
        try:
            yield entry.hub
        finally:
            entry.users -= 1
            if entry.users == 0:
                entry.idle.set()

    def hub(self, stream_id: str) -> Hub | None:
        """The hub of a stream if it is open, for those who only look."""
        entry = self._entries.get(stream_id)
        return None if entry is None else entry.hub

    @property
    def hubs(self) -> list[Hub]:
        return [entry.hub for entry in self._entries.values()]

    def facts(self, stream_id: str) -> StreamFacts:
        """What is known of a stream, measured now if it is open."""
        entry = self._entries.get(stream_id)
        if entry is not None:
            self._learn(stream_id, entry.hub)
        known = self._facts.get(stream_id, StreamFacts())
        return known if entry is None else replace(known, measured=entry.hub.measured)

    def state(self, camera_id: str) -> CameraState:
        return self._states.get(camera_id) or CameraState(camera_id, "unknown", None, "", self._clock.utc_90k())

    async def look(self, camera: Camera) -> CameraState:
        """Look at a camera now; one that is watched is known anyway."""
        async with self._look_limit:
            await self._look(camera)
        return self.state(camera.id)

    def camera_added(self, camera: Camera) -> None:
        """Look after a camera from now on."""
        if camera.id not in self._looks:
            self._looks[camera.id] = trio.CancelScope()
            self._nursery.start_soon(self._look_after, camera, self._looks[camera.id])

    def camera_changed(self, camera: Camera) -> None:
        """Its configuration changed: open hubs go on with the new one, or end with their stream."""
        streams = {stream.id: stream for stream in camera.streams}
        for stream_id, entry in list(self._entries.items()):
            if entry.hub.camera_id != camera.id:
                continue
            if stream_id not in streams:
                self._close(stream_id)
            elif streams[stream_id] != entry.stream:
                entry.stream = streams[stream_id]
                entry.hub.reopen(self._openers.opener(entry.stream))
        self._looks.pop(camera.id, trio.CancelScope()).cancel()
        self.camera_added(camera)

    def camera_removed(self, camera_id: str) -> None:
        for stream_id, entry in list(self._entries.items()):
            if entry.hub.camera_id == camera_id:
                self._close(stream_id)
        self._looks.pop(camera_id, trio.CancelScope()).cancel()
        self._states.pop(camera_id, None)

    def retry_now(self, camera_id: str) -> None:
        """Try a lost camera at once."""
        for entry in self._entries.values():
            if entry.hub.camera_id == camera_id:
                entry.hub.retry_now()

    def _open(self, camera: Camera, stream: StreamConfig) -> _Entry:
        hub = Hub(camera.id, f"camera {camera.name} ({stream.name})", self._openers.opener(stream), self._clock)
        entry = self._entries[stream.id] = _Entry(hub, stream, trio.CancelScope())
        self._nursery.start_soon(self._run, stream.id, entry)
        return entry

    def _close(self, stream_id: str) -> None:
        self._entries.pop(stream_id).scope.cancel()

    async def _run(self, stream_id: str, entry: _Entry) -> None:
        with entry.scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(entry.hub.run)
                if self._crew is not None:
                    nursery.start_soon(SoundTranscoder(entry.hub, self._crew).run)
                nursery.start_soon(self._follow, stream_id, entry)
                await self._until_unused(entry)
                self._learn(stream_id, entry.hub)
                # Out of the directory before anything awaits: closing takes a moment, and the next user gets a new one.
                self._entries.pop(stream_id, None)
                nursery.cancel_scope.cancel()

    async def _until_unused(self, entry: _Entry) -> None:
        while True:
            await entry.idle.wait()
            entry.idle = trio.Event()
            with trio.move_on_after(LINGER_S):
                await entry.idle.wait()  # used and left again meanwhile: linger anew
                entry.idle.set()
                continue
            if entry.users == 0:
                return

    async def _follow(self, stream_id: str, entry: _Entry) -> None:
        """Keep the facts and the camera's state in step with the hub."""
        hub = entry.hub
        while True:
            self._learn(stream_id, hub)
            self._judge(hub.camera_id, hub.state.value)
            await hub.state.wait_change()
            await trio.lowlevel.checkpoint()

    def _learn(self, stream_id: str, hub: Hub) -> None:
        """What the hub sees now; of sound, what the camera announces: it may not have come yet, or be made here."""
        segment = hub.segment
        if segment is not None:
            audio = hub.announced_audio or segment.audio
            self._facts[stream_id] = StreamFacts(segment.video, audio, hub.measured)

    def _take_announcement(self, stream_id: str, video: VideoFormat, audio: AudioFormat | None) -> None:
        """What came from a stream counts more than what it announces, until it announces something else."""
        before, self._looked[stream_id] = self._looked.get(stream_id, video), video
        if before == video:
            self._facts.setdefault(stream_id, StreamFacts(video, audio))
        else:
            self._facts[stream_id] = StreamFacts(video, audio)

    def _watched(self, camera_id: str) -> bool:
        return any(entry.hub.camera_id == camera_id for entry in self._entries.values())

    def _judge(self, camera_id: str, latest: StreamState) -> None:
        """A camera is as its best open stream is."""
        states = [entry.hub.state.value for entry in self._entries.values() if entry.hub.camera_id == camera_id]
        order = ("ok", "waiting", "lost", "unknown")
        best = min(states or [latest], key=lambda state: order.index(state.state))
        if best.reason == Trouble.CONNECTING and self.state(camera_id).state == "ok":
            return  # the first viewer of a camera that was well: no news yet
        self._put(CameraState(camera_id, best.state, best.reason, best.message, best.since))

    def _put(self, new: CameraState) -> None:
        old = self._states.get(new.camera_id)
        if old is None or (old.state, old.reason) != (new.state, new.reason):
            self._states[new.camera_id] = new
            self.changes.publish(new)

    async def _look_after(self, camera: Camera, scope: trio.CancelScope) -> None:
        """Once a minute, while nobody watches: is it there, and what does it announce?"""
        with scope:
            while True:
                async with self._look_limit:
                    await self._look(camera)
                await trio.sleep(LOOK_S)

    async def _look(self, camera: Camera) -> None:
        state, reason, message = "ok", None, ""
        watched = self._watched(camera.id)
        for stream in camera.streams:
            if stream.id in self._entries or (watched and stream.id in self._facts):
                continue
            try:
                video, audio = await self._openers.look(stream)
            except SourceError as error:
                state, reason, message = "lost", str(error.trouble), str(error)
            except Exception:
                log.exception("camera %s: looking at it failed", camera.name)
                state, reason, message = "lost", str(Trouble.CAMERA_LOST), "An internal error; see the log."
            else:
                if video is not None:
                    self._take_announcement(stream.id, video, audio)
        if watched or self._watched(camera.id):
            return  # its hub knows better
        before = self.state(camera.id)
        if state == "lost" and (before.state, before.reason) != (state, reason):
            log.warning("camera %s: %s", camera.name, message)
        elif state == "ok" and before.state == "lost":
            log.info("camera %s: it answers again", camera.name)
        self._put(CameraState(camera.id, state, reason, message, self._clock.utc_90k()))


@asynccontextmanager
async def open_directory(openers: Openers, clock: Clock, crew: Crew | None = None) -> AsyncIterator[Directory]:
    """A directory whose hubs live at most as long as the block.  ``crew``: who makes the sound that players take of
    what they do not; without it, that is not heard."""
    async with trio.open_nursery() as nursery:
        yield Directory(nursery, openers, clock, crew)
        nursery.cancel_scope.cancel()
