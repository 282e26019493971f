"""A viewer over scripted cameras and workers, and what its client receives."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import trio
import trio.testing

from appliance.media.adaptive import StreamMode
from appliance.media.ladder import NO_LIMIT, Limit
from appliance.media.masks import NO_MASK, Mask
from appliance.serve.outlet import Outlet
from appliance.streams.directory import Directory, open_directory
from appliance.streams.messages import Want
from appliance.streams.transcoders import Transcoders
from appliance.streams.viewer import Viewer
from tests.serve.test_fanout import FakeLane
from tests.streams.scripted import CLIP, SMALL, SOUND, START, Camera, Openers, TrioClock, camera, numbers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import SimpleNamespace

    from tests.streams.scripted_workers import Crew

ANY = Want(width=1920, height=1080)
TILE = Want(width=160, height=90)
JPEG = Want(width=1920, height=1080, mode="transcoded")


@dataclass
class Policy:
    adaptive: bool = True
    may_hear: bool = True
    may_know: bool = True
    limit: Limit = NO_LIMIT
    mask: Mask = NO_MASK
    level: int = 1
    mode: StreamMode = StreamMode.QUALITY
    direct: bool = True


@dataclass
class Stage:
    """A viewer over scripted cameras, and what its client received."""

    openers: Openers
    directory: Directory
    viewer: Viewer
    lane: FakeLane
    policy: Policy
    watched: SimpleNamespace
    read: int = 0
    streams: dict[str, Camera] = field(default_factory=dict)

    def camera(self, name: str) -> Camera:
        return self.openers.cameras[f"cam-{name}"]

    async def received(self) -> list[dict | list[int] | str]:
        """What came since the last call: JSON messages, "init", and the numbers of pictures between them."""
        await settle()
        data, self.read = bytes(self.lane.taken[self.read :]), len(self.lane.taken)
        got: list[dict | list[int] | str] = []
        for opcode, payload in frames(data):
            if opcode == 1:
                got.append(json.loads(payload))
            elif payload[4:8] == b"ftyp":
                got.append("init with sound" if payload.count(b"trak") == 2 else "init")
            elif payload[8:].count(b" at "):  # from workers of a test's own
                got.append(f"jpeg {(int(payload[8:].split()[-1]) - START) * 25 // 90_000}")
            elif got and isinstance(got[-1], list):
                got[-1] += numbers([payload])
            else:
                got.append(numbers([payload]))
        return got


def frames(data: bytes) -> list[tuple[int, bytes]]:
    found = []
    while data:
        length, head = data[1], 2
        if length == 126:
            length, head = int.from_bytes(data[2:4], "big"), 4
        elif length == 127:
            length, head = int.from_bytes(data[2:10], "big"), 10
        found.append((data[0] & 15, data[head : head + length]))
        data = data[head + length :]
    return found


@asynccontextmanager
async def stage(
    *names: str, look: bool = True, sound_in_main: bool = False, crew: Crew | None = None
) -> AsyncIterator[Stage]:
    """``crew``: workers for transcoding."""
    openers, lane, policy, watched = Openers(), FakeLane(), Policy(), camera(*names)
    openers.seen = {"cam-main": (CLIP.format, SOUND if sound_in_main else None), "cam-sub": (SMALL.format, None)}
    async with open_directory(openers, TrioClock()) as directory:
        if look:
            directory.camera_added(watched)
            await trio.testing.wait_all_tasks_blocked()
        outlet = Outlet(lane)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(outlet.run)
            transcoders = None if crew is None else Transcoders(nursery, crew)  # type: ignore[arg-type]  # its workers are scripted
            with Viewer(outlet, directory, watched, policy, transcoders) as viewer:
                yield Stage(openers, directory, viewer, lane, policy, watched)
            nursery.cancel_scope.cancel()


async def settle() -> None:
    await trio.testing.wait_all_tasks_blocked(0.0)


def said(message: dict | list[int] | str, *keys: str) -> list[object]:
    assert isinstance(message, dict), message
    return [message.get(key) for key in keys]
