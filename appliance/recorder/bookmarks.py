"""Bookmarks: moments and spans in the recordings of a camera that somebody gave a text to.

They are in the store only: each question is one bounded read of it.  Who may ask and change is the caller's business.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from appliance.base.clock import TICKS_PER_SECOND, to_rfc3339, utc_seconds
from appliance.base.faults import Fault, Kind, invalid
from appliance.base.ids import new_id
from appliance.base.texts import clean_text, searchable
from appliance.base.watch import Broadcast
from appliance.store import tables

if TYPE_CHECKING:
    from collections.abc import Collection

    from appliance.base.clock import Clock
    from appliance.store import Store

TEXT_LIMIT: Final = 500
SEARCH_LIMIT: Final = 200
#: More on one page no caller may ask for.
PAGE_LIMIT: Final = 1000
PER_USER: Final = 10_000
#: Of all users together.
MOST: Final = 100_000
#: Of so many a search looks at the texts before others have their turn in the store: some milliseconds.
SEARCHED: Final = 5000
#: Those of so many cameras are looked up camera by camera.
FEW_CAMERAS: Final = 8
#: The longest span.  So what overlaps a time begins at most so long before it, and is found by the index.
LONGEST: Final = 31 * 24 * 3600 * TICKS_PER_SECOND
#: A clock that runs ahead of ours by so much is believed; nothing else that is still to come is recorded.
AHEAD: Final = 60 * TICKS_PER_SECOND


class Same(Enum):
    """Stands for what a change leaves as it is, where None says something."""

    SAME = "same"


@dataclass(frozen=True, slots=True)
class Bookmark:
    """``at`` and ``until`` in UTC ticks; ``until`` None: a moment.

    ``user_id`` is who made it; None: at the machine itself, or somebody who was removed since.
    """

    id: str
    camera_id: str
    user_id: str | None
    at: int
    until: int | None
    text: str


@dataclass(frozen=True, slots=True)
class BookmarkSet:
    """It is new, or changed."""

    bookmark: Bookmark


@dataclass(frozen=True, slots=True)
class BookmarkRemoved:
    """Somebody took it away.  Those of a camera that is removed go with it, without a word of their own."""

    bookmark: Bookmark


BookmarkEvent = BookmarkSet | BookmarkRemoved


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the next begins behind it."""

    at: int
    id: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which bookmarks: all conditions hold.  ``cameras`` None: of all cameras.

    Those that overlap the time from ``start`` to before ``end``, with every word of ``words`` somewhere in their
    text, whatever their case and accents; the newest first, from behind ``after`` on.
    """

    cameras: Collection[str] | None = None
    start: int | None = None
    end: int | None = None
    words: str = ""
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some bookmarks, the newest first.  ``next``: where to go on, None at the end."""

    bookmarks: list[Bookmark]
    next: Place | None


