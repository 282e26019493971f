"""Shared messages to many clients: made once, sent to each, never waiting for the slow.

A message that a client's socket takes whole costs one system call, and nothing of the interpreter.  What it does not
take is the client's own affair: see `appliance.serve.outlet`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from appliance._native.fanout import send_each
from appliance.media.picture import Picture

if TYPE_CHECKING:
    from appliance.serve.outlet import Medium, Outlet

#: After so many clients the loop is given back.
BATCH = 64


class Fanout:
    """The outlets that one stream is sent to."""

    def __init__(self) -> None:
        self._outlets: dict[Outlet, None] = {}
        self._batches: list[Batch] | None = None  # of them as they are; made anew when needed

    def __len__(self) -> int:
        return len(self._outlets)

    def add(self, outlet: Outlet) -> None:
        self._outlets[outlet] = None
        self._batches = None

    def remove(self, outlet: Outlet) -> None:
        self._outlets.pop(outlet, None)
        self._batches = None

    async def publish(self, fragment: Medium) -> None:
        """Offer a fragment to every outlet; the loop is given back after each `BATCH` of them."""
        if self._batches is None:
            outlets = list(self._outlets)
            self._batches = [Batch(outlets[begin : begin + BATCH]) for begin in range(0, len(outlets), BATCH)]
        # each client has to note that the others came, or may have to leave them out
        may_flow = fragment.is_audio or not (isinstance(fragment, Picture) or fragment.is_idr or fragment.leading)
        batches = self._batches
        for number, offered in enumerate(batches):
            batch = offered
            if number:
                await trio.lowlevel.checkpoint()
                if self._batches is not batches:  # others were taken out meanwhile
                    batch = Batch([outlet for outlet in offered.outlets if outlet in self._outlets])
            if not may_flow:
                for outlet in batch.outlets:
                    outlet.offer(fragment)
                continue
            for place, taken in send_each(batch.ports, fragment.message, fragment.is_audio):
                batch.outlets[place].sent(fragment, taken)


class Batch:
    """Outlets that are sent to in one turn, and their ports: to look those up for each message would cost more than to
    see which of them take it."""

    __slots__ = ("outlets", "ports")

    def __init__(self, outlets: list[Outlet]) -> None:
        self.outlets = outlets
        self.ports = [outlet.port for outlet in outlets]
