"""The one module that knows every room: it puts the appliance together, and takes it apart in the reverse order.

Every service is a block of one `async with`; what a lower room needs from a higher one is handed to it here.
"""

from __future__ import annotations

import logging
import secrets
import socket
import threading
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from importlib.resources import files
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import trio

from appliance import __version__
from appliance.auth import open_auth
from appliance.auth.passwords import Cost, Passwords
from appliance.auth.sessions import elapsed_s
from appliance.base.beat import rest
from appliance.base.clock import SystemClock
from appliance.base.faults import Fault, Kind, invalid
from appliance.base.interfaces import interface_addresses
from appliance.base.secrets import Secret
from appliance.certs.contexts import open_tls_holder
from appliance.cli.api import CONTROL_SOCKET
from appliance.recorder.bookmarks import Bookmarks
from appliance.recorder.checks import Checks
from appliance.recorder.events import EventBook
from appliance.recorder.recorder import RecordingChanged, open_recorder
from appliance.recorder.stock import Stock
from appliance.serve.binding import ALL_INTERFACES, Address, Binds
from appliance.serve.connection import ConnectionLimits, Policy
from appliance.serve.runner import Bound, serve
from appliance.settings.settings import Settings
from appliance.settings.tabs import ConnectivityTab, GeneralTab, PerformanceTab, RecordingTab
from appliance.sites.cameras import CameraBook
from appliance.sites.demo import DemoCamera
from appliance.sites.opening import Sources
from appliance.sites.polling import Poller
from appliance.sites.removals import Removals
from appliance.status.board import Attention, Board, Severity
from appliance.status.load import SAMPLE_S, Load
from appliance.status.logs import keep_early, open_logs
from appliance.status.watches import watch_disk, watch_log
from appliance.store import open_store
from appliance.store.folder import COMMAND, SERVER, write_whole
from appliance.streams.audience import Audience
from appliance.streams.directory import open_directory
from appliance.streams.hls import open_hls
from appliance.streams.levels import LevelInForce
from appliance.streams.network import watch_networks
from appliance.streams.news import Newsroom
from appliance.streams.recording import HubFeeds
from appliance.streams.snapshots import open_snapshots
from appliance.streams.transcoders import open_transcoders
from appliance.streams.trials import Trials
from appliance.streams.turns import UserTurns
from appliance.supervise import supervise
from appliance.web.app import create_app
from appliance.web.capacity import read_capacity
from appliance.web.front import own_names
from appliance.web.pages import read_pages
from appliance.web.services import Services
from appliance.workers.crew import open_crew
from appliance.workers.pool import open_pool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from appliance.auth.users import FirstPassword
    from appliance.base.clock import Clock
    from appliance.recorder.recorder import Recorder
    from appliance.status.logs import Logs
    from appliance.streams.directory import Openers
    from appliance.web.app import Part
    from appliance.web.pages import Page
    from appliance.web.table import Table

log = logging.getLogger(__name__)

METRICS_TOKEN = "metrics-token"  # noqa: S105 (a file name)
#: An appliance for commands is there in a second; on a machine in trouble later.
START_PATIENCE_S = 60.0
#: What failed at the start may do later: memory is free again, say.
RETRY_S = 30.0
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Options:
    """What ``fanal run`` was told.  Ports: None means as the settings say, 0 off, "auto" any free one."""

    folder: Path
    bind: str = ALL_INTERFACES
    http: int | str | None = None
    https: int | str | None = None
    demo: bool = False
    online: bool = True  # False: only for commands, over the Unix socket; no camera is touched
    log_level: str = "info"
    first_password_to_file: bool = True
    log_to_terminal: bool = True


