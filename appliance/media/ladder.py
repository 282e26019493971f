"""The sizes and rates in which pictures are made as JPEG: few, so that viewers share them (rows TRA-1, PER-2).

A camera's picture is made in three sizes, whatever the widths of the windows: whole, and two divisions of it by whole
numbers, which cost least to scale.  A fourth is for thumbnails and for networks that carry little.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.masks import NO_MASK, Mask

Size = tuple[int, int]

#: JPEG qualities, the best first.
QUALITIES = (75, 60, 45, 30)
#: Pictures per second that are made of a camera's, where not all of them are wanted.
RATES = (60.0, 50.0, 30.0, 25.0, 20.0, 15.0, 12.0, 10.0, 8.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.5)
#: What a picture may be divided by.
DIVISORS = (1, 2, 3, 4, 6, 8, 12, 16)
#: Each size is so much narrower than the one before, or more: nobody sees a smaller difference in a tile.
NARROWER = 0.67
#: Enlarged by so much a picture looks the same, and windows are rarely as wide as a camera's picture.
ENLARGED = 1.05
#: Tiles of a grid are at least so wide; what is narrower is a thumbnail.
NARROWEST_TILE = 240
#: Nothing can be seen in less.
NARROWEST_PICTURE = 64
#: Measured rates are so far from what is configured.
MEASURED = 1.02


@dataclass(frozen=True, slots=True)
class Limit:
    """What transcoded pictures may be at most, None where nothing is said.  A picture on its side is limited on its
    side: 1920x1080 lets 1080x1920 by."""

    max_fps: float | None = None
    max_size: Size | None = None

    def magnification(self, size: Size) -> float:
        """What a picture is to be multiplied by to be as large as it may be; more than 1 if it is smaller."""
        if self.max_size is None:
            return math.inf
        return min(max(self.max_size) / max(size), min(self.max_size) / min(size))


NO_LIMIT = Limit()


@dataclass(frozen=True, slots=True)
class Rung:
    """One encoding, shared by all viewers that get it.  ``fps`` None: every picture that the camera sends.

    ``mask``: what is hidden of it, so that whoever may see all shares no picture with whoever may not.
    """

    width: int
    height: int
    fps: float | None
    quality: int
    mask: Mask = NO_MASK

    @property
    def size(self) -> Size:
        return self.width, self.height


def shown_size(width: int, height: int, pixel_aspect: tuple[int, int] = (1, 1)) -> Size:
    """The size of a camera's picture once its samples are square, as JPEG has them."""
    return round(width * pixel_aspect[0] / pixel_aspect[1]), height


def sizes(source: Size, limit: Limit = NO_LIMIT) -> tuple[Size, ...]:
    """In which a picture of ``source`` is made, largest first: three, and one for thumbnails; fewer of a small one."""
    found = [_scaled(source, min(1.0, limit.magnification(source)))]
    for _ in range(2):
        widest = found[-1][0] * NARROWER
        smaller = next((size for size in _divisions(source) if size[0] <= widest), None)
        if smaller is None:
            return tuple(found)
        found.append(smaller)
    thumbnail = next((size for size in _divisions(source) if size[0] <= found[-1][0] / 2 + 1), None)
    return tuple(found) if thumbnail is None else (*found, thumbnail)


def magnification(source: Size, tile: Size | None, limit: Limit = NO_LIMIT) -> float:
    """How many times larger or smaller a picture is shown: fitted into a tile of device pixels, within the limit.

    A side of 0 is a side that nothing is said of.  Infinite: as large as can be.
    """
    sides = [] if tile is None else [has / side for has, side in zip(tile, source, strict=True) if has]
    return min([limit.magnification(source), *sides])


def rung(
    source: Size,
    tile: Size | None,
    fps: float,
    *,
    source_fps: float | None = None,
    limit: Limit = NO_LIMIT,
    quality: int = QUALITIES[0],
) -> Rung:
    """The encoding for a tile of so many device pixels and for so many pictures a second at most.

    ``source``: the camera's picture with square samples (`shown_size`); ``source_fps`` as measured.
    """
    width = source[0] * min(1.0, magnification(source, tile, limit))
    return Rung(*fitting(sizes(source, limit), width), rate(fps, source_fps, limit), quality)


def fitting(available: tuple[Size, ...], width: float) -> Size:
    """The smallest that need not be enlarged to see it so wide."""
    ordinary = available if width < NARROWEST_TILE else available[:3]
    return next((size for size in reversed(ordinary) if size[0] * ENLARGED >= width), available[0])


def rate(wanted: float, source_fps: float | None, limit: Limit = NO_LIMIT) -> float | None:
    """The pictures per second that come nearest from below; None: as many as the camera sends."""
    allowed = min(wanted, wanted if limit.max_fps is None else limit.max_fps)
    if source_fps is not None and source_fps <= allowed * MEASURED:
        return None
    return next((step for step in RATES if step <= allowed), RATES[-1])


def time_slot(pts: int, fps: float | None) -> int:
    """Time is cut into slots of a rung's rate, the first picture of each is made; None: every picture."""
    return pts if fps is None else int(pts * fps // TICKS_PER_SECOND)


def _divisions(source: Size) -> list[Size]:
    divided = [_scaled(source, 1 / divisor) for divisor in DIVISORS]
    return [size for size in divided if min(size) >= NARROWEST_PICTURE]


def _scaled(source: Size, scale: float) -> Size:
    """Even sides: two samples of each share their colour."""
    return _even(source[0] * scale), _even(source[1] * scale)


def _even(side: float) -> int:
    return max(2, int(side + 1e-6) // 2 * 2)
