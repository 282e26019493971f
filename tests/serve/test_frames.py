"""Our frames as another implementation reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto import ConnectionType
from wsproto.connection import Connection
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage

from appliance.serve.frames import Opcode, close_frame, frame_header, text_frame

LENGTHS = st.one_of(st.integers(0, 300), st.sampled_from([125, 126, 127, 65_535, 65_536, 65_537, 200_000]))


def read(data: bytes) -> list[object]:
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(data)
    return list(client.events())


@given(st.lists(LENGTHS, max_size=4))
def test_binary_messages_are_read_whole_and_in_order(lengths: list[int]) -> None:
    events = read(b"".join(frame_header(length) + bytes(length) for length in lengths))
    assert [len(event.data) for event in events if isinstance(event, BytesMessage)] == lengths
    assert all(isinstance(event, BytesMessage) and event.message_finished for event in events)


@given(st.text(max_size=400))
def test_texts_are_read_as_they_were(text: str) -> None:
    (event,) = read(text_frame(text))
    assert isinstance(event, TextMessage)
    assert event.data == text


@given(st.binary(max_size=125))
def test_control_frames_are_read(payload: bytes) -> None:
    (event,) = read(frame_header(len(payload), Opcode.PING) + payload)
    assert isinstance(event, Ping)
    assert bytes(event.payload) == payload


@given(
    code=st.one_of(st.integers(1000, 1003), st.integers(1007, 1013), st.integers(3000, 4999)),
    reason=st.text(max_size=200),
)
def test_a_close_carries_its_code_and_as_much_of_the_reason_as_fits(code: int, reason: str) -> None:
    frame = close_frame(code, reason)
    assert len(frame) <= 2 + 125
    (event,) = read(frame)
    assert isinstance(event, CloseConnection)
    assert event.code == code
    assert reason.startswith(event.reason or "")
    if len(reason.encode()) <= 123:
        assert (event.reason or "") == reason


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 2000, 5000])
def test_codes_that_may_not_be_sent_are_refused(code: int) -> None:
    with pytest.raises(ValueError, match="may not be sent"):
        close_frame(code)


def test_the_header_of_a_huge_frame_is_ten_bytes() -> None:
    assert frame_header(1 << 33) == b"\x82\x7f" + (1 << 33).to_bytes(8, "big")