@dataclass(frozen=True)
class Outside:
    """What the appliance takes from the world around it; a test hands in a world of its own.

    ``parts``: routes beside those of the house.  ``pages`` reads the files of the web client; it blocks.  ``warm``: a
    media worker is ready before it is asked for.
    """

    clock: Clock = field(default_factory=SystemClock)
    elapsed: Callable[[], float] = elapsed_s
    password_cost: Cost = field(default_factory=Cost)
    openers: Callable[[Clock, DemoCamera, Poller], Openers] = Sources
    parts: Callable[[Services], tuple[Part, ...]] = lambda _: ()
    pages: Callable[[], dict[str, Page]] = lambda: read_pages(Path(str(files("appliance.web") / "static")))
    warm: bool = True


@dataclass(frozen=True)
class Ready:
    """The appliance serves."""

    urls: tuple[str, ...]
    first: FirstPassword | None
    fingerprint: str | None  # of the local authority, for whoever has to trust it


@dataclass(frozen=True)
class Appliance:
    """The parts, for those who run it."""

    services: Services
    table: Table
    bound: Bound
    ready: Ready


async def run(
    *,
    stop: Callable[[], Awaitable[object]],
    task_status: trio.TaskStatus[Appliance] = trio.TASK_STATUS_IGNORED,
    **options: Any,
) -> None:
    """Run an appliance with `Options` until ``stop`` returns or the task is cancelled.

    Raises `Fault` if it cannot start.
    """
    async with compose(Options(**options)) as appliance:
        task_status.started(appliance)
        await stop()
        log.info("stopping")


@contextmanager
def offline(folder: Path) -> Iterator[None]:
    """An appliance for the commands inside the block, in a thread of its own.  Raises `Fault` if it cannot start."""
    options = Options(folder.absolute(), online=False, log_to_terminal=False, log_level="warning")
    started: SimpleQueue[tuple[trio.lowlevel.TrioToken, trio.Event] | BaseException] = SimpleQueue()
    left = threading.Event()

    async def serve_commands() -> None:
        stopping = trio.Event()
        async with compose(options):
            started.put((trio.lowlevel.current_trio_token(), stopping))
            if not left.is_set():
                await stopping.wait()

    def thread() -> None:
        try:
            trio.run(serve_commands)
        except BaseException as error:  # noqa: ASYNC103 (handed to the thread that waits for it)
            started.put(error)

    # a daemon: one that hangs on a broken disk does not keep the command from ending
    worker = threading.Thread(target=thread, name="offline", daemon=True)
    worker.start()
    stop: Callable[[], object] | None = None
    try:
        try:
            answer = started.get(timeout=START_PATIENCE_S)
        except Empty:
            raise Fault(
                Kind.UNAVAILABLE, "no_answer", f"{folder} does not open.", "Check the disk that it is on."
            ) from None
        if isinstance(answer, BaseException):
            raise _fault_in(answer)
        token, stopping = answer
        stop = partial(token.run_sync_soon, stopping.set)
        yield
    finally:
        left.set()
        if stop is None:  # Ctrl-C while it starts: it either sees that we left, or has told us how to stop it
            with suppress(Empty):
                late = started.get_nowait()
                stop = None if isinstance(late, BaseException) else partial(late[0].run_sync_soon, late[1].set)
        if stop is not None:
            stop()
        worker.join(START_PATIENCE_S)


