"""Levels (rows PER-2, PER-3) for a machine that was measured: what it can give to how many at once."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from appliance.media.ladder import RATES
from appliance.media.levels import BusyLevel, Level1, Levels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.status.capacity import Capacity, Transcoding

#: So many different cameras are to be transcoded at once within each level: a wall of four, of nine, of sixteen.
STREAMS: Final = (4, 9, 16)
#: Pictures a second at least, by level: a smaller picture is better than a slide show.  More than so many nobody needs.
FEWEST: Final = (15.0, 8.0, 5.0)
MOST: Final = 25.0
#: Nothing is given up to save less than this share.
LITTLE: Final = 1.1


def propose(capacity: Capacity) -> Levels:
    """The largest picture, and of it the highest rate, with which so many streams fit; each level below the one before.

    Where nothing fits, what takes as little as anything does: decoding is the same for all.  Thresholds of bandwidth
    are left off, as the network was not measured.
    """
    sizes = sorted({(one.width, one.height) for one in capacity.transcoding}, reverse=True)
    chosen: list[tuple[int, int, int]] = []
    for number, (streams, fewest) in enumerate(zip(STREAMS, FEWEST, strict=True)):
        kept = len(STREAMS) - 1 - number  # sizes for the levels below
        wide, fps = (chosen[-1][0], chosen[-1][2]) if chosen else (math.inf, MOST + 1)
        costs = {
            (*size, int(rate)): _dearest(capacity, size, rate)
            for size in sizes[: len(sizes) - kept]
            for rate in RATES
            if size[0] < wide and fewest <= rate <= MOST and rate < fps
        }
        enough = capacity.cores * 1000 * Levels().level2.cpu_percent / 100 / streams
        most = max(enough, min(costs.values()) * LITTLE)
        chosen.append(next(each for each, cost in costs.items() if cost <= most))
    (w1, h1, f1), (w2, h2, f2), (w3, h3, f3) = chosen
    default = Levels()
    return Levels(
        Level1(enabled=True, max_fps=f1, max_width=w1, max_height=h1),
        _busy(default.level2, (w2, h2, f2)),
        _busy(default.level3, (w3, h3, f3)),
    )


def _busy(default: BusyLevel, found: tuple[int, int, int]) -> BusyLevel:
    width, height, fps = found
    return replace(default, enabled=True, bandwidth_kbps=0, max_fps=fps, max_width=width, max_height=height)


def commands(levels: Levels) -> Iterator[str]:
    """What puts them into force, in an order in which none is refused, whatever is in force already: a level is
    compared only with those that are on."""
    for number in (3, 2):
        yield _set(number, "enabled", "false")
    every: tuple[Level1 | BusyLevel, ...] = (levels.level1, levels.level2, levels.level3)
    for number, level in enumerate(every, 1):
        if isinstance(level, BusyLevel):
            yield _set(number, "cpu_percent", level.cpu_percent)
            yield _set(number, "bandwidth_kbps", level.bandwidth_kbps)
        yield _set(number, "max_fps", level.max_fps)
        yield _set(number, "max_width", level.max_width)
        yield _set(number, "max_height", level.max_height)
        yield _set(number, "enabled", "true")


def _set(level: int, field: str, value: int | str) -> str:
    return f"fanal config set performance.level{level}.{field} {value}"


def _dearest(capacity: Capacity, size: tuple[int, int], fps: float) -> float:
    """Of the codecs that were measured at this size."""
    costs = [_cost(capacity, codec, size, fps) for codec in {one.codec for one in capacity.transcoding}]
    return max(cost for cost in costs if cost is not None)


def _cost(capacity: Capacity, codec: str, size: tuple[int, int], fps: float) -> float | None:
    """Decoding is the same at every rate, and the rest is so much a picture: a line through what was measured."""
    known = sorted(
        (one for one in capacity.transcoding if one.codec == codec and (one.width, one.height) == size),
        key=lambda one: one.fps,
    )
    if not known:
        return None
    if len(known) == 1:
        return known[0].cpu_ms
    low, high = known[0], known[-1]
    return max(0.0, _line(low, high, fps))


def _line(low: Transcoding, high: Transcoding, fps: float) -> float:
    return low.cpu_ms + (high.cpu_ms - low.cpu_ms) * (fps - low.fps) / (high.fps - low.fps)
