"""Bookmarks over REST: whose they are, who gets them, what is refused and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from appliance.auth.rights import ALL, Right
from appliance.base.clock import TICKS_PER_SECOND, to_rfc3339
from appliance.base.texts import clean_text
from appliance.recorder.bookmarks import TEXT_LIMIT
from tests.web.appliance import House
from tests.web.hostile import texts
from tests.web.scenes import eventually

if TYPE_CHECKING:
    from appliance.sites.cameras import Camera
    from tests.web.visitor import Visitor

PATH = "/api/v1/bookmarks"
LONG_AGO = 1_700_000_000 * TICKS_PER_SECOND


def at(second: float) -> str:
    return to_rfc3339(LONG_AGO + round(second * TICKS_PER_SECOND))


class Scene:
    """Two cameras; somebody who may play back both, somebody who may one, somebody who may only watch."""

    def __init__(self, house: House, number: int) -> None:
        self.house = house
        self.gate: Camera = house.do(house.camera, f"Gate {number}")
        self.yard: Camera = house.do(house.camera, f"Yard {number}")
        self.anna = self._visitor(f"anna {number}", {Right.PLAYBACK: [self.gate, self.yard]})
        self.bob = self._visitor(f"bob {number}", {Right.PLAYBACK: [self.gate]})
        self.watcher = self._visitor(f"watcher {number}", {Right.LIVE: [self.gate]})
        self.chief: Visitor = house.do(house.administrator, f"chief {number}")

    def _visitor(self, name: str, grants: dict[Right, list[Camera]]) -> Visitor:
        async def make() -> Visitor:
            user = await self.house.user(name)
            given = {right: frozenset(each.id for each in cameras) for right, cameras in grants.items()}
            await self.house.services.auth.users.grant(user.id, given)
            return await self.house.visitor(user)

        visitor: Visitor = self.house.do(make)
        return visitor

    def mark(self, visitor: Visitor, camera: Camera, second: float, text: str, until: float | None = None) -> Any:
        body: dict[str, Any] = {"camera": camera.id, "at": at(second), "text": text}
        if until is not None:
            body["until"] = at(until)
        answer = visitor.call("POST", PATH, body)
        assert answer.status == 201, answer
        return answer.json


@pytest.fixture
def scene(shared: House, request: pytest.FixtureRequest) -> Scene:
    number = sum(user.name.startswith("anna") for user in shared.services.auth.users.list())
    return Scene(shared, number)


def listed(visitor: Visitor, query: str = "") -> list[str]:
    answer = visitor.call("GET", PATH + query)
    assert answer.status == 200, answer
    return [each["text"] for each in answer.json["bookmarks"]]


def test_what_was_marked_is_listed_as_it_was_given(scene: Scene) -> None:
    made = scene.mark(scene.anna, scene.gate, 10.12, "A red van", until=20)
    assert made == {
        "id": made["id"],
        "camera": scene.gate.id,
        "at": "2023-11-14T22:13:30.120Z",
        "until": "2023-11-14T22:13:40.000Z",
        "text": "A red van",
        "user": scene.anna.call("GET", "/api/v1/session").json["user"]["name"],
        "mine": True,
    }
    answer = scene.anna.call("GET", PATH).json
    assert answer == {"bookmarks": [made], "next": None}
    assert scene.bob.call("GET", PATH).json["bookmarks"] == [made | {"mine": False}]


def test_each_gets_those_of_the_cameras_that_they_may_play_back(scene: Scene) -> None:
    scene.mark(scene.anna, scene.gate, 1, "gate")
    scene.mark(scene.anna, scene.yard, 2, "yard")
    assert listed(scene.anna) == ["yard", "gate"]
    assert listed(scene.bob) == ["gate"]
    assert listed(scene.watcher) == []
    assert {"yard", "gate"} <= set(listed(scene.chief))
    assert listed(scene.anna, f"?camera={scene.yard.id}") == ["yard"]
    for visitor, status, code in ((scene.bob, 404, "no_camera"), (scene.watcher, 404, "no_camera")):
        answer = visitor.call("GET", f"{PATH}?camera={scene.yard.id}")
        assert (answer.status, answer.code) == (status, code)
    answer = scene.watcher.call("GET", f"{PATH}?camera={scene.gate.id}")
    assert (answer.status, answer.code, answer.json["field"]) == (403, "no_right", "playback")


def test_time_words_and_pages_narrow_a_list(scene: Scene) -> None:
    for second in range(5):
        scene.mark(scene.anna, scene.gate, second, f"Wagen {second} an der Straße")
    scene.mark(scene.anna, scene.gate, 10, "Déjà vu", until=20)
    assert listed(scene.anna, "?q=STRASSE+wagen&limit=2") == ["Wagen 4 an der Straße", "Wagen 3 an der Straße"]
    assert listed(scene.anna, "?q=deja") == ["Déjà vu"]
    assert listed(scene.anna, f"?from={at(19)}&to={at(19.5)}") == ["Déjà vu"]
    assert listed(scene.anna, f"?from={at(20)}") == []
    assert listed(scene.anna, f"?from={at(1)}&to={at(3)}") == ["Wagen 2 an der Straße", "Wagen 1 an der Straße"]
    found, after = [], ""
    while True:
        answer = scene.anna.call("GET", f"{PATH}?limit=4{after}").json
        found += [each["text"][:7] for each in answer["bookmarks"]]
        if answer["next"] is None:
            break
        after = f"&after={answer['next']}"
    assert found == ["Déjà vu", *(f"Wagen {second}" for second in (4, 3, 2, 1, 0))]


def test_own_ones_are_changed_and_removed_others_by_administrators_only(scene: Scene) -> None:
    made = scene.mark(scene.anna, scene.gate, 5, "first", until=9)
    path = f"{PATH}/{made['id']}"
    for method, body in (("PATCH", {"text": "taken over"}), ("DELETE", None)):
        answer = scene.bob.call(method, path, body) if body else scene.bob.call(method, path)
        assert (answer.status, answer.code) == (403, "not_yours")
    changed = scene.anna.call("PATCH", path, {"text": "second", "until": None})
    assert changed.json == made | {"text": "second", "until": None}
    assert scene.anna.call("PATCH", path, {}).json == changed.json
    moved = scene.chief.call("PATCH", path, {"at": at(7), "until": at(8)})
    assert moved.json == changed.json | {"at": at(7), "until": at(8), "mine": False}
    assert scene.chief.call("DELETE", path).status == 204
    answer = scene.anna.call("DELETE", path)
    assert (answer.status, answer.code) == (404, "no_bookmark")


def test_a_right_that_was_taken_is_no_way_to_the_own_ones(scene: Scene) -> None:
    made = scene.mark(scene.bob, scene.gate, 5, "x")
    users = scene.house.services.auth.users
    name = scene.bob.call("GET", "/api/v1/session").json["user"]["name"]
    path = f"{PATH}/{made['id']}"
    scene.house.do(users.grant, name, {Right.PLAYBACK: frozenset(), Right.LIVE: ALL})
    assert scene.bob.call("PATCH", path, {"text": "y"}).code == "no_right"
    scene.house.do(users.grant, name, {Right.LIVE: frozenset()})
    assert scene.bob.call("PATCH", path, {"text": "y"}).code == "no_bookmark"
    assert listed(scene.bob) == []


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"text": ""}, "invalid_text", "text"),
        ({"text": "x" * (TEXT_LIMIT + 1)}, "invalid_text", "text"),
        ({"text": "a" + "\u0301\u0327" * 70_000}, "invalid_text", "text"),
        ({"text": "two\nlines"}, "invalid_text", "text"),
        ({"at": "yesterday"}, "bad_time", "at"),
        ({"at": "2026-03-12T14:03:27"}, "bad_time", "at"),
        ({"at": "9998-03-12T14:03:27Z"}, "bad_time", "at"),
        ({"until": at(0)}, "bad_time", "until"),
        ({"until": "x" * 9000}, "bad_time", "until"),
        ({"user": "anna"}, "bad_request", None),
        ({"text": 7}, "bad_request", "text"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_cannot_be_is_refused_with_the_reason(
    shared: House, change: dict[str, Any], code: str, field: str | None
) -> None:
    chief: Visitor = shared.do(shared.administrator, f"chief {len(shared.answers)}")
    camera = shared.do(shared.camera, f"Camera {len(shared.answers)}")
    body = {"camera": camera.id, "at": at(0), "text": "x"}
    made = chief.call("POST", PATH, body).json
    answer = chief.call("POST", PATH, body | change)
    assert (answer.status, answer.code, answer.json.get("field")) == (422, code, field)
    assert len(answer.body) < 1000
    answer = chief.call("PATCH", f"{PATH}/{made['id']}", change)
    assert (answer.status, answer.code, answer.json.get("field")) == (422, code, field)
    assert chief.call("GET", f"{PATH}?camera={camera.id}").json["bookmarks"] == [made]


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("from=yesterday", "bad_parameter", "from"),
        ("to=2026-03-12T14:03:27+01:00", "bad_parameter", "to"),
        ("limit=0", "bad_parameter", "limit"),
        ("limit=1001", "bad_parameter", "limit"),
        ("after=5", "bad_parameter", "after"),
        ("after=9999999999999999999999.3f2c9a52-7d0c-4a0e-9b1d-2f1f0c9d8e7a", "bad_parameter", "after"),
        ("q=%00", "invalid_text", "q"),
        (f"q={'x' * 201}", "invalid_text", "q"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(shared: House, query: str, code: str, field: str) -> None:
    chief: Visitor = shared.do(shared.administrator, f"asker {len(shared.answers)}")
    answer = chief.call("GET", f"{PATH}?{query}")
    assert (answer.status, answer.code, answer.json["field"]) == (422, code, field)
    if "+" in query:
        assert "%2B" in answer.json["hint"]


def test_an_empty_search_is_none_and_signs_of_patterns_are_signs(scene: Scene) -> None:
    for text in ("100 %", "a_b", "back\\slash", "axb"):
        scene.mark(scene.anna, scene.gate, 1, text)
    assert len(listed(scene.anna, "?q=")) == len(listed(scene.anna, "?q=+")) == 4
    assert listed(scene.anna, "?q=%25") == ["100 %"]
    assert listed(scene.anna, "?q=A_B") == ["a_b"]
    assert listed(scene.anna, "?q=%5C") == ["back\\slash"]


def test_texts_that_are_meant_to_be_something_else_stay_texts(scene: Scene) -> None:
    """Abuse A17: of the corpus of 500 each sixth, through making and listing."""
    accepted = []
    for text in texts()[::6]:
        answer = scene.anna.call("POST", PATH, {"camera": scene.gate.id, "at": at(0), "text": text})
        if answer.status == 201:
            assert answer.json["text"] == clean_text(text, limit=TEXT_LIMIT)
            accepted.append(answer.json)
        else:
            assert (answer.status, answer.code, answer.json["field"]) == (422, "invalid_text", "text"), text
    assert len(accepted) > 25
    answer = scene.anna.call("GET", f"{PATH}?limit=1000")
    assert sorted(each["text"] for each in answer.json["bookmarks"]) == sorted(each["text"] for each in accepted)


def test_one_made_at_the_machine_is_nobodys(scene: Scene) -> None:
    made = scene.house.do(scene.house.services.bookmarks.add, scene.gate.id, None, LONG_AGO, None, "from the machine")
    (shown,) = scene.bob.call("GET", PATH).json["bookmarks"]
    assert (shown["user"], shown["mine"]) == (None, False)
    assert scene.bob.call("DELETE", f"{PATH}/{made.id}").code == "not_yours"
    assert scene.chief.call("DELETE", f"{PATH}/{made.id}").status == 204


async def test_open_pages_hear_of_bookmarks_that_their_user_may_see(house: House) -> None:
    gate, yard = await house.camera("Gate"), await house.camera("Yard")
    user = await house.user("anna", live="all")
    await house.services.auth.users.grant(user.id, {Right.PLAYBACK: frozenset({gate.id})})
    anna = await house.visitor(user)
    async with anna.reading("/api/v1/events") as page:
        assert (await page.event())[0] == "hello"
        await house.services.bookmarks.add(yard.id, None, LONG_AGO, None, "not for them")
        body = {"camera": gate.id, "at": at(0), "text": "event: x"}
        made = (await anna.ask("POST", PATH, body)).json
        assert await page.until("bookmark_changed") == made
        changed = (await anna.ask("PATCH", f"{PATH}/{made['id']}", {"text": "y"})).json
        assert await page.until("bookmark_changed") == changed
        await anna.ask("DELETE", f"{PATH}/{made['id']}")
        assert await page.until("bookmark_removed") == {"id": made["id"], "camera": gate.id}
    await eventually(lambda: not house.services.news._listeners)
