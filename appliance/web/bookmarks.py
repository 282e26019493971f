"""Bookmarks over REST: for whoever may play back the camera; changed by who made them, or by administrators."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import UNSET, UnsetType

from appliance.auth.rights import CAMERA_RIGHTS, LOCAL, AllCameras, Right
from appliance.base.clock import to_rfc3339
from appliance.base.faults import Fault, Kind, invalid
from appliance.base.ids import is_id
from appliance.recorder.bookmarks import PAGE_LIMIT, TEXT_LIMIT, Place, Same, Wanted, no_bookmark
from appliance.web import problem
from appliance.web.table import Access, Finder, Found, Parameter, Route, Video
from appliance.web.times import moment

if TYPE_CHECKING:
    from collections.abc import Collection

    from appliance.auth.rights import Principal
    from appliance.recorder.bookmarks import Bookmark
    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services

#: On one page, where the client does not say how many.
PAGE: Final = 200
_PLACE: Final = re.compile(r"(\d{1,15})\.([0-9a-f-]{36})", re.ASCII)


class NewBookmark(msgspec.Struct, forbid_unknown_fields=True):
    """``at``, ``until``: RFC 3339; without ``until`` a moment.  ``camera``: its id."""

    camera: str
    at: str
    text: str
    until: str | None = None


class BookmarkChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is not there stays as it is; ``until`` null makes a moment of a span."""

    text: str | UnsetType = UNSET
    at: str | UnsetType = UNSET
    until: str | UnsetType | None = UNSET


class BookmarkView(msgspec.Struct):
    """``user``: who made it; null: at the machine itself, or somebody who was removed.  ``mine``: the asker did."""

    id: str
    camera: str
    at: str
    until: str | None
    text: str
    user: str | None
    mine: bool


class BookmarkList(msgspec.Struct):
    """The newest first.  ``next`` goes into ``after=`` for the next page; null: this is the last."""

    bookmarks: list[BookmarkView]
    next: str | None


