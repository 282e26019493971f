from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from appliance.base.faults import Fault, Kind
from appliance.base.secrets import Secret
from appliance.sites.addresses import DEMO_STREAMS, CameraAddress, refuse_address, validate_camera_url, with_options
from appliance.sites.demo import STREAMS
from appliance.sites.rtsp.target import RtspTarget


def read(text: str, *, local: bool = False) -> CameraAddress:
    return validate_camera_url(text, local=local)


@pytest.mark.parametrize(
    ("typed", "url", "host"),
    [
        ("rtsp://192.168.1.9/main", "rtsp://192.168.1.9/main", "192.168.1.9"),
        ("  RTSP://Cam.Local:8554/Main?x=1#y ", "rtsp://cam.local:8554/Main?x=1#y", "cam.local"),
        ("rtsp://[FD00::5]:554/a b", "rtsp://[fd00::5]:554/a b", "fd00::5"),
        ("rtsp://127.0.0.1", "rtsp://127.0.0.1", "127.0.0.1"),
        ("rtsp://169.254.7.8/x", "rtsp://169.254.7.8/x", "169.254.7.8"),
        ("rtsp://café.example/x", "rtsp://xn--caf-dma.example/x", "xn--caf-dma.example"),
        ("rtsp://10.0.0.1/user=a&password=b@c", "rtsp://10.0.0.1/user=a&password=b@c", "10.0.0.1"),
        ("RTSPS://cam.local/x", "rtsps://cam.local/x", "cam.local"),
        ("rtsp://cam.local/x#transport=UDP", "rtsp://cam.local/x#transport=udp", "cam.local"),
        (
            "rtsps://cam.local#fingerprint=" + "AB:" * 31 + "AB",
            "rtsps://cam.local#fingerprint=" + "ab" * 32,
            "cam.local",
        ),
        ("rtsp://cam.local/x#transport=auto", "rtsp://cam.local/x", "cam.local"),
        ("HTTP://Cam.local:8080/jpg?x#fps=5", "http://cam.local:8080/jpg?x#fps=5", "cam.local"),
        (
            "https://cam.local/jpg#fingerprint=" + "AB" * 32 + "&fps=05",
            "https://cam.local/jpg#fps=5&fingerprint=" + "ab" * 32,
            "cam.local",
        ),
    ],
)
def test_an_address_is_kept_as_typed_behind_its_host(typed: str, url: str, host: str) -> None:
    assert read(typed) == CameraAddress(url, host)


