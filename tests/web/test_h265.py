"""A camera that sends H.265 and G.711, from GStreamer's packets to what each kind of client is given."""

from __future__ import annotations

import functools
import io
from typing import TYPE_CHECKING

import av
import pytest
import trio

from appliance.base.clock import SystemClock
from appliance.sites.opening import Sources
from tests.peers.cameras import Cameras, cameras
from tests.web.appliance import open_house
from tests.web.scenes import judge, read_some
from tests.web.test_players import whole_fragments

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.peer
__all__ = ["cameras"]  # the fixture

open_real = functools.partial(open_house, openers=Sources(SystemClock(), demo=None))  # type: ignore[arg-type]
AVC, HEVC = "avc1.640028", "hvc1.1.6.L120.B0"


async def test_players_and_snapshots_get_h265(cameras: Cameras, tmp_path: Path) -> None:
    async with open_real() as house:
        camera = await house.services.cameras.add("Gate", cameras.url("/h265"))
        anna, chief = await house.viewer("anna", camera, audio=True), await house.administrator()
        path = f"/api/v1/cameras/{camera.id}/live.mp4"
        movie = await trio.to_thread.run_sync(read_some, anna, path, 400_000)
        file = tmp_path / "live.mp4"
        file.write_bytes(whole_fragments(movie))
        assert judge(file) == ["aac", "hevc,1280"]
        taken = await anna.get(f"/api/v1/cameras/{camera.id}/snapshot.jpg")
        with av.open(io.BytesIO(taken.body), format="jpeg_pipe") as container:
            frame = next(container.decode(video=0))
        assert (frame.width, frame.height) == (1280, 720)
        assert frame.to_ndarray(format="gray").std() > 20  # not one colour
        (listed,) = (await chief.get("/api/v1/admin/cameras")).json["cameras"]
        (stream,) = listed["streams"]
        assert (stream["codec"], stream["width"], stream["notes"]) == ("h265", 1280, [])


async def test_browsers_get_what_they_play_and_are_told_why_not(cameras: Cameras) -> None:
    async with open_real() as house:
        both = await house.services.cameras.add("Both", cameras.url("/h265"), cameras.url("/sub"))
        alone = await house.services.cameras.add("Alone", cameras.url("/h265sub"))
        anna = await house.viewer("anna", both, alone)
        async with anna.live(both.id) as view:
            await view.want(width=1280, height=720, codecs=[AVC, HEVC])
            told = await view.told("stream")
            assert (told["stream"], told["reason"]) == ("main", None)
            assert told["mime"].startswith('video/mp4; codecs="hvc1.1.6.L')
            init, first = await view.fragments(2)
            assert b"hvc1" in init
            assert first[4:8] == b"moof"
        async with anna.live(both.id) as view:
            await view.want(width=1280, height=720, codecs=[AVC])
            told = await view.told("stream")
            assert (told["stream"], told["reason"]) == ("sub", "codec")
            assert told["mime"].startswith('video/mp4; codecs="avc1.')
        async with anna.live(alone.id) as view:
            await view.want(width=640, height=360, codecs=[AVC], mode="direct")
            while (told := await view.told("status"))["state"] != "lost":  # first it connects
                pass
            assert told["reason"] == "codec"
            assert told["codec"].startswith("hvc1.1.6.L")
            await view.want(width=640, height=360, codecs=[AVC, HEVC])
            assert (await view.told("stream"))["mime"].startswith('video/mp4; codecs="hvc1')
            await view.want(width=640, height=360, codecs=[AVC])
            told = await view.told("stream")
            assert (told["mode"], told["mime"], told["reason"]) == ("transcoded", "image/jpeg", "codec")
            await view.want(width=640, height=360, codecs=[AVC, HEVC])
            assert (await view.told("stream"))["mode"] == "direct"
