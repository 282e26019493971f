"""Live video: the WebSocket of design §9, ``live.mp4`` and ``snapshot.jpg``.

The handler shakes hands and listens; pictures go past it, from the hub's task straight to the connection.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import trio
from quart import Response, websocket

from appliance.auth.rights import Right
from appliance.base.faults import Fault, Kind
from appliance.media.choice import Admission
from appliance.serve.fanout import Outlet, ReaderStuckError
from appliance.serve.frames import text_frame
from appliance.serve.guard import Bucket
from appliance.settings.tabs import PerformanceTab
from appliance.streams import messages
from appliance.streams.audience import TOO_MANY, TOO_SLOW, Ending, Member
from appliance.streams.messages import Stats, Want
from appliance.streams.viewer import Slot, Viewer
from appliance.web.security import STREAM_HEADERS
from appliance.web.table import Parameter, Route

if TYPE_CHECKING:
    from appliance.auth.rights import Principal
    from appliance.sites.cameras import Camera
    from appliance.streams.hub import Segment
    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services

log = logging.getLogger(__name__)

#: The first message has to come within this time.
FIRST_MESSAGE_S = 10.0
#: How long a message on its way may take to be finished when a view ends.
FAREWELL_S = 1.0
#: A camera is tried again at a viewer's wish at most so often.
RETRY_EVERY_S = 1.0
#: A player's stream begins with sound if it comes within this time.
SOUND_S = 2.0
MP4_PATIENCE_S = 15.0
#: Bad messages are answered: so many at once, then one a second.
COMPLAINTS, COMPLAINTS_PER_S = 10, 1.0
#: A view without a client's word uses its session so often.
USE_S = 60.0
NO_FIRST_MESSAGE = Ending(1008, "no first message")
LARGEST_SNAPSHOT = 8192
MP4_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n" + STREAM_HEADERS + b"\r\n"


@dataclass
class ViewPolicy:
    """Settings and rights, as `Viewer` asks for them."""

    services: Services
    principal: Principal
    camera_id: str

    @property
    def adaptive(self) -> bool:
        return self.services.settings.tab(PerformanceTab).adaptive

    @property
    def may_hear(self) -> bool:
        return self.services.rights.allows(self.principal, Right.AUDIO, self.camera_id)

    @property
    def may_know(self) -> bool:
        return self.services.rights.allows(self.principal, Right.ADMINISTER)


class Live:
    """The routes of this module."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def add_to(self, gate: Gate) -> None:
        gate.add(
            Route(
                "live",
                "GET",
                "/api/v1/cameras/<camera_id>/live",
                Right.LIVE,
                self.watch,
                "Live video over a WebSocket",
                camera="camera_id",
                websocket=True,
                by_ticket=True,
            )
        )
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

    # --- the WebSocket ------------------------------------------------------------------------------------------

    async def watch(self, call: Call) -> None:
        """Serve one live view until either side is done."""
        await websocket.accept()
        connection = call.connection
        camera = self._services.cameras.find(call.watched.id) or call.watched  # as it is after the handshake
        if self._is_one_too_many(call.who):
            await connection.close_websocket(TOO_MANY.code, TOO_MANY.reason)
            return
        connection.prepare_for_media()
        outlet = Outlet(connection, missed=lambda seconds: text_frame(messages.dropped(seconds)))
        policy = ViewPolicy(self._services, call.who, camera.id)
        with Viewer(outlet, self._services.directory, camera, policy) as viewer:
            member = Member(call.who, camera.id, call.address, outlet, viewer, trio.current_time())
            with self._services.audience.join(member):
                self._services.judge(member)
                await self._serve(member, call)
        if member.ending is not None:
            log.debug("live view of %s ended: %s", call.watched.name, member.ending.reason)
            await connection.close_websocket(member.ending.code, member.ending.reason)

    async def _serve(self, member: Member, call: Call) -> None:
        written = trio.Event()
        async with trio.open_nursery() as sending:
            sending.start_soon(_send, member, written)
            async with trio.open_nursery() as listening:
                listening.start_soon(self._listen, member, call)
                await member.ended.wait()
                listening.cancel_scope.cancel()
            # What has begun is finished, so that the close frame does not land inside it.
            member.outlet.stop()
            with trio.move_on_after(FAREWELL_S):
                await written.wait()
            sending.cancel_scope.cancel()

    async def _listen(self, member: Member, call: Call) -> None:
        retried_at = -RETRY_EVERY_S
        heard_want = False
        complaints = Bucket(COMPLAINTS_PER_S, COMPLAINTS)
        while True:
            with trio.CancelScope() as patience:
                if not heard_want:
                    patience.deadline = member.since + FIRST_MESSAGE_S
                said = await websocket.receive()
            if patience.cancelled_caught:
                member.end(NO_FIRST_MESSAGE)
                return
            try:
                message = messages.parse(said or b"")  # the framework has None for an empty one
            except Fault as fault:
                if complaints.take(trio.current_time()):
                    member.outlet.control(text_frame(messages.error(fault)))
                continue
            if isinstance(message, Want):
                heard_want = True
                member.viewer.want(message)
            elif isinstance(message, Stats):
                member.buffer_s = message.buffer_s
                self._services.keep_alive(call.session)
                member.viewer.decide()
            elif trio.current_time() - retried_at >= RETRY_EVERY_S:
                retried_at = trio.current_time()
                self._services.directory.retry_now(member.camera_id)

    def _check_cap(self, principal: Principal) -> None:
        if self._is_one_too_many(principal):
            raise Fault(Kind.LIMITED, "too_many_streams", "You have too many streams open.", "Close one of them.")

    def _is_one_too_many(self, principal: Principal) -> bool:
        limits = self._services.settings.tab(PerformanceTab)
        audience = self._services.audience
        return (
            audience.count(principal.user_id) >= limits.streams_per_user or len(audience) >= limits.viewers_per_server
        )

    # --- for players and scripts --------------------------------------------------------------------------------

    async def mp4(self, call: Call) -> Response:
        """The same fragments as the body of a response that ends when the stream changes its format, or with us."""
        camera, connection = call.watched, call.connection
        wanted = call.query.get("stream")
        stream = next((one for one in camera.streams if wanted in (None, one.name)), None)
        if stream is None:
            raise Fault(
                Kind.NOT_FOUND,
                "no_stream",
                f"The camera has no stream “{wanted}”.",
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
            hear = call.query.get("audio") != "0" and policy.may_hear and hub.announces_audio
            if hear:  # a file has its tracks from the beginning
                with trio.move_on_after(SOUND_S) as patience:
                    await hub.wait_beginning(audio=True)
                hear = not patience.cancelled_caught
            await self._send_mp4(call, replace(camera, streams=(stream,)), policy, hear=hear)
        connection.finish()
        return Response(b"")  # never sent: the connection is ours and closed

    async def _send_mp4(self, call: Call, camera: Camera, policy: ViewPolicy, *, hear: bool) -> None:
        """``camera`` has the one stream that is sent."""
        self._check_cap(call.who)  # again: it took a while to get here
        connection = call.connection
        connection.prepare_for_media()
        outlet = Outlet(connection, framed=False)
        begun: list[Member] = []

        def begin(_slot: Slot, segment: Segment, audio: bool) -> list[bytes]:
            if begun:  # another format or another zero of time: a file has only one
                begun[0].end(Ending(1000, "the stream changed"))
                outlet.stop()  # now: the fragment that brought the change is offered next
                return []
            begun.append(member)
            return [segment.init(audio=audio)]

        with Viewer(
            outlet,
            self._services.directory,
            camera,
            policy,
            announce=begin,
            tell=lambda _: None,
            admit=lambda _offered, _codec: Admission.YES,  # a player is asked for nothing: it gets what there is
        ) as viewer:
            member = Member(call.who, camera.id, call.address, outlet, viewer, trio.current_time())
            with self._services.audience.join(member):
                self._services.judge(member)
                async with connection.send_lock:
                    await connection.send_all(MP4_HEAD)
                viewer.want(Want(audio=hear))
                await self._serve_mp4(member, call)

    async def _serve_mp4(self, member: Member, call: Call) -> None:
        written = trio.Event()
        async with trio.open_nursery() as sending:
            sending.start_soon(_send, member, written)
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
        taken = await self._services.snapshots.take(call.watched, width)
        return Response(taken.jpeg, content_type="image/jpeg", headers={"Cache-Control": "no-store"})


async def _send(member: Member, written: trio.Event) -> None:
    try:
        await member.outlet.run()
    except ReaderStuckError:
        member.end(TOO_SLOW)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass  # the client is gone; Hypercorn cancels this handler
    finally:
        written.set()
