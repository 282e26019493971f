"""The test of a camera says how far it went, and why not further."""

from __future__ import annotations

import socket
from functools import partial

import pytest
import trio

from appliance.sites.names import Names
from appliance.sites.rtsp.connection import dial_tcp
from appliance.sites.rtsp.probe import describe_rtsp, probe_rtsp
from appliance.sites.rtsp.target import RtspTarget
from appliance.sites.source import SourceError, Trouble
from tests.sites.rtsp.camera import P, ScriptedCamera, TrioClock, silent, status
from tests.sites.rtsp.talk import AUDIO, AV1, PCMU, VIDEO

TARGET = RtspTarget.from_url("rtsp://user:canary@192.0.2.7/live")


async def test_a_good_camera_passes_every_step(nursery, autojump_clock) -> None:
    camera = ScriptedCamera(nursery, media=lambda camera: camera.pictures(5), tracks=(VIDEO, PCMU))
    result = await probe_rtsp(TARGET, TrioClock(), dial=camera.dial)
    assert [(step.name, step.ok) for step in result.steps] == [
        ("connect", True), ("OPTIONS", True), ("DESCRIBE", True), ("SETUP", True), ("PLAY", True), ("picture", True),
    ]  # fmt: skip
    details = {step.name: step.detail for step in result.steps}
    assert (details["connect"], details["DESCRIBE"]) == ("192.0.2.7:554", "video H.264, audio G.711 µ-law")
    assert details["picture"] == "1280x720, avc1.4d401f"
    assert result.error is None
    assert result.video is not None
    assert list(result.notes) == []
    assert result.audio is not None
    assert (result.audio.codec, result.audio.sample_rate) == ("pcmu", 8000)
    assert camera.methods[-1] == "TEARDOWN"


@pytest.mark.parametrize(
    ("answers", "tracks", "failed", "trouble"),
    [
        ({"OPTIONS": silent}, (), "OPTIONS", Trouble.TIMEOUT),
        ({"DESCRIBE": status("404 Not Found")}, (), "DESCRIBE", Trouble.NOT_FOUND),
        ({}, (AV1,), "DESCRIBE", Trouble.UNSUPPORTED_CODEC),
        ({"SETUP": status("461 No")}, (), "SETUP", Trouble.REFUSED),
        ({"PLAY": silent}, (), "PLAY", Trouble.TIMEOUT),
        ({}, (), "picture", Trouble.TIMEOUT),
    ],
)
async def test_the_step_that_fails_says_why(answers, tracks, failed, trouble, nursery, autojump_clock) -> None:
    camera = ScriptedCamera(nursery, answers, tracks=tracks)
    result = await probe_rtsp(TARGET, TrioClock(), dial=camera.dial)
    *passed, last = result.steps
    assert all(step.ok for step in passed)
    assert (last.name, last.ok) == (failed, False)
    assert result.error is not None
    assert result.error.trouble == trouble
    assert last.detail == str(result.error)
    assert "canary" not in repr(result)


async def test_the_name_that_the_camera_gives_the_session_is_told(nursery, autojump_clock) -> None:
    camera = ScriptedCamera(nursery, media=lambda camera: camera.pictures(5), tracks=(VIDEO,))
    result = await probe_rtsp(TARGET, TrioClock(), dial=camera.dial)
    assert result.title == "Camera"


async def test_how_long_each_step_took_is_told(nursery, autojump_clock) -> None:
    result = await probe_rtsp(TARGET, TrioClock(), dial=ScriptedCamera(nursery).dial)
    assert result.steps[-1].ms == 4500


async def test_packets_without_a_key_frame_are_told_apart_from_silence(nursery, autojump_clock) -> None:
    async def media(camera: ScriptedCamera) -> None:
        for n in range(1000):
            await camera.picture(P, n * 9000)
            await trio.sleep(0.1)

    result = await probe_rtsp(TARGET, TrioClock(), dial=ScriptedCamera(nursery, media=media).dial, picture_within_s=9)
    assert result.error is not None
    assert "no key frame in 9 s" in result.error.message


async def test_a_description_costs_one_request(nursery, autojump_clock) -> None:
    video = VIDEO + "a=framerate:12.5\r\n"
    camera = ScriptedCamera(nursery, tracks=(video, AUDIO))
    found = await describe_rtsp(TARGET, dial=camera.dial)
    assert found.video is not None
    assert found.audio is not None
    assert (found.video.width, found.audio.channels, found.framerate) == (1280, 1, 12.5)
    assert camera.methods == ["DESCRIBE"]
    await camera.gone.wait()


async def test_a_description_that_does_not_come_is_an_error(nursery, autojump_clock) -> None:
    camera = ScriptedCamera(nursery, {"DESCRIBE": silent})
    with pytest.raises(SourceError) as caught:
        await describe_rtsp(TARGET, dial=camera.dial)
    assert caught.value.trouble == Trouble.TIMEOUT
    await camera.gone.wait()


async def test_a_name_that_no_name_server_answers_is_the_step_that_failed() -> None:
    def resolve(*_: object, **__: object) -> list[tuple[object, ...]]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    target = RtspTarget.from_url("rtsp://user:canary@camera.lan/live")
    result = await probe_rtsp(target, TrioClock(), dial=partial(dial_tcp, names=Names(resolve)))
    [step] = result.steps
    assert (step.name, step.ok) == ("name", False)
    assert result.error is not None
    assert result.error.trouble == Trouble.TIMEOUT
    assert step.detail == str(result.error)
    assert "No name server answers what camera.lan is." in step.detail