class BookmarkRoutes:
    """The routes of this module, and the view that events share."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def add_to(self, gate: Gate) -> None:
        path, one = "/api/v1/bookmarks", "/api/v1/bookmarks/<bookmark_id>"
        named = Finder(self._camera_of_body, problem.no_camera)
        there = Finder(self._bookmark_of_path, no_bookmark)
        gate.add(
            Route(
                "bookmarks",
                "GET",
                path,
                Access.SIGNED_IN,
                self.page,
                "Bookmarks on the cameras that the user may play back, the newest first",
                answer=BookmarkList,
                query=(
                    Parameter("camera", "string", "Of this camera only"),
                    Parameter("from", "string", "Those that are not over before (RFC 3339)"),
                    Parameter("to", "string", "Those that begin before (RFC 3339)"),
                    Parameter("q", "string", "Those with all these words in them, whatever their case and accents"),
                    Parameter("limit", "integer", f"How many, 1 to {PAGE_LIMIT}; {PAGE} if not given"),
                    Parameter("after", "string", "`next` of the page before"),
                ),
            )
        )
        gate.add(
            Route(
                "bookmark_add",
                "POST",
                path,
                Right.PLAYBACK,
                self.add,
                f"Mark a moment or a span; a text of at most {TEXT_LIMIT} characters",
                finder=named,
                video=Video.NONE,
                body=NewBookmark,
                answer=BookmarkView,
                status=201,
                example={
                    "camera": "3f2c9a52-7d0c-4a0e-9b1d-2f1f0c9d8e7a",
                    "at": "2026-03-12T14:03:27.120Z",
                    "text": "A red van",
                },
            )
        )
        gate.add(
            Route(
                "bookmark_change",
                "PATCH",
                one,
                Right.PLAYBACK,
                self.change,
                "Change an own bookmark; administrators any",
                finder=there,
                video=Video.NONE,
                body=BookmarkChange,
                answer=BookmarkView,
                example={"text": "A blue van"},
            )
        )
        gate.add(
            Route(
                "bookmark_remove",
                "DELETE",
                one,
                Right.PLAYBACK,
                self.remove,
                "Remove an own bookmark; administrators any",
                finder=there,
                video=Video.NONE,
                status=204,
            )
        )

    async def page(self, call: Call) -> BookmarkList:
        wanted = Wanted(
            self._cameras(call),
            call.moment("from"),
            call.moment("to"),
            call.query.get("q", ""),
            _place(call.query.get("after")),
        )
        page = await self._services.bookmarks.page(wanted, call.number("limit", 1, PAGE_LIMIT) or PAGE)
        after = None if page.next is None else f"{page.next.at}.{page.next.id}"
        return BookmarkList([self.view(each, call.who) for each in page.bookmarks], after)

    async def add(self, call: Call) -> BookmarkView:
        given: NewBookmark = call.body
        maker = None if call.who.user_id == LOCAL.user_id else call.who.user_id
        at = moment(given.at, field="at")
        until = None if given.until is None else moment(given.until, field="until")
        made = await self._services.bookmarks.add(call.watched.id, maker, at, until, given.text)
        return self.view(made, call.who)

    async def change(self, call: Call) -> BookmarkView:
        given: BookmarkChange = call.body
        self._check_owner(call)
        until: int | Same | None = Same.SAME
        if not isinstance(given.until, UnsetType):
            until = None if given.until is None else moment(given.until, field="until")
        changed = await self._services.bookmarks.change(
            call.found.id,
            at=None if isinstance(given.at, UnsetType) else moment(given.at, field="at"),
            until=until,
            text=None if isinstance(given.text, UnsetType) else given.text,
        )
        return self.view(changed, call.who)

    async def remove(self, call: Call) -> None:
        self._check_owner(call)
        await self._services.bookmarks.remove(call.found.id)

    def view(self, bookmark: Bookmark, principal: Principal) -> BookmarkView:
        maker = None if bookmark.user_id is None else self._services.auth.users.find(bookmark.user_id)
        return BookmarkView(
            bookmark.id,
            bookmark.camera_id,
            to_rfc3339(bookmark.at),
            None if bookmark.until is None else to_rfc3339(bookmark.until),
            bookmark.text,
            None if maker is None else maker.name,
            bookmark.user_id == principal.user_id,
        )

    def _cameras(self, call: Call) -> Collection[str] | None:
        """Of which cameras the asker gets bookmarks; None: of all."""
        rights, which = self._services.rights, call.query.get("camera")
        if which is None:
            allowed = rights.cameras(call.who, Right.PLAYBACK)
            return None if isinstance(allowed, AllCameras) else allowed
        camera = self._services.cameras.find(which)
        if camera is None or not any(rights.allows(call.who, right, camera.id) for right in CAMERA_RIGHTS):
            raise problem.no_camera()
        if not rights.allows(call.who, Right.PLAYBACK, camera.id):
            raise problem.no_right(Right.PLAYBACK)
        return [camera.id]

    async def _camera_of_body(self, call: Call) -> Found | None:  # noqa: ASYNC124 (every finder is awaited)
        return Found(call.body.camera)

    async def _bookmark_of_path(self, call: Call) -> Found | None:
        which = call.path["bookmark_id"]
        bookmark = await self._services.bookmarks.find(which) if is_id(which) else None
        return None if bookmark is None else Found(bookmark.camera_id, bookmark)

    def _check_owner(self, call: Call) -> None:
        bookmark: Bookmark = call.found
        if bookmark.user_id != call.who.user_id and not self._services.rights.allows(call.who, Right.ADMINISTER):
            message = "Somebody else made this bookmark."
            raise Fault(Kind.FORBIDDEN, "not_yours", message, "Ask them, or your administrator, to change it.")


def _place(text: str | None) -> Place | None:
    if text is None:
        return None
    found = _PLACE.fullmatch(text)
    if found is None:
        hint = "Give what `next` was in the answer before."
        raise invalid("bad_parameter", f"after={text[:60]!r} cannot be used.", hint, field="after")
    return Place(int(found[1]), found[2])
