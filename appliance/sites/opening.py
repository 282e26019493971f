"""From a configured stream to an open source: which protocol an address means."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, TypedDict

import trio

from appliance.base.faults import Fault
from appliance.sites.addresses import FILE_SCHEME
from appliance.sites.cameras import DEMO_SCHEME, refuse_address
from appliance.sites.file import open_file
from appliance.sites.mjpeg.probe import look_at_mjpeg, probe_mjpeg
from appliance.sites.mjpeg.source import open_mjpeg
from appliance.sites.names import Names
from appliance.sites.probe import PROBE_WITHIN_S, probe_source
from appliance.sites.rtsp.connection import dial_tcp
from appliance.sites.rtsp.probe import describe_rtsp, probe_rtsp
from appliance.sites.rtsp.source import open_rtsp
from appliance.sites.rtsp.steps import Steps
from appliance.sites.rtsp.target import RtspTarget
from appliance.sites.rtsp.tls import Trust
from appliance.sites.rtsp.urls import is_http
from appliance.sites.source import SourceError, Trouble

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from appliance.base.clock import Clock
    from appliance.media.units import AudioFormat, VideoFormat
    from appliance.sites.cameras import StreamConfig
    from appliance.sites.demo import DemoCamera
    from appliance.sites.polling import Poller
    from appliance.sites.probe import ProbeResult
    from appliance.sites.rtsp.connection import CheckAddress, Dial
    from appliance.sites.source import Opener, Source


class _How(TypedDict):
    """What is the same for every connection to a camera."""

    check_address: CheckAddress
    dial: Dial
    trust: Trust


class Sources:
    """Opens and looks at streams of every kind there is."""

    def __init__(
        self, clock: Clock, demo: DemoCamera, poller: Poller | None = None, names: Names | None = None
    ) -> None:
        self._clock = clock
        self._demo = demo
        self._poller = poller
        dial = partial(dial_tcp, names=names or Names())
        self._how: _How = {"check_address": refuse_address, "dial": dial, "trust": Trust()}

    def opener(self, stream: StreamConfig) -> Opener:
        """What opens this stream, each time anew."""

        @asynccontextmanager
        async def open_it() -> AsyncIterator[Source]:
            if stream.url.startswith(DEMO_SCHEME):
                try:
                    async with self._demo.open(stream.url.removeprefix(DEMO_SCHEME)) as source:
                        yield source
                except Fault as fault:
                    raise SourceError(Trouble.CAMERA_LOST, fault.message, fault.hint) from fault
            elif stream.url.startswith(FILE_SCHEME):
                async with open_file(stream.url, self._clock) as movie:
                    yield movie
            elif is_http(stream.url):
                async with open_mjpeg(_target(stream), self._clock, **self._how) as pictures:
                    yield pictures
            else:
                async with open_rtsp(_target(stream), self._clock, poller=self._poller, **self._how) as camera:
                    yield camera

        return open_it

    async def look(self, stream: StreamConfig) -> tuple[VideoFormat | None, AudioFormat | None]:
        """What the stream announces, without playing it.  Raises `SourceError`."""
        if stream.url.startswith((DEMO_SCHEME, FILE_SCHEME)):
            async with self.opener(stream)() as source:
                return source.video, source.audio
        target = _target(stream)
        if is_http(stream.url):
            return await look_at_mjpeg(target, self._clock, **self._how), None
        seen = await describe_rtsp(target, **self._how)
        return seen.video, seen.audio

    async def probe(self, stream: StreamConfig, *, within_s: float = PROBE_WITHIN_S) -> ProbeResult:
        """Open the stream step by step and look at its first pictures."""
        if stream.url.startswith((DEMO_SCHEME, FILE_SCHEME)):
            return await probe_source(self.opener(stream), Steps(trio.current_time), opening="open", within_s=within_s)
        probe = probe_mjpeg if is_http(stream.url) else probe_rtsp
        return await probe(_target(stream), self._clock, within_s=within_s, **self._how)


def _target(stream: StreamConfig) -> RtspTarget:
    return RtspTarget.from_url(stream.url, stream.username, stream.password)
