"""May this principal do this to this camera?  Answered from memory, at once; denied unless granted (design §7, SEC-6).

A snapshot of who may do what, which `auth.users` keeps in step with the store.  Every question looks up the
user anew, so that a role or a grant taken away counts from the next question on, whatever the asker still holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from appliance.base.watch import Broadcast

if TYPE_CHECKING:
    from collections.abc import Mapping


class Role(StrEnum):
    """What a user is.  An administrator may do everything; a viewer nothing until granted."""

    ADMINISTRATOR = "administrator"
    VIEWER = "viewer"


class Right(StrEnum):
    """What may be allowed: the first ones per camera, `ADMINISTER` on the whole server."""

    LIVE = "live"
    AUDIO = "audio"
    UNMASKED = "unmasked"  # what the camera's privacy mask hides, and its stream as it is
    PLAYBACK = "playback"  # what was recorded, its events and bookmarks
    EXPORT = "export"  # recordings as files
    ADMINISTER = "administer"


#: The rights that are granted camera by camera.
CAMERA_RIGHTS: Final = (Right.LIVE, Right.AUDIO, Right.UNMASKED, Right.PLAYBACK, Right.EXPORT)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a user, and the session by which they do (None: not by a session)."""

    user_id: str
    name: str
    role: Role
    session_id: str | None = None


#: The peer of the Unix socket: whoever may read the data folder may administer (design §7).
#: No user of the store has this id, since theirs are UUIDs.
LOCAL: Final = Principal(user_id="local", name="local", role=Role.ADMINISTRATOR)


class AllCameras:
    """Every camera, those added later too.  Tests membership like a set; there is one, `ALL`."""

    def __contains__(self, camera_id: object) -> bool:
        return True

    def __repr__(self) -> str:
        return "ALL"


ALL: Final = AllCameras()
#: A set of camera ids, or `ALL`; ``camera_id in cameras`` answers for both.
Cameras = frozenset[str] | AllCameras
NONE: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Holdings:
    """What one user holds.  A disabled user holds nothing, whatever stands here."""

    role: Role
    disabled: bool = False
    grants: Mapping[Right, Cameras] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RightsChange:
    """The users whose rights changed (gained or lost): whatever runs for them has to ask again."""

    user_ids: frozenset[str]


class Rights:
    """The snapshot.  Readers call `allows` and `cameras`; only `auth.users` calls `put` and `drop`.

    ``changes`` tells running streams to ask again (abuse A28: a revoked right ends a stream within 5 s).
    """

    def __init__(self) -> None:
        self._holders: dict[str, Holdings] = {}
        self.changes: Broadcast[RightsChange] = Broadcast()

    def allows(self, principal: Principal, right: Right, camera_id: str | None = None) -> bool:
        """Whether ``principal`` has ``right``, for a right per camera on that camera.

        Without ``camera_id`` such a right must be held on all cameras.
        """
        cameras = self.cameras(principal, right)
        return cameras is ALL if camera_id is None else camera_id in cameras

    def cameras(self, principal: Principal, right: Right) -> Cameras:
        """The cameras on which ``principal`` has ``right``; for `Right.ADMINISTER` all or none."""
        if principal.user_id == LOCAL.user_id:
            return ALL
        held = self._holders.get(principal.user_id)
        if held is None or held.disabled:
            return NONE
        if held.role is Role.ADMINISTRATOR:
            return ALL
        if right not in CAMERA_RIGHTS:
            return NONE
        return held.grants.get(right, NONE)

    def put(self, user_id: str, holdings: Holdings) -> None:
        """Take what a user holds from now on; listeners are told if it differs."""
        if self._holders.get(user_id) != holdings:
            self._holders[user_id] = holdings
            self.changes.publish(RightsChange(frozenset({user_id})))

    def drop(self, user_id: str) -> None:
        """The user is gone, and with them all rights."""
        if self._holders.pop(user_id, None) is not None:
            self.changes.publish(RightsChange(frozenset({user_id})))

    def forget_camera(self, camera_id: str) -> None:
        """Drop a removed camera from every grant.  No news: the camera's own removal ends its streams."""
        for user_id, held in self._holders.items():
            grants = {
                right: cameras if isinstance(cameras, AllCameras) else cameras - {camera_id}
                for right, cameras in held.grants.items()
            }
            self._holders[user_id] = Holdings(held.role, held.disabled, grants)
