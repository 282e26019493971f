"""Whether a client's network carries the stream that it gets: a pure rule, tested as a table and in a simulation (F3).

What waits for a client tells: on a network that is too slow it reaches further and further back, until pictures have
to be left out.  Then one stream down.  Whether the network has become better nothing tells but an attempt, so after a
quiet time the larger stream is tried again, and after attempts that fail ever more seldom.
"""

from __future__ import annotations

from dataclasses import dataclass

#: What waits reaches so far back: a large key frame or a lost packet makes less.
STRAINED_S = 0.5
#: For so long, looked at once a second: a stall that is made up for is over by then.
STRAINED_FOR_S = 0.8
#: The smaller stream takes over with its next key frame; until then what is seen is about the larger one.
SETTLE_S = 3.0
#: So long without strain before the larger stream is tried; twice as long after each attempt that failed.
HOLD_S, LONGEST_HOLD_S = 15.0, 240.0
#: An attempt that went well for so long has not failed.
PROBATION_S = 30.0


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen of one client at a time, in seconds that never go back."""

    at_s: float
    lag_s: float  # how far back what waits for it reaches
    gaps: int  # how often something was left out for it, so far


class Bandwidth:
    """Follows one client.  ``steps``: so many streams smaller than its tile asks for is what its network carries."""

    def __init__(self) -> None:
        self.steps = 0
        self._gaps = 0
        self._strained_since: float | None = None
        self._calm_since: float | None = None
        self._fell_at: float | None = None
        self._rose_at: float | None = None
        self._hold_s = HOLD_S

    def see(self, sight: Sight, *, smaller: bool) -> None:
        """Take in a sight; ``smaller``: whether there is a smaller stream than the one that is sent."""
        left_out, self._gaps = sight.gaps > self._gaps, sight.gaps
        if left_out or sight.lag_s >= STRAINED_S:
            self._calm_since = None
            if self._strained_since is None:
                self._strained_since = sight.at_s
            if left_out or sight.at_s - self._strained_since >= STRAINED_FOR_S:
                self._fall(sight.at_s, smaller=smaller)
            return
        self._strained_since = None
        if self._calm_since is None:
            self._calm_since = sight.at_s
        if self.steps and sight.at_s - self._calm_since >= self._hold_s:
            self.steps -= 1
            self._rose_at, self._calm_since = sight.at_s, sight.at_s

    def _fall(self, now: float, *, smaller: bool) -> None:
        if not smaller or (self._fell_at is not None and now - self._fell_at < SETTLE_S):
            return
        failed = self._rose_at is not None and now - self._rose_at < PROBATION_S
        self._hold_s = min(2 * self._hold_s, LONGEST_HOLD_S) if failed else HOLD_S
        self.steps += 1
        self._fell_at, self._strained_since = now, None
