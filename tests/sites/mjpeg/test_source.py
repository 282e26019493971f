"""Cameras over HTTP: pictures, proofs, redirections, and how each failure is told."""

from __future__ import annotations

from itertools import pairwise

import pytest
import trio

from appliance.base.secrets import Secret
from appliance.media.jpeg import LARGEST_PICTURE
from appliance.sites.mjpeg.asking import SILENT_S
from appliance.sites.mjpeg.exchange import HEAD_LIMIT
from appliance.sites.mjpeg.probe import look_at_mjpeg, probe_mjpeg
from appliance.sites.mjpeg.source import STUCK_S, UNUSABLE_LIMIT, open_mjpeg
from appliance.sites.rtsp.target import RtspTarget
from appliance.sites.source import SourceError, Trouble
from tests.media.jpegs import jpeg
from tests.sites.mjpeg.camera import PICTURES, URL, HttpCamera, always, head, opened, part, response, take
from tests.sites.rtsp.camera import TrioClock

DIGEST = {"WWW_Authenticate": 'Digest realm="cam", nonce="n1", qop="auth", algorithm=SHA-256'}
BASIC = {"WWW_Authenticate": 'Basic realm="cam"'}


async def trouble_of(nursery, script, url: str = URL) -> SourceError:
    with pytest.raises(SourceError) as caught:
        await watch(nursery, script, url)
    assert "canary" not in str(caught.value)
    return caught.value


async def watch(nursery, script, url: str) -> None:
    async with opened(HttpCamera(nursery, script), url) as source:
        while True:
            await source.receive()


def streaming(every_s: float = 0.1, count: int = 100):
    async def script(camera, _request) -> bool:
        await camera.send(head())
        for n in range(count):
            await camera.send(part(PICTURES[n % len(PICTURES)]))
            await trio.sleep(every_s)
        return False

    return script


async def test_a_stream_gives_its_pictures_as_they_come(nursery, autojump_clock) -> None:
    camera = HttpCamera(nursery, streaming())
    async with opened(camera) as source:
        assert source.video is None
        units = await take(source, 20)
        assert source.video is not None
        assert (source.video.codec, source.video.width, source.video.height) == ("mjpeg", 64, 48)
        assert source.statistics.bytes_received > sum(len(unit.data) for unit in units)
        assert source.statistics.oddities == set()
    assert [unit.data for unit in units] == [PICTURES[n % 8] for n in range(20)]
    assert [unit.seq for unit in units] == list(range(20))
    assert {after.dts - before.dts for before, after in pairwise(units)} == {9000}
    assert len({id(unit.run) for unit in units}) == 1
    (request,) = [request for _, request in camera.requests]
    assert (request.url, request.headers["Host"]) == ("/stream", "192.0.2.7")


async def test_an_answer_in_chunks(nursery, autojump_clock) -> None:
    data = part(PICTURES[0]) + part(PICTURES[1])
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (data[:700], data[700:]))
    kind = b"multipart/x-mixed-replace;boundary=frame"
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: %s\r\n\r\n" % kind
    async with opened(
        HttpCamera(nursery, always(b"HTTP/1.1 100 Continue\r\n\r\n", answer, chunks, end=False))
    ) as source:
        assert [unit.data for unit in await take(source, 2)] == PICTURES[:2]


