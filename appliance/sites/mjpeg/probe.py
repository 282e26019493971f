"""Looking at a camera that gives pictures over HTTP, without watching it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import trio

from appliance.sites.mjpeg.source import open_mjpeg
from appliance.sites.probe import PICTURE_WITHIN_S, PROBE_WITHIN_S, ProbeResult, probe_source
from appliance.sites.rtsp.connection import dial_tcp
from appliance.sites.rtsp.steps import Steps
from appliance.sites.source import SourceError, Trouble

if TYPE_CHECKING:
    from appliance.base.clock import Clock
    from appliance.media.units import VideoFormat
    from appliance.sites.rtsp.connection import CheckAddress, Dial
    from appliance.sites.rtsp.target import RtspTarget
    from appliance.sites.rtsp.tls import Trust


async def probe_mjpeg(
    target: RtspTarget,
    clock: Clock,
    *,
    check_address: CheckAddress | None = None,
    dial: Dial = dial_tcp,
    trust: Trust | None = None,
    within_s: float = PROBE_WITHIN_S,
) -> ProbeResult:
    """Ask step by step, look at the first pictures, and leave."""
    steps = Steps(trio.current_time)
    opener = partial(open_mjpeg, target, clock, check_address=check_address, dial=dial, trust=trust, steps=steps)
    return await probe_source(opener, steps, within_s=within_s)


async def look_at_mjpeg(
    target: RtspTarget,
    clock: Clock,
    *,
    check_address: CheckAddress | None = None,
    dial: Dial = dial_tcp,
    trust: Trust | None = None,
) -> VideoFormat | None:
    """What the camera sends, by one picture: nothing announces it.  Raises `SourceError`."""
    async with open_mjpeg(target, clock, check_address=check_address, dial=dial, trust=trust) as source:
        with trio.move_on_after(PICTURE_WITHIN_S):
            await source.receive()
            return source.video
    raise SourceError(Trouble.TIMEOUT, f"The camera gave no picture in {PICTURE_WITHIN_S:g} s.")
