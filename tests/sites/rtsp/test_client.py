"""The conversation with a camera: what is asked when, and what is made of the answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sites.rtsp.errors import (
    BadCredentials,
    BadMessage,
    Ended,
    NoAnswer,
    Redirected,
    Refused,
    RtspError,
    Unsupported,
)
from appliance.sites.rtsp.events import Capable, Playing, TcpRefused, TornDown, TrackReady, TrackRefused
from appliance.sites.rtsp.messages import Packets
from appliance.sites.rtsp.oddities import Oddity
from tests.reference.packets import interleaved
from tests.sites.rtsp.talk import AUDIO, VIDEO, Talk, response

OVER_TCP = {"Session": "7;timeout=60", "Transport": "RTP/AVP/TCP;unicast;interleaved=0-1"}


def playing(**options) -> Talk:
    talk = Talk(**options)
    talk.play()
    return talk


def test_a_stream_is_opened_step_by_step() -> None:
    talk = Talk()
    talk.play(VIDEO, AUDIO)
    assert [(sent.method, sent.url) for sent in talk.sent] == [
        ("OPTIONS", "rtsp://192.0.2.7/live"),
        ("DESCRIBE", "rtsp://192.0.2.7/live"),
        ("SETUP", "rtsp://192.0.2.7/live/trackID=1"),
        ("SETUP", "rtsp://192.0.2.7/live/trackID=2"),
        ("PLAY", "rtsp://192.0.2.7/live"),
    ]
    assert [sent.headers["CSeq"] for sent in talk.sent] == ["1", "2", "3", "4", "5"]
    assert talk.sent[1].headers["Accept"] == "application/sdp"
    assert talk.sent[2].headers["Transport"] == "RTP/AVP/TCP;unicast;interleaved=0-1"
    assert "Session" not in talk.sent[2].headers
    assert (talk.sent[3].headers["Session"], talk.sent[3].headers["Transport"][-3:]) == ("7", "2-3")
    assert (talk.sent[4].headers["Session"], talk.sent[4].headers["Range"]) == ("7", "npt=0.000-")
    assert [type(event).__name__ for event in talk.events] == [
        "Capable", "Described", "TrackReady", "TrackReady", "Playing",
    ]  # fmt: skip
    assert talk.oddities.names == set()


def test_packets_come_between_the_messages() -> None:
    talk = playing()
    (event,) = talk.feed(interleaved(0, b"abc") + interleaved(1, b"d"))
    assert isinstance(event, Packets)


def test_requests_after_a_challenge_carry_the_proof() -> None:
    talk = Talk(username="admin", password="pass")
    talk.client.start(0.0)
    talk.answer("401 Unauthorized", {"WWW-Authenticate": 'Digest realm="r", nonce="n"'})
    assert talk.asked.method == "OPTIONS"
    assert talk.asked.headers["Authorization"].startswith("Digest ")
    assert talk.asked.headers["CSeq"] == "2"
    assert isinstance(talk.answer()[0], Capable)
    talk.describe()
    assert 'uri="rtsp://192.0.2.7/live"' in talk.sent[-1].headers["Authorization"]


def test_wrong_credentials_are_an_error_at_once() -> None:
    talk = Talk(username="admin", password="wrong")
    talk.client.start(0.0)
    talk.answer("401 Unauthorized", {"WWW-Authenticate": 'Basic realm="r"'})
    with pytest.raises(BadCredentials, match="refused"):
        talk.answer("401 Unauthorized", {"WWW-Authenticate": 'Basic realm="r"'})


def test_a_camera_that_finds_every_nonce_stale_is_left() -> None:
    talk = Talk(username="admin", password="pass")
    talk.client.start(0.0)
    challenge = {"WWW-Authenticate": 'Digest realm="r", nonce="n", stale=true'}
    talk.answer("401 Unauthorized", challenge)
    talk.answer("401 Unauthorized", challenge)
    with pytest.raises(BadCredentials, match="again and again"):
        talk.answer("401 Unauthorized", challenge)


@pytest.mark.parametrize("status", ["405 Method Not Allowed", "404 Not Found", "501 Not Implemented"])
def test_a_refused_options_does_not_matter(status) -> None:
    talk = Talk()
    talk.client.start(0.0)
    assert talk.answer(status) == [Capable(frozenset())]
    assert talk.oddities.names == {Oddity.OPTIONS_REFUSED}
    talk.describe()


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [("404 Not Found", 404, "DESCRIBE with 404 Not Found"), ("503", 503, "DESCRIBE with 503")],
)
def test_a_refusal_says_what_was_asked(status, code, says) -> None:
    talk = Talk()
    talk.start()
    talk.client.describe(0.0)
    with pytest.raises(Refused, match=says) as caught:
        talk.answer(status)
    assert (caught.value.method, caught.value.code) == ("DESCRIBE", code)


def test_a_redirection_is_an_error_with_its_target() -> None:
    talk = Talk()
    talk.start()
    talk.client.describe(0.0)
    with pytest.raises(Redirected) as caught:
        talk.answer("302 Found", {"Location": "rtsp://192.0.2.7/other"})
    assert caught.value.location == "rtsp://192.0.2.7/other"


def test_sound_that_is_refused_does_not_keep_the_picture_away() -> None:
    talk = Talk()
    talk.start()
    tracks = talk.describe(VIDEO, AUDIO).description.media
    talk.client.play(tracks, 0.0)
    talk.answer(headers=OVER_TCP)
    (refused,) = talk.answer("461 Unsupported Transport")
    assert isinstance(refused, TrackRefused)
    assert refused.media is tracks[1]
    assert talk.asked.method == "PLAY"


def test_a_refused_picture_is_an_error() -> None:
    talk = Talk()
    talk.start()
    talk.client.play(talk.describe().description.media, 0.0)
    with pytest.raises(Refused):
        talk.answer("453 Not Enough Bandwidth")


def test_tcp_that_is_refused_is_an_event_and_udp_is_tried_in_the_same_session() -> None:
    talk = Talk()
    talk.start()
    tracks = talk.describe(VIDEO, AUDIO).description.media
    talk.client.play(tracks, 0.0)
    (refused,) = talk.answer("461 Unsupported Transport")
    assert isinstance(refused, TcpRefused)
    assert refused.error.code == 461
    talk.client.play(tracks, 0.0, [(6000, 6001), (6002, 6003)])
    ready = []
    for ports in ("6000-6001", "6002-6003"):
        assert talk.asked.headers["Transport"] == f"RTP/AVP;unicast;client_port={ports}"
        ready += talk.answer(
            headers={"Session": "7", "Transport": f"RTP/AVP;unicast;client_port={ports};server_port=8-9"}
        )
    assert [(event.transport.channel, event.transport.server_ports) for event in ready] == [(0, (8, 9)), (2, (8, 9))]
    assert talk.asked.method == "PLAY"


def test_udp_that_is_refused_is_an_error() -> None:
    talk = Talk()
    talk.start()
    talk.client.play(talk.describe().description.media, 0.0, [(6000, 6001)])
    with pytest.raises(Refused):
        talk.answer("461 Unsupported Transport")


def test_a_camera_that_answers_with_udp_is_not_supported() -> None:
    talk = Talk()
    talk.start()
    talk.client.play(talk.describe().description.media, 0.0)
    with pytest.raises(Unsupported, match="UDP"):
        talk.answer(headers={"Session": "7", "Transport": "RTP/AVP;unicast;client_port=1-2;server_port=3-4"})


def test_other_channels_than_asked_for_are_taken() -> None:
    talk = Talk()
    talk.start()
    talk.client.play(talk.describe().description.media, 0.0)
    (ready,) = talk.answer(headers={"Session": "7", "Transport": "RTP/AVP/TCP;unicast;interleaved=8-9"})
    assert isinstance(ready, TrackReady)
    assert (ready.transport.channel, ready.transport.control_channel) == (8, 9)
    assert talk.oddities.names == set()


def test_two_tracks_on_one_channel_cannot_be() -> None:
    talk = Talk()
    talk.start()
    talk.client.play(talk.describe(VIDEO, AUDIO).description.media, 0.0)
    talk.answer(headers=OVER_TCP)
    with pytest.raises(BadMessage, match="same channel"):
        talk.answer(headers=OVER_TCP)


def test_a_second_session_is_not_taken() -> None:
    talk = Talk()
    talk.start()
    talk.client.play(talk.describe(VIDEO, AUDIO).description.media, 0.0)
    talk.answer(headers=OVER_TCP)
    talk.answer(headers={"Session": "8", "Transport": "RTP/AVP/TCP;unicast;interleaved=2-3"})
    assert talk.asked.headers["Session"] == "7"
    assert talk.oddities.names == {Oddity.SESSION_CHANGED}


def test_without_control_attribute_the_whole_is_set_up() -> None:
    talk = Talk()
    talk.start()
    talk.client.play(talk.describe("m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\n").description.media, 0.0)
    assert talk.asked.url == "rtsp://192.0.2.7/live"
    assert talk.oddities.names == {Oddity.CONTROL_MISSING}


def test_the_sessions_own_control_attribute_is_where_play_goes() -> None:
    talk = Talk()
    talk.start()
    talk.client.describe(0.0)
    control = "rtsp://192.0.2.7/live/?mode=unicast"
    body = f"v=0\r\na=control:{control}\r\n{VIDEO}".encode()
    (described,) = talk.answer(headers={"Content-Type": "application/sdp"}, body=body)
    talk.client.play(described.description.media, 0.0)
    talk.answer(headers=OVER_TCP)
    assert (talk.asked.method, talk.asked.url) == ("PLAY", control)


def test_a_description_that_is_none_is_an_error() -> None:
    talk = Talk()
    talk.start()
    talk.client.describe(0.0)
    with pytest.raises(BadMessage, match="not SDP"):
        talk.answer(headers={"Content-Type": "text/html"}, body=b"<html>")


def test_provisional_answers_are_waited_over() -> None:
    talk = Talk()
    talk.client.start(0.0)
    assert talk.answer("100 Continue") == []
    assert isinstance(talk.answer()[0], Capable)


def test_an_answer_nobody_waits_for_is_ignored() -> None:
    talk = playing()
    assert talk.feed(response(cseq="5")) == []
    assert talk.oddities.names == {Oddity.ANSWER_UNASKED}


# ---- time


def test_no_answer_for_five_seconds_is_an_error() -> None:
    talk = Talk()
    talk.client.start(0.0)
    assert talk.client.next_deadline() == 5.0
    talk.later(4.9)
    with pytest.raises(NoAnswer, match="does not answer OPTIONS"):
        talk.later(0.2)


def test_no_picture_for_four_and_a_half_seconds_is_an_error() -> None:
    talk = playing()
    talk.later(4.0)
    talk.client.media_heard(talk.now)
    talk.later(4.4)
    with pytest.raises(NoAnswer, match="no more pictures"):
        talk.later(0.2)


def keep_alives(talk: Talk, seconds: int, *, answer: str | None = "200 OK") -> list[tuple[float, str]]:
    """Pictures come every second; which keep-alives are sent when."""
    found = []
    for _ in range(seconds):
        talk.client.media_heard(talk.now)
        known = len(talk.sent)
        talk.later(1.0)
        _ = talk.asked
        for sent in talk.sent[known:]:
            found.append((talk.now, sent.method))
            assert sent.headers["Session"] == "7"
            if answer:
                talk.feed(response(answer, cseq=sent.headers["CSeq"]))
    _ = talk.asked
    return found


@pytest.mark.parametrize(
    ("session", "public", "expected"),
    [
        ("7;timeout=60", "GET_PARAMETER", [(30, "GET_PARAMETER"), (60, "GET_PARAMETER")]),
        ("7", "PLAY", [(30, "OPTIONS"), (60, "OPTIONS")]),
        ("7;timeout=40", "get_parameter", [(20, "GET_PARAMETER"), (40, "GET_PARAMETER"), (60, "GET_PARAMETER")]),
        ("7;timeout=3600", "GET_PARAMETER", [(60, "GET_PARAMETER")]),
    ],
)
def test_a_session_is_kept_alive_at_half_its_timeout(session, public, expected) -> None:
    talk = Talk()
    talk.play(session=session, public=public)
    assert keep_alives(talk, 61) == expected


def test_a_tiny_timeout_does_not_make_a_flood() -> None:
    talk = Talk()
    talk.play(session="7;timeout=1")
    assert len(keep_alives(talk, 10)) == 10


def test_a_refused_get_parameter_becomes_options() -> None:
    talk = playing()
    # OPTIONS follows at once; that it is refused as well does not matter while pictures come
    assert [method for _, method in keep_alives(talk, 31, answer="501 No")] == ["GET_PARAMETER", "OPTIONS"]
    assert talk.oddities.names == {Oddity.KEEP_ALIVE_REFUSED}
    assert [method for _, method in keep_alives(talk, 30)] == ["OPTIONS"]


def test_an_unanswered_keep_alive_does_not_end_what_flows() -> None:
    talk = playing()
    assert [method for _, method in keep_alives(talk, 91, answer=None)] == ["GET_PARAMETER"] * 3
    assert talk.oddities.names == {Oddity.KEEP_ALIVE_UNANSWERED}
    first = next(sent for sent in talk.sent if sent.method == "GET_PARAMETER")
    talk.feed(response(cseq=first.headers["CSeq"]))  # at last
    assert talk.oddities.names == {Oddity.KEEP_ALIVE_UNANSWERED}


def test_a_session_the_camera_forgot_is_over() -> None:
    talk = playing()
    with pytest.raises(Ended):
        keep_alives(talk, 31, answer="454 Session Not Found")


# ---- the end


def test_teardown_ends_the_session() -> None:
    talk = playing()
    talk.client.tear_down(1.0)
    assert (talk.asked.method, talk.asked.headers["Session"]) == ("TEARDOWN", "7")
    assert talk.answer("454 Session Not Found") == [TornDown()]


def test_without_a_session_there_is_nothing_to_tear_down() -> None:
    talk = Talk()
    talk.start()
    talk.client.tear_down(1.0)
    assert talk.feed(b"") == [TornDown()]
    assert talk.methods == ["OPTIONS"]


def test_the_answer_to_what_was_asked_before_is_not_that_to_teardown() -> None:
    talk = Talk()
    talk.start()
    talk.client.play(talk.describe().description.media, 0.0)
    talk.answer(headers=OVER_TCP)
    play = talk.asked
    talk.client.tear_down(1.0)
    assert talk.feed(response(cseq=play.headers["CSeq"])) == []
    assert talk.answer() == [TornDown()]


def test_goodbye_ends_the_stream_unless_it_goes_on() -> None:
    talk = playing()
    talk.client.media_heard(1.0)
    talk.client.goodbye_heard(1.0)
    talk.client.media_heard(1.5)
    assert talk.oddities.names == {Oddity.GOODBYE_UNMEANT}
    talk.client.goodbye_heard(2.0)
    talk.now = 2.9
    talk.later(0.0)
    with pytest.raises(Ended, match="ended the stream"):
        talk.later(0.2)


@pytest.mark.parametrize(
    ("request_", "status"),
    [("OPTIONS", "200 OK"), ("GET_PARAMETER", "200 OK"), ("SET_PARAMETER", "200 OK"), ("ANNOUNCE", "501 Not Impl")],
)
def test_what_the_camera_asks_is_answered(request_, status) -> None:
    talk = playing()
    talk.client.data_to_send()
    assert talk.feed(f"{request_} rtsp://192.0.2.7/live RTSP/1.0\r\nCSeq: 77\r\n\r\n".encode()) == []
    answer = talk.client.data_to_send()
    assert answer.startswith(f"RTSP/1.0 {status}".encode())
    assert b"\r\nCSeq: 77\r\n" in answer


def test_the_camera_may_end_or_redirect_by_itself() -> None:
    with pytest.raises(Ended):
        playing().feed(b"TEARDOWN * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
    with pytest.raises(Redirected):
        playing().feed(b"REDIRECT * RTSP/1.0\r\nCSeq: 1\r\nLocation: rtsp://x/\r\n\r\n")


def test_a_camera_that_only_asks_is_left() -> None:
    talk = playing()

    def ask() -> None:  # and read none of the answers
        for _ in range(20):
            talk.feed(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n" * 100)

    with pytest.raises(BadMessage, match="asks more"):
        ask()


# ---- anything

ANSWERS = st.sampled_from(
    [
        ("200 OK", {"Public": "OPTIONS, GET_PARAMETER"}),
        ("200 OK", {"Session": "7;timeout=2", "Transport": "RTP/AVP/TCP;unicast;interleaved=0-1"}),
        ("200 OK", {"Session": "7", "Transport": "RTP/AVP;client_port=1-2"}),
        ("200 OK", {"Content-Type": "application/sdp", "body": VIDEO + AUDIO}),
        ("200 OK", {"Content-Type": "application/sdp", "body": "v=0"}),
        ("401 Unauthorized", {"WWW-Authenticate": 'Digest realm="r", nonce="n", stale=true'}),
        ("302 Found", {"Location": "rtsp://evil/"}),
        ("454 Session Not Found", {}),
        ("100 Continue", {}),
        ("200", {"Session": "a\tb", "RTP-Info": "url=;;rtptime=x"}),
    ]
)
STEPS = st.lists(st.tuples(ANSWERS, st.sampled_from(["right", "wrong", None]), st.sampled_from([0, 0, 1, 4, 31])))


@given(STEPS, st.lists(st.sampled_from(["start", "describe", "play", "tear_down"]), max_size=4))
def test_whatever_is_answered_only_the_one_error_comes_out(steps, calls) -> None:
    talk = Talk(username="u", password="p")
    calls = iter(["start", *calls])
    media: list = []
    try:
        for (status, headers), cseq, seconds in steps:
            call = next(calls, None)
            if call == "play":
                if media:
                    talk.client.play(media, talk.now)
            elif call is not None:
                getattr(talk.client, call)(talk.now)
            number = {"right": talk.asked.headers["CSeq"], "wrong": "99", None: None}[cseq]
            fields = {name: value for name, value in headers.items() if name != "body"}
            for event in talk.feed(response(status, fields, headers.get("body", "").encode(), number)):
                media = list(getattr(getattr(event, "description", None), "media", media))
                assert not isinstance(event, Playing) or "PLAY" in talk.methods
            talk.later(seconds)
    except RtspError as error:
        assert error.message  # noqa: PT017  (any of them may come, or none)


def test_messages_that_lead_to_nothing_are_taken_for_so_long() -> None:
    talk = playing()
    question = b"OPTIONS * RTSP/1.0\r\nCSeq: 9\r\n\r\n"
    for _ in range(3):
        assert talk.feed(question * 20 + response("100 Continue") * 20) == []
        assert len(talk.client.data_to_send().split(b"\r\n\r\n")) == 21
    with pytest.raises(BadMessage, match="lead to nothing"):
        talk.feed(response(cseq="77") * 200)


def test_packets_are_given_out_some_at_a_time() -> None:
    talk = playing()
    events = talk.feed(interleaved(0, b"x") * 300)
    assert [len(event.spans) for event in events if isinstance(event, Packets)] == [128, 128, 44]
