"""A camera in memory that speaks HTTP: what it answers is the test's."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import trio
import trio.testing

from appliance.sites.mjpeg.source import open_mjpeg
from appliance.sites.rtsp.target import RtspTarget
from tests.media.jpegs import jpeg
from tests.sites.rtsp.camera import TrioClock
from tests.sites.rtsp.talk import Sent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from appliance.media.units import AccessUnit
    from appliance.sites.mjpeg.source import MjpegSource

    Script = Callable[["HttpCamera", Sent], Awaitable[None]]

PICTURES = [jpeg(64, 48, seed=seed) for seed in range(8)]
URL = "http://192.0.2.7/stream"


class HttpCamera:
    """``script`` answers a request by `send`; it ends the connection by returning False."""

    def __init__(self, nursery: trio.Nursery, script: Script) -> None:
        self._nursery = nursery
        self._script = script
        self.requests: list[tuple[float, Sent]] = []
        self.dialled: list[str] = []
        self.stream: trio.abc.Stream | None = None

    async def dial(self, url, _check_address) -> trio.abc.Stream:
        self.dialled.append(str(url))
        ours, theirs = trio.testing.memory_stream_pair()
        self._nursery.start_soon(self.serve, theirs)
        return ours

    async def send(self, *data: bytes) -> None:
        assert self.stream is not None
        for piece in data:
            await self.stream.send_all(piece)

    async def serve(self, stream: trio.abc.Stream) -> None:
        buffer = b""
        try:
            async for data in stream:
                buffer += data
                head, end, rest = buffer.partition(b"\r\n\r\n")
                if end:
                    buffer = rest
                    self.stream = stream
                    self.requests.append((trio.current_time(), _request(head)))
                    if await self._script(self, self.requests[-1][1]) is False:
                        break
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        await trio.aclose_forcefully(stream)


def _request(head: bytes) -> Sent:
    first, *lines = head.decode().split("\r\n")
    method, target, version = first.split(" ")
    assert (method, version) == ("GET", "HTTP/1.1")
    return Sent(method, target, {name: value for name, _, value in (line.partition(": ") for line in lines)})


def always(*data: bytes, end: bool = True) -> Script:
    """The same to every request; then the connection ends, or stays open and silent."""

    async def script(camera: HttpCamera, _request: Sent) -> bool:
        await camera.send(*data)
        return not end

    return script


def response(status: str = "200 OK", body: bytes = b"", **headers: str) -> bytes:
    """With a length; underscores in names are dashes."""
    fields = {"Content-Length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def head(content_type: str = "multipart/x-mixed-replace; boundary=frame") -> bytes:
    return f"HTTP/1.0 200 OK\r\nContent-Type: {content_type}\r\n\r\n".encode()


def part(data: bytes, delimiter: bytes = b"--frame", *, length: int | None = None) -> bytes:
    size = len(data) if length is None else length
    return delimiter + b"\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % size + data + b"\r\n"


@asynccontextmanager
async def opened(camera: HttpCamera, url: str = URL) -> AsyncIterator[MjpegSource]:
    async with open_mjpeg(RtspTarget.from_url(url), TrioClock(), dial=camera.dial) as source:
        yield source


async def take(source: MjpegSource, count: int) -> list[AccessUnit]:
    units: list[AccessUnit] = []
    while len(units) < count:
        units += await source.receive()
    return units
