"""Looking at a camera without watching it: the test of an address, and the cheap check whether it is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import trio

from appliance.media.units import AccessUnit
from appliance.sites.rtsp.connection import dial_tcp
from appliance.sites.rtsp.conversation import converse
from appliance.sites.rtsp.source import describe, establish
from appliance.sites.rtsp.steps import Step, Steps
from appliance.sites.rtsp.tls import Untrusted
from appliance.sites.source import SourceError, Trouble

if TYPE_CHECKING:
    from collections.abc import Sequence

    from appliance.base.clock import Clock
    from appliance.media.units import AudioFormat, VideoFormat
    from appliance.sites.rtsp.connection import CheckAddress, Connection, Dial
    from appliance.sites.rtsp.target import RtspTarget
    from appliance.sites.rtsp.tls import Trust
    from appliance.sites.source import Opener, Source

#: Longer than the longest interval between key frames that anybody sets up on purpose.
PICTURE_WITHIN_S = 15.0


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """How far it went.  ``error`` is that of the step that failed, None if all went well."""

    steps: Sequence[Step]
    video: VideoFormat | None
    audio: AudioFormat | None
    notes: Sequence[str]
    oddities: Sequence[str]
    error: SourceError | None

    @property
    def fingerprint(self) -> str | None:
        """Of the certificate that was not believed, where that is the error: 64 hexadecimal digits."""
        cause = self.error.__cause__ if self.error is not None else None
        return cause.fingerprint if isinstance(cause, Untrusted) else None


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
) -> ProbeResult:
    """Open the stream step by step, wait for the first picture that can be decoded, and leave."""
    steps = Steps(trio.current_time)
    try:
        source = await establish(target, clock, steps, audio=True, check_address=check_address, dial=dial, trust=trust)
    except SourceError as error:
        steps.end(str(error), ok=False)
        return ProbeResult(steps.done, None, None, (), (), error)
    failure: SourceError | None = None
    try:
        steps.begin("picture")
        steps.end(await _first_picture(source, picture_within_s))
    except SourceError as error:
        steps.end(str(error), ok=False)
        failure = error
    finally:
        await source.aclose()
    oddities = sorted(source.statistics.oddities)
    return ProbeResult(steps.done, source.video, source.audio, source.notes, oddities, failure)


async def probe_opener(name: str, opener: Opener, *, picture_within_s: float = PICTURE_WITHIN_S) -> ProbeResult:
    """The same for what is no camera on a network: it is opened, as the step ``name``, and gives a picture."""
    steps = Steps(trio.current_time)
    steps.begin(name)
    try:
        async with opener() as source:
            steps.end()
            steps.begin("picture")
            steps.end(await _first_picture(source, picture_within_s))
            return ProbeResult(steps.done, source.video, source.audio, source.notes, (), None)
    except SourceError as error:
        steps.end(str(error), ok=False)
        return ProbeResult(steps.done, None, None, (), (), error)


async def _first_picture(source: Source, within_s: float) -> str:
    """Wait for it and say what it is.  Raises `SourceError`."""
    with trio.move_on_after(within_s):
        while True:
            for unit in await source.receive():
                if isinstance(unit, AccessUnit):
                    return f"{unit.format.width}x{unit.format.height}, {unit.format.codec_string}"
    raise SourceError(
        Trouble.TIMEOUT,
        f"Packets come, but no key frame in {within_s:g} s.",
        "Set a shorter key frame interval in the camera, one or two seconds.",
    )


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
