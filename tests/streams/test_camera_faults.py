"""Cameras that die and freeze, under viewers who stay (faults F1 and F2), with cameras that others wrote."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import trio

from appliance.base.clock import SystemClock
from appliance.sites.camera import configured
from appliance.sites.opening import Sources
from appliance.streams.directory import open_directory
from tests.peers.cameras import FPS, GOP, Cameras, running_cameras

if TYPE_CHECKING:
    from appliance.streams.hub import Hub

pytestmark = [pytest.mark.peer, pytest.mark.calm]


def camera(name: str, at: Cameras, options: str = "") -> SimpleNamespace:
    streams = configured((), at.url("/sub") + options, None, None, None, local=False)
    return SimpleNamespace(id=name, name=name, streams=streams)


async def until_state(hub: Hub, *states: str) -> None:
    while hub.state.value.state not in states:
        await hub.state.wait_change()


async def until_pictures(hub: Hub, count: int) -> None:
    with trio.fail_after(10):
        while hub.pictures < count:  # noqa: ASYNC110 (a viewer would be told, and may not be)
            await trio.sleep(0.01)


class Watching:
    """The longest time between two pictures of a hub."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.longest = 0.0

    async def run(self) -> None:
        pictures, at = self.hub.pictures, trio.current_time()
        while True:
            await trio.sleep(0.01)
            now = trio.current_time()
            self.longest = max(self.longest, now - at)
            if self.hub.pictures > pictures:
                pictures, at = self.hub.pictures, now


@pytest.mark.parametrize("options", ["", "#transport=udp"])
async def test_f1_f2_a_camera_that_was_killed_and_one_that_froze_leave_others_alone_and_come_back(options: str) -> None:
    clock = SystemClock()
    with running_cameras() as healthy, running_cameras() as first:
        async with open_directory(Sources(clock, None), clock) as directory:  # type: ignore[arg-type]
            well, ill = camera("well", healthy), camera("ill", first, options)
            with directory.lease(well, well.streams[0]) as other, directory.lease(ill, ill.streams[0]) as hub:
                await until_pictures(hub, 3)
                await until_pictures(other, 3)
                watching = Watching(other)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(watching.run)
                    # F2: it stops answering, and says nothing
                    first.freeze()
                    with trio.fail_after(5.0):
                        await until_state(hub, "lost")
                    assert hub.state.value.reason == "timeout"
                    # F1: it is killed, and another stands in its place
                    first.thaw()
                    first.kill()
                    await trio.sleep(1.1)
                    before = hub.pictures
                    with running_cameras(port=first.port) as second:
                        answers = trio.current_time()
                        while hub.pictures == before:  # noqa: ASYNC110 (see above)
                            await trio.sleep(0.01)
                        assert trio.current_time() - answers <= 2.0 + GOP / FPS
                        assert hub.state.value.state == "ok"
                        second.kill()
                        with trio.fail_after(1.0):
                            await until_state(hub, "lost")
                        assert hub.state.value.reason in ("camera_lost", "refused")
                    nursery.cancel_scope.cancel()
                assert other.reconnects == 0
                assert other.source_statistics is not None
                assert other.source_statistics.packets_lost == 0
                assert watching.longest < 1.0
                assert directory.hub(ill.streams[0].id) is hub  # nobody was sent away
