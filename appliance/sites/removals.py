"""Removals that can still be taken back: a camera goes when its time is over, unless somebody thinks again.

The appliance keeps the time and not the page that asked, which may close at any moment.  What waits is in memory only:
a restart meanwhile keeps the camera, since nobody loses one to a moment in which nobody could take it back.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import trio

from appliance.base.clock import TICKS_PER_SECOND
from appliance.base.faults import Fault
from appliance.sites.cameras import CameraLeaving, no_camera

if TYPE_CHECKING:
    from appliance.base.clock import Clock
    from appliance.sites.cameras import CameraBook

log = logging.getLogger(__name__)

#: Longer than anybody hesitates; a camera that nobody shows any more is not kept for longer.
LONGEST_S: Final = 60


@dataclass(frozen=True, slots=True)
class _Due:
    at: float  # on Trio's clock, which obeys nobody who sets the time
    utc: int


class Removals:
    """What waits, by camera: at most one each.  `run` is its task."""

    def __init__(self, book: CameraBook, clock: Clock) -> None:
        self._book = book
        self._clock = clock
        self._waiting: dict[str, _Due] = {}
        self._changed = trio.Event()

    def due(self, camera_id: str) -> int | None:
        """When the camera goes, in ticks since the Unix epoch; None: it stays."""
        found = self._waiting.get(camera_id)
        return None if found is None else found.utc

    def begin(self, camera_id: str, seconds: int) -> int:
        """Remove a camera in so many seconds (counted from now if it waits already); when that is.

        Raises `Fault` ``no_camera``.
        """
        camera = self._book.get(camera_id)
        due = _Due(trio.current_time() + seconds, self._clock.utc_90k() + seconds * TICKS_PER_SECOND)
        self._waiting[camera.id] = due
        self._wake()
        self._book.changes.publish(CameraLeaving(camera))
        return due.utc

    def cancel(self, camera_id: str) -> None:
        """The camera stays.  Raises `Fault` ``no_camera`` if it is too late."""
        camera = self._book.find(camera_id)
        if camera is None:
            raise no_camera(camera_id)
        if self._waiting.pop(camera.id, None) is not None:
            self._wake()
            self._book.changes.publish(CameraLeaving(camera))

    async def run(self) -> None:
        """Remove what is due.  One that fails waits on, and is tried again when this is started again."""
        while True:
            changed = self._changed
            camera_id, due = min(self._waiting.items(), key=lambda item: item[1].at, default=("", None))
            with trio.move_on_at(trio.current_time() + LONGEST_S if due is None else due.at):
                await changed.wait()
            if due is None or changed.is_set():
                continue
            try:
                await self._book.remove(camera_id)
            except Fault as fault:
                if fault.code != "no_camera":  # removed otherwise meanwhile
                    raise
            else:
                log.info("camera %s: removed, as was asked for before", camera_id)
            if self._waiting.get(camera_id) == due:
                del self._waiting[camera_id]

    def _wake(self) -> None:
        changed, self._changed = self._changed, trio.Event()
        changed.set()
