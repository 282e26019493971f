"""The ways in which one client can be served, from what was chosen for it down to what takes least (row TRA-2).

First the streams as the camera sends them, then the smallest of them as JPEG in ever fewer bytes; or JPEG from the
beginning.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING

from appliance.media.cheapest import Pictures, Plan, Why
from appliance.media.ladder import rung
from appliance.media.steps import RELIEF, Step, picture_bytes, steps
from appliance.streams.network import Ways

if TYPE_CHECKING:
    from collections.abc import Sequence

    from appliance.media.ladder import Limit, Size
    from appliance.media.offer import Offer
    from appliance.sites.cameras import StreamConfig
    from appliance.streams.choosing import Chosen

#: What a camera sends that has not been measured: so much of full HD, smaller pictures less.
_USUAL_KBPS, _USUAL_SAMPLES, _GROWTH = 4000.0, 1920 * 1080, 0.75
_USUAL_FPS = 25.0
BANDWIDTH, SLOW_CLIENT = "bandwidth", "slow_client"


def for_slow_client(chosen: Chosen) -> Chosen:
    """One of the ways, as it is said where not the network, but the client is too slow for a better one."""
    cause = SLOW_CLIENT if chosen.cause == BANDWIDTH else chosen.cause
    return chosen._replace(reason=SLOW_CLIENT if chosen.reason == BANDWIDTH else chosen.reason, cause=cause)


def best_first(
    chosen: Chosen,
    streams: Sequence[StreamConfig],
    offers: Sequence[Offer],
    tile: Size | None,
    fps: float,
    limit: Limit | None,
) -> Ways:
    """``streams``: the chosen one, then the others that may be sent instead; ``limit`` None: nothing is transcoded."""
    if chosen.plan is not None:
        chain = _chain(chosen.plan, offers[0], fps, limit)
        made = [_made(chosen, chosen.stream, step) for step in chain[1:]]
        shown = tuple(_work(step.rung.size, step.rung.fps or fps, offers[0]) for step in chain)
        return Ways((chosen, *made), tuple(step.kbps for step in chain), 0, shown)
    direct = [(chosen.stream, _kbps(offers[0], offers), offers[0])]
    known = [(stream, _kbps(offer, offers), offer) for stream, offer in zip(streams[1:], offers[1:], strict=True)]
    for each in sorted(known, key=lambda each: -each[2].samples):
        if 0 < each[2].samples < direct[-1][2].samples and each[1] < direct[-1][1]:
            direct.append(each)
    options = [chosen, *(chosen._replace(stream=stream, reason=BANDWIDTH) for stream, _, _ in direct[1:])]
    kbps = [each for _, each, _ in direct]
    work = [_work(offer.size or (0, 0), inf, offer) for _, _, offer in direct]
    smallest, least, offer = direct[-1]
    if limit is not None and offer.size is not None:
        target = rung(offer.size, tile, fps, source_fps=offer.fps, limit=limit)
        plan = Plan(0, target, Pictures.ALL, 0.0, (Why.LOWEST,))
        below = [step for step in _chain(plan, offer, fps, limit) if step.kbps <= least / RELIEF]
        based = chosen._replace(plan=plan, cause=BANDWIDTH)
        options += [_made(based, smallest, step) for step in below]
        kbps += [step.kbps for step in below]
        work += [_work(step.rung.size, step.rung.fps or fps, offer) for step in below]
    return Ways(tuple(options), tuple(kbps), len(direct), tuple(work))


def _work(size: Size, fps: float, offer: Offer) -> float:
    """Samples a second."""
    return size[0] * size[1] * min(fps, offer.fps or _USUAL_FPS)


def _chain(plan: Plan, offer: Offer, fps: float, limit: Limit | None) -> list[Step]:
    """The plan's own encoding, then those that take less."""
    best = plan.rung
    own = Step(best, picture_bytes(best) * min(best.fps or fps, offer.fps or _USUAL_FPS) * 8 / 1000)
    if offer.size is None or limit is None:
        return [own]
    possible = steps(offer.size, best.size, best.fps or fps, source_fps=offer.fps, limit=limit)
    return [own, *(step for step in possible if step.rung.width <= best.width and step.kbps <= own.kbps / RELIEF)]


def _made(chosen: Chosen, stream: StreamConfig, step: Step) -> Chosen:
    assert chosen.plan is not None

    return chosen._replace(
        stream=stream,
        reason=BANDWIDTH,
        plan=replace(chosen.plan, rung=step.rung),
    )


def _kbps(offer: Offer, offers: Sequence[Offer]) -> float:
    """As measured; else by the size, compared with a stream that was."""
    if offer.kbps is not None:
        return offer.kbps
    measured = next(((each.kbps, each.samples) for each in offers if each.kbps is not None and each.samples), None)
    kbps, samples = measured or (_USUAL_KBPS, _USUAL_SAMPLES)
    return float(kbps * ((offer.samples or samples) / samples) ** _GROWTH)