@pytest.mark.parametrize(("options", "fps"), [("", 2), ("#fps=5", 5), ("#fps=1", 1)])
async def test_a_snapshot_is_asked_for_so_often(options, fps, nursery, autojump_clock) -> None:
    camera = HttpCamera(nursery, always(response(body=PICTURES[0], Content_Type="image/jpeg"), end=False))
    async with opened(camera, URL + options) as source:
        units = await take(source, 10)
    assert {after.dts - before.dts for before, after in pairwise(units)} == {90_000 // fps}
    assert [round(at * fps, 3) for at, _ in camera.requests] == list(range(10))
    assert len(camera.dialled) == 1
    assert all(request.url == "/stream" for _, request in camera.requests)


async def test_a_camera_that_closes_after_each_picture_is_dialled_anew(nursery, autojump_clock) -> None:
    closing = response(body=PICTURES[0], Content_Type="image/jpeg", Connection="close")
    camera = HttpCamera(nursery, always(closing))
    async with opened(camera) as source:
        await take(source, 4)
    assert len(camera.dialled) == 4
    unsaid = HttpCamera(nursery, always(response(body=PICTURES[0], Content_Type="image/jpeg")))
    async with opened(unsaid) as source:
        await take(source, 4)
    assert len(unsaid.dialled) == 4


async def test_a_slow_camera_is_asked_when_it_is_done(nursery, autojump_clock) -> None:
    async def script(camera, _request) -> None:
        await trio.sleep(1.25)
        await camera.send(response(body=PICTURES[0], Content_Type="image/jpeg"))

    camera = HttpCamera(nursery, script)
    async with opened(camera) as source:
        await take(source, 4)
    assert [at for at, _ in camera.requests] == [0, 1.25, 2.5, 3.75]


async def test_a_rate_says_nothing_to_a_camera_that_sends_by_itself(nursery, autojump_clock) -> None:
    async with opened(HttpCamera(nursery, streaming()), URL + "#fps=5") as source:
        assert source.notes == ("fps: the camera sends pictures by itself; how often is set there",)


@pytest.mark.parametrize("offer", [DIGEST, BASIC])
async def test_who_we_are_is_proved(offer, nursery, autojump_clock) -> None:
    async def script(camera, request) -> bool:
        proof = request.headers.get("Authorization", "")
        if not proof:
            await camera.send(response("401 Unauthorized", b"who?", **offer))
        else:
            assert ('uri="/stream"' in proof) == ("algorithm=SHA-256" in proof) == (offer is DIGEST)
            await camera.send(response(body=PICTURES[0], Content_Type="image/jpeg"))
        return True

    camera = HttpCamera(nursery, script)
    async with opened(camera, "http://user:canary@192.0.2.7/stream") as source:
        await take(source, 3)
    assert [bool(request.headers.get("Authorization")) for _, request in camera.requests] == [False, True, True, True]
    assert "canary" not in str(camera.requests)


async def test_basic_can_be_refused_and_a_nonce_may_grow_old(nursery, autojump_clock) -> None:
    target = RtspTarget.from_url(URL, "user", Secret("canary"), allow_basic=False)
    with pytest.raises(SourceError) as caught:
        async with open_mjpeg(target, TrioClock(), dial=HttpCamera(nursery, always(response("401 No", **BASIC))).dial):
            pytest.fail("it cannot be open")
    assert caught.value.trouble == Trouble.BAD_CREDENTIALS
    seen: list[str] = []

    async def script(camera, request) -> None:
        proof = request.headers.get("Authorization", "")
        nonce = f'nonce="n{len(seen) // 3}"'
        seen.append(proof)
        if nonce in proof:
            await camera.send(response(body=PICTURES[0], Content_Type="image/jpeg"))
        else:
            stale = f'Digest realm="cam", {nonce}, qop="auth", stale=true'
            await camera.send(response("401 Unauthorized", WWW_Authenticate=stale))

    async with opened(HttpCamera(nursery, script), "http://user:canary@192.0.2.7/stream") as source:
        await take(source, 4)


async def test_redirections_within_the_host_are_followed(nursery, autojump_clock) -> None:
    async def script(camera, request) -> None:
        there = {"/stream": "other?a=b#c", "/other?a=b": "http://192.0.2.7:8080/third"}.get(request.url)
        if there is not None:
            await camera.send(response("302 Found", Location=there))
        else:
            await camera.send(head(), part(PICTURES[0]))

    camera = HttpCamera(nursery, script)
    async with opened(camera) as source:
        await take(source, 1)
    assert camera.dialled == [URL, "http://192.0.2.7/other?a=b", "http://192.0.2.7:8080/third"]
    assert camera.requests[-1][1].headers["Host"] == "192.0.2.7:8080"


@pytest.mark.parametrize(
    ("answer", "trouble", "says"),
    [
        (response("401 No", **DIGEST), Trouble.BAD_CREDENTIALS, "refused the user name"),
        (response("401 No"), Trouble.BAD_CREDENTIALS, "cannot give"),
        (response("403 Forbidden"), Trouble.REFUSED, "answered GET with 403 Forbidden"),
        (response("404 Not Found"), Trouble.NOT_FOUND, "no stream at this address"),
        (response("500 \x1b[1mx"), Trouble.REFUSED, "500 ?[1mx"),
        (response("302 Found", Location="http://198.51.100.1/canary"), Trouble.REFUSED, "another host"),
        (response("302 Found", Location="rtsp://192.0.2.7/"), Trouble.REFUSED, "another host"),
        (response("302 Found", Location="http://[::1/"), Trouble.REFUSED, "another host"),
        (response("302 Found"), Trouble.REFUSED, "in circles"),
        (response("301 Moved", Location=URL), Trouble.REFUSED, "in circles"),
        (response(body=b"<html>", Content_Type="text/html"), Trouble.UNSUPPORTED_CODEC, "with text/html, which is no"),
        (response(body=b"", Content_Type="image/jpeg"), Trouble.UNSUPPORTED_CODEC, "is no JPEG"),
        (b"RTSP/1.0 200 OK\r\n\r\n", Trouble.CAMERA_LOST, "does not speak HTTP"),
        (b"\x16\x03\x01" * 50, Trouble.CAMERA_LOST, "does not speak HTTP"),
        (b"", Trouble.CAMERA_LOST, "closed the connection instead"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", Trouble.CAMERA_LOST, "closed the connection"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"b" * HEAD_LIMIT, Trouble.CAMERA_LOST, f"header of over {HEAD_LIMIT}"),
        (b"HTTP/1.1 100 Go\r\n\r\n" * 20, Trouble.CAMERA_LOST, "interim"),
        (head() + b"x" * 9000, Trouble.CAMERA_LOST, "no boundary in 8192 bytes"),
        (head() + b"--frame\r\nA: " + b"b" * 9000, Trouble.CAMERA_LOST, "8192 bytes of header"),
        (head() + b"--frame\r\nContent-Length: 99999999\r\n\r\n", Trouble.CAMERA_LOST, "picture of 99999999 bytes"),
        (head() + part(PICTURES[0]), Trouble.CAMERA_LOST, "ended the stream"),
        (head() + part(b"no") * UNUSABLE_LIMIT, Trouble.UNSUPPORTED_CODEC, "does not begin as JPEG does"),
        (head("image/jpeg") + PICTURES[0] + bytes(LARGEST_PICTURE), Trouble.CAMERA_LOST, "picture without end"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n\xff\xd8", Trouble.CAMERA_LOST, "closed the connection"),
    ],
)  # fmt: skip
async def test_failures_have_a_reason_and_a_sentence(answer, trouble, says, nursery, autojump_clock) -> None:
    error = await trouble_of(nursery, always(answer), "http://user:canary@192.0.2.7/stream")
    assert error.trouble == trouble
    assert says in str(error)


async def test_a_camera_that_asks_for_a_name_gets_none_where_there_is_none(nursery, autojump_clock) -> None:
    error = await trouble_of(nursery, always(response("401 No", **DIGEST)))
    assert (error.trouble, "Enter them" in str(error)) == (Trouble.BAD_CREDENTIALS, True)


async def test_proofs_that_are_asked_for_for_ever_are_not_given_for_ever(nursery, autojump_clock) -> None:
    stale = response("401 No", WWW_Authenticate='Digest realm="r", nonce="n", stale=true')
    error = await trouble_of(nursery, always(stale), "http://user:canary@192.0.2.7/stream")
    assert "again and again" in str(error)


@pytest.mark.parametrize(
    ("before", "seconds", "says"),
    [
        (b"", 5.0, "does not answer GET"),
        (b"HTTP/1.1 200", 5.0, "does not answer GET"),
        (head(), 15.0, "takes too long"),
        (head() + part(PICTURES[0]), SILENT_S, "nothing for 15 s"),
    ],
)
async def test_silence_ends(before, seconds, says, nursery, autojump_clock) -> None:
    began = trio.current_time()
    error = await trouble_of(nursery, always(before, end=False))
    assert (error.trouble, says in str(error)) == (Trouble.TIMEOUT, True)
    assert trio.current_time() - began == pytest.approx(seconds)


async def test_a_picture_that_trickles_for_ever_ends(nursery, autojump_clock) -> None:
    async def script(camera, _request) -> None:
        await camera.send(head(), part(PICTURES[0], length=5000)[:-2])
        while True:
            await trio.sleep(1)
            await camera.send(b"\0")

    began = trio.current_time()
    error = await trouble_of(nursery, script)
    assert (error.trouble, "no picture gets whole" in str(error)) == (Trouble.TIMEOUT, True)
    assert trio.current_time() - began == pytest.approx(STUCK_S)


async def test_an_error_stays(nursery, autojump_clock) -> None:
    async with opened(HttpCamera(nursery, always(head() + part(PICTURES[0])))) as source:
        await take(source, 1)
        for _ in range(2):
            with pytest.raises(SourceError, match="ended the stream"):
                await source.receive()


async def test_the_format_follows_the_pictures_and_changes_are_bounded(nursery, autojump_clock) -> None:
    sizes = [jpeg(32 + 16 * (n % 2), 32) for n in range(8)]
    camera = HttpCamera(nursery, always(head() + b"".join(map(part, sizes)), end=False))
    async with opened(camera) as source:
        units = await source.receive()
        assert source.statistics.oddities == {"format_changes_too_often"}
    assert [unit.format.width for unit in units] == [32, 48, 32, 32, 32]


async def test_a_look_costs_one_picture(nursery, autojump_clock) -> None:
    camera = HttpCamera(nursery, streaming())
    found = await look_at_mjpeg(RtspTarget.from_url(URL), TrioClock(), dial=camera.dial)
    assert found is not None
    assert (found.width, found.height) == (64, 48)


async def test_a_test_of_the_address_goes_step_by_step(nursery, autojump_clock) -> None:
    camera = HttpCamera(nursery, streaming())
    result = await probe_mjpeg(RtspTarget.from_url(URL), TrioClock(), dial=camera.dial)
    assert [(step.name, step.ok, step.detail) for step in result.steps] == [
        ("connect", True, "192.0.2.7:80"),
        ("GET", True, "multipart/x-mixed-replace"),
        ("picture", True, "64x48, mp4v.6C"),
    ]
    assert (result.error, result.measured.fps, result.measured.gop_s) == (None, 10, None)
    polled = HttpCamera(nursery, always(response(body=PICTURES[0], Content_Type="image/jpeg"), end=False))
    result = await probe_mjpeg(RtspTarget.from_url(URL), TrioClock(), dial=polled.dial)
    assert result.steps[1].detail == "image/jpeg, asked for 2 times a second"
    assert result.measured.fps == 2


@pytest.mark.parametrize(
    ("script", "steps"),
    [
        (always(response("404 No")), ["connect", "GET"]),
        (always(response("401 No", **DIGEST)), ["connect", "GET"]),
        (always(head(), end=False), ["connect", "GET"]),
        (always(head(), part(b"no"), end=False), ["connect", "GET", "picture"]),
    ],
)
async def test_the_step_that_fails_says_why(script, steps, nursery, autojump_clock) -> None:
    camera = HttpCamera(nursery, script)
    result = await probe_mjpeg(RtspTarget.from_url(URL, "user", Secret("canary")), TrioClock(), dial=camera.dial)
    assert [step.name for step in result.steps][-1] == steps[-1]
    assert [step.ok for step in result.steps][-1] is False
    assert result.error is not None
    assert result.steps[-1].detail == str(result.error)
    assert "canary" not in repr(result)
