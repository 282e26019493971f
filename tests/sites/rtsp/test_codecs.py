"""Of what a camera announces the right thing is taken, and the rest is said in words."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sites.rtsp.codecs import JpegPlan, Mpeg4Plan, choose
from appliance.sites.rtsp.errors import RtspError, UnsupportedCodec
from appliance.sites.rtsp.oddities import Oddities, Oddity
from appliance.sites.rtsp.sdp import parse_sdp
from tests.sites.rtsp.talk import (
    AUDIO,
    AV1,
    H265,
    H265_SETS,
    H265_WITHOUT_SETS,
    MJPEG,
    MPEG4,
    PCMU,
    PPS,
    SPS,
    VIDEO,
    VIDEO_WITHOUT_SETS,
    sdp,
)

METADATA = "m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\n"
H263 = "m=video 0 RTP/AVP 34\r\n"


def plan(*media: str, audio: bool = True):
    return choose(parse_sdp(sdp(*media), Oddities()), Oddities(), audio=audio)


def test_h264_and_aac_are_taken_with_their_formats() -> None:
    found = plan(VIDEO, AUDIO, METADATA)
    assert found.video.format is not None
    assert (found.video.format.width, found.video.format.height) == (1280, 720)
    assert found.video.parameter_sets == (SPS, PPS)
    assert found.audio is not None
    assert (found.audio.format.sample_rate, found.audio.clock_rate, found.audio.lengths) == (16_000, 16_000, (13, 3, 3))
    assert found.notes == ("application: VND.ONVIF.METADATA is not used",)


def test_h265_is_taken_with_its_format() -> None:
    found = plan(H265, PCMU)
    assert found.video.format is not None
    assert (found.video.format.width, found.video.format.codec_string) == (704, "hvc1.1.6.L90.B0")
    assert (found.video.family.name, found.video.parameter_sets) == ("h265", H265_SETS)
    assert plan(H265.replace("profile-id=1", "sprop-max-don-diff=0")).video.format == found.video.format
    assert plan(H265_WITHOUT_SETS).video.format is None


def test_of_two_videos_the_first_is_taken() -> None:
    assert plan(H265, VIDEO).video.family.name == "h265"
    assert plan(VIDEO, H265).video.family.name == "h264"


def test_without_sound_wanted_there_is_none_and_no_word_about_it() -> None:
    found = plan(VIDEO, AUDIO, audio=False)
    assert found.audio is None
    assert found.notes == ()


def test_parameter_sets_may_come_later() -> None:
    found = plan(VIDEO_WITHOUT_SETS)
    assert (found.video.format, found.video.parameter_sets) == (None, ())


@pytest.mark.parametrize(
    ("media", "said"),
    [
        (PCMU, ("pcmu", 8000, 1)),
        ("m=audio 0 RTP/AVP 8\n", ("pcma", 8000, 1)),
        ("m=audio 0 RTP/AVP 97\na=rtpmap:97 PCMA/16000/2\n", ("pcma", 16_000, 2)),
    ],
)
def test_g711_is_taken_to_be_made_into_aac(media, said) -> None:
    found = plan(VIDEO, media)
    assert found.notes == ()
    assert (found.audio.format.codec, found.audio.clock_rate, found.audio.format.channels) == said
    assert found.audio.format.sample_rate == said[1]
    assert not found.audio.format.is_played


@pytest.mark.parametrize(
    ("media", "note"),
    [
        (
            "m=audio 0 RTP/AVP 97\na=rtpmap:97 PCMA/96000\n",
            "audio: G.711 A-law of 96000 Hz in 1 channels is not played",
        ),
        (
            "m=audio 0 RTP/AVP 97\na=rtpmap:97 PCMU/8000/3\n",
            "audio: G.711 µ-law of 8000 Hz in 3 channels is not played",
        ),
        ("m=audio 0 RTP/AVP 9\n", "audio: G.722 is not played yet"),
        ("m=audio 0 RTP/AVP 97\na=rtpmap:97 MP4A-LATM/16000\n", "audio: AAC (LATM) is not played yet"),
        ("m=audio 0 RTP/AVP 99\n", "audio: payload type 99 is not played yet"),
        ("m=audio 0 RTP/AVP\n", "audio: an unnamed codec is not played yet"),
        (AUDIO.replace("AAC-hbr", "CELP-cbr"), "audio: AAC in a form other than AAC-hbr is not played yet"),
        (AUDIO.replace("streamtype=5", "constantSize=9"), "audio: AAC in a form other than AAC-hbr is not played yet"),
        (AUDIO.replace("sizelength=13", "sizelength=17"), "audio: AAC with lengths that cannot be"),
        (AUDIO.replace("config=1408", "config=xyz"), "audio: AAC with a configuration that cannot be read"),
        (AUDIO.replace("config=1408", "config=0808"),
         "audio: AAC object type 1; browsers play type 2, low complexity"),
        (AV1, "video: AV1 is not played yet"),
        (MPEG4, "video: MPEG-4 is announced as well and not used"),
        (MJPEG, "video: MJPEG is announced as well and not used"),
        (VIDEO, "video: a second one is announced and not used"),
    ],
)  # fmt: skip
def test_what_is_left_lying_is_said_in_words(media, note) -> None:
    assert plan(VIDEO, media).notes == (note,)


def test_jpeg_is_taken_where_there_is_nothing_better() -> None:
    found = plan(AV1, MJPEG, AUDIO, MJPEG)
    assert isinstance(found.video, JpegPlan)
    assert (found.video.payload_type, found.video.format) == (26, None)
    assert found.audio is not None
    assert found.notes == ("video: a second one is announced and not used", "video: AV1 is not played yet")


def test_mpeg4_is_taken_before_jpeg_and_its_headers_are_read() -> None:
    found = plan(MJPEG, MPEG4, MPEG4)
    assert isinstance(found.video, Mpeg4Plan)
    assert found.video.format is not None
    assert (found.video.format.width, found.video.format.height) == (640, 360)
    assert found.notes == (
        "video: a second one is announced and not used", "video: MJPEG is announced as well and not used",
    )  # fmt: skip


@pytest.mark.parametrize("config", ["", "config=xyz", "config=000001b001", "config=" + "00" * 5000])
def test_headers_of_mpeg4_that_are_missing_or_wrong_may_come_with_the_pictures(config) -> None:
    media = f"m=video 0 RTP/AVP 96\na=rtpmap:96 MP4V-ES/90000\na=fmtp:96 {config}\n"
    assert plan(media).video.format is None


@pytest.mark.parametrize(
    ("line", "size"),
    [
        ("x-dimensions:2592,1944", (2592, 1944)),
        ("x-dimensions: 704, 576", (704, 576)),
        ("framesize:26 240-160", (240, 160)),
        ("cliprect:0,0,160,240", (240, 160)),
        ("x-dimensions:0,1944", None),
        ("x-dimensions:99999,1", None),
        ("framesize:26", None),
        ("x-dimensions:1,2,3", None),
        ("x-dimensions:9000,9000", None),  # too large to be decoded
    ],
)
def test_the_size_that_is_announced_is_that_of_the_pictures(line, size) -> None:
    found = plan(f"{MJPEG}a={line}\r\n").video.format
    assert (found and (found.width, found.height, found.codec)) == (size and (*size, "mjpeg"))


def test_a_second_sound_is_said_in_words() -> None:
    assert plan(VIDEO, AUDIO, PCMU).notes == ("audio: a second one (G.711 µ-law) is announced and not used",)


def test_the_way_back_to_the_camera_and_what_is_inactive_are_no_sources() -> None:
    found = plan(VIDEO, PCMU + "a=sendonly\r\n", H265 + "a=inactive\r\n")
    assert (found.audio, found.notes) == (None, ())


@pytest.mark.parametrize(
    ("media", "says"),
    [
        ([AV1, PCMU], "sends AV1 on this stream"),
        ([AV1, H263], r"sends AV1 and H\.263"),
        ([PCMU], "no video"),
        ([H265.replace("profile-id=1", "sprop-max-don-diff=2")], r"H\.265 in interleaved order"),
        ([H265.replace("profile-id=1", "tx-mode=MRST")], r"H\.265 in interleaved order"),
        ([VIDEO.replace("packetization-mode=1", "packetization-mode=2")], "interleaved order"),
    ],
)
def test_without_video_that_we_read_the_error_names_what_there_is(media, says) -> None:
    with pytest.raises(UnsupportedCodec, match=says):
        plan(*media)


@pytest.mark.parametrize(
    ("sets", "odd"),
    [
        ("", None),
        ("Z01AH9oBQBbsBEAAAAMAQAAABQPGDKg=", Oddity.PARAMETER_SETS_UNREADABLE),  # no PPS
        ("AAAA,aO88gA==", Oddity.PARAMETER_SETS_UNREADABLE),
        ("é", Oddity.PARAMETER_SETS_UNREADABLE),
    ],
)
def test_unusable_parameter_sets_are_waited_for_in_the_stream(sets, odd) -> None:
    text = VIDEO_WITHOUT_SETS.replace("mode=1", f"mode=1;sprop-parameter-sets={sets}")
    oddities = Oddities()
    found = choose(parse_sdp(sdp(text), Oddities()), oddities, audio=True)
    assert found.video.format is None
    assert (odd is None) or odd in oddities.names


VALUES = st.sampled_from(["13", "0", "", "x", "1408", "14", "AAC-hbr", "-1", "99999999999", "2", "Z01AH9oBQBb"])
KEYS = st.sampled_from(
    ["sizelength", "indexlength", "config", "mode", "packetization-mode", "tx-mode"]
) | st.sampled_from(["sprop-parameter-sets", "sprop-vps", "sprop-sps", "sprop-pps", "sprop-max-don-diff"])


@given(
    st.sampled_from(["H264/90000", "MPEG4-GENERIC/16000", "MPEG4-GENERIC/0/0", "H265/90000", "/"]),
    st.lists(st.tuples(KEYS, VALUES), max_size=6),
    st.sampled_from(["video", "audio"]),
)
def test_any_announcement_gives_a_plan_or_the_one_error(rtpmap, parameters, kind) -> None:
    fmtp = ";".join(f"{key}={value}" for key, value in parameters)
    text = f"m={kind} 0 RTP/AVP 96\na=rtpmap:96 {rtpmap}\na=fmtp:96 {fmtp}\n"
    with suppress(RtspError):
        plan(VIDEO, text)
    with suppress(RtspError):
        plan(text)
