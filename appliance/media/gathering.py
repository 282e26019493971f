"""Which coded pictures a decoder is given together: those that nobody is due for wait for one that somebody is.

So a worker is woken, and answers, once for them all; and what ends a group of pictures, behind the last that is shown,
is not decoded at all, as nothing refers to it any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.media.ladder import time_slot

if TYPE_CHECKING:
    from collections.abc import Collection

    #: A coded picture and when it is shown.
    Coded = tuple[bytes, int]

#: What is decoded at once holds up the picture that was waited for, and whoever shares the worker: at most so many
#: samples, some 40 ms of a core; and so many pictures and bytes, which are copied together.
MOST_SAMPLES = 12_500_000
MOST_PICTURES = 12
MOST_BYTES = 1 << 20


class Gathering:
    """For one stream.  ``samples``: of a picture.

    ``may_wait``: the decoder gives each picture at once.  Else one that is due may come out only with those after it,
    so none waits.
    """

    def __init__(self, samples: int) -> None:
        self.may_wait = False
        self._most = min(MOST_PICTURES, MOST_SAMPLES // max(1, samples))
        self._waiting: list[Coded] = []
        self._bytes = 0
        self._slots: dict[float, int] = {}  # by rate: the slot of time that a picture was last given for

    def hurry(self) -> None:
        """The next picture is due: somebody has come who has none yet."""
        self._slots.clear()

    def forget(self) -> None:
        """Nothing refers to what waits any more."""
        self._waiting, self._bytes = [], 0

    def take(self, data: bytes, pts: int, rates: Collection[float | None]) -> list[Coded] | None:
        """What is to be decoded before this picture, and with it; None: it waits, too.

        ``rates``: in which pictures are made; empty: it is not shown.
        """
        slots = {fps: time_slot(pts, fps) for fps in rates if fps is not None}
        is_due = None in rates or any(self._slots.get(fps) != slot for fps, slot in slots.items())
        enough = len(self._waiting) + 1 >= self._most or self._bytes + len(data) > MOST_BYTES
        if self.may_wait and not is_due and not enough:
            self._waiting.append((data, pts))
            self._bytes += len(data)
            return None
        if is_due:
            self._slots = slots
        before = self._waiting
        self.forget()
        return before
