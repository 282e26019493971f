"""Testing a camera's address over the interface: the real appliance, a real camera server, real sockets."""

from __future__ import annotations

import socket
import threading
import time
from base64 import b64decode
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import simplejpeg
import trio

from appliance.base.clock import SystemClock
from appliance.sites.opening import Sources
from appliance.sites.probe import ProbeResult
from appliance.web.camera_test import _name
from tests.peers.cameras import Cameras, free_port, running_cameras
from tests.web.appliance import House, running_house
from tests.web.endless import EndlessOpeners

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.web.manners import Answer
    from tests.web.visitor import Visitor

USER, PASSWORD = "fanal", "canary of the camera"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Cameras]:
    with running_cameras(user=USER, password=PASSWORD) as cameras:
        yield cameras


@pytest.fixture(scope="module")
def real() -> Iterator[House]:
    """A house that opens addresses as the product does."""
    with running_house(openers=Sources(SystemClock(), None)) as house:  # type: ignore[arg-type]  (no demo here)
        yield house


@pytest.fixture(scope="module")
def chief(real: House) -> Visitor:
    visitor: Visitor = real.do(real.administrator)
    return visitor


@contextmanager
def answering(greeting: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """A port that says this to whoever comes, hears what they say first, and hangs up; and what it heard."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(5)
                connection.sendall(greeting)
                heard.append(connection.recv(65536))

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1], heard
        thread.join(10)
        assert not thread.is_alive()


def attempt(visitor: Visitor, **body: Any) -> Answer:
    return visitor.call("POST", "/api/v1/admin/camera-tests", body)


def failed(answer: Answer) -> tuple[str, str]:
    """The step that failed and its code; those before it went well."""
    assert answer.status == 200
    stream = answer.json["streams"][-1]
    *before, last = stream["steps"]
    assert all(step["ok"] for step in before)
    assert not last["ok"]
    assert last["text"].startswith(stream["message"])
    assert not answer.json["ok"]
    assert answer.json["picture"] is None
    return last["name"], stream["code"]


@pytest.mark.peer
def test_a_good_address_gives_its_streams_and_a_picture(chief: Visitor, simulator: Cameras) -> None:
    answer = attempt(chief, url=simulator.url(), sub=simulator.url("/sub"), username=USER, password=PASSWORD).json
    assert answer["ok"]
    main, sub = answer["streams"]
    assert [step["name"] for step in main["steps"]] == ["connect", "OPTIONS", "DESCRIBE", "SETUP", "PLAY", "picture"]
    assert (main["name"], main["codec"], main["width"], main["height"]) == ("main", "h264", 1280, 720)
    assert sub["width"] < main["width"]
    assert main["fps"] == pytest.approx(10, rel=0.1)
    assert main["gop_s"] == pytest.approx(1, rel=0.1)
    assert main["kbps"] > 1
    assert [each["about"] for each in main["advice"]] == ["rate"]  # ten a second are not above ten
    assert main["url"] == simulator.url()
    grey = simplejpeg.decode_jpeg(b64decode(answer["picture"]["jpeg"]), "GRAY")
    assert grey.shape[1::-1] == (answer["picture"]["width"], answer["picture"]["height"]) == (960, 540)
    assert int(grey.max()) - int(grey.min()) > 50  # a picture, and no grey box
    # what GStreamer calls every session says nothing about this camera
    assert answer["name"] == answer["host"] == "127.0.0.1"


@pytest.mark.peer
def test_without_a_password_and_with_a_wrong_one_the_sign_in_fails(chief: Visitor, simulator: Cameras) -> None:
    assert failed(attempt(chief, url=simulator.url())) == ("DESCRIBE", "bad_credentials")
    wrong = attempt(chief, url=simulator.url(), sub=simulator.url("/sub"), username=USER, password="guessed")
    assert failed(wrong) == ("DESCRIBE", "bad_credentials")
    assert len(wrong.json["streams"]) == 1, "a second wrong password may lock the camera"


@pytest.mark.peer
def test_a_path_that_is_not_there_is_said(chief: Visitor, simulator: Cameras) -> None:
    answer = attempt(chief, url=simulator.url("/nothing"), username=USER, password=PASSWORD)
    assert failed(answer) == ("DESCRIBE", "not_found")


@pytest.mark.peer
def test_a_second_stream_that_is_not_there_leaves_the_first(chief: Visitor, simulator: Cameras) -> None:
    urls = {"url": simulator.url(), "sub": simulator.url("/nothing")}
    answer = attempt(chief, **urls, username=USER, password=PASSWORD).json
    assert [(stream["name"], stream["ok"], stream["code"]) for stream in answer["streams"]] == [
        ("main", True, None),
        ("sub", False, "not_found"),
    ]
    assert not answer["ok"]
    assert answer["picture"] is not None


@pytest.mark.peer
def test_a_camera_that_sends_nothing_ends_the_test_in_time(chief: Visitor, simulator: Cameras) -> None:
    simulator.order("stall", "cam1", "30")
    try:
        began = time.monotonic()
        answer = attempt(chief, url=simulator.url(), username=USER, password=PASSWORD)
        assert time.monotonic() - began < 20
    finally:
        simulator.order("stall", "cam1", "0")
    assert failed(answer) == ("DESCRIBE", "timeout")  # this server waits for a picture before it describes it


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Front\tgate \x1b", "Front gate"),
        ("AXIS P1455-LE", "AXIS P1455-LE"),
        ("x" * 100, "x" * 64),
        ("password=opensesame", "password=•••"),
        *((title, "192.0.2.1") for title in ("", " ", "-", "No Name", "Media Presentation", "RTSP Session",
          "RTSP/RTP stream", "Session streamed with GStreamer", "rtsp://admin:secret@192.0.2.1/", "\0")),
    ],
)  # fmt: skip
def test_what_a_camera_calls_itself_is_proposed_where_it_tells_it_from_others(title: str, name: str) -> None:
    assert _name(ProbeResult((), title=title), "192.0.2.1") == name


def test_a_closed_port_is_refused(chief: Visitor) -> None:
    assert failed(attempt(chief, url=f"rtsp://127.0.0.1:{free_port()}/main")) == ("connect", "refused")


def test_something_that_does_not_speak_rtsp_is_said(chief: Visitor) -> None:
    with answering(b"SSH-2.0-OpenSSH_9.9\r\n") as (port, _):
        assert failed(attempt(chief, url=f"rtsp://127.0.0.1:{port}/")) == ("OPTIONS", "camera_lost")


def test_a_name_that_nobody_knows_is_said(chief: Visitor) -> None:
    assert failed(attempt(chief, url="rtsp://no-such-camera.invalid/main")) == ("connect", "not_found")


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"url": "rtsp://169.254.169.254/latest"}, "invalid_url", "url"),
        ({"url": "rtsp://[::ffff:169.254.169.254]/"}, "invalid_url", "url"),
        ({"url": "rtsp://metadata.google.internal/"}, "invalid_url", "url"),
        ({"url": "rtsp://192.0.2.1/", "sub": "rtsp://169.254.169.254/"}, "invalid_url", "sub"),
        ({"url": "file:///etc/passwd"}, "unsupported_scheme", "url"),
        ({"url": "demo:main"}, "invalid_url", "url"),
        ({"url": "rtsp://192.0.2.1/", "password": "x\0y"}, "invalid_credentials", "password"),
        ({}, "bad_request", "url"),
        ({"camera": "nobody"}, "no_camera", None),
    ],
)
def test_addresses_that_may_not_be_are_refused_before_anything_is_sent(
    chief: Visitor, body: dict[str, str], code: str, field: str | None
) -> None:
    answer = attempt(chief, **body)
    assert (answer.status >= 400, answer.code, answer.json.get("field")) == (True, code, field)


@pytest.mark.peer
def test_an_existing_camera_is_tested_with_its_sealed_password(real: House, chief: Visitor, simulator: Cameras) -> None:
    new = {"name": "Kept", "url": simulator.url(), "username": USER, "password": PASSWORD}
    assert chief.call("POST", "/api/v1/admin/cameras", new).status == 201
    answer = attempt(chief, camera="Kept")
    assert answer.json["ok"]
    assert attempt(chief, camera="Kept", url=simulator.url("/sub")).json["streams"][0]["width"] < 1280
    assert failed(attempt(chief, camera="Kept", password="guessed")) == ("DESCRIBE", "bad_credentials")
    # the password is told to nobody: not to the page, and not to another host
    assert PASSWORD not in answer.body.decode()
    challenge = b'RTSP/1.0 401 No\r\nCSeq: 1\r\nWWW-Authenticate: Basic realm="x"\r\n\r\n'
    with answering(challenge) as (port, heard):
        assert failed(attempt(chief, camera="Kept", url=f"rtsp://localhost:{port}/main"))[1] == "bad_credentials"
    assert len(heard) == 1
    assert b"uthorization" not in heard[0]
    assert chief.call("DELETE", "/api/v1/admin/cameras/Kept").status == 204


def test_a_test_keeps_nothing(chief: Visitor) -> None:
    attempt(chief, url=f"rtsp://127.0.0.1:{free_port()}/main")
    assert chief.call("GET", "/api/v1/admin/cameras").json["cameras"] == []


def test_a_third_at_once_is_told_to_wait() -> None:
    with running_house(openers=EndlessOpeners()) as house:
        visitors = [house.do(house.administrator, f"chief {number}") for number in range(3)]
        for visitor in visitors:  # each has its connection
            assert visitor.call("GET", "/api/v1/session").status == 200
        answers: list[Answer] = []

        async def all_three() -> None:
            async with trio.open_nursery() as nursery:
                for visitor in visitors:
                    nursery.start_soon(ask, visitor)

        async def ask(visitor: Visitor) -> None:
            answers.append(await trio.to_thread.run_sync(lambda: attempt(visitor, url="rtsp://192.0.2.10/main")))

        trio.run(all_three)
        assert sorted((answer.status, answer.json.get("code")) for answer in answers) == [
            (200, None),
            (200, None),
            (429, "busy"),
        ]
        assert attempt(visitors[0], url="rtsp://192.0.2.10/main").json["ok"], "the place is free again"
