"""Signing in and out over HTTP, as browsers and scripts do it."""

from __future__ import annotations

import re

import msgspec
import pytest
import trio

from appliance.auth.lockout import Lockout
from appliance.auth.rights import Role
from appliance.base.clock import ManualClock, SystemClock, zone_name
from appliance.web.problem import Problem
from tests.web.appliance import House, open_house
from tests.web.visitor import PASSWORD


def cookie_of(answer) -> dict[str, str | bool]:
    """The attributes of the session cookie that an answer sets, names in lower case."""
    text = next(value for name, value in answer.raw_headers if name.lower() == "set-cookie")
    first, *rest = [part.strip() for part in text.split(";")]
    name, _, value = first.partition("=")
    found: dict[str, str | bool] = {"name": name, "value": value}
    for part in rest:
        key, equals, word = part.partition("=")
        found[key.lower()] = word if equals else True
    return found


async def test_a_sign_in_gives_a_token_and_the_same_as_a_cookie_that_scripts_cannot_read(house: House) -> None:
    await house.user("anna")
    visitor = house.stranger()
    answer = await visitor.sign_in("anna")
    cookie = cookie_of(answer)
    assert cookie["name"] == "fanal_session"
    assert cookie["value"] == answer.json["token"]
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Strict")
    assert len(str(cookie["value"])) >= 43
    again = await visitor.get("/api/v1/session")
    assert again.json["csrf"] == answer.json["csrf"]
    assert "token" not in again.json
    assert again.json["user"]["name"] == "anna"
    assert again.json["time_zone"] == zone_name()


async def test_signing_out_ends_the_session_and_takes_the_cookie(house: House) -> None:
    await house.user("anna")
    visitor = house.stranger()
    await visitor.sign_in("anna")
    answer = await visitor.ask("DELETE", "/api/v1/session")
    assert answer.status == 204
    assert cookie_of(answer)["value"] == ""
    assert (await visitor.get("/api/v1/session")).status == 401


