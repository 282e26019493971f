"""Somebody who calls the appliance: over HTTPS, with the certificate verified, or with a foreign WebSocket client."""

from __future__ import annotations

import http.client
import json
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import trio
import trio_websocket

from tests.web.listening import PATIENCE_S, LiveView, Stream
from tests.web.manners import Answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.web.appliance import House

LOOPBACK = "127.0.0.1"
PASSWORD = "a passphrase of theirs"
ABSENT: Any = object()


@dataclass
class Visitor:
    """A client.  ``address`` is where it comes from (any of 127.0.0.0/8); ``tls`` False: over plain HTTP."""

    house: House
    token: str = ""
    csrf: str = ""
    by_cookie: bool = False
    address: str = LOOPBACK
    tls: bool = True
    host: str = LOOPBACK
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)

    @property
    def identity(self) -> dict[str, str]:
        """The headers that say who this is."""
        if not self.token:
            return {}
        if self.by_cookie:
            return {"Cookie": f"fanal_session={self.token}"}
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def port(self) -> int:
        return self.house.port if self.tls else self.house.http_port

    @property
    def handshake(self) -> dict[str, str]:
        """The headers that ask for a WebSocket."""
        key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"}
        return {"Upgrade": "websocket", "Connection": "Upgrade", **key}

    def connect(self) -> http.client.HTTPConnection:
        source = (self.address, 0)
        if self.tls:
            return http.client.HTTPSConnection(
                self.host, self.port, timeout=PATIENCE_S, source_address=source, context=self.house.trusting
            )
        return http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE_S, source_address=source)

    def call(self, method: str, path: str, body: Any = ABSENT, headers: dict[str, str] | None = None) -> Answer:
        """Ask and wait, from any thread but the appliance's.  ``body``: bytes, or what is sent as JSON."""
        given = dict(self.identity)
        if self.by_cookie and method not in ("GET", "HEAD"):
            given["X-CSRF-Token"] = self.csrf
        data = None
        if body is not ABSENT:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            given["Content-Type"] = "application/json"
        given |= headers or {}
        given = {name: value for name, value in given.items() if value is not None}
        response = self._exchange(method, path, data, given)
        answer = Answer(method, path, response.status, tuple(response.getheaders()), response.read())
        if response.will_close or self._connection is None:
            self.close()
        self.house.answers.append(answer)
        self.house.manners.check(answer)
        return answer

    def _exchange(
        self, method: str, path: str, data: bytes | None, headers: dict[str, str]
    ) -> http.client.HTTPResponse:
        fresh = self._connection is None
        if self._connection is None:
            self._connection = self.connect()
        try:
            self._connection.request(method, path, data, headers)
            return self._connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            if fresh:
                raise
            self.close()  # kept alive for longer than the server keeps it
            return self._exchange(method, path, data, headers)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def ask(self, method: str, path: str, body: Any = ABSENT, headers: dict[str, str] | None = None) -> Answer:
        """`call` from the appliance's own loop."""
        return await trio.to_thread.run_sync(self.call, method, path, body, headers)

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.ask("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    async def sign_in(self, name: str, password: str = PASSWORD) -> Answer:
        """Sign in; from then on this is that user."""
        answer = await self.ask("POST", "/api/v1/session", {"username": name, "password": password})
        if answer.status == 200:
            self.token, self.csrf = answer.json["token"], answer.json["csrf"]
        return answer

    @asynccontextmanager
    async def live(
        self, camera_id: str, query: str = "", headers: dict[str, str] | None = None, *, way: str = "live"
    ) -> AsyncIterator[LiveView]:
        """A live view; ``way`` "playback": a playback session.

        Raises a group with `trio_websocket.ConnectionRejected`.
        """
        extra = [(name.encode(), value.encode()) for name, value in (self.identity | (headers or {})).items()]
        path = f"/api/v1/cameras/{camera_id}/{way}{query}"
        with trio.fail_after(PATIENCE_S):
            stream = await trio.open_ssl_over_tcp_stream(
                LOOPBACK, self.port, https_compatible=True, ssl_context=self.house.trusting
            )
        try:  # the library leaves the stream to the garbage collector when the other side refuses or closes first
            async with trio.open_nursery() as nursery:
                with trio.fail_after(PATIENCE_S):
                    socket_ = await trio_websocket.wrap_client_stream(
                        nursery, stream, f"{LOOPBACK}:{self.port}", path, extra_headers=extra, message_queue_size=1000
                    )
                yield LiveView(socket_)
                with trio.move_on_after(1):
                    await socket_.aclose()
                nursery.cancel_scope.cancel()
        finally:
            await trio.aclose_forcefully(stream)

    def begin(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        """The beginning of an answer that has no end, or all of one that has; the connection ends with it."""
        connection = self.connect()
        try:
            connection.request("GET", path, headers=self.identity | (headers or {}))
            response = connection.getresponse()
            with response:
                body = response.read() if response.length is not None else b""
            answer = Answer("GET", path, response.status, tuple(response.getheaders()), body)
        finally:
            connection.close()
        self.house.answers.append(answer)
        if answer.status >= 400:
            self.house.manners.check(answer)
        else:
            self.house.manners.check_headers(answer)
        return answer

    def shake_hands(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        """What a WebSocket handshake is answered; 101 if it is agreed to."""
        given = self.handshake | self.identity | (headers or {})
        connection = self.connect()
        try:
            connection.request("GET", path, headers=given)
            response = connection.getresponse()
            with response:
                body = b"" if response.status == 101 else response.read()
            answer = Answer("GET", path, response.status, tuple(response.getheaders()), body)
        finally:
            connection.close()
        self.house.answers.append(answer)
        if answer.status != 101:
            self.house.manners.check(answer)
        return answer

    @asynccontextmanager
    async def reading(self, path: str) -> AsyncIterator[Stream]:
        """An answer without end, read as it comes."""
        connection = self.connect()

        def ask() -> Stream:
            connection.request("GET", path, headers=self.identity)
            socket_ = connection.sock  # the response keeps it where the connection does not
            return Stream(connection.getresponse(), socket_)

        try:
            stream = await trio.to_thread.run_sync(ask)
            with stream.response:
                yield stream
        finally:
            connection.close()
