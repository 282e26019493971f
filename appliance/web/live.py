"""Live video over the WebSocket of design §9.

The handler shakes hands and listens; pictures go past it, from the hub's task straight to the connection.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import trio
from quart import websocket

from appliance.auth.rights import Right
from appliance.base.faults import Fault
from appliance.serve.fanout import Outlet, ReaderStuckError
from appliance.serve.frames import text_frame
from appliance.serve.guard import Bucket
from appliance.settings.tabs import PerformanceTab
from appliance.streams import messages
from appliance.streams.audience import TOO_MANY, TOO_SLOW, Ending, Member
from appliance.streams.messages import Stats, Want
from appliance.streams.viewer import Viewer
from appliance.web.table import Route

if TYPE_CHECKING:
    from appliance.auth.rights import Principal
    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services

log = logging.getLogger(__name__)

#: The first message has to come within this time.
FIRST_MESSAGE_S = 10.0
#: How long a message on its way may take to be finished when a view ends.
FAREWELL_S = 1.0
#: A camera is tried again at a viewer's wish at most so often.
RETRY_EVERY_S = 1.0
#: Bad messages are answered: so many at once, then one a second.
COMPLAINTS, COMPLAINTS_PER_S = 10, 1.0
NO_FIRST_MESSAGE = Ending(1008, "no first message")


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

    # --- the WebSocket ------------------------------------------------------------------------------------------

    async def watch(self, call: Call) -> None:
        """Serve one live view until either side is done."""
        await websocket.accept()
        connection = call.connection
        camera = self._services.cameras.find(call.watched.id) or call.watched  # as it is after the handshake
        if is_one_too_many(self._services, call.who):
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
            sending.start_soon(write, member, written)
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


def is_one_too_many(services: Services, principal: Principal) -> bool:
    """Whether this user, or the server, has as many live streams open as the settings allow (abuse A6)."""
    limits, audience = services.settings.tab(PerformanceTab), services.audience
    return audience.count(principal.user_id) >= limits.streams_per_user or len(audience) >= limits.viewers_per_server


async def write(member: Member, written: trio.Event) -> None:
    """Write what waits for a member until its outlet stops; one that cannot be written to is ended."""
    try:
        await member.outlet.run()
    except ReaderStuckError:
        member.end(TOO_SLOW)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass  # the client is gone; Hypercorn cancels this handler
    finally:
        written.set()
