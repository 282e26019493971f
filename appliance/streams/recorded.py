"""What the choice of a stream needs to know of recordings: what live streams are measured for stands in their files."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.delivery import FASTEST
from appliance.sites.camera import STREAM_NAMES, StreamConfig
from appliance.streams.directory import StreamFacts
from appliance.streams.meter import Measured

if TYPE_CHECKING:
    from appliance.recorder.files import Opened
    from appliance.recorder.player import Group, Strip
    from appliance.streams.hub import Hub


@dataclass(eq=False)
class Recorded:
    """The streams of a camera that were recorded at some time, with what they were then, at a speed.

    Is both what `appliance.streams.choosing.Chooser` chooses from and what it knows of that.
    """

    groups: dict[str, tuple[Strip, Group]] = field(default_factory=dict)  # by the name of the stream
    speed: float = 1.0

    @property
    def streams(self) -> tuple[StreamConfig, ...]:
        names = sorted(self.groups, key=_ordinal)
        return tuple(StreamConfig(name, _ordinal(name), "") for name in names)

    def facts(self, stream_id: str, /) -> StreamFacts:
        found = self.groups.get(stream_id)
        if found is None:
            return StreamFacts()
        opened = found[1].opened
        return StreamFacts(opened.video, opened.audio, _at_speed(measured(opened), self.speed))

    def hub(self, _stream_id: str, /) -> Hub | None:
        """None: there is nothing to wait for."""
        return None


def measured(opened: Opened) -> Measured:
    """What a file has on the whole."""
    table = opened.table
    pictures = table.pictures
    if len(pictures) < 2:
        return Measured()
    length_s = int(table.dts[pictures[-1]] - table.dts[pictures[0]]) / TICKS_PER_SECOND
    if length_s <= 0:
        return Measured()
    keys = table.dts[table.key_pictures]
    gop_s = float(np.median(np.diff(keys))) / TICKS_PER_SECOND if len(keys) > 1 else length_s
    kbps = float(table.size[pictures].sum()) * 8 / 1000 / length_s
    return Measured(fps=(len(pictures) - 1) / length_s, kbps=kbps, gop_s=gop_s)


def fps_of(opened: Opened) -> float | None:
    """Pictures a second of a file, as clients are told it."""
    fps = measured(opened).fps
    return None if fps is None else round(fps, 2)


def is_keys_only(speed: float) -> bool:
    """Whether only key pictures are shown at a speed."""
    return speed > FASTEST or speed < -1


def _at_speed(known: Measured, speed: float) -> Measured:
    """As it comes to the client: faster there are more pictures a second, and more bytes."""
    if known.fps is None or known.kbps is None or known.gop_s is None or speed == 1:
        return known
    times = max(1.0, abs(speed))  # a slow picture is no slow camera
    fps = times / known.gop_s if is_keys_only(speed) and known.gop_s else known.fps * times
    return replace(known, fps=fps, kbps=known.kbps * times, gop_s=known.gop_s / times)


def _ordinal(name: str) -> int:
    return STREAM_NAMES.index(name) if name in STREAM_NAMES else len(STREAM_NAMES)
