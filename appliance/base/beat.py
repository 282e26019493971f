"""Waits that need not be exact, and so end together.

To wake a process that does nothing costs several times what it then does to look whether there is anything to do: its
caches have gone cold and the core has gone to sleep.  So all that looks after something now and then does it at the
same moments, the *beats*: the whole seconds of Trio's clock, and their quarters for what cannot wait for a second.
"""

from __future__ import annotations

from math import floor

import trio

BEAT_S = 0.25
LONG_BEAT_S = 1.0


def beat_within(seconds: float) -> float:
    """The last beat before so many seconds are over, but the next one at least, in Trio's time."""
    now = trio.current_time()
    beat_s = BEAT_S if seconds < LONG_BEAT_S else LONG_BEAT_S
    return max(floor((now + seconds) / beat_s), floor(now / beat_s) + 1) * beat_s


async def rest(seconds: float) -> None:
    """Sleep until `beat_within` so many seconds."""
    await trio.sleep_until(beat_within(seconds))
