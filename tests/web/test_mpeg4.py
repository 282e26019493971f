"""A camera that sends MPEG-4, which no browser plays: JPEG for them, the stream itself for players."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio

from tests.peers.cameras import Cameras, cameras
from tests.web.scenes import judge, read_some
from tests.web.test_players import whole_fragments
from tests.web.transcoding import AVC, HEVC, decode, open_real, pictures

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.peer
__all__ = ["cameras"]  # the fixture


async def test_browsers_get_jpeg_and_players_what_it_sends(cameras: Cameras, tmp_path: Path) -> None:
    async with open_real() as house:
        gate = await house.services.cameras.add("Gate", cameras.url("/mpeg4"))
        anna = await house.viewer("anna", gate)
        async with anna.live(gate.id) as view:
            await view.want(width=640, height=360, codecs=[AVC, HEVC])
            told = await view.told("stream")
            assert (told["mode"], told["mime"], told["reason"]) == ("transcoded", "image/jpeg", "codec")
            assert (told["width"], told["height"]) == (640, 360)
            shown = [decode(jpeg) for _, jpeg in await pictures(view, 5)]
        assert {image.shape for image in shown} == {(360, 640, 3)}
        assert all(image.std() > 20 for image in shown)  # not one colour
        movie = await trio.to_thread.run_sync(read_some, anna, f"/api/v1/cameras/{gate.id}/live.mp4", 80_000)
        file = tmp_path / "live.mp4"
        file.write_bytes(whole_fragments(movie))
        assert judge(file) == ["mpeg4,640"]
        taken = await anna.get(f"/api/v1/cameras/{gate.id}/snapshot.jpg?width=320")
        assert decode(taken.body).shape == (180, 320, 3)
