"""What a viewer's network may get instead of the best: the same picture in ever fewer bytes (row TRA-2).

Each step is an encoding (`ladder.Rung`), so that viewers on slow networks share them too.  What a step takes away is
what is missed least: at first some quality and rate, then size; detail goes before smoothness.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log2
from typing import TYPE_CHECKING

from appliance.media.ladder import NO_LIMIT, QUALITIES, RATES, Limit, Rung, rung, sizes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from appliance.media.ladder import Size

#: From step to step the bytes become fewer by so much: less is no relief, more leaves a network half empty.
LEAST, MOST = 1.15, 1.4
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


def steps(
    source: Size, tile: Size | None, fps: float, *, source_fps: float | None = None, limit: Limit = NO_LIMIT
) -> tuple[Step, ...]:
    """For a tile and a rate, the best first; never empty.  The arguments are those of `ladder.rung`."""
    best = rung(source, tile, fps, source_fps=source_fps, limit=limit)
    every = sorted(_all(best, sizes(source, limit), best.fps or source_fps or fps), key=lambda each: -each[0])
    chain, at = [every[0]], 0
    while at < len(every):
        kbps = chain[-1][0]
        start = at
        while start < len(every) and every[start][0] > kbps / LEAST:
            start += 1
        end = start
        while end < len(every) and every[end][0] >= kbps / MOST:
            end += 1
        chain += [min(every[start:end], key=lambda each: each[1])] if end > start else every[start : start + 1]
        at = start
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
    rates = [best.fps, *(each for each in RATES if LAST_RESORT <= each < sent / LEAST)]
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
