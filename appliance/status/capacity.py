"""What this machine was measured to carry (``fanal bench``), and how much room there is for more."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

if TYPE_CHECKING:
    from appliance.status.load import Sample

#: So much of each core may be used: what is measured is a mean, and what is needed is not.
USABLE: Final = 0.9
#: Others had so many cores while it was measured: then it is worth a word.
BUSY_CORES: Final = 0.2

Milliseconds = Annotated[float, msgspec.Meta(gt=0, le=1e6)]
Side = Annotated[int, msgspec.Meta(ge=2, le=16_384)]


class Transcoding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """JPEG of one camera stream.  ``cpu_ms``: processor time for each second of video."""

    codec: Annotated[str, msgspec.Meta(max_length=16)]
    width: Side
    height: Side
    fps: Annotated[float, msgspec.Meta(gt=0, le=240)]
    cpu_ms: Milliseconds


class Capacity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was found.

    ``direct_cpu_ms``: processor time for each second of a direct viewer, of the one core that serves them all.
    ``source``: the camera streams that were transcoded, as text.  ``busy_cores``: what others took meanwhile.
    """

    measured_at: Annotated[str, msgspec.Meta(max_length=40)]  # RFC 3339
    cores: Annotated[int, msgspec.Meta(ge=1, le=4096)]
    direct_cpu_ms: Milliseconds
    direct_kbps: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    source: Annotated[str, msgspec.Meta(max_length=80)]
    transcoding: Annotated[list[Transcoding], msgspec.Meta(min_length=1, max_length=256)]
    busy_cores: Annotated[float, msgspec.Meta(ge=0, le=4096)] = 0.0

    @property
    def was_busy(self) -> bool:
        """Whether others took so much that the figures may be too low."""
        return self.busy_cores >= BUSY_CORES

    @property
    def direct(self) -> int:
        """Direct viewers at most, where nothing else is done."""
        return _whole(USABLE * 1000 / self.direct_cpu_ms)

    def streams(self, one: Transcoding) -> int:
        """Different camera streams transcoded at most, where nothing else is done."""
        return _whole(self.cores * USABLE * 1000 / one.cpu_ms)

    def dearest(self, max_fps: float, max_size: tuple[int, int]) -> Transcoding | None:
        """What takes most of all that a limit lets by."""
        within = [
            one
            for one in self.transcoding
            if one.fps <= max_fps and one.width <= max_size[0] and one.height <= max_size[1]
        ]
        return max(within, key=lambda one: one.cpu_ms, default=None)


class Room(msgspec.Struct, frozen=True):
    """``direct``: so many more direct viewers; ``transcoded``: or so many more transcoded camera streams."""

    direct: int
    transcoded: int


def room(capacity: Capacity, load: Sample, dearest: Transcoding, most: int) -> Room:
    """For so many more before the cores are full, by the load as it is; ``most``: what the settings allow yet.

    All direct viewers are served by one core, whatever else is free.
    """
    free = capacity.cores * (USABLE - load.machine)
    return Room(
        max(0, min(most, _whole(min(free, USABLE - load.main) * 1000 / capacity.direct_cpu_ms))),
        max(0, min(most, _whole(free * 1000 / dearest.cpu_ms))),
    )


def _whole(number: float) -> int:
    return max(0, math.floor(number + 1e-6))
