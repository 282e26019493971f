"""The OpenAPI document, made from the authorisation table: it cannot say what is not served."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from appliance import __version__
from appliance.auth.rights import Right
from appliance.web.problem import Problem
from appliance.web.table import Access, Route

if TYPE_CHECKING:
    from appliance.web.table import Table

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
_REF = "#/components/schemas/{name}"


def document(table: Table) -> dict[str, Any]:
    """OpenAPI 3.1 of all routes of the interface (pages and files of the web client are not part of it)."""
    routes = [route for route in table if not route.name.startswith(("page_", "file_"))]
    mentioned = {kind for route in routes for kind in (route.body, route.answer, route.accepted) if kind is not None}
    types = {kind for kind in mentioned if _is_structure(kind)} | {Problem}
    ordered = sorted(types, key=lambda kind: kind.__name__)
    _, components = msgspec.json.schema_components(ordered, ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(_PARAMETER.sub(r"{\1}", route.path), {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Fanal",
            "version": __version__,
            "description": "Live video of every camera. Errors are RFC 9457 problems with a stable code.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "The token of POST /api/v1/session."},
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "fanal_session",
                    "description": "Set at sign-in; unsafe methods also need X-CSRF-Token.",
                },
                "ticket": {"type": "apiKey", "in": "query", "name": "ticket", "description": "For players, 60 s."},
                "metrics": {"type": "http", "scheme": "bearer", "description": "The metrics token."},
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.handler.__module__.rpartition(".")[2]],
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in _PARAMETER.findall(route.path)
        ]
        + [
            {"name": one.name, "in": "query", "schema": {"type": one.type}, "description": one.about}
            for one in route.query
        ],
        "security": _security(route),
        "responses": _responses(route),
        "x-needs": str(route.needs),
        **({"x-needs-with": {route.instead[0]: str(route.instead[1])}} if route.instead else {}),
    }
    if route.body is not None:
        content: dict[str, Any] = {"schema": _schema(route.body)}
        if route.example is not None:
            content["example"] = route.example
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    return operation


def _responses(route: Route) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if route.websocket:
        about = f"A WebSocket; its messages are in docs/{route.name}-protocol.md"
        good: dict[str, Any] = {"101": {"description": about}}
    else:
        content = {} if route.status == 204 else {route.media_type: {"schema": _schema(route.answer)}}
        good = {str(route.status): {"description": route.summary} | ({"content": content} if content else {})}
    if route.ranges:
        good["206"] = {"description": "The part that the Range header asks for", "content": content}
    if route.accepted is not None:
        accepted = {"application/json": {"schema": _schema(route.accepted)}}
        good["202"] = {"description": "It is to happen later", "content": accepted}
    error = {"application/problem+json": {"schema": {"$ref": _REF.format(name="Problem")}}}
    return good | {"default": {"description": "An error", "content": error}}


def _schema(kind: type | None) -> dict[str, Any]:
    if _is_structure(kind):
        assert kind is not None
        return {"$ref": _REF.format(name=kind.__name__)}
    return {"type": "object"} if kind is not None else {}


def _is_structure(kind: type | None) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _security(route: Route) -> list[dict[str, list[str]]]:
    if route.needs is Access.PUBLIC:
        return []
    schemes: list[dict[str, list[str]]] = [{"bearer": []}, {"cookie": []}]
    if route.by_ticket:
        schemes.append({"ticket": []})
    if route.needs is Access.METRICS:
        schemes.append({"metrics": []})
    assert isinstance(route.needs, Access | Right)
    return schemes
