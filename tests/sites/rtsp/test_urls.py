"""Addresses are kept as typed, and what a camera says of its own never leads to another host."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sites.rtsp.errors import BadMessage, RtspError
from appliance.sites.rtsp.messages import Headers
from appliance.sites.rtsp.oddities import Oddities, Oddity
from appliance.sites.rtsp.urls import BadUrl, base_url, control_url, learned_url, parse_url

TYPED = parse_url("rtsp://camera.lan/live?x=1").url


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("rtsp://10.0.0.9/Streaming/Channels/101?a=%20b&c#d", "rtsp://10.0.0.9/Streaming/Channels/101?a=%20b&c#d"),
        ("RTSP://Cam.lan:554/", "rtsp://Cam.lan/"),
        ("rtsp://cam:8554/a//b/../c", "rtsp://cam:8554/a//b/../c"),
        ("rtsp://cam", "rtsp://cam/"),
        ("rtsp://cam?channel=1", "rtsp://cam?channel=1"),
        ("rtsp://[fe80::1]:8554/x", "rtsp://[fe80::1]:8554/x"),
        ("rtsp://cam/a b/é", "rtsp://cam/a%20b/%C3%A9"),
        ("  rtsp://u:p@cam/x  ", "rtsp://cam/x"),
    ],
)
def test_an_address_is_sent_as_it_was_typed(text, kept) -> None:
    assert str(parse_url(text).url) == kept


def test_credentials_are_taken_out_and_decoded() -> None:
    parsed = parse_url("rtsp://ad%40min:p%3Aw@x@cam/live")
    assert (parsed.username, parsed.password, parsed.url.host) == ("ad@min", "p:w@x", "cam")
    assert parse_url("rtsp://admin@cam/").password is None
    assert parse_url("rtsp://cam/").username is None


@pytest.mark.parametrize(
    "text",
    [
        "", "http://cam/", "rtsp:/cam", "rtsp://", "rtsp:///x", "rtsp://:554/", "rtsp://cam:0/", "rtsp://cam:65536/",
        "rtsp://cam:x/", "rtsp://ca m/", "rtsp://cam\r\n/", "rtsp://cam/\x00", "rtsp://[1.2.3.4]/", "rtsp://[::1/",
        "rtsp://[::1]x/", "rtsp://é/", "file:///etc/passwd", "rtsp://" + "a" * 3000,
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_without_repeating_it(text) -> None:
    with pytest.raises(BadUrl) as caught:
        parse_url(text)
    assert "passwd" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "becomes", "odd"),
    [
        ("rtsp://camera.lan/live/trackID=1", "/live/trackID=1", None),
        ("rtsp://CAMERA.lan:554/x", "/x", None),
        ("rtsp://192.168.1.10:8554/x", "/x", Oddity.INNER_ADDRESS),
        ("rtsp://[fe80::1]/x", "/x", Oddity.INNER_ADDRESS),
        ("rtsp://camera.lan:8554/x", "/x", Oddity.INNER_ADDRESS),
        ("rtsp://other.lan/live?x=1/trackID=1", "/live?x=1/trackID=1", Oddity.INNER_ADDRESS),
        ("rtsp://a:b@camera.lan/x", "/x", Oddity.CREDENTIALS_IN_URL),
    ],
)
def test_a_learned_address_becomes_one_of_the_typed_host(text, becomes, odd) -> None:
    oddities = Oddities()
    url = learned_url(text, TYPED, oddities)
    assert (url.host, url.port, url.path) == ("camera.lan", 554, becomes)
    assert oddities.names == ({odd} if odd else set())


@pytest.mark.parametrize(
    "text", ["rtsp://evil.example/other", "http://camera.lan/live", "rtsp://", "rtsp://evil.example"]
)
def test_another_host_is_not_followed(text) -> None:
    with pytest.raises(BadMessage):
        learned_url(text, TYPED, Oddities())


@pytest.mark.parametrize(
    ("base", "control", "path"),
    [
        ("rtsp://cam/live", "*", "/live"),
        ("rtsp://cam/live", None, "/live"),
        ("rtsp://cam/live", "", "/live"),
        ("rtsp://cam/live", "trackID=1", "/live/trackID=1"),
        ("rtsp://cam/live/", "trackID=1", "/live/trackID=1"),
        ("rtsp://cam/live/", "/trackID=1", "/live/trackID=1"),
        ("rtsp://cam/a?channel=1&subtype=0/", "trackID=0", "/a?channel=1&subtype=0/trackID=0"),
        ("rtsp://cam/a?channel=1", "trackID=0", "/a?channel=1/trackID=0"),
        ("rtsp://cam/live", "?track=1", "/live?track=1"),
        ("rtsp://cam/live", "rtsp://cam/elsewhere", "/elsewhere"),
        ("rtsp://cam/live", "track 1", "/live/track%201"),
    ],
)
def test_a_control_attribute_is_appended_to_the_base(base, control, path) -> None:
    url = parse_url(base).url
    assert control_url(control, url, url, Oddities()).path == path


@pytest.mark.parametrize("control", ["a\r\nb", "a\0", "x" * 3000, "rtsp://evil.example/x", "gopher://cam/x"])
def test_a_control_attribute_that_cannot_be_one_is_refused(control) -> None:
    with pytest.raises(BadMessage):
        control_url(control, TYPED, TYPED, Oddities())


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        ([], "/live?x=1"),
        ([("Content-Base", "rtsp://camera.lan/a/")], "/a/"),
        ([("Content-Location", "rtsp://camera.lan/b")], "/b"),
        ([("Content-Base", "/c/")], "/c/"),
    ],
)
def test_the_base_is_what_the_headers_say(headers, path) -> None:
    assert base_url(Headers(headers), TYPED, Oddities()).path == path


@given(st.text() | st.text(alphabet="rtsp:/@[]?#.%ab1 \r\n\0é", max_size=60).map(lambda text: "rtsp://" + text))
def test_any_text_is_an_address_or_the_one_error(text: str) -> None:
    try:
        url = parse_url(text).url
    except BadUrl:
        return
    assert parse_url(str(url)).url == url
    assert str(url).isascii()
    assert str(url).isprintable()


@given(st.text(alphabet="rtsp:/@[]?#.%ab1 \r\n\0é*", max_size=60))
def test_any_control_attribute_stays_at_the_typed_host(text: str) -> None:
    for learn in (
        lambda: control_url(text, TYPED, TYPED, Oddities()),
        lambda: base_url(Headers([("Content-Base", text)]), TYPED, Oddities()),
        lambda: learned_url(text, TYPED, Oddities()),
    ):
        try:
            url = learn()
        except RtspError:
            continue
        assert (url.host, url.port) == (TYPED.host, TYPED.port)
        assert str(url).isprintable()
