"""How long until there is a picture: of a camera that somebody watches already, and of one that nobody does."""

from __future__ import annotations

import random
import statistics
import time
from typing import TYPE_CHECKING

from bench.common import load
from bench.common.appliance import running_appliance
from bench.common.camera import running_camera
from bench.common.cli import Options, say, script
from bench.common.footage import FPS, GOP
from bench.common.report import Section

if TYPE_CHECKING:
    from bench.common.load import Target

KEY_FRAME_INTERVAL_MS = GOP / FPS * 1000
WARM_TARGET_MS = 150
COLD_TARGET_MS = 300
GIVE_UP_S = 10.0


def measure(options: Options) -> Section:
    """Viewers one after the other, each timed from its connect."""
    section = Section(
        "first-picture",
        "First picture",
        "From the client's `connect` to the last byte of the first fragment (one coded picture that can be decoded "
        "at once): TCP, TLS, the WebSocket handshake with its session, `want`, and for a cold camera the whole RTSP "
        f"conversation. Viewers come one by one at random moments; key frames are {KEY_FRAME_INTERVAL_MS:.0f} ms "
        "apart. *Warm*: somebody else watches the camera. *Cold*: nobody has since the start, so each camera is used "
        "once. Decoding and painting, which the browser does, are not in it.",
    )
    table = section.table("camera", "transport", "viewers", "median ms", "p95 ms", "most ms")
    draw = random.Random(1)  # the same moments each time
    for transport in ("plain", "TLS"):
        tls = transport == "TLS"
        say(f"first picture: {transport}")
        warm = _warm(options.count(30, 10), draw, tls=tls)
        section.find(
            f"warm, {transport}: median", statistics.median(warm), "ms", target=WARM_TARGET_MS, spread=_ends(warm)
        )
        table.add("warm", transport, *_row(warm))
        for begin, wait_ms in (("key", 0.0), ("now", KEY_FRAME_INTERVAL_MS)):
            cold = _cold(options.count(8, 4), draw, begin=begin, tls=tls)
            how = {"key": "begins with a key frame", "now": "begins anywhere"}[begin]
            most = COLD_TARGET_MS + wait_ms
            section.find(f"cold, {transport}, camera {how}: most", max(cold), "ms", target=most, spread=_ends(cold))
            table.add(f"cold, {how}", transport, *_row(cold))
    return section


def _warm(count: int, draw: random.Random, *, tls: bool) -> list[float]:
    with running_camera() as camera, running_appliance([camera.url()], tls=tls) as server:
        target = server.live()
        with load.watching(target, 1):
            _first(target)  # the camera is there
            found = []
            for _ in range(count):
                time.sleep(draw.uniform(0.05, 0.25))
                found.append(_first(target))
    return found


def _cold(count: int, draw: random.Random, *, begin: str, tls: bool) -> list[float]:
    with running_camera(begin=begin) as camera:
        urls = [camera.url(n + 1) for n in range(count)]
        with running_appliance(urls, tls=tls) as server:
            found = []
            for number in range(count):
                time.sleep(draw.uniform(0.05, 0.25))
                found.append(_first(server.live(number)))
    return found


def _first(target: Target) -> float:
    """Milliseconds of one viewer."""
    found = load.run(target, 1, GIVE_UP_S, first=True).found["first_ms"]
    if len(found) != 1:
        raise RuntimeError(f"no picture within {GIVE_UP_S:.0f} s")
    return float(found[0])


def _ends(values: list[float]) -> tuple[float, float]:
    return min(values), max(values)


def _row(values: list[float]) -> list[str | float]:
    ordered = sorted(values)
    return [str(len(ordered)), statistics.median(ordered), ordered[len(ordered) * 95 // 100], ordered[-1]]


if __name__ == "__main__":
    script(measure, __doc__)
