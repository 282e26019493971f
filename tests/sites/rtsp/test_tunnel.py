"""RTSP through HTTP: the two requests and what becomes of them, whatever is answered."""

from __future__ import annotations

from base64 import b64decode
from itertools import pairwise

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.clock import SystemClock
from appliance.base.secrets import Secret
from appliance.sites.rtsp.auth import Authenticator
from appliance.sites.rtsp.errors import BadCredentials, BadMessage, NoAnswer, Refused, RtspError
from appliance.sites.rtsp.messages import HEAD_LIMIT
from appliance.sites.rtsp.oddities import Oddities
from appliance.sites.rtsp.source import open_rtsp
from appliance.sites.rtsp.target import RtspTarget
from appliance.sites.rtsp.tunnel import Opening, TunnelStream, Unproven, open_tunnel
from appliance.sites.rtsp.urls import parse_url
from appliance.sites.source import SourceError, Trouble
from tests.sites.rtsp.camera import ScriptedCamera

URL = parse_url("rtsp://cam/live?x=1#transport=http").url
GOOD = b"HTTP/1.0 200 OK\r\nContent-Type: application/x-rtsp-tunnelled\r\n\r\n"
CHALLENGE = b'HTTP/1.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm="r", nonce="%d"\r\n\r\n'


def opening(username: str = "", password: str | None = None) -> Opening:
    secret = Secret(password) if password is not None else None
    return Opening(URL, Authenticator(URL, username, secret, make_cnonce=lambda: "c"), Oddities(), "Test/1")


def fields(request: bytes) -> tuple[str, dict[str, str]]:
    first, *lines = request.decode().removesuffix("\r\n\r\n").split("\r\n")
    return first, dict(line.split(": ", 1) for line in lines)


def test_both_requests_name_the_same_tunnel() -> None:
    core = opening()
    first, get = fields(core.get())
    assert first == "GET /live?x=1 HTTP/1.0"
    assert get["Accept"] == "application/x-rtsp-tunnelled"
    assert get["Host"] == "cam:80"
    assert core.receive_data(GOOD) == b""
    second, post = fields(core.post())
    assert second == "POST /live?x=1 HTTP/1.0"
    assert (post["Content-Type"], post["Content-Length"]) == ("application/x-rtsp-tunnelled", "32767")
    assert get["x-sessioncookie"] == post["x-sessioncookie"]
    assert fields(opening().get())[1]["x-sessioncookie"] != get["x-sessioncookie"]


@given(st.lists(st.integers(1, len(GOOD) + 3)))
def test_in_whatever_pieces_the_answer_comes(cuts: list[int]) -> None:
    core, data = opening(), GOOD + b"RTSP"
    core.get()
    edges = [0, *sorted(set(cuts)), len(data)]
    rest = None
    for start, end in pairwise(edges):
        piece = data[start:end]
        if rest is None:
            rest = core.receive_data(piece)
        else:
            rest += piece
    assert rest == b"RTSP"


def test_who_we_are_is_proved_for_each_request() -> None:
    core = opening("user", "word")
    core.get()
    with pytest.raises(Unproven):
        core.receive_data(CHALLENGE % 1)
    _, get = fields(core.get())
    assert 'uri="/live?x=1"' in get["Authorization"]
    assert core.receive_data(GOOD) == b""
    _, post = fields(core.post())
    assert post["Authorization"] != get["Authorization"]
    assert "word" not in str(get) + str(post)


def test_a_wrong_password_is_told() -> None:
    core = opening("user", "word")
    core.get()
    with pytest.raises(Unproven):
        core.receive_data(CHALLENGE % 1)
    core.get()
    with pytest.raises(BadCredentials):
        core.receive_data(CHALLENGE % 2)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 404 Not Found\r\n\r\n", Refused),
        (b"HTTP/1.1 302 Found\r\nLocation: http://198.51.100.1/\r\n\r\n", Refused),
        (b"HTTP/1.1 9999999 x\r\n\r\n", Refused),
        (b"HTTP/1.1\r\n\r\n", BadMessage),
        (b"RTSP/1.0 200 OK\r\n\r\n", BadMessage),
        (b"\x16\x03\x01", BadMessage),
        (b"HTTP/1.0 200 OK\r\n" + b"x" * HEAD_LIMIT, BadMessage),
        (b"HTTP/1.0 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n", BadMessage),
        (b"HTTP/1.0 401 No\r\n\r\n", BadCredentials),
    ],
)
def test_other_answers_are_errors(answer: bytes, error: type[RtspError]) -> None:
    core = opening("user", "word")
    core.get()
    with pytest.raises(error):
        core.receive_data(answer)


