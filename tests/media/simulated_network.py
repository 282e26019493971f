"""A viewer behind a simulated network: what rate control decides, how old the picture is that is shown.

The network is a link whose rate changes with time, the buffer of a router before it, and a way of some length.  What
the sender has written waits in the kernel first, of which there is little (TCP_NOTSENT_LOWAT).  Pictures are JPEG (of
those that wait the newest goes, whole) or a camera's direct stream (in order, in a queue of a second and a half, and
on from a key frame).  `simulate` gives what a plot needs: one `Moment` each tenth of a second.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from appliance.media.rate_control import LOOK_S, Control, Sight, follow, may_begin
from appliance.media.steps import Step, picture_bytes, rates_kbps

TICK_S = 0.01
KERNEL_BYTES = 16 << 10
QUEUE_S = 1.5
FPS = 25
KEY_SHARE = 6  # a key frame is as large as so many other pictures
EARLY = 7  # pictures after a key frame
ENCODE_S = 0.05
JITTER_S = 0.03  # what is on its way for so much longer than the way takes is overdue
RATE_S = 0.3  # over so long it is measured how fast that is acknowledged
TRACES = Path(__file__).parent.parent / "vectors" / "network"


@dataclass(frozen=True)
class Link:
    """``kbps(t)``; the router holds ``buffer`` bytes and then takes no more."""

    kbps: Callable[[float], float]
    delay_s: float = 0.05
    buffer: int = 16 << 10


@dataclass(frozen=True)
class Moment:
    at_s: float
    kbps: float  # what the link carries
    step: int
    takes_kbps: float  # what that step takes
    age_s: float  # of the picture that is shown


@dataclass
class Outcome:
    moments: list[Moment] = field(default_factory=list)
    switches: list[tuple[float, int]] = field(default_factory=list)
    arrived: int = 0  # bytes
    shown: int = 0  # pictures

    def between(self, begin: float, end: float) -> list[Moment]:
        return [each for each in self.moments if begin <= each.at_s < end]

    def oldest(self, begin: float = 2.0, end: float = float("inf")) -> float:
        return max(each.age_s for each in self.between(begin, end))

    def switches_between(self, begin: float, end: float) -> int:
        return sum(begin <= at < end for at, _ in self.switches)

    def utilisation(self, begin: float, end: float) -> float:
        """What the step takes of what the link carries, on average."""
        moments = self.between(begin, end)
        return sum(min(each.takes_kbps, each.kbps) for each in moments) / sum(each.kbps for each in moments)

    def went_below(self, kbps: float, after: float) -> float:
        """When it was first decided on something that takes less."""
        return next(each.at_s for each in self.moments if each.at_s >= after and each.takes_kbps <= kbps)


@dataclass
class _Packet:
    made_at: float
    left: float
    size: float
    is_key: bool = True


class Way:
    """Kernel and router: what was written and has not arrived."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.held: deque[_Packet] = deque()
        self.bytes = 0.0
        self._flying: deque[tuple[float, float]] = deque()  # when it arrives, when it was made
        self._unacknowledged: deque[tuple[float, float]] = deque()  # when it was written, up to which byte
        self._acknowledging: deque[tuple[float, float]] = deque()  # when it is known, up to which byte it came
        self._written = self.acknowledged = self.begun_at = 0.0
        self._ends: deque[tuple[float, float]] = deque()  # of pictures: when they were begun, up to which byte
        self.arrived_s = float("inf")  # how long the last one took
        self._seen: deque[tuple[float, float]] = deque()  # what was acknowledged when
        self.newest = float("-inf")
        self.arrived, self.shown = 0.0, 0

    def room(self) -> float:
        return KERNEL_BYTES + self.link.buffer - self.bytes

    def unacknowledged_s(self, now: float) -> float:
        return now - self._unacknowledged[0][0] if self._unacknowledged else 0.0

    def left_s(self, now: float) -> float:
        """What is on its way, at the rate of late."""
        since, then = self._seen[0] if self._seen else (now, self.acknowledged)
        came = self.acknowledged - then
        return (self._written - self.acknowledged) * (now - since) / came if came > 0 else float("inf")

    def write(self, now: float, made_at: float, count: float, *, last: bool) -> None:
        self._written += count
        self._unacknowledged.append((now, self._written))
        if last:
            self._ends.append((self.begun_at, self._written))
        self.held.append(_Packet(made_at if last else float("-inf"), count, count))
        self.bytes += count

    def carry(self, now: float, share: float = 1.0) -> None:
        can = self.link.kbps(now) * share * 1000 / 8 * TICK_S
        while self.held and can > 0:
            packet = self.held[0]
            taken = min(can, packet.left)
            packet.left -= taken
            can -= taken
            self.bytes -= taken
            self.arrived += taken
            if packet.left <= 1e-9:
                self.held.popleft()
                if packet.made_at > float("-inf"):
                    self._flying.append((now + self.link.delay_s, packet.made_at))
        self._acknowledging.append((now + 2 * self.link.delay_s, self.arrived))
        while self._acknowledging[0][0] <= now:
            self.acknowledged = self._acknowledging.popleft()[1]
            while self._unacknowledged and self._unacknowledged[0][1] <= self.acknowledged + 1e-3:
                self._unacknowledged.popleft()
            while self._ends and self._ends[0][1] <= self.acknowledged + 1e-3:
                self.arrived_s = now - self._ends.popleft()[0]
        if not self._unacknowledged:
            self._seen.clear()
        elif not self._seen or self._seen[-1][1] < self.acknowledged:
            self._seen.append((now, self.acknowledged))
            while now - self._seen[0][0] > RATE_S:
                self._seen.popleft()
        while self._flying and self._flying[0][0] <= now:
            self.newest = max(self.newest, self._flying.popleft()[1])
            self.shown += 1


