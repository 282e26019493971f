"""When a client's network gets a smaller stream, and when the larger one again: a table, and a simulated network."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from appliance.media.bandwidth import Bandwidth, Sight

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("sights", "smaller", "steps"),
    [
        ([(0, 0, 0), (1, 0.1, 0), (2, 0.4, 0)], True, 0),
        ([(0, 0.6, 0), (1, 0.1, 0), (2, 0.6, 0), (3, 0, 0)], True, 0),  # each stall is made up for
        ([(0, 0.6, 0), (1, 0.6, 0)], True, 1),
        ([(0, 0.6, 0), (0.5, 0.6, 0)], True, 0),  # not for long enough
        ([(0, 0, 0), (1, 0, 1)], True, 1),  # something was left out
        ([(0, 0, 3), (1, 0, 3)], True, 1),  # told once
        ([(0, 0, 1), (1, 0, 2), (2, 0, 3)], True, 1),  # the smaller one has not taken over yet
        ([(0, 0, 1), (1, 0, 2), (2, 0, 3), (3, 0, 4)], True, 2),
        ([(0, 1.4, 1), (1, 1.4, 2), (9, 1.4, 3)], False, 0),  # there is nothing smaller
        ([(0, 0, 1), *((n, 0, 1) for n in range(1, 16))], True, 1),
        ([(0, 0, 1), *((n, 0, 1) for n in range(1, 17))], True, 0),  # after fifteen quiet seconds: tried again
        ([(0, 0, 1), *((n, 0.6 * (n == 9), 1) for n in range(1, 17))], True, 1),  # they were not quiet
    ],
)
def test_what_is_seen_decides(sights, smaller, steps) -> None:
    bandwidth = Bandwidth()
    for sight in sights:
        bandwidth.see(Sight(*sight), smaller=smaller)
    assert bandwidth.steps == steps


FPS, GOP = 25, 25
SHARE = 6  # an IDR picture is as large as so many others


@dataclass
class Simulation:
    """A client behind a network of ``kbps(t)``; its camera has streams of these rates, its queue our bounds."""

    kbps: Callable[[float], float]
    rates: tuple[float, ...] = (4000, 500)
    bandwidth: Bandwidth = field(default_factory=Bandwidth)
    queue: deque[tuple[float, float, bool]] = field(default_factory=deque)  # time, kilobits, IDR
    gaps: int = 0
    steps: list[tuple[float, int]] = field(default_factory=list)
    worst: float = 0.0  # how far back what waited ever was, outside of probes

    def run(self, seconds: float) -> Simulation:
        sent, waiting = 0, False
        for n in range(round(seconds * FPS)):
            now, idr = n / FPS, n % GOP == 0
            if idr and sent != self.bandwidth.steps:
                sent = self.bandwidth.steps
                self.queue.clear()
                waiting = False
            waiting = waiting and not idr
            if self.queue and now - self.queue[0][0] > 1.5:
                later = [at for at, one in enumerate(self.queue) if at and one[2]]
                self.queue = deque(list(self.queue)[later[-1] :]) if later else deque()
                waiting = not later and not idr
                self.gaps += 1
            if not waiting:
                unit = self.rates[sent] / FPS * GOP / (GOP - 1 + SHARE)
                self.queue.append((now, unit * (SHARE if idr else 1), idr))
            room = self.kbps(now) / FPS
            while self.queue and room > 0:
                at, left, is_idr = self.queue.popleft()
                if left > room:
                    self.queue.appendleft((at, left - room, is_idr))
                room -= left
            lag = self.queue[-1][0] - self.queue[0][0] if self.queue else 0.0
            self.worst = max(self.worst, lag)
            if n % FPS == FPS // 2:
                self.bandwidth.see(Sight(now, lag, self.gaps), smaller=sent + 1 < len(self.rates))
                if not self.steps or self.steps[-1][1] != self.bandwidth.steps:
                    self.steps.append((now, self.bandwidth.steps))
        return self


def test_a_network_that_is_good_keeps_the_large_stream() -> None:
    assert Simulation(lambda _: 8000).run(3600).steps == [(0.48, 0)]


def test_a_network_that_just_suffices_keeps_the_large_stream() -> None:
    assert Simulation(lambda _: 4400).run(3600).steps == [(0.48, 0)]


def test_a_network_that_falls_gets_the_small_stream_within_three_seconds() -> None:
    simulation = Simulation(lambda t: 8000 if t < 20 else 1000).run(34)
    assert [steps for _, steps in simulation.steps] == [0, 1]
    assert 20 < simulation.steps[1][0] < 23
    assert simulation.worst <= 1.5


def test_a_network_that_recovers_gets_the_large_stream_again() -> None:
    simulation = Simulation(lambda t: 1000 if 20 <= t < 30 else 8000).run(300)
    assert [steps for _, steps in simulation.steps] == [0, 1, 0]
    assert simulation.steps[2][0] < 30 + 15


def test_a_network_that_stays_slow_is_tried_ever_more_seldom() -> None:
    simulation = Simulation(lambda t: 8000 if t < 5 else 1000).run(3600)
    tries = [at for at, steps in simulation.steps[1:] if steps == 0]
    pauses = [later - earlier for earlier, later in pairwise(tries)]
    print(f"tried {len(tries)} times in an hour, pauses {[round(pause) for pause in pauses]} s")
    assert len(tries) <= 20
    assert pauses[0] < 40
    assert all(pause >= 240 for pause in pauses[-10:])
    assert simulation.worst <= 1.5


def test_even_slower_networks_get_the_smallest_of_three() -> None:
    simulation = Simulation(lambda t: 8000 if t < 5 else 400, (4000, 1000, 300)).run(18)
    assert [steps for _, steps in simulation.steps] == [0, 1, 2]


def test_a_stall_now_and_then_costs_no_picture_size() -> None:
    """A lost packet holds everything up for a fifth of a second, and what waited goes out at once."""
    simulation = Simulation(lambda t: 0 if t % 5 < 0.4 else 8000).run(600)
    assert [steps for _, steps in simulation.steps] == [0]
