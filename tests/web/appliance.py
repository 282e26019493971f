"""The real appliance for tests: composed in this process on free ports of 127.0.0.1, with cameras that a test directs.

`open_house` gives a `House`; a `Visitor` is somebody who calls it over HTTPS, with the certificate verified, or opens
a live view with a third party's WebSocket client.  Every answer that a visitor gets is held to what all answers have
to be (`tests.web.manners`).
"""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import ssl
import tempfile
import threading
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import trio
import trio_websocket

from appliance.auth.passwords import Cost
from appliance.auth.rights import ALL, Right, Role
from appliance.base.clock import TICKS_PER_SECOND
from appliance.base.secrets import Secret
from appliance.compose import Appliance, Options, Outside, compose
from tests.streams.scripted import CLIP, SMALL, SOUND, SOUNDS, Openers, picture, sound
from tests.web.manners import Answer, Manners

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

    from appliance.auth.user_rows import User
    from appliance.base.clock import Clock
    from appliance.media.units import AudioFormat, Unit, VideoFormat
    from appliance.sites.cameras import Camera, StreamConfig
    from appliance.web.app import Part
    from appliance.web.services import Services

LOOPBACK = "127.0.0.1"
PASSWORD = "a passphrase of theirs"
CHEAP = Cost(memory_kib=8, passes=1)
#: No test waits longer for an answer.
PATIENCE_S = 20.0
ABSENT: Any = object()


