"""Looking at a camera without watching it: the test of an address, and the cheap check whether it is there."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import trio

from appliance.sites.probe import PICTURE_WITHIN_S, PROBE_WITHIN_S, ProbeResult, probe_source
from appliance.sites.rtsp.connection import dial_tcp
from appliance.sites.rtsp.conversation import converse
from appliance.sites.rtsp.source import describe, establish
from appliance.sites.rtsp.steps import Steps

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from appliance.base.clock import Clock
    from appliance.media.units import AudioFormat, VideoFormat
    from appliance.sites.rtsp.connection import CheckAddress, Connection, Dial
    from appliance.sites.rtsp.source import RtspSource
    from appliance.sites.rtsp.target import RtspTarget
    from appliance.sites.rtsp.tls import Trust


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a camera says it would send.  ``video`` is None where its parameter sets come with the pictures."""

    video: VideoFormat | None
    audio: AudioFormat | None
    framerate: float | None
    notes: Sequence[str]
    oddities: Sequence[str]


async def probe_rtsp(
    target: RtspTarget,
    clock: Clock,
    *,
    check_address: CheckAddress | None = None,
    dial: Dial = dial_tcp,
    trust: Trust | None = None,
    picture_within_s: float = PICTURE_WITHIN_S,
    within_s: float = PROBE_WITHIN_S,
) -> ProbeResult:
    """Open the stream step by step, look at its first pictures, and leave."""
    steps = Steps(trio.current_time)
    title = ""

    @asynccontextmanager
    async def open_it() -> AsyncIterator[RtspSource]:
        nonlocal title
        source = await establish(target, clock, steps, audio=True, check_address=check_address, dial=dial, trust=trust)
        title = source.title
        try:
            yield source
        finally:
            await source.aclose()

    result = await probe_source(open_it, steps, picture_within_s=picture_within_s, within_s=within_s)
    return replace(result, title=title)


async def describe_rtsp(
    target: RtspTarget,
    *,
    check_address: CheckAddress | None = None,
    dial: Dial = dial_tcp,
    trust: Trust | None = None,
) -> Announcement:
    """Ask what the camera would send (DESCRIBE alone): the check of a camera nobody watches.  Raises `SourceError`."""

    async def go(connection: Connection) -> Announcement:
        plan = await describe(connection, steps, audio=True)
        await connection.aclose()
        return Announcement(
            plan.video.format,
            plan.audio.format if plan.audio else None,
            plan.video.media.framerate,
            plan.notes,
            sorted(connection.oddities.names),
        )

    steps = Steps(trio.current_time)
    return await converse(target, steps, go, check_address=check_address, dial=dial, trust=trust)
