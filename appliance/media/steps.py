"""What a viewer's network may get instead of the best: the same picture in ever fewer bytes (row TRA-2).

Each step is an encoding (`ladder.Rung`), so that viewers on slow networks share them too.  What a step takes away is
what is missed least of all that would relieve the network: at first some quality and rate, then size.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import log2
from typing import TYPE_CHECKING

from appliance.media.ladder import NO_LIMIT, QUALITIES, RATES, Limit, Rung, rung, sizes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from appliance.media.ladder import Size

#: From step to step the bytes become fewer by so much at least; less is no relief.
RELIEF = 1.15
#: A picture of 640x360 in the best quality, measured; bytes grow slower than samples, as neighbours are alike.
PICTURE_BYTES, PICTURE_SAMPLES, GROWTH = 37_900, 640 * 360, 0.72
#: Bytes in other qualities.
_SHARE = {75: 1.0, 60: 0.74, 45: 0.59, 30: 0.45}
#: What is lost, in halvings of the width.
_LOSS = {75: 0.0, 60: 0.15, 45: 0.4, 30: 1.0}
_RATE_LOSS = 0.2  # of each halving of the rate, times how often it has been halved
_SMOOTH = 25.0
#: No picture comes less often than this, as it would be old before the next one; once a second only where there is
#: nothing else left to take away.
SLOWEST, LAST_RESORT = 2.0, 1.0


@dataclass(frozen=True, slots=True)
class Step:
    """``kbps``: what it takes for a scene of usual detail."""

    rung: Rung
    kbps: float


@lru_cache(maxsize=512)
def steps(
    source: Size, tile: Size | None, fps: float, *, source_fps: float | None = None, limit: Limit = NO_LIMIT
) -> tuple[Step, ...]:
    """For a tile and a rate, the best first; never empty.  The arguments are those of `ladder.rung`."""
    best = rung(source, tile, fps, source_fps=source_fps, limit=limit)
    possible = sorted(_all(best, sizes(source, limit), best.fps or source_fps or fps), key=lambda each: -each[0])
    chain, left = [possible[0]], possible
    while left := [each for each in left if each[0] <= chain[-1][0] / RELIEF]:
        chain.append(min(left, key=lambda each: each[1]))
    return tuple(Step(Rung(*size, rate, quality), kbps) for kbps, _, size, rate, quality in chain)


def picture_bytes(rung: Rung) -> float:
    """What one picture takes, of usual detail."""
    return _bytes(rung.size, rung.quality)


def rates_kbps(chain: Sequence[Step], current: int, measured_bytes: float | None) -> tuple[float, ...]:
    """What each step takes, once it has been measured how large this scene's pictures are at the current one."""
    factor = 1.0 if measured_bytes is None else measured_bytes / picture_bytes(chain[current].rung)
    return tuple(step.kbps * factor for step in chain)


#: kbit/s, what is lost, and the encoding.
_Possible = tuple[float, float, "Size", float | None, int]


def _all(best: Rung, available: Sequence[Size], sent: float) -> Iterator[_Possible]:
    rates = [best.fps, *(each for each in RATES if LAST_RESORT <= each < sent / RELIEF)]
    for size in available:
        if size[0] > best.width:
            continue
        smaller = log2(best.width / size[0])
        for fps in rates:
            made = fps or sent
            halvings = max(0.0, log2(_SMOOTH / made))
            slower = _RATE_LOSS * (halvings + halvings**2)
            for quality in QUALITIES if made >= SLOWEST or fps == best.fps else QUALITIES[1:]:
                yield _bytes(size, quality) * made * 8 / 1000, smaller + slower + _LOSS[quality], size, fps, quality


def _bytes(size: Size, quality: int) -> float:
    samples = size[0] * size[1] / PICTURE_SAMPLES
    return float(PICTURE_BYTES * samples**GROWTH * _SHARE[quality])
