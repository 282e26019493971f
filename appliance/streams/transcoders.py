"""The transcoders: one begins with the first viewer that needs JPEG of a stream, and ends with the last."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import trio

from appliance.streams.transcoder import Transcoder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from appliance.streams.hub import Hub
    from appliance.workers.crew import Crew


@dataclass(eq=False)
class _Entry:
    transcoder: Transcoder
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    users: int = 0


class Transcoders:
    """See `open_transcoders`."""

    def __init__(self, nursery: trio.Nursery, crew: Crew) -> None:
        self.crew = crew
        self._nursery = nursery
        self._entries: dict[Hub, _Entry] = {}

    def __iter__(self) -> Iterator[Transcoder]:
        return iter([entry.transcoder for entry in self._entries.values()])

    def __len__(self) -> int:
        return len(self._entries)

    @contextmanager
    def lease(self, hub: Hub) -> Iterator[Transcoder]:
        """The transcoder of a stream, whose hub the caller holds."""
        entry = self._entries.get(hub)
        if entry is None:
            entry = self._entries[hub] = _Entry(Transcoder(hub, self.crew))
            self._nursery.start_soon(self._run, entry)
        entry.users += 1
        try:
            yield entry.transcoder
        finally:
            entry.users -= 1
            if entry.users == 0:
                del self._entries[hub]
                entry.scope.cancel()

    async def _run(self, entry: _Entry) -> None:
        with entry.scope:
            await entry.transcoder.run()


@asynccontextmanager
async def open_transcoders(crew: Crew) -> AsyncIterator[Transcoders]:
    """Transcoders that live at most as long as the block."""
    async with trio.open_nursery() as nursery:
        yield Transcoders(nursery, crew)
        nursery.cancel_scope.cancel()
