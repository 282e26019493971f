"""Who may do what: every route × role × camera, WebSocket handshakes included (abuse A7).

`tests.web.walk` knows what is due and judges; the tests at the end show that it notices.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from appliance.auth.rights import ALL, Right
from appliance.base.faults import Fault
from appliance.web.app import create_app
from appliance.web.gate import Gate
from appliance.web.table import Access, Route, Video
from tests.web.appliance import House, running_house
from tests.web.endless import EndlessOpeners
from tests.web.walk import NOBODYS_ID, ROLES, World, complaints

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with running_house(openers=EndlessOpeners()) as house:
        yield World(house)


def test_every_route_refuses_whom_it_has_to_and_serves_the_others(world: World) -> None:
    assert list(complaints(world)) == []


def test_the_walk_goes_over_every_address_there_is(world: World) -> None:
    """The table is the application: what `create_app` checks, from the other side."""
    calls = {(route.method, route.path) for route in world.house.appliance.table}
    assert ("GET", "/api/v1/cameras/<camera_id>/live") in calls
    assert len(calls) == len(list(world.house.appliance.table)) > 30


def test_other_methods_are_refused_for_everybody(world: World) -> None:
    methods = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
    routes = [
        route
        for route in world.house.appliance.table
        if not route.websocket and not route.name.startswith(("file_", "page_"))
    ]
    patterns = {route.name: re.compile(re.sub(r"<\w+>", "[^/]+", route.path)) for route in routes}
    paths = {re.sub(r"<\w+>", NOBODYS_ID, route.path) for route in routes}
    by_path = {
        path: {route.method for route in routes if patterns[route.name].fullmatch(path)} for path in sorted(paths)
    }
    for role in ("nobody", "an administrator"):
        visitor = world.visitors[role][0]
        for path, known in by_path.items():
            for method in set(methods) - known:
                answer = visitor.call(method, path)
                assert (answer.status, answer.code) == (405, "method_not_allowed"), (method, path)
                assert set(answer.headers["allow"].split(", ")) - {"HEAD"} == known


@pytest.mark.parametrize(
    "path",
    ["/api", "/api/", "/api/v1", "/api/v1/", "/api/v2/cameras", "/api/v1/camera", "/api/v1/cameras/", "/api/v1/admin",
     "/api/v1/admin/", "/api//v1/cameras", "/api/v1/cameras//live.mp4", "/API/V1/cameras",
     "/api/v1/cameras/x/y/z", "/metrics/", "/trust/", "/healthz/x", "/.well-known/x", "/static/x", "/admin"],
)  # fmt: skip
def test_unknown_addresses_are_nowhere_for_everybody(world: World, path: str) -> None:
    for role in ("nobody", "an administrator"):
        answer = world.visitors[role][0].call("GET", path)
        assert (answer.status, answer.code) == (404, "not_found"), role


def test_a_websocket_where_there_is_none_and_none_where_there_is_one(world: World) -> None:
    administrator = world.visitors["an administrator"][0]
    gate = world.cameras["Gate"].id
    assert administrator.shake_hands("/api/v1/cameras").code == "websocket"
    assert administrator.shake_hands("/api/v1/nothing").code == "not_found"
    assert administrator.call("GET", f"/api/v1/cameras/{gate}/live").code == "websocket"


def test_a_ticket_opens_its_path_of_its_camera_for_its_user_and_nothing_else(world: World) -> None:
    house, gate, yard = world.house, world.cameras["Gate"], world.cameras["Yard"]
    viewer = house.do(house.viewer, "ticket holder", gate, yard)
    stranger = house.stranger()

    def ticket(path: str) -> str:
        answer = viewer.call("POST", f"/api/v1/cameras/{gate.id}/ticket", {"path": path})
        assert answer.json["seconds"] == 60
        word: str = answer.json["ticket"]
        return word

    words = {path: ticket(path) for path in ("live", "live.mp4", "live.mjpeg", "hls/index.m3u8", "snapshot.jpg")}
    for path, word in words.items():
        for camera in (gate, yard):
            for other in words:
                address = f"/api/v1/cameras/{camera.id}/{other}?ticket={word}"
                answer = stranger.shake_hands(address) if other == "live" else stranger.begin(address)
                if (camera, other) == (gate, path):
                    assert answer.status in (101, 200), (path, other)
                else:
                    assert (answer.status, answer.code) == (401, "bad_ticket"), (path, other)
    for word in words.values():  # no entrance anywhere else
        for path in ("/api/v1/cameras", f"/api/v1/cameras/{gate.id}", "/api/v1/events", "/api/v1/session"):
            assert stranger.call("GET", f"{path}?ticket={word}").code == "not_signed_in"
            assert stranger.call("GET", path, headers={"Authorization": f"Bearer {word}"}).code == "not_signed_in"
    assert viewer.call("POST", f"/api/v1/cameras/{gate.id}/ticket", {"path": "../../admin/users"}).code == "bad_path"

    users = house.services.auth.users
    house.do(users.grant, "ticket holder", {Right.LIVE: frozenset({yard.id})})
    live = f"/api/v1/cameras/{gate.id}/live?ticket={words['live']}"
    mp4 = f"/api/v1/cameras/{gate.id}/live.mp4?ticket={words['live.mp4']}"
    assert stranger.shake_hands(live).code == "no_camera"
    assert stranger.call("GET", mp4).code == "no_camera"
    house.do(users.grant, "ticket holder", {Right.LIVE: ALL})
    assert stranger.begin(mp4).status == 200
    assert viewer.call("DELETE", "/api/v1/session").status == 204
    assert stranger.shake_hands(live).code == "bad_ticket"
    assert stranger.call("GET", mp4).code == "bad_ticket"


def test_a_list_holds_the_cameras_that_its_reader_has_a_right_on(world: World) -> None:
    for role in ROLES:
        for visitor in world.visitors[role.name]:
            answer = visitor.call("GET", "/api/v1/cameras")
            if role.rights is None:
                assert answer.status == 401
                continue
            listed = {camera["name"]: set(camera["rights"]) for camera in answer.json["cameras"]}
            assert {name: held for name, held in listed.items() if name in world.cameras} == role.rights, role
            assert "192.0.2.1" not in json.dumps(answer.json)


# ── the judge notices ───────────────────────────────────────────────────────────────────────────────────────────────


class Extra:
    """Routes that somebody added."""

    def __init__(self, *routes: Route) -> None:
        self._routes = routes

    def add_to(self, gate: Gate) -> None:
        for route in self._routes:
            gate.add(route)


async def _hello(_call: Any) -> dict[str, Any]:
    return {"hello": "world"}


PICTURE = "/api/v1/cameras/<camera_id>/peek"


@pytest.mark.parametrize(
    "route",
    [
        Route("peek", "GET", PICTURE, Access.PUBLIC, _hello, "forgets everything", answer=dict),
        Route("peek", "GET", PICTURE, Access.SIGNED_IN, _hello, "forgets the camera", answer=dict),
        Route("peek", "GET", PICTURE, Access.SIGNED_IN, _hello, "any right", camera="camera_id", answer=dict),
        Route(
            "peek",
            "GET",
            PICTURE,
            Right.AUDIO,
            _hello,
            "another right",
            camera="camera_id",
            answer=dict,
            video=Video.NONE,
        ),
        Route("peek", "GET", "/api/v1/admin/peek", Access.SIGNED_IN, _hello, "for every user", answer=dict),
        Route("peek", "GET", "/api/v1/status/peek", Access.PUBLIC, _hello, "for everybody", answer=dict),
        Route("peek", "POST", "/peek", Access.PUBLIC, _hello, "nobody has thought about it", answer=dict),
        Route("peek", "GET", "/api/v1/peek", Right.ADMINISTER, _hello, "nor about this", answer=dict),
    ],
    ids=lambda route: route.summary,
)
def test_a_route_that_asks_for_too_little_is_noticed(route: Route) -> None:
    with running_house(openers=EndlessOpeners(), parts=lambda _: (Extra(route),)) as house:
        found = list(complaints(World(house), only={"peek"}))
    assert found, "nobody noticed"
    assert all("peek" in each for each in found)


def test_a_gate_that_forgets_to_ask_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Gate._allow

    def forgetful(gate: Gate, route: Route, principal: Any, path: dict[str, str], query: Any) -> Any:
        if route.name == "live" and principal is not None:
            return gate._services.cameras.find(path["camera_id"])
        return asked(gate, route, principal, path, query)

    monkeypatch.setattr(Gate, "_allow", forgetful)
    with running_house(openers=EndlessOpeners()) as house:
        found = list(complaints(World(house), only={"live", "snapshot"}))
    assert any("a viewer without rights, Gate: 101" in each for each in found)
    assert all(each.startswith("live for ") for each in found)


class Smuggler:
    """Adds a way in past the table."""

    def __init__(self, path: str, name: str, **more: Any) -> None:
        self._arguments, self._more = (path, name), more

    def add_to(self, gate: Gate) -> None:
        gate._app.add_url_rule(*self._arguments, view_func=_hello, **self._more)


@pytest.mark.parametrize(
    "part",
    [
        Smuggler("/back", "back", methods=["GET"], provide_automatic_options=False),
        Smuggler("/api/v1/server", "server", methods=["POST"], provide_automatic_options=False),
        Smuggler("/api/v1/server2", "server", methods=["GET"], provide_automatic_options=False),
    ],
    ids=["a route", "a method", "an address"],
)
async def test_a_way_in_without_an_entry_in_the_table_stops_the_start(
    part: Smuggler, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the framework itself refuses a second function under one name: let it pass, so that ours is asked
    monkeypatch.setattr("quart.app.Quart.add_url_rule", _without_questions)
    with pytest.raises(RuntimeError, match="without an entry in the authorisation table"):
        create_app(house.services, part)


def _without_questions(app: Any, rule: str, endpoint: str, view_func: Any = None, **options: Any) -> None:
    options.pop("provide_automatic_options", None)
    app.url_map.add(app.url_rule_class(rule, endpoint=endpoint, **options))
    app.view_functions[endpoint] = view_func


def test_a_right_on_cameras_needs_a_camera() -> None:
    from appliance.web.table import Table

    with pytest.raises(ValueError, match="does not say on which camera"):
        Table().add(Route("peek", "GET", "/peek", Right.LIVE, _hello, ""))
    with pytest.raises(ValueError, match="its path has no"):
        Table().add(Route("peek", "GET", "/peek", Right.LIVE, _hello, "", camera="camera_id"))


def test_a_finder_is_for_rights_on_the_camera_that_it_finds() -> None:
    from appliance.web.problem import no_camera
    from appliance.web.table import Finder, Found, Table

    async def find(_call: Any) -> Found | None:
        return None

    finder, right = Finder(find, no_camera), Right.PLAYBACK
    with pytest.raises(ValueError, match="does not say whether it has masked video"):
        Table().add(Route("peek", "GET", "/peek", right, _hello, "", finder=finder))
    for needs, more in ((Access.SIGNED_IN, {}), (right, {"websocket": True}), (right, {"camera": "camera_id"})):
        with pytest.raises(ValueError, match="a finder is for requests"):
            Table().add(Route("peek", "GET", PICTURE, needs, _hello, "", finder=finder, video=Video.NONE, **more))


def test_a_finder_that_is_not_asked_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def forgetful(gate: Gate, finder: Any, call: Any) -> None:
        found = await finder.find(call)
        call.camera, call.found = gate._services.cameras.list()[0], found and found.thing

    monkeypatch.setattr(Gate, "_find", forgetful)
    with running_house(openers=EndlessOpeners()) as house:
        found = list(complaints(World(house), only={"bookmark_add"}))
    assert any("a viewer without rights, Gate: 201" in each for each in found)


def test_faults_are_what_the_gate_raises() -> None:
    """The judge reads codes: those of the design."""
    from appliance.web import problem

    for fault, status, code in (
        (problem.not_signed_in(), 401, "not_signed_in"),
        (problem.no_camera(), 404, "no_camera"),
        (problem.no_right("live"), 403, "no_right"),
    ):
        assert isinstance(fault, Fault)
        assert (problem.problem(fault).status, fault.code) == (status, code)
