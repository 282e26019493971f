"""Faults as answers: ``application/problem+json`` (RFC 9457) with a stable ``code``."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from quart import Response

from appliance.base.faults import Fault, Kind
from appliance.base.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

STATUS: Mapping[Kind, HTTPStatus] = {
    Kind.INVALID: HTTPStatus.UNPROCESSABLE_ENTITY,
    Kind.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    Kind.FORBIDDEN: HTTPStatus.FORBIDDEN,
    Kind.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Kind.CONFLICT: HTTPStatus.CONFLICT,
    Kind.LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
    Kind.UNSUPPORTED: HTTPStatus.NOT_IMPLEMENTED,
    Kind.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    Kind.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
}


class Problem(msgspec.Struct, omit_defaults=True):
    """The body of every error.  ``code`` is stable and what a client translates; ``field`` names the input at fault."""

    title: str
    status: int
    code: str
    detail: str
    type: str = "about:blank"
    hint: str = ""
    field: str | None = None
    retry_after_s: float | None = None


def problem(fault: Fault, status: HTTPStatus | None = None) -> Problem:
    """The body; ``status`` where HTTP has one that says more than the fault's kind."""
    status = status or STATUS[fault.kind]
    return Problem(
        title=status.phrase,
        status=status.value,
        code=fault.code,
        detail=redact(fault.message),
        hint=redact(fault.hint),
        field=fault.field,
        retry_after_s=fault.retry_after_s,
    )


def answer(fault: Fault, status: HTTPStatus | None = None) -> Response:
    """A fault as a response."""
    body = problem(fault, status)
    headers: dict[str, Any] = {"Cache-Control": "no-store"}
    if body.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"  # RFC 9110 §15.5.2; browsers ask nobody for a password because of it
    if fault.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(fault.retry_after_s)))
    return Response(
        msgspec.json.encode(body), status=body.status, headers=headers, content_type="application/problem+json"
    )


def not_found() -> Fault:
    return Fault(Kind.NOT_FOUND, "not_found", "There is nothing at this address.")


def no_camera() -> Fault:
    """The same for a camera that does not exist and for one that the asker may know nothing of (abuse A7)."""
    return Fault(Kind.NOT_FOUND, "no_camera", "There is no such camera.")


def no_right(right: str) -> Fault:
    return Fault(
        Kind.FORBIDDEN, "no_right", f"This needs the right “{right}”.", "Ask your administrator.", field=str(right)
    )


def not_signed_in() -> Fault:
    return Fault(Kind.UNAUTHENTICATED, "not_signed_in", "Nobody is signed in, or the session has ended.", "Sign in.")
