"""Cameras over HTTP: set up, changed, removed; addresses that no camera has; passwords that are not told again."""

from __future__ import annotations

import pytest
import trio

from appliance.base.clock import to_rfc3339
from tests.streams.scripted import picture
from tests.web.appliance import House, open_house
from tests.web.scenes import feed, give

PATH = "/api/v1/admin/cameras"
URL = "rtsp://192.0.2.10/main"


async def test_a_camera_is_set_up_changed_and_removed(house: House) -> None:
    chief = await house.administrator()
    made = await chief.ask("POST", PATH, {"name": "Gate", "url": URL, "sub": "rtsp://192.0.2.10/sub"})
    assert made.status == 201
    camera = made.json
    assert [(one["name"], one["url"]) for one in camera["streams"]] == [("main", URL), ("sub", "rtsp://192.0.2.10/sub")]
    assert (await chief.get("/api/v1/cameras")).json["cameras"][0]["id"] == camera["id"]
    changed = await chief.ask("PATCH", f"{PATH}/Gate", {"name": "Front gate", "url": "rtsp://192.0.2.11:8554/x"})
    assert (changed.json["id"], changed.json["name"]) == (camera["id"], "Front gate")
    assert changed.json["streams"][0]["url"] == "rtsp://192.0.2.11:8554/x"
    single = await chief.ask("PATCH", f"{PATH}/{camera['id']}", {"sub": ""})
    assert len(single.json["streams"]) == 1
    assert (await chief.ask("DELETE", f"{PATH}/front%20gate")).status == 204
    assert (await chief.get(PATH)).json == {"cameras": []}
    assert (await chief.ask("DELETE", f"{PATH}/Front%20gate")).code == "no_camera"


async def test_a_removal_for_later_happens_by_itself_and_can_be_taken_back(house: House) -> None:
    chief, anna = await house.administrator(), await house.viewer("anna", await house.camera())
    await house.camera("Yard")

    async def left() -> dict[str, bool]:
        return {one["name"]: one["remove_at"] is not None for one in (await chief.get(PATH)).json["cameras"]}

    async with anna.reading("/api/v1/events") as page:
        assert (await page.event())[0] == "hello"
        asked = await chief.ask("DELETE", f"{PATH}/Gate?in_seconds=60")
        assert (asked.status, asked.json["name"]) == (202, "Gate")
        assert to_rfc3339(house.services.clock.utc_90k()) < asked.json["remove_at"]
        assert await left() == {"Gate": True, "Yard": False}
        assert (await page.until("camera_changed"))["remove_at"] == asked.json["remove_at"]
        assert (await chief.ask("DELETE", f"{PATH}/Gate/removal")).status == 204
        assert await left() == {"Gate": False, "Yard": False}
        assert (await page.until("camera_changed"))["remove_at"] is None
        assert (await chief.ask("DELETE", f"{PATH}/Gate/removal")).status == 204  # it stays anyway
        for which, seconds in (("Yard", 60), ("Gate", 60), ("Gate", 1)):  # the last word counts, whatever waits behind
            assert (await chief.ask("DELETE", f"{PATH}/{which}?in_seconds={seconds}")).status == 202
        assert (await left())["Gate"]
        assert await page.until("camera_removed") == {"id": asked.json["id"]}
        assert await left() == {"Yard": True}
    assert (await chief.ask("DELETE", f"{PATH}/Gate/removal")).code == "no_camera"
    assert (await chief.ask("DELETE", f"{PATH}/Yard")).status == 204  # at once after all


