"""What waits for one client, bounded in bytes and in age."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from appliance.base.clock import TICKS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from appliance.media.fmp4 import Fragment

#: What may wait for one client.  In bytes: two seconds of 4 Mbit/s.  In age: with the network's own delay and what
#: the browser holds, the picture stays less than two seconds behind.
QUEUE_BYTES = 1 << 20
QUEUE_TICKS = TICKS_PER_SECOND * 3 // 2


class Item(NamedTuple):
    """One message that waits.

    ``cost``: what it counts against the bound.  ``dts``: of a fragment; of the word that something was missed, since
    when; None for what must not be dropped.
    """

    data: bytes | memoryview
    cost: int
    dts: int | None
    is_fragment: bool = False
    is_idr: bool = False  # of video: a client can go on here
    leading: bool = False  # but not with this
    is_audio: bool = False
    announces: bool = False  # a stream that is no longer sent once another begins
    picture_at: float | None = None  # when it came, of one that stands alone


class Backlog:
    """The messages that wait, in their order.  What is taken out of it by anything but `pop` is never sent."""

    __slots__ = ("_cost", "_items")

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._cost = 0

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    @property
    def first(self) -> Item:
        """What goes next."""
        return self._items[0]

    @property
    def cost(self) -> int:
        """Bytes that wait and count."""
        return self._cost

    @property
    def fragments(self) -> int:
        """How many fragments and pictures wait."""
        return sum(item.is_fragment for item in self._items)

    @property
    def lag_ticks(self) -> int:
        """How far back in the stream's own time it reaches, a burst too."""
        waiting = (item.dts for item in self._items if item.is_fragment and item.dts is not None)
        newest = next((item.dts for item in reversed(self._items) if item.is_fragment), None)
        return 0 if newest is None else newest - next(waiting)

    @property
    def picture(self) -> Item | None:
        """The picture that waits, of those that stand alone."""
        return next((item for item in self._items if item.is_fragment), None)

    @property
    def picture_since(self) -> float | None:
        """Since when it waits."""
        return next((item.picture_at for item in self._items if item.picture_at is not None), None)

    def oldest(self, fragment: Fragment) -> int:
        """The earliest time of what waits and can be dropped, and of this fragment."""
        return min([item.dts for item in self._items if item.dts is not None] + [fragment.dts])

    def is_full_for(self, fragment: Fragment) -> bool:
        """Whether there is no room for this fragment."""
        if self._cost + len(fragment.message) > QUEUE_BYTES and self._cost:
            return True
        # Only what counts has an age: a burst may reach as far back as its group of pictures.
        oldest = next((item.dts for item in self._items if item.cost and item.dts is not None), None)
        return oldest is not None and fragment.dts - oldest > QUEUE_TICKS

    def put(self, item: Item) -> None:
        self._items.append(item)
        self._cost += item.cost

    def pop(self) -> Item:
        """What goes next is taken."""
        item = self._items.popleft()
        self._cost -= item.cost
        return item

    def remove(self, item: Item) -> None:
        self._items.remove(item)
        self._cost -= item.cost

    def clear(self) -> None:
        self._items.clear()
        self._cost = 0

    def forget(self, which: Callable[[Item], bool]) -> int:
        """Take out all of these; how many were fragments."""
        gone = [item for item in self._items if which(item)]
        if gone:
            self._items = deque(item for item in self._items if not which(item))
            self._cost -= sum(item.cost for item in gone)
        return sum(item.is_fragment for item in gone)

    def split_at_last_idr(self) -> tuple[list[Item], list[Item]] | None:
        """Take out what can be dropped before the last IDR picture, and what comes from there on; only what must not be
        dropped stays.  None, and nothing is taken out, where that would drop no fragment."""
        items = list(self._items)
        at = next((n for n in range(len(items) - 1, 0, -1) if items[n].is_idr and items[n].cost), 0)
        dropped = [item for item in items[:at] if item.dts is not None]
        if not any(item.is_fragment for item in dropped):
            return None
        self._items = deque(item for item in items[:at] if item.dts is None)
        self._cost = sum(item.cost for item in self._items)
        return dropped, items[at:]