async def test_with_the_cookie_unsafe_requests_need_the_sessions_own_token(house: House) -> None:
    anna = await house.visitor(await house.user("anna", Role.ADMINISTRATOR), by_cookie=True)
    other = await house.visitor(await house.user("bob", Role.ADMINISTRATOR), by_cookie=True)
    body = {"description": "cellar"}
    for wrong in ({"X-CSRF-Token": None}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": other.csrf}):
        answer = await anna.ask("PUT", "/api/v1/admin/settings/general", body, headers=wrong)
        assert (answer.status, answer.code) == (403, "csrf")
    assert (await anna.ask("PUT", "/api/v1/admin/settings/general", body)).status == 200
    assert (await anna.get("/api/v1/cameras")).status == 200  # safe ones need none


async def test_bearers_need_no_token_beside_theirs(house: House) -> None:
    chief = await house.administrator()
    assert (await chief.ask("PUT", "/api/v1/admin/settings/general", {"description": "x"})).status == 200


async def test_a_page_of_another_site_cannot_open_a_live_view_with_our_cookie(house: House) -> None:
    camera = await house.camera()
    anna = await house.visitor(await house.user("anna", live=[camera]), by_cookie=True)
    path = f"/api/v1/cameras/{camera.id}/live"
    own = f"https://127.0.0.1:{house.port}"
    for origin, status in ((own, 101), ("https://evil.example", 403), ("null", 403), (own + "0", 403), ("", 403)):
        answer = await trio.to_thread.run_sync(anna.shake_hands, path, {"Origin": origin})
        assert answer.status == status, origin
    bearer = await house.visitor(await house.user("bob", live=[camera]))
    answer = await trio.to_thread.run_sync(bearer.shake_hands, path, {"Origin": "https://evil.example"})
    assert answer.status == 101  # no cookie was used: whoever has the token may


async def test_a_new_password_ends_the_users_other_sessions(house: House) -> None:
    anna = await house.user("anna")
    here, there = await house.visitor(anna), await house.visitor(anna)
    change = {"old": PASSWORD, "new": "another passphrase"}
    assert (await here.ask("POST", "/api/v1/session/password", change)).status == 204
    assert (await here.get("/api/v1/session")).status == 200
    assert (await there.get("/api/v1/session")).status == 401
    wrong = await here.ask("POST", "/api/v1/session/password", change)
    assert (wrong.status, wrong.json["field"]) == (422, "old")
    weak = await here.ask("POST", "/api/v1/session/password", {"old": "another passphrase", "new": "short"})
    assert weak.code == "weak_password"


async def test_ten_wrong_passwords_lock_account_and_address_and_nobody_else(house: House) -> None:
    await house.user("anna")
    thief, owner = house.stranger(address="127.0.0.9"), house.stranger(address="127.0.0.10")
    for _ in range(10):
        answer = await thief.sign_in("anna", "wrong wrong wrong")
        assert (answer.status, answer.code) == (401, "bad_credentials")
    locked = await thief.sign_in("anna")  # the right one does not help any more
    assert (locked.status, locked.code) == (429, "locked")
    assert 0 < int(locked.headers["retry-after"]) <= 900
    assert (await owner.sign_in("anna")).status == 200
    chief = await house.administrator()
    assert (await chief.ask("POST", "/api/v1/admin/users/anna/unlock")).status == 204
    assert (await thief.sign_in("anna")).status == 200


async def test_an_address_that_guesses_too_much_is_refused_before_the_application(house: House) -> None:
    lockout: Lockout = house.services.auth.lockout
    thief = house.stranger(address="127.0.0.11")
    now = trio.current_time()
    for n in range(200):
        lockout.begin(f"user{n}", "127.0.0.11", now)
    assert lockout.address_blocked("127.0.0.11", now) > 0
    answer = await trio.to_thread.run_sync(raw_answer, thief)
    assert answer.startswith(b"HTTP/1.1 429 ")
    head, body = answer.split(b"\r\n\r\n")
    assert 1 <= int(re.search(rb"(?i)retry-after: (\d+)", head)[1]) <= 900
    for header in (
        b"cache-control: no-store",
        b"x-content-type-options: nosniff",
        b"content-type: application/problem+json",
    ):
        assert header in head.lower()
    problem = msgspec.json.decode(body, type=Problem)
    assert (problem.status, problem.code) == (429, "locked")
    assert (await house.stranger(address="127.0.0.12").get("/healthz")).status == 200


def raw_answer(visitor) -> bytes:
    """What the server says to a request, however little it is."""
    connection = visitor.connect()
    connection.connect()
    connection.sock.sendall(b"GET /api/v1/server HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    try:
        answer = b""
        while piece := connection.sock.recv(4096):
            answer += piece
        return answer
    finally:
        connection.close()


async def test_unknown_users_get_the_same_answer_at_the_same_cost(house: House, monkeypatch) -> None:
    await house.user("anna")
    hashes = []
    verify = house.services.auth.sign_in._passwords.verify

    async def counted(known, password):
        hashes.append(known is not None)
        return await verify(known, password)

    monkeypatch.setattr(house.services.auth.sign_in._passwords, "verify", counted)
    visitor = house.stranger()
    answers = [await visitor.sign_in(name, "wrong wrong wrong") for name in ("anna", "nobody", "")]
    assert len({(answer.status, answer.body) for answer in answers}) == 1
    assert hashes == [True, False, False]  # each cost one hash


async def test_a_session_ends_twelve_hours_after_its_last_use_and_not_when_the_clock_jumps() -> None:
    elapsed = [1000.0]
    clock = ManualClock(SystemClock().utc_90k())
    async with open_house(clock=clock, elapsed=lambda: elapsed[0]) as house:
        visitor = await house.visitor(await house.user("anna"))
        clock.advance(3600 * 24)
        assert (await visitor.get("/api/v1/session")).status == 200
        elapsed[0] += 11.9 * 3600
        assert (await visitor.get("/api/v1/session")).status == 200
        elapsed[0] += 12.1 * 3600
        assert (await visitor.get("/api/v1/session")).status == 401


async def test_a_ticket_is_good_for_its_path_and_camera_only(house: House) -> None:
    camera, other = await house.camera("one"), await house.camera("two")
    anna = await house.viewer("anna", camera, other)
    answer = await anna.ask("POST", f"/api/v1/cameras/{camera.id}/ticket", {"path": "live"})
    ticket = answer.json["ticket"]
    player = house.stranger()
    base = "/api/v1/cameras"
    tried = {
        f"{base}/{camera.id}/live?ticket={ticket}": 101,
        f"{base}/{other.id}/live?ticket={ticket}": 401,
        f"{base}/{camera.id}/live?ticket={ticket}x": 401,
    }
    for path, status in tried.items():
        assert (await trio.to_thread.run_sync(player.shake_hands, path)).status == status
    assert (await player.get(f"{base}/{camera.id}/snapshot.jpg?ticket={ticket}")).status == 401
    assert (await player.get(f"{base}?ticket={ticket}")).status == 401
    bad = await anna.ask("POST", f"{base}/{camera.id}/ticket", {"path": "../../admin/users"})
    assert bad.code == "bad_path"
    await anna.ask("DELETE", "/api/v1/session")
    ended = await trio.to_thread.run_sync(player.shake_hands, f"{base}/{camera.id}/live?ticket={ticket}")
    assert ended.status == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"username": "x"}',
        b'{"username": 1, "password": "x"}',
        b'{"username":"x","password":"y","z":1}',
    ],
)
async def test_a_sign_in_that_is_none_is_named(house: House, body: bytes) -> None:
    answer = await house.stranger().ask("POST", "/api/v1/session", body)
    assert (answer.status, answer.code) == (422, "bad_request")


async def test_a_body_too_large_is_refused(house: House) -> None:
    answer = await house.stranger().ask("POST", "/api/v1/session", b'{"username":"' + b"x" * (1 << 20) + b'"}')
    assert answer.status in (413, 429)
