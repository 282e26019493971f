"""Bytes become messages and packets, in whatever pieces they come, and never more than the limits allow."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sites.rtsp.errors import BadMessage
from appliance.sites.rtsp.messages import (
    Decoder,
    Headers,
    Packets,
    Request,
    Response,
    encode_request,
    encode_response,
)
from appliance.sites.rtsp.oddities import Oddities
from tests.reference.packets import interleaved


def decode(*chunks: bytes, **limits):
    decoder = Decoder(Oddities(), **limits)
    found = []
    for chunk in chunks:
        decoder.receive_data(chunk)
        while (event := decoder.next_event()) is not None:
            if isinstance(event, Packets):
                found += [("packet", channel, bytes(event.data[start:end])) for channel, start, end in event.spans]
            elif isinstance(event, Response):
                found.append(("response", event.code, event.reason, event.headers.get_all("CSeq"), event.body))
            else:
                found.append(("request", event.method, event.url, event.headers.get_all("CSeq"), event.body))
    return found


OK = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (OK, [("response", 200, "OK", ["1"], b"")]),
        (b"RTSP/1.0 404 Not Found\r\nCSEQ:2 \r\n\r\n", [("response", 404, "Not Found", ["2"], b"")]),
        (b"RTSP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc" + OK,
         [("response", 200, "OK", [], b"abc"), ("response", 200, "OK", ["1"], b"")]),
        (b"OPTIONS * RTSP/1.0\r\nCSeq: 9\r\n\r\n", [("request", "OPTIONS", "*", ["9"], b"")]),
        (interleaved(1, b"ab") + OK + interleaved(0, b"") + b"\r\n" + interleaved(0, b"") + interleaved(0, b"c"),
         [("packet", 1, b"ab"), ("response", 200, "OK", ["1"], b""), ("packet", 0, b"c")]),
        (b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n 2\r\nX:\r\n\ty\r\n\r\n", [("response", 200, "OK", ["1 2"], b"")]),
    ],
)  # fmt: skip
def test_messages_and_packets_come_in_order(data, found) -> None:
    assert decode(data) == found


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\x16\x03\x01", "0x16"),
        (b"hello", "0x68"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "neither"),
        (b"RTSP/1.0\r\n\r\n", "status"),
        (b"RTSP/x 200 OK\r\n\r\n", "status"),
        (b"RTSP/1.0 99 Low\r\n\r\n", "99"),
        (b"RTSP/1.0 two OK\r\n\r\n", "two"),
        (b"RTSP/1.0 200 OK\r\n: x\r\n\r\n", "without a name"),
        (b"RTSP/1.0 200 OK\r\nno colon\r\n\r\n", "without a name"),
        (b"RTSP/1.0 200 OK\r\n  x: y\r\n\r\n", "rest of another"),
        (b"RTSP/1.0 200 OK\r\nx: a\0b\r\n\r\n", "control character"),
        (b"RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n", "length"),
        (b"RTSP/1.0 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "length"),
        (b"RTSP/1.0 200 OK\r\nContent-Length: 65537\r\n\r\n", "65537"),
        (b"RTSP/1.0 200 OK\r\n" + b"a: b\r\n" * 101 + b"\r\n", "100"),
        (b"RTSP/1.0 200 OK\r\nx: " + b"y" * 17_000, "16384"),
        (b"RTSP/1.0 200 OK\r\nx: " + b"y" * 17_000 + b"\r\n\r\n", "16384"),
    ],
)
def test_what_is_no_rtsp_says_what_is_wrong_with_it(data, says) -> None:
    with pytest.raises(BadMessage, match=says):
        decode(data)


def test_a_header_that_never_ends_is_cut_off_at_the_limit() -> None:
    decoder = Decoder(Oddities())
    decoder.receive_data(b"RTSP/1.0 200 OK\r\n")

    def take(count: int) -> None:
        for _ in range(count):
            decoder.receive_data(b"x: y\r\n")
            assert decoder.next_event() is None

    take(2700)
    with pytest.raises(BadMessage, match="16384"):
        take(100)


def test_a_body_is_refused_before_it_is_waited_for() -> None:
    with pytest.raises(BadMessage, match="limit"):
        decode(b"RTSP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n", body_limit=8)


def test_messages_do_not_show_their_headers_values() -> None:
    assert "secret" not in repr(Headers([("WWW-Authenticate", "secret")]))
    assert "secret" not in repr(Request("OPTIONS", "secret", Headers([("X", "secret")]), b"secret"))


@pytest.mark.parametrize("bad", ["a\r\nb", "a\nb", "a\0"])
def test_nothing_breaks_out_of_a_line_we_send(bad) -> None:
    for encode in (
        lambda: encode_request("SETUP", bad, []),
        lambda: encode_request("SETUP", "rtsp://cam/", [("Session", bad)]),
        lambda: encode_response(200, "OK", [("CSeq", bad)]),
    ):
        with pytest.raises(BadMessage):
            encode()


MESSAGES = st.sampled_from(
    [
        OK,
        b"RTSP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n$\0\0\1z",
        b"\r\n\r\nOPTIONS * RTSP/1.0\nCSeq: 2\n\n",
        b"RTSP/1.0 401 Unauthorized\r\nX: y\r\n z\r\n\r\n",
    ]
) | st.builds(interleaved, st.integers(0, 255), st.binary(max_size=30))


@given(st.lists(MESSAGES, max_size=8).map(b"".join), st.lists(st.integers(0, 200), max_size=12))
def test_any_cutting_gives_the_same_events(data: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    assert decode(*[data[a:b] for a, b in pairwise(edges)]) == decode(data)
    assert decode(*[data[n : n + 1] for n in range(len(data))]) == decode(data)


@given(st.lists(MESSAGES | st.binary(max_size=40), max_size=6).map(b"".join))
def test_any_bytes_give_events_or_the_one_error(data: bytes) -> None:
    with suppress(BadMessage):
        decode(data)
