"""The web application: all routes behind the gate, one authorisation table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException

from appliance.base.faults import Fault, Kind
from appliance.web import front, problem
from appliance.web.admin import Administration
from appliance.web.cameras import Cameras
from appliance.web.events import Events
from appliance.web.gate import LARGEST_BODY, Gate
from appliance.web.live import Live
from appliance.web.openapi import document
from appliance.web.pages import Pages
from appliance.web.session import SessionRoutes
from appliance.web.status import StatusRoutes
from appliance.web.table import Access, Route, Table
from appliance.web.trust import Trust

if TYPE_CHECKING:
    from quart import Response

    from appliance.web.gate import Call
    from appliance.web.services import Services


def create_app(services: Services) -> tuple[QuartTrio, Table]:
    """The application and its authorisation table.  Raises RuntimeError for a route that is not in the table."""
    app = QuartTrio("appliance.web", static_folder=None, template_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    gate = Gate(app, services)
    cameras = Cameras(services)
    for part in (
        SessionRoutes(services),
        cameras,
        Live(services),
        Events(services, cameras),
        StatusRoutes(services),
        Administration(services),
        Trust(services),
        Pages(services.pages),
    ):
        part.add_to(gate)

    async def openapi(_call: Call) -> dict[str, Any]:
        return document(gate.table)

    gate.add(Route("openapi", "GET", "/api/v1/openapi.json", Access.SIGNED_IN, openapi, "This document", answer=dict))
    gate.table.check(app.url_map)
    front.install(app, services)
    app.register_error_handler(HTTPException, _http_error)
    return app, gate.table


async def _http_error(error: HTTPException) -> Response:
    """What the framework refuses by itself: unknown addresses, wrong methods, bodies too large."""
    kinds = {404: Kind.NOT_FOUND, 405: Kind.NOT_FOUND, 413: Kind.LIMITED, 408: Kind.UNAVAILABLE}
    code = (error.name or "error").lower().replace(" ", "_")
    fault = Fault(kinds.get(error.code or 500, Kind.INVALID), code, f"{error.name}.")
    response = problem.answer(fault)
    response.status_code = error.code or 500
    if error.code == 405 and (allowed := getattr(error, "valid_methods", None)):
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response
