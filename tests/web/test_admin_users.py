"""Users over HTTP: made, changed, granted, removed; what cannot be is named."""

from __future__ import annotations

import pytest

from tests.web.appliance import House
from tests.web.visitor import PASSWORD

PATH = "/api/v1/admin/users"


async def test_a_user_is_made_granted_and_removed_and_each_step_shows_at_once(house: House) -> None:
    gate, _ = await house.camera("Gate"), await house.camera("Yard")
    chief = await house.administrator()
    made = await chief.ask("POST", PATH, {"name": "Léa", "password": PASSWORD})
    assert (made.status, made.json["name"], made.json["role"], made.json["grants"]) == (201, "Léa", "viewer", {})
    lea = house.stranger()
    assert (await lea.sign_in("léa")).status == 200
    assert (await lea.get("/api/v1/cameras")).json["cameras"] == []
    granted = await chief.ask("PATCH", f"{PATH}/L%C3%A9a", {"grants": {"live": ["gate"], "audio": "all"}})
    assert granted.json["grants"] == {"live": [gate.id], "audio": "all"}
    listed = (await lea.get("/api/v1/cameras")).json["cameras"]
    assert {one["name"]: one["rights"] for one in listed} == {"Gate": ["live", "audio"], "Yard": ["audio"]}
    assert (await chief.ask("PATCH", f"{PATH}/{made.json['id']}", {"grants": {"audio": []}})).status == 200
    assert [one["rights"] for one in (await lea.get("/api/v1/cameras")).json["cameras"]] == [["live"]]
    disabled = await chief.ask("PATCH", f"{PATH}/L%C3%A9a", {"disabled": True})
    assert disabled.json["disabled"] is True
    assert (await lea.get("/api/v1/cameras")).status == 401
    assert (await lea.sign_in("léa")).code == "bad_credentials"
    assert (await chief.ask("PATCH", f"{PATH}/L%C3%A9a", {"disabled": False})).status == 200
    assert (await lea.sign_in("léa")).status == 200
    assert (await chief.ask("DELETE", f"{PATH}/L%C3%A9a")).status == 204
    assert (await lea.get("/api/v1/session")).status == 401
    assert (await chief.ask("DELETE", f"{PATH}/L%C3%A9a")).code == "no_such_user"
    assert [user["name"] for user in (await chief.get(PATH)).json["users"]] == ["admin", "chief"]


async def test_a_password_set_by_an_administrator_ends_sessions_but_ones_own(house: House) -> None:
    chief, anna = await house.administrator(), await house.viewer("anna")
    new = "quite another passphrase"
    assert (await chief.ask("PATCH", f"{PATH}/anna", {"password": new})).status == 200
    assert (await anna.get("/api/v1/session")).status == 401
    assert (await anna.sign_in("anna")).status == 401
    assert (await anna.sign_in("anna", new)).status == 200
    other = await house.visitor(house.services.auth.users.get("chief"))
    assert (await chief.ask("PATCH", f"{PATH}/chief", {"password": new})).status == 200
    assert (await chief.get("/api/v1/session")).status == 200
    assert (await other.get("/api/v1/session")).status == 401


async def test_the_last_administrator_cannot_be_taken_away(house: House) -> None:
    chief = await house.administrator()
    assert (await chief.ask("DELETE", f"{PATH}/admin")).status == 204
    for method, body in (("DELETE", None), ("PATCH", {"role": "viewer"}), ("PATCH", {"disabled": True})):
        answer = await (chief.ask(method, f"{PATH}/chief", body) if body else chief.ask(method, f"{PATH}/chief"))
        assert (answer.status, answer.code) == (409, "last_administrator")
    assert (await chief.get("/api/v1/session")).json["rights"]["administer"] is True


@pytest.fixture(scope="module")
def chief(shared: House):
    shared.do(shared.user, "taken")
    shared.do(shared.camera, "Gate")
    return shared.do(shared.administrator, "chief of users")


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"name": "", "password": PASSWORD}, 422, "invalid_name", "name"),
        ({"name": "x" * 65, "password": PASSWORD}, 422, "invalid_name", "name"),
        ({"name": "a\r\nb", "password": PASSWORD}, 422, "invalid_name", "name"),
        ({"name": "taken", "password": PASSWORD}, 409, "name_taken", "name"),
        ({"name": "ＴＡＫＥＮ", "password": PASSWORD}, 409, "name_taken", "name"),  # the same in wide letters
        ({"name": "3f2c9a52-7d0c-4a0e-9b1d-2f1f0c9d8e7a", "password": PASSWORD}, 422, "invalid_name", "name"),
        ({"name": "new", "password": ""}, 422, "weak_password", "password"),
        ({"name": "new", "password": "short"}, 422, "weak_password", "password"),
        ({"name": "new", "password": "x" * 100_000}, 422, "weak_password", "password"),
        ({"name": "new", "password": PASSWORD, "role": "king"}, 422, "no_such_role", "role"),
        ({"name": "new"}, 422, "bad_request", None),
        ({"name": 1, "password": PASSWORD}, 422, "bad_request", "name"),
        ({"name": "new", "password": PASSWORD, "admin": True}, 422, "bad_request", None),
    ],
)
def test_a_new_user_that_cannot_be_is_refused_by_field(shared: House, chief, body, status, code, field) -> None:
    answer = chief.call("POST", PATH, body)
    assert (answer.status, answer.code, answer.json.get("field")) == (status, code, field)
    assert PASSWORD.encode() not in answer.body
    assert shared.services.auth.users.find("new") is None


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"grants": {"fly": "all"}}, 422, "no_such_right"),
        ({"grants": {"administer": "all"}}, 422, "no_such_right"),
        ({"grants": {"live": "everything"}}, 422, "bad_grant"),
        ({"grants": {"live": ["nowhere"]}}, 404, "no_camera"),
        ({"grants": {"live": ["Gate", "nowhere"]}}, 404, "no_camera"),
        ({"grants": {"live": 5}}, 422, "bad_request"),
        ({"grants": []}, 422, "bad_request"),
        ({"role": "viewer", "password": "short"}, 422, "weak_password"),
        ({"disabled": "yes"}, 422, "bad_request"),
        ({"name": "other"}, 422, "bad_request"),
    ],
)
def test_a_change_that_cannot_be_changes_nothing(shared: House, chief, body, status, code) -> None:
    before = shared.services.auth.users.get("taken")
    answer = chief.call("PATCH", f"{PATH}/taken", body)
    assert (answer.status, answer.code) == (status, code)
    assert shared.services.auth.users.get("taken") == before


def test_a_user_who_is_not_there_is_named(shared: House, chief) -> None:
    for method, path in (("PATCH", f"{PATH}/nobody"), ("DELETE", f"{PATH}/nobody"), ("POST", f"{PATH}/nobody/unlock")):
        answer = chief.call(method, path, {}) if method == "PATCH" else chief.call(method, path)
        assert (answer.status, answer.code) == (404, "no_such_user")
