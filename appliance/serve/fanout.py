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
    from collections.abc import Sequence

    from appliance.serve.outlet import Medium, Outlet

#: After so many clients the loop is given back.
BATCH = 64


class Fanout:
    """The outlets that one stream is sent to."""

    def __init__(self) -> None:
        self._outlets: dict[Outlet, None] = {}

    def __len__(self) -> int:
        return len(self._outlets)

    def add(self, outlet: Outlet) -> None:
        self._outlets[outlet] = None

    def remove(self, outlet: Outlet) -> None:
        self._outlets.pop(outlet, None)

    async def publish(self, fragment: Medium) -> None:
        """Offer a fragment to every outlet; the loop is given back after each `BATCH` of them."""
        outlets = tuple(self._outlets)
        # each client has to note that the others came, or may have to leave them out
        may_flow = fragment.is_audio or not (isinstance(fragment, Picture) or fragment.is_idr or fragment.leading)
        for begin in range(0, len(outlets), BATCH):
            batch: Sequence[Outlet] = outlets[begin : begin + BATCH]
            if begin:
                await trio.lowlevel.checkpoint()
                batch = [outlet for outlet in batch if outlet in self._outlets]  # others were taken out meanwhile
            if not may_flow:
                for outlet in batch:
                    outlet.offer(fragment)
                continue
            ports = [outlet.port for outlet in batch]
            for place, taken in send_each(ports, fragment.message, fragment.is_audio):
                batch[place].sent(fragment, taken)
