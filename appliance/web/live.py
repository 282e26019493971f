"""Live video over the WebSocket of design §9.

The handler shakes hands and listens; pictures go past it, from the hub's task straight to the connection.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import trio
from quart import websocket

from appliance.auth.rights import Right
from appliance.base.faults import Fault, Kind
from appliance.media.adaptive import StreamMode
from appliance.media.masks import EVERYTHING
from appliance.serve.frames import text_frame
from appliance.serve.guard import Bucket
from appliance.serve.outlet import Outlet, ReaderStuckError
from appliance.settings.tabs import PerformanceTab
from appliance.streams import messages
from appliance.streams.audience import TOO_MANY, TOO_SLOW, Ending, Member
from appliance.streams.messages import Stats, Want
from appliance.streams.viewer import Viewer
from appliance.web.table import Route, Video

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from appliance.auth.rights import Principal
    from appliance.auth.sessions import Session
    from appliance.media.ladder import Limit
    from appliance.media.masks import Mask
    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services

log = logging.getLogger(__name__)

#: The first message has to come within this time.
FIRST_MESSAGE_S = 10.0
#: How long a message on its way may take to be finished when a view ends.
FAREWELL_S = 1.0
#: What a client says between the answer to its handshake and its view; of more, the newest count.
EARLY_MESSAGES = 16
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
    def mode(self) -> StreamMode:
        return StreamMode(self.services.settings.tab(PerformanceTab).adaptive_mode)

    @property
    def direct(self) -> bool:
        return self.services.settings.tab(PerformanceTab).direct

    @property
    def may_hear(self) -> bool:
        return self.services.rights.allows(self.principal, Right.AUDIO, self.camera_id)

    @property
    def may_know(self) -> bool:
        return self.services.rights.allows(self.principal, Right.ADMINISTER)

    @property
    def mask(self) -> Mask:
        camera = self.services.cameras.find(self.camera_id)
        return EVERYTHING if camera is None else self.services.mask_for(self.principal, camera)

    @property
    def limit(self) -> Limit:
        return self.services.levels.limit

    @property
    def level(self) -> int:
        return self.services.levels.number


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
                video=Video.MASKED,
            )
        )

    # --- the WebSocket ------------------------------------------------------------------------------------------

    async def watch(self, call: Call) -> None:
        """Serve one live view until either side is done."""
        connection = call.connection
        listener = LiveListener(self._services, call.session)
        connection.take_messages(listener.hear, listener.close)
        await websocket.accept()
        camera = self._services.cameras.find(call.watched.id) or call.watched  # as it is after the handshake
        if is_one_too_many(self._services, call.who):
            await connection.close_websocket(TOO_MANY.code, TOO_MANY.reason)
            return
        connection.prepare_for_media()
        outlet = Outlet(connection, missed=lambda seconds: text_frame(messages.dropped(seconds)))
        policy = ViewPolicy(self._services, call.who, camera.id)
        with Viewer(outlet, self._services.directory, camera, policy, self._services.transcoders) as viewer:
            member = Member(call.who, camera.id, call.address, outlet, viewer, trio.current_time())
            with self._services.audience.join(member):
                self._services.judge(member)
                listener.viewer = viewer
                await serve(member, listener)
        if member.ending is not None:
            log.debug("live view of %s ended: %s", call.watched.name, member.ending.reason)
            await connection.close_websocket(member.ending.code, member.ending.reason)


class Listener(ABC):
    """Hears what the client of a view says, in the task that reads its connection.

    Each kind of view takes its own messages: `take` raises `Fault` for what cannot be used.
    """

    def __init__(self, services: Services, session: Session | None) -> None:
        self.wanted = trio.Event()  # the first message came
        self._services = services
        self._session = session
        self._member: Member | None = None
        self._early: deque[str | bytes] = deque(maxlen=EARLY_MESSAGES)
        self._complaints = Bucket(COMPLAINTS_PER_S, COMPLAINTS)

    @abstractmethod
    def take(self, said: str | bytes, member: Member) -> None:
        """Do what is said."""

    def hear(self, said: str | bytes) -> None:
        """Take a message; one that comes before there is a view waits for it."""
        if self._member is None:
            self._early.append(said)
        else:
            self._hear(said, self._member)

    def close(self) -> None:
        """The client has sent a close frame."""
        if self._member is not None:
            self._member.outlet.stop()

    def attend(self, member: Member) -> None:
        """From now on what is said is about this view."""
        self._member = member
        while self._early:
            self._hear(self._early.popleft(), member)

    def _hear(self, said: str | bytes, member: Member) -> None:
        if member.ending is not None:
            return
        try:
            self.take(said, member)
        except Fault as fault:
            if self._complaints.take(trio.current_time()):
                member.outlet.control(text_frame(messages.error(fault)))

    def hear_stats(self, stats: Stats, member: Member) -> None:
        """A client that says how it is is there."""
        member.buffer_s = stats.buffer_s
        self._services.keep_alive(self._session)


class LiveListener(Listener):
    """The same of a live view."""

    viewer: Viewer

    def __init__(self, services: Services, session: Session | None) -> None:
        super().__init__(services, session)
        self._retried_at = -RETRY_EVERY_S

    def take(self, said: str | bytes, member: Member) -> None:
        message = messages.parse(said)
        if isinstance(message, Want):
            self.wanted.set()
            self.viewer.want(message)
        elif isinstance(message, Stats):
            self.hear_stats(message, member)
            self.viewer.hear(message)
        elif trio.current_time() - self._retried_at >= RETRY_EVERY_S:
            self._retried_at = trio.current_time()
            self._services.directory.retry_now(member.camera_id)


async def serve(member: Member, listener: Listener) -> None:
    """Write to a member's client and hear it until the view ends."""
    async with writing(member), trio.open_nursery() as listening:
        listening.start_soon(_expect, member, listener)
        listener.attend(member)
        await member.ended.wait()
        listening.cancel_scope.cancel()


async def _expect(member: Member, listener: Listener) -> None:
    with trio.move_on_at(member.since + FIRST_MESSAGE_S):
        await listener.wanted.wait()
        return
    member.end(NO_FIRST_MESSAGE)


def is_one_too_many(services: Services, principal: Principal) -> bool:
    """Whether this user, or the server, has as many live streams open as the settings allow (abuse A6)."""
    limits, audience = services.settings.tab(PerformanceTab), services.audience
    return audience.count(principal.user_id) >= limits.streams_per_user or len(audience) >= limits.viewers_per_server


def check_cap(services: Services, principal: Principal) -> None:
    """The same, for answers that are not WebSockets.  Raises `Fault`."""
    if is_one_too_many(services, principal):
        raise Fault(Kind.LIMITED, "too_many_streams", "You have too many streams open.", "Close one of them.")


@asynccontextmanager
async def writing(member: Member) -> AsyncIterator[None]:
    """Write what waits for a member while the block lasts.  What has begun by then is finished, so that nothing that
    follows lands inside of it."""
    written = trio.Event()
    async with trio.open_nursery() as sending:
        sending.start_soon(_write, member, written)
        yield
        member.outlet.stop()
        with trio.move_on_after(FAREWELL_S):
            await written.wait()
        sending.cancel_scope.cancel()


async def _write(member: Member, written: trio.Event) -> None:
    """Write what waits for a member until its outlet stops; one that cannot be written to is ended."""
    try:
        await member.outlet.run()
    except ReaderStuckError:
        member.end(TOO_SLOW)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass  # the client is gone; Hypercorn cancels this handler
    finally:
        written.set()