def _fault_in(error: BaseException) -> BaseException:
    """The fault that ended a start, out of the groups that nurseries wrap it in."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


@asynccontextmanager
async def compose(options: Options, outside: Outside | None = None) -> AsyncIterator[Appliance]:
    """The whole appliance, serving, as one block."""
    outside = outside or Outside()
    clock = outside.clock
    async with AsyncExitStack() as stack:
        early = stack.enter_context(keep_early(options.log_level))
        holder = SERVER if options.online else COMMAND
        store = await stack.enter_async_context(open_store(options.folder, clock, holder=holder))
        settings = await Settings.load(store, clock)
        logs = stack.enter_context(
            open_logs(
                options.folder,
                days=settings.tab(GeneralTab).log_days,
                level=options.log_level,
                terminal=options.log_to_terminal,
                early=early,
            )
        )
        log.log(
            logging.INFO if options.online else logging.DEBUG,
            "Fanal %s starts with the data folder %s",
            __version__,
            options.folder,
        )
        board = Board(clock.utc_90k())
        passwords = Passwords(outside.password_cost)
        auth = await stack.enter_async_context(open_auth(store, clock, passwords=passwords, elapsed=outside.elapsed))
        first = None
        if options.online:
            first = await auth.users.ensure_administrator(to_file=options.first_password_to_file)
        cameras = await CameraBook.load(store, clock)
        removals = Removals(cameras, clock)
        bookmarks = Bookmarks(store, clock)
        events = await EventBook.load(store, cameras, settings, clock)
        pool = await stack.enter_async_context(
            open_pool(hardware=settings.tab(PerformanceTab).hardware_decoding == "auto")
        )
        demo = DemoCamera(options.folder / "demo", pool, clock)
        if options.demo:
            await cameras.ensure_demo()
        poller = Poller()
        stack.callback(poller.close)
        openers = outside.openers(clock, demo, poller)
        crew = await stack.enter_async_context(open_crew(pool))
        directory = await stack.enter_async_context(open_directory(openers, clock, crew))
        recorder = await stack.enter_async_context(
            open_recorder(
                options.folder, clock, cameras, settings, board, HubFeeds(directory), last_event=events.last_event
            )
        )
        transcoders = await stack.enter_async_context(open_transcoders(crew))
        snapshots = await stack.enter_async_context(open_snapshots(directory, recorder.archive, pool))
        checks = Checks(recorder.index, cameras, clock)
        hls = await stack.enter_async_context(open_hls(directory, clock))
        binds = _binds(options, settings)
        tls = await stack.enter_async_context(open_tls_holder(options.folder / "tls", clock)) if binds.https else None
        audience, load = Audience(), Load()
        news = (bookmarks.changes, events.changes, recorder.changes)
        newsroom = Newsroom(auth, cameras, directory, audience, *news)
        services = Services(
            folder=options.folder,
            clock=clock,
            settings=settings,
            auth=auth,
            cameras=cameras,
            removals=removals,
            bookmarks=bookmarks,
            events=events,
            directory=directory,
            audience=audience,
            snapshots=snapshots,
            transcoders=transcoders,
            recorder=recorder,
            archive=recorder.archive,
            checks=checks,
            turns=UserTurns(lambda: settings.tab(RecordingTab).seeks_per_user),
            stock=Stock(recorder.index, clock),
            hls=hls,
            trials=Trials(openers, pool),
            pool=pool,
            board=board,
            load=load,
            levels=LevelInForce(lambda: settings.tab(PerformanceTab).levels),
            news=newsroom.told,
            judge=newsroom.judge,
            tls=tls,
            metrics_token=await trio.to_thread.run_sync(_metrics_token, options.folder),
            pages=await trio.to_thread.run_sync(outside.pages),
            capacity=await trio.to_thread.run_sync(read_capacity, options.folder, pool.size),
            own_hosts=lambda: own_names(socket.gethostname(), interface_addresses()),
        )
        app, table = create_app(services, *outside.parts(services))
        policy = Policy(refuse=lambda address: auth.lockout.address_blocked(address, trio.current_time()))
        nursery = await stack.enter_async_context(trio.open_nursery())
        stack.callback(nursery.cancel_scope.cancel)
        nursery.start_soon(supervise, "recording checks", checks.run, board)
        if options.online:
            await nursery.start(newsroom.run)
            if outside.warm:
                nursery.start_soon(_attempt, "workers", pool.warm, board)
            tasks: dict[str, Callable[[], Awaitable[object]]] = {
                "camera poller": poller.run,
                "removals": removals.run,
                "events": events.run,
                "recorder": recorder.run,
                "recordings": recorder.tend,
                "retention": recorder.retention.run,
                "stock": partial(services.stock.run, partial(_tell_recording, recorder)),
                "load": partial(_sample, load, services),
                "networks": partial(watch_networks, audience),
                "settings": partial(_obey_settings, settings, policy, logs, audience),
                "disk": partial(watch_disk, options.folder, board),
                "log": partial(watch_log, logs, board),
            }
            for name, task in tasks.items():
                nursery.start_soon(supervise, name, task, board)
        bound = await nursery.start(partial(serve, app, binds, tls=tls, policy=policy, on_stop=newsroom.stop))
        services.https_port = bound.https_ports[0] if bound.https_ports else 0
        services.http_port = bound.http_ports[0] if bound.http_ports else 0
        yield Appliance(services, table, bound, await _ready(options, services, bound, first))


def _binds(options: Options, settings: Settings) -> Binds:
    """Where to listen.  Raises `Fault` where plain HTTP would be open to the network."""
    unix = options.folder / CONTROL_SOCKET
    if not options.online:
        return Binds(unix=unix)
    tab = settings.tab(ConnectivityTab)
    http = tab.http_port if options.http is None else options.http
    https = tab.https_port if options.https is None else options.https
    if https == 0 and options.bind not in LOOPBACK:
        raise invalid(
            "not_encrypted",
            "Without HTTPS everybody on the network could read passwords and pictures.",
            "Leave HTTPS on, or serve this machine only: --bind 127.0.0.1",
            field="https",
        )
    if http == https == 0:
        raise invalid(
            "no_port", "Both ports are off: there is nothing to serve.", "Leave one of them on.", field="http"
        )

    def at(port: int | str) -> tuple[Address, ...]:
        return () if port == 0 else ((options.bind, 0 if port == "auto" else int(port)),)

    return Binds(http=at(http), https=at(https), unix=unix)


async def _ready(options: Options, services: Services, bound: Bound, first: FirstPassword | None) -> Ready:
    host = "localhost" if options.bind == ALL_INTERFACES else options.bind
    shown = f"[{host}]" if ":" in host else host
    urls = [f"http://{shown}:{port}" for port in bound.http_ports]
    urls += [f"https://{shown}:{port}" for port in bound.https_ports]
    return Ready(tuple(urls), first, await services.authority_fingerprint())


def _metrics_token(folder: Path) -> Secret:
    """The token that Prometheus shows; made once, readable by whoever may read the data folder."""
    path = folder / METRICS_TOKEN
    token = ""
    with suppress(FileNotFoundError, UnicodeDecodeError):
        token = path.read_text(encoding="ascii").strip()
    if not token:  # nobody is let in by an empty one
        token = secrets.token_urlsafe(32)
        write_whole(path, token.encode() + b"\n")
    return Secret(token)


async def _attempt(name: str, task: Callable[[], Awaitable[object]], board: Board) -> None:
    """Something that has to be done once: tried again until it succeeds, and what it fails for wants attention."""
    while True:
        try:
            await task()
        except Fault as fault:
            board.attend(name, Attention(fault.code, fault.message, fault.hint, Severity.URGENT, fault.details))
            await trio.sleep(RETRY_S)
        else:
            board.attend(name, None)
            return


async def _sample(load: Load, services: Services) -> None:
    while True:
        sample = load.sample(trio.current_time(), services.pool.workers, services.audience.bytes_sent)
        if services.levels.see(sample):
            services.audience.decide()
        await rest(SAMPLE_S)


def _tell_recording(recorder: Recorder, camera_id: str) -> None:
    recorder.changes.publish(RecordingChanged(camera_id, recorder.state(camera_id).value))


async def _obey_settings(settings: Settings, policy: Policy, logs: Logs, audience: Audience) -> None:
    """What can follow a change of settings without a restart."""
    while True:
        audience.decide()
        timeout = float(settings.tab(ConnectivityTab).client_timeout_s)
        policy.limits = ConnectionLimits(silence_s=timeout)
        logs.keep(settings.tab(GeneralTab).log_days)
        with settings.changes.listen() as listener:
            await listener.receive()
