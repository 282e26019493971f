"""A viewer whose network is too slow gets less, is told why, and gets all of it again later (TRA-2, F3)."""

from __future__ import annotations

import pytest
import trio

from appliance.media.adaptive import StreamMode
from appliance.media.ladder import Limit
from appliance.media.rate_control import LOOK_S
from appliance.streams.messages import Stats, Want
from tests.streams.scripted import SMALL, picture
from tests.streams.scripted_workers import Crew
from tests.streams.staging import ANY, TILE, Stage, said, settle, stage

PICTURES_A_LOOK = round(25 * LOOK_S)


async def play(s: Stage, first: int, *, seconds: float = 1, room: int | None = None) -> int:
    """So many seconds of all streams that are open.  ``room``: bytes a second that are taken; None: what there is."""
    last = first + round(25 * seconds)
    for n in range(first, last):
        for name, clip in (("main", None), ("sub", SMALL)):
            camera = s.openers.cameras.get(f"cam-{name}")
            if camera is not None and camera.open_now:
                await camera.give(picture(n) if clip is None else picture(n, clip=clip))
        if room is not None:
            s.lane.drain(room // 25)
        if n % PICTURES_A_LOOK == 0:
            s.viewer.look(trio.current_time())
        await trio.sleep(1 / 25)
    await settle()
    return last


async def begin(s: Stage, want: Want = ANY) -> int:
    s.viewer.want(want)
    await settle()
    return await play(s, 0)


def announced(received: list) -> list[list[object]]:
    return [said(m, "stream", "reason") for m in received if isinstance(m, dict) and m["type"] == "stream"]


def made(received: list) -> list[tuple[object, ...]]:
    """What is announced of JPEG: size, rate, quality, reason and cause."""
    keys = ("width", "fps", "quality", "reason", "cause")
    return [tuple(said(m, *keys)) for m in received if isinstance(m, dict) and m["type"] == "stream"]


async def test_who_cannot_take_it_gets_the_small_stream_and_later_the_large_one_again(autojump_clock) -> None:
    async with stage("main", "sub") as s:
        at = await begin(s)
        assert announced(await s.received()) == [["main", None]]
        s.lane.room = 0
        at = await play(s, at, seconds=2)
        assert s.camera("sub").open_now  # it was decided within two seconds
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
        first = received[next(n for n, each in enumerate(received) if each == "init") + 1]
        assert isinstance(first, list)
        assert first[0] % 25 == 0
        assert not s.camera("sub").open_now


async def test_a_stream_that_is_the_smallest_stays(autojump_clock) -> None:
    async with stage("main", "sub") as s:
        at = await begin(s, TILE)
        s.lane.room = 0
        await play(s, at, seconds=4)
        s.lane.drain(1 << 30)
        assert announced(await s.received()) == [["sub", "tile_size"]]
        assert "cam-main" not in s.openers.cameras


async def test_without_adaptive_streaming_the_large_stream_stays(autojump_clock) -> None:
    async with stage("main", "sub", crew=Crew()) as s:
        s.policy.adaptive = False
        at = await begin(s)
        s.lane.room = 0
        await play(s, at, seconds=5)
        assert "cam-sub" not in s.openers.cameras
        assert announced(await s.received()) == [["main", None]]


async def test_below_the_smallest_stream_it_is_transcoded(autojump_clock) -> None:
    async with stage("main", crew=Crew()) as s:
        at = await begin(s)
        assert announced(await s.received()) == [["main", None]]
        s.lane.room = 0
        at = await play(s, at, seconds=4, room=500)  # of some 50 KB a second
        s.lane.drain(1 << 30)
        await play(s, at, seconds=1)
        told = made(await s.received())
        assert told
        assert all(each[3:] == ("bandwidth", "bandwidth") for each in told)


async def test_a_client_that_wants_it_direct_gets_no_jpeg(autojump_clock) -> None:
    async with stage("main", crew=Crew()) as s:
        at = await begin(s, Want(width=1920, height=1080, mode="direct"))
        s.lane.room = 0
        at = await play(s, at, seconds=4, room=500)
        s.lane.drain(1 << 30)
        await play(s, at)
        assert announced(await s.received()) == [["main", None]]


async def test_of_jpeg_there_is_less_and_later_all_of_it_again(autojump_clock) -> None:
    async with stage("main", crew=Crew()) as s:
        at = await begin(s, Want(width=320, height=180, mode="transcoded"))
        assert made(await s.received()) == [(320, 25.0, 75, "requested", "requested")]
        s.lane.room = 0
        at = await play(s, at, seconds=3, room=150)
        s.lane.drain(1 << 30)
        at = await play(s, at)
        less = made(await s.received())
        assert less
        for width, fps, quality, reason, cause in less:
            assert width < 320 or fps < 25 or quality < 75
            assert (reason, cause) == ("bandwidth", "requested")
        await play(s, at, seconds=60)
        assert made(await s.received())[-1] == (320, 25.0, 75, "requested", "requested")


async def test_a_client_that_drops_pictures_gets_what_is_less_work_and_is_told_why(autojump_clock) -> None:
    async with stage("main", crew=Crew()) as s:
        at = await begin(s, Want(width=320, height=180, mode="transcoded"))
        for second in range(4):
            s.viewer.hear(Stats(dropped=10 * second))
            at = await play(s, at)
        *_, (width, fps, _, reason, cause) = made(await s.received())
        assert width * width * (fps or 25) <= 0.7 * 320 * 320 * 25
        assert (reason, cause) == ("slow_client", "requested")
        s.viewer.hear(Stats(tell=True))
        (told,) = [m for m in await s.received() if isinstance(m, dict) and m["type"] == "network"]
        assert told["step"] > 0
        assert told["carries_kbps"] is None  # nothing is known of the network but that it brought all


@pytest.mark.parametrize(
    ("level", "limit", "told"),
    [
        (1, Limit(25, (160, 90)), (160, 25.0, 75, "requested", "requested", 1)),  # by default, and nothing to tell
        (2, Limit(25, (160, 90)), (160, 25.0, 75, "level", "requested", 2)),
        (3, Limit(5, (1920, 1080)), (320, 5.0, 75, "level", "requested", 3)),
        (2, Limit(25, (1920, 1080)), (320, 25.0, 75, "requested", "requested", None)),  # it takes nothing away
    ],
)
async def test_a_level_that_takes_something_away_is_told(autojump_clock, level, limit, told) -> None:
    async with stage("main", crew=Crew()) as s:
        at = await begin(s, Want(width=320, height=180, mode="transcoded"))
        await s.received()
        s.policy.level, s.policy.limit = level, limit
        s.viewer.decide()
        await play(s, at)
        keys = ("width", "fps", "quality", "reason", "cause", "level")
        announcements = [said(m, *keys) for m in await s.received() if isinstance(m, dict)]
        assert announcements[-1:] == [list(told)] or (announcements == [] and told[5] is None)


async def test_a_larger_stream_is_tried_early_in_its_group_of_pictures(autojump_clock) -> None:
    async with stage("main", "sub") as s:
        at = await begin(s)
        s.lane.room = 0
        at = await play(s, at, seconds=3)
        s.lane.drain(1 << 30)
        at = await play(s, at, seconds=2)
        await s.received()
        for _ in range(30):
            at = await play(s, at)
            received = await s.received()
            if announced(received):
                break
        assert announced(received) == [["main", None]]
        first = received[received.index("init") + 1]
        assert isinstance(first, list)
        assert first[0] % 25 == 0
        await play(s, at)


async def test_at_rest_it_is_looked_at_once_a_second_for_who_says_anything_and_else_not(
    autojump_clock, monkeypatch
) -> None:
    async with stage("main", "sub") as s:
        at = await begin(s)
        looks = 0
        look = type(s.viewer._outlet).look

        def counting(outlet, now):
            nonlocal looks
            looks += 1
            return look(outlet, now)

        monkeypatch.setattr(type(s.viewer._outlet), "look", counting)
        at = await play(s, at, seconds=10)
        assert looks <= 1  # as it began
        looks = 0
        for _ in range(50):
            s.viewer.hear(Stats(buffer_s=0.4))
            at = await play(s, at, seconds=0.2)
        assert 8 <= looks <= 9  # at the first look after a second


async def test_the_administrators_mode_changes_what_an_open_view_gets(autojump_clock) -> None:
    async with stage("main", "sub") as s:
        at = await begin(s)
        told = announced(await s.received())
        for mode, adaptive in ((StreamMode.BANDWIDTH, True), (StreamMode.BANDWIDTH, False), (StreamMode.QUALITY, True)):
            s.policy.mode, s.policy.adaptive = mode, adaptive
            s.viewer.decide()
            at = await play(s, at, seconds=2)
            told += announced(await s.received())
        assert told == [["main", None], ["sub", "bandwidth"], ["main", None]]


async def test_the_mode_counts_for_jpeg_too(autojump_clock) -> None:
    async with stage("main", "sub", crew=Crew()) as s:
        s.policy.mode = StreamMode.BANDWIDTH
        await begin(s, Want(width=320, height=180, mode="transcoded"))
        assert [each[0] for each in made(await s.received())] == [160]
        assert s.camera("sub").open_now


async def test_a_client_that_asks_is_told_how_its_network_is(autojump_clock) -> None:
    async with stage("main", crew=Crew()) as s:
        at = await begin(s, Want(width=320, height=180, mode="transcoded"))
        s.lane.room = 0
        at = await play(s, at, seconds=3, room=150)
        s.lane.drain(1 << 30)
        at = await play(s, at, seconds=2)
        await s.received()
        s.viewer.hear(Stats())
        assert await s.received() == []
        s.viewer.hear(Stats(tell=True))
        (told,) = await s.received()
        assert isinstance(told, dict)
        assert told["type"] == "network"
        assert 0 < told["step"] < told["steps"]
        assert told["carries_kbps"] > 0
        assert told["arrives_kbps"] > 0
        assert told["takes_kbps"] > 0
        assert (told["round_trip_ms"], told["resent"], told["level"]) == (20, 0, 1)
