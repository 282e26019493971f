"""What tests do with the scripted cameras behind a house, and how they judge what came out."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import trio

from tests.streams.scripted import picture

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from appliance.media.units import AccessUnit, Unit
    from appliance.sites.cameras import Camera
    from tests.streams.scripted import Camera as ScriptedCamera
    from tests.web.appliance import House
    from tests.web.visitor import Visitor


async def feed(house: House, camera: Camera, stream: int = 0) -> ScriptedCamera:
    """The scripted camera behind a stream, once the appliance has opened it."""
    opener: ScriptedCamera = house.openers.opener(camera.streams[stream])
    await eventually(lambda: opener.open_now)
    return opener


async def give(source: ScriptedCamera, *units: Unit) -> None:
    assert source._send is not None
    source._send.send_nowait(list(units))
    await trio.lowlevel.checkpoint()


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait for something that the appliance does in its own time."""
    with trio.fail_after(10):
        while not condition():  # noqa: ASYNC110  (nobody tells a test)
            await trio.sleep(0.01)


def large_picture(n: int) -> AccessUnit:
    """A picture of 20 KB."""
    unit = picture(n)
    padding = b"\0\0\x4e\x20" + b"\x0c" + b"\xff" * 19_999  # a filler NAL unit
    return type(unit)(unit.data + padding, unit.pts, unit.dts, unit.is_idr, unit.seq, unit.format, unit.run)


def judge(file: Path) -> list[str]:
    """Each track that ffprobe finds, as codec and width; neither it nor a decoder may complain."""
    show = ["-show_entries", "stream=codec_name,width", "-of", "csv=p=0"]
    done = _quiet("ffprobe", "-count_packets", *show, str(file))
    _quiet("ffmpeg", "-xerror", "-i", str(file), "-f", "null", "-")
    return sorted(line.strip(",") for line in done.split())


def _quiet(program: str, *arguments: str) -> str:
    command = [program, "-v", "warning", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, ""), command
    return done.stdout


def read_some(visitor: Visitor, path: str, size: int) -> bytes:
    connection = visitor.connect()
    try:
        connection.request("GET", path, headers=visitor.identity)
        response = connection.getresponse()
        assert response.status == 200
        assert response.headers["content-type"] == "video/mp4"
        data = bytearray()
        while len(data) < size and (piece := response.read1(65536)):
            data += piece
        return bytes(data)
    finally:
        connection.close()