async def test_a_removal_waits_for_a_minute_at_most_and_a_restart_keeps_the_camera(tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("kept")
    async with open_house(folder=folder) as house:
        await house.camera()
        chief = await house.administrator()
        for seconds in ("0", "61", "-1", "1.5", "", "soon"):
            refused = await chief.ask("DELETE", f"{PATH}/Gate?in_seconds={seconds}")
            assert (refused.status, refused.code, refused.json["field"]) == (422, "bad_parameter", "in_seconds")
        assert (await chief.get(PATH)).json["cameras"][0]["remove_at"] is None
        assert (await chief.ask("DELETE", f"{PATH}/Gate?in_seconds=1")).status == 202
    async with open_house(folder=folder) as house:
        await trio.sleep(1.1)
        assert house.services.removals.due(house.services.cameras.get("Gate").id) is None


async def test_a_password_in_an_address_is_kept_apart_and_never_told(house: House) -> None:
    chief = await house.administrator()
    url = "rtsp://operator:s3cr%40t-of-the-gate@192.0.2.10/main?a=b"
    made = await chief.ask("POST", PATH, {"name": "Gate", "url": url})
    stream = made.json["streams"][0]
    assert stream["url"] == "rtsp://192.0.2.10/main?a=b"
    assert (stream["username"], stream["has_password"]) == ("operator", True)
    kept = house.services.cameras.get("Gate").streams[0].password
    assert kept is not None
    assert kept.reveal() == "s3cr@t-of-the-gate"
    renamed = await chief.ask("PATCH", f"{PATH}/Gate", {"name": "Front gate", "url": "rtsp://192.0.2.10/other"})
    assert renamed.json["streams"][0]["has_password"] is True  # the same host
    moved = await chief.ask("PATCH", f"{PATH}/Front gate".replace(" ", "%20"), {"url": "rtsp://192.0.2.99/main"})
    assert moved.json["streams"][0]["has_password"] is False  # never to another one (A11)
    given = await chief.ask("PATCH", f"{PATH}/Front%20gate", {"username": "u", "password": "another secret"})
    assert (given.json["streams"][0]["username"], given.json["streams"][0]["has_password"]) == ("u", True)
    apart = {"name": "Yard", "url": "rtsp://192.0.2.12/main", "username": "u", "password": "another secret"}
    yard = await chief.ask("POST", PATH, apart)
    assert (yard.json["streams"][0]["username"], yard.json["streams"][0]["has_password"]) == ("u", True)
    told = b"".join(answer.body for answer in house.answers)
    assert b"s3cr" not in told
    assert b"another secret" not in told


@pytest.fixture(scope="module")
def chief(shared: House):
    shared.do(shared.camera, "taken")
    return shared.do(shared.administrator, "chief of cameras")


BAD = [
    ({"name": "", "url": URL}, 422, "invalid_name", "name"),
    ({"name": "x" * 65, "url": URL}, 422, "invalid_name", "name"),
    ({"name": "3f2c9a52-7d0c-4a0e-9b1d-2f1f0c9d8e7a", "url": URL}, 422, "invalid_name", "name"),
    ({"name": "taken", "url": URL}, 409, "name_taken", "name"),
    ({"name": "Ｔａｋｅｎ", "url": URL}, 409, "name_taken", "name"),
    ({"name": "new"}, 422, "bad_request", None),
    ({"name": "new", "url": 5}, 422, "bad_request", "url"),
    ({"name": "new", "url": URL, "secret": "x"}, 422, "bad_request", None),
    ({"name": "new", "url": URL, "sub": "ftp://192.0.2.1/x"}, 501, "unsupported_scheme", "sub"),
    *(
        ({"name": "new", "url": url}, 501, "unsupported_scheme", "url")
        for url in ("ws://192.0.2.1/x", "exec://ls", "ftp://192.0.2.1/", "gopher://192.0.2.1/", "file:///etc/passwd")
    ),
    *(
        ({"name": "new", "url": url}, 422, "invalid_url", "url")
        for url in (
            "", "nonsense", "demo:main", "file:/etc/passwd", "rtsp://", "rtsp:///x", "rtsp://a b/x", "rtsp://h:0/x",
            "rtsp://h:65536/x", "rtsp://h:x/", "rtsp://[::1/x", "rtsp://192.0.2.1/" + "x" * 3000, "rtsp://h/\r\nX: y",
            "http://169.254.169.254/latest/meta-data", "rtsp://[fd00:ec2::254]/", "rtsp://metadata.google.internal/",
            "rtsp://100.100.100.200/", "rtsp://[::ffff:169.254.169.254]/", "rtsp://2852039166/", "rtsp://0xa9fea9fe/",
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status", "code", "field"), BAD)
def test_a_camera_that_cannot_be_is_refused_by_field(shared: House, chief, body, status, code, field) -> None:
    answer = chief.call("POST", PATH, body)
    assert (answer.status, answer.code, answer.json.get("field")) == (status, code, field)
    assert shared.services.cameras.find("new") is None


def test_a_wrong_address_is_not_repeated_with_its_password(shared: House, chief) -> None:
    for url in ("rtsp://u:hunter2@[::1/x", "rtsp://u:hunter2@169.254.169.254/", "http://u:hunter2@169.254.169.254/",
                "rtsp://u:hun/ter2@192.0.2.1/", "u:hunter2@192.0.2.1", "rtsp://u:hunter2\n@h/"):  # fmt: skip
        for method, path in (("POST", PATH), ("PATCH", f"{PATH}/taken")):
            answer = chief.call(method, path, {"name": "new", "url": url} if method == "POST" else {"url": url})
            assert answer.status in (422, 501)
            assert b"hunter2" not in answer.body
            assert b"ter2" not in answer.body


def test_a_camera_that_is_not_there_is_named(shared: House, chief) -> None:
    for method in ("PATCH", "DELETE"):
        for which in ("nowhere", "3f2c9a52-7d0c-4a0e-9b1d-2f1f0c9d8e7a", "%00", "x" * 2000):
            answer = (
                chief.call(method, f"{PATH}/{which}", {"name": "y"})
                if method == "PATCH"
                else chief.call(method, f"{PATH}/{which}")
            )
            assert (answer.status, answer.code) == (404, "no_camera"), which
            assert len(answer.body) < 2000


def test_a_change_that_cannot_be_changes_nothing(shared: House, chief) -> None:
    before = shared.services.cameras.get("taken")
    for body in ({"name": "x", "url": "nonsense"}, {"name": ""}, {"url": "rtsp://169.254.169.254/"}, {"zzz": 1}):
        assert chief.call("PATCH", f"{PATH}/taken", body).status == 422
    assert shared.services.cameras.get("taken") == before


async def test_what_was_lost_on_the_way_is_counted_where_the_stream_is_listed(house: House) -> None:
    camera = await house.camera()
    chief, anna = await house.administrator(), await house.viewer("anna", camera)
    (closed,) = (await chief.get(PATH)).json["cameras"][0]["streams"]
    assert (closed["packets_lost"], closed["pictures_dropped"], closed["oddities"]) == (None, None, [])
    async with anna.live(camera.id) as view:
        await view.want()
        source = await feed(house, camera)
        await give(source, picture(0))
        await view.fragments(2)
        source.statistics.packets_lost, source.statistics.units_dropped = 3, 7
        source.statistics.oddities.add("marker_missing")
        (opened,) = (await chief.get(PATH)).json["cameras"][0]["streams"]
    assert (opened["packets_lost"], opened["pictures_dropped"], opened["oddities"]) == (3, 7, ["marker_missing"])


async def test_how_a_camera_is_recorded_is_set_bit_by_bit(house: House) -> None:
    chief = await house.administrator()
    off = {
        "mode": "off",
        "sub": False,
        "schedule": [],
        "pre_s": 5,
        "post_s": 30,
        "retention_days": None,
        "max_gb": None,
    }
    assert (await chief.ask("POST", PATH, {"name": "Gate", "url": URL})).json["recording"] == off
    yard = await chief.ask(
        "POST", PATH, {"name": "Yard", "url": URL, "recording": {"mode": "continuous", "max_gb": 1.5}}
    )
    assert yard.json["recording"] == off | {"mode": "continuous", "max_gb": 1.5}

    async def set_to(**recording: object) -> object:
        answer = await chief.ask("PATCH", f"{PATH}/Gate", {"recording": recording})
        return answer.json["recording"] if answer.status == 200 else (answer.status, answer.code, answer.json["field"])

    spans = [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "22:00", "to": "06:00"}]
    by_schedule = off | {"mode": "schedule", "schedule": spans}
    assert await set_to(mode="schedule") == (422, "invalid_recording", "recording.schedule")
    assert await set_to(mode="schedule", schedule="fri,mon-thu 22:00-6:00") == by_schedule
    assert await set_to(sub=True, retention_days=7, schedule=spans) == by_schedule | {"sub": True, "retention_days": 7}
    assert await set_to(retention_days=None, sub=False) == by_schedule
    assert await set_to(pre_s=31) == (422, "invalid_recording", "recording.pre_s")
    assert await set_to(mode="always") == (422, "invalid_recording", "recording.mode")
    assert await set_to(pre_s=1.5) == (422, "bad_request", "recording.pre_s")
    assert await set_to(quality="high") == (422, "bad_request", "recording")
    assert await set_to() == by_schedule
    listed = (await chief.get(PATH)).json["cameras"]
    assert [one["recording"]["mode"] for one in listed] == ["schedule", "continuous"]
