"""The fan-out: nobody waits for the slow, nobody sees half a picture."""

from __future__ import annotations

import socket
from contextlib import suppress

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import wait_all_tasks_blocked

from appliance._native.fanout import Port
from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.fmp4 import Fragment
from appliance.media.picture import Picture, frame_picture
from appliance.media.units import Run
from appliance.serve import backlog, fanout
from appliance.serve.fanout import Fanout
from appliance.serve.outlet import PIECE, Form, Outlet, ReaderStuckError
from appliance.serve.pacing import Way
from appliance.serve.send_lock import SendLock

RUN = Run(0)
PICTURE = TICKS_PER_SECOND // 25


class FakeLane:
    """A connection whose socket takes ``room`` bytes and then no more until `drain`."""

    def __init__(self, room: int = 1 << 30) -> None:
        self.port = Port()  # to which nothing can be written directly
        self.send_lock = SendLock(self.port)
        self.room = room
        self.taken = bytearray()
        self.aborted = False
        self.has_pending = False
        self.on_the_way = 0  # bytes that were taken and have not arrived
        self.held: int | None = None  # of them, what the network was not given yet; None: all
        self.round_trip_s = 0.02
        self.heard_s = 0.0  # how long ago the last acknowledgement came
        self._more = trio.Event()

    def try_send(self, data: bytes | memoryview) -> int:
        if self.send_lock.locked():
            return 0
        count = min(len(data), self.room)
        self.taken += data[:count]
        self.room -= count
        return count

    async def send_all(self, data: bytes | memoryview) -> None:
        await trio.lowlevel.checkpoint()
        while data:
            if self.aborted:
                raise trio.ClosedResourceError
            count = min(len(data), self.room)
            self.taken += data[:count]
            self.room -= count
            data = data[count:]
            if data:
                await self._more.wait()

    async def flush(self) -> None:
        await trio.lowlevel.checkpoint()

    def unsent(self) -> int:
        return self.on_the_way

    def way(self) -> Way | None:
        held = self.on_the_way if self.held is None else self.held
        return Way(self.round_trip_s, self.round_trip_s, 0.0, held, self.heard_s)

    def abort(self) -> None:
        self.aborted = True
        self.drain(0)

    def drain(self, room: int) -> None:
        self.room += room
        more, self._more = self._more, trio.Event()
        more.set()


class SocketLane(FakeLane):
    """A connection to a real socket, which `drain` reads: it can be written to directly."""

    def __init__(self) -> None:
        super().__init__()
        self._ours, self._theirs = socket.socketpair()
        for each in (self._ours, self._theirs):
            each.setblocking(False)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 100_000)  # whatever the machine's own size is
        self.offered = 0
        self.gone = False
        self.port.fd = self._ours.fileno()

    def try_send(self, data: bytes | memoryview) -> int:
        if self.gone:
            raise trio.BrokenResourceError
        if self.port.torn or self.send_lock.locked():
            return 0
        try:
            taken = self._ours.send(data)
        except BlockingIOError:
            return 0
        self.port.torn = taken < len(data)
        self.offered += 1
        return taken

    async def send_all(self, data: bytes | memoryview) -> None:
        while data:
            await trio.lowlevel.wait_writable(self._ours)
            data = data[self._ours.send(data) :]
        self.port.torn = False

    def drain(self, room: int) -> None:
        with suppress(BlockingIOError):
            self.taken += self._theirs.recv(room)

    def close(self) -> None:
        self._ours.close()
        self._theirs.close()


def fragment(n: int, kind: str = "P", size: int = 100) -> Fragment:
    text = f"<{kind}{n}".encode().ljust(size - 1, b".") + b">"
    return Fragment(text, 2, kind == "a", kind in "aI", n, n * PICTURE, RUN, kind == "L")


def names(data: bytes | bytearray) -> list[str]:
    return [piece.split(b".")[0].decode() for piece in bytes(data).split(b"<")[1:]]


def missed(seconds: float) -> bytes:
    return f"<missed {seconds:.2f}.>".encode()


def test_what_the_socket_takes_goes_out_at_once() -> None:
    lane = FakeLane()
    outlet = Outlet(lane)
    for n in range(5):
        outlet.offer(fragment(n, "I" if n == 0 else "P"))
    assert names(lane.taken) == ["I0", "P1", "P2", "P3", "P4"]
    assert (outlet.fragments_sent, outlet.bytes_sent, outlet.behind) == (5, 500, False)


