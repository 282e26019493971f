"""Looking at a source for a moment: does a picture come, what is it, how often do others follow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import trio

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.units import AccessUnit
from appliance.sites.rtsp.tls import Untrusted
from appliance.sites.source import SourceError, Trouble

if TYPE_CHECKING:
    from collections.abc import Sequence

    from appliance.media.units import AudioFormat, VideoFormat
    from appliance.sites.rtsp.steps import Step, Steps
    from appliance.sites.source import Opener, Source

#: Longer than the longest interval between key frames that anybody sets up on purpose.
PICTURE_WITHIN_S = 15.0
#: All of it: somebody sits before the screen and waits.
PROBE_WITHIN_S = 16.0
#: So long the pictures after the first are counted, or up to the next key frame.
MEASURE_S = 2.0
#: A rate out of fewer pictures says little.
FEWEST_PICTURES = 3


@dataclass(frozen=True, slots=True)
class Measured:
    """What the pictures showed.  ``gop_s``: from one key frame to the next; None where none came in `MEASURE_S`."""

    key_picture: AccessUnit | None = None
    fps: float | None = None
    kbps: float | None = None
    gop_s: float | None = None


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """How far it went.  ``error`` is that of the step that failed, None if all went well.

    ``title``: what the camera calls itself, or the stream, in words of its own; "" if it does not say.
    """

    steps: Sequence[Step]
    video: VideoFormat | None = None
    audio: AudioFormat | None = None
    notes: Sequence[str] = ()
    oddities: Sequence[str] = ()
    error: SourceError | None = None
    title: str = ""
    measured: Measured = Measured()

    @property
    def fingerprint(self) -> str | None:
        """Of the certificate that was not believed, where that is the error: 64 hexadecimal digits."""
        cause = self.error.__cause__ if self.error is not None else None
        return cause.fingerprint if isinstance(cause, Untrusted) else None


@dataclass(eq=False, slots=True)
class _Look:
    """What is seen, kept outside of whatever is cut short."""

    source: Source | None = None
    units: list[AccessUnit] = field(default_factory=list)  # from the first key frame on
    next_key: AccessUnit | None = None

    def take(self, unit: AccessUnit) -> None:
        if self.units or unit.is_idr:
            if self.units and unit.is_idr and not unit.format.is_intra:
                self.next_key = self.next_key or unit
            self.units.append(unit)

    def measured(self) -> Measured:
        """Rates count up to the next key frame if there is one: whole groups of pictures, large ones and small."""
        if not self.units:
            return Measured()
        first, last = self.units[0], self.next_key or max(self.units, key=lambda unit: unit.dts)
        span_s = (last.dts - first.dts) / TICKS_PER_SECOND
        before = [unit for unit in self.units if unit.dts < last.dts]
        if span_s <= 0 or last.run is not first.run or len(before) < FEWEST_PICTURES:
            return Measured(first)
        size = sum(len(unit.data) for unit in before)
        fps, kbps = len(before) / span_s, size * 8 / 1000 / span_s
        return Measured(first, round(fps, 2), round(kbps), round(span_s, 2) if last is self.next_key else None)


async def probe_source(
    opener: Opener,
    steps: Steps,
    *,
    opening: str = "",
    picture_within_s: float = PICTURE_WITHIN_S,
    within_s: float = PROBE_WITHIN_S,
) -> ProbeResult:
    """Open a source, whose own steps go into ``steps``, look at its first pictures, and leave it.

    ``opening``: the step that opening it is, where it has none of its own.

    Raises nothing that a source may raise: it is in the result.
    """
    look = _Look()
    failure: SourceError | None = None
    with trio.move_on_after(within_s) as patience:
        try:
            if opening:
                steps.begin(opening)
            async with opener() as source:
                if opening:
                    steps.end()
                look.source = source
                steps.begin("picture")
                first = await _first_picture(look, source, picture_within_s)
                steps.end(f"{first.format.width}x{first.format.height}, {first.format.codec_string}")
                steps.begin("measure")
                await _measure(look, source)
        except SourceError as error:
            failure = error
    if patience.cancelled_caught and not look.units:
        failure = SourceError(Trouble.TIMEOUT, f"The camera gave no picture in {within_s:g} s.")
    if failure is not None:
        steps.end(str(failure), ok=False)
    if look.source is None:
        return ProbeResult(steps.done, error=failure)
    oddities = sorted(look.source.statistics.oddities)
    return ProbeResult(
        steps.done, look.source.video, look.source.audio, look.source.notes, oddities, failure, measured=look.measured()
    )


async def _first_picture(look: _Look, source: Source, within_s: float) -> AccessUnit:
    """Wait for the first that can be decoded.  Raises `SourceError`."""
    with trio.move_on_after(within_s):
        while not look.units:
            await _receive(look, source)
    if not look.units:
        raise SourceError(
            Trouble.TIMEOUT,
            f"Packets come, but no key frame in {within_s:g} s.",
            "Set a shorter key frame interval in the camera, one or two seconds.",
        )
    return look.units[0]


async def _measure(look: _Look, source: Source) -> None:
    """Count what follows.  Raises `SourceError` where nothing can: a camera that breaks off at once is broken."""
    with trio.move_on_after(MEASURE_S):
        while look.next_key is None:
            await _receive(look, source)


async def _receive(look: _Look, source: Source) -> None:
    for unit in await source.receive():
        if isinstance(unit, AccessUnit):
            look.take(unit)
