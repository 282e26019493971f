"""The kernel that sends does what its twin does."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance._native import fanout
from tests.reference import fanout as reference

if TYPE_CHECKING:
    from collections.abc import Iterator

BOTH = pytest.mark.parametrize("kernel", [reference, fanout], ids=["reference", "native"])
#: What keeps a port from taking anything, each alone.
BUSY: dict[str, Any] = {"closed": True, "pending": True, "torn": True, "held": True, "flows": False}


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def open_port(kernel: Any, sock: socket.socket | int, **state: Any) -> Any:
    port = kernel.Port(sock if isinstance(sock, int) else sock.fileno())
    for name, value in {"flows": True, **state}.items():
        setattr(port, name, value)
    return port


@BOTH
def test_each_gets_the_message_whole(kernel, pair) -> None:
    with ExitStack() as stack:
        pairs = [pair, *[tuple(map(stack.enter_context, socket.socketpair())) for _ in range(kernel.MOST - 1)]]
        ports = [open_port(kernel, ours) for ours, _ in pairs]
        assert kernel.send_each(ports, b"picture") == []
        assert all(theirs.recv(100) == b"picture" for _, theirs in pairs)
        assert {(port.sent_bytes, port.sent_messages) for port in ports} == {(7, 1)}


@BOTH
def test_a_full_socket_takes_a_part_and_then_nothing_and_nobody_waits(kernel, pair) -> None:
    ours, _ = pair
    assert ours.getblocking()  # the kernel does not rely on it
    port = open_port(kernel, ours)
    [(_, first)] = kernel.send_each([port], bytes(1 << 24))
    assert 0 < first < 1 << 24
    assert port.torn
    assert kernel.send_each([port], b"x") == [(0, -2)]  # it would stand in the middle
    port.torn = False
    assert kernel.send_each([port], b"x") == [(0, 0)]
    assert (port.torn, port.sent_bytes, port.sent_messages) == (False, 0, 0)


@BOTH
def test_what_cannot_be_sent_to_is_told_and_no_signal_comes(kernel, pair) -> None:
    ours, theirs = pair
    theirs.close()
    closed = os.dup(ours.fileno())
    os.close(closed)
    assert kernel.send_each([open_port(kernel, ours), open_port(kernel, closed)], b"x") == [(0, -1), (1, -1)]


@BOTH
@pytest.mark.parametrize("state", BUSY)
def test_who_is_busy_is_left_alone(kernel, pair, state: str) -> None:
    ours, theirs = pair
    assert kernel.send_each([open_port(kernel, ours, **{state: BUSY[state]})], b"x") == [(0, -2)]
    theirs.setblocking(False)
    with pytest.raises(BlockingIOError):
        theirs.recv(1)


@BOTH
def test_sound_goes_to_who_hears(kernel, pair) -> None:
    ours, theirs = pair
    with ExitStack() as stack:
        deaf, hers = map(stack.enter_context, socket.socketpair())
        ports = [open_port(kernel, deaf), open_port(kernel, ours, hears=True), open_port(kernel, ours, flows=False)]
        ports[2].hears = True
        assert kernel.send_each(ports, b"tick", True) == [(2, -2)]
        assert theirs.recv(10) == b"tick"
        hers.setblocking(False)
        with pytest.raises(BlockingIOError):
            hers.recv(1)


@BOTH
def test_what_is_not_plain_is_written_by_its_own(kernel) -> None:
    port = open_port(kernel, -1)
    assert kernel.send_each([port], b"x") == [(0, -2)]  # it has no way yet
    written = []

    def write(data: bytes) -> int:
        written.append(data)
        port.pending = len(written) == 2
        return -1 if len(written) == 3 else len(data)

    port.write = write
    assert kernel.send_each([port], b"one") == []
    assert kernel.send_each([port], b"two") == [(0, 3)]  # taken, but somebody has to finish
    assert kernel.send_each([port], b"not while something is pending") == [(0, -2)]
    port.pending = False
    assert kernel.send_each([port], b"three") == [(0, -1)]
    assert kernel.send_each([port], bytes(65_537)) == [(0, -2)]
    assert written == [b"one", b"two", b"three"]
    assert (port.sent_bytes, port.sent_messages) == (3, 1)


@BOTH
def test_what_writing_raises_is_raised(kernel) -> None:
    def write(_: bytes) -> int:
        raise KeyError("a defect of ours")

    with pytest.raises(KeyError):
        kernel.send_each([open_port(kernel, -1, write=write)], b"x")


@BOTH
def test_nobody_is_sent_nothing_and_too_many_are_refused(kernel) -> None:
    assert kernel.send_each([], b"x") == []
    with pytest.raises(ValueError, match="too many"):
        kernel.send_each([kernel.Port()] * (kernel.MOST + 1), b"x")


def test_only_ports_are_written_to() -> None:
    with pytest.raises(TypeError):
        fanout.send_each([1], b"x")  # type: ignore[list-item]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 300_000), st.booleans(), st.integers(0, 3)), max_size=30))
def test_sending_agrees_with_the_reference(steps: list[tuple[int, int, bool, int]]) -> None:
    """Two rooms of four sockets, one for each; before every message one reader reads, or is none any more."""
    with ExitStack() as stack:
        rooms = [[tuple(map(stack.enter_context, socket.socketpair())) for _ in range(4)] for _ in range(2)]
        ports = [
            [open_port(kernel, ours, hears=place % 2 == 0) for place, (ours, _) in enumerate(room)]
            for kernel, room in zip((fanout, reference), rooms, strict=True)
        ]
        for reader, size, sound, mended in steps:
            answers = [
                sorted(kernel.send_each(own, memoryview(bytes(size)), sound))
                for kernel, own in zip((fanout, reference), ports, strict=True)
            ]
            assert answers[0] == answers[1]
            for own, room in zip(ports, rooms, strict=True):
                own[mended].torn = False
                if size % 13:
                    with suppress(BlockingIOError):
                        room[reader][1].recv(size, socket.MSG_DONTWAIT)
                else:
                    room[reader][1].shutdown(socket.SHUT_RD)
            states = [[(port.sent_bytes, port.sent_messages, port.torn) for port in own] for own in ports]
            assert states[0] == states[1]
