"""Transcoded live video over the WebSocket, from simulated cameras (GStreamer) through real workers."""

from __future__ import annotations

import itertools
import time

import pytest
import trio

from appliance.auth.rights import Right
from tests.peers.cameras import Cameras, cameras, running_cameras
from tests.web.scenes import eventually
from tests.web.transcoding import AVC, HEVC, decode, open_real, pictures

pytestmark = pytest.mark.peer
__all__ = ["cameras"]  # the fixture


@pytest.mark.parametrize(("path", "codecs", "mode", "reason"), [
    ("/h265", [AVC], "auto", "codec"),
    ("", [AVC], "transcoded", "requested"),
    ("", [HEVC], "auto", "codec"),
    ("", ["avc1.42000a"], "auto", "codec"),
    ("/h265", [AVC, "hvc1.1.6.L30.90"], "auto", "level"),
])  # fmt: skip
async def test_a_client_that_cannot_play_the_stream_gets_jpeg(
    cameras: Cameras, path: str, codecs: list[str], mode: str, reason: str
) -> None:
    async with open_real() as house:
        camera = await house.services.cameras.add("Gate", cameras.url(path))
        anna = await house.viewer("anna", camera)
        async with anna.live(camera.id) as view:
            await view.want(width=640, height=360, codecs=codecs, mode=mode)
            told = await view.told("stream")
            assert {**told, "fps": None, "utc_zero": 0} == {
                "type": "stream", "mode": "transcoded", "mime": "image/jpeg", "stream": "main",
                "width": 640, "height": 360, "fps": None, "reason": reason, "utc_zero": 0,
                "cause": reason, "level": None, "quality": 75, "codec": path[1:] or "h264", "sound": None,
            }  # fmt: skip
            shown = await pictures(view, 12)
            assert not [text for text in view.texts if text["type"] == "dropped"]
        times = [at for at, _ in shown]
        assert abs(times[-1] - time.time() * 1000) < 3000
        steps = [later - earlier for earlier, later in itertools.pairwise(times)]  # of the camera's clock: 10 a second
        assert all(step > 0 and abs(step - round(step, -2)) <= 20 for step in steps), times
        picture = decode(shown[-1][1])
        assert picture.shape == (360, 640, 3)
        assert picture.std() > 20