@pytest.mark.parametrize(
    ("userinfo", "username", "password"),
    [
        ("admin:s3cret", "admin", "s3cret"),
        ("admin", "admin", None),
        ("admin:", "admin", ""),
        (":s3cret", "", "s3cret"),
        ("ad%40min:p%3A%2F%23ss", "ad@min", "p:/#ss"),
        ("admin:p@ss:word", "admin", "p@ss:word"),
        ("admin:50%", "admin", "50%"),
        ("léa:mot%20de%20passe", "léa", "mot de passe"),
    ],
)
def test_credentials_are_split_off_and_decoded(userinfo: str, username: str, password: str | None) -> None:
    found = read(f"rtsp://{userinfo}@cam.local/x")
    assert found.url == "rtsp://cam.local/x"
    assert found.username == username
    assert (found.password.reveal() if found.password is not None else None) == password
    assert "s3cret" not in repr(found)
    assert "admin" not in repr(found)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "does not begin with rtsp://"),
        ("192.168.1.9/main", "does not begin with rtsp://"),
        ("rtsp:/192.168.1.9", "does not begin with rtsp://"),
        ("rtsp://", "names no host"),
        ("rtsp:///main", "names no host"),
        ("rtsp://user:pw@/main", "names no host"),
        ("rtsp://:554/main", "names no host"),
        ("rtsp://host:99999/x", "The port 99999 does not exist. Use 1 to 65535."),
        ("rtsp://host:0/x", "The port 0 does not exist. Use 1 to 65535."),
        ("rtsp://host:5a4/x", "The port is not a number."),
        ("rtsp://host:５/x", "The port is not a number."),
        ("rtsp://host:" + "9" * 1000, "does not exist"),
        ("rtsp://fd00::5/x", "Put an IPv6 address into brackets."),
        ("rtsp://[fd00::5/x", "not closed by a bracket"),
        ("rtsp://[fd00::5]x/x", "not closed by a bracket"),
        ("rtsp://[host]/x", "is not an IPv6 address"),
        ("rtsp://[fe80::1%25eth0]/x", "names an interface"),
        ("rtsp://ho st/x", "is not a host name"),
        ("rtsp://256.1.1.1/x", "is not an IP address"),
        ("rtsp://2852039166/x", "is not an IP address"),
        ("rtsp://0xA9FEA9FE/x", "is not an IP address"),
        ("rtsp://host/a\nb", "U+000A, which does not show"),
        ("rtsp://host/a\x00b", "U+0000"),
        ("rtsp://host/" + "a" * 2048, "has 2060 characters. Use 2048 at most."),
        ("rtsp://admin:p%ff@host/x", "The password in the address is not UTF-8."),
        ("rtsp://admin:p/ss@host/x", "The sign / in a user name or password has to be written %2F."),
        ("rtsp://admin:p#ss@host/x", "has to be written %23"),
        ("rtsp://admin:p?ss@host/x", "has to be written %3F"),
        ("rtsp://169.254.169.254/x", "169.254.169.254 cannot be a camera: it is the metadata service of a cloud."),
        ("rtsp://[fd00:ec2::254]/x", "metadata service"),
        ("rtsp://[::ffff:169.254.169.254]/x", "metadata service"),
        ("rtsp://Metadata.Google.Internal/x", "metadata service"),
        ("rtsp://0.0.0.0/x", "not the address of one machine"),
        ("rtsp://224.0.0.1/x", "not the address of one machine"),
        ("demo:main", "does not begin with rtsp://"),
        ("file:///etc/passwd", "file:// cannot be used"),
        ("ftp://host/x.mjpg", "ftp:// cannot be used"),
        ("http://169.254.169.254/x", "metadata service"),
        ("http://host/x#fps=0", "fps= is a whole number from 1 to 30."),
        ("http://host/x#fps=31", "fps= is a whole number from 1 to 30."),
        ("http://host/x#fps=1.5", "fps= is a whole number from 1 to 30."),
        ("http://host/x#fps=²", "fps= is a whole number from 1 to 30."),
        ("http://host/x#top", "Behind the # only fps= and fingerprint= have a meaning."),
        ("https://host/x#transport=udp", "Behind the # only"),
        ("file:/etc/passwd", "does not begin with rtsp://"),
        ("rtsph://host/x", "rtsph:// cannot be used"),
        ("rtsps://host/x#transport=udp", "nothing is encrypted"),
        ("rtsp://host/x#transport=ship", "The transport is one of auto, tcp, udp, http."),
        ("rtsp://host/x#fingerprint=12", "A SHA-256 fingerprint has 64 hexadecimal digits."),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(typed: str, says: str) -> None:
    with pytest.raises(Fault) as caught:
        read(typed)
    assert says in str(caught.value)
    assert caught.value.hint
    assert caught.value.field == "url"
    assert caught.value.code in {"invalid_url", "unsupported_scheme"}
    assert "p%ff" not in str(caught.value)
    assert "ss@" not in str(caught.value)


@pytest.mark.parametrize("userinfo", ["a%0d%0aCSeq:x", "a:b%00", "a" * 200, f"a:{'b' * 300}"])
def test_credentials_that_cannot_be_sent_are_refused(userinfo: str) -> None:
    with pytest.raises(Fault) as caught:
        read(f"rtsp://{userinfo}@host/x")
    assert (caught.value.kind, caught.value.code) == (Kind.INVALID, "invalid_credentials")


def test_streams_of_the_demo_camera_are_for_this_machine_only() -> None:
    for stream in STREAMS:
        assert read(f"demo:{stream}", local=True) == CameraAddress(f"demo:{stream}", "")
    assert tuple(STREAMS) == DEMO_STREAMS
    with pytest.raises(Fault, match="no such stream"):
        read("demo:../../etc/passwd", local=True)


