"""Digest as curl computes it: the same proof for the same challenge."""

from __future__ import annotations

import shutil
import subprocess
from functools import partial

import pytest
import trio

from appliance.base.secrets import Secret
from appliance.sites.rtsp.auth import Authenticator, parse_challenges
from appliance.sites.rtsp.oddities import Oddities
from appliance.sites.rtsp.urls import parse_url

pytestmark = pytest.mark.peer

USER, PASSWORD, PATH = "admin", 'p"ä: s', "/live?channel=1&x=%20"


async def proof_of_curl(challenge: str) -> dict[str, str]:
    """What curl answers to a challenge, by parameter."""
    requests: list[str] = []

    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            text = b""
            async for data in stream:
                text += data
                if not text.endswith(b"\r\n\r\n"):
                    continue
                requests.append(text.decode())
                text = b""
                status = "200 OK" if len(requests) > 1 else f"401 Unauthorized\r\nWWW-Authenticate: {challenge}"
                await stream.send_all(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())

    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    curl = shutil.which("curl")
    assert curl is not None, "install.sh installs it"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, serve, listeners)
        url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}{PATH}"
        command = [curl, "-s", "-m", "10", "--noproxy", "*", "--digest", "-u", f"{USER}:{PASSWORD}", url]
        await trio.to_thread.run_sync(partial(subprocess.run, command, check=True, timeout=20))
        nursery.cancel_scope.cancel()
    (line,) = [line for line in requests[-1].split("\r\n") if line.startswith("Authorization: ")]
    (found,) = parse_challenges([line.removeprefix("Authorization: ")], Oddities())
    return found.parameters


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "MD5-sess", "SHA-256-sess"])
@pytest.mark.parametrize("qop", [', qop="auth"', ', qop="auth-int,auth"', ""])
async def test_the_proof_is_the_one_that_curl_gives(algorithm: str, qop: str) -> None:
    if not qop and algorithm.endswith("-sess"):
        qop = ', qop="auth"'  # RFC 2617 does not say whose nonce it would be
    challenge = f'Digest realm="a camera, of ours", nonce="abc/+==", opaque="o", algorithm={algorithm}{qop}'
    theirs = await proof_of_curl(challenge)
    url = parse_url(f"rtsp://127.0.0.1{PATH}").url
    ours = Authenticator(url, USER, Secret(PASSWORD), make_cnonce=lambda: theirs.get("cnonce", ""))
    ours.challenge([challenge], Oddities())
    (mine,) = parse_challenges([ours.authorization("GET", url, PATH) or ""], Oddities())
    for name in ("response", "uri", "realm", "nonce", "opaque", "qop", "nc", "cnonce"):
        assert mine.parameters.get(name) == theirs.get(name), name