class Viewer:
    """Sends by what rate control says.  ``direct``: kbit/s of a camera's streams; ``chain``: steps of JPEG after them;
    ``detail(t)``: how much larger this scene's pictures are than usual."""

    def __init__(
        self,
        link: Link,
        *,
        direct: Sequence[float] = (),
        chain: Sequence[Step] = (),
        detail: Callable[[float], float] = lambda _: 1.0,
        seed: int = 1,
    ) -> None:
        self.path = Way(link)
        self.control = Control()
        self.outcome = Outcome()
        self._direct, self._chain, self._detail = tuple(direct), tuple(chain), detail
        self._random = random.Random(seed)
        self._queue: deque[_Packet] = deque()
        self._step = self._made = self._left_out = 0
        self._due, self._look_at, self._ready_at = 0.0, LOOK_S, 0.0
        self._taken_s = float("inf")
        self._skipping = False
        self._measured: float | None = None

    @property
    def kbps(self) -> list[float]:
        current = self._step - len(self._direct)
        if not self._chain:
            return list(self._direct)
        measured = self._measured if current >= 0 else None
        return [*self._direct, *rates_kbps(self._chain, max(0, current), measured)]

    @property
    def behind(self) -> bool:
        return bool(self.path.held or self._queue)

    def tick(self, now: float, share: float = 1.0) -> None:
        if self._step < len(self._direct):
            self._stream(now)
        else:
            self._pictures(now)
        self._write(now)
        self.path.carry(now, share)
        if now >= self._look_at:
            self._look_at += LOOK_S
            self._look(now)
        if round(now / TICK_S) % 10 == 0:
            age = now - self.path.newest if self.path.shown else 0.0
            takes = self.kbps[self.control.step]
            self.outcome.moments.append(Moment(now, self.path.link.kbps(now) * share, self.control.step, takes, age))

    def _look(self, now: float) -> None:
        lag = now - self._queue[0].made_at if self._queue else 0.0
        if self._step >= len(self._direct):
            lag = max(lag, self.path.unacknowledged_s(now) - 2 * self.path.link.delay_s - JITTER_S)
        before = self.control.step
        sight = Sight(now, self._step, lag, self._made, self._left_out, round(self.path.acknowledged))
        self.control = follow(self.control, sight, self.kbps)
        if self.control.step != before:
            self.outcome.switches.append((now, self.control.step))
            self._ready_at = now + ENCODE_S

    def _pictures(self, now: float) -> None:
        if self.control.step != self._step and now >= self._ready_at:
            if self.control.step < len(self._direct):
                self._begin_stream(now)
                return
            self._step, self._measured = self.control.step, None
            self._due = min(self._due, now)
            self._forget()
        if now < self._due:
            return
        rung = self._chain[self._step - len(self._direct)].rung
        self._due = max(self._due + 1 / (rung.fps or FPS), now)
        size = picture_bytes(rung) * self._detail(now) * self._random.uniform(0.93, 1.07)
        self._measured = size if self._measured is None else self._measured + (size - self._measured) / 8
        self._made += 1
        if self._queue and self._queue[-1].left == self._queue[-1].size:
            self._queue.pop()  # the newest goes instead
            self._left_out += 1
        self._queue.append(_Packet(now, size, size))

    def _begin_stream(self, now: float) -> None:
        """With what came since the last key frame; a larger stream only soon after one, as little as that is then."""
        since_key = int(now * FPS) % FPS
        if self.control.step < self._step and since_key > EARLY:
            return
        self._step = self.control.step
        self._forget()
        self._skipping = False
        for back in range(since_key, 0, -1):
            self._put_unit(now - back / FPS, is_key=back == since_key)
        self._due = now

    def _forget(self) -> None:
        """What waits of a step that was left is not sent; but what has begun has to be."""
        self._queue = deque(each for each in self._queue if each.left < each.size)

    def _stream(self, now: float) -> None:
        if self.control.step != self._step and now >= self._ready_at:
            if self.control.step >= len(self._direct):
                self._step, self._measured, self._due = self.control.step, None, now
                self._forget()
                return
            self._begin_stream(now)
        if now < self._due:
            return
        self._due = (int(now * FPS + 1e-6) + 1) / FPS
        is_key = int(now * FPS + 1e-6) % FPS == 0
        self._made += 1
        if is_key:
            self._skipping = False
        if self._queue and now - self._queue[0].made_at > QUEUE_S:
            keys = [at for at, each in enumerate(self._queue) if at and each.is_key]
            kept = list(self._queue)[keys[-1] :] if keys else []
            self._left_out += len(self._queue) - len(kept)
            self._queue = deque(kept)
            self._skipping = not keys and not is_key
        if self._skipping:
            self._left_out += 1
        else:
            self._put_unit(now, is_key=is_key)

    def _put_unit(self, made_at: float, *, is_key: bool) -> None:
        mean = self._direct[self._step] * 1000 / 8 / FPS
        size = mean * FPS / (FPS - 1 + KEY_SHARE) * (KEY_SHARE if is_key else 1) * self._random.uniform(0.9, 1.1)
        self._queue.append(_Packet(made_at, size, size, is_key))

    def _write(self, now: float) -> None:
        room = self.path.room()
        while self._queue and room > 0:
            packet = self._queue[0]
            if packet.left == packet.size and self._step >= len(self._direct):
                age, way = self.path.unacknowledged_s(now), 2 * self.path.link.delay_s
                interval = 1 / (self._chain[self._step - len(self._direct)].rung.fps or FPS)
                left = self.path.left_s(now) if self.path.shown else float("inf")
                if not may_begin(age, way, interval, taken_s=self._taken_s, arrived_s=self.path.arrived_s, left_s=left):
                    return
                self.path.begun_at = now
            count = min(room, packet.left)
            packet.left -= count
            room -= count
            done = packet.left <= 1e-9
            self.path.write(now, packet.made_at, count, last=done)
            if done:
                self._queue.popleft()
                self._taken_s = now - self.path.begun_at

    def finish(self) -> Outcome:
        self.outcome.arrived, self.outcome.shown = round(self.path.arrived), self.path.shown
        return self.outcome


