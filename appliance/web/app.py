"""The web application: all routes behind the gate, one authorisation table."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

from quart.routing import QuartRule
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException
from werkzeug.routing import WebsocketMismatch

from appliance.base.faults import Fault, Kind
from appliance.web import front, problem
from appliance.web.admin_cameras import CameraAdministration
from appliance.web.admin_recorder import RecorderFigures
from appliance.web.admin_recorder_check import RecorderCheck
from appliance.web.admin_settings import SettingsAdministration
from appliance.web.admin_users import UserAdministration
from appliance.web.bookmarks import BookmarkRoutes
from appliance.web.camera_events import CameraEvents
from appliance.web.camera_test import CameraTests
from appliance.web.cameras import Cameras
from appliance.web.capacity import CapacityRoutes
from appliance.web.doctor import Doctor
from appliance.web.events import Events
from appliance.web.gate import LARGEST_BODY, Gate, too_large
from appliance.web.hls import Hls
from appliance.web.live import Live
from appliance.web.mjpeg import Mjpeg
from appliance.web.openapi import document
from appliance.web.pages import Pages
from appliance.web.playback import PlaybackRoutes
from appliance.web.players import Players
from appliance.web.recording_files import RecordingFiles
from appliance.web.recordings import Recordings
from appliance.web.session import SessionRoutes
from appliance.web.status import StatusRoutes
from appliance.web.table import Access, Route, Table
from appliance.web.trust import Trust

if TYPE_CHECKING:
    from collections.abc import Callable

    from quart import Response

    from appliance.web.gate import Call
    from appliance.web.services import Services


class Address(QuartRule):
    """A rule that addresses are looked up by and never made from.

    To compile what makes addresses, as the framework does for each, is most of what the application takes at a start.
    """

    def _compile_builder(self, _append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        return _never


def _never(*_: object, **__: object) -> tuple[str, str]:
    raise RuntimeError("addresses are looked up here, never made")


class Part(Protocol):
    """Some routes."""

    def add_to(self, gate: Gate) -> None: ...


def create_app(services: Services, *more: Part) -> tuple[QuartTrio, Table]:
    """The application and its authorisation table; ``more``: parts beside those of the house.

    Raises RuntimeError for a route that is not in the table.
    """
    app = QuartTrio("appliance.web", static_folder=None, template_folder=None)
    app.url_rule_class = Address
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.merge_slashes = False  # an address with an empty part is nobody's, and no reason to send people on
    gate = Gate(app, services)
    cameras, bookmarks = Cameras(services), BookmarkRoutes(services)
    parts: tuple[Part, ...] = (
        SessionRoutes(services),
        cameras,
        Live(services),
        PlaybackRoutes(services),
        Players(services),
        Mjpeg(services),
        Hls(services),
        Recordings(services),
        RecordingFiles(services),
        bookmarks,
        Events(services, cameras, bookmarks),
        CameraEvents(services),
        StatusRoutes(services),
        CapacityRoutes(services),
        Doctor(services),
        UserAdministration(services),
        CameraAdministration(services),
        SettingsAdministration(services),
        RecorderCheck(services),
        RecorderFigures(services),
        CameraTests(services),
        Trust(services),
        Pages(services.pages),
        *more,
    )
    for part in parts:
        part.add_to(gate)

    async def openapi(_call: Call) -> dict[str, Any]:  # noqa: ASYNC124 (every handler is awaited)
        return document(gate.table)

    gate.add(Route("openapi", "GET", "/api/v1/openapi.json", Access.SIGNED_IN, openapi, "This document", answer=dict))
    gate.table.check(app.url_map)
    front.install(app, services)
    app.register_error_handler(HTTPException, _http_error)
    return app, gate.table


async def _http_error(error: HTTPException) -> Response:  # noqa: ASYNC124 (Quart runs plain functions in threads)
    """What the framework refuses by itself: unknown addresses, wrong methods, bodies too large."""
    try:
        status = HTTPStatus(error.code or 500)
    except ValueError:
        status = HTTPStatus.INTERNAL_SERVER_ERROR
    if status is HTTPStatus.NOT_FOUND:
        return problem.answer(problem.not_found())
    if status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return problem.answer(too_large(), status)
    if isinstance(error, WebsocketMismatch):
        fault = Fault(Kind.INVALID, "websocket", "This address is for WebSockets, or just not for them.")
        return problem.answer(fault, status)
    code = status.phrase.lower().replace(" ", "_")
    response = problem.answer(Fault(Kind.INVALID, code, f"{status.phrase}."), status)
    if error.code == 405 and (allowed := getattr(error, "valid_methods", None)):
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response
