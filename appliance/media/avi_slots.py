"""AVI has no times: a stream has a rate, and each chunk takes one turn.

Times come out right by chunks without content: an empty one for a picture (the last one stays), silence for sound.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.virtual import CHUNK, ROWS_LIMIT, LayoutError

if TYPE_CHECKING:
    import numpy.typing as npt

    from appliance.media.units import AudioFormat

    Ints = npt.NDArray[np.int64]
    Numbers = npt.NDArray[np.intp]

#: A picture is shown so much too early or late at most, beside half of what a turn lasts.
_OFF: Final = TICKS_PER_SECOND // 50
#: The usual time between two pictures is divided by these until that holds.
_DIVISORS: Final = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
#: Steps of which the usual one is found.
_LOOKED_AT: Final = 10_000
#: Pieces of sound that come before their turn, as the camera's clock is too fast: so many are left out, one at a time.
_LEFT_OUT: Final = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class Slots:
    """The turns of one stream, ``scale`` / ``rate`` seconds each.

    Of its samples those with the numbers ``left_out`` are not taken; ``count`` are.  Mostly a sample's turn is the one
    behind the last sample's: ``since`` says before which ones (of those that are taken) turns stay empty, ``late`` how
    many have been empty by then, in all, and ``comes`` which turn each of these takes.
    """

    scale: int
    rate: int
    count: int
    left_out: Numbers
    since: Ints
    late: Ints
    comes: Ints

    @property
    def turns(self) -> int:
        """How many there are up to the last sample."""
        return self.count + self.empty_turns

    @property
    def empty_turns(self) -> int:
        """At how many of them there is none."""
        return int(self.late[-1]) if len(self.late) else 0

    def empty(self, first: int, last: int) -> tuple[Ints, Ints]:
        """The turns at which there is none, from one of them to another; the sample that comes next after each."""
        numbers = np.arange(first, last)
        following = self.since[np.searchsorted(self.late, numbers, "right")]
        return following + numbers, following

    def first_at(self, times: Ints) -> Ints:
        """The first sample that comes at each of these times, or later; behind the last one: how many there are."""
        turns = np.maximum(0, -(-times * self.rate // (self.scale * TICKS_PER_SECOND)))
        samples: Ints = turns
        if len(self.since):
            part = np.searchsorted(self.comes, turns, "right")
            samples = turns - np.where(part > 0, self.late[part - 1], 0)
            np.minimum(samples, self.since.take(part, mode="clip"), out=samples, where=part < len(self.since))
        np.minimum(samples, self.count, out=samples)
        return samples

    def turn(self, first: int, last: int) -> Ints:
        """When these samples come."""
        turn = np.arange(first, last)
        a, b = int(np.searchsorted(self.since, first, "right")), int(np.searchsorted(self.since, last))
        before = int(self.late[a - 1]) if a else 0
        turn += before
        if b > a:  # more turns are empty between them
            steps = np.zeros(last - first, np.int64)
            steps[self.since[a:b] - first] = np.diff(self.late[a:b], prepend=before)
            turn += np.cumsum(steps)
        return turn

    def ticks(self, turns: Ints) -> Ints:
        """When these turns come."""
        return turns * (self.scale * TICKS_PER_SECOND) // self.rate


class _Lateness:
    """Where the number of turns that were empty grows, found piece by piece."""

    def __init__(self) -> None:
        self.late = 0
        self._since: list[Ints] = []
        self._late: list[Ints] = []

    def add(self, first: int, late: npt.NDArray[np.integer] | npt.NDArray[np.float64]) -> None:
        """Of the samples from ``first`` on; it never falls."""
        if len(late) and late[-1] > self.late:
            grew = np.flatnonzero(np.diff(late, prepend=self.late))
            self._since.append(grew + first)
            self._late.append(late[grew].astype(np.int64))
            self.late = int(late[-1])

    def slots(self, scale: int, rate: int, count: int, left_out: Numbers) -> Slots:
        none = np.empty(0, np.int64)
        since, late = np.concatenate([none, *self._since]), np.concatenate([none, *self._late])
        return Slots(scale, rate, count, left_out, since, late, since + late)


def picture_slots(times: Ints) -> Slots:
    """For pictures at these times, in ticks since the file begins.  Raises `LayoutError`."""
    every = max(1, len(times) // _LOOKED_AT)
    steps = times[1::every] - times[:-1:every]
    usual = int(np.median(steps)) if len(steps) else TICKS_PER_SECOND // 25
    shortest = TICKS_PER_SECOND // 1000
    scales = [max(shortest, usual // divisor) for divisor in _DIVISORS]
    for scale in scales:
        if int(times[-1]) // scale > ROWS_LIMIT:
            raise LayoutError(
                "span_too_long", "That is too long for an AVI file.", "Ask for MP4 or MKV, or for it in parts."
            )
        most = None if scale in (scales[-1], shortest) else _OFF + scale // 2
        found = _in_turns(times, scale, most)
        if found is not None:
            return found
    raise AssertionError("the last one is taken whatever it is like")


def _in_turns(times: Ints, scale: int, most: int | None) -> Slots | None:
    """None: one of them would be off by more than ``most`` ticks."""
    found = _Lateness()
    for first in range(0, len(times), CHUNK):
        mine = times[first : first + CHUNK]
        late = mine + scale // 2
        late //= scale
        numbers = np.arange(first, first + len(mine))
        late -= numbers
        late[0] = max(late[0], found.late)
        np.maximum.accumulate(late, out=late)
        if most is not None:
            off = late + numbers
            off *= scale
            off -= mine
            if max(int(off.max()), -int(off.min())) > most:
                return None
        found.add(first, late)
    return found.slots(scale, TICKS_PER_SECOND, len(times), np.empty(0, np.intp))


def sound_slots(audio: AudioFormat, times: Ints) -> Slots:
    """The same for sound.  It is moved by half a piece at most, and by no more than one at a time."""
    unit = Fraction(audio.samples_per_unit * TICKS_PER_SECOND, audio.sample_rate)
    found, left_out, count, early_ones = _Lateness(), [], 0, 0
    for at in range(0, len(times), CHUNK):
        wanted = times[at : at + CHUNK] * unit.denominator / unit.numerator  # exact enough: a day has less than 2 ** 25
        numbers = np.arange(at, at + len(wanted))
        before = wanted <= -0.5
        if before.any():
            left_out += numbers[before].tolist()
            wanted, numbers = wanted[~before], numbers[~before]
        while len(wanted):
            order = np.arange(count, count + len(wanted))
            late = wanted - order
            late += 0.5
            np.floor(late, out=late)
            late[0] = max(late[0], found.late)
            np.maximum.accumulate(late, out=late)
            ahead = late + order
            ahead -= wanted
            early = np.flatnonzero(ahead > 1.5) if early_ones < _LEFT_OUT else numbers[:0]
            taken = int(early[0]) if len(early) else len(wanted)
            found.add(count, late[:taken])
            count += taken
            if taken < len(wanted):
                left_out.append(int(numbers[taken]))
                early_ones += 1
            wanted, numbers = wanted[taken + 1 :], numbers[taken + 1 :]
    return found.slots(audio.samples_per_unit, audio.sample_rate, count, np.array(left_out, np.intp))
