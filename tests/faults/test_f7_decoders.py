"""F7: a media worker that is killed, or that hangs, under load: its tiles say so and go on; nobody else notices."""

from __future__ import annotations

import itertools
import os
import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import trio

from tests.peers.cameras import Cameras, cameras
from tests.web.transcoding import AVC, decode, open_real

if TYPE_CHECKING:
    from tests.web.listening import LiveView

pytestmark = [pytest.mark.peer, pytest.mark.calm]
__all__ = ["cameras"]  # the fixture


@dataclass
class Watched:
    """What one client saw, and when."""

    view: LiveView
    arrivals: list[float] = field(default_factory=list)
    told: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    last: bytes = b""

    async def watch(self) -> None:
        while True:
            message = await self.view.hear()
            if isinstance(message, bytes):
                self.arrivals.append(time.monotonic())
                self.last = message
                self.view.media.clear()
            else:
                self.told.append((time.monotonic(), message))

    def longest_gap(self, since: float) -> float:
        """Between pictures, in seconds."""
        seen = [since, *(at for at in self.arrivals if at > since), time.monotonic()]
        return max(later - earlier for earlier, later in itertools.pairwise(seen))

    def states(self, since: float) -> list[tuple[str, str | None]]:
        return [(text["state"], text["reason"]) for at, text in self.told if at > since and text["type"] == "status"]


@pytest.mark.parametrize(("blow", "longest_s"), [(signal.SIGKILL, 1.0), (signal.SIGSTOP, 3.0)])
async def test_f7_a_worker_is_lost_and_the_picture_goes_on(
    cameras: Cameras, blow: signal.Signals, longest_s: float
) -> None:
    async with open_real() as house, trio.open_nursery() as nursery:
        transcoded = await house.services.cameras.add("Yard", cameras.url("/h265"))
        direct = await house.services.cameras.add("Gate", cameras.url("/sub", camera=2))
        anna = await house.viewer("anna", transcoded, direct)
        async with anna.live(transcoded.id) as one, anna.live(transcoded.id) as two, anna.live(direct.id) as other:
            views = [Watched(view) for view in (one, two, other)]
            await one.want(width=640, height=360, codecs=[AVC])
            await two.want(width=1280, height=720, codecs=[AVC])
            await other.want(width=640, height=360, codecs=[AVC])
            for view in views:
                nursery.start_soon(view.watch)
            await trio.sleep(4)
            assert all(len(view.arrivals) > 10 for view in views)
            (transcoder,) = house.services.transcoders
            worker = transcoder.worker
            assert worker is not None
            struck = time.monotonic()
            os.kill(worker, blow)
            await trio.sleep(longest_s + 2)
            for view in views[:2]:
                assert view.longest_gap(struck) <= longest_s, view.arrivals
                assert view.states(struck) == [("waiting", "decoder_restarts"), ("ok", None)]
                assert view.arrivals[-1] > struck + longest_s
            assert views[2].longest_gap(struck) < 0.5
            assert views[2].states(struck) == []
            assert decode(views[0].last[8:]).std() > 20
            assert (transcoder.counters.restarts, transcoder.worker not in (None, worker)) == (1, True)
            assert house.services.transcoders.crew.died + house.services.transcoders.crew.hung == 1
            nursery.cancel_scope.cancel()
