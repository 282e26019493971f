"""Pictures on their way to one client: the next goes when the last arrives in time, and until then the newest waits."""

from __future__ import annotations

import socket

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from appliance.serve.outlet import WATCH_S, Outlet
from appliance.serve.pacing import DELAYED_S, LEAST_WAY_S, Pace
from appliance.serve.streams import DirectStream
from tests.serve.test_fanout import FakeLane, jpeg

SIZE = 1000


async def test_nothing_is_known_at_first_so_the_second_picture_waits_for_the_first(autojump_clock, nursery) -> None:
    lane = FakeLane()
    outlet = Outlet(lane)
    nursery.start_soon(outlet.run)
    outlet.offer(jpeg(1))
    lane.on_the_way = SIZE
    for n in (2, 3, 4):
        await trio.sleep(0.04)
        outlet.offer(jpeg(n))
    assert lane.taken == jpeg(1).message
    assert (outlet.left_out, outlet.fragments_sent) == (2, 1)
    lane.on_the_way = 0
    await trio.sleep(2 * WATCH_S)
    assert lane.taken == jpeg(1).message + jpeg(4).message  # the newest, as soon as the first has arrived


async def test_an_acknowledgement_that_is_late_holds_nothing_back_at_first(autojump_clock, nursery) -> None:
    lane = FakeLane()
    outlet = Outlet(lane)
    nursery.start_soon(outlet.run)
    outlet.offer(jpeg(1))
    lane.on_the_way, lane.held = SIZE, 0  # the network has it
    for n in (2, 3):
        await trio.sleep(DELAYED_S / 4)
        outlet.offer(jpeg(n))
        lane.on_the_way = n * SIZE
    assert lane.taken == b"".join(jpeg(n).message for n in (1, 2, 3))
    await trio.sleep(DELAYED_S)
    for n in (4, 5):
        outlet.offer(jpeg(n))
    assert (outlet.left_out, outlet.fragments_sent) == (1, 3)  # that late it is no more what holds it up


async def test_what_arrives_in_time_is_followed_at_once(autojump_clock) -> None:
    lane = FakeLane()
    outlet = Outlet(lane)
    for n in range(1, 20):
        outlet.offer(jpeg(n))
        lane.on_the_way = SIZE  # until the next one comes
        await trio.sleep(0.04)
        lane.on_the_way = 0 if n == 1 else SIZE
        outlet.pace.acknowledged(trio.current_time(), outlet.bytes_sent)
    assert outlet.left_out == 0
    assert lane.taken == b"".join(jpeg(n).message for n in range(1, 20))


async def test_what_does_not_arrive_is_seen_as_late_and_holds_the_next_one_back(autojump_clock) -> None:
    lane = FakeLane()
    outlet = Outlet(lane)
    outlet.offer(jpeg(1))
    lane.on_the_way = SIZE
    await trio.sleep(1)
    seen = outlet.look(trio.current_time())
    assert seen.lag_s == pytest.approx(1 - LEAST_WAY_S - 0.05)
    assert not outlet.is_at_rest(trio.current_time())
    outlet.offer(jpeg(2))
    await trio.sleep(0.5)
    seen = outlet.look(trio.current_time())
    assert (seen.made, seen.left_out, seen.acknowledged) == (2, 0, outlet.bytes_sent - SIZE)
    lane.on_the_way = 0
    assert outlet.look(trio.current_time()).lag_s == pytest.approx(0.5)  # the second one waits


async def test_who_has_got_all_of_it_is_at_rest(autojump_clock) -> None:
    lane = FakeLane()
    outlet = Outlet(lane)
    outlet.offer(jpeg(1))
    lane.on_the_way = SIZE
    assert not outlet.is_at_rest(trio.current_time())
    lane.on_the_way = 0
    assert outlet.is_at_rest(trio.current_time())


def test_a_slow_network_gets_the_next_one_when_little_is_left_of_the_last() -> None:
    lane = FakeLane()
    lane.round_trip_s = 0.1
    pace, written = Pace(lane), 30_000
    pace.comes(jpeg(1))
    pace.begin(0.0)
    pace.wrote(0.0, written, whole=True)
    lane.on_the_way = 0
    assert pace.may_begin(1.0, written)  # it took a second: it is known to be slow
    pace.begin(1.0)
    pace.wrote(1.0, 2 * written, whole=True)
    for at, left, may in ((1.3, 20_000, False), (1.5, 15_000, False), (1.7, 10_000, False), (1.9, 4_000, True)):
        lane.on_the_way = left
        assert pace.may_begin(at, 2 * written) is may, at


def test_what_arrived_long_before_it_is_looked_at_is_not_slow() -> None:
    """Of two pictures a second the next comes half a second later; the last arrived after a tenth of that."""
    for heard_s, may in ((0.45, True), (0.0, False)):
        lane = FakeLane()
        lane.round_trip_s, lane.heard_s = 0.02, heard_s
        pace = Pace(lane)
        pace.comes(jpeg(1))
        pace.begin(0.0)
        pace.wrote(0.0, 30_000, whole=True)
        lane.on_the_way = 0
        assert pace.acknowledged(0.5, 30_000) == 30_000
        pace.begin(0.5)
        pace.wrote(0.5, 60_000, whole=True)
        lane.on_the_way, lane.heard_s = 30_000, 0.0
        assert pace.may_begin(0.56, 60_000) is may  # on its way for no longer than may be, if the last one was in time


async def test_who_is_gone_is_left_to_whoever_writes_next() -> None:
    lane = FakeLane()
    pace = Pace(lane)
    pace.begin(0.0)
    pace.wrote(0.0, 10, whole=True)

    def gone() -> int:
        raise trio.BrokenResourceError

    lane.unsent = gone  # type: ignore[method-assign]
    assert pace.may_begin(1.0, 10)


async def test_the_kernel_says_how_long_the_way_is() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    stream = DirectStream(listener.accept()[0])
    try:
        await stream.send_all(b"x" * 5000)
        client.recv(5000)
        await wait_all_tasks_blocked()
        way = stream.way()
        assert way is not None
        assert 0 < way.least_round_trip_s <= 0.1
        assert 0 < way.round_trip_s < 1
        assert way.lost == 0
        assert way.held == 0
        before = way.heard_s
        await trio.sleep(0.05)
        way = stream.way()
        assert way is not None
        assert way.heard_s >= before + 0.04
        while stream.try_send(b"x" * 65536):
            pass
        way = stream.way()
        assert way is not None
        assert 0 < way.held <= stream.unsent()
    finally:
        client.close()
        listener.close()
        stream.close()
    assert stream.way() is None
    ours, theirs = socket.socketpair()
    try:
        assert DirectStream(ours).way() is None
    finally:
        ours.close()
        theirs.close()
