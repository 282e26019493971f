"""``live.mjpeg``: live pictures as one answer without end (``multipart/x-mixed-replace``), for whatever shows JPEG.

The pictures are those of transcoded viewers, made once a size and framed once, or the camera's own where it sends JPEG.
A client that is too slow for all of them gets the newest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio
from quart import Response

from appliance.auth.rights import Right
from appliance.base.faults import invalid
from appliance.media.picture import BOUNDARY
from appliance.serve.outlet import Form, Outlet
from appliance.streams.audience import Member
from appliance.streams.beginning import PATIENCE_S, no_picture
from appliance.streams.messages import Want
from appliance.streams.viewer import Viewer
from appliance.web import problem
from appliance.web.live import ViewPolicy, check_cap, writing
from appliance.web.security import STREAM_HEADERS
from appliance.web.table import Parameter, Route, Video

if TYPE_CHECKING:
    from appliance.sites.cameras import Camera
    from appliance.streams.hub import Segment
    from appliance.streams.renditions import Rendition
    from appliance.streams.slots import Slot
    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services

MEDIA_TYPE: Final = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
#: Beginning with a boundary: the next comes behind each picture.
HEAD: Final = f"HTTP/1.1 200 OK\r\nContent-Type: {MEDIA_TYPE}\r\n".encode() + STREAM_HEADERS
HEAD_AND_BOUNDARY: Final = HEAD + f"\r\n--{BOUNDARY}\r\n".encode()
#: A view that says nothing is looked at so often: which stream and size are best for it, and that its session is used.
LOOK_S = 2.0
WIDEST, FASTEST = 8192, 60.0
USUAL_FPS = 25.0


class Mjpeg:
    """The route of this module."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def add_to(self, gate: Gate) -> None:
        gate.add(
            Route(
                "live_mjpeg",
                "GET",
                "/api/v1/cameras/<camera_id>/live.mjpeg",
                Right.LIVE,
                self.watch,
                "Live pictures as JPEG, one after the other, for whatever has no decoder for video",
                camera="camera_id",
                by_ticket=True,
                video=Video.MASKED,
                media_type=MEDIA_TYPE,
                endless=True,
                query=(
                    Parameter("width", "integer", "so wide the pictures are at least, if the camera's are"),
                    Parameter("fps", "number", f"so many pictures a second at most; {USUAL_FPS:g} if not given"),
                ),
            )
        )

    async def watch(self, call: Call) -> Response:
        """Send pictures until either side is done."""
        want = Want(width=call.number("width", 16, WIDEST) or 0, fps=_fps(call), mode="transcoded")
        check_cap(self._services, call.who)
        camera, connection = call.watched, call.connection
        connection.prepare_for_media()
        outlet = Outlet(connection, form=Form.PART)
        outlet.control(HEAD_AND_BOUNDARY)  # what comes waits behind it until it is written
        begun = trio.Event()

        def begin(_slot: Slot, _rendition: Rendition, _segment: Segment, _audio: bool) -> list[bytes]:
            begun.set()
            return []

        with Viewer(
            outlet,
            self._services.directory,
            camera,
            ViewPolicy(self._services, call.who, camera.id),
            self._services.transcoders,
            announce_pictures=begin,
            tell=lambda _status: None,
        ) as viewer:
            member = Member(call.who, camera.id, call.address, outlet, viewer, trio.current_time())
            with self._services.audience.join(member):
                self._services.judge(member)
                viewer.want(want)
                await self._wait_for_picture(member, begun, camera)
                await self._serve(member, call)
        connection.finish()
        return Response(b"")  # never sent: the connection is ours and closed

    async def _wait_for_picture(self, member: Member, begun: trio.Event, camera: Camera) -> None:
        """Nothing is sent before there is something to show.  Raises `Fault` where nothing comes, or nothing may."""
        with trio.move_on_after(PATIENCE_S):
            async with trio.open_nursery() as nursery:

                async def until_ended() -> None:
                    await member.ended.wait()
                    nursery.cancel_scope.cancel()

                async def look() -> None:
                    while True:
                        await trio.sleep(LOOK_S)
                        member.viewer.decide()

                nursery.start_soon(until_ended)
                nursery.start_soon(look)
                await begun.wait()
                nursery.cancel_scope.cancel()
        if member.ending is not None:
            raise problem.no_camera()
        if not begun.is_set():
            raise no_picture(self._services.directory.state(camera.id).reason, camera.name)

    async def _serve(self, member: Member, call: Call) -> None:
        async with writing(member):
            while member.ending is None:
                with trio.move_on_after(LOOK_S):
                    await member.ended.wait()
                    break
                self._services.keep_alive(call.session)
                member.viewer.decide()


def _fps(call: Call) -> float:
    text = call.query.get("fps", "")
    if not text:
        return USUAL_FPS
    try:
        fps = float(text) if len(text) <= 9 and text.isascii() else 0.0
    except ValueError:
        fps = 0.0
    if not 0 < fps <= FASTEST:  # nan too
        raise invalid(
            "bad_parameter", f"fps={text[:20]!r} cannot be used.", f"Give a number up to {FASTEST:g}.", field="fps"
        )
    return fps
