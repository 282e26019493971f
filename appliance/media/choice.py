"""What a client can play (row DIR-1): a pure rule, tested as a table.  Which of it it gets: `adaptive`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


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