@dataclass
class House:
    """A running appliance."""

    appliance: Appliance
    folder: Path
    openers: Any
    authority: bytes  # PEM of the local authority
    manners: Manners
    token: trio.lowlevel.TrioToken
    answers: list[Answer] = field(default_factory=list)  # everything that visitors were told
    hanging_up: ExitStack = field(default_factory=ExitStack)

    @property
    def services(self) -> Services:
        return self.appliance.services

    @property
    def port(self) -> int:
        return self.appliance.bound.https_ports[0]

    @property
    def http_port(self) -> int:
        return self.appliance.bound.http_ports[0]

    def trusting(self) -> ssl.SSLContext:
        """A client's TLS that trusts this appliance's authority and nothing else."""
        return ssl.create_default_context(cadata=self.authority.decode())

    async def camera(self, name: str = "Gate", *, sub: bool = False) -> Camera:
        url = f"rtsp://192.0.2.1/{quote(name, safe='')}"
        return await self.services.cameras.add(name, url, f"{url}/sub" if sub else None)

    async def user(
        self,
        name: str,
        role: Role = Role.VIEWER,
        *,
        live: Sequence[Camera] | str = (),
        audio: Sequence[Camera] | str = (),
    ) -> User:
        users = self.services.auth.users
        user = await users.add(name, Secret(PASSWORD), role)
        for right, cameras in ((Right.LIVE, live), (Right.AUDIO, audio)):
            if cameras:
                granted = ALL if cameras == "all" else frozenset(camera.id for camera in cameras)  # type: ignore[union-attr]
                user = await users.grant(user.id, {right: granted})
        return user

    async def visitor(self, user: User | None, *, by_cookie: bool = False, **more: Any) -> Visitor:
        """Somebody with a new session of that user (None: a stranger)."""
        if user is None:
            return self.stranger(**more)
        session, token = await self.services.sessions.open(user.id, user.password_at, LOOPBACK, "tests")
        return self.stranger(token=token.reveal(), csrf=session.csrf.reveal(), by_cookie=by_cookie, **more)

    def stranger(self, **more: Any) -> Visitor:
        visitor = Visitor(self, **more)
        self.hanging_up.callback(visitor.close)
        return visitor

    async def viewer(self, name: str, *cameras: Camera, audio: bool = False) -> Visitor:
        """Somebody with a new user who may watch those cameras."""
        return await self.visitor(await self.user(name, live=cameras, audio=cameras if audio else ()))

    async def administrator(self, name: str = "chief") -> Visitor:
        return await self.visitor(await self.user(name, Role.ADMINISTRATOR))

    def do(self, act: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        """Run a coroutine on the appliance's loop, from another thread."""
        return trio.from_thread.run(act, *args, trio_token=self.token)


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

    def connect(self) -> http.client.HTTPConnection:
        source = (self.address, 0)
        if self.tls:
            return http.client.HTTPSConnection(
                self.host, self.port, timeout=PATIENCE_S, source_address=source, context=self.house.trusting()
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
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
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
        self, camera_id: str, query: str = "", headers: dict[str, str] | None = None
    ) -> AsyncIterator[LiveView]:
        """A live view.  Raises `trio_websocket.ConnectionRejected`."""
        extra = [(name.encode(), value.encode()) for name, value in (self.identity | (headers or {})).items()]
        url = f"wss://{LOOPBACK}:{self.port}/api/v1/cameras/{camera_id}/live{query}"
        opening = trio_websocket.open_websocket_url(
            url, self.house.trusting(), extra_headers=extra, message_queue_size=1000, disconnect_timeout=1
        )
        async with opening as socket_:
            yield LiveView(socket_)

    def begin(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        """The beginning of an answer that has no end, or all of one that has; the connection ends with it."""
        connection = self.connect()
        try:
            connection.request("GET", path, headers=self.identity | (headers or {}))
            response = connection.getresponse()
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
        key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"}
        given = {"Upgrade": "websocket", "Connection": "Upgrade", **key} | self.identity | (headers or {})
        connection = self.connect()
        try:
            connection.request("GET", path, headers=given)
            response = connection.getresponse()
            body = b"" if response.status == 101 else response.read()
            answer = Answer("GET", path, response.status, tuple(response.getheaders()), body)
        finally:
            connection.close()
        self.house.answers.append(answer)
        if answer.status != 101:
            self.house.manners.check(answer)
        return answer

    @contextmanager
    def reading(self, path: str, headers: dict[str, str] | None = None) -> Iterator[Stream]:
        """An answer without end, read as it comes (in threads)."""
        connection = self.connect()
        try:
            connection.request("GET", path, headers=self.identity | (headers or {}))
            assert connection.sock is not None
            yield Stream(connection.getresponse(), connection.sock)
        finally:
            connection.close()


@dataclass
class LiveView:
    """A live view as a client has it."""

    socket: trio_websocket.WebSocketConnection
    texts: list[dict[str, Any]] = field(default_factory=list)
    media: list[bytes] = field(default_factory=list)

    async def say(self, message: dict[str, Any] | str | bytes) -> None:
        await self.socket.send_message(json.dumps(message) if isinstance(message, dict) else message)

    async def want(self, **wishes: Any) -> None:
        await self.say({"type": "want", **wishes})

    async def hear(self) -> dict[str, Any] | bytes:
        """The next message; it is kept too."""
        with trio.fail_after(PATIENCE_S):
            message = await self.socket.get_message()
        if isinstance(message, bytes):
            self.media.append(message)
            return message
        told: dict[str, Any] = json.loads(message)
        self.texts.append(told)
        return told

    async def told(self, kind: str) -> dict[str, Any]:
        """The next text message of a kind."""
        while True:
            message = await self.hear()
            if isinstance(message, dict) and message["type"] == kind:
                return message

    async def fragments(self, count: int) -> list[bytes]:
        """The next so many binary messages."""
        found: list[bytes] = []
        while len(found) < count:
            message = await self.hear()
            if isinstance(message, bytes):
                found.append(message)
        return found

    async def end(self) -> tuple[int, str]:
        """Wait for the server to close; its code and reason."""
        with trio.fail_after(PATIENCE_S):
            while True:
                try:
                    await self.hear()
                except trio_websocket.ConnectionClosed as closed:
                    return (closed.reason.code, closed.reason.reason or "") if closed.reason else (0, "")


@dataclass
class Stream:
    """An answer that has no end of its own."""

    response: http.client.HTTPResponse
    socket: socket.socket

    async def read(self, size: int) -> bytes:
        """At least one byte, at most ``size``; empty at the end."""
        return await trio.to_thread.run_sync(self.response.read1, size)

    async def line(self) -> bytes:
        return await trio.to_thread.run_sync(self.response.readline)

    async def event(self) -> tuple[str, Any]:
        """The next Server-Sent Event: its kind and its data; a comment is an event of kind ``:``."""
        kind, data = "", None
        while line := (await self.line()).decode().rstrip("\n"):
            name, _, value = line.partition(": ")
            if not name:
                kind, data = ":", value
            elif name == "event":
                kind = value
            elif name == "data":
                data = json.loads(value)
        if not kind:
            raise EOFError
        return kind, data

    async def until(self, kind: str) -> Any:
        """The data of the next event of a kind."""
        while True:
            found, data = await self.event()
            if found == kind:
                return data


class EndlessSource:
    """A camera that never tires: 25 pictures a second, with sound."""

    notes: tuple[str, ...] = ()

    def __init__(self, name: str) -> None:
        from appliance.sites.source import SourceStatistics

        self.statistics = SourceStatistics()
        self._clip = SMALL if name == "sub" else CLIP
        self._began = trio.current_time()
        self._pictures = self._sounds = 0
        self.video: VideoFormat | None = self._clip.format
        self.audio: AudioFormat | None = SOUND

    async def receive(self) -> list[Unit]:
        await trio.sleep_until(self._began + self._pictures / 25)
        units: list[Unit] = [picture(self._pictures, clip=self._clip)]
        self._pictures += 1
        while self._sounds * SOUNDS[0].duration < self._pictures * TICKS_PER_SECOND // 25:
            units.append(sound(self._sounds, self._clip.units[0].run))
            self._sounds += 1
        return units


class EndlessOpeners:
    """Every stream is an `EndlessSource`."""

    def opener(self, stream: StreamConfig) -> Any:
        @asynccontextmanager
        async def open_it() -> AsyncIterator[EndlessSource]:
            await trio.lowlevel.checkpoint()
            yield EndlessSource(stream.name)

        return open_it

    async def look(self, stream: StreamConfig) -> tuple[VideoFormat | None, AudioFormat | None]:
        await trio.lowlevel.checkpoint()
        return (SMALL if stream.name == "sub" else CLIP).format, SOUND


@asynccontextmanager
async def open_house(
    *,
    openers: Any = None,
    clock: Clock | None = None,
    elapsed: Callable[[], float] | None = None,
    parts: Callable[[Services], tuple[Part, ...]] | None = None,
    folder: Path | None = None,
    **options: Any,
) -> AsyncIterator[House]:
    """An appliance as long as the block lasts.  ``openers``: where pictures come from (scripted cameras)."""
    openers = openers or Openers()
    world: dict[str, Any] = {"clock": clock, "elapsed": elapsed, "parts": parts}
    outside = Outside(
        password_cost=CHEAP,
        openers=lambda _clock, _demo: openers,
        **{name: value for name, value in world.items() if value is not None},
    )
    # not pytest's folder: its path is too long for a Unix socket
    home = folder or Path(tempfile.mkdtemp(prefix="fanal-"))
    given = {
        "bind": LOOPBACK,
        "http": "auto",
        "https": "auto",
        "log_level": "debug",
        "log_to_terminal": False,
    } | options
    try:
        async with compose(Options(home, **given), outside) as appliance:
            tls = appliance.services.tls
            authority = await tls.authority_pem() if tls is not None else b""
            token = trio.lowlevel.current_trio_token()
            house = House(appliance, home, openers, authority or b"", Manners(appliance.table), token)
            with house.hanging_up:
                yield house
    finally:
        if folder is None:
            shutil.rmtree(home)


@contextmanager
def running_house(**options: Any) -> Iterator[House]:
    """A house in a thread of its own, for tests that share it; `House.do` reaches its loop."""
    started: SimpleQueue[House | BaseException] = SimpleQueue()
    stopping: list[trio.Event] = []

    async def run() -> None:
        async with open_house(**options) as house:
            stopping.append(trio.Event())
            started.put(house)
            await stopping[0].wait()

    def thread() -> None:
        try:
            trio.run(run)
        except BaseException as error:
            started.put(error)
            raise

    worker = threading.Thread(target=thread, name="house")
    worker.start()
    try:
        house = started.get(timeout=PATIENCE_S)
        if isinstance(house, BaseException):
            raise house
        try:
            yield house
        finally:
            house.token.run_sync_soon(stopping[0].set)
    finally:
        worker.join(PATIENCE_S)
        assert not worker.is_alive()
