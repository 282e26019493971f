"""Descriptions are read as cameras write them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sites.rtsp.errors import BadMessage
from appliance.sites.rtsp.oddities import Oddities
from appliance.sites.rtsp.sdp import parse_sdp
from tests.sites.rtsp.talk import AUDIO, PCMU, VIDEO, sdp


def parse(text: bytes | str):
    return parse_sdp(text.encode() if isinstance(text, str) else text, Oddities())


def test_media_their_codecs_and_controls_are_read() -> None:
    description = parse(sdp(VIDEO, AUDIO))
    video, audio = description.media
    assert (description.control, video.kind, video.control) == ("*", "video", "trackID=1")
    (form,) = video.formats
    assert (form.payload_type, form.encoding, form.clock_rate, form.channels) == (96, "H264", 90_000, None)
    assert form.parameters["sprop-parameter-sets"].endswith("aO88gA==")
    (form,) = audio.formats
    assert (form.encoding, form.clock_rate, form.channels, form.parameters["mode"]) == (
        "MPEG4-GENERIC", 16_000, 1, "AAC-hbr",
    )  # fmt: skip


def test_fixed_payload_types_need_no_rtpmap() -> None:
    (media,) = parse(PCMU).media
    assert (media.formats[0].encoding, media.formats[0].clock_rate) == ("PCMU", 8000)


def test_several_formats_keep_the_cameras_order() -> None:
    (media,) = parse("m=video 0 RTP/AVP 97 96 300 x\na=rtpmap:96 H264/90000\na=rtpmap:97 H265/90000\n").media
    assert [form.encoding for form in media.formats] == ["H265", "H264"]


def test_the_sessions_direction_holds_where_a_medium_has_none() -> None:
    media = parse("a=recvonly\nm=video 0 RTP/AVP 96\nm=audio 0 RTP/AVP 0\na=sendonly\n").media
    assert [each.direction for each in media] == ["recvonly", "sendonly"]
    assert parse("m=video 0 RTP/AVP 96\n").media[0].direction == "sendrecv"


@pytest.mark.parametrize(("text", "rate"), [("25", 25.0), ("12.5", 12.5), ("0", None), ("x", None), ("1e9", None)])
def test_framerates_are_numbers_or_nothing(text, rate) -> None:
    assert parse(f"m=video 0 RTP/AVP 96\na=framerate:{text}\n").media[0].framerate == rate


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no media"),
        ("v=0\r\n", "no media"),
        ("m=video\r\n", "without a form"),
        ("m=video 0 RTP/AVP 96\n" * 33, "32 media"),
        ("a=x\n" * 1001 + "m=video 0 RTP/AVP 96\n", "1000"),
    ],
)
def test_what_announces_nothing_or_too_much_is_refused(text, says) -> None:
    with pytest.raises(BadMessage, match=says):
        parse(text)


LINES = st.sampled_from(
    [*VIDEO.split("\r\n"), *AUDIO.split("\r\n"), "a=rtpmap:96 ", "a=rtpmap:x H264", "a=fmtp:96 =;a=;=b",
     "m=audio 0 x 0",
     "a=framerate:", "a=control", "m=", "=", "\0\0", "a=rtpmap:0 L16/99999999999999999999/7"]
)  # fmt: skip


@given(st.lists(LINES | st.text(max_size=20), max_size=12).map("\r\n".join).map(str.encode) | st.binary(max_size=200))
def test_any_bytes_give_a_description_or_the_one_error(data: bytes) -> None:
    with suppress(BadMessage):
        assert parse(data).media
