"""What happens at cameras: kept as long as the recordings around it, and told to whoever records by it.

The store has all events; in memory are, per camera, how many there are and when the last one ended.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
import trio

from appliance.base.clock import TICKS_PER_SECOND
from appliance.base.faults import Fault, Kind, invalid
from appliance.base.ids import new_id
from appliance.base.texts import clean_text
from appliance.base.watch import Broadcast
from appliance.settings.tabs import RecordingTab
from appliance.sites.cameras import no_camera
from appliance.store import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from appliance.base.clock import Clock
    from appliance.settings.settings import Settings
    from appliance.sites.cameras import CameraBook
    from appliance.store import Store

#: Of one camera and of all of them; beyond that the oldest go.
PER_CAMERA: Final = 10_000
MOST: Final = 200_000
#: So many more go at once, so that not every new event costs a search for the oldest.
SLACK: Final = 100
#: A camera's events a second, and how many at once; more are refused.
PER_SECOND: Final = 5
AT_ONCE: Final = 20
TEXT_LIMIT: Final = 500
#: What one question may be answered with.
PAGE: Final = 1000
#: How often events that are too old are taken away.
TIDY_S: Final = 3600.0
DAY: Final = 24 * 3600 * TICKS_PER_SECOND

_KIND: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,31}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Event:
    """``at`` and ``until`` in UTC ticks: the same for one without duration."""

    id: str
    camera_id: str
    at: int
    until: int
    kind: str
    text: str


@dataclass(slots=True)
class _Camera:
    """``ended`` is Trio's time, which obeys nobody who sets the clock: that makes no recording longer or shorter."""

    count: int = 0
    ended: float | None = None
    tokens: float = AT_ONCE
    filled: float = 0.0


class EventBook:
    """All events.  Made by `EventBook.load`; `run` is its task."""

    def __init__(self, store: Store, cameras: CameraBook, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._cameras = cameras
        self._settings = settings
        self._clock = clock
        self._known: dict[str, _Camera] = {}
        self.changes: Broadcast[Event] = Broadcast()

    @classmethod
    async def load(cls, store: Store, cameras: CameraBook, settings: Settings, clock: Clock) -> EventBook:
        book = cls(store, cameras, settings, clock)
        columns = tables.events.c
        counted = sa.select(columns.camera_id, sa.func.count(), sa.func.max(columns.until)).group_by(columns.camera_id)
        for camera_id, count, until in await store.read(lambda connection: connection.execute(counted).all()):
            ago = max(0, clock.utc_90k() - until) / TICKS_PER_SECOND
            book._known[camera_id] = _Camera(count, trio.current_time() - ago)
        return book

    def last_event(self, camera_id: str) -> int | None:
        """When the camera's last event ended, in UTC ticks as the clock is now; None: it had none."""
        known = self._known.get(camera_id)
        if known is None or known.ended is None:
            return None
        return self._clock.utc_90k() - round((trio.current_time() - known.ended) * TICKS_PER_SECOND)

    async def add(self, camera_id: str, kind: str, text: str = "") -> Event:
        """Something happens at a camera now.

        Raises `Fault` ``no_camera``, ``invalid_event``, ``invalid_text``, ``events_too_fast``.
        """
        if _KIND.fullmatch(kind) is None:
            raise invalid(
                "invalid_event",
                f"“{kind[:40]}” is no kind of event.",
                "Use a word of small letters and digits, such as motion or door-open.",
                field="kind",
            )
        text = clean_text(text, limit=TEXT_LIMIT) if text.strip() else ""
        if self._cameras.find(camera_id) is None:
            raise no_camera(camera_id)
        self._take_token(self._known.setdefault(camera_id, _Camera()))
        now = self._clock.utc_90k()
        event = Event(new_id(), camera_id, now, now, kind, text)

        def fn(connection: sa.Connection) -> dict[str, int]:
            if self._cameras.find(camera_id) is None:  # in the store's turn memory is what the store holds
                raise no_camera(camera_id)
            values = {"id": event.id, "camera_id": camera_id, "at": now, "until": now, "kind": kind, "text": text}
            connection.execute(sa.insert(tables.events).values(**values))
            return {each: _drop_oldest(connection, each) for each in self._overfull(camera_id)}

        def then(dropped: dict[str, int]) -> None:
            known = self._known.setdefault(camera_id, _Camera())
            known.count += 1
            known.ended = trio.current_time()
            for each, count in dropped.items():
                self._known[each].count -= count
            self.changes.publish(event)

        await self._store.write(fn, then=then)
        return event

    async def between(self, camera_id: str, start: int, end: int, limit: int) -> Sequence[Event]:
        """Events that begin from ``start`` to before ``end``, the oldest ``limit`` of them, in order."""
        columns = tables.events.c
        asked = (
            sa.select(tables.events)
            .where(columns.camera_id == camera_id, columns.at < end, columns.at >= start)
            .order_by(columns.at, columns.id)
            .limit(min(limit, PAGE))
        )
        rows = await self._store.read(lambda connection: connection.execute(asked).all())
        return [Event(row.id, row.camera_id, row.at, row.until, row.kind, row.text) for row in rows]

    async def run(self) -> None:
        """Take away what is older than the recordings of its camera may be."""
        while True:
            await self.tidy()
            await trio.sleep(TIDY_S)

    async def tidy(self) -> None:
        """The same once."""
        general, now = self._settings.tab(RecordingTab).retention_days, self._clock.utc_90k()
        for camera_id in tuple(self._known):
            camera = self._cameras.find(camera_id)
            if camera is None:  # its events went with it
                del self._known[camera_id]
                continue
            columns = tables.events.c
            before = now - (camera.recording.retention_days or general) * DAY
            old = sa.delete(tables.events).where(columns.camera_id == camera_id, columns.at < before)
            await self._store.write(
                lambda connection, old=old: connection.execute(old).rowcount,  # type: ignore[misc]
                then=partial(self._forget, camera_id),
            )

    def _forget(self, camera_id: str, count: int) -> None:
        if camera_id in self._known:
            self._known[camera_id].count -= count

    def _overfull(self, camera_id: str) -> set[str]:
        """Cameras of which the oldest events have to go for a new one of this camera."""
        counts = {each: known.count for each, known in self._known.items() if self._cameras.find(each) is not None}
        found = {camera_id} if counts.get(camera_id, 0) >= PER_CAMERA else set()
        if sum(counts.values()) >= MOST:
            found.add(max(counts, key=counts.__getitem__))
        return found

    def _take_token(self, camera: _Camera) -> None:
        now = trio.current_time()
        camera.tokens = min(float(AT_ONCE), camera.tokens + (now - camera.filled) * PER_SECOND)
        camera.filled = now
        if camera.tokens < 1:
            raise Fault(
                Kind.LIMITED,
                "events_too_fast",
                f"There were more than {PER_SECOND} events a second at this camera.",
                "Let one stand for those that come together.",
                retry_after_s=1.0,
            )
        camera.tokens -= 1


def _drop_oldest(connection: sa.Connection, camera_id: str) -> int:
    columns = tables.events.c
    oldest = sa.select(columns.id).where(columns.camera_id == camera_id).order_by(columns.at).limit(SLACK)
    return connection.execute(sa.delete(tables.events).where(columns.id.in_(oldest))).rowcount
