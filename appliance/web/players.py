"""Live video for players and scripts: ``live.mp4`` and ``snapshot.jpg`` (design §9)."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import trio
from quart import Response

from appliance.auth.rights import Right
from appliance.base.faults import Fault, Kind
from appliance.serve.fanout import STUCK_S, Outlet
from appliance.streams.audience import Ending, Member
from appliance.streams.messages import Want
from appliance.streams.viewer import Viewer
from appliance.web import problem
from appliance.web.live import FAREWELL_S, ViewPolicy, is_one_too_many, write
from appliance.web.security import STREAM_HEADERS
from appliance.web.table import Parameter, Route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.auth.rights import Principal
    from appliance.serve.connection import Connection
    from appliance.sites.cameras import StreamConfig
    from appliance.streams.hub import Segment
    from appliance.streams.slots import Slot
    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services

#: A player's stream begins with sound if it comes within this time; what is made here may need a worker to be started.
SOUND_S, MADE_SOUND_S = 2.0, 6.0
MP4_PATIENCE_S = 15.0
#: A view without a client's word uses its session so often.
USE_S = 60.0
CHANGED = Ending(1000, "the stream changed")
LARGEST_SNAPSHOT = 8192
#: Pictures that one user may wait for at once: each size is a decoding, and the workers have a queue for all users.
SNAPSHOTS_PER_USER = 16
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
                "The newest picture as JPEG",
                camera="camera_id",
                by_ticket=True,
                media_type="image/jpeg",
                query=(
                    Parameter("width", "integer", "at most so many samples wide"),
                    Parameter("at", "string", "a time, for a recorded picture: there are none yet"),
                ),
            )
        )

    async def mp4(self, call: Call) -> Response:
        """The same fragments as the body of a response that ends when the stream changes its format, or with us."""
        camera, connection = call.watched, call.connection
        wanted = call.query.get("stream")
        stream = next((one for one in camera.streams if wanted in (None, one.name)), None)
        if stream is None:
            raise Fault(
                Kind.NOT_FOUND,
                "no_stream",
                f"The camera has no stream “{call.query['stream'][:40]}”.",
                f"It has: {', '.join(one.name for one in camera.streams)}.",
                field="stream",
            )
        self._check_cap(call.who)
        policy = ViewPolicy(self._services, call.who, camera.id)
        with self._services.directory.lease(camera, stream) as hub:
            with trio.move_on_after(MP4_PATIENCE_S):
                await hub.wait_beginning()
            segment = hub.segment
            if segment is None:
                reason = hub.state.value.reason or "no_picture"
                raise Fault(Kind.UNAVAILABLE, reason, f"“{camera.name}” gives no picture.")
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
        connection = call.connection
        connection.prepare_for_media()
        outlet = Outlet(connection, framed=False)
        begun: list[Member] = []

        def begin(_slot: Slot, segment: Segment, audio: bool) -> list[bytes]:
            if begun:  # another format or another zero of time: a file has only one
                begun[0].end(CHANGED)
                outlet.stop()  # now: the fragment that brought the change is offered next
                return []
            begun.append(member)
            return [segment.init(audio=audio)]

        def tell(_status: str) -> None:
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
                await self._serve_mp4(member, call)

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

    async def _serve_mp4(self, member: Member, call: Call) -> None:
        written = trio.Event()
        async with trio.open_nursery() as sending:
            sending.start_soon(write, member, written)
            while member.ending is None:
                self._services.keep_alive(call.session)
                with trio.move_on_after(USE_S):
                    await member.ended.wait()
            member.outlet.stop()
            with trio.move_on_after(FAREWELL_S):
                await written.wait()
            sending.cancel_scope.cancel()

    async def snapshot(self, call: Call) -> Response:
        if "at" in call.query:  # the newest picture would be another than was asked for
            raise Fault(Kind.UNSUPPORTED, "no_recordings", "There are no recordings.", "Leave out at=.", field="at")
        width = call.number("width", 16, LARGEST_SNAPSHOT)
        with self._one_more(call.who.user_id):
            taken = await self._services.snapshots.take(call.watched, width)
        if not self._services.rights.allows(call.who, Right.LIVE, call.watched.id):  # it may have taken a while
            raise problem.no_camera()
        return Response(taken.jpeg, content_type="image/jpeg", headers={"Cache-Control": "no-store"})

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
        if is_one_too_many(self._services, principal):
            raise Fault(Kind.LIMITED, "too_many_streams", "You have too many streams open.", "Close one of them.")
