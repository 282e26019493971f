"""RTSP inside of two HTTP requests, as QuickTime began it: a GET on which the camera talks, a POST on which we do.

Both carry the same cookie; what goes up is in base64.  This is how a camera is reached of which only the web port is.
The core knows no socket; `TunnelStream` is what two connections become.
"""

from __future__ import annotations

from base64 import b64encode
from secrets import token_hex
from typing import TYPE_CHECKING

import trio

from appliance.sites.rtsp.errors import BadCredentials, BadMessage, NoAnswer, Refused
from appliance.sites.rtsp.fields import is_number
from appliance.sites.rtsp.messages import HEAD_LIMIT, Headers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from appliance.sites.rtsp.auth import Authenticator
    from appliance.sites.rtsp.oddities import Oddities
    from appliance.sites.rtsp.urls import RtspUrl

ANSWER_WITHIN_S = 5.0
#: Without proof, with it, once more with a new nonce.
ATTEMPTS = 3
FIELDS_LIMIT = 100
TYPE = "application/x-rtsp-tunnelled"
READ_SIZE = 64 * 1024
_NOT_A_TUNNEL = "Check the port, and that the camera allows RTSP over HTTP."


class Opening:
    """The two requests, and the answer to the first.  Raises `RtspError`."""

    def __init__(self, url: RtspUrl, authenticator: Authenticator, oddities: Oddities, user_agent: str) -> None:
        self._url = url
        self._authenticator = authenticator
        self._oddities = oddities
        self._user_agent = user_agent
        self._cookie = token_hex(11)
        self._buffer = bytearray()

    def get(self) -> bytes:
        """The request on which the camera will talk."""
        self._buffer.clear()
        return self._head("GET", [("Accept", TYPE)])

    def post(self) -> bytes:
        """The beginning of the request on which we do; it has no end, and its length is what everybody says."""
        more = [
            ("Content-Type", TYPE),
            ("Content-Length", "32767"),
            ("Expires", "Sun, 9 Jan 1972 00:00:00 GMT"),
        ]
        return self._head("POST", more)

    def receive_data(self, data: bytes | bytearray) -> bytes | None:
        """Take of the answer to the GET; once it is there, what the camera said behind it.

        Raises `Unproven` where the camera wants to know first who we are, and that can be said.
        """
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if (end if end >= 0 else len(self._buffer)) > HEAD_LIMIT:
            raise BadMessage(f"The camera sent a header of over {HEAD_LIMIT} bytes.")
        if end < 0:
            if self._buffer and not b"HTTP/".startswith(self._buffer[:5]):
                raise BadMessage("What answers there does not speak HTTP.", _NOT_A_TUNNEL)
            return None
        code, reason, headers = _answer(self._buffer[:end].decode("latin-1"))
        if code == 401:
            self._authenticator.challenge(headers.get_all("WWW-Authenticate"), self._oddities)
            raise Unproven
        if code != 200:
            raise Refused("GET", code, reason, _NOT_A_TUNNEL)
        self._authenticator.succeeded()
        rest = bytes(self._buffer[end + 4 :])
        self._buffer.clear()
        return rest

    def _head(self, method: str, more: list[tuple[str, str]]) -> bytes:
        path = self._url.path if self._url.path.startswith("/") else f"/{self._url.path}"
        fields = [
            ("Host", self._url.place),
            ("User-Agent", self._user_agent),
            ("x-sessioncookie", self._cookie),
            *more,
            ("Pragma", "no-cache"),
            ("Cache-Control", "no-cache"),
        ]
        proof = self._authenticator.authorization(method, self._url, path)
        if proof is not None:
            fields.append(("Authorization", proof))
        lines = [f"{method} {path} HTTP/1.0", *(f"{name}: {value}" for name, value in fields)]
        if any(not char.isprintable() for line in lines for char in line):
            raise BadMessage("The camera asked for a proof with a control character in it.")
        return "\r\n".join([*lines, "", ""]).encode()


class Unproven(Exception):
    """The camera wants a proof of who we are, and now there is one: ask again, on a new connection."""


def _answer(head: str) -> tuple[int, str, Headers]:
    first, *lines = head.split("\r\n")
    words = first.split(None, 2)
    if not first.startswith("HTTP/") or len(words) < 2 or not is_number(words[1]):
        raise BadMessage("What answers there does not speak HTTP.", _NOT_A_TUNNEL)
    if len(lines) > FIELDS_LIMIT:
        raise BadMessage(f"The camera sent over {FIELDS_LIMIT} header fields.")
    fields = [line.partition(":") for line in lines]
    reason = "".join(char if char.isprintable() else "?" for char in words[2][:60]) if len(words) > 2 else ""
    return (
        int(words[1]) if len(words[1]) == 3 else 0,
        reason,
        Headers((a.strip(), c.strip()) for a, b, c in fields if b),
    )


async def open_tunnel(open_stream: Callable[[], Awaitable[trio.abc.Stream]], opening: Opening) -> TunnelStream:
    """Open both requests.  Raises `RtspError`, OSError, trio.BrokenResourceError."""
    with trio.move_on_after(ANSWER_WITHIN_S):
        for _ in range(ATTEMPTS):
            down = await open_stream()
            try:
                rest = await _get(down, opening)
                return TunnelStream(down, await _post(open_stream, opening), rest)
            except Unproven:
                await trio.aclose_forcefully(down)
            except BaseException:
                await trio.aclose_forcefully(down)
                raise
        raise BadCredentials("The camera asks for proof of identity again and again.", "Check the user's name.")
    raise NoAnswer("The camera does not answer the tunnel's GET.", _NOT_A_TUNNEL)


async def _post(open_stream: Callable[[], Awaitable[trio.abc.Stream]], opening: Opening) -> trio.abc.Stream:
    up = await open_stream()
    try:
        await up.send_all(opening.post())
    except BaseException:
        await trio.aclose_forcefully(up)
        raise
    return up


async def _get(stream: trio.abc.Stream, opening: Opening) -> bytes:
    await stream.send_all(opening.get())
    while True:
        data = await stream.receive_some(READ_SIZE)
        if not data:
            raise BadMessage("The camera closed the connection instead of opening a tunnel.", _NOT_A_TUNNEL)
        rest = opening.receive_data(data)
        if rest is not None:
            return rest


class TunnelStream(trio.abc.Stream):
    """Both connections as one stream of RTSP."""

    def __init__(self, down: trio.abc.Stream, up: trio.abc.Stream, rest: bytes) -> None:
        self._down = down
        self._up = up
        self._rest = rest  # what came behind the answer's head

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        if self._rest:
            await trio.lowlevel.checkpoint()
            data, self._rest = self._rest, b""
            return data
        return await self._down.receive_some(max_bytes)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._up.send_all(b64encode(data))  # whole messages, each with its own padding

    async def wait_send_all_might_not_block(self) -> None:
        await self._up.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        try:
            await trio.aclose_forcefully(self._up)
        finally:
            await trio.aclose_forcefully(self._down)
