"""F9: the name server that knows the cameras' names does not answer.  The wait is bounded and told; all else goes on.

For real: the appliance asks a name server that hears and says nothing, in a network namespace of its own, for the names
of as many cameras as a large house has, again and again, as somebody wants to watch each of them.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trio
import trio_websocket

from appliance.sites.names import AT_ONCE, Names
from appliance.sites.rtsp.connection import CONNECT_WITHIN_S, dial_tcp
from appliance.sites.rtsp.source import open_rtsp
from appliance.sites.rtsp.target import RtspTarget
from appliance.sites.source import SourceError, Trouble
from tests.cli.program import LOOPBACK, running
from tests.faults.namespaces import two_machines
from tests.faults.watching import watching
from tests.peers.cameras import running_cameras
from tests.streams.scripted import TrioClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.program import Server

PASSWORD = "seven gulls over the pier"
CAMERAS = 64
WATCHED_S = 6.0
#: A sign-in, or a page, may take so much longer than before: less than until the system gives up a name.
SOON_S = 4.0
#: What the process runs beside lookups: the decoders' pipes, the store, hashing, Python's own.
OTHER_THREADS = 16

pytestmark = pytest.mark.peer


@contextmanager
def silent_server() -> Iterator[list[str]]:
    """A name server at 127.0.0.1 that answers nothing; the names that it was asked for."""
    asked: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((LOOPBACK, 53))
        sock.settimeout(0.2)
        over = threading.Event()

        def hear() -> None:
            while not over.is_set():
                try:
                    query = sock.recv(512)
                except TimeoutError:
                    continue
                labels, at = [], 12
                while query[at]:
                    labels.append(query[at + 1 : at + 1 + query[at]].decode())
                    at += 1 + query[at]
                asked.append(".".join(labels))

        listener = threading.Thread(target=hear, name="name server")
        listener.start()
        try:
            yield asked
        finally:
            over.set()
            listener.join(5)


@dataclass
class Tiles:
    """Somebody who wants to watch many cameras at once, in a thread of their own: what each was told."""

    told: dict[str, list[str]] = field(default_factory=dict)  # states and reasons, by camera id
    _stop: threading.Event = field(default_factory=threading.Event)

    async def watch(self, server: Server, trust: ssl.SSLContext, ids: list[str]) -> None:
        async with trio.open_nursery() as nursery:
            for camera_id in ids:
                nursery.start_soon(self._watch_one, server, trust, camera_id)
            while not self._stop.is_set():  # noqa: ASYNC110 (by another thread)
                await trio.sleep(0.1)
            nursery.cancel_scope.cancel()

    async def _watch_one(self, server: Server, trust: ssl.SSLContext, camera_id: str) -> None:
        told = self.told.setdefault(camera_id, [])
        stream = await trio.open_ssl_over_tcp_stream(LOOPBACK, server.port, https_compatible=True, ssl_context=trust)
        headers = [(b"Authorization", f"Bearer {server.token}".encode())]
        try:
            async with trio.open_nursery() as nursery:
                path = f"/api/v1/cameras/{camera_id}/live"
                host = f"{LOOPBACK}:{server.port}"
                client = await trio_websocket.wrap_client_stream(nursery, stream, host, path, extra_headers=headers)
                await client.send_message('{"type":"want","width":320,"height":180}')
                while True:
                    message = await client.get_message()
                    assert isinstance(message, str)
                    if (state := json.loads(message))["type"] == "status":
                        told.append(f"{state['state']} {state['reason']}")
        finally:
            await trio.aclose_forcefully(stream)


@contextmanager
def wanting(inside: partial[object], server: Server, trust: ssl.SSLContext, ids: list[str]) -> Iterator[Tiles]:
    tiles = Tiles()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            with inside():  # type: ignore[attr-defined]
                trio.run(tiles.watch, server, trust, ids)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, name="tiles")
    thread.start()
    try:
        yield tiles
    finally:
        tiles._stop.set()
        thread.join(20)
        assert not thread.is_alive()
    if failures:
        raise failures[0]


def test_f9_a_house_full_of_names_that_nobody_answers_leaves_live_and_sign_in_untouched() -> None:
    with tempfile.TemporaryDirectory(prefix="fanal-") as name, two_machines() as net, net.inside(net.house):
        resolver = Path(name) / "resolv.conf"
        resolver.write_text(f"nameserver {LOOPBACK}\n")
        # mounts of its own, where that file is the system's
        own = ["unshare", "--mount", "sh", "-e", "-c", f'mount --bind {resolver} /etc/resolv.conf; exec "$@"', "sh"]
        folder = Path(name) / "data"
        with silent_server() as asked, running_cameras() as cameras, running(folder, prefix=own) as server:
            tell(server, "camera", "add", "Gate", cameras.url(), "--sub", cameras.url("/sub"))
            tell(server, "user", "add", "anna", "--password-stdin", told=f"{PASSWORD}\n")
            tell(server, "user", "set", "anna", "live=all")
            tell(server, "config", "set", "performance.streams_per_user", "500")
            server.sign_in("admin", server.first_password())
            for number in range(CAMERAS):
                url = f"rtsp://camera-{number}.lan/live"
                status, answer = server.ask("POST", "/api/v1/admin/cameras", {"name": f"Dark {number}", "url": url})
                assert status in (200, 201), answer
            server.sign_in("anna", PASSWORD)
            known = {camera["name"]: camera["id"] for camera in server.ask("GET", "/api/v1/cameras")[1]["cameras"]}
            dark = [id_ for name, id_ in known.items() if name.startswith("Dark")]
            authority = (folder / "tls" / "authority.pem").read_text()
            inside = partial(net.inside, net.house)
            to_watch = (LOOPBACK, server.port, f"/api/v1/cameras/{known['Gate']}/live", server.token, authority)
            with watching(inside, *to_watch) as watcher:
                watcher.wait(lambda: watcher.pictures > 10 and watcher.behind_s < 1)
                usual_s = max(ways_in(server) for _ in range(3))
                with wanting(inside, server, ssl.create_default_context(cadata=authority), dark) as tiles:
                    watcher.wait(lambda: len(set(asked)) > AT_ONCE // 2)
                    watcher.forget()
                    before, slowest_s, threads = watcher.pictures, 0.0, 0
                    end = time.monotonic() + WATCHED_S
                    while time.monotonic() < end:
                        slowest_s = max(slowest_s, ways_in(server))
                        threads = max(threads, threads_of(server.pid))
                        time.sleep(0.2)
                    print(
                        f"{CAMERAS} names, {len(asked)} questions, {threads} threads; sign-in and metrics in "
                        f"{slowest_s:.2f} s (before: {usual_s:.2f} s), live {watcher.worst_s:.2f} s behind at most"
                    )
                    assert slowest_s < usual_s + SOON_S
                    assert watcher.worst_s < 2
                    assert watcher.pictures - before > WATCHED_S * 10 / 2
                    assert not watcher.left_out
                    assert threads < AT_ONCE + OTHER_THREADS
                    watcher.wait(lambda: sum("lost timeout" in told for told in tiles.told.values()) == CAMERAS)
            assert len(set(asked)) == CAMERAS


async def test_f9_a_name_that_is_not_answered_is_a_timeout_and_others_are_reached_meanwhile() -> None:
    """A hundred cameras of one name that hangs, and one whose name is known."""
    answer = threading.Event()
    waited: list[float] = []

    def resolve(host: bytes, port: int, **_: object) -> list[tuple[object, ...]]:
        if host == b"camera.lan":
            assert answer.wait(20)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (LOOPBACK, port))]

    names = Names(resolve)
    (listener,) = await trio.open_tcp_listeners(0, host=LOOPBACK)
    reached = trio.Event()

    async def ask(host: str) -> SourceError:
        began = trio.current_time()
        target = RtspTarget.from_url(f"rtsp://{host}:{listener.socket.getsockname()[1]}/")
        with pytest.raises(SourceError) as caught:
            async with open_rtsp(target, TrioClock(), dial=partial(dial_tcp, names=names)):
                pytest.fail("nobody speaks RTSP there")
        waited.append(trio.current_time() - began)
        return caught.value

    async def serve(stream: trio.SocketStream) -> None:
        reached.set()
        await stream.aclose()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, serve, [listener])
        async with trio.open_nursery() as asking:
            for _ in range(100):
                asking.start_soon(ask, "camera.lan")
            await trio.testing.wait_all_tasks_blocked()
            assert names.running == 1
            with trio.fail_after(SOON_S):
                await ask("other.lan")
            assert reached.is_set()
            assert len(waited) == 1  # it did not wait for the others
        assert max(waited) == pytest.approx(CONNECT_WITHIN_S, abs=1)
        error = await ask("camera.lan")
        assert (error.trouble, error.message) == (Trouble.TIMEOUT, "No name server answers what camera.lan is.")
        answer.set()  # too late for all of them, but the next does not wait
        while names.running:  # noqa: ASYNC110 (a thread changes it)
            await trio.sleep(0.01)
        with trio.fail_after(SOON_S):
            assert (await ask("camera.lan")).trouble == Trouble.CAMERA_LOST
        nursery.cancel_scope.cancel()


def tell(server: Server, *words: str, told: str = "") -> None:
    done = server.command(*words, stdin=told)
    assert done.code == 0, done.err


def ways_in(server: Server) -> float:
    """How long it takes to sign in, which hashes, and to read the metrics, which are written in a thread."""
    began = time.monotonic()
    server.sign_in("anna", PASSWORD)
    status, _ = server.ask("GET", "/metrics", token=(server.folder / "metrics-token").read_text().strip())
    assert status == 200
    return time.monotonic() - began


def threads_of(pid: int) -> int:
    found = re.search(r"^Threads:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1])
