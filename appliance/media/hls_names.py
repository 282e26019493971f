"""What the pieces of an HLS stream are called: ``init-0.mp4``, ``seg-17.m4s``, ``part-17-3.m4s``."""

from __future__ import annotations

import re
from typing import NamedTuple

_PIECE = re.compile(r"(?:(init)-(\d{1,9})\.mp4|(seg)-(\d{1,9})\.m4s|(part)-(\d{1,9})-(\d{1,6})\.m4s)", re.ASCII)


class Piece(NamedTuple):
    """``kind``: init, seg or part; ``part``: which of its segment."""

    kind: str
    number: int
    part: int = 0


def init_name(number: int) -> str:
    return f"init-{number}.mp4"


def segment_name(number: int) -> str:
    return f"seg-{number}.m4s"


def part_name(number: int, part: int) -> str:
    return f"part-{number}-{part}.m4s"


def parse_name(name: str) -> Piece | None:
    """What a name stands for; None: nothing of ours."""
    found = _PIECE.fullmatch(name)
    if found is None:
        return None
    kind, number, *part = [group for group in found.groups() if group is not None]
    return Piece(kind, int(number), *map(int, part))
