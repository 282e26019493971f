"""Sound between JPEG pictures: in order, within bounds, and no picture waits for it or gives way to it."""

from __future__ import annotations

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import wait_all_tasks_blocked

from appliance.media.picture import Picture, frame_picture
from appliance.serve import beside
from appliance.serve.fanout import Fanout
from appliance.serve.outlet import Outlet
from tests.serve.test_fanout import PICTURE, FakeLane, SocketLane, fragment

PICTURE_SIZE = 20_000


def jpeg(n: int, size: int = 100) -> Picture:
    return frame_picture(b"", b"\xff\xd8" + b"<p%d" % n + b"." * size + b">", n * PICTURE, n)


def outlet_of(lane: FakeLane) -> Outlet:
    """One that shows pictures and hears."""
    outlet = Outlet(lane)
    outlet.audio = True
    outlet.begin([b"{hello}", b"{init}"], [jpeg(0, 10)])
    return outlet


def parts(data: bytes | bytearray) -> list[str]:
    """What a client got, each message whole: words, ``p`` and ``a`` with their numbers."""
    found, rest = [], bytes(data)
    while rest:
        if rest.startswith(b"{"):
            size = rest.index(b"}") + 1
            found.append(rest[1 : size - 1].decode())
        else:
            if rest[8:10] == b"\xff\xd8":  # as a client tells a picture
                rest = rest[10:]
            assert rest.startswith(b"<"), rest[:20]
            size = rest.index(b">") + 1
            found.append(rest[1 : size - 1].split(b".")[0].decode())
        rest = rest[size:]
    return found


async def test_it_goes_between_the_pictures_and_counts_as_none_of_them(nursery: trio.Nursery) -> None:
    lane = SocketLane()
    outlet = outlet_of(lane)
    nursery.start_soon(outlet.run)
    await wait_all_tasks_blocked()
    pictures, sound = Fanout(), Fanout()
    pictures.add(outlet)
    sound.add(outlet)
    for n in range(1, 6):
        await pictures.publish(jpeg(n, 10))
        await sound.publish(fragment(n, "a"))
        await wait_all_tasks_blocked()
    lane.drain(1 << 20)
    assert parts(lane.taken) == ["hello", "init", "p0", "p1", "a1", "p2", "a2", "p3", "a3", "p4", "a4", "p5", "a5"]
    seen = outlet.look(trio.current_time())
    assert (outlet.fragments_sent, seen.made, seen.left_out, seen.lag_s, outlet.gaps) == (6, 6, 0, 0, 0)
    assert outlet.bytes_sent == len(lane.taken)
    assert outlet.is_at_rest(trio.current_time())
    nursery.cancel_scope.cancel()
    lane.close()


async def test_a_picture_that_may_not_begin_yet_does_not_hold_it_up(nursery: trio.Nursery) -> None:
    lane = FakeLane()
    outlet = outlet_of(lane)
    nursery.start_soon(outlet.run)
    await wait_all_tasks_blocked()
    lane.on_the_way = len(lane.taken)  # nothing has arrived: the next one waits
    lane.round_trip_s = 0.001
    outlet.offer(jpeg(1))
    assert outlet.behind
    outlet.offer(fragment(1, "a"))
    assert parts(lane.taken) == ["hello", "init", "p0", "a1"]
    lane.on_the_way = 0
    await trio.sleep(0.05)
    assert parts(lane.taken)[-1] == "p1"
    nursery.cancel_scope.cancel()


async def test_it_never_comes_before_what_announces_it() -> None:
    outlet = outlet_of(lane := FakeLane())
    outlet.offer(fragment(1, "a"))
    assert not lane.taken
    async with trio.open_nursery() as nursery:
        nursery.start_soon(outlet.run)
        await wait_all_tasks_blocked()
        assert parts(lane.taken) == ["hello", "init", "a1", "p0"]
        nursery.cancel_scope.cancel()


def waiting(lane: FakeLane | None = None) -> Outlet:
    return outlet_of(lane or FakeLane(room=0))


async def test_of_what_waits_the_oldest_is_left_out_and_no_picture_with_it() -> None:
    outlet = waiting()
    for n in range(200):
        outlet.offer(fragment(n, "a", 300))
    assert outlet._beside.size == 26 * 300  # a second of 25, and the one at its end
    for n in range(200, 400):
        outlet.offer(fragment(n, "a", 1000))
    assert outlet._beside.size == 16_000
    outlet.offer(fragment(400, "a", 20_000))  # more than waits at all
    assert outlet._beside.size == 0
    assert (outlet.gaps, outlet.left_out, outlet.fragments_dropped) == (0, 0, 0)
    assert outlet.queued == 0
    assert outlet._backlog.fragments == 1