@pytest.mark.alone
async def test_twenty_windows_of_twenty_widths_share_one_decoding_and_three_encodings(cameras: Cameras) -> None:
    async with open_real() as house:
        camera = await house.services.cameras.add("Gate", cameras.url(""))
        anna = await house.viewer("anna", camera)
        widths = range(260, 1260, 50)
        sizes: set[tuple[int, int]] = set()
        all_see, enough = trio.Event(), trio.Event()

        async def watch(width: int, task_status: trio.TaskStatus[None]) -> None:
            async with anna.live(camera.id) as view:
                await view.want(width=width, height=width * 9 // 16, codecs=[AVC], mode="transcoded")
                told = await view.told("stream")
                assert told["width"] * 1.05 >= width
                sizes.add((told["width"], told["height"]))
                await pictures(view, 1)
                task_status.started()
                await all_see.wait()
                while not enough.is_set():
                    await pictures(view, 1)
                assert decode((await pictures(view, 1))[0][1]).shape == (told["height"], told["width"], 3)

        async with trio.open_nursery() as nursery:
            for width in widths:
                await nursery.start(watch, width)
            all_see.set()
            (transcoder,) = house.services.transcoders
            await trio.sleep(1)  # what was asked for in the beginning is made by now
            (hub,) = house.services.directory.hubs
            counters = transcoder.counters
            sent, decoded, encoded = hub.pictures, counters.decoded, counters.encoded
            await trio.sleep(3)
            sent, decoded, encoded = hub.pictures - sent, counters.decoded - decoded, counters.encoded - encoded
            chief = await house.administrator()
            status = (await chief.get("/api/v1/status")).json
            users = (await chief.get("/api/v1/status/users")).json["users"]
            prometheus = house.stranger(token=house.services.metrics_token.reveal())
            metrics = (await prometheus.get("/metrics")).body.decode()
            enough.set()
        (told,) = status["transcoders"]
        assert (told["stream"], told["codec"], told["width"]) == ("camera Gate (main)", "h264", 1280)
        assert (told["state"], told["reason"], told["restarts"], told["damaged"]) == ("ok", None, 0, 0)
        assert 0 < told["decoded_per_second"] < 20
        assert sorted({(rung["width"], rung["height"]) for rung in told["rungs"]}) == sorted(sizes)
        assert sum(rung["viewers"] for rung in told["rungs"]) == 20
        assert all("the only stream" in rung["why"] for rung in told["rungs"])
        (row,) = [user for user in users if user["name"] == "anna"]
        assert (row["transcoded_streams"], row["direct_streams"]) == (20, 0)
        assert 'fanal_transcoder_decoded_total{stream="camera Gate (main)"}' in metrics
        assert "fanal_transcoders 1.0" in metrics
        assert len(sizes) == 3
        assert 20 <= sent <= 45
        assert 0 < decoded <= sent + 10  # of a moment before, which were waiting
        assert 0 < encoded <= 3 * decoded + 3
        assert transcoder.dropped == 0
        assert decoded >= sent - 2
        assert encoded >= 3 * (sent - 2)
        assert counters.restarts == counters.damaged == 0
        await eventually(lambda: not len(house.services.transcoders) and not house.services.transcoders.crew.pipelines)


async def test_between_direct_and_transcoded_the_picture_never_stops(cameras: Cameras) -> None:
    async with open_real() as house:
        camera = await house.services.cameras.add("Gate", cameras.url(""))
        anna = await house.viewer("anna", camera)
        async with anna.live(camera.id) as view:
            await view.want(width=640, height=360, codecs=[AVC])
            assert (await view.told("stream"))["mode"] == "direct"
            await view.fragments(5)
            for mode, expected in (("transcoded", "transcoded"), ("auto", "direct"), ("transcoded", "transcoded")):
                view.texts.clear()
                before = time.monotonic()
                await view.want(width=640, height=360, codecs=[AVC], mode=mode)
                while not view.texts:
                    await view.hear()  # what was sent before goes on meanwhile
                assert [(text["type"], text.get("mode")) for text in view.texts] == [("stream", expected)]
                (first,) = await view.fragments(1)
                assert first[4:8] == b"ftyp" if expected == "direct" else first[8:10] == b"\xff\xd8"
                assert time.monotonic() - before < 3
                await view.fragments(5)


async def test_a_key_frame_a_second_is_all_that_is_decoded_for_a_picture_a_second(cameras: Cameras) -> None:
    async with open_real() as house:
        camera = await house.services.cameras.add("Gate", cameras.url(""))
        anna = await house.viewer("anna", camera)
        async with anna.live(camera.id) as view:
            await view.want(width=640, height=360, codecs=[AVC], mode="transcoded", fps=1)
            await view.told("stream")
            (transcoder,) = house.services.transcoders
            await eventually(lambda: transcoder.keys_only)
            (hub,) = house.services.directory.hubs
            sent, decoded = hub.pictures, transcoder.counters.decoded
            times = [at for at, _ in await pictures(view, 4)]
            steps = [later - earlier for earlier, later in itertools.pairwise(times)]
            assert all(step > 900 for step in steps[1:]), times
            assert transcoder.counters.decoded - decoded <= (hub.pictures - sent) / 10 + 3
            await view.want(width=640, height=360, codecs=[AVC], mode="transcoded", fps=5)
            await view.told("stream")
            times = [at for at, _ in await pictures(view, 11)]
            assert times[-1] - times[0] >= 1700
            assert not transcoder.keys_only


async def test_the_right_is_taken_and_the_pictures_end(cameras: Cameras) -> None:
    async with open_real() as house:
        camera = await house.services.cameras.add("Gate", cameras.url("/h265"))
        user = await house.user("anna", live=[camera])
        anna, eve = await house.visitor(user), await house.viewer("eve")
        assert (await eve.get(f"/api/v1/cameras/{camera.id}/live", **eve.handshake)).status == 404
        async with anna.live(camera.id) as view:
            await view.want(width=640, height=360, codecs=[AVC])
            await view.told("stream")
            await pictures(view, 3)
            await house.services.auth.users.grant(user.id, {Right.LIVE: frozenset()})
            with trio.fail_after(5):
                assert (await view.end())[0] == 4403
        await eventually(lambda: not len(house.services.transcoders) and not house.services.transcoders.crew.pipelines)


async def test_jpeg_of_a_camera_is_passed_through_where_it_is_what_is_wanted(cameras: Cameras) -> None:
    async with open_real() as house:
        camera = await house.services.cameras.add("Gate", cameras.url("/mjpeg"))
        anna = await house.viewer("anna", camera)
        async with anna.live(camera.id) as view:
            await view.want(width=640, height=360, codecs=[AVC])
            told = await view.told("stream")
            assert (told["mode"], told["width"], told["height"]) == ("transcoded", 640, 360)
            shown = await pictures(view, 8)
            (transcoder,) = house.services.transcoders
            assert all("passed through as it is" in each.why for each in transcoder.renditions)
            assert all(jpeg[:2] == b"\xff\xd8" and decode(jpeg).shape == (360, 640, 3) for _, jpeg in shown)
            assert (transcoder.worker, transcoder.counters.decoded, transcoder.counters.encoded) == (None, 0, 0)
            assert not house.services.transcoders.crew.pipelines
            await view.want(width=160, height=90, codecs=[AVC])  # at a quarter, which is decoded as such
            assert (await view.told("stream"))["width"] <= 320
            assert decode((await pictures(view, 3))[-1][1]).std() > 20
            assert transcoder.counters.encoded


async def test_jpeg_of_a_camera_is_made_smaller(cameras: Cameras) -> None:
    async with open_real() as house:
        camera = await house.services.cameras.add("Gate", cameras.url("/mjpeg"))
        anna = await house.viewer("anna", camera)
        async with anna.live(camera.id) as view:
            await view.want(width=320, height=180, codecs=[AVC], fps=5)
            told = await view.told("stream")
            assert (told["mode"], told["reason"], told["width"], told["height"]) == ("transcoded", "codec", 320, 180)
            shown = await pictures(view, 6)
            assert all(decode(jpeg).shape == (180, 320, 3) for _, jpeg in shown)
            assert shown[-1][0] - shown[1][0] >= 700
            (transcoder,) = house.services.transcoders
            assert transcoder.counters.damaged == 0
            assert transcoder.counters.decoded == transcoder.counters.encoded


async def test_a_camera_that_is_lost_is_told_and_comes_back_transcoded() -> None:
    with running_cameras() as cameras:
        async with open_real() as house:
            camera = await house.services.cameras.add("Gate", cameras.url("/h265"))
            anna = await house.viewer("anna", camera)
            async with anna.live(camera.id) as view:
                await view.want(width=640, height=360, codecs=[AVC])
                await view.told("stream")
                await pictures(view, 3)
                cameras.kill()
                while (told := await view.told("status"))["state"] != "lost":
                    pass
                with running_cameras(port=cameras.port):
                    while told["state"] != "ok":
                        told = await view.told("status")
                    assert decode((await pictures(view, 3))[-1][1]).std() > 20
