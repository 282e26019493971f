"""A conversation with an `RtspClient`, one request and one answer after the other; and what a good camera answers."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass

from appliance.base.secrets import Secret
from appliance.sites.rtsp.auth import Authenticator
from appliance.sites.rtsp.client import RtspClient
from appliance.sites.rtsp.events import Described, Event
from appliance.sites.rtsp.oddities import Oddities
from appliance.sites.rtsp.urls import parse_url

URL = "rtsp://192.0.2.7/live"
SPS = b"gM@\x1f\xda\x01@\x16\xec\x04@\x00\x00\x03\x00@\x00\x00\x05\x03\xc6\x0c\xa8"  # 1280x720, 10 pictures a second
PPS = b"h\xef<\x80"
SPS_SMALL = bytes.fromhex("6742c01eda0280bfe5c0440000030004000003005 03c58ba80".replace(" ", ""))  # 640x360
SESSION_LINES = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=Camera\r\nt=0 0\r\na=control:*\r\n"
VIDEO = (
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;"
    "sprop-parameter-sets=Z01AH9oBQBbsBEAAAAMAQAAABQPGDKg=,aO88gA==\r\na=control:trackID=1\r\n"
)
VIDEO_WITHOUT_SETS = (
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:trackID=1\r\n"
)
H265_SETS = tuple(
    b64decode(text)
    for text in (
        "QAEMAf//AWAAAAMAsAAAAwAAAwBarAwAAAMABAAAAwAyqA==",
        "QgEBAWAAAAMAsAAAAwAAAwBaoAWCAeFja5JFL83BQYFBAAADAAEAAAMADKE=",
        "RAHA8saNA7NA",
    )
)  # 704x480, 12 pictures a second
_NAMES = ("vps", "sps", "pps")
H265 = (
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\na=fmtp:96 profile-id=1;"
    + ";".join(f"sprop-{name}={b64encode(nal).decode()}" for name, nal in zip(_NAMES, H265_SETS, strict=True))
    + "\r\na=control:trackID=1\r\n"
)
H265_WITHOUT_SETS = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\na=control:trackID=1\r\n"
AUDIO = (
    "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/16000/1\r\na=fmtp:97 streamtype=5;mode=AAC-hbr;sizelength=13;"
    "indexlength=3;indexdeltalength=3;config=1408\r\na=control:trackID=2\r\n"
)
AV1 = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 AV1/90000\r\na=control:trackID=1\r\n"
MPEG4_HEADERS = bytes.fromhex(
    "000001b001000001b58913000001000000012000c48d88005514042d1443000001b24c61766335392e33372e313030"
)  # 640x360, as libav's encoder writes them
MPEG4 = (
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 MP4V-ES/90000\r\na=fmtp:96 profile-level-id=1;config="
    + MPEG4_HEADERS.hex()
    + "\r\na=control:trackID=1\r\n"
)
MJPEG = "m=video 0 RTP/AVP 26\r\na=control:trackID=1\r\n"
PCMU = "m=audio 0 RTP/AVP 0\r\na=control:trackID=2\r\n"
G726 = "m=audio 0 RTP/AVP 98\r\na=rtpmap:98 G726-32/8000\r\na=control:trackID=2\r\n"


def sdp(*media: str) -> bytes:
    return (SESSION_LINES + "".join(media or (VIDEO,))).encode()


@dataclass
class Sent:
    """A request as the camera sees it."""

    method: str
    url: str
    headers: dict[str, str]


def parse_request(text: bytes) -> Sent:
    first, *lines = text.decode().split("\r\n")
    method, url, version = first.split(" ")
    assert version == "RTSP/1.0"
    return Sent(method, url, dict(line.split(": ", 1) for line in lines if line))


def response(
    status: str = "200 OK",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    cseq: str | None = None,
) -> bytes:
    lines = [f"RTSP/1.0 {status}"]
    if cseq is not None:
        lines.append(f"CSeq: {cseq}")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


class Talk:
    def __init__(self, url: str = URL, username: str = "", password: str | None = None, **options) -> None:
        place = parse_url(url).url
        self.oddities = Oddities()
        secret = Secret(password) if password is not None else None
        authenticator = Authenticator(place, username, secret, make_cnonce=lambda: "c" * 16, **options)
        self.client = RtspClient(place, authenticator, self.oddities, user_agent="Test/1")
        self.now = 0.0
        self.sent: list[Sent] = []
        self.events: list[Event] = []

    @property
    def asked(self) -> Sent:
        """The last request."""
        for text in self.client.data_to_send().split(b"\r\n\r\n"):
            if text:
                self.sent.append(parse_request(text))
        return self.sent[-1]

    @property
    def methods(self) -> list[str]:
        _ = self.asked
        return [sent.method for sent in self.sent]

    def feed(self, data: bytes) -> list[Event]:
        self.client.receive_data(data, self.now)
        new = []
        while (event := self.client.next_event()) is not None:
            new.append(event)
        self.events += new
        return new

    def answer(self, status: str = "200 OK", headers: dict[str, str] | None = None, body: bytes = b"") -> list[Event]:
        return self.feed(response(status, headers, body, cseq=self.asked.headers["CSeq"]))

    def later(self, seconds: float) -> None:
        """Time passes; what is due on the way is done."""
        end = self.now + seconds
        while (deadline := self.client.next_deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.client.handle_timeout(self.now)
        self.now = end

    # ---- the good way

    def start(self, public: str = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER") -> None:
        self.client.start(self.now)
        self.answer(headers={"Public": public})

    def describe(self, *media: str) -> Described:
        self.client.describe(self.now)
        (event,) = self.answer(headers={"Content-Type": "application/sdp"}, body=sdp(*media))
        assert isinstance(event, Described)
        return event

    def play(self, *media: str, session: str = "7;timeout=60", public: str | None = None) -> None:
        self.start(*([public] if public is not None else []))
        tracks = self.describe(*media).description.media
        self.client.play(tracks, self.now)
        for number in range(len(tracks)):
            transport = f"RTP/AVP/TCP;unicast;interleaved={2 * number}-{2 * number + 1}"
            self.answer(headers={"Session": session, "Transport": transport})
        assert self.asked.method == "PLAY"
        self.answer(headers={"Session": session})
