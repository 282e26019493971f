"""How long until the picture of another moment is there, and how long a thumbnail takes, of what was recorded."""

from __future__ import annotations

import http.client
import json
import random
import statistics
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import trio
import trio_websocket

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.fmp4_read import read_samples
from bench.common.appliance import USER, running_appliance
from bench.common.camera import running_camera
from bench.common.cli import Options, say, script
from bench.common.load import WANT, WANT_JPEG
from bench.common.report import Section

if TYPE_CHECKING:
    from bench.common.appliance import Server

SEEK_TARGET_MS = 250
THUMBNAIL_TARGET_MS = 100
GIVE_UP_S = 10.0
_PER_MS = TICKS_PER_SECOND // 1000


def measure(options: Options) -> Section:
    """One client, one seek after the other, to random moments of what the appliance has just recorded itself."""
    section = Section(
        "playback",
        "Playback",
        "The appliance records its camera (720p, 4 Mbit/s, key frames two seconds apart); then a client that is paused "
        "seeks to random moments. From its `seek` to the last byte of exactly the picture of that moment: as recorded "
        "(all from the key frame on has come), or as JPEG of 640x360. *Thumbnails*: `snapshot.jpg?at=`, 160 wide, each "
        "of another size, so that none is shared, on one connection. Decoding and painting, which browsers do, are "
        "not in it.",
    )
    table = section.table("what", "times", "median ms", "p95 ms", "most ms")
    recorded_s, count = options.pick(60, 14), options.count(100, 20)
    with running_camera() as camera, running_appliance([camera.url()]) as server:
        say(f"playback: recording {recorded_s:.0f} s")
        span = _record(server, recorded_s)
        for what, want in (("seek, direct", WANT), ("seek, as pictures", WANT_JPEG)):
            say(what)
            _report(section, table, what, trio.run(_seek, server, want, span, count), SEEK_TARGET_MS)
        say("thumbnails")
        _report(section, table, "thumbnail", _thumbnails(server, span, count), THUMBNAIL_TARGET_MS)
    return section


def _report(section: Section, table: Any, what: str, found: list[float], target: float) -> None:
    ordered = sorted(found)
    p95 = ordered[len(ordered) * 95 // 100]
    section.find(f"{what}: p95", p95, "ms", target=target, spread=(ordered[0], ordered[-1]))
    table.add(what, str(len(ordered)), statistics.median(ordered), p95, ordered[-1])


def _record(server: Server, seconds: float) -> tuple[int, int]:
    """When is recorded, in milliseconds, with some room at either end."""
    camera = server.cameras[0]
    server.api.call("PATCH", "admin", "cameras", camera, body={"recording": {"mode": "continuous"}})
    server.api.call("PATCH", "admin", "users", USER, body={"grants": {"live": "all", "playback": "all"}})
    server.api.call("PUT", "admin", "settings", "recording", body={"seeks_per_user": 100})
    began = time.time()
    time.sleep(seconds)
    span = round((began + 4) * 1000), round((time.time() - 4) * 1000)
    if span[1] <= span[0]:
        raise RuntimeError("too short to seek in")
    return span


async def _seek(server: Server, want: str, span: tuple[int, int], count: int) -> list[float]:
    """Milliseconds of each seek."""
    draw = random.Random(1)
    url = f"ws://127.0.0.1:{server.port}/api/v1/cameras/{server.cameras[0]}/playback"
    headers = [(b"Authorization", f"Bearer {server.token}".encode())]
    found = []
    async with trio_websocket.open_websocket_url(url, extra_headers=headers, message_queue_size=10_000) as socket:
        await socket.send_message(want)
        for number in range(1, count + 2):
            at = draw.randrange(*span)
            began = time.perf_counter()
            await socket.send_message(json.dumps({"type": "seek", "at": _rfc3339(at), "id": number}))
            with trio.fail_after(GIVE_UP_S):
                await _shown(socket, number, at)
            found.append((time.perf_counter() - began) * 1000)
            await trio.sleep(draw.uniform(0.05, 0.25))
    return found[1:]  # the first may start a worker


async def _shown(socket: trio_websocket.WebSocketConnection, number: int, at: int) -> None:
    """Wait until the picture of a moment has come."""
    told: dict[str, Any] = {}
    while True:
        message = await socket.get_message()
        if isinstance(message, str):
            said = json.loads(message)
            if said["type"] == "stream":
                told = said
            elif said["type"] == "status" and said["state"] != "ok":
                raise RuntimeError(f"no picture: {said}")
        elif told.get("id") != number:
            continue
        elif told["mode"] == "transcoded":
            return
        elif message[4:8] == b"moof":
            (sample,) = read_samples(message)
            if told["utc_zero"] + sample.dts > (at + 1) * _PER_MS:  # all that is decoded before has come
                return


def _thumbnails(server: Server, span: tuple[int, int], count: int) -> list[float]:
    draw = random.Random(2)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=GIVE_UP_S)
    found = []
    try:
        for number in range(count + 1):
            path = f"/api/v1/cameras/{server.cameras[0]}/snapshot.jpg?width={160 + 2 * number}"
            began = time.perf_counter()
            connection.request(
                "GET",
                f"{path}&at={_rfc3339(draw.randrange(*span))}",
                headers={"Authorization": f"Bearer {server.token}"},
            )
            response = connection.getresponse()
            body = response.read()
            found.append((time.perf_counter() - began) * 1000)
            if response.status != 200:
                raise RuntimeError(f"no thumbnail: {response.status} {body[:200]!r}")
    finally:
        connection.close()
    return found[1:]


def _rfc3339(ms: int) -> str:
    moment = datetime.fromtimestamp(ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


if __name__ == "__main__":
    script(measure, __doc__)
