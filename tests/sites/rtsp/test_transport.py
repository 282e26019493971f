"""The headers of SETUP and PLAY are read, and what cannot be is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sites.rtsp.errors import BadMessage, RtspError, Unsupported
from appliance.sites.rtsp.oddities import Oddities
from appliance.sites.rtsp.transport import (
    RtpInfo,
    Session,
    Transport,
    ask_for,
    parse_rtp_info,
    parse_session,
    parse_transport,
)


@pytest.mark.parametrize(
    ("text", "transport"),
    [
        ("RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=30A98EE7", Transport(0, 1, 0x30A98EE7)),
        ('RTP/AVP/TCP;unicast;interleaved=4-9;ssrc=4cacc3d1;mode="play"', Transport(4, 9, 0x4CACC3D1)),
        ("rtp/avp/tcp; unicast; interleaved=6", Transport(6, 7)),
        ("RTP/AVP;unicast;interleaved=2-3", Transport(2, 3)),
        ("RTP/AVP/TCP;unicast;interleaved=2-3,RTP/AVP;unicast;client_port=1-2", Transport(2, 3)),
        ("RTP/AVP/TCP;unicast;interleaved=255", Transport(255, 0)),
    ],
)
def test_channels_are_those_the_camera_gives(text, transport) -> None:
    oddities = Oddities()
    assert parse_transport(text, 2, oddities) == transport
    assert oddities.names == set()


def test_what_we_ask_for_is_one_connection() -> None:
    assert ask_for(4) == "RTP/AVP/TCP;unicast;interleaved=4-5"


@pytest.mark.parametrize("text", ["RTP/AVP;unicast;client_port=1-2;server_port=3-4", "RTP/AVP/UDP;multicast", ";", "x"])
def test_a_transport_outside_of_the_connection_is_not_supported(text) -> None:
    with pytest.raises(Unsupported, match="UDP"):
        parse_transport(text, 0, Oddities())


@pytest.mark.parametrize("channels", ["", "-", "x", "0-0", "256-257", "1-2-3", "-1", "1-", "1-x"])
def test_channels_that_cannot_be_are_refused(channels) -> None:
    with pytest.raises(BadMessage):
        parse_transport(f"RTP/AVP/TCP;unicast;interleaved={channels}", 0, Oddities())


@pytest.mark.parametrize(
    ("text", "session"),
    [
        ("12345678", Session("12345678", None)),
        ("708345999;timeout=60", Session("708345999", 60)),
        ("a;x=y;Timeout=5", Session("a", 5)),
    ],
)
def test_sessions_have_a_name_and_perhaps_a_timeout(text, session) -> None:
    oddities = Oddities()
    assert parse_session(text, oddities) == session
    assert oddities.names == set()


@pytest.mark.parametrize("text", ["", ";timeout=60", "x" * 257])
def test_a_session_without_a_name_is_refused(text) -> None:
    with pytest.raises(BadMessage):
        parse_session(text, Oddities())


def test_rtp_info_tells_of_each_track() -> None:
    text = 'url=trackID=0;seq=47121;rtptime=3475222385,url="rtsp://a/b;c=1,2";rtptime=1,url=x;seq=5'
    assert parse_rtp_info(text, Oddities()) == [
        RtpInfo("trackID=0", 47121, 3475222385),
        RtpInfo("rtsp://a/b;c=1,2", None, 1),
        RtpInfo("x", 5, None),
    ]
    assert parse_rtp_info(None, Oddities()) == []


@given(st.text(alphabet='RTP/AVC;,=-"interlavdssrcuncm0123456789 ', max_size=60) | st.text())
def test_any_header_gives_its_parts_or_the_one_error(text: str) -> None:
    parse_rtp_info(text, Oddities())
    for parse in (lambda: parse_transport(text, 0, Oddities()), lambda: parse_session(text, Oddities())):
        try:
            found = parse()
        except RtspError:
            continue
        if isinstance(found, Transport):
            assert 0 <= found.channel <= 255
            assert 0 <= found.control_channel <= 255
            assert found.channel != found.control_channel
