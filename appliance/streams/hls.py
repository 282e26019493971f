"""HLS: a playlist of a camera stream for all players that ask for it, with sound or without.

It is opened by the first player and closed some seconds after the last one asked for anything.  Parts and segments are
the hub's fragments, put together once for all.
"""

from __future__ import annotations

from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, NamedTuple

import trio

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.hls import Playlist
from appliance.streams.beginning import PATIENCE_S, no_picture

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from appliance.base.clock import Clock
    from appliance.media.fmp4 import Fragment
    from appliance.media.units import AudioFormat, Run, VideoFormat
    from appliance.sites.cameras import Camera, StreamConfig
    from appliance.streams.directory import Directory
    from appliance.streams.hub import Hub

#: A playlist that nobody asked anything of for so long is closed; players ask several times within it.
IDLE_S = 20.0
#: Of sound that is announced, for the first of it.
SOUND_S = 2.0
#: A reload that waits for more is answered after so long with what there is: the player asks again, and rights that
#: were taken meanwhile count.
RELOAD_S = 4.0
#: Numbers of segments count half seconds from here, so that those of a playlist that is opened again are new.
_EPOCH_S = 1_577_836_800  # 2020


class Form(NamedTuple):
    """What has one init segment."""

    run: Run
    video: VideoFormat
    audio: AudioFormat | None


class HlsOutput:
    """One playlist.  ``sound``: with the sound that there is."""

    def __init__(self, hub: Hub, *, sound: bool, first: int) -> None:
        self.hub = hub
        self.sound = sound
        self.playlist = Playlist(first)
        self.used_at = trio.current_time()
        self._form: Form | None = None
        self._is_first_group = True
        self._waits_since: int | None = None  # for sound, before it begins anew: dts of the first picture without
        self._more = trio.Event()

    @property
    def form(self) -> Form | None:
        """What comes now."""
        return self._form

    def use(self) -> None:
        """Somebody asks."""
        self.used_at = trio.current_time()

    def begin(self) -> None:
        """With what the ring holds."""
        for fragment in self.hub.burst():
            self.take(fragment)

    def take(self, fragment: Fragment) -> None:
        """The hub's next fragment.

        Sound joins and leaves at an IDR picture, and the players begin anew.  Many cannot (tracks of Media Source
        Extensions are for good), so after a camera was lost its sound is waited for a moment.
        """
        segment = self.hub.segment
        if segment is None:
            return
        now = Form(segment.run, segment.video, segment.variant(audio=self.sound))
        if fragment.is_audio and self._waits_since is not None and now.audio is not None:
            self._waits_since = None
            self.begin()  # the ring has what came meanwhile, and this
            return
        if fragment.is_idr and not fragment.is_audio and now != self._form:
            if self._is_to_wait(now, fragment.dts):
                return
            self._form, self._is_first_group, self._waits_since = now, True, None
            self.playlist.begin(segment.init(audio=self.sound))
        elif fragment.is_idr and not fragment.is_audio:
            self._is_first_group = False
        form = self._form
        if form is None or fragment.run is not form.run or self._waits_since is not None:
            return
        if fragment.is_audio and (form.audio is None or form.audio != segment.audio):
            return
        if fragment.leading and self._is_first_group:
            return  # it refers to what no player has
        if self.playlist.push(fragment):
            self._more.set()
            self._more = trio.Event()

    def _is_to_wait(self, now: Form, dts: int) -> bool:
        """Whether sound is likely to join what begins now without."""
        before = self._form
        if before is None or before.audio is None or now.audio is not None or now.run is before.run:
            return False
        if self._waits_since is None:
            self._waits_since = dts
        return abs(dts - self._waits_since) < SOUND_S * TICKS_PER_SECOND

    async def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until it holds; False: it does not after so long."""
        with trio.move_on_after(seconds):
            while not condition():
                await self._more.wait()
        return condition()

    async def wait_unused(self) -> None:
        """Wait until nobody has asked for anything for a while."""
        while True:
            until = self.used_at + IDLE_S
            if until <= trio.current_time():
                return
            await trio.sleep_until(until)

    async def wait_ready(self, camera: str) -> None:
        """Wait for the first segment.  Raises `Fault`."""
        if not await self.wait(lambda: self.playlist.is_ready, PATIENCE_S):
            raise no_picture(self.hub.state.value.reason, camera)


class HlsOutputs:
    """See `open_hls`."""

    def __init__(self, nursery: trio.Nursery, directory: Directory, clock: Clock) -> None:
        self._nursery = nursery
        self._directory = directory
        self._clock = clock
        self._outputs: dict[tuple[str, bool], HlsOutput] = {}

    def __len__(self) -> int:
        return len(self._outputs)

    def find(self, stream: StreamConfig, *, sound: bool) -> HlsOutput | None:
        """The playlist of a stream if it is open."""
        output = self._outputs.get((stream.id, sound))
        if output is not None:
            output.use()
        return output

    async def open(self, camera: Camera, stream: StreamConfig, *, sound: bool) -> HlsOutput:
        """The playlist of a stream, opened now if it was not."""
        output = self.find(stream, sound=sound)
        if output is None:
            output = await self._nursery.start(self._serve, camera, stream, sound)
        return output

    async def _serve(
        self, camera: Camera, stream: StreamConfig, sound: bool, task_status: trio.TaskStatus[HlsOutput]
    ) -> None:
        key = (stream.id, sound)
        if (output := self.find(stream, sound=sound)) is not None:  # somebody was as fast
            task_status.started(output)
            return
        first = (self._clock.utc_90k() // TICKS_PER_SECOND - _EPOCH_S) * 2
        with self._directory.lease(camera, stream) as hub, hub.hearing() if sound else nullcontext():
            output = self._outputs[key] = HlsOutput(hub, sound=sound, first=first)
            task_status.started(output)
            try:
                if sound and hub.announced_audio is not None:  # what began without it would begin anew with it
                    with trio.move_on_after(SOUND_S):
                        await hub.wait_beginning(audio=True)
                with hub.tapped(output.take, sound=True):
                    output.begin()
                    await output.wait_unused()
            finally:
                del self._outputs[key]


@asynccontextmanager
async def open_hls(directory: Directory, clock: Clock) -> AsyncIterator[HlsOutputs]:
    """Playlists that live at most as long as the block."""
    async with trio.open_nursery() as nursery:
        yield HlsOutputs(nursery, directory, clock)
        nursery.cancel_scope.cancel()
