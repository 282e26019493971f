"""The description of the interface: valid, complete, and of what is really served."""

from __future__ import annotations

import re

from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.web.appliance import House

#: What belongs to the web client and not to the interface.
PAGES = re.compile(
    r"/(|sign-in|live/.*|camera/.*|playback|settings(/.*)?|status|assets/.*|icons/.*"
    r"|[\w-]+\.(js|css|html|webmanifest|svg|png|ico))"
)


def test_the_document_is_valid_and_has_every_route(shared: House) -> None:
    chief = shared.do(shared.administrator)
    document = chief.call("GET", "/api/v1/openapi.json").json
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    described = {(method.upper(), path) for path, operations in document["paths"].items() for method in operations}
    served = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in shared.do(rules, shared)
        for method in (rule.methods or {"GET"}) - {"HEAD"}
    }
    interface = {(method, path) for method, path in served if not PAGES.fullmatch(path)}
    assert described == interface
    assert {"/api/v1/session", "/api/v1/cameras/{camera_id}/live", "/metrics", "/healthz", "/trust"} <= {
        path for _, path in described
    }


async def rules(house: House) -> list:
    """What the framework really answers to: not from the table that the document is made of."""
    from appliance.web.app import create_app

    app, _ = create_app(house.services)
    return list(app.url_map.iter_rules())


def test_every_operation_says_who_may_what_comes_and_how_it_fails(shared: House) -> None:
    document = shared.manners.document
    ids = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            ids.append(operation["operationId"])
            assert operation["summary"], path
            assert "default" in operation["responses"], path
            assert operation["x-needs"], path
            assert (operation["security"] == []) == (operation["x-needs"] == "public"), path
            if method in ("post", "put", "patch") and "requestBody" in operation:
                assert operation["requestBody"]["content"]["application/json"]["example"] is not None, path
    assert len(ids) == len(set(ids))


def test_what_stands_in_the_design_is_there(shared: House) -> None:
    """Design §9, as far as it is built."""
    paths = shared.manners.document["paths"]
    for call in (
        "post /api/v1/session", "delete /api/v1/session", "get /api/v1/session", "get /api/v1/cameras",
        "get /api/v1/cameras/{camera_id}/live", "get /api/v1/cameras/{camera_id}/live.mp4",
        "get /api/v1/cameras/{camera_id}/snapshot.jpg", "get /api/v1/events", "get /api/v1/status",
        "get /api/v1/status/users", "get /api/v1/admin/users", "get /api/v1/admin/cameras",
        "get /api/v1/admin/settings/{tab}", "put /api/v1/admin/settings/{tab}", "get /healthz", "get /metrics",
    ):  # fmt: skip
        method, path = call.split()
        assert method in paths[path], call


def test_a_body_that_is_not_what_the_document_says_is_refused_by_name(shared: House) -> None:
    """Every route with a body: no JSON, another type, an unknown field, a deep one, a large one."""
    chief = shared.do(shared.administrator, "body builder")
    bodies = (b"", b"nonsense", b"\xff\xfe", b"[]", b"null", b'"x"', b"[" * 100_000, b'{"zzz":1}')
    tried = 0
    for route in shared.appliance.table:
        if route.body is None:
            continue
        path = re.sub(r"<\w+>", "general", route.path)
        if route.camera:
            path = route.path.replace("<camera_id>", shared.do(shared.camera, f"for {route.name}").id)
        for body in bodies:
            answer = chief.call(route.method, path, body)
            assert answer.status == 422, (route.name, body[:20], answer)
            assert answer.code in ("bad_request", "unknown_setting"), (route.name, body[:20], answer)
            tried += 1
        answer = chief.call(route.method, path, b"{}", headers={"Content-Type": "text/plain"})
        assert (answer.status, answer.code) == (422, "bad_request")
    assert tried >= 8 * len(bodies)
