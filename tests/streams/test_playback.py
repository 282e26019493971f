"""Playback to a network that does not carry it: a smaller recorded stream comes, and time goes on."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING

import trio

from appliance.base.clock import ManualClock, to_datetime
from appliance.recorder.archive import Archive
from appliance.serve.outlet import Outlet
from appliance.streams.messages import Play, Want
from appliance.streams.playback import Playback
from appliance.streams.turns import Turns
from appliance.workers.crew import open_crew
from appliance.workers.pool import open_pool
from tests.media.clips import encode_aac, encode_h264
from tests.recorder.made import endless, make_recording, open_index
from tests.serve.test_fanout import FakeLane
from tests.streams.recordings import START
from tests.streams.staging import Policy
from tests.web.scenes import eventually

if TYPE_CHECKING:
    from pathlib import Path

CAMERA = "11111111-2222-4333-8444-555555555555"


@dataclass
class SlowLane(FakeLane):
    """Takes ``rate`` bytes a second; what it took arrived."""

    rate: float = 1e9

    def __post_init__(self) -> None:
        FakeLane.__init__(self, room=0)

    async def run(self) -> None:
        while True:
            await trio.sleep(0.02)
            self.room = 0
            self.drain(int(self.rate * 0.02))


def announced(data: bytes) -> list[dict]:
    """The ``stream`` messages in what was sent."""
    found, at = [], 0
    while (at := data.find(b'{"type":"stream"', at)) >= 0:
        found.append(json.loads(data[at : data.index(b"}", at) + 1]))
        at += 1
    return found


async def test_a_slow_network_gets_less_and_time_goes_on(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    main = encode_h264(50, (640, 360), gop=25, crf="4")
    sub = encode_h264(50, (160, 90), gop=25, crf="40")
    for name, clip in (("main", main), ("sub", sub)):
        make_recording(tmp_path, endless(clip, START, 60), camera_id=CAMERA, stream=name, index=index)
    kbps = sum(len(unit.data) for unit in main.units) * 8 / 2000
    lane = SlowLane(rate=kbps * 1000 / 8 * 0.4)
    async with open_pool(1) as pool, open_crew(pool) as crew, trio.open_nursery() as nursery:
        outlet = Outlet(lane)
        camera = SimpleNamespace(id=CAMERA, name="Gate")
        playback = Playback(
            outlet, Archive(index), crew, camera, Policy(), ManualClock(START + 9 * 10**7), Turns(lambda: 10)
        )
        for task in (lane.run, outlet.run, playback.run):
            nursery.start_soon(task)
        playback.want(Want(width=640, height=360, codecs=["avc1.640028"]))
        playback.command(Play(at=to_datetime(START), speed=1.0, id=1))
        began = time.monotonic()
        with trio.fail_after(15):
            while len(announced(lane.taken)) < 2:
                await trio.sleep(0.25)
                playback.look(trio.current_time())
        first, second = announced(lane.taken)[:2]
        assert (first["mode"], first["stream"], first["reason"]) == ("direct", "main", None)
        assert (second["mode"], second["stream"], second["reason"]) == ("direct", "sub", "bandwidth")
        show = playback._show
        assert show is not None
        assert show.playhead.now - START < (time.monotonic() - began + 0.5) * 90_000
        nursery.cancel_scope.cancel()
    index.database.close()


async def test_sound_that_waits_is_not_sent_any_more_when_the_right_is_taken(tmp_path: Path) -> None:
    """It waits as the network takes nothing; other pictures, without it, take a moment."""
    index = open_index(tmp_path)
    sounds = encode_aac(2.0)[1]
    units = endless(encode_h264(50, gop=25), START, 20, sounds=sounds)
    make_recording(tmp_path, units, camera_id=CAMERA, index=index)
    lane, policy = FakeLane(room=1 << 20), Policy()
    async with open_pool(1) as pool, open_crew(pool) as crew, trio.open_nursery() as nursery:
        outlet = Outlet(lane)
        camera = SimpleNamespace(id=CAMERA, name="Gate")
        clock = ManualClock(START + 9 * 10**7)
        playback = Playback(outlet, Archive(index), crew, camera, policy, clock, Turns(lambda: 10))
        nursery.start_soon(outlet.run)
        nursery.start_soon(playback.run)
        playback.want(Want(width=320, height=180, mode="transcoded", audio=True, beside=True))
        playback.command(Play(at=to_datetime(START), speed=1.0, id=1))
        await eventually(lambda: lane.taken.count(b"moof") >= 10)
        lane.room = 0
        await eventually(lambda: outlet._beside.size >= 300)
        policy.may_hear = False
        playback.decide()
        assert outlet._beside.size == 0
        came = lane.taken.count(b"moof")
        lane.drain(1 << 24)
        await eventually(lambda: b'"sound":null' in lane.taken)
        assert lane.taken.count(b"moof") <= came + 1  # what was begun is finished
        nursery.cancel_scope.cancel()
    index.database.close()