async def test_what_it_takes_in_part_is_finished_before_anything_else(nursery) -> None:
    lane = FakeLane(room=150)
    outlet = Outlet(lane)
    nursery.start_soon(outlet.run)
    outlet.offer(fragment(0, "I"))
    outlet.offer(fragment(1))
    outlet.control(b"<control.>")
    outlet.offer(fragment(2))
    await wait_all_tasks_blocked()
    assert len(lane.taken) == 150
    lane.drain(10_000)
    await wait_all_tasks_blocked()
    assert names(lane.taken) == ["I0", "P1", "control", "P2"]
    assert not outlet.behind
    assert outlet.queued == 0


async def test_a_slow_reader_skips_to_the_next_idr_and_is_told(nursery) -> None:
    lane = FakeLane(room=100)
    outlet = Outlet(lane, missed=missed)
    nursery.start_soon(outlet.run)
    for n in range(126):  # five seconds, a key frame each second, the last picture is one
        outlet.offer(fragment(n, "I" if n % 25 == 0 else "P"))
        await trio.lowlevel.checkpoint()
    lane.drain(1 << 20)
    await wait_all_tasks_blocked()
    seen = names(lane.taken)
    assert seen[0] == "I0"
    gaps = [index for index, name in enumerate(seen) if name.startswith("missed")]
    assert gaps
    for gap in gaps:
        assert seen[gap + 1][0] == "I"
    numbers = [int(name[1:]) for name in seen if not name.startswith("missed")]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 125
    assert outlet.fragments_sent + outlet.fragments_dropped == 126


def offer(outlet: Outlet, kinds: str, start: int = 0) -> None:
    for n, kind in enumerate(kinds, start):
        outlet.offer(fragment(n, kind))


async def test_leading_pictures_go_to_who_has_what_they_refer_to(nursery) -> None:
    early, late, at_once = FakeLane(), FakeLane(), FakeLane()
    outlets = [Outlet(early), Outlet(late), Outlet(at_once)]
    for outlet in outlets:
        nursery.start_soon(outlet.run)
    outlets[0].begin([], [])
    offer(outlets[0], "IP")
    outlets[1].begin([], [fragment(0, "I"), fragment(1)])
    for outlet in outlets[:2]:
        offer(outlet, "PILP", 2)
    outlets[2].begin([], [fragment(3, "I")])
    for outlet in outlets:
        offer(outlet, "LPILP", 6)
    await wait_all_tasks_blocked()
    assert names(early.taken) == ["I0", "P1", "P2", "I3", "L4", "P5", "L6", "P7", "I8", "L9", "P10"]
    assert names(late.taken) == names(early.taken)
    assert names(at_once.taken) == ["I3", "P7", "I8", "L9", "P10"]


def test_who_begins_before_the_first_picture_does_not_get_what_leads_it() -> None:
    lane = FakeLane()
    outlet = Outlet(lane)
    outlet.begin([], [])
    offer(outlet, "ILLPIL")
    assert names(lane.taken) == ["I0", "P3", "I4", "L5"]


async def test_the_queue_is_bounded_in_bytes() -> None:
    lane = FakeLane(room=0)
    outlet = Outlet(lane)
    for n in range(200):
        outlet.offer(fragment(0, "I" if n % 10 == 0 else "P", size=50_000))
        assert outlet.queued <= backlog.QUEUE_BYTES
    assert outlet.fragments_dropped > 0


async def test_a_picture_larger_than_the_bound_still_passes(nursery) -> None:
    lane = FakeLane(room=10)
    outlet = Outlet(lane)
    nursery.start_soon(outlet.run)
    outlet.offer(fragment(0, "I", size=2 * backlog.QUEUE_BYTES))
    await wait_all_tasks_blocked()
    lane.drain(3 * backlog.QUEUE_BYTES)
    await wait_all_tasks_blocked()
    assert len(lane.taken) == 2 * backlog.QUEUE_BYTES


async def test_a_burst_does_not_count_and_what_waited_of_the_old_stream_is_forgotten() -> None:
    lane = FakeLane(room=0)
    outlet = Outlet(lane)
    outlet.offer(fragment(0, "I"))
    outlet.begin([b"<announce.>"], [fragment(n, "I" if n == 100 else "P", size=100_000) for n in range(100, 150)])
    assert outlet.queued == 0
    outlet.offer(fragment(150))
    assert outlet.queued == 100
    assert outlet.fragments_dropped == 1


