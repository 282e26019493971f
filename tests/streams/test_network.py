"""A viewer whose network is too slow gets a smaller stream, is told why, and gets the large one again (F3)."""

from __future__ import annotations

import trio

from tests.streams.scripted import SMALL, picture
from tests.streams.test_viewer import ANY, TILE, Stage, said, settle, stage

LOOK_S = 1.0


async def play(s: Stage, first: int, *, seconds: int = 1) -> int:
    """So many seconds of both streams, with the look at the network that a client's message brings each second."""
    for second in range(seconds):
        for n in range(first + 25 * second, first + 25 * (second + 1)):
            await s.camera("main").give(picture(n))
            if "cam-sub" in s.openers.cameras and s.camera("sub").open_now:
                await s.camera("sub").give(picture(n, clip=SMALL))
        s.viewer.look_at_network(trio.current_time())
        s.viewer.decide()
        await settle()
        await trio.sleep(LOOK_S)
    return first + 25 * seconds


async def begin(s: Stage) -> int:
    s.viewer.want(ANY)
    await settle()
    last = await play(s, 0)
    assert announced(await s.received()) == [["main", None]]
    return last


def announced(received: list) -> list[list[object]]:
    return [said(m, "stream", "reason") for m in received if isinstance(m, dict) and m["type"] == "stream"]


async def test_who_cannot_take_it_gets_the_small_stream_and_later_the_large_one_again(autojump_clock) -> None:
    async with stage("main", "sub") as s:
        at = await begin(s)
        s.lane.room = 0
        at = await play(s, at, seconds=3)
        assert s.camera("sub").open_now
        s.lane.drain(1 << 30)
        at = await play(s, at, seconds=2)
        received = await s.received()
        assert announced(received) == [["sub", "bandwidth"]]
        small = received[-1]
        assert isinstance(small, list)
        assert small[0] % 25 == 0  # its first picture is a key frame
        assert small == list(range(small[0], at))
        at = await play(s, at, seconds=25)
        received = await s.received()
        assert announced(received) == [["main", None]]
        assert not s.camera("sub").open_now


async def test_a_stream_that_is_the_smallest_stays(autojump_clock) -> None:
    async with stage("main", "sub") as s:
        s.viewer.want(TILE)
        await settle()
        await s.camera("sub").give(*(picture(n, clip=SMALL) for n in range(25)))
        s.lane.room = 0
        for n in range(25, 125):
            await s.camera("sub").give(picture(n, clip=SMALL))
            s.viewer.look_at_network(trio.current_time())
            s.viewer.decide()
            await trio.sleep(1 / 25)
        s.lane.drain(1 << 30)
        assert announced(await s.received()) == [["sub", "tile_size"]]
        assert "cam-main" not in s.openers.cameras


async def test_without_adaptive_streaming_the_large_stream_stays(autojump_clock) -> None:
    async with stage("main", "sub") as s:
        s.policy.adaptive = False
        at = await begin(s)
        s.lane.room = 0
        await play(s, at, seconds=5)
        assert "cam-sub" not in s.openers.cameras


async def test_a_larger_stream_is_tried_early_in_its_group_of_pictures(autojump_clock) -> None:
    async with stage("main", "sub") as s:
        at = await begin(s)
        s.lane.room = 0
        at = await play(s, at, seconds=3)
        s.lane.drain(1 << 30)
        at = await play(s, at, seconds=14)
        await s.received()
        seen: list = []
        for n in range(at, at + 300):  # looked at in the 21st picture of each second, and once early
            await s.camera("main").give(picture(n))
            if s.camera("sub").open_now:
                await s.camera("sub").give(picture(n, clip=SMALL))
            if n % 25 == 20 or n == at + 130:
                s.viewer.look_at_network(trio.current_time())
                s.viewer.decide()
            seen += await s.received()
            await trio.sleep(1 / 25)
        assert announced(seen) == [["main", None]]
        first = seen[seen.index("init") + 1]
        assert isinstance(first, list)
        assert first[0] % 25 == 0
        assert len(first) <= 8
