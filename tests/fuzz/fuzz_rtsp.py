"""RTSP: whatever a camera answers, and in whatever pieces, `RtspError` is the only error, and memory is bounded."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from appliance.sites.rtsp.errors import RtspError
from appliance.sites.rtsp.events import Described
from appliance.sites.rtsp.messages import BODY_LIMIT, HEAD_LIMIT
from tests.reference.packets import interleaved
from tests.sites.rtsp.talk import AUDIO, VIDEO, Talk, response, sdp

VECTORS = Path(__file__).parents[1] / "vectors" / "rtsp"
STAGES = ("OPTIONS", "DESCRIBE", "SETUP", "PLAY", "playing", "TEARDOWN")


def _seed(stage: str, *parts: bytes) -> bytes:
    """The first byte says what was asked, the second how the answer is cut."""
    return bytes((STAGES.index(stage), 255)) + b"".join(parts)


def _vectors(stage: str, number: bytes) -> list[bytes]:
    folder = VECTORS / stage.lower()
    return [_seed(stage, path.read_bytes().replace(b"{cseq}", number)) for path in sorted(folder.iterdir())]


_TRANSPORT = {"Session": "7;timeout=60", "Transport": "RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=1"}
_CHALLENGE = {"WWW-Authenticate": 'Digest realm="r", nonce="n", qop="auth"'}
_QUESTION = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"
SEEDS = [
    _seed("OPTIONS", response(headers={"Public": "OPTIONS, DESCRIBE, GET_PARAMETER"}, cseq="1")),
    _seed("OPTIONS", response("401 Unauthorized", _CHALLENGE, cseq="1")),
    _seed("DESCRIBE", response(headers={"Content-Type": "application/sdp"}, body=sdp(VIDEO, AUDIO), cseq="2")),
    _seed("DESCRIBE", response("302 Found", {"Location": "rtsp://192.0.2.7/x"}, cseq="2")),
    _seed("SETUP", response(headers=_TRANSPORT, cseq="3"), response("461 No", cseq="4")),
    _seed("PLAY", response(headers={"RTP-Info": "url=trackID=1;seq=1;rtptime=2", "Session": "7"}, cseq="4")),
    _seed("playing", interleaved(0, b"\x80\x60" + b"a" * 40), _QUESTION, interleaved(1, b"")),
    _seed("TEARDOWN", interleaved(0, b"abc"), response(cseq="5")),
    *_vectors("DESCRIBE", b"2"),
    *_vectors("SETUP", b"3"),
    *_vectors("PLAY", b"4"),
]


def check(data: bytes) -> None:
    if len(data) < 2:
        return
    talk = _until(STAGES[data[0] % len(STAGES)])
    step = data[1] or 1
    with suppress(RtspError):
        for at in range(2, len(data), step):
            for event in talk.feed(data[at : at + step]):
                if isinstance(event, Described):
                    talk.client.play(event.description.media[:2], talk.now)
            held = len(talk.client._decoder._buffer)
            assert held <= max(HEAD_LIMIT, BODY_LIMIT + 4) + step
            talk.client.media_heard(talk.now)
        talk.later(31.0)
    assert all(text.isprintable() for sent in talk.sent for text in (sent.url, *sent.headers.values()))


def _until(stage: str) -> Talk:
    talk = Talk(username="user", password="word")
    talk.client.start(0.0)
    if stage == "OPTIONS":
        return talk
    talk.answer(headers={"Public": "GET_PARAMETER"})
    if stage == "DESCRIBE":
        talk.client.describe(0.0)
        return talk
    media = talk.describe().description.media
    talk.client.play(media, 0.0)
    if stage == "SETUP":
        return talk
    talk.answer(headers=_TRANSPORT)
    if stage == "PLAY":
        return talk
    talk.answer(headers={"Session": "7"})
    if stage == "TEARDOWN":
        talk.client.tear_down(0.0)
    return talk
