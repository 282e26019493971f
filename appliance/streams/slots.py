"""A stream that a viewer holds open, and how it is announced to the client (design §9)."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from appliance.media.cheapest import USUAL_FPS
from appliance.media.masks import NO_MASK
from appliance.streams import announcing

if TYPE_CHECKING:
    from appliance.media.cheapest import Plan
    from appliance.media.masks import Mask
    from appliance.sites.cameras import StreamConfig
    from appliance.streams.choosing import Chosen
    from appliance.streams.hub import Hub, Segment
    from appliance.streams.renditions import Rendition

#: Rates so near to each other are one: they are measured.
SAME_RATE = 0.1


@dataclass(eq=False)
class Slot:
    """A stream that this viewer holds open; ``reason`` says why it is not the best, None if it is.

    ``rendition``: where it is transcoded, the rung that this viewer gets; ``plan`` says how it came to that.
    """

    stream: StreamConfig
    reason: str | None
    hub: Hub
    holds: ExitStack = field(repr=False)
    rendition: Rendition | None = None
    plan: Plan | None = None
    cause: str | None = None  # why it is transcoded
    level: int | None = None  # whose limit makes it smaller or slower
    steps: int = 0  # so many ways further down than chosen, for the network's sake
    looks: int = 0  # how often yet it is waited for to be early in its group of pictures
    _hearing: ExitStack = field(default_factory=ExitStack, repr=False)
    is_heard: bool = False

    def hear(self, *, wanted: bool) -> None:
        """Whether this client wants to hear it."""
        if wanted != self.is_heard:
            self.is_heard = wanted
            if wanted:
                self._hearing.enter_context(self.hub.hearing())
            else:
                self._hearing.close()

    @property
    def mask(self) -> Mask:
        """What is hidden of what is sent."""
        return NO_MASK if self.rendition is None else self.rendition.rung.mask

    def close(self) -> None:
        self.hear(wanted=False)
        self.holds.close()

    def follow(self, chosen: Chosen, steps: int) -> None:
        """What was chosen is this, for these reasons."""
        self.reason, self.plan, self.cause, self.level = chosen.reason, chosen.plan, chosen.cause, chosen.level
        self.steps = steps

    def is_near(self, chosen: Chosen) -> bool:
        """Whether this is what was chosen, or so near to it that nobody would see a difference."""
        if self.stream.id != chosen.stream.id:
            return False
        if self.rendition is None or chosen.rung is None:
            return self.rendition is None and chosen.rung is None
        has, would = self.rendition.rung, chosen.rung
        if (has.size, has.quality, has.mask) != (would.size, would.quality, would.mask):
            return False
        fps = _fps(self.hub) or USUAL_FPS
        rates = [fps if rung.fps is None else min(fps, rung.fps) for rung in (has, would)]
        return abs(rates[0] - rates[1]) <= SAME_RATE * rates[1]


def announcement(slot: Slot, segment: Segment, audio: bool) -> list[bytes]:
    """The ``stream`` message and the init segment, framed."""
    return announcing.of_video(
        {
            "mime": segment.mime(audio=audio),
            "stream": slot.stream.name,
            "width": segment.video.width,
            "height": segment.video.height,
            "fps": _fps(slot.hub),
            "reason": slot.reason,
            "utc_zero": segment.run.utc_zero,
        },
        segment.init(audio=audio),
    )


def announcement_of_pictures(slot: Slot, rendition: Rendition, segment: Segment, audio: bool) -> list[bytes]:
    """The ``stream`` message of what is transcoded and, where sound goes with it, the sound's init segment, framed."""
    rung = rendition.rung
    return announcing.of_pictures(
        {
            "stream": slot.stream.name,
            "width": rung.width,
            "height": rung.height,
            "fps": rung.fps or _fps(slot.hub),
            "reason": slot.reason,
            "utc_zero": segment.run.utc_zero,
            "cause": slot.cause,
            "level": slot.level,
            "quality": rung.quality,
            "codec": segment.video.codec,
        },
        segment.variant(audio=audio),
        segment.run.utc_zero,
    )


def _fps(hub: Hub) -> float | None:
    """As measured, else as the parameter sets say."""
    nominal = None if hub.segment is None else hub.segment.video.nominal_fps
    return hub.measured.fps or (None if nominal is None else round(float(nominal), 2))
