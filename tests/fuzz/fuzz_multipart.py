"""Pictures over HTTP: `RtspError` is the only error, memory is bounded, and how it is cut does not matter."""

from __future__ import annotations

from contextlib import suppress

from appliance.base.secrets import Secret
from appliance.media.jpeg import JpegError, read_head
from appliance.sites.mjpeg.exchange import Answer, Exchange, Unproven
from appliance.sites.mjpeg.kinds import Kind, kind_of, whole_picture
from appliance.sites.mjpeg.multipart import BETWEEN_LIMIT, HEAD_LIMIT, MultipartReader, boundary_of
from appliance.sites.rtsp.auth import Authenticator
from appliance.sites.rtsp.errors import RtspError
from appliance.sites.rtsp.oddities import Oddities
from appliance.sites.rtsp.urls import parse_http_url
from tests.sites.mjpeg.camera import PICTURES, head, part, response
from tests.sites.mjpeg.test_kinds import without_tables
from tests.sites.mjpeg.test_multipart import FORMS

URL = parse_http_url("http://192.0.2.7/live?a=b").url
PICTURE_LIMIT = 4000
_CHALLENGE = {"WWW_Authenticate": 'Digest realm="r", nonce="n", qop="auth", stale=true'}
_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: multipart/x-mixed-replace\r\n\r\n"
# the first byte says how the answer is cut
SEEDS = [
    *(bytes((7 * n % 256,)) + head() + data for n, (data, _, _) in enumerate(FORMS.values())),
    b"\xff" + head("image/jpeg") + PICTURES[0],
    b"\x40" + head() + part(without_tables(PICTURES[0])) + part(PICTURES[1][:-2]),
    b"\x09" + _CHUNKED + b"20\r\n--frame\r\nContent-Type: image/jp\r\n2\r\neg\r\n0\r\n\r\n",
    b"\x80" + response("401 Unauthorized", b"who?", **_CHALLENGE),
    b"\x07" + response("302 Found", Location="http://192.0.2.7/"),
    b"\xff" + response("404 Not Found"),
]


def check(data: bytes) -> None:
    if not data:
        return
    step = 20 + data[0]
    cut = _answer(data[1:], step)
    assert cut == _answer(data[1:], len(data))


def _answer(data: bytes, step: int) -> list[bytes]:
    """The pictures of an answer that comes in pieces of ``step``."""
    oddities = Oddities()
    exchange = Exchange(URL, Authenticator(URL, "user", Secret("word")), oddities, "Test/1")
    assert exchange.ask().count(b"\r\n\r\n") == 1
    found: list[bytes] = []
    content = b""
    with suppress(RtspError, Unproven):
        said: Answer | None = None
        for at in range(0, len(data), step):
            exchange.receive_data(data[at : at + step])
            while (event := exchange.next_event()) is not None and event != b"":
                if isinstance(event, Answer):
                    assert said is None
                    said = event
                else:
                    content += event
            if event == b"":
                break
    if said is None:
        return []
    with suppress(RtspError):
        if kind_of(said.content_type, content[:2], oddities) is Kind.MANY:
            _read(MultipartReader(boundary_of(said.content_type), oddities, PICTURE_LIMIT), content, step, found)
        else:
            found.append(content)
    for picture in found:
        try:
            made, size = whole_picture(picture, "image/jpeg", oddities)
        except JpegError:
            continue
        again = read_head(made)
        assert (again.width, again.height) == size
        assert again.has_huffman_tables
    return found


def _read(reader: MultipartReader, content: bytes, step: int, found: list[bytes]) -> None:
    for at in range(0, len(content), step):
        reader.receive_data(content[at : at + step])
        while (picture := reader.next_part()) is not None:
            assert len(picture.data) <= PICTURE_LIMIT + step
            found.append(picture.data)
        assert reader.waiting <= max(PICTURE_LIMIT, BETWEEN_LIMIT, HEAD_LIMIT) + step
