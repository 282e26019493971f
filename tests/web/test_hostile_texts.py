"""Names and user agents that are meant to be taken for something else (abuse A17).

Each is accepted and stays a text, or is refused with a problem that says why.  Wherever an accepted one is shown it is
escaped as that place needs it: JSON, an event, a line of the log, a label of a metric, HTML.
"""

from __future__ import annotations

import html.parser
import json
import re
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from prometheus_client.parser import text_string_to_metric_families

from appliance.auth.lockout import Lockout
from appliance.base.texts import clean_name
from tests.web.appliance import House
from tests.web.hostile import texts
from tests.web.visitor import PASSWORD

if TYPE_CHECKING:
    from tests.web.manners import Answer
    from tests.web.visitor import Visitor

TEXTS = texts()
LOG_LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (DEBUG|INFO|WARNING|ERROR) +[\w.]+: |    )")


@pytest.fixture(scope="module")
def chief(shared: House) -> Visitor:
    visitor: Visitor = shared.do(shared.administrator, "chief of words")
    return visitor


def shows(text: str) -> bool:
    return all(unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") for char in text)


def judge(answer: Answer, text: str) -> str | None:
    """The name as it was accepted, or None where it was refused as it has to be."""
    if answer.status == 201:
        name: str = answer.json["name"]
        assert name == clean_name(text)
        assert shows(name)
        return name
    assert answer.status in (409, 422), (text, answer)
    assert (answer.code, answer.json["field"]) in (("invalid_name", "name"), ("name_taken", "name")), (text, answer)
    assert answer.json["detail"]
    for header, value in answer.raw_headers:
        assert text not in value or len(text) < 3, header
    return None


def check_log(house: House) -> None:
    lines = (house.folder / "logs" / "fanal.log").read_text(encoding="utf-8").split("\n")
    assert lines[-1] == ""
    for line in lines[:-1]:
        assert LOG_LINE.match(line), line
        assert shows(line), line


def test_the_corpus_is_one() -> None:
    assert len(TEXTS) == len(set(TEXTS)) == 500
    assert sum(map(shows, TEXTS)) > 150
    assert sum(not shows(text) for text in TEXTS) > 100


def test_cameras_may_be_called_anything_that_shows(shared: House, chief: Visitor) -> None:
    accepted = []
    for number, text in enumerate(TEXTS):
        answer = chief.call("POST", "/api/v1/admin/cameras", {"name": text, "url": f"rtsp://192.0.2.9/{number}"})
        if (name := judge(answer, text)) is not None:
            accepted.append(name)
    assert len(accepted) > 150
    listed = chief.call("GET", "/api/v1/cameras")
    assert [camera["name"] for camera in listed.json["cameras"]] == accepted
    assert listed.headers["content-type"] == "application/json"
    assert listed.headers["x-content-type-options"] == "nosniff"
    for name in accepted[::5]:  # what is in the path is data too
        found = chief.call("PATCH", f"/api/v1/admin/cameras/{quote(name, safe='')}", {})
        assert found.status in (200, 404)  # 404: a name with a slash is reached by its id only
        assert found.status == 200 or "/" in name
    check_log(shared)


def test_users_may_be_called_anything_that_shows_and_sign_in_by_it(shared: House, chief: Visitor) -> None:
    accepted = []
    for text in TEXTS:
        answer = chief.call("POST", "/api/v1/admin/users", {"name": text, "password": PASSWORD})
        if (name := judge(answer, text)) is not None:
            accepted.append(name)
    assert len(accepted) > 150
    for name in accepted[::10]:
        visitor = shared.stranger()
        answer = visitor.call("POST", "/api/v1/session", {"username": name, "password": PASSWORD})
        assert (answer.status, answer.json["user"]["name"]) == (200, name)
    assert {user["name"] for user in chief.call("GET", "/api/v1/admin/users").json["users"]} >= set(accepted)
    assert {user["name"] for user in chief.call("GET", "/api/v1/status/users").json["users"]} >= set(accepted[::10])
    check_log(shared)


def test_signing_in_as_anything_is_a_wrong_password(shared: House, monkeypatch) -> None:
    visitor = shared.stranger()
    monkeypatch.setattr(Lockout, "delay", lambda *_: 0.0)  # names that nobody can have count as one account
    for number, text in enumerate(TEXTS):
        if number % 9 == 0:  # before the address is locked
            visitor = shared.stranger(address=f"127.0.1.{number // 9 + 1}")
        answer = visitor.call("POST", "/api/v1/session", {"username": text, "password": text})
        assert (answer.status, answer.code) == (401, "bad_credentials"), text
    check_log(shared)


def test_user_agents_and_other_headers_are_only_texts(shared: House, chief: Visitor) -> None:
    shared.do(shared.user, "traveller")
    tried, visitor = 0, shared.stranger(address="127.0.2.1")
    for text in TEXTS:
        if any(char in text for char in "\r\n\x00"):
            continue  # no client can send these in a header: tests/serve is about those that try
        value = text.encode().decode("latin-1").strip()
        headers = {"User-Agent": value, "Accept-Language": value, "X-Forwarded-For": value, "Referer": value}
        try:
            page = visitor.call("GET", "/trust", headers=headers)
        except AssertionError as refused:
            assert "status=400" in str(refused), text  # noqa: PT017 (h11's word on a control character)
            continue
        assert page.status == 200
        check_html(page.body.decode(), text)
        tried += 1
    for text in TEXTS[::10]:
        if shows(text):
            value = text.encode().decode("latin-1").strip()
            body = {"username": "traveller", "password": PASSWORD}
            assert shared.stranger().call("POST", "/api/v1/session", body, {"User-Agent": value}).status == 200
    assert tried > 300
    check_log(shared)


class _Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag + "".join(f" {name}" for name, _ in attrs if name.startswith("on")))

    def handle_data(self, data: str) -> None:
        self.text += data


