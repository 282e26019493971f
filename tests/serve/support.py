"""What the tests of this room share: an application, a server around it, a client made of nothing but bytes."""

from __future__ import annotations

import ssl
import struct
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import trio
import trustme
from quart import Response, request, websocket
from quart_trio import QuartTrio

from appliance.serve.binding import Binds
from appliance.serve.connection import current_connection
from appliance.serve.frames import frame_header
from appliance.serve.runner import Bound, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LOOPBACK = "127.0.0.1"
TIME_LIMIT_S = 20.0


def make_app() -> QuartTrio:
    app = QuartTrio("tests.serve", static_folder=None)

    @app.get("/")
    async def index() -> str:
        return "hello"

    @app.get("/who")
    async def who() -> dict[str, Any]:
        connection = current_connection.get()
        return {
            "peer": connection.peer,
            "remote": request.remote_addr,
            "local": connection.local,
            "uid": connection.peer_uid,
            "secure": connection.secure,
            "scheme": request.scheme,
            "host": request.host,
            "path": request.path,
        }

    @app.get("/slow")
    async def slow() -> str:
        await trio.sleep(float(request.args.get("s", "0.5")))
        return "done"

    @app.get("/big")
    async def big() -> Response:
        async def body() -> AsyncIterator[bytes]:
            for _ in range(1000):
                yield bytes(1 << 16)

        return Response(body())

    @app.post("/echo")
    async def echo() -> bytes:
        return bytes(await request.get_data(cache=False, parse_form_data=False, as_text=False))

    @app.websocket("/ws")
    async def ws() -> None:
        while True:
            await websocket.send(await websocket.receive())

    return app


class Certificates:
    """A certificate and whoever trusts it, from an authority that is not ours."""

    def __init__(self) -> None:
        self.authority = trustme.CA()
        self.context = self.make()

    def make(self, name: str = "localhost") -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        self.authority.issue_cert(name, LOOPBACK, common_name=name).configure_cert(context)
        return context

    def client(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context


@asynccontextmanager
async def serving(app: Any = None, tls: Certificates | None = None, **options: Any) -> AsyncIterator[Bound]:
    """A server on free ports of 127.0.0.1; stopped, and everything with it, at the end."""
    binds = options.pop("binds", None) or Binds(http=[(LOOPBACK, 0)], https=[(LOOPBACK, 0)] if tls else [])
    with trio.fail_after(TIME_LIMIT_S):
        async with trio.open_nursery() as nursery:
            bound = await nursery.start(partial(serve, app or make_app(), binds, tls=tls, **options))
            yield bound
            nursery.cancel_scope.cancel()


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class Raw:
    """A client that sends what it is told and reads what comes."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.stream = stream
        self._buffer = bytearray()

    async def send(self, data: bytes) -> None:
        await self.stream.send_all(data)

    async def ask(self, request: bytes) -> Answer:
        await self.send(request)
        return await self.answer()

    async def answer(self) -> Answer:
        head = await self.until(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")[:-2]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await self.exactly(int(headers["content-length"])) if "content-length" in headers else b""
        return Answer(int(first.split()[1]), headers, body)

    async def until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            await self._more()
        at = self._buffer.index(end) + len(end)
        taken, self._buffer = bytes(self._buffer[:at]), self._buffer[at:]
        return taken

    async def exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            await self._more()
        taken, self._buffer = bytes(self._buffer[:count]), self._buffer[count:]
        return taken

    async def frame(self) -> tuple[int, bytes]:
        """The next WebSocket frame of the server: first byte, payload."""
        first, second = await self.exactly(2)
        length = second
        if second == 126:
            (length,) = struct.unpack("!H", await self.exactly(2))
        elif second == 127:
            (length,) = struct.unpack("!Q", await self.exactly(8))
        return first, await self.exactly(length)

    async def message(self) -> tuple[int, bytes]:
        """The next frame that is not a ping."""
        while True:
            first, payload = await self.frame()
            if first & 0x0F != 9:
                return first & 0x0F, payload

    async def end(self) -> bytes:
        """Everything up to the end of the connection; a reset is an end too."""
        try:
            while True:
                await self._more()
        except (EOFError, trio.BrokenResourceError):
            return bytes(self._buffer)

    async def _more(self) -> None:
        data = await self.stream.receive_some(1 << 16)
        if not data:
            raise EOFError(bytes(self._buffer))
        self._buffer += data


@asynccontextmanager
async def connected(port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[Raw]:
    stream: trio.abc.Stream = await trio.open_tcp_stream(LOOPBACK, port)
    if tls is not None:
        stream = trio.SSLStream(stream, tls, server_hostname=LOOPBACK, https_compatible=True)
    async with stream:
        yield Raw(stream)


GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def upgrade(path: str = "/ws", extra: bytes = b"") -> bytes:
    return (
        b"GET " + path.encode() + b" HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" + extra + b"\r\n"
    )


def masked(opcode: int, payload: bytes = b"", *, final: bool = True) -> bytes:
    """A client's frame; the masking key is zero, which leaves the payload as it is."""
    header = bytearray(frame_header(len(payload), opcode))
    if not final:
        header[0] &= 0x7F
    header[1] |= 0x80
    return bytes(header) + bytes(4) + payload
