"""Which of a camera's streams a client gets (rows ADA-1 to ADA-4): a pure rule, tested as a table.

Streams differ in size, codec and sound, and some are lost.  The rule takes the smallest that is large enough for the
tile among those that the client can play, and says why it is not the best one there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from appliance.media.choice import Admission
from appliance.media.ladder import magnification
from appliance.media.offer import State

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from appliance.media.ladder import Size
    from appliance.media.offer import Offer

#: *Optimize server performance* asks for so much less on each side: a quarter of a full HD screen is then served by a
#: stream of 640x360.
REDUCED = 2 / 3


class StreamMode(StrEnum):
    """Row ADA-2."""

    QUALITY = "quality"  # the lowest resolution that is as large as requested
    PERFORMANCE = "performance"  # the same for a smaller request
    BANDWIDTH = "bandwidth"  # the lowest resolution


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client would like and what the administrator set.  ``tile`` None: no size in mind."""

    tile: Size | None = None
    zoomed: bool = False
    sound: bool = False
    adaptive: bool = True
    mode: StreamMode = StreamMode.QUALITY


@dataclass(frozen=True, slots=True)
class Choice:
    """``stream`` counts in the offers (None: the client plays none of them), ``reason`` as clients are told it (design
    §9; None: it is the best)."""

    stream: int | None
    reason: str | None


def choose(offers: Sequence[Offer], admissions: Sequence[Admission], wish: Wish) -> Choice:
    """The stream for one client; ``admissions``: whether it plays each.

    A stream that is lost is chosen only if all are: then it is the one to wait for.  With sound, those that have it go
    before those that do not: cameras have it in one of their streams only.
    """
    every = range(len(offers))
    playable = [number for number in every if admissions[number] is Admission.YES]
    if not playable:
        nearest = next((each for each in admissions if each is Admission.LEVEL), None)
        return Choice(None, str(nearest or Admission.CODEC))
    there = _or_all(playable, lambda number: offers[number].state is not State.LOST)
    if wish.sound:
        there = _or_all(there, lambda number: offers[number].sound)
    stream, smaller = _fit(offers, there, wish)
    wished, wished_smaller = _fit(offers, every, wish)
    if wished != stream:
        if admissions[wished] is not Admission.YES:
            return Choice(stream, str(admissions[wished]))
        if offers[wished].state is State.LOST:
            return Choice(stream, "camera_lost")
    if not (smaller or wished_smaller):
        return Choice(stream, None)
    return Choice(stream, "bandwidth" if wish.mode is StreamMode.BANDWIDTH else "tile_size")


def _or_all(numbers: Sequence[int], good: Callable[[int], bool]) -> list[int]:
    return [number for number in numbers if good(number)] or list(numbers)


def _fit(offers: Sequence[Offer], among: Sequence[int], wish: Wish) -> tuple[int, bool]:
    """The stream, and whether it is smaller than the largest because a smaller one is enough."""
    known = [(offers[number].samples, number) for number in among if offers[number].size is not None]
    if not known:
        return among[0], False
    largest = max(known, key=lambda pair: (pair[0], -pair[1]))[1]
    if wish.zoomed or not wish.adaptive or len(offers) < 2:
        return largest, False
    if wish.mode is StreamMode.BANDWIDTH:
        best = min(known, key=lambda pair: (pair[0], _kbps(offers[pair[1]]), pair[1]))[1]
        return best, offers[best].samples < offers[largest].samples
    if wish.tile is None:
        return largest, False
    scale = REDUCED if wish.mode is StreamMode.PERFORMANCE else 1.0
    enough = [pair for pair in known if _is_enough(offers[pair[1]], wish.tile, scale)]
    if wish.mode is StreamMode.PERFORMANCE:
        best = min(enough, key=lambda pair: (pair[0], _kbps(offers[pair[1]]), pair[1]), default=(0, largest))[1]
    else:
        best = min(enough, default=(0, largest))[1]
    return best, best != largest


def _is_enough(offer: Offer, tile: Size, scale: float) -> bool:
    """Not enlarged when it is fitted into a tile of ``scale`` times the size."""
    return offer.size is not None and magnification(offer.size, tile) * scale <= 1


def _kbps(offer: Offer) -> float:
    """Not known: dearer than what is."""
    return float("inf") if offer.kbps is None else offer.kbps