async def test_a_clock_that_goes_back_leaves_nothing_old() -> None:
    outlet = waiting()
    outlet.offer(fragment(1000, "a"))
    outlet.offer(fragment(10, "a"))
    assert outlet._beside.size == 100


async def test_what_waits_is_forgotten_with_its_stretch_and_where_it_may_not_be_heard() -> None:
    for end in ("begin", "forget", "silence", "stop"):
        outlet = waiting()
        outlet.offer(fragment(1, "a"))
        assert outlet._beside.size
        if end == "begin":
            outlet.begin([b"{other}"], [jpeg(1)])
        else:
            getattr(outlet, end)()
        assert not outlet._beside.size, end


async def test_direct_video_goes_on_when_its_sound_is_taken(nursery: trio.Nursery) -> None:
    outlet = Outlet(lane := FakeLane(room=0))
    outlet.audio = True
    for n, kind in enumerate("IaPaP"):
        outlet.offer(fragment(n, kind))
    outlet.silence()
    outlet.offer(fragment(5, "a"))
    assert outlet.queued == 300
    lane.drain(1 << 20)
    nursery.start_soon(outlet.run)
    await wait_all_tasks_blocked()
    assert [piece.split(b".")[0] for piece in bytes(lane.taken).split(b"<")[1:]] == [b"I0", b"P2", b"P4"]
    nursery.cancel_scope.cancel()


class FarLane(FakeLane):
    """What it takes arrives when the test says so."""

    def __init__(self, round_trip_s: float = 0.02) -> None:
        super().__init__()
        self.round_trip_s = round_trip_s
        self.arrived = 0

    def unsent(self) -> int:
        return len(self.taken) - self.arrived


async def test_a_network_that_does_not_carry_it_gets_pictures_all_the_same(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    """4 kB/s for sound of 8 kB/s and pictures: neither fills the kernel, and both get through."""
    outlet = outlet_of(lane := FarLane())
    nursery.start_soon(outlet.run)
    worst = 0
    for n in range(1, 251):  # ten seconds
        outlet.offer(fragment(n, "a", 320))
        outlet.offer(jpeg(n, 1000))
        await trio.sleep(0.04)
        worst = max(worst, lane.unsent())
        lane.arrived = min(len(lane.taken), lane.arrived + 160)
    got = parts(lane.taken)
    assert worst < 8000  # what two seconds carry
    assert sum(each.startswith("p") for each in got) >= 8
    assert sum(each.startswith("a") for each in got) >= 60
    nursery.cancel_scope.cancel()


async def test_a_long_way_is_not_taken_for_a_slow_network(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    """By satellite all of it arrives a second later."""
    outlet = outlet_of(lane := FarLane(1.2))
    nursery.start_soon(outlet.run)
    lengths = [0] * 30
    for n in range(1, 101):
        outlet.offer(fragment(n, "a", 320))
        await trio.sleep(0.04)
        lengths.append(len(lane.taken))
        lane.arrived = lengths[-31]
    assert sum(each.startswith("a") for each in parts(lane.taken)) == 100
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize("make_lane", [lambda: FakeLane(room=0), SocketLane], ids=["slow", "socket"])
@given(st.lists(st.tuples(st.sampled_from("pa"), st.integers(0, 60_000)), max_size=60))
def test_whatever_the_network_does_messages_are_whole_and_in_order(make_lane, steps: list[tuple[str, int]]) -> None:
    async def play() -> tuple[bytes, Outlet]:
        lane = make_lane()
        outlet = outlet_of(lane)
        both = Fanout()
        both.add(outlet)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(outlet.run)
            for n, (kind, room) in enumerate(steps, 1):
                await both.publish(fragment(n, "a", 400) if kind == "a" else jpeg(n, PICTURE_SIZE))
                assert outlet._beside.size <= beside.SOUND_BYTES
                assert outlet._backlog.fragments <= 1
                lane.drain(room)
                await trio.lowlevel.checkpoint()
            while outlet.behind:
                lane.drain(1 << 30)
                await wait_all_tasks_blocked()
            lane.drain(1 << 30)
            outlet.stop()
        if isinstance(lane, SocketLane):
            lane.close()
        return bytes(lane.taken), outlet

    data, outlet = trio.run(play)
    got = [each for each in parts(data) if each not in ("hello", "init")]
    pictures, sounds = ([int(each[1:]) for each in got if each[0] == kind] for kind in "pa")
    assert pictures == sorted(set(pictures))
    assert sounds == sorted(set(sounds))
    offered = [n for n, (kind, _) in enumerate(steps, 1) if kind == "p"]
    assert pictures[-1] == max(offered, default=0)
    assert outlet.fragments_sent + outlet.fragments_dropped == len(offered) + 1
    assert outlet.fragments_sent == len(pictures)
    assert outlet.bytes_sent == len(data)