def simulate(viewer: Viewer, seconds: float) -> Outcome:
    for number in range(round(seconds / TICK_S)):
        viewer.tick(number * TICK_S)
    return viewer.finish()


def simulate_two(one: Viewer, other: Viewer, seconds: float) -> tuple[Outcome, Outcome]:
    """Two viewers over one link of the first one's rate: half each while both have something on the way."""
    for number in range(round(seconds / TICK_S)):
        now = number * TICK_S
        share = 0.5 if one.behind and other.behind else 1.0
        one.tick(now, share)
        other.tick(now, share)
    return one.finish(), other.finish()


def steady(kbps: float) -> Callable[[float], float]:
    return lambda _: kbps


def steps_of(*levels: tuple[float, float]) -> Callable[[float], float]:
    """(from when, kbit/s)…"""
    return lambda at: next(kbps for since, kbps in reversed(levels) if at >= since)


def sawtooth(low: float, high: float, period_s: float) -> Callable[[float], float]:
    return lambda at: low + (high - low) * (at % period_s) / period_s


def random_walk(seed: int, low: float, high: float, seconds: int) -> Callable[[float], float]:
    """As mobile networks do: a new rate each half second, up or down by a third at most, sometimes a fade."""
    source, rate, rates = random.Random(seed), (low * high) ** 0.5, []
    for _ in range(2 * seconds + 2):
        rate = min(high, max(low, rate * source.uniform(0.75, 1.33)))
        rates.append(rate * (0.15 if source.random() < 0.01 else 1.0))
    return lambda at: rates[int(at * 2)]


def trace(name: str) -> Callable[[float], float]:
    """kbit/s, one number a second, over and over."""
    text = (TRACES / f"{name}.txt").read_text()
    rates = [float(each) for line in text.splitlines() if not line.startswith("#") for each in line.split()]
    return lambda at: rates[int(at) % len(rates)]