async def test_an_announcement_that_did_not_get_out_is_forgotten_with_its_stream() -> None:
    lane = FakeLane(room=0)
    outlet = Outlet(lane)
    outlet.control(b"<word.>")
    for n in range(1000):  # a client that changes its mind faster than it reads
        outlet.begin([b"<announced%d.>" % n, b"<init%d.>" % n], [fragment(n, "I")])
    lane.drain(10_000)
    outlet.control(b"<end.>")
    with trio.move_on_after(0.01):
        await outlet.run()
    assert names(lane.taken) == ["word", "announced999", "init999", "I999", "end"]


async def test_sound_goes_only_to_those_who_want_it() -> None:
    quiet, loud = FakeLane(), FakeLane()
    one, other = Outlet(quiet), Outlet(loud)
    other.audio = True
    everybody = Fanout()
    everybody.add(one)
    everybody.add(other)
    for unit in (fragment(0, "I"), fragment(0, "a"), fragment(1)):
        await everybody.publish(unit)
    assert names(quiet.taken) == ["I0", "P1"]
    assert names(loud.taken) == ["I0", "a0", "P1"]


async def test_an_http_body_has_no_message_framing() -> None:
    lane = FakeLane()
    outlet = Outlet(lane, form=Form.BODY)
    outlet.offer(fragment(0, "I"))
    assert bytes(lane.taken) == fragment(0, "I").message[2:]


async def test_a_part_of_a_multipart_body_is_made_once_for_all() -> None:
    lanes = [FakeLane(), FakeLane()]
    picture = frame_picture(b"HD", b"JPEG", 0, 1)
    for lane in lanes:
        Outlet(lane, form=Form.PART).offer(picture)
    assert bytes(lanes[0].taken) == bytes(lanes[1].taken) == picture.part
    assert picture.part is picture.part
    assert picture.part.startswith(b"Content-Type: image/jpeg\r\nContent-Length: 4\r\n\r\nJPEG\r\n--")


async def test_of_parts_the_newest_waits() -> None:
    lane = FakeLane(room=0)
    outlet = Outlet(lane, form=Form.PART)
    pictures = [frame_picture(b"HD", b"JPEG%d" % n, n, n) for n in range(5)]
    for picture in pictures:
        outlet.offer(picture)
    assert outlet.queued == len(pictures[-1].part)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(outlet.run)
        await wait_all_tasks_blocked()
        lane.drain(10_000)
        await wait_all_tasks_blocked()
        assert bytes(lane.taken) == pictures[-1].part
        outlet.stop()


async def test_a_reader_that_takes_nothing_is_closed_after_ten_seconds(autojump_clock) -> None:
    lane = FakeLane(room=10)
    outlet = Outlet(lane)
    outlet.offer(fragment(0, "I"))
    began = trio.current_time()
    with pytest.raises(ReaderStuckError):
        await outlet.run()
    assert trio.current_time() - began == pytest.approx(10)
    assert lane.aborted


async def test_a_slow_reader_that_takes_something_is_not_closed(autojump_clock) -> None:
    lane = FakeLane(room=10)
    outlet = Outlet(lane)
    outlet.offer(fragment(0, "I", size=400_000))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(outlet.run)
        for _ in range(7):
            await trio.sleep(9)
            lane.drain(PIECE)
        await wait_all_tasks_blocked()
        assert len(lane.taken) == 400_000
        outlet.stop()


async def test_stopping_finishes_what_has_begun_and_no_more(nursery) -> None:
    lane = FakeLane(room=50)
    outlet = Outlet(lane)
    outlet.offer(fragment(0, "I"))
    outlet.offer(fragment(1))
    done = trio.Event()

    async def run() -> None:
        await outlet.run()
        done.set()

    nursery.start_soon(run)
    await wait_all_tasks_blocked()
    outlet.stop()
    lane.drain(1000)
    await done.wait()
    assert names(lane.taken) == ["I0"]
    assert not lane.aborted


