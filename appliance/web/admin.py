"""What the routes of the administration have in common: all of them need the right to administer (design §9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.auth.rights import Right
from appliance.base.faults import Fault, Kind
from appliance.web.table import Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from appliance.sites.cameras import Camera
    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services


def add_route(
    gate: Gate,
    name: str,
    method: str,
    path: str,
    handler: Callable[[Call], Awaitable[Any]],
    summary: str,
    **more: Any,
) -> None:
    """Serve a route below ``/api/v1/admin``."""
    gate.add(Route(name, method, f"/api/v1/admin/{path}", Right.ADMINISTER, handler, summary, **more))


def named_camera(services: Services, which: str) -> Camera:
    """The camera of this name or id.  Raises `Fault` ``no_camera``, which helps whoever mistyped it."""
    camera = services.cameras.find(which)
    if camera is None:
        names = ", ".join(each.name for each in services.cameras.list()[:20])
        raise Fault(
            Kind.NOT_FOUND,
            "no_camera",
            f"There is no camera “{which[:64]}”.",
            f"There are: {names}." if names else "Add one first.",
        )
    return camera
