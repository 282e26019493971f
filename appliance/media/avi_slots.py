"""AVI has no times: a stream has a rate, and each chunk takes one turn.

Times come out right by chunks without content: an empty one for a picture (the last one stays), silence for sound.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.virtual import ROWS_LIMIT, LayoutError

if TYPE_CHECKING:
    import numpy.typing as npt

    from appliance.media.units import AudioFormat

    Ints = npt.NDArray[np.int64]

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
    """The turns of one stream, ``scale`` / ``rate`` seconds each: the numbers of the samples that are taken, and at
    which turn each comes.
    """

    scale: int
    rate: int
    taken: npt.NDArray[np.intp]
    turn: Ints

    @property
    def has_empty(self) -> bool:
        """Whether there is a turn at which there is none, before the last one."""
        return len(self.turn) > 0 and int(self.turn[-1]) + 1 != len(self.turn)

    @property
    def empty(self) -> Ints:
        """The turns at which there is none."""
        if not self.has_empty:
            return np.empty(0, np.int64)
        free = np.ones(int(self.turn[-1]) + 1, np.bool_)
        free[self.turn] = False
        return np.flatnonzero(free)

    def ticks(self, turns: Ints) -> Ints:
        """When these turns come."""
        return turns * (self.scale * TICKS_PER_SECOND) // self.rate


def picture_slots(times: Ints) -> Slots:
    """For pictures at these times, in ticks since the file begins.  Raises `LayoutError`."""
    steps = np.diff(times)[:: max(1, len(times) // _LOOKED_AT)]
    usual = int(np.median(steps)) if len(steps) else TICKS_PER_SECOND // 25
    everything = np.arange(len(times))
    for divisor in _DIVISORS:
        scale = max(TICKS_PER_SECOND // 1000, usual // divisor)
        if int(times[-1]) // scale > ROWS_LIMIT:
            raise LayoutError(
                "span_too_long", "That is too long for an AVI file.", "Ask for MP4 or MKV, or for it in parts."
            )
        turn = times + scale // 2
        turn //= scale
        turn -= everything
        np.maximum.accumulate(turn, out=turn)
        turn += everything
        off = turn * scale
        off -= times
        if max(int(off.max()), -int(off.min())) <= _OFF + scale // 2 or scale == TICKS_PER_SECOND // 1000:
            break
    return Slots(scale, TICKS_PER_SECOND, everything, turn)


def sound_slots(audio: AudioFormat, times: Ints) -> Slots:
    """The same for sound.  It is moved by half a piece at most, and by no more than one at a time."""
    unit = Fraction(audio.samples_per_unit * TICKS_PER_SECOND, audio.sample_rate)
    taken = np.arange(len(times))
    turns = times * unit.denominator / unit.numerator  # exact enough: a day has less than 2 ** 25
    taken = taken[turns > -0.5]
    for _ in range(_LEFT_OUT):
        order = np.arange(len(taken))
        wanted = turns if len(taken) == len(turns) else turns[taken]
        late = wanted - order
        late += 0.5
        np.floor(late, out=late)
        np.maximum.accumulate(late, out=late)
        np.maximum(late, 0, out=late)
        turn = late.astype(np.int64)
        turn += order
        early = np.flatnonzero(turn - wanted > 1.5)
        if not len(early):
            break
        taken = np.delete(taken, early[0])
    return Slots(audio.samples_per_unit, audio.sample_rate, taken, turn)
