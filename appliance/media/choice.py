"""Who is served what: pure rules, tested as tables (rows ADA-1…ADA-3, DIR-2 of features.md)."""

from __future__ import annotations

import re
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


def why_not_the_best(
    sizes: Sequence[Size | None],
    admissions: Sequence[Admission],
    chosen: Choice,
    requested: Size | None,
    *,
    zoomed: bool,
    adaptive: bool,
) -> str | None:
    """The reason that a client is told (design §9) for the stream it gets, or None: it is the best.

    All streams of the camera, with whether the client can play them; ``chosen`` counts in these.
    """
    wished = choose_stream(sizes, requested, zoomed=zoomed, adaptive=adaptive)
    if wished.stream != chosen.stream and admissions[wished.stream] is not Admission.YES:
        return str(admissions[wished.stream])
    return "tile_size" if chosen.by_tile_size or wished.by_tile_size else None


def _fills(size: Size, tile: Size) -> bool:
    return size[0] >= tile[0] or size[1] >= tile[1]


class Admission(StrEnum):
    """Whether a client can play a stream, and if not what is in the way."""

    YES = "yes"
    CODEC = "codec"
    LEVEL = "level"


# Profiles in an order where each one's decoder plays those before it: H.264 Table A-1 (constrained baseline and
# baseline as cameras use it, main, high…), H.265 §A.3 (main, main 10, the range extensions)
_AVC_RANK = {66: 0, 77: 1, 100: 2, 110: 3, 122: 4, 244: 5}
_HEVC_RANK = {1: 0, 2: 1, 4: 2}
_HEVC_NAME = re.compile(r"(\d{1,2})\.([0-9A-Fa-f]{1,8})\.([LH])(\d{1,3})((?:\.[0-9A-Fa-f]{1,2}){0,6})")


@dataclass(frozen=True, slots=True)
class _Limit:
    """What a codec's name stands for."""

    family: str
    rank: int  # of the profile
    tier: int
    level: int
    tools: str = ""  # what tells profiles of one rank apart

    def holds(self, other: _Limit) -> bool:
        """Whether a decoder for this plays ``other``, their levels apart."""
        if self.family != other.family or self.rank < other.rank:
            return False
        return self.rank > other.rank or self.tools == other.tools


def admits(offered: Sequence[str] | None, codec: str) -> Admission:
    """Whether ``codec`` (RFC 6381) is within one of the ``offered`` ones; an entry admits its family's profiles at or
    below it, up to its level.  Nothing offered at all (a script): H.264 is taken to play."""
    if offered is None:
        return Admission.YES if codec.startswith("avc1.") else Admission.CODEC
    wanted = _limit(codec)
    if wanted is None:
        return Admission.YES if codec in offered else Admission.CODEC
    too_low = False
    for entry in offered:
        limit = _limit(entry)
        if limit is None or not limit.holds(wanted):
            continue
        if limit.level >= wanted.level and limit.tier >= wanted.tier:
            return Admission.YES
        too_low = True
    return Admission.LEVEL if too_low else Admission.CODEC


def _limit(codec: str) -> _Limit | None:
    family, _, rest = codec.partition(".")
    if family in ("avc1", "avc3"):
        return _avc(rest)
    return _hevc(rest) if family in ("hvc1", "hev1") else None


def _avc(rest: str) -> _Limit | None:
    """``PPCCLL``."""
    try:
        profile, _, level = bytes.fromhex(rest) if len(rest) == 6 else b""
    except ValueError:
        return None
    rank = _AVC_RANK.get(profile)
    return None if rank is None else _Limit("avc", rank, 0, level)


def _hevc(rest: str) -> _Limit | None:
    """``1.6.L120.90``: profile, profiles it is compatible with, tier and level, constraints."""
    name = _HEVC_NAME.fullmatch(rest)
    if name is None:
        return None
    profile, flags = int(name[1]), int(name[2], 16)
    ranks = [rank for number, rank in _HEVC_RANK.items() if number == profile or flags >> number & 1]
    if not ranks:
        return None
    rank = min(ranks)
    tools = re.sub(r"(\.0+)+$", "", name[5].lower()) if rank == _HEVC_RANK[4] else ""
    return _Limit("hevc", rank, "LH".index(name[3]), int(name[4]), tools)
