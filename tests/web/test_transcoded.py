"""Transcoded live video over the WebSocket, from simulated cameras (GStreamer) through real workers."""

from __future__ import annotations

import itertools
import time

import pytest
import trio

from tests.peers.cameras import Cameras, cameras
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
            enough.set()
        assert len(sizes) == 3
        assert 20 <= sent <= 45
        assert 0 < decoded <= sent + 2
        assert 0 < encoded <= 3 * decoded + 3
        if not counters.dropped:  # no more than this machine can do
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
            before = transcoder.counters.decoded
            times = [at for at, _ in await pictures(view, 4)]
            steps = [later - earlier for earlier, later in itertools.pairwise(times)]
            assert all(step > 900 for step in steps[1:]), times
            assert transcoder.counters.decoded - before <= 5
            await view.want(width=640, height=360, codecs=[AVC], mode="transcoded", fps=5)
            await view.told("stream")
            times = [at for at, _ in await pictures(view, 11)]
            assert times[-1] - times[0] >= 1700
            assert not transcoder.keys_only