async def test_cancelled_in_the_middle_of_a_message_the_connection_is_closed() -> None:
    lane = FakeLane(room=50)
    outlet = Outlet(lane)
    outlet.offer(fragment(0, "I"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(outlet.run)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert lane.aborted


async def test_a_client_that_left_does_not_disturb_the_others() -> None:
    class Gone(FakeLane):
        def try_send(self, data: bytes | memoryview) -> int:
            raise trio.BrokenResourceError

    lane = FakeLane()
    everybody = Fanout()
    for each in (Gone(), lane, Gone()):
        everybody.add(Outlet(each))
    await everybody.publish(fragment(0, "I"))
    assert names(lane.taken) == ["I0"]


async def test_who_was_taken_out_while_others_were_served_gets_nothing_any_more() -> None:
    class Leaving(FakeLane):
        def try_send(self, data: bytes | memoryview) -> int:
            everybody.remove(last)
            return super().try_send(data)

    lane, everybody = FakeLane(), Fanout()
    last = Outlet(lane)
    for each in (Leaving(), *(FakeLane() for _ in range(2 * fanout.BATCH))):
        everybody.add(Outlet(each))
    everybody.add(last)
    await everybody.publish(fragment(0, "I"))
    assert lane.taken == b""


async def test_the_loop_is_given_back_between_batches() -> None:
    everybody = Fanout()
    for _ in range(100):
        everybody.add(Outlet(FakeLane()))
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        await everybody.publish(fragment(0, "I"))
        nursery.cancel_scope.cancel()
    assert turns >= 100 // fanout.BATCH // 2


async def test_what_a_socket_takes_directly_and_what_must_wait_keep_their_order(nursery) -> None:
    lanes = [SocketLane() for _ in range(20)]
    outlets = [Outlet(lane, missed=missed) for lane in lanes]
    everybody = Fanout()
    for outlet in outlets:
        everybody.add(outlet)
        nursery.start_soon(outlet.run)
    for n in range(30):
        if n == 5:
            outlets[0].control(b"<control.>")
        await everybody.publish(fragment(n, "P" if n else "I", size=40_000))
    assert lanes[0].offered == 1  # the IDR picture; what came next flowed
    assert 1 < lanes[1].port.sent_messages < 30  # not all of it fits into a socket that nobody reads
    while any(outlet.behind for outlet in outlets):
        for lane in lanes:
            lane.drain(1 << 20)
        await wait_all_tasks_blocked()
    for lane in lanes:
        lane.drain(1 << 20)
    assert names(lanes[0].taken) == [
        *[f"{'P' if n else 'I'}{n}" for n in range(5)],
        "control",
        *[f"P{n}" for n in range(5, 30)],
    ]
    for lane, outlet in zip(lanes[1:], outlets[1:], strict=True):
        assert lane.taken == b"".join(fragment(n, "P" if n else "I", size=40_000).message for n in range(30))
        assert (outlet.fragments_sent, outlet.bytes_sent) == (30, 30 * 40_000)
    for lane in lanes:
        lane.close()


async def test_a_socket_that_broke_is_left_to_its_own_task() -> None:
    broken, lane = SocketLane(), SocketLane()
    outlets = [Outlet(broken), Outlet(lane)]
    everybody = Fanout()
    for outlet in outlets:
        everybody.add(outlet)
    await everybody.publish(fragment(0, "I"))
    assert broken.port.flows
    broken.port.fd = 1 << 20  # a descriptor that nobody has
    broken.gone = True
    await everybody.publish(fragment(1))
    lane.drain(1000)
    assert names(lane.taken) == ["I0", "P1"]
    assert outlets[0].behind
    assert outlets[0].fragments_sent == 1
    for each in (broken, lane):
        each.close()


LANES = pytest.mark.parametrize("make_lane", [lambda: FakeLane(room=0), SocketLane], ids=["slow", "socket"])


@LANES
@given(st.lists(st.tuples(st.sampled_from("IPPLa"), st.integers(50, 300_000), st.integers(0, 400_000)), max_size=80))
def test_whatever_the_network_does_a_gap_is_followed_by_an_idr(make_lane, steps: list[tuple[str, int, int]]) -> None:
    async def play() -> bytes:
        lane = make_lane()
        outlet = Outlet(lane)
        outlet.audio = True
        everybody = Fanout()
        everybody.add(outlet)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(outlet.run)
            for n, (kind, size, room) in enumerate(steps):
                await everybody.publish(fragment(n, kind, size))
                lane.drain(room)
                await trio.lowlevel.checkpoint()
            while True:
                lane.drain(1 << 30)
                await wait_all_tasks_blocked()
                if not outlet.behind:
                    break
            lane.drain(1 << 30)
            outlet.stop()
        if isinstance(lane, SocketLane):
            lane.close()
        return bytes(lane.taken)

    seen = names(trio.run(play))
    expected, whole = 0, False  # whether all from the start before the last one came
    for name in seen:
        number = int(name[1:])
        assert number >= expected
        left_out = {steps[n][0] for n in range(expected, number)}
        if left_out - {"L"} or (left_out and whole):
            assert name[0] == "I"
            whole = False
        elif name[0] == "I":
            whole = any(steps[n][0] == "I" for n in range(number))
        assert name[0] != "L" or whole
        expected = number + 1


async def test_how_far_a_reader_is_behind_is_seen_with_what_was_left_out() -> None:
    lane = FakeLane(room=0)
    outlet = Outlet(lane, missed=missed)
    outlet.begin([b"<hello>"], [fragment(n, "P" if n else "I") for n in range(5)])
    assert outlet.lag_s == pytest.approx(4 / 25)  # of what waits, also of a burst
    for n in range(5, 90):
        outlet.offer(fragment(n, "P" if n % 25 else "I"))
    assert outlet.gaps == 3  # each time 1.5 seconds waited, it went on with the last IDR picture
    assert outlet.lag_s <= backlog.QUEUE_TICKS / TICKS_PER_SECOND + 1 / 25
    outlet.stop()
    assert outlet.lag_s == 0


def jpeg(n: int, size: int = 1000) -> Picture:
    return frame_picture(b"", b"\xff\xd8" + bytes([n]) * size, n * PICTURE, n)


async def test_of_pictures_that_stand_alone_only_the_newest_waits() -> None:
    lane, words = FakeLane(room=1500), []

    def missed(seconds: float) -> bytes:
        words.append(seconds)
        return b"[missed]"

    outlet = Outlet(lane, missed=missed)
    outlet.begin([b"<announced>"], [jpeg(1)])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(outlet.run)
        await wait_all_tasks_blocked()
        for n in range(2, 40):  # the second one is begun and stays in the socket's way
            outlet.offer(jpeg(n))
            await wait_all_tasks_blocked()
            assert outlet._backlog.fragments <= 1
        lane.drain(1 << 20)
        await wait_all_tasks_blocked()
        shown = lane.taken.replace(b"[missed]", b"").removeprefix(b"<announced>")
        assert shown == b"".join(jpeg(n).message for n in (1, 2, 39))
        # told at once, and then the sum once a second of the stream's time
        assert lane.taken.count(b"[missed]") == 2
        assert words == [1 / 25, 1.0]
        assert (outlet.fragments_sent, outlet.fragments_dropped) == (3, 36)
        outlet.offer(jpeg(40))
        await wait_all_tasks_blocked()
        assert lane.taken.endswith(jpeg(40).message)
        nursery.cancel_scope.cancel()


async def test_a_picture_goes_to_all_who_can_take_it_at_once() -> None:
    lanes = [SocketLane() for _ in range(5)]
    shared = Fanout()
    for lane in lanes:
        shared.add(Outlet(lane))
    await shared.publish(jpeg(1))
    assert [lane.offered for lane in lanes] == [1] * 5
    for lane in lanes:
        assert lane._theirs.recv(1 << 20) == jpeg(1).message
        lane._ours.close()
        lane._theirs.close()


async def test_who_loses_nothing_waits_for_room(autojump_clock: trio.testing.MockClock) -> None:
    lane = FakeLane(room=100)
    outlet = Outlet(lane)
    outlet.begin([], [])
    went: list[int] = []

    async def send() -> None:
        for n in range(3):
            outlet.offer(fragment(n, "P" if n else "I", 80))
            await outlet.room()
            went.append(n)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(outlet.run)
        nursery.start_soon(send)
        await trio.testing.wait_all_tasks_blocked()
        assert went == [0]
        lane.drain(1000)
        await trio.testing.wait_all_tasks_blocked()
        assert went == [0, 1, 2]
        assert outlet.fragments_dropped == 0
        nursery.cancel_scope.cancel()
