"""When viewers look at their networks: often while something waits, else now and then."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import trio

from appliance.base.beat import BEAT_S
from appliance.streams.audience import SESSION_ENDED, Audience
from appliance.streams.network import AT_REST_S, watch_networks

if TYPE_CHECKING:
    from collections.abc import Callable


class View:
    """Notes when it looks; ``restless``: it wants to look again soon."""

    def __init__(self) -> None:
        self.looked: list[float] = []
        self.restless = False
        self.stir: Callable[[], object] = lambda: None

    def look(self, now: float) -> bool:
        self.looked.append(now)
        self.stir()
        return self.restless


class Viewing:
    """What is asked of a member; each is itself."""

    def __init__(self, view: View) -> None:
        self.viewer, self.ending = view, None
        self.outlet = SimpleNamespace(stirs=None, bytes_sent=0)


def member(view: View) -> Any:
    return Viewing(view)


def steps(times: list[float]) -> set[float]:
    return {later - earlier for earlier, later in itertools.pairwise(times)}


async def test_who_is_at_rest_looks_once_a_second_and_who_is_not_each_quarter(autojump_clock, nursery) -> None:
    audience, calm, busy = Audience(), View(), View()
    nursery.start_soon(watch_networks, audience)
    await trio.sleep(0.1)  # between two beats, as is all that follows
    with audience.join(member(calm)):
        await trio.sleep(10)
        assert steps(calm.looked) == {AT_REST_S}
        busy.restless = True
        with audience.join(member(busy)):
            await trio.sleep(10)
            assert steps(busy.looked) == {BEAT_S}
        count = len(calm.looked)
        await trio.sleep(10)
        assert len(calm.looked) - count == 1 + 10


async def test_it_is_looked_at_as_soon_as_something_waits(autojump_clock, nursery) -> None:
    audience, view = Audience(), View()
    nursery.start_soon(watch_networks, audience)
    stirring = member(view)
    with audience.join(stirring):
        await trio.sleep(10.03)
        count, at = len(view.looked), trio.current_time()
        stirring.outlet.stirs()
        await trio.sleep(2 * BEAT_S)
        assert view.looked[count] - at <= BEAT_S
        view.stir = stirring.outlet.stirs  # while it looks
        await trio.sleep(10)
        assert steps(view.looked[-5:]) == {BEAT_S}


async def test_who_ends_is_not_asked(autojump_clock, nursery) -> None:
    audience, view = Audience(), View()
    nursery.start_soon(watch_networks, audience)
    ending = member(view)
    ending.ending = SESSION_ENDED
    with audience.join(ending):
        await trio.sleep(5)
    assert view.looked == []
