"""What real devices answered: usable, or the error that says what they send instead."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.sites.rtsp.codecs import Plan, choose
from appliance.sites.rtsp.errors import RtspError, Unsupported, UnsupportedCodec
from appliance.sites.rtsp.events import Capable, Described, Playing, TrackReady
from appliance.sites.rtsp.oddities import Oddity
from appliance.sites.rtsp.sdp import parse_sdp
from tests.sites.rtsp.captures import FOLDER
from tests.sites.rtsp.talk import Talk


@dataclass(frozen=True)
class Description:
    """What a description has to come to."""

    typed: str
    control: str = ""  # of the picture, as it is asked for
    width: int = 0
    sound: int | None = None  # Hz
    note: str = ""
    oddities: frozenset[Oddity] = frozenset()
    error: str = ""


def odd(*oddities: Oddity) -> frozenset[Oddity]:
    return frozenset(oddities)


DESCRIPTIONS = {
    "anjvision_describe": Description(
        "rtsp://192.168.1.10/stream0", "rtsp://192.168.1.10/stream0/trackID=1", 1280,
        oddities=odd(Oddity.CONTENT_BASE_WITHOUT_SCHEME),
    ),
    "anpviz_sdp": Description(
        "rtsp://cam/x", "rtsp://cam/x/trackID=1", 704, 16_000,
        oddities=odd(Oddity.STATIC_PAYLOAD_TYPE_REMAPPED, Oddity.AAC_LENGTHS_MISSING),
    ),
    "bunny_describe": Description(
        "rtsp://wowzaec2demo.streamlock.net/vod/mp4:BigBuckBunny_115k.mov",
        "rtsp://wowzaec2demo.streamlock.net/vod/mp4:BigBuckBunny_115k.mov/trackID=2", 240, 12_000,
    ),
    "dahua_describe_h264_aac_onvif": Description(
        "rtsp://192.168.5.111/cam/realmonitor?channel=1&subtype=1&unicast=true&proto=Onvif",
        "rtsp://192.168.5.111/cam/realmonitor?channel=1&subtype=1&unicast=true&proto=Onvif/trackID=0", 704, 48_000,
        note="application: VND.ONVIF.METADATA is not used", oddities=odd(Oddity.PARAMETER_SET_TRAILING_ZEROS),
    ),
    "dahua_describe_h265_pcma": Description(
        "rtsp://cam-driveway/cam/realmonitor?channel=1&subtype=2",
        "rtsp://cam-driveway/cam/realmonitor?channel=1&subtype=2/trackID=0", 704, 8000,
    ),
    "foscam_describe": Description(
        "rtsp://192.168.5.107:65534/videoMain", "rtsp://192.168.5.107:65534/videoMain/track1", 1280, 8000,
    ),
    "geovision_sdp": Description(
        "rtsp://192.168.5.237/media/video1", "rtsp://192.168.5.237/media/video1/video", 2688,
        note="application: VND.ONVIF.METADATA is not used",
    ),
    "h264dvr_describe": Description(
        "rtsp://192.168.168.100/camera", "rtsp://192.168.168.100/camera/trackID=3", 1920, 8000,
        oddities=odd(Oddity.INNER_ADDRESS, Oddity.SDP_TRAILING_SPACE, Oddity.FRAMERATE_UNREADABLE),
    ),
    "hikvision_describe": Description(
        "rtsp://192.168.5.106/Streaming/Channels/101",
        "rtsp://192.168.5.106/Streaming/Channels/101/trackID=1?transportmode=unicast&profile=Profile_1", 1920,
        note="application: VND.ONVIF.METADATA is not used",
    ),
    "ipcam_describe": Description(
        "rtsp://192.168.1.67/", "rtsp://192.168.1.67/trackID=1", 1280,
        oddities=odd(Oddity.SDP_TRAILING_SPACE, Oddity.FRAMERATE_UNREADABLE),
    ),
    "missing_content_type_describe": Description(
        "rtsp://192.168.1.101/", "rtsp://192.168.1.101/streamid=0", 320, 48_000,
        oddities=odd(Oddity.CONTENT_TYPE_MISSING),
    ),
}  # fmt: skip

SETUPS = {
    "bunny_setup": ("1642021126", frozenset()),
    "dahua_setup": ("634214675641", frozenset()),
    "hikvision_setup": ("708345999", frozenset()),
    "hikvision_setup_ssrc_space": ("708886412", odd(Oddity.SSRC_SPACE)),
    "luckfox_rkipc_setup_tcp": ("12345678", odd(Oddity.UNICAST_MISSING)),
}
UDP_SETUPS = ["h264dvr_setup_audio", "h264dvr_setup_video", "luckfox_rkipc_setup_udp"]
PLAYS = {
    "bad_rtptime": ([(1, None), (1, None)], odd(Oddity.RTP_INFO_UNREADABLE)),
    "bunny_play": ([(1, 0), (1, 0)], frozenset()),
    "dahua_play": ([(47121, 3475222385), (45186, 2234446919), (36583, 816418535)], frozenset()),
    "h264dvr_play": ([], frozenset()),
    "hikvision_play": ([(24104, 1270711678)], frozenset()),
}
OPTIONS = {"dahua_options": "GET_PARAMETER"}
KNOWN = {*DESCRIPTIONS, *SETUPS, *UDP_SETUPS, *PLAYS, *OPTIONS}


def capture(name: str) -> bytes:
    return (FOLDER / f"{name}.txt").read_bytes()


def reply(talk: Talk, name: str):
    """The capture, as the answer to our last request: only its number is ours."""
    number = talk.asked.headers["CSeq"].encode()
    return talk.feed(re.sub(rb"(?im)^(cseq: *)\d+", rb"\g<1>" + number, capture(name), count=1))


def described(talk: Talk, name: str) -> Plan:
    talk.start()
    talk.client.describe(0.0)
    if capture(name).startswith(b"v="):
        (event,) = talk.answer(headers={"Content-Type": "application/sdp"}, body=capture(name))
    else:
        (event,) = reply(talk, name)
    assert isinstance(event, Described)
    return choose(event.description, talk.oddities, audio=True)


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_descriptions_give_streams_or_say_what_they_give_instead(name: str) -> None:
    expected = DESCRIPTIONS[name]
    talk = Talk(expected.typed)
    if expected.error:
        with pytest.raises(UnsupportedCodec, match=expected.error):
            described(talk, name)
    else:
        plan = described(talk, name)
        assert plan.video.format is not None
        assert plan.video.format.width == expected.width
        assert (plan.audio.format.sample_rate if plan.audio else None) == expected.sound
        assert " ".join(plan.notes) == expected.note
        talk.client.play([plan.video.media], 0.0)
        assert talk.asked.url == expected.control
    assert talk.oddities.names == expected.oddities


def ready_to_set_up(session: str | None = None) -> Talk:
    talk = Talk()
    talk.start()
    talk.client.play(talk.describe().description.media, 0.0)
    if session is not None:
        talk.answer(headers={"Session": session, "Transport": "RTP/AVP/TCP;unicast;interleaved=0-1"})
    return talk


@pytest.mark.parametrize("name", SETUPS)
def test_setups_give_channels_and_a_session(name: str) -> None:
    session, oddities = SETUPS[name]
    talk = ready_to_set_up()
    (ready,) = reply(talk, name)
    assert isinstance(ready, TrackReady)
    assert (ready.transport.channel, ready.transport.control_channel) == (0, 1)
    assert talk.asked.headers["Session"] == session
    assert talk.oddities.names == oddities


@pytest.mark.parametrize("name", UDP_SETUPS)
def test_setups_over_udp_are_named_as_what_they_are(name: str) -> None:
    with pytest.raises(Unsupported, match="UDP"):
        reply(ready_to_set_up(), name)


@pytest.mark.parametrize("name", PLAYS)
def test_plays_begin(name: str) -> None:
    numbers, oddities = PLAYS[name]
    talk = ready_to_set_up("7")
    (playing,) = reply(talk, name)
    assert isinstance(playing, Playing)
    assert [(each.sequence, each.rtp_time) for each in playing.rtp_info] == numbers
    assert talk.oddities.names == oddities


@pytest.mark.parametrize("name", OPTIONS)
def test_options_tell_the_methods(name: str) -> None:
    talk = Talk()
    talk.client.start(0.0)
    (capable,) = reply(talk, name)
    assert isinstance(capable, Capable)
    assert OPTIONS[name] in capable.methods


def test_every_capture_is_known_here() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == KNOWN


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_a_capture_with_any_one_byte_gone_gives_something_or_the_one_error(path: Path) -> None:
    data = path.read_bytes()
    for at in range(0, len(data), 7):
        talk = Talk("rtsp://192.168.1.10/stream0")
        talk.client.describe(0.0)
        broken = data[:at] + data[at + 1 :]
        try:
            if broken.startswith(b"v="):
                choose(parse_sdp(broken, talk.oddities), talk.oddities, audio=True)
            for event in talk.feed(broken):
                choose(event.description, talk.oddities, audio=True)
        except RtspError as error:
            assert error.message  # noqa: PT017  (either may come)
