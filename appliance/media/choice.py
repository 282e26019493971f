"""Who is served what: pure rules, tested as tables (rows ADA-1…ADA-3, DIR-2 of features.md)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of a camera's streams (0 is the largest as configured), and whether a smaller tile is why."""

    stream: int
    by_tile_size: bool


def choose_stream(sizes: Sequence[Size | None], requested: Size | None, *, zoomed: bool, adaptive: bool) -> Choice:
    """The stream for a tile of ``requested`` device pixels: the lowest resolution that is at least as large (ADA-2).

    ``sizes``: width and height of each stream as measured, None where not known yet.  A picture fills a tile along
    one side only, so "as large" means: not enlarged when it is fitted into the tile.  Zoomed, not adaptive, or with
    no size asked for: the largest.
    """
    known = [(width * height, number) for number, size in enumerate(sizes) if size for width, height in [size]]
    largest = max(known, key=lambda pair: (pair[0], -pair[1]))[1] if known else 0
    if zoomed or not adaptive or requested is None or len(sizes) < 2:
        return Choice(largest, by_tile_size=False)
    enough = [
        (area, number) for area, number in known if (size := sizes[number]) is not None and _fills(size, requested)
    ]
    best = min(enough)[1] if enough else largest
    return Choice(best, by_tile_size=best != largest)


def _fills(size: Size, tile: Size) -> bool:
    return size[0] >= tile[0] or size[1] >= tile[1]


class Admission(StrEnum):
    """Whether a client can play a stream, and if not what is in the way."""

    YES = "yes"
    CODEC = "codec"
    LEVEL = "level"


# profile_idc in an order where each one's decoder plays those before it (H.264 Table A-1: constrained baseline and
# baseline as cameras use it, main, high)
_AVC_RANK = {66: 0, 77: 1, 100: 2, 110: 3, 122: 4, 244: 5}


def admits(offered: Sequence[str] | None, codec: str) -> Admission:
    """Whether ``codec`` (RFC 6381) is within one of the ``offered`` ones; an entry admits its family's profiles at or
    below it, up to its level.  Nothing offered at all (a script): H.264 is taken to play."""
    if offered is None:
        return Admission.YES if codec.startswith("avc1.") else Admission.CODEC
    wanted = _avc(codec)
    if wanted is None:
        return Admission.YES if codec in offered else Admission.CODEC
    too_low = False
    for entry in offered:
        limit = _avc(entry)
        if limit is None or limit[0] < wanted[0]:
            continue
        if limit[1] >= wanted[1]:
            return Admission.YES
        too_low = True
    return Admission.LEVEL if too_low else Admission.CODEC


def _avc(codec: str) -> tuple[int, int] | None:
    """Rank of the profile, and level, of ``avc1.PPCCLL`` (``avc3`` too)."""
    family, _, rest = codec.partition(".")
    if family not in ("avc1", "avc3") or len(rest) != 6:
        return None
    try:
        profile, _, level = bytes.fromhex(rest)
    except ValueError:
        return None
    rank = _AVC_RANK.get(profile)
    return None if rank is None else (rank, level)
