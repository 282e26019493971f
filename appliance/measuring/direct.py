"""What a direct viewer takes: hub, fan-out, HTTPS and the viewer's own words, as when the appliance serves them."""

from __future__ import annotations

import tempfile
import time
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import trio

from appliance.base.clock import TICKS_PER_SECOND, SystemClock
from appliance.base.faults import Fault, Kind
from appliance.base.ids import new_id
from appliance.certs.contexts import open_tls_holder
from appliance.measuring.footage import FPS
from appliance.measuring.watching import Watchers
from appliance.media.adaptive import StreamMode
from appliance.media.ladder import NO_LIMIT, Limit
from appliance.media.masks import NO_MASK, Mask
from appliance.media.rate_control import LOOK_S
from appliance.serve.binding import Binds
from appliance.serve.connection import current_connection
from appliance.serve.frames import text_frame
from appliance.serve.outlet import Outlet
from appliance.serve.runner import serve
from appliance.sites.camera import Camera, StreamConfig
from appliance.sites.loop import Loop, LoopSource, LoopUnit
from appliance.sites.probe import ProbeResult, probe_source
from appliance.sites.rtsp.steps import Steps
from appliance.streams import messages
from appliance.streams.directory import open_directory
from appliance.streams.messages import Stats, Want
from appliance.streams.viewer import Viewer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from appliance.measuring.footage import Footage
    from appliance.media.units import AudioFormat, VideoFormat
    from appliance.serve.runner import Bound
    from appliance.sites.source import Opener
    from appliance.streams.directory import Directory

#: Enough that what the stream itself takes does not show; one address may open fifty at once.
VIEWERS: Final = 48
SETTLE_S, WINDOW_S = 1.0, 3.0
#: Of the pictures that are due, so many have to arrive, or it is not serving that was measured.
ARRIVED: Final = 0.9


class _Openers:
    """The footage as a camera, for the directory."""

    def __init__(self, film: Footage) -> None:
        tick = TICKS_PER_SECOND // FPS
        units = [LoopUnit(n * tick, tick, data, n == 0, is_audio=False) for n, data in enumerate(film.units)]
        self._loop = Loop(film.format, None, units, len(units) * tick)

    def opener(self, _stream: StreamConfig) -> Opener:
        @asynccontextmanager
        async def open_it() -> AsyncIterator[LoopSource]:
            await trio.lowlevel.checkpoint()
            yield LoopSource(self._loop, SystemClock())

        return open_it

    async def look(self, _stream: StreamConfig) -> tuple[VideoFormat | None, AudioFormat | None]:
        await trio.lowlevel.checkpoint()
        return self._loop.video, None

    async def probe(self, stream: StreamConfig, *, within_s: float) -> ProbeResult:
        return await probe_source(self.opener(stream), Steps(trio.current_time), within_s=within_s)


class _Policy:
    """Everything is allowed and nothing limited."""

    adaptive = direct = True
    mode: StreamMode = StreamMode.QUALITY
    may_hear = may_know = False
    mask: Mask = NO_MASK
    limit: Limit = NO_LIMIT
    level = 1


class _App:
    """A live view and nothing else."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        stream = StreamConfig(new_id(), 0, "demo:main")
        self._camera = Camera(new_id(), new_id(), "footage", 0, (stream,))
        self._viewers: set[Viewer] = set()

    async def look_at_networks(self) -> None:
        """As `appliance.streams.network.watch_networks` does."""
        while True:
            for viewer in self._viewers:
                viewer.look(trio.current_time())
            await trio.sleep(LOOK_S)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "websocket":
            return
        connection = current_connection.get()
        listener = _Listener()
        connection.take_messages(listener.hear, listener.close)
        await receive()
        await send({"type": "websocket.accept", "subprotocol": None, "headers": []})
        connection.prepare_for_media()
        outlet = Outlet(connection, missed=lambda seconds: text_frame(messages.dropped(seconds)))
        with Viewer(outlet, self._directory, self._camera, _Policy()) as viewer:
            listener.attend(viewer)
            self._viewers.add(viewer)
            try:
                await outlet.run()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return  # the client has gone: the measurement is over
            finally:
                self._viewers.discard(viewer)


class _Listener:
    """Hears a client as `appliance.web.live` does."""

    def __init__(self) -> None:
        self._viewer: Viewer | None = None
        self._early: list[str | bytes] = []

    def attend(self, viewer: Viewer) -> None:
        self._viewer = viewer
        for said in self._early:
            self.hear(said)

    def close(self) -> None:
        """The measurement hangs up when it is over."""

    def hear(self, said: str | bytes) -> None:
        if self._viewer is None:
            self._early.append(said)
            return
        message = messages.parse(said)
        if isinstance(message, Want):
            self._viewer.want(message)
        elif isinstance(message, Stats):
            self._viewer.hear(message)


async def measure(film: Footage) -> float:
    """Milliseconds of processor time for each second of a viewer.  Raises `Fault`.

    Of the thread that serves: that of the loop, which this is called in.
    """
    with tempfile.TemporaryDirectory(prefix="fanal-measure-") as folder:
        async with (
            open_tls_holder(Path(folder), SystemClock()) as tls,
            open_directory(_Openers(film), SystemClock()) as directory,
            trio.open_nursery() as nursery,
        ):
            binds = Binds(https=(("127.0.0.1", "auto"),))
            served = _App(directory)
            nursery.start_soon(served.look_at_networks)
            app: Any = served  # Hypercorn has a type for each message there is
            bound: Bound = await nursery.start(partial(serve, app, binds, tls=tls))
            authority = await tls.authority_pem()
            assert authority is not None  # made with the holder
            with Watchers(bound.https_ports[0], authority, VIEWERS) as watchers:
                await _until(watchers)
                await trio.sleep(SETTLE_S)
                began, before, arrived = trio.current_time(), time.thread_time(), watchers.bytes
                await trio.sleep(WINDOW_S)
                taken, seconds = time.thread_time() - before, trio.current_time() - began
                arrived = watchers.bytes - arrived
                _check(watchers, arrived, VIEWERS * seconds * sum(map(len, film.units)) * FPS / len(film.units))
            nursery.cancel_scope.cancel()
    return round(taken / seconds / VIEWERS * 1000, 3)


async def _until(watchers: Watchers) -> None:
    await trio.to_thread.run_sync(watchers.opened.wait, abandon_on_cancel=True)
    if watchers.failure is not None:
        raise _not_measured(str(watchers.failure))


def _check(watchers: Watchers, arrived: int, due: float) -> None:
    if watchers.failure is not None:
        raise _not_measured(str(watchers.failure))
    if not watchers.all_served or arrived < ARRIVED * due:
        raise _not_measured(f"{arrived / due:.0%} of what was sent arrived at {VIEWERS} viewers")


def _not_measured(why: str) -> Fault:
    return Fault(
        Kind.UNAVAILABLE,
        "not_measured",
        f"Direct viewers could not be measured: {why}.",
        "Try again on a quiet machine.",
    )
