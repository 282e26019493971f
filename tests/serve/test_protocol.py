"""The HTTP/1.1 parser on everything that may come: one error type, and the same events however it is cut."""

from __future__ import annotations

from itertools import pairwise

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.serve.protocol import StrictConnection, check_head

LIMIT = 2000

FIELDS = st.sampled_from(
    [b"Content-Length: 3", b"Content-Length: 0", b"Content-Length : 3", b"Transfer-Encoding: chunked", b"X: y",
     b" folded", b"Upgrade: h2c", b"Connection: close", b"Host: b", b"X: " + b"y" * 500, b"Expect: 100-continue"]
)  # fmt: skip
STARTS = st.sampled_from(
    [b"GET / HTTP/1.1\r\nHost: a", b"POST / HTTP/1.1\r\nHost: a", b"GET / HTTP/2.0", b"GET / HTTP/1.1", b"abc", b""]
)
BODIES = st.sampled_from([b"", b"abc", b"3\r\nabc\r\n0\r\n\r\n", b"3\nabc\r\n0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"\x00"])
ENDS = st.sampled_from([b"\r\n"] * 20 + [b"\n", b"\r", b""])


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """What looks like a request; about half of them are one."""
    lines = [draw(STARTS), *draw(st.lists(FIELDS, max_size=3)), b""]
    return b"".join(line + draw(ENDS) for line in lines) + draw(BODIES)


TRAFFIC = st.one_of(st.lists(requests(), max_size=3).map(b"".join), st.binary(max_size=100))


def events_of(pieces: list[bytes]) -> list[object]:
    """What comes of the bytes: events with their data joined, then the end or an error."""
    connection = StrictConnection(LIMIT)
    events: list[object] = []
    for piece in pieces:
        connection.receive_data(piece)
        while True:
            try:
                event = connection.next_event()
            except h11.RemoteProtocolError as error:
                return [*events, ("refused", error.error_status_hint)]
            if event is h11.NEED_DATA:
                break
            if isinstance(event, h11.ConnectionClosed):
                return events
            if isinstance(event, h11.Data):
                if events and isinstance(events[-1], bytes):
                    events[-1] += bytes(event.data)
                else:
                    events.append(bytes(event.data))
            else:
                events.append(event)
    return events


@given(TRAFFIC)
def test_garbage_gives_one_error_type_or_nothing(data: bytes) -> None:
    events_of([data])


@given(data=TRAFFIC, cuts=st.lists(st.integers(0, 1000), max_size=6))
def test_any_way_of_cutting_gives_the_same_requests(data: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    pieces = [data[start:end] for start, end in pairwise(edges) if start < end]
    whole, cut = events_of([data]), events_of(pieces)
    assert [event for event in whole if not isinstance(event, tuple)] == [
        event for event in cut if not isinstance(event, tuple)
    ]


@given(TRAFFIC)
def test_no_request_comes_of_a_head_that_can_be_read_in_two_ways(data: bytes) -> None:
    requests = [event for event in events_of([data]) if isinstance(event, h11.Request)]
    for request in requests:
        names = [name for name, _ in request.headers]
        assert not {b"content-length", b"transfer-encoding"} <= set(names)
        assert names.count(b"content-length") <= 1


@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1])
def test_the_limit_on_the_head_is_exact_also_when_it_comes_in_one_piece(size: int) -> None:
    start, end = b"GET / HTTP/1.1\r\nHost: a\r\nX: ", b"\r\n\r\n"
    (event,) = events_of([start + b"y" * (size - len(start) - len(end)) + end])[:1]
    if size > LIMIT:
        assert event == ("refused", 431)
    else:
        assert isinstance(event, h11.Request)


def test_a_second_request_waits_for_the_first_to_be_answered() -> None:
    connection = StrictConnection(LIMIT)
    connection.receive_data(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
    assert connection.next_event().target == b"/1"
    assert isinstance(connection.next_event(), h11.EndOfMessage)
    assert connection.next_event() is h11.NEED_DATA
    connection.send(h11.Response(status_code=204, headers=[]))
    connection.send(h11.EndOfMessage())
    connection.start_next_cycle()
    assert connection.next_event().target == b"/2"


def test_headers_with_similar_names_are_not_mistaken() -> None:
    check_head(
        b"GET / HTTP/1.1\r\nHost: a\r\nX-Content-Length: 1\r\nContent-Length: 3\r\nX: Transfer-Encoding: y\r\n\r\n"
    )