class Bookmarks:
    """All bookmarks of the appliance."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self.changes: Broadcast[BookmarkEvent] = Broadcast()

    async def find(self, bookmark_id: str) -> Bookmark | None:
        return await self._store.read(lambda connection: _find(connection, bookmark_id))

    async def page(self, wanted: Wanted, limit: int) -> Page:
        """At most ``limit`` of them.  Raises `Fault` ``invalid_text`` for words that can be in no text."""
        words = clean_text(wanted.words, field="q", limit=SEARCH_LIMIT) if wanted.words.strip() else ""
        parts = searchable(words).split()
        found: list[Bookmark] = []
        place = wanted.after
        while True:
            some = partial(_some, wanted=replace(wanted, after=place), words=parts, limit=limit + 1 - len(found))
            rows, place = await self._store.read(some)
            found += rows
            if place is None or len(found) > limit:
                break
        if len(found) <= limit:
            return Page(found, None)
        last = found[limit - 1]
        return Page(found[:limit], Place(last.at, last.id))

    async def add(self, camera_id: str, user_id: str | None, at: int, until: int | None, text: str) -> Bookmark:
        """A new one.

        Raises `Fault` ``invalid_text``, ``bad_time``, ``no_camera``, ``no_such_user``, ``too_many_bookmarks``.
        """
        bookmark = Bookmark(new_id(), camera_id, user_id, at, until, clean_text(text, limit=TEXT_LIMIT))
        self._check_times(bookmark)
        values = {"id": bookmark.id, "camera_id": camera_id, "user_id": user_id, "created_at": utc_seconds(self._clock)}

        def fn(connection: sa.Connection) -> Bookmark:
            _check_owners(connection, bookmark)
            _check_room(connection, user_id)
            connection.execute(sa.insert(tables.bookmarks).values(**values, **_changeable(bookmark)))
            return bookmark

        return await self._store.write(fn, then=self._tell_set)

    async def change(
        self,
        bookmark_id: str,
        *,
        at: int | None = None,
        until: int | Same | None = Same.SAME,
        text: str | None = None,
    ) -> Bookmark:
        """Another text or time; what is not given stays, ``until`` None makes a moment of it.

        Raises `Fault` ``no_bookmark``, ``invalid_text``, ``bad_time``.
        """
        clean = None if text is None else clean_text(text, limit=TEXT_LIMIT)

        def fn(connection: sa.Connection) -> Bookmark:
            before = _find(connection, bookmark_id)
            if before is None:
                raise no_bookmark()
            after = replace(
                before,
                at=before.at if at is None else at,
                until=before.until if isinstance(until, Same) else until,
                text=before.text if clean is None else clean,
            )
            if (before.at, before.until) != (after.at, after.until):
                self._check_times(after)
            bookmarks = tables.bookmarks
            same = bookmarks.c.id == bookmark_id
            connection.execute(sa.update(bookmarks).where(same).values(**_changeable(after)))
            return after

        return await self._store.write(fn, then=self._tell_set)

    async def remove(self, bookmark_id: str) -> None:
        """Raises `Fault` ``no_bookmark``."""

        def fn(connection: sa.Connection) -> Bookmark:
            before = _find(connection, bookmark_id)
            if before is None:
                raise no_bookmark()
            connection.execute(sa.delete(tables.bookmarks).where(tables.bookmarks.c.id == bookmark_id))
            return before

        await self._store.write(fn, then=lambda before: self.changes.publish(BookmarkRemoved(before)))

    def _tell_set(self, bookmark: Bookmark) -> None:
        self.changes.publish(BookmarkSet(bookmark))

    def _check_times(self, bookmark: Bookmark) -> None:
        latest = self._clock.utc_90k() + AHEAD
        for field, time in (("at", bookmark.at), ("until", bookmark.until)):
            if time is not None and time > latest:
                message = f"{to_rfc3339(time)} is still to come."
                raise invalid("bad_time", message, "Mark what has happened.", field=field)
        if bookmark.until is None:
            return
        if bookmark.until <= bookmark.at:
            hint = "Let it end later, or leave the end out to mark a moment."
            raise invalid("bad_time", "It ends before it begins.", hint, field="until")
        if bookmark.until - bookmark.at > LONGEST:
            raise invalid("bad_time", "It is longer than 31 days.", "Mark the beginning and the end.", field="until")


def no_bookmark() -> Fault:
    return Fault(Kind.NOT_FOUND, "no_bookmark", "There is no such bookmark.", "It may have been removed meanwhile.")


def _some(
    connection: sa.Connection, *, wanted: Wanted, words: list[str], limit: int
) -> tuple[list[Bookmark], Place | None]:
    """At most ``limit`` of them, and where to go on; words are looked for in so many texts at once, and no more."""
    asked = _select(wanted)
    last = connection.execute(asked.offset(SEARCHED - 1).limit(1)).first() if words else None
    if last is not None:
        here = sa.tuple_(tables.bookmarks.c.at, tables.bookmarks.c.id)
        asked = asked.where(here >= sa.tuple_(last.at, last.id))
    for word in words:
        asked = asked.where(tables.bookmarks.c.searched.contains(word, autoescape=True))
    found = [_bookmark(row) for row in connection.execute(asked.limit(limit))]
    return found, None if last is None else Place(last.at, last.id)


def _select(wanted: Wanted) -> sa.Select[tuple[object, ...]]:
    columns = tables.bookmarks.c
    asked = sa.select(tables.bookmarks).order_by(columns.at.desc(), columns.id.desc())
    if wanted.cameras is not None:
        # of many cameras all would be sorted before the first is known: what no index knows is found by time
        camera = columns.camera_id if len(wanted.cameras) <= FEW_CAMERAS else sa.func.coalesce(columns.camera_id, "")
        asked = asked.where(camera.in_(sorted(wanted.cameras)))
    if wanted.end is not None:
        asked = asked.where(columns.at < wanted.end)
    if wanted.start is not None:
        asked = asked.where(columns.at > wanted.start - LONGEST)
        asked = asked.where(sa.func.coalesce(columns.until, columns.at + 1) > wanted.start)
    if wanted.after is not None:
        asked = asked.where(sa.tuple_(columns.at, columns.id) < sa.tuple_(wanted.after.at, wanted.after.id))
    return asked


def _check_owners(connection: sa.Connection, bookmark: Bookmark) -> None:
    """Either may have been removed since the caller looked."""
    camera = sa.select(tables.cameras.c.id).where(tables.cameras.c.id == bookmark.camera_id)
    if connection.execute(camera).first() is None:
        raise Fault(Kind.NOT_FOUND, "no_camera", "There is no such camera.", field="camera")
    user = sa.select(tables.users.c.id).where(tables.users.c.id == bookmark.user_id)
    if bookmark.user_id is not None and connection.execute(user).first() is None:
        raise Fault(Kind.NOT_FOUND, "no_such_user", "There is no such user.")


def _check_room(connection: sa.Connection, user_id: str | None) -> None:
    count = sa.select(sa.func.count()).select_from(tables.bookmarks)
    own = count.where(tables.bookmarks.c.user_id == user_id)
    if user_id is not None and connection.execute(own).scalar_one() >= PER_USER:
        message = f"You have {PER_USER} bookmarks, and there is no room for more."
        raise Fault(Kind.LIMITED, "too_many_bookmarks", message, "Remove some that you no longer need.")
    if connection.execute(count).scalar_one() >= MOST:
        message = f"There are {MOST} bookmarks of all users, and there is no room for more."
        raise Fault(Kind.LIMITED, "too_many_bookmarks", message, "Remove some, or ask your administrator to.")


def _find(connection: sa.Connection, bookmark_id: str) -> Bookmark | None:
    asked = sa.select(tables.bookmarks).where(tables.bookmarks.c.id == bookmark_id)
    row = connection.execute(asked).first()
    return None if row is None else _bookmark(row)


def _bookmark(row: sa.Row[tuple[object, ...]]) -> Bookmark:
    return Bookmark(row.id, row.camera_id, row.user_id, row.at, row.until, row.text)


def _changeable(bookmark: Bookmark) -> dict[str, object]:
    text = bookmark.text
    return {"at": bookmark.at, "until": bookmark.until, "text": text, "searched": searchable(text)}
