"""What waits for a decoder: first the ring's pictures, then what comes.  It never grows: it jumps to the newest IDR."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import trio

from appliance.base.clock import TICKS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from appliance.media.fmp4 import Fragment

#: What waits may reach so far back: beyond, all of it is dropped up to the next IDR picture; beyond the lesser, as soon
#: as one comes.
BEHIND_TICKS, LATE_TICKS = 2 * TICKS_PER_SECOND, TICKS_PER_SECOND // 2
#: And in bytes, whatever a camera sends in two seconds.
WAITING_BYTES = 16 << 20
#: So often within so long it fell behind: it is overloaded, for as long.
OVERLOADS, OVERLOAD_S = 3, 20.0


class Waiting(NamedTuple):
    """A picture that waits for the decoder.  ``alone``: nothing follows on it; ``fresh``: it is not from the ring."""

    fragment: Fragment
    alone: bool
    shown: bool = True
    fresh: bool = True


class Backlog:
    """See the module.  ``dropped``: pictures that were left out because the decoder was behind."""

    def __init__(self) -> None:
        self.dropped = 0
        self._waiting: deque[Waiting] = deque()
        self._bytes = 0
        self._waits_for_idr = True
        self._joined_at_idr = False  # what leads the IDR picture that it goes on with cannot be decoded
        self._overloads: deque[float] = deque(maxlen=OVERLOADS)
        self._overloaded_until = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_overloaded(self) -> bool:
        """It fell behind again and again: better less to decode for a while."""
        return trio.current_time() < self._overloaded_until

    def begin(self, ring: Sequence[Fragment], *, keys_only: bool) -> None:
        """A decoder without a past gets the ring, of which only the last is shown; or the next IDR picture."""
        self.skip()
        if ring:
            self._waits_for_idr, self._joined_at_idr = False, True
            first = ring[:1] if keys_only else ring
            for fragment in first:
                self._put(Waiting(fragment, keys_only, fragment is first[-1], fresh=False))

    def skip(self) -> None:
        """On with the next IDR picture."""
        self._forget()
        self._waits_for_idr, self._joined_at_idr = True, False

    def take(self, fragment: Fragment, *, keys_only: bool, running: bool) -> None:
        """The next picture.  ``running``: there is a decoder at work, which can be blamed for what waits."""
        if self._waits_for_idr:
            if not fragment.is_idr:
                self.dropped += running and not keys_only
                return
            self._waits_for_idr, self._joined_at_idr = False, True
        elif fragment.is_idr:
            self._joined_at_idr = self._leave_out_the_late(fragment, LATE_TICKS, running=running)
        elif keys_only or (self._joined_at_idr and fragment.leading):
            return
        elif self._leave_out_the_late(fragment, BEHIND_TICKS, running=running):
            self.dropped += running
            self._waits_for_idr = True
            return
        self._put(Waiting(fragment, keys_only))

    def pop(self) -> Waiting:
        """The next for the decoder."""
        waiting = self._waiting.popleft()
        self._bytes -= len(waiting.fragment.message)
        return waiting

    def _put(self, waiting: Waiting) -> None:
        self._waiting.append(waiting)
        self._bytes += len(waiting.fragment.message)

    def _forget(self) -> None:
        self._waiting.clear()
        self._bytes = 0

    def _leave_out_the_late(self, fragment: Fragment, most: int, *, running: bool) -> bool:
        """Forget what waits if it reaches too far back; whether it did."""
        oldest = next((waiting.fragment.dts for waiting in self._waiting if waiting.fresh), None)
        if oldest is None or (fragment.dts - oldest <= most and self._bytes <= WAITING_BYTES):
            return False
        if running:
            self.dropped += sum(waiting.fresh for waiting in self._waiting)
            now = trio.current_time()
            self._overloads.append(now)
            if len(self._overloads) == OVERLOADS and now - self._overloads[0] <= OVERLOAD_S:
                self._overloaded_until = now + OVERLOAD_S
        self._forget()
        return True
