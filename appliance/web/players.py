"""Live video for players and scripts: ``live.mp4`` and ``snapshot.jpg`` (design §9)."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import trio
from quart import Response

from appliance.auth.rights import Right
from appliance.base.clock import to_rfc3339
from appliance.base.faults import Fault, Kind
from appliance.media.masks import NO_MASK
from appliance.serve.outlet import STUCK_S, Form, Outlet
from appliance.streams.audience import Ending, Member
from appliance.streams.beginning import wait_beginning
from appliance.streams.messages import Want, asked
from appliance.streams.viewer import Viewer
from appliance.web import problem
from appliance.web.live import ViewPolicy, check_cap, writing
from appliance.web.security import STREAM_HEADERS
from appliance.web.table import Parameter, Route, Video

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.auth.rights import Principal
    from appliance.serve.connection import Connection
    from appliance.sites.cameras import Camera, StreamConfig
    from appliance.streams.hub import Segment
    from appliance.streams.slots import Slot
    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services
    from appliance.workers.wire import SnapshotDone

#: A player's stream begins with sound if it comes within this time; what is made here may need a worker to be started.
SOUND_S, MADE_SOUND_S = 2.0, 6.0
#: A view without a client's word uses its session so often.
USE_S = 60.0
CHANGED = Ending(1000, "the stream changed")
MASKED = Ending(4403, "privacy mask")
LARGEST_SNAPSHOT = 8192
#: Pictures that one user may wait for at once: each size is a decoding, and the workers have a queue for all users.
SNAPSHOTS_PER_USER = 16
#: A picture whose mask has changed meanwhile is taken anew so often.
SNAPSHOT_TRIES = 4
MP4_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n" + STREAM_HEADERS + b"\r\n"


class Players:
    """The routes of this module."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._asking: Counter[str] = Counter()  # by user id

    def add_to(self, gate: Gate) -> None:
        gate.add(
            Route(
                "live_mp4",
                "GET",
                "/api/v1/cameras/<camera_id>/live.mp4",
                Right.LIVE,
                self.mp4,
                "Live video as fragmented MP4, for players and scripts",
                camera="camera_id",
                by_ticket=True,
                media_type="video/mp4",
                video=Video.NATIVE,
                endless=True,
                query=(
                    Parameter("stream", "string", "main, sub …: the camera's stream; the largest if not given"),
                    Parameter("audio", "integer", "0: without sound"),
                ),
            )
        )
        gate.add(
            Route(
                "snapshot",
                "GET",
                "/api/v1/cameras/<camera_id>/snapshot.jpg",
                Right.LIVE,
                self.snapshot,
                "The newest picture as JPEG, or with `at` a recorded one",
                camera="camera_id",
                by_ticket=True,
                media_type="image/jpeg",
                video=Video.MASKED,
                query=(
                    Parameter("width", "integer", "at most so many samples wide"),
                    Parameter("at", "string", "a time (RFC 3339): the recorded picture of then, a key frame or nearly"),
                ),
                instead=("at", Right.PLAYBACK),
            )
        )

    async def mp4(self, call: Call) -> Response:
        """The same fragments as the body of a response that ends when the stream changes its format, or with us."""
        camera, connection = call.watched, call.connection
        stream = wanted_stream(camera, call.query.get("stream"))
        self._check_cap(call.who)
        policy = ViewPolicy(self._services, call.who, camera.id)
        if not policy.direct:
            raise Fault(
                Kind.FORBIDDEN,
                "direct_off",
                "Direct streaming is switched off.",
                "Watch in the browser, or take snapshot.jpg; an administrator may switch it on.",
            )
        with self._services.directory.lease(camera, stream) as hub:
            await wait_beginning(hub, camera.name)
            announced = hub.announced_audio
            hear = call.query.get("audio") != "0" and policy.may_hear and announced is not None
            with hub.hearing() if hear else nullcontext():  # a file has its tracks from the beginning
                if hear:
                    is_played = announced is not None and announced.is_played
                    with trio.move_on_after(SOUND_S if is_played else MADE_SOUND_S) as patience:
                        await hub.wait_beginning(audio=True)
                    hear = not patience.cancelled_caught
                await self._send_mp4(call, stream, policy, hear=hear)
        connection.finish()
        return Response(b"")  # never sent: the connection is ours and closed

    async def _send_mp4(self, call: Call, stream: StreamConfig, policy: ViewPolicy, *, hear: bool) -> None:
        self._check_cap(call.who)  # again: it took a while to get here
        camera = self._services.cameras.find(call.watched.id) or call.watched  # for the same reason
        self._services.refuse_native(call.who, camera)
        connection = call.connection
        connection.prepare_for_media()
        outlet = Outlet(connection, form=Form.BODY)
        begun: list[Member] = []

        def begin(_slot: Slot, segment: Segment, audio: bool) -> list[bytes]:
            if begun:  # another format or another zero of time: a file has only one
                begun[0].end(CHANGED)
                outlet.stop()  # now: the fragment that brought the change is offered next
                return []
            begun.append(member)
            return [segment.init(audio=audio)]

        def tell(_status: str) -> None:
            if policy.mask:
                member.end(MASKED)
                outlet.stop()
            now = self._services.cameras.find(camera.id)
            if now is not None and all(one.id != stream.id for one in now.streams):
                member.end(CHANGED)

        viewer = Viewer(outlet, self._services.directory, camera, policy, only=stream.id, announce=begin, tell=tell)
        with viewer:
            member = Member(call.who, camera.id, call.address, outlet, viewer, trio.current_time())
            with self._services.audience.join(member):
                self._services.judge(member)
                await self._send_head(connection)
                viewer.want(Want(audio=hear))
                await self._serve_mp4(member, call, policy)

    @staticmethod
    async def _send_head(connection: Connection) -> None:
        """Whoever has not even read the answer before this one is closed like any other reader that is stuck."""
        try:
            with trio.fail_after(STUCK_S):
                async with connection.send_lock:
                    await connection.send_all(MP4_HEAD)
        except trio.TooSlowError:
            connection.abort()
            raise trio.ClosedResourceError from None

    async def _serve_mp4(self, member: Member, call: Call, policy: ViewPolicy) -> None:
        async with writing(member):
            while member.ending is None:
                self._services.keep_alive(call.session)
                with trio.move_on_after(USE_S):
                    await member.ended.wait()
                if not policy.direct:
                    member.end(CHANGED)

    async def snapshot(self, call: Call) -> Response:
        width = call.number("width", 16, LARGEST_SNAPSHOT)
        at = call.moment("at")
        with self._one_more(call.who.user_id):
            taken, shown_at = await self._taken(call, width, None if at is None else asked(at))
        right = Right.LIVE if at is None else Right.PLAYBACK
        if not self._services.rights.allows(call.who, right, call.watched.id):  # it may have taken a while
            raise problem.no_camera()
        headers = {"Cache-Control": "no-store"}
        if shown_at is not None:
            headers["X-Picture-Time"] = to_rfc3339(shown_at)
        return Response(taken.jpeg, content_type="image/jpeg", headers=headers)

    async def _taken(self, call: Call, width: int | None, at: int | None) -> tuple[SnapshotDone, int | None]:
        """A picture, of a time if that is asked, with the mask that is due when it has come: both may change while it
        is waited for."""
        snapshots, camera = self._services.snapshots, call.watched
        due = self._services.mask_for(call.who, camera)
        for _ in range(SNAPSHOT_TRIES):
            mask = due
            taken: tuple[SnapshotDone, int | None]
            if at is None:
                taken = await snapshots.take(camera, width, mask), None
            else:
                taken = await snapshots.recorded(camera, at, width, mask)
            due = self._services.mask_for(call.who, camera)
            if due in (mask, NO_MASK):
                return taken
        raise Fault(Kind.CONFLICT, "privacy_mask", "The camera's privacy mask is being changed.", "Ask again.")

    @contextmanager
    def _one_more(self, user: str) -> Iterator[None]:
        """A place among the pictures that a user waits for.  Raises `Fault`."""
        if self._asking[user] >= SNAPSHOTS_PER_USER:
            raise Fault(
                Kind.LIMITED,
                "too_many_snapshots",
                "You are waiting for too many pictures.",
                "Ask for the next one when one has come.",
                retry_after_s=1,
            )
        self._asking[user] += 1
        try:
            yield
        finally:
            self._asking[user] -= 1
            if not self._asking[user]:
                del self._asking[user]

    def _check_cap(self, principal: Principal) -> None:
        check_cap(self._services, principal)


def wanted_stream(camera: Camera, name: str | None) -> StreamConfig:
    """The camera's stream of this name; the largest where none is given.  Raises `Fault` ``no_stream``."""
    stream = next((one for one in camera.streams if name in (None, one.name)), None)
    if stream is None:
        raise Fault(
            Kind.NOT_FOUND,
            "no_stream",
            f"The camera has no stream “{(name or '')[:40]}”.",
            f"It has: {', '.join(one.name for one in camera.streams)}.",
            field="stream",
        )
    return stream
