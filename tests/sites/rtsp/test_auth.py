"""Challenges are answered as the RFCs' own examples say, the strongest first, and only at one host."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.secrets import Secret
from appliance.sites.rtsp.auth import Authenticator, parse_challenges
from appliance.sites.rtsp.errors import BadCredentials, RtspError
from appliance.sites.rtsp.oddities import Oddities, Oddity
from appliance.sites.rtsp.urls import RtspUrl, parse_url

CAMERA = parse_url("rtsp://192.0.2.7/live").url


def authenticator(username="admin", password="pass", place=CAMERA, cnonce="0a4f113b", **options) -> Authenticator:
    secret = Secret(password) if password is not None else None
    return Authenticator(place, username, secret, make_cnonce=lambda: cnonce, **options)


class ExactUri(RtspUrl):
    """An address whose text is one that the RFC's example has."""

    def __str__(self) -> str:
        return self.path


def test_the_example_of_rfc_7616_with_both_algorithms() -> None:
    place = ExactUri("www.example.org", 80, "/dir/index.html")
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    common = (
        'realm="http-auth@example.org", qop="auth, auth-int", '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )
    expected = {
        "MD5": "8ca523f5e9506fed4657c9700eebdbec",
        "SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
    }
    for algorithm, response in expected.items():
        proof = authenticator("Mufasa", "Circle of Life", place, cnonce)
        proof.challenge([f"Digest {common}, algorithm={algorithm}"], Oddities())
        header = proof.authorization("GET", place)
        assert header is not None
        assert f'response="{response}"' in header
        assert "qop=auth, nc=00000001" in header
        assert f"algorithm={algorithm}" in header


def test_the_example_of_rfc_2617() -> None:
    place = ExactUri("www.nowhere.org", 80, "/dir/index.html")
    proof = authenticator("Mufasa", "Circle Of Life", place)
    proof.challenge(
        ['Digest realm="testrealm@host.com",qop="auth,auth-int",nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'], Oddities()
    )
    assert 'response="6629fae49393a05397450978507c4ef1"' in str(proof.authorization("GET", place))


def test_the_old_form_without_qop() -> None:
    proof = authenticator()
    proof.challenge(['Digest realm="r", nonce="n"'], Oddities())

    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    response = md5(f"{md5('admin:r:pass')}:n:{md5('DESCRIBE:rtsp://192.0.2.7/live')}")
    assert proof.authorization("DESCRIBE", CAMERA) == (
        f'Digest username="admin", realm="r", nonce="n", uri="rtsp://192.0.2.7/live", response="{response}"'
    )


def test_a_nonce_is_counted_up() -> None:
    proof = authenticator()
    proof.challenge(['Digest realm="r", nonce="n", qop="auth"'], Oddities())
    assert [f"nc={n:08x}" in str(proof.authorization("OPTIONS", CAMERA)) for n in (1, 2, 3)] == [True] * 3


def test_the_session_form_keeps_its_key() -> None:
    proof = authenticator()
    proof.challenge(['Digest realm="r", nonce="n", qop="auth", algorithm=MD5-sess'], Oddities())
    header = str(proof.authorization("OPTIONS", CAMERA))
    key = hashlib.md5(b"admin:r:pass").hexdigest()
    key = hashlib.md5(f"{key}:n:0a4f113b".encode()).hexdigest()
    method = hashlib.md5(b"OPTIONS:rtsp://192.0.2.7/live").hexdigest()
    assert hashlib.md5(f"{key}:n:00000001:0a4f113b:auth:{method}".encode()).hexdigest() in header


def test_basic_is_name_and_password_in_base64() -> None:
    proof = authenticator("Aladdin", "open sesame")
    proof.challenge(['Basic realm="x"'], Oddities())
    assert proof.authorization("OPTIONS", CAMERA) == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="


