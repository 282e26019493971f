"""What a WebSocket client may send: the same answer however it is cut, and never a mistake of ours."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto import ConnectionType
from wsproto.connection import Connection
from wsproto.events import BytesMessage, CloseConnection, Ping, Pong, TextMessage

from appliance.serve.guard import Bucket, MessageLimits, Violation, WebSocketGuard
from tests.serve.support import masked

LIMITS = MessageLimits(message_bytes=1000, frames_per_s=10, controls_per_s=5)

PIECES = st.one_of(
    st.builds(masked, st.sampled_from([0, 1, 2, 8, 9, 10]), st.binary(max_size=130), final=st.booleans()),
    st.builds(masked, st.just(2), st.integers(900, 1100).map(bytes)),
    st.binary(max_size=20),
)


def judge(pieces: list[bytes], limits: MessageLimits = LIMITS, now: float = 0.0) -> Violation | None:
    guard = WebSocketGuard(limits)
    for piece in pieces:
        violation = guard.receive(piece, now)
        if violation is not None:
            return violation
    return None


@given(data=st.lists(PIECES, max_size=30).map(b"".join), cuts=st.lists(st.integers(0, 4000), max_size=10))
def test_any_way_of_cutting_gives_the_same_answer(data: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    pieces = [data[start:end] for start, end in pairwise(edges)]
    assert judge(pieces) == judge([data])
    assert judge([data[at : at + 1] for at in range(len(data))]) == judge([data])


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_garbage_is_judged_and_never_fails(pieces: list[bytes]) -> None:
    violation = judge(pieces)
    assert violation is None or violation.code in (1002, 1008, 1009)


@given(
    st.lists(
        st.one_of(
            st.builds(BytesMessage, data=st.binary(max_size=300), message_finished=st.booleans()),
            st.builds(TextMessage, data=st.text(max_size=100)),
            st.builds(Ping, payload=st.binary(max_size=125)),
            st.builds(Pong, payload=st.binary(max_size=125)),
        ),
        max_size=20,
    )
)
def test_what_a_correct_client_sends_within_the_limits_passes(
    events: list[BytesMessage | TextMessage | Ping | Pong],
) -> None:
    """A message that is begun is ended before another of the other type, as wsproto's sender has it."""
    client = Connection(ConnectionType.CLIENT)
    data = b""
    open_message = False
    for event in events:
        if isinstance(event, TextMessage) and open_message:
            continue
        data += bytes(client.send(event))
        if isinstance(event, BytesMessage):
            open_message = not event.message_finished
    data += bytes(client.send(CloseConnection(1000)))
    assert judge([data], MessageLimits(frames_per_s=1000, controls_per_s=1000)) is None


def test_nothing_after_a_close_is_looked_at() -> None:
    assert judge([masked(8) + b"\xff" * 50]) is None


def test_an_announced_length_is_judged_before_it_comes() -> None:
    assert judge([masked(2, bytes(1001))[:8]]) == Violation(1009, "a message has 1000 bytes at most")


@pytest.mark.parametrize("header", [b"\x82\xfe\0\x7d", b"\x82\xff" + (65_535).to_bytes(8, "big")])
def test_a_length_takes_as_few_bytes_as_it_can(header: bytes) -> None:
    found = judge([header + bytes(4)], MessageLimits(message_bytes=1 << 17))
    assert found == Violation(1002, "a length is written in more bytes than it takes")


def test_time_gives_new_allowance() -> None:
    guard = WebSocketGuard(LIMITS)
    for second in range(20):
        assert guard.receive(masked(9) * 5 + masked(1) * 10, float(second)) is None
    assert guard.receive(masked(9) * 6, 20.0) == Violation(1008, "too many control frames")


@given(st.lists(st.floats(0, 0.3), min_size=1, max_size=200))
def test_a_bucket_never_gives_more_than_its_rate_and_burst(waits: list[float]) -> None:
    bucket, now, taken = Bucket(10, 5), 0.0, 0
    for wait in waits:
        now += wait
        taken += bucket.take(now)
        assert taken <= 5 + 10 * now + 1e-6
