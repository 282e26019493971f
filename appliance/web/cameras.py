"""Cameras as a user sees them: only those they have a right on, without addresses and passwords."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from appliance.auth.rights import CAMERA_RIGHTS, Right
from appliance.base.clock import to_rfc3339
from appliance.base.faults import Fault, Kind
from appliance.media.advice import advise
from appliance.web.table import Access, Route

if TYPE_CHECKING:
    from collections.abc import Iterable

    from appliance.auth.rights import Principal
    from appliance.media.advice import Advice
    from appliance.sites.cameras import Camera
    from appliance.streams.directory import CameraState, StreamFacts
    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services


class AdviceView(msgspec.Struct):
    """What to change in a camera (row DIR-3).  ``about``: gop or rate.

    ``measured``: seconds from one key frame to the next (``at_least``: that is not over yet), or pictures a second.
    ``message`` and ``hint`` say it in English.
    """

    about: str
    measured: float
    at_least: bool
    message: str
    hint: str


class StreamView(msgspec.Struct):
    """One stream of a camera, largest first; numbers as measured, None until known.  ``advice``: for administrators."""

    id: str
    name: str
    codec: str | None
    width: int | None
    height: int | None
    fps: float | None
    kbps: float | None
    advice: list[AdviceView] = []


class StateView(msgspec.Struct):
    """``state``: unknown, ok, waiting or lost; ``reason`` a word of the live protocol; ``since`` RFC 3339."""

    state: str
    reason: str | None
    since: str


class CameraView(msgspec.Struct):
    """A camera; ``rights``: what this user may do with it; ``masked``: a privacy mask hides a part of it from them.

    ``recorded``: there are recordings of it, or there are to be.  ``recording``: off, on, waiting or failed, with the
    reason why it is not recorded though it should be.  ``remove_at``: when it is to be removed, unless somebody takes
    that back meanwhile (RFC 3339).
    """

    id: str
    name: str
    site: str
    state: StateView
    streams: list[StreamView]
    rights: list[str]
    audio: bool
    masked: bool
    ptz: bool = False
    talk: bool = False
    recorded: bool = False
    recording: str = "off"
    recording_reason: str | None = None
    remove_at: str | None = None


class CameraList(msgspec.Struct):
    cameras: list[CameraView]


class TicketBody(msgspec.Struct, forbid_unknown_fields=True):
    """``path``: what the ticket is for, such as ``live.mp4``."""

    path: str


class TicketView(msgspec.Struct):
    """``ticket`` goes into ``?ticket=`` of that path, to be begun with within ``seconds``."""

    ticket: str
    seconds: int


TICKET_PATHS = (
    "live", "live.mp4", "live.mjpeg", "hls/index.m3u8", "snapshot.jpg", "playback",
    *(f"recording.{form}" for form in ("mp4", "mkv", "avi")),
)  # fmt: skip
TICKET_S = 60


class Cameras:
    """The routes of this module, and the views that events share."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def add_to(self, gate: Gate) -> None:
        gate.add(
            Route(
                "cameras",
                "GET",
                "/api/v1/cameras",
                Access.SIGNED_IN,
                self.all,
                "The cameras that the user may see",
                answer=CameraList,
            )
        )
        gate.add(
            Route(
                "camera",
                "GET",
                "/api/v1/cameras/<camera_id>",
                Access.SIGNED_IN,
                self.one,
                "One camera",
                camera="camera_id",
                answer=CameraView,
            )
        )
        gate.add(
            Route(
                "ticket",
                "POST",
                "/api/v1/cameras/<camera_id>/ticket",
                Access.SIGNED_IN,
                self.ticket,
                "A ticket for a player that cannot send headers",
                camera="camera_id",
                body=TicketBody,
                answer=TicketView,
                status=201,
                example={"path": "live.mp4"},
            )
        )

    async def all(self, call: Call) -> CameraList:
        return CameraList(self.seen_by(call.who))

    async def one(self, call: Call) -> CameraView:
        return self.view(call.watched, call.who)

    async def ticket(self, call: Call) -> TicketView:
        if call.body.path not in TICKET_PATHS:
            raise Fault(
                Kind.INVALID,
                "bad_path",
                f"There are no tickets for “{call.body.path[:40]}”.",
                f"Ask for one of {', '.join(TICKET_PATHS)}.",
                field="path",
            )
        path = f"/api/v1/cameras/{call.watched.id}/{call.body.path}"
        ticket = self._services.auth.tickets.issue(call.who, call.watched.id, path, seconds=TICKET_S)
        return TicketView(ticket.reveal(), TICKET_S)

    def seen_by(self, principal: Principal) -> list[CameraView]:
        """Every camera on which the principal has a right, in the order of the book."""
        rights = self._services.rights
        return [
            self.view(camera, principal)
            for camera in self._services.cameras.list()
            if any(rights.allows(principal, right, camera.id) for right in CAMERA_RIGHTS)
        ]

    def view(self, camera: Camera, principal: Principal) -> CameraView:
        directory = self._services.directory
        facts = [(stream, directory.facts(stream.id)) for stream in camera.streams]
        administers = self._services.rights.allows(principal, Right.ADMINISTER)
        rights = [right for right in CAMERA_RIGHTS if self._services.rights.allows(principal, right, camera.id)]
        return CameraView(
            id=camera.id,
            name=camera.name,
            site=camera.site_id,
            state=state_view(directory.state(camera.id)),
            streams=[
                StreamView(
                    id=stream.id,
                    name=stream.name,
                    codec=None if known.video is None else known.video.codec,
                    width=None if known.video is None else known.video.width,
                    height=None if known.video is None else known.video.height,
                    fps=known.measured.fps,
                    kbps=known.measured.kbps,
                    advice=advice_view(known) if administers else [],
                )
                for stream, known in facts
            ],
            rights=[str(right) for right in rights],
            audio=any(known.audio is not None for _, known in facts),
            masked=bool(self._services.mask_for(principal, camera)),
            remove_at=removed_at(self._services, camera),
            **self.recording(camera),
        )

    def recording(self, camera: Camera) -> dict[str, Any]:
        """What is told of its recording."""
        state = self._services.recorder.state(camera.id).value
        return {
            "recorded": camera.recording.on or camera.id in self._services.stock.kept,
            "recording": state.doing.value,
            "recording_reason": state.reason,
        }


def removed_at(services: Services, camera: Camera) -> str | None:
    due = services.removals.due(camera.id)
    return None if due is None else to_rfc3339(due)


def state_view(state: CameraState) -> StateView:
    return StateView(state.state, state.reason, to_rfc3339(state.since))


def advice_view(known: StreamFacts) -> list[AdviceView]:
    """What is advised, by what a stream sends."""
    measured, is_intra = known.measured, known.video is not None and known.video.is_intra
    return advice_views(advise(measured.gop_s, measured.fps, since_key_s=measured.since_key_s, is_intra=is_intra))


def advice_views(advice: Iterable[Advice]) -> list[AdviceView]:
    return [AdviceView(str(each.about), each.measured, each.at_least, each.message, each.hint) for each in advice]
