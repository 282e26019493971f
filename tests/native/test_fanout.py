"""The kernel that sends does what its twin does."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance._native import fanout
from tests.reference import fanout as reference

if TYPE_CHECKING:
    from collections.abc import Iterator

BOTH = pytest.mark.parametrize("kernel", [reference, fanout], ids=["reference", "native"])


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@BOTH
def test_each_gets_the_message_whole(kernel, pair) -> None:
    with ExitStack() as stack:
        pairs = [pair, *[tuple(map(stack.enter_context, socket.socketpair())) for _ in range(kernel.MOST - 1)]]
        assert kernel.send_each([ours.fileno() for ours, _ in pairs], b"picture") == [7] * kernel.MOST
        assert all(theirs.recv(100) == b"picture" for _, theirs in pairs)


@BOTH
def test_a_full_socket_takes_a_part_and_then_nothing_and_nobody_waits(kernel, pair) -> None:
    ours, _ = pair
    assert ours.getblocking()  # the kernel does not rely on it
    first, second = (kernel.send_each([ours.fileno()], bytes(1 << 24))[0] for _ in range(2))
    assert 0 < first < 1 << 24
    assert second == 0


@BOTH
def test_what_cannot_be_sent_to_is_told_and_no_signal_comes(kernel, pair) -> None:
    ours, theirs = pair
    theirs.close()
    closed = os.dup(ours.fileno())
    os.close(closed)
    assert kernel.send_each([ours.fileno(), closed], b"x") == [-1, -1]


@BOTH
def test_nobody_is_sent_nothing_and_too_many_are_refused(kernel) -> None:
    assert kernel.send_each([], b"x") == []
    with pytest.raises(ValueError, match="too many"):
        kernel.send_each([0] * (kernel.MOST + 1), b"x")


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 300_000)), max_size=30))
def test_sending_agrees_with_the_reference(steps: list[tuple[int, int]]) -> None:
    """Two rooms of four sockets, one for each; before every message one reader reads, or is none any more."""
    with ExitStack() as stack:
        rooms = [[tuple(map(stack.enter_context, socket.socketpair())) for _ in range(4)] for _ in range(2)]
        for reader, size in steps:
            answers = [
                kernel.send_each([ours.fileno() for ours, _ in room], memoryview(bytes(size)))
                for kernel, room in zip((fanout, reference), rooms, strict=True)
            ]
            assert answers[0] == answers[1]
            for room in rooms:
                if size % 13:
                    room[reader][1].recv(size, socket.MSG_DONTWAIT) if answers[0][reader] > 0 else None
                else:
                    room[reader][1].shutdown(socket.SHUT_RD)