URLS = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["rtsp://", "RTSP://", "http://", "HTTPS://", "rtsp:", "demo:", ""]),
        st.sampled_from(["", "a:b@", "a@", "@", ":@", "%41:%zz@", "a:b@c@"]) | st.text(max_size=5),
        st.sampled_from(["host", "10.0.0.1", "[::1]", "[", "1.2", "a.b-c_d", ""]) | st.ip_addresses().map(str),
        st.sampled_from(["", ":", ":554", ":0", ":x", ":99999"]),
        st.sampled_from(["", "/", "/x?y#z", "?x", "#x", "/x#fps=5"]) | st.text(max_size=8),
    ),
)


@given(URLS | st.text())
@example("rtsp://a:b@[::1]:554/x")
def test_any_text_is_a_fault_or_an_address_that_stays_itself_and_that_the_driver_takes(text: str) -> None:
    try:
        found = read(text)
    except Fault:
        return
    assert read(found.url) == CameraAddress(found.url, found.host)
    target = RtspTarget.from_url(found.url, found.username or "", found.password or Secret(""))
    assert target.url.host == found.host


@pytest.mark.parametrize(
    "ip",
    ["169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254",
     "fd20:ce::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "::169.254.169.254",
     "fe80::a9fe:a9fe%eth0"],
)  # fmt: skip
def test_no_way_of_writing_it_leads_to_the_metadata_of_a_cloud(ip: str) -> None:
    assert refuse_address(ip) == "it is the metadata service of a cloud"


@pytest.mark.parametrize(
    "ip", ["0.0.0.0", "::", "224.0.0.251", "ff02::1", "255.255.255.255", "::ffff:0.0.0.0", "x", ""]
)
def test_what_is_not_one_machine_is_no_camera(ip: str) -> None:
    assert refuse_address(ip)


@pytest.mark.parametrize(
    "ip", ["127.0.0.1", "::1", "10.1.2.3", "192.168.1.9", "169.254.7.8", "fe80::1%eth0", "fd00::5", "203.0.113.7"]
)
def test_private_and_loopback_addresses_are_where_cameras_are(ip: str) -> None:
    assert refuse_address(ip) is None


def test_options_of_a_kept_address_are_changed_one_by_one() -> None:
    pinned = with_options("https://cam.local/jpg#fps=5", None, "AB" * 32)
    assert pinned == "https://cam.local/jpg#fps=5&fingerprint=" + "ab" * 32
    assert with_options(pinned, "", "") == "https://cam.local/jpg#fps=5"
    assert with_options("rtsp://cam.local/x#transport=udp", None, "AB" * 32).endswith("ab")
    assert with_options("http://cam.local/jpg", "auto", None) == "http://cam.local/jpg"  # as it is anyway
    for url, transport in [("http://cam.local/jpg", "udp"), ("demo:main", ""), ("file:/x", "tcp")]:
        with pytest.raises(Fault) as caught:
            with_options(url, transport, None)
        assert caught.value.code == "invalid_transport"


@given(st.text() | st.ip_addresses().map(str))
def test_any_text_may_be_asked_about(text: str) -> None:
    assert refuse_address(text) is None or refuse_address(text)


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("file:/srv/a b.mp4", "file:/srv/a b.mp4"),
        ("file:///srv/a%20b.mp4", "file:/srv/a b.mp4"),
        ("file:/srv/100%.mp4", "file:/srv/100%.mp4"),
    ],
)
def test_a_file_may_be_named_at_this_machine(typed: str, url: str) -> None:
    assert read(typed, local=True) == CameraAddress(url, "")
    with pytest.raises(Fault):
        read(typed)


@pytest.mark.parametrize(
    "typed", ["file:", "file:movie.mp4", "file://host/x", "file:../x", "file:///a%00b", "file:///a%ff"]
)
def test_a_file_is_named_by_its_whole_path(typed: str) -> None:
    with pytest.raises(Fault) as caught:
        read(typed, local=True)
    assert caught.value.code == "invalid_url"
