"""Recordings over the WebSocket of design §9: the same form as live, with commands."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import trio
from quart import websocket

from appliance.auth.rights import Right
from appliance.serve.frames import text_frame
from appliance.serve.outlet import Outlet
from appliance.streams import messages
from appliance.streams.audience import TOO_MANY, Member
from appliance.streams.messages import Stats, Want
from appliance.streams.playback import Playback
from appliance.web.live import Listener, ViewPolicy, is_one_too_many, serve
from appliance.web.table import Route, Video

if TYPE_CHECKING:
    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services

log = logging.getLogger(__name__)


class PlaybackRoutes:
    """The routes of this module."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def add_to(self, gate: Gate) -> None:
        gate.add(
            Route(
                "playback",
                "GET",
                "/api/v1/cameras/<camera_id>/playback",
                Right.PLAYBACK,
                self.watch,
                "Recorded video over a WebSocket",
                camera="camera_id",
                websocket=True,
                by_ticket=True,
                video=Video.MASKED,
            )
        )

    async def watch(self, call: Call) -> None:
        """Serve one playback session until either side is done."""
        services, connection = self._services, call.connection
        listener = PlaybackListener(services, call.session)
        connection.take_messages(listener.hear, listener.close)
        await websocket.accept()
        camera = services.cameras.find(call.watched.id) or call.watched  # as it is after the handshake
        if is_one_too_many(services, call.who):
            await connection.close_websocket(TOO_MANY.code, TOO_MANY.reason)
            return
        connection.prepare_for_media()
        outlet = Outlet(connection, missed=lambda seconds: text_frame(messages.dropped(seconds)))
        policy = ViewPolicy(services, call.who, camera.id)
        with services.turns.of(call.who.user_id) as turns:
            playback = Playback(
                outlet, services.archive, services.transcoders.crew, camera, policy, services.clock, turns
            )
            member = Member(
                call.who, camera.id, call.address, outlet, playback, trio.current_time(), needs=Right.PLAYBACK
            )
            with services.audience.join(member):
                services.judge(member)
                listener.playback = playback
                async with trio.open_nursery() as playing:
                    playing.start_soon(playback.run)
                    await serve(member, listener)
                    playing.cancel_scope.cancel()
        if member.ending is not None:
            log.debug("playback of %s ended: %s", call.watched.name, member.ending.reason)
            await connection.close_websocket(member.ending.code, member.ending.reason)


class PlaybackListener(Listener):
    """Hears what the client of a playback session says."""

    playback: Playback

    def take(self, said: str | bytes, member: Member) -> None:
        message = messages.parse_playback(said)
        if isinstance(message, Want):
            self.wanted.set()
            self.playback.want(message)
        elif isinstance(message, Stats):
            self.hear_stats(message, member)
            self.playback.hear(message)
        else:
            self._services.keep_alive(self._session)
            self.playback.command(message)
