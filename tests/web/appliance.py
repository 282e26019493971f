"""The real appliance for tests: composed in this process on free ports of 127.0.0.1, with cameras that a test directs.

`open_house` gives a `House`; a `tests.web.visitor.Visitor` is somebody who calls it.  Every answer that a visitor gets
is held to what all answers have to be (`tests.web.manners`).
"""

from __future__ import annotations

import shutil
import ssl
import tempfile
import threading
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import trio

from appliance.auth.passwords import Cost
from appliance.auth.rights import ALL, Right, Role
from appliance.base.secrets import Secret
from appliance.compose import Appliance, Options, Outside, compose
from tests.store.fresh import put_database
from tests.streams.scripted import Openers
from tests.web.listening import PATIENCE_S
from tests.web.manners import Answer, Manners, manners_of
from tests.web.visitor import LOOPBACK, PASSWORD, Visitor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

    from appliance.auth.user_rows import User
    from appliance.base.clock import Clock
    from appliance.sites.cameras import Camera
    from appliance.web.app import Part
    from appliance.web.services import Services

CHEAP = Cost(memory_kib=8, passes=1)
#: Read once: each start packs them anew, for browsers.
pages = cache(Outside().pages)


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

    @cached_property
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
        unmasked: Sequence[Camera] | str = (),
        playback: Sequence[Camera] | str = (),
    ) -> User:
        users = self.services.auth.users
        user = await users.add(name, Secret(PASSWORD), role)
        granted_on = {Right.LIVE: live, Right.AUDIO: audio, Right.UNMASKED: unmasked, Right.PLAYBACK: playback}
        for right, cameras in granted_on.items():
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
        openers=lambda *_: openers,
        pages=pages,
        warm=False,
        **{name: value for name, value in world.items() if value is not None},
    )
    # not pytest's folder: its path is too long for a Unix socket
    home = folder or put_database(Path(tempfile.mkdtemp(prefix="fanal-")))
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
            house = House(appliance, home, openers, authority or b"", manners_of(appliance.table), token)
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
