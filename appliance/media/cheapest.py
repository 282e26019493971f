"""The way from a camera's streams to the JPEG that is wanted which costs least (design §5.5): a pure rule.

The smaller stream if it is large enough, key frames only if the rate allows, the loop filter left out when the picture
shrinks by two or more, MJPEG decoded at a part of its size or passed through as it is.  Costs are milliseconds of one
core per second of video, on the machine of the bench; it is their order that decides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from appliance.media.adaptive import REDUCED, StreamMode
from appliance.media.ladder import ENLARGED, NO_LIMIT, QUALITIES, Limit, Rung, magnification, rung
from appliance.media.offer import Offer, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from appliance.media.ladder import Size

# Milliseconds a megapixel: measured, with MPEG-4 estimated (it has no loop filter and no arithmetic coder).
_DECODE = {"h264": 3.1, "h265": 3.8, "mjpeg": 2.9, "mpeg4": 2.0}
_WITHOUT_LOOP_FILTER = {"h264": 0.78, "h265": 0.87}
_KEY_FRAME = 4.0  # times a mean picture
#: An MJPEG picture decoded at 1/n of its sides; at 1/2 libav takes longer than for all of it.
PARTS = {1: 1.0, 4: 0.6, 8: 0.55}
_DIVIDED, _SCALED = 0.3, 0.7  # by 2, 3 or 4; by anything else
_ENCODE = 3.0
_PASS = 0.02  # ms a picture
_DIVISIONS = (2, 3, 4)
#: What is taken where it has not been measured yet.
USUAL_FPS = 25.0
#: Groups of pictures are measured to be so far from what is configured.
MEASURED = 1.05
#: From this division on the loop filter is not missed.
SHRINKS = 2.0


class Pictures(StrEnum):
    """Which of a stream's are decoded."""

    ALL = "all"
    KEY = "key"  # key frames, or of MJPEG as many as are wanted
    NONE = "none"  # passed through as they are


class Why(StrEnum):
    """For the statistics."""

    ONLY = "the only stream"
    ZOOM = "the largest, as it is zoomed"
    LARGEST = "the largest, as no smaller one is large enough"
    SMALLER = "a smaller stream is large enough"
    CHEAPEST = "large enough, and costs least"
    LOWEST = "the smallest, to spare the network"
    NOT_LOST = "the others are lost"
    SOUND = "the one that has sound"
    KEY_FRAMES = "key frames are as many as are wanted"
    UNFILTERED = "loop filter left out, as the picture shrinks"
    REDUCED = "decoded at a part of its size"
    PASSED = "passed through as it is"


@dataclass(frozen=True, slots=True)
class Plan:
    """How JPEG is made.  ``stream`` counts in the offers; ``reduce``: MJPEG is decoded at 1, 1/4 or 1/8 a side."""

    stream: int
    rung: Rung
    pictures: Pictures
    cost: float
    why: tuple[Why, ...]
    skip_loop_filter: bool = False
    reduce: int = 1