@given(st.lists(st.sampled_from([b"HTTP/1.0 ", b"200", b"401", b"\r\n", b"\r\n\r\n", b"a: b", b" "]) | st.binary()))
def test_whatever_is_answered_the_one_error_comes_out(pieces: list[bytes]) -> None:
    core = opening("user", "word")
    core.get()
    for piece in pieces:
        try:
            if core.receive_data(piece) is not None:
                return
        except (RtspError, Unproven):
            return
        assert len(core._buffer) <= HEAD_LIMIT


# ---- with connections


class Server:
    """Answers the GET of a tunnel, and hands what goes up and down to a scripted camera."""

    def __init__(self, nursery: trio.Nursery, camera: ScriptedCamera | None, answers: list[bytes]) -> None:
        self._nursery = nursery
        self._camera = camera
        self._answers = answers
        self._down: trio.StapledStream | None = None
        self.requests: list[bytes] = []
        self.gone = 0

    async def open(self) -> trio.abc.Stream:
        ours, theirs = trio.testing.memory_stream_pair()
        self._nursery.start_soon(self._serve, theirs)
        return ours

    async def dial(self, url, check_address) -> trio.abc.Stream:
        return await self.open()

    async def _serve(self, stream: trio.StapledStream) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            data = await stream.receive_some()
            if not data:
                return
            head += data
        head, _, body = head.partition(b"\r\n\r\n")
        self.requests.append(head)
        if head.startswith(b"GET"):
            self._down = stream
            if self._answers:
                await stream.send_all(self._answers.pop(0))
        elif self._camera is not None:
            assert self._down is not None
            upward, written = trio.testing.memory_stream_one_way_pair()[::-1]
            self._camera.stream = trio.StapledStream(self._down, upward)
            self._nursery.start_soon(self._camera._serve, self._camera.stream)
            while True:
                whole = len(body) - len(body) % 4
                for at in range(0, whole, 4):  # each message has its own padding
                    await written.send_all(b64decode(body[at : at + 4], validate=True))
                data = await stream.receive_some()
                if not data:
                    break
                body = body[whole:] + data
            self.gone += 1


async def test_a_camera_is_watched_through_a_tunnel_and_asked_for_proof_first(nursery, autojump_clock) -> None:
    camera = ScriptedCamera(nursery, media=lambda camera: camera.pictures(60))
    server = Server(nursery, camera, [CHALLENGE % 1, GOOD])
    target = RtspTarget.from_url("rtsp://user:word@cam/live#transport=http")
    async with open_rtsp(target, SystemClock(), dial=server.dial) as source:
        for _ in range(55):
            await source.receive()
    assert [request.split()[0] for request in server.requests] == [b"GET", b"GET", b"POST"]
    assert camera.methods == ["OPTIONS", "DESCRIBE", "SETUP", "SETUP", "PLAY", "TEARDOWN"]
    assert {request.url.partition("/live")[0] for _, request in camera.requests} == {"rtsp://cam:80"}
    assert camera.packets  # the reports go up as well
    await trio.testing.wait_all_tasks_blocked()
    assert server.gone == 1


async def test_a_camera_that_asks_for_proof_for_ever_is_left(nursery, autojump_clock) -> None:
    stale = b'HTTP/1.0 401 No\r\nWWW-Authenticate: Digest realm="r", nonce="%d", stale=true\r\n\r\n'
    server = Server(nursery, None, [stale % n for n in range(9)])
    with pytest.raises(BadCredentials, match="again and again"):
        await open_tunnel(server.open, opening("user", "word"))
    assert len(server.requests) == 3


async def test_silence_is_a_timeout(nursery, autojump_clock) -> None:
    with pytest.raises(NoAnswer):
        await open_tunnel(Server(nursery, None, []).open, opening())
    assert trio.current_time() <= 5.1


async def test_no_tunnel_is_a_reason(nursery, autojump_clock) -> None:
    server = Server(nursery, None, [b"HTTP/1.1 404 Not Found\r\n\r\n"])
    with pytest.raises(SourceError) as caught:
        async with open_rtsp(RtspTarget.from_url("rtsp://cam/#transport=http"), SystemClock(), dial=server.dial):
            pytest.fail("it cannot be open")
    assert caught.value.trouble == Trouble.NOT_FOUND


async def test_each_message_goes_up_whole(autojump_clock) -> None:
    up, seen = trio.testing.memory_stream_pair()
    down, _ = trio.testing.memory_stream_pair()
    stream = TunnelStream(down, up, b"first")
    assert await stream.receive_some() == b"first"
    for text in (b"a", b"bc", b"def"):
        await stream.send_all(text)
        assert b64decode(await seen.receive_some(), validate=True) == text
    await stream.aclose()