@pytest.mark.parametrize(
    ("values", "begins", "holds"),
    [
        (['Basic realm="b"', 'Digest realm="d", nonce="n"'], "Digest", "realm"),
        (['Basic realm="b", Digest realm="d", nonce="n", algorithm=MD5'], "Digest", "MD5"),
        (
            ['Digest realm="d",nonce="n",algorithm=MD5', 'Digest realm="d",nonce="m",algorithm=SHA-256'],
            "Digest",
            "SHA-256",
        ),
        (['Digest realm="d", nonce="n", algorithm=SHA-512-256', 'Basic realm="b"'], "Basic", ""),
        (['Digest realm="d", nonce="n", qop="auth-int"', 'Basic realm="b"'], "Basic", ""),
        (['Negotiate abc==, Basic realm = "b"'], "Basic", ""),
    ],
)
def test_the_strongest_way_that_is_offered_is_gone(values, begins, holds) -> None:
    proof = authenticator()
    proof.challenge(values, Oddities())
    header = str(proof.authorization("OPTIONS", CAMERA))
    assert header.startswith(begins)
    assert holds in header


def test_without_a_challenge_nothing_is_proved() -> None:
    assert authenticator().authorization("OPTIONS", CAMERA) is None


def test_a_second_refusal_means_wrong_credentials() -> None:
    proof = authenticator()
    proof.challenge(['Digest realm="r", nonce="n"'], Oddities())
    with pytest.raises(BadCredentials, match="refused the user name or password"):
        proof.challenge(['Digest realm="r", nonce="m"'], Oddities())


def test_a_stale_nonce_is_replaced() -> None:
    proof = authenticator()
    proof.challenge(['Digest realm="r", nonce="n"'], Oddities())
    proof.challenge(['Digest realm="r", nonce="m", stale=TRUE'], Oddities())
    assert 'nonce="m"' in str(proof.authorization("OPTIONS", CAMERA))


def test_a_nonce_that_was_good_may_be_replaced_without_a_word_once() -> None:
    proof, oddities = authenticator(), Oddities()
    proof.challenge(['Digest realm="r", nonce="n"'], oddities)
    proof.succeeded()
    proof.challenge(['Digest realm="r", nonce="m"'], oddities)
    assert oddities.names == {Oddity.NONCE_STALE_UNSAID}
    with pytest.raises(BadCredentials):
        proof.challenge(['Digest realm="r", nonce="o"'], oddities)


@pytest.mark.parametrize(
    ("proof", "values", "says"),
    [
        (authenticator("", None), ['Basic realm="x"'], "asks for a user name"),
        (authenticator(allow_basic=False), ['Basic realm="x"'], "not allowed"),
        (authenticator(), ["Negotiate"], "cannot give"),
        (authenticator(), [], "cannot give"),
        (authenticator(), ['Digest realm="no nonce"'], "cannot give"),
    ],
)
def test_a_challenge_that_cannot_be_met_says_why(proof, values, says) -> None:
    with pytest.raises(BadCredentials, match=says):
        proof.challenge(values, Oddities())


def test_credentials_never_go_to_another_host() -> None:
    proof = authenticator()
    proof.challenge(['Basic realm="x"'], Oddities())
    for url in ("rtsp://192.0.2.8/live", "rtsp://192.0.2.7:8554/live"):
        with pytest.raises(RtspError):
            proof.authorization("OPTIONS", parse_url(url).url)


def test_a_part_that_makes_no_sense_is_named_and_left_out() -> None:
    oddities = Oddities()
    challenges = parse_challenges(['realm="lost", Digest realm="r", nonce="n", junk', "Basic realm=x"], oddities)
    assert [(each.scheme, each.parameters) for each in challenges] == [
        ("digest", {"realm": "r", "nonce": "n"}),
        ("junk", {}),
        ("basic", {"realm": "x"}),
    ]
    assert oddities.names == {Oddity.CHALLENGE_UNREADABLE}


def test_there_is_an_end_to_challenges() -> None:
    assert len(parse_challenges(["Basic realm=x"] * 100, Oddities())) == 8


PARTS = st.sampled_from(
    [
        "Digest",
        "Basic",
        ' realm="r"',
        "nonce=n",
        'qop="auth"',
        ",",
        ", ",
        "stale=true",
        "algorithm=",
        '"',
        "=",
        " ",
        "x",
    ]
)


@given(st.lists(st.lists(PARTS, max_size=12).map("".join) | st.text(max_size=30), max_size=3))
def test_any_challenge_is_answered_or_refused(values: list[str]) -> None:
    proof = authenticator()
    try:
        proof.challenge(values, Oddities())
    except BadCredentials:
        return
    assert str(proof.authorization("OPTIONS", CAMERA)).startswith(("Digest ", "Basic "))