def cheapest(
    offers: Sequence[Offer],
    tile: Size | None,
    fps: float,
    *,
    zoomed: bool = False,
    masked: bool = False,
    sound: bool = False,
    mode: StreamMode = StreamMode.QUALITY,
    limit: Limit = NO_LIMIT,
    quality: int = QUALITIES[0],
) -> Plan | None:
    """The plan for a tile of so many device pixels and so many pictures a second; None: no stream can be decoded yet.

    ``mode``: as the administrator set it (row ADA-2).  ``masked``: a privacy mask has to be burned in, so nothing is
    passed through.  ``sound``: it is to be heard as well, so what has sound goes before what has none.
    """
    known = [(n, each) for n, each in enumerate(offers) if each.size is not None and each.codec in _DECODE]
    there = [pair for pair in known if pair[1].state is not State.LOST] or known
    if not there:
        return None
    lost = len(there) < len(known)
    heard = [pair for pair in there if pair[1].sound] if sound else []
    silent = bool(heard) and len(heard) < len(there)  # the others are
    there = heard or there
    if zoomed:
        tile = None
    elif mode is StreamMode.BANDWIDTH:
        there = [min(there, key=lambda pair: (pair[1].samples, pair[0]))]
    elif mode is StreamMode.PERFORMANCE and tile is not None:
        tile = (round(tile[0] * REDUCED), round(tile[1] * REDUCED))
    largest = max(there, key=lambda pair: (pair[1].samples, -pair[0]))
    enough = [
        (number, offer)
        for number, offer in there
        if offer.size is not None and magnification(offer.size, tile, limit) <= ENLARGED and not zoomed
    ]
    plans = [
        _plan(number, offer, rung(offer.size, tile, fps, source_fps=offer.fps, limit=limit, quality=quality), masked)
        for number, offer in enough or [largest]
        if offer.size is not None
    ]
    best = min(plans, key=lambda plan: (plan.cost, plan.stream))
    if mode is StreamMode.BANDWIDTH and not zoomed:
        why = Why.LOWEST
    else:
        why = _why(best, plans, offers, largest[0], lost=lost, silent=silent, zoomed=zoomed)
    return replace(best, why=(why, *best.why))


def _why(
    best: Plan, plans: list[Plan], offers: Sequence[Offer], largest: int, *, lost: bool, silent: bool, zoomed: bool
) -> Why:
    if len(offers) == 1:
        return Why.ONLY
    if zoomed:
        return Why.ZOOM
    if silent and len(plans) == 1:
        return Why.SOUND
    if lost and len(plans) == 1:
        return Why.NOT_LOST
    if offers[best.stream].samples < offers[largest].samples:
        return Why.SMALLER
    return Why.CHEAPEST if len(plans) > 1 else Why.LARGEST


def _plan(number: int, offer: Offer, target: Rung, masked: bool) -> Plan:
    assert offer.size is not None
    assert offer.codec is not None
    source = (offer.size[0] // 2 * 2, offer.size[1] // 2 * 2)
    sent = offer.fps or USUAL_FPS
    made = sent if target.fps is None else min(sent, target.fps)
    encode = _ENCODE * target.width * target.height / 1e6 * made
    decode = _DECODE[offer.codec] * offer.samples / 1e6
    if offer.codec == "mjpeg":
        if source == target.size and target.quality == QUALITIES[0] and not masked:
            return Plan(number, target, Pictures.NONE, made * _PASS, (Why.PASSED,))
        fitting = [n for n in PARTS if offer.size[0] >= n * target.width and offer.size[1] >= n * target.height]
        # a part of a picture is made of blocks, and what a mask hides of one would be seen beside it
        reduce = 1 if masked else max(fitting)
        left = (offer.size[0] // reduce, offer.size[1] // reduce)
        cost = (decode * PARTS[reduce] + _scale(left, target.size)) * made + encode
        return Plan(number, target, Pictures.KEY, cost, (Why.REDUCED,) if reduce > 1 else (), reduce=reduce)
    why: list[Why] = []
    skip = offer.size[0] / target.width >= SHRINKS and offer.codec in _WITHOUT_LOOP_FILTER
    keys = offer.gop_s is not None and made * offer.gop_s <= MEASURED
    if keys:
        decode *= _KEY_FRAME * made
        why.append(Why.KEY_FRAMES)
    else:
        decode *= sent
    if skip:
        decode *= _WITHOUT_LOOP_FILTER[offer.codec]
        why.append(Why.UNFILTERED)
    cost = decode + _scale(source, target.size) * made + encode
    return Plan(number, target, Pictures.KEY if keys else Pictures.ALL, cost, tuple(why), skip_loop_filter=skip)


def _scale(source: Size, target: Size) -> float:
    """Milliseconds a picture."""
    if source == target:
        return 0.0
    exact = any(source[0] // n // 2 * 2 == target[0] and source[1] // n // 2 * 2 == target[1] for n in _DIVISIONS)
    return (_DIVIDED if exact else _SCALED) * source[0] * source[1] / 1e6
