"""What stands behind the # of an address is an option where it is one, and a part of the path where not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sites.rtsp.options import Options, Way, read_fingerprint, show_fingerprint, split_options
from appliance.sites.rtsp.urls import BadUrl, parse_url

DIGITS = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "rest", "options"),
    [
        ("/live", "/live", Options()),
        ("/live#transport=udp", "/live", Options(Way.UDP)),
        ("/live?a#b#transport=TCP", "/live?a#b", Options(Way.TCP)),
        (f"/live#fingerprint={DIGITS}&transport=http", "/live", Options(Way.HTTP, DIGITS)),
        (f"/live#fingerprint={show_fingerprint(DIGITS)}", "/live", Options(fingerprint=DIGITS)),
        ("/live#transport=auto", "/live", Options()),
        ("/live#1", "/live#1", Options()),
        ("/live#transport", "/live#transport", Options()),
        ("/live#transport=udp&x=1", "/live#transport=udp&x=1", Options()),
        ("/live#", "/live#", Options()),
    ],
)
def test_options_are_split_off(text, rest, options) -> None:
    assert split_options(text) == (rest, options)


@pytest.mark.parametrize("fragment", ["transport=ship", "transport=", "fingerprint=12", "fingerprint=" + "g" * 64])
def test_known_options_with_values_that_cannot_be_are_refused(fragment) -> None:
    with pytest.raises(ValueError, match=r"The transport is|A SHA-256 fingerprint"):
        split_options(f"/live#{fragment}")
    with pytest.raises(BadUrl):
        parse_url(f"rtsp://cam/live#{fragment}")


@pytest.mark.parametrize("text", [DIGITS, DIGITS.upper(), f" sha256:{DIGITS}", show_fingerprint(DIGITS)])
def test_fingerprints_are_read_as_people_copy_them(text) -> None:
    assert read_fingerprint(text) == DIGITS


@given(st.sampled_from(Way), st.none() | st.just(DIGITS))
def test_options_are_written_as_they_are_read(way, fingerprint) -> None:
    options = Options(way, fingerprint)
    assert split_options(f"/live{options}") == ("/live", options)


@given(st.text(alphabet="#&=transpoudfinge0 ", max_size=40) | st.text())
def test_any_text_is_split_or_refused_and_nothing_is_lost(text) -> None:
    try:
        rest, options = split_options(text)
    except ValueError:
        return
    assert rest == text or (text.startswith(f"{rest}#") and "#" not in text[len(rest) + 1 :])
    assert rest == text or text[len(rest) + 1 :]
    assert split_options(f"{rest}{options}")[1] == options or options == Options()


@pytest.mark.parametrize(
    ("text", "port", "shown"),
    [
        ("rtsps://cam/x", 322, "rtsps://cam/x"),
        ("rtsps://cam:554/x", 554, "rtsps://cam:554/x"),
        ("rtsp://cam/x#transport=http", 80, "rtsp://cam:80/x"),
        ("rtsps://cam/x#transport=http", 443, "rtsps://cam:443/x"),
        ("rtsp://cam:554/x#transport=http", 554, "rtsp://cam/x"),
    ],
)
def test_ports_follow_the_way(text, port, shown) -> None:
    url = parse_url(text).url
    assert (url.port, str(url)) == (port, shown)
