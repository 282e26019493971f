"""A client of live views that notes how far behind the world it is, all the time and not only when something comes."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import trio
import trio_websocket

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.fmp4_read import read_samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

LOOK_S = 0.05
STATS_S = 1.0
PATIENCE_S = 20.0


@dataclass
class Watcher:
    """One viewer in a thread of its own.  Read its notes from any thread.  ``want``: what it asks for."""

    want: dict[str, Any] = field(default_factory=lambda: {"width": 1920, "height": 1080})
    announced: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[float] = field(default_factory=list)  # seconds, as the server told
    pictures: int = 0
    newest: int = 0  # UTC ticks of the newest picture
    worst_s: float = 0.0  # how far behind it ever was, since `forget`
    failure: BaseException | None = None
    _came: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=1000))  # when, bytes
    _stop: threading.Event = field(default_factory=threading.Event)

    def forget(self) -> None:
        """From now on is what counts."""
        self.worst_s = 0.0
        self.left_out.clear()

    @property
    def behind_s(self) -> float:
        return time.time() - self.newest / TICKS_PER_SECOND if self.newest else 0.0

    @property
    def kbps(self) -> float:
        """What came in the last second."""
        now = time.monotonic()
        return sum(size for at, size in tuple(self._came) if now - at <= 1) * 8 / 1000

    @property
    def stream(self) -> tuple[str, str | None]:
        """Which one it gets, and why."""
        return (self.announced[-1]["stream"], self.announced[-1]["reason"]) if self.announced else ("", None)

    def wait(self, holds: Callable[[], bool], within_s: float = PATIENCE_S) -> None:
        end = time.monotonic() + within_s
        while not holds():
            if self.failure is not None:
                raise self.failure
            assert time.monotonic() < end, self
            time.sleep(LOOK_S)

    # --- its thread -----------------------------------------------------------------------------------------------

    async def watch(self, host: str, port: int, path: str, token: str, trust: ssl.SSLContext) -> None:
        headers = [(b"Authorization", f"Bearer {token}".encode())]
        stream = await trio.open_ssl_over_tcp_stream(host, port, https_compatible=True, ssl_context=trust)
        try:
            async with trio.open_nursery() as nursery:
                client = await trio_websocket.wrap_client_stream(
                    nursery, stream, f"{host}:{port}", path, extra_headers=headers
                )
                nursery.start_soon(self._listen, client)
                nursery.start_soon(self._note)
                await client.send_message(json.dumps({"type": "want", **self.want}))
                while not self._stop.is_set():  # by another thread
                    await client.send_message('{"type":"stats","buffer_s":0.2,"dropped":0}')
                    await trio.sleep(STATS_S)
                nursery.cancel_scope.cancel()
        finally:
            await trio.aclose_forcefully(stream)

    async def _listen(self, client: trio_websocket.WebSocketConnection) -> None:
        while True:
            message = await client.get_message()
            self._came.append((time.monotonic(), len(message)))
            if isinstance(message, str):
                told = json.loads(message)
                if told["type"] == "stream":
                    self.announced.append(told)
                elif told["type"] == "dropped":
                    self.left_out.append(told["seconds"])
            elif message[4:8] == b"moof":
                (sample,) = read_samples(message)
                self.newest = max(self.newest, self.announced[-1]["utc_zero"] + sample.dts)
                self.pictures += 1
            elif message[8:10] == b"\xff\xd8":
                self.newest = max(self.newest, int.from_bytes(message[:8], "big") * TICKS_PER_SECOND // 1000)
                self.pictures += 1

    async def _note(self) -> None:
        while True:
            self.worst_s = max(self.worst_s, self.behind_s)
            await trio.sleep(LOOK_S)


@contextmanager
def watching(
    where: Callable[[], AbstractContextManager[None]],
    host: str,
    port: int,
    path: str,
    token: str,
    authority: str,
    **want: Any,
) -> Iterator[Watcher]:
    """A viewer whose sockets are made within the context that ``where`` gives; ``want``: what it asks for."""
    watcher = Watcher(want) if want else Watcher()

    def run() -> None:
        try:
            with where():
                trio.run(watcher.watch, host, port, path, token, ssl.create_default_context(cadata=authority))
        except BaseException as error:
            watcher.failure = error

    thread = threading.Thread(target=run, name="watcher")
    thread.start()
    try:
        yield watcher
    finally:
        watcher._stop.set()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
    if watcher.failure is not None:
        raise watcher.failure