def check_html(page: str, text: str) -> _Tags:
    parsed = _Tags()
    parsed.feed(page)
    allowed = {
        "html",
        "head",
        "meta",
        "title",
        "link",
        "body",
        "main",
        "h1",
        "p",
        "ol",
        "li",
        "b",
        "a",
        "dl",
        "dt",
        "dd",
    }
    assert set(parsed.tags) <= allowed, text
    return parsed


def test_the_servers_name_is_a_text_on_its_page(shared: House, chief: Visitor) -> None:
    stranger, shown = shared.stranger(), 0
    plain = len(check_html(stranger.call("GET", "/trust").body.decode(), "").tags)
    for text in TEXTS[::2]:
        answer = chief.call("PUT", "/api/v1/admin/settings/general", {"server_name": text, "description": text[:500]})
        if answer.status != 200:
            assert (answer.status, answer.code) == (422, "invalid_setting"), text
            continue
        page = stranger.call("GET", "/trust").body.decode()
        parsed = check_html(page, text)
        assert len(parsed.tags) == plain, text
        assert clean_name(text) in parsed.text
        assert stranger.call("GET", "/api/v1/server").json["name"] == clean_name(text)
        shown += 1
    assert shown > 60
    check_log(shared)


async def test_an_event_is_one_event_whatever_the_camera_is_called(house: House) -> None:
    user = await house.user("anna", live="all")
    names = [clean_name(text) for text in TEXTS[::3] if shows(text) and text.strip() and len(text) <= 64]
    camera = await house.camera("first")
    async with (await house.visitor(user)).reading("/api/v1/events") as page:
        assert (await page.event())[0] == "hello"
        for name in dict.fromkeys(names):
            await house.services.cameras.change(camera.id, name=name)
            raw = [await page.line() for _ in range(3)]
            while raw[0] != b"event: camera_changed\n":
                assert raw[0] in (b"event: camera_state\n",), raw
                raw = [await page.line() for _ in range(3)]
            assert raw[2] == b"\n"
            assert json.loads(raw[1].removeprefix(b"data: "))["name"] == name


async def test_metrics_are_readable_whatever_the_camera_is_called(house: House) -> None:
    chief = await house.administrator()
    hard = ['x"} 1\\', "a\\nb", "{},=\"'", "é漢", "# HELP x", "\\"]
    for name in hard:
        camera = await house.camera(name)
        house.services.directory.lease(camera, camera.streams[0]).__enter__()
    text = (await chief.get("/metrics")).body.decode()
    (pictures,) = [family for family in text_string_to_metric_families(text) if family.name == "fanal_pictures"]
    assert {sample.labels["stream"] for sample in pictures.samples} == {f"camera {name} (main)" for name in hard}
