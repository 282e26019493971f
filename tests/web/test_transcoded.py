"""Transcoded live video over the WebSocket, from simulated cameras (GStreamer) through real workers."""

from __future__ import annotations

import functools
import io
import itertools
import time
from typing import TYPE_CHECKING

import av
import pytest

from appliance.base.clock import SystemClock
from appliance.sites.opening import Sources
from tests.peers.cameras import Cameras, cameras
from tests.web.appliance import open_house

if TYPE_CHECKING:
    import numpy as np

    from tests.web.listening import LiveView

pytestmark = pytest.mark.peer
__all__ = ["cameras"]  # the fixture

open_real = functools.partial(open_house, openers=Sources(SystemClock(), demo=None))  # type: ignore[arg-type]
AVC, HEVC = "avc1.640028", "hvc1.1.6.L120.B0"


def decode(jpeg: bytes) -> np.ndarray:
    with av.open(io.BytesIO(jpeg), format="jpeg_pipe") as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


async def pictures(view: LiveView, count: int) -> list[tuple[int, bytes]]:
    """The next so many pictures: UTC in milliseconds, and JPEG."""
    return [(int.from_bytes(message[:8], "big"), message[8:]) for message in await view.fragments(count)]


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
        assert all(80 <= later - earlier <= 120 for earlier, later in itertools.pairwise(times)), times
        picture = decode(shown[-1][1])
        assert picture.shape == (360, 640, 3)
        assert picture.std() > 20
