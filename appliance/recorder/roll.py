"""What was seen last: so that a recording can begin before the event that it is made for."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from appliance.recorder.cutting import Item

#: Of one stream; of more than that the oldest go: half a minute of 12 Mbit/s.
MOST: Final = 48 << 20


class Roll:
    """Whole groups of pictures that reach back for some time; a run that ended is forgotten."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._items: deque[Item] = deque()
        self._keys: deque[int] = deque()  # when each group in it begins
        self.size = 0

    def push(self, item: Item, back: int) -> None:
        """The next fragment.  ``back``: how many ticks the roll has to reach back."""
        fragment = item.fragment
        if self._items and self._items[-1].fragment.run is not fragment.run:
            self.clear()
        if fragment.is_idr and not fragment.is_audio:
            self._keys.append(fragment.dts)
        elif not self._keys:
            return
        self._items.append(item)
        self.size += len(fragment.message)
        while len(self._keys) > 1 and (self._keys[1] <= fragment.dts - back or self.size > self._most):
            self.drop_group()
        if self.size > self._most:
            self.clear()

    def drop_group(self) -> None:
        """Forget the oldest group."""
        self._keys.popleft()
        first = True
        while self._items:
            fragment = self._items[0].fragment
            if not first and fragment.is_idr and not fragment.is_audio:
                return
            self.size -= len(fragment.message)
            self._items.popleft()
            first = False

    def take(self) -> list[Item]:
        """All of it; the roll is empty then."""
        items = list(self._items)
        self.clear()
        return items

    def clear(self) -> None:
        self._items.clear()
        self._keys.clear()
        self.size = 0
