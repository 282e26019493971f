"""Administration of cameras: where they are, what is hidden of them, and how they are."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from quart import Response

from appliance.base.secrets import Secret
from appliance.media.masks import Point, checked, parse_mask
from appliance.sites.camera import configured
from appliance.sites.removals import LONGEST_S
from appliance.web.admin import add_route, named_camera
from appliance.web.cameras import AdviceView, StateView, advice_view, removed_at, state_view
from appliance.web.pinning import FIRST, shown_fingerprint
from appliance.web.recording_views import (
    Recording,
    RecordingChange,
    RecordingStateView,
    recording_values,
    recording_view,
    state_of_recording,
)
from appliance.web.table import Parameter

if TYPE_CHECKING:
    from appliance.media.masks import Mask
    from appliance.sites.cameras import Camera
    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services

GivenMask = list[list[Point]] | str


class CameraAccess(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """How a camera's streams are reached, beside the address of the largest.

    ``sub``: a smaller stream's address.  ``transport``: auto, tcp, udp or http.  ``fingerprint``: SHA-256 of the only
    certificate that an ``rtsps://`` camera may show.
    """

    sub: str | None = None
    username: str | None = None
    password: str | None = None
    transport: str | None = None
    fingerprint: str | None = None

    def __repr__(self) -> str:  # addresses may hold passwords
        return f"{type(self).__name__}()"


class NewCamera(CameraAccess, kw_only=True):
    """``url`` may hold user and password, or they are given apart; they are kept apart, encrypted.

    ``sub``: a smaller stream's address.  ``transport``: auto, tcp, udp or http.  ``fingerprint``: SHA-256 of the only
    certificate that an ``rtsps://`` camera may show, or "first": of the one that it shows now.

    ``mask``: polygons that hide a part of the picture from users without the right ``unmasked``, each a list of at
    least three points ``[x, y]`` as fractions of the picture, from its left upper corner; or as text,
    ``x,y x,y x,y; …``.  ``recording``: what differs from a camera that is not recorded.
    """

    name: str
    url: str
    mask: GivenMask | None = None
    recording: RecordingChange | None = None


class CameraChange(CameraAccess, kw_only=True, omit_defaults=True):
    """What is left out stays; ``sub`` empty: there is none any more.

    ``transport`` and ``fingerprint``: see `NewCamera`; empty: none is asked for.  ``mask``: see there; empty: none.
    """

    name: str | None = None
    url: str | None = None
    mask: GivenMask | None = None
    recording: RecordingChange | None = None


class AdminStream(msgspec.Struct):
    """``url`` without credentials; ``has_password`` says that there is one."""

    id: str
    name: str
    url: str
    username: str
    has_password: bool
    codec: str | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    kbps: float | None = None
    gop_s: float | None = None
    packets_lost: int | None = None  # since the stream was opened; None: it is not
    pictures_dropped: int | None = None  # because a part of them, or of what they refer to, was lost
    notes: list[str] = []
    oddities: list[str] = []
    advice: list[AdviceView] = []  # by what it sends, not by what it is set to


class AdminCamera(msgspec.Struct):
    """``remove_at``: when it is to be removed, unless that is taken back meanwhile (RFC 3339)."""

    id: str
    name: str
    site: str
    state: StateView
    message: str
    streams: list[AdminStream]
    mask: list[list[Point]]
    recording: Recording
    recording_state: RecordingStateView
    remove_at: str | None = None


class AdminCameras(msgspec.Struct):
    cameras: list[AdminCamera]


class CameraAdministration:
    """The routes of this module."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def add_to(self, gate: Gate) -> None:
        add = partial(add_route, gate)
        new_camera = {"name": "gate", "url": "rtsp://192.0.2.10/main", "sub": "rtsp://192.0.2.10/sub"}
        add("admin_cameras", "GET", "cameras", self.cameras, "All cameras", answer=AdminCameras)
        add(
            "camera_add",
            "POST",
            "cameras",
            self.add_camera,
            "Add a camera",
            body=NewCamera,
            answer=AdminCamera,
            status=201,
            example=new_camera,
        )
        add(
            "camera_change",
            "PATCH",
            "cameras/<which>",
            self.change_camera,
            "Change a camera",
            body=CameraChange,
            answer=AdminCamera,
            example={"name": "front gate"},
        )
        seconds = f"Remove it in so many seconds (1 to {LONGEST_S}) unless that is taken back"
        add(
            "camera_remove",
            "DELETE",
            "cameras/<which>",
            self.remove_camera,
            "Remove a camera",
            status=204,
            query=(Parameter("in_seconds", "integer", seconds),),
            accepted=AdminCamera,
        )
        add(
            "camera_keep",
            "DELETE",
            "cameras/<which>/removal",
            self.keep_camera,
            "Take back a removal that was to happen later",
            status=204,
        )

    async def cameras(self, _call: Call) -> AdminCameras:
        return AdminCameras([self._view(camera) for camera in self._services.cameras.list()])

    async def add_camera(self, call: Call) -> AdminCamera:
        given: NewCamera = call.body
        password = None if given.password is None else Secret(given.password)
        options: dict[str, Any] = {"transport": given.transport, "local": call.connection.local}
        if given.fingerprint == FIRST:
            streams = configured((), given.url, given.sub or None, given.username, password, **options)
            options["fingerprint"] = await shown_fingerprint(self._services, streams[0])
        else:
            options["fingerprint"] = given.fingerprint
        if given.mask is not None:
            options["mask"] = _mask(given.mask)
        if given.recording is not None:
            options["recording"] = recording_values(given.recording)
        options |= {"username": given.username, "password": password}
        return self._view(await self._services.cameras.add(given.name, given.url, given.sub or None, **options))

    async def change_camera(self, call: Call) -> AdminCamera:
        given: CameraChange = call.body
        camera = self._camera(call.path["which"])
        changes: dict[str, Any] = {
            name: value for name, value in msgspec.structs.asdict(given).items() if value is not None
        }
        if given.mask is not None:
            changes["mask"] = _mask(given.mask)
        if given.recording is not None:
            changes["recording"] = recording_values(given.recording)
        if "password" in changes:
            changes["password"] = Secret(changes["password"])
        if changes.get("fingerprint") == FIRST:
            less = {"url": None, "sub": None, "username": None, "password": None} | changes
            for other in ("fingerprint", "name", "mask", "recording"):
                less.pop(other, None)
            streams = configured(camera.streams, **less, local=call.connection.local)
            changes["fingerprint"] = await shown_fingerprint(self._services, streams[0])
        return self._view(await self._services.cameras.change(camera.id, local=call.connection.local, **changes))

    async def remove_camera(self, call: Call) -> Response | None:
        """Who asks for later is answered 202 and when: the appliance keeps the time, whatever becomes of the page."""
        camera = self._camera(call.path["which"])
        seconds = call.number("in_seconds", 1, LONGEST_S)
        if seconds is None:
            await self._services.cameras.remove(camera.id)
            return None
        self._services.removals.begin(camera.id, seconds)
        told = msgspec.json.encode(self._view(camera))
        return Response(told, 202, content_type="application/json", headers={"Cache-Control": "no-store"})

    async def keep_camera(self, call: Call) -> None:
        self._services.removals.cancel(self._camera(call.path["which"]).id)

    def _camera(self, which: str) -> Camera:
        return named_camera(self._services, which)

    def _view(self, camera: Camera) -> AdminCamera:
        directory = self._services.directory
        state = directory.state(camera.id)
        streams = []
        for stream in camera.streams:
            known, hub = directory.facts(stream.id), directory.hub(stream.id)
            view = AdminStream(stream.id, stream.name, stream.shown_url, stream.username, bool(stream.password))
            if known.video is not None:
                view.codec, view.width, view.height = known.video.codec, known.video.width, known.video.height
            view.fps, view.kbps, view.gop_s = known.measured.fps, known.measured.kbps, known.measured.gop_s
            view.advice = advice_view(known)
            if hub is not None:
                view.notes = list(hub.notes)
                counted = hub.source_statistics
                if counted is not None:
                    view.oddities = sorted(counted.oddities)
                    view.packets_lost, view.pictures_dropped = counted.packets_lost, counted.units_dropped
            streams.append(view)
        return AdminCamera(
            camera.id,
            camera.name,
            camera.site_id,
            state_view(state),
            state.message,
            streams,
            [list(polygon) for polygon in camera.mask],
            recording_view(camera.recording),
            state_of_recording(self._services.recorder.state(camera.id).value),
            removed_at(self._services, camera),
        )


def _mask(given: GivenMask) -> Mask:
    return parse_mask(given) if isinstance(given, str) else checked(given)
