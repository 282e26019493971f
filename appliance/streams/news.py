"""News: what open pages have to hear of, and what running streams have to obey, from all rooms in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import trio

from appliance.auth.rights import RightsChange
from appliance.auth.sessions import SessionEnded
from appliance.base.watch import Broadcast
from appliance.sites.cameras import CameraAdded, CameraChanged, CameraRemoved
from appliance.streams.audience import CAMERA_REMOVED, RIGHT_TAKEN, SESSION_ENDED, STOPPING

if TYPE_CHECKING:
    from appliance.auth import Auth
    from appliance.sites.cameras import CameraBook
    from appliance.streams.audience import Audience, Member
    from appliance.streams.directory import Directory

#: More than any burst of changes: an overflow would leave a stream running that was forbidden.
ROOM = 10_000


@dataclass(frozen=True, slots=True)
class Lost:
    """Some news may be missing: ask for everything."""


@dataclass(frozen=True, slots=True)
class Stopping:
    """The server stops: there will be no more news."""


class Newsroom:
    """Collects, obeys, tells on.  `run` is its task."""

    def __init__(
        self, auth: Auth, cameras: CameraBook, directory: Directory, audience: Audience, *more: Broadcast[Any]
    ) -> None:
        """``more``: news that are only told on."""
        self._auth = auth
        self._cameras = cameras
        self._directory = directory
        self._audience = audience
        self._more = more
        self.told: Broadcast[object] = Broadcast()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Started once it listens; the directory then knows all cameras."""
        sources: list[Broadcast[Any]] = [self._cameras.changes, self._directory.changes]
        sources += [self._auth.rights.changes, self._auth.sessions.ended, *self._more]
        async with trio.open_nursery() as nursery:
            for source in sources:
                await nursery.start(self._collect, source)
            for camera in self._cameras.list():
                self._directory.camera_added(camera)
            task_status.started()

    async def _collect(
        self, source: Broadcast[Any], task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        while True:
            with source.listen(ROOM) as listener:
                task_status.started()
                while not listener.overflowed:
                    news = await listener.receive()
                    self._obey(news)
                    self.told.publish(news)
            task_status = trio.TASK_STATUS_IGNORED
            self._obey(Lost())
            self.told.publish(Lost())

    def _obey(self, news: object) -> None:
        if isinstance(news, CameraAdded):
            self._directory.camera_added(news.camera)
        elif isinstance(news, CameraChanged):
            self._directory.camera_changed(news.camera)
            for member in self._audience:
                if member.camera_id == news.camera.id:
                    member.viewer.camera_changed(news.camera)
        elif isinstance(news, CameraRemoved):
            self._directory.camera_removed(news.camera_id)
            self._auth.users.forget_camera(news.camera_id)
        if isinstance(news, CameraRemoved | RightsChange | SessionEnded | Lost):
            self._judge_all()

    def _judge_all(self) -> None:
        for member in self._audience:
            self.judge(member)

    def judge(self, member: Member) -> None:
        """End a view that is not allowed (any more); another chooses again (its sound may be gone).

        For a view that has just joined, too: much can happen between a handshake's check and its end.
        """
        session_id = member.principal.session_id
        if session_id is not None and not self._auth.sessions.is_open(session_id):
            member.end(SESSION_ENDED)
        elif self._cameras.find(member.camera_id) is None:
            member.end(CAMERA_REMOVED)
        elif not self._auth.rights.allows(member.principal, member.needs, member.camera_id):
            member.end(RIGHT_TAKEN)
        else:
            member.viewer.decide()

    async def stop(self) -> None:
        """Let everything without an end of its own end now: what answers without end holds up a stop."""
        await trio.lowlevel.checkpoint()
        self.told.publish(Stopping())
        for member in self._audience:
            member.end(STOPPING)
