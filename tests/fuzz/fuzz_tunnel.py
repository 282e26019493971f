"""RTSP through HTTP: whatever answers the GET, `RtspError` is the only error, and memory is bounded."""

from __future__ import annotations

from contextlib import suppress

from appliance.base.secrets import Secret
from appliance.sites.rtsp.auth import Authenticator
from appliance.sites.rtsp.errors import RtspError
from appliance.sites.rtsp.messages import HEAD_LIMIT
from appliance.sites.rtsp.oddities import Oddities
from appliance.sites.rtsp.tunnel import Opening, Unproven
from appliance.sites.rtsp.urls import parse_url

URL = parse_url("rtsp://192.0.2.7/live#transport=http").url
_CHALLENGE = b'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth", stale=true\r\n'
# the first byte says how the answer is cut
SEEDS = [
    b"\xffHTTP/1.0 200 OK\r\nContent-Type: application/x-rtsp-tunnelled\r\n\r\nRTSP/1.0 200 OK\r\n\r\n",
    b"\x07HTTP/1.1 401 Unauthorized\r\n" + _CHALLENGE + b"\r\n",
    b"\xffHTTP/1.1 302 Found\r\nLocation: http://192.0.2.7/\r\n\r\n",
    b"\x01HTTP/1.1 404\r\n\r\n",
]


def check(data: bytes) -> None:
    if not data:
        return
    core = Opening(URL, Authenticator(URL, "user", Secret("word")), Oddities(), "Test/1")
    requests = [core.get()]
    step = data[0] or 1
    for at in range(1, len(data), step):
        try:
            done = core.receive_data(data[at : at + step])
        except Unproven:
            with suppress(RtspError):  # a proof that would break out of its line is not given
                requests.append(core.get())
            continue
        except RtspError:
            break
        assert len(core._buffer) <= HEAD_LIMIT + step
        if done is not None:
            break
    with suppress(RtspError):
        requests.append(core.post())
    for request in requests:
        assert request.count(b"\r\n\r\n") == 1
        assert request.decode().replace("\r\n", "").isprintable()
