"""The server as a whole: where it listens, who gets in, how it starts and stops."""

from __future__ import annotations

import json
import logging
import os
import struct
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import trio
import trio.testing
from quart import websocket
from quart_trio import QuartTrio

from appliance.base.faults import Fault
from appliance.serve import config, runner
from appliance.serve.binding import ALL_INTERFACES, Binds
from appliance.serve.connection import ConnectionLimits, Policy
from appliance.serve.frames import Opcode
from appliance.serve.limits import Admission, AdmissionLimits, Turned
from appliance.serve.runner import Bound, serve
from tests.serve.support import GET, LOOPBACK, Certificates, Raw, connected, make_app, serving, upgrade

if TYPE_CHECKING:
    from pathlib import Path


def asked_who(answer_body: bytes) -> dict[str, Any]:
    return dict(json.loads(answer_body))


WHO = b"GET /who HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def test_the_application_sees_who_it_talks_to() -> None:
    tls = Certificates()
    async with serving(tls=tls) as bound:
        async with connected(bound.http_ports[0]) as client:
            who = asked_who((await client.ask(WHO)).body)
            assert (who["peer"], who["remote"], who["local"], who["secure"]) == (LOOPBACK, LOOPBACK, False, False)
        async with connected(bound.https_ports[0], tls.client()) as client:
            who = asked_who((await client.ask(WHO)).body)
            assert (who["secure"], who["scheme"]) == (True, "https")


async def test_ipv4_through_a_socket_for_both_is_ipv4() -> None:
    binds = Binds(http=[(ALL_INTERFACES, "auto")])
    async with serving(binds=binds) as bound, connected(bound.http_ports[0]) as client:
        who = asked_who((await client.ask(WHO)).body)
        assert (who["peer"], who["remote"]) == (LOOPBACK, LOOPBACK)


async def test_the_local_socket_serves_the_same_and_says_who_asks(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"

    def never(_: str) -> float:
        raise AssertionError("nobody is locked out here")

    async with serving(binds=Binds(unix=path), policy=Policy(refuse=never)) as bound:
        assert (bound.http_ports, bound.https_ports, bound.unix) == ((), (), path)
        async with await trio.open_unix_socket(path) as stream:
            who = asked_who((await Raw(stream).ask(WHO)).body)
            assert (who["peer"], who["local"], who["uid"]) == ("local", True, os.getuid())
    assert not path.exists()


async def test_the_local_socket_is_closed_to_other_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "control.sock"
    monkeypatch.setattr(runner, "peer_uid", lambda _: 4711)
    async with serving(binds=Binds(unix=path)), await trio.open_unix_socket(path) as stream:
        client = Raw(stream)
        with suppress(trio.BrokenResourceError):
            await client.send(WHO)
        assert await client.end() == b""


async def test_a_fault_of_listening_comes_out_as_it_is(nursery: trio.Nursery) -> None:
    async with serving() as bound:
        binds = Binds(http=[(LOOPBACK, bound.http_ports[0])])
        with pytest.raises(Fault) as fault:
            await nursery.start(partial(serve, make_app(), binds))
        assert fault.value.code == "port_in_use"


async def test_an_application_that_does_not_start_is_a_fault(caplog: pytest.LogCaptureFixture) -> None:
    app = QuartTrio("tests.serve", static_folder=None)

    @app.before_serving
    async def fail() -> None:
        raise RuntimeError("no store, token=abcdef")

    async def raises(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("no store, token=abcdef")

    for failing in (app, raises):
        with pytest.raises(Fault) as fault:
            await serve(failing, Binds(http=[(LOOPBACK, 0)]))
        assert fault.value.code == "startup_failed"
        assert "no store" in fault.value.message
        assert "abcdef" not in fault.value.message


async def test_an_application_hears_of_start_and_end() -> None:
    heard: list[str] = []
    app = make_app()

    @app.before_serving
    async def start() -> None:
        heard.append("start")

    @app.after_serving
    async def end() -> None:
        heard.append("end")

    async with serving(app) as bound, connected(bound.http_ports[0]) as client:
        assert heard == ["start"]
        assert (await client.ask(GET)).status == 200
    assert heard == ["start", "end"]


class Stopping:
    """A server that is stopped by a trigger, or by cancelling the task it runs in."""

    def __init__(self, nursery: trio.Nursery, by: str) -> None:
        self._by = by
        self._event = trio.Event()
        self._scope = trio.CancelScope()
        self._nursery = nursery
        self.ended = trio.Event()

    async def start(self, **options: Any) -> Bound:
        bound: Bound = await self._nursery.start(self._run, options)
        return bound

    async def _run(self, options: dict[str, Any], task_status: trio.TaskStatus[Bound]) -> None:
        app = options.pop("app", None) or make_app()
        with self._scope:
            await serve(
                app, Binds(http=[(LOOPBACK, 0)]), stop=self._event.wait, task_status=task_status, **options
            )  # fmt: skip
        self.ended.set()

    def stop(self) -> None:
        if self._by == "trigger":
            self._event.set()
        else:
            self._scope.cancel()


BOTH_WAYS = pytest.mark.parametrize("by", ["trigger", "cancel"])


@BOTH_WAYS
async def test_requests_in_flight_are_finished_and_new_ones_are_not_accepted(by: str, nursery: trio.Nursery) -> None:
    server = Stopping(nursery, by)
    bound = await server.start()
    port = bound.http_ports[0]
    async with connected(port) as busy, connected(port) as idle:
        assert (await idle.ask(GET)).status == 200
        await busy.send(b"GET /slow?s=1 HTTP/1.1\r\nHost: a\r\n\r\n")
        await trio.sleep(0.1)
        began = trio.current_time()
        server.stop()
        assert await idle.end() == b""
        assert trio.current_time() - began < 0.8
        with pytest.raises(OSError, match=str(port)):
            await trio.open_tcp_stream(LOOPBACK, port)
        assert (await busy.answer()).body == b"done"
        assert await busy.end() == b""
    with trio.fail_after(2):
        await server.ended.wait()


@BOTH_WAYS
async def test_an_open_websocket_is_closed_with_1001(by: str, nursery: trio.Nursery) -> None:
    server = Stopping(nursery, by)
    bound = await server.start()
    async with connected(bound.http_ports[0]) as client:
        await client.send(upgrade())
        await client.until(b"\r\n\r\n")
        server.stop()
        opcode, payload = await client.message()
        assert (opcode, payload[:2]) == (Opcode.CLOSE, struct.pack("!H", 1001))
        assert await client.end() == b""
    with trio.fail_after(2):
        await server.ended.wait()


async def test_the_application_may_close_its_websockets_first(nursery: trio.Nursery) -> None:
    app = make_app()
    going = trio.Event()

    @app.websocket("/polite")
    async def polite() -> None:
        await websocket.accept()
        await going.wait()
        await websocket.send("goodbye")
        await websocket.close(1001, "the application said so")

    async def on_stop() -> None:
        going.set()
        await trio.sleep(0.1)

    server = Stopping(nursery, "trigger")
    bound = await server.start(app=app, on_stop=on_stop)
    async with connected(bound.http_ports[0]) as client:
        await client.send(upgrade("/polite"))
        await client.until(b"\r\n\r\n")
        server.stop()
        assert await client.message() == (Opcode.TEXT, b"goodbye")
        assert await client.message() == (Opcode.CLOSE, struct.pack("!H", 1001) + b"the application said so")


@BOTH_WAYS
async def test_who_does_not_end_in_time_is_cut(by: str, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "GRACE_S", 0.5)
    server = Stopping(nursery, by)
    bound = await server.start(on_stop=trio.sleep_forever)
    port = bound.http_ports[0]
    async with connected(port) as slow, connected(port) as deaf, connected(port) as half:
        await slow.send(b"GET /slow?s=60 HTTP/1.1\r\nHost: a\r\n\r\n")
        await deaf.send(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        await half.send(b"GET / HTTP/1.1\r\n")
        await trio.sleep(0.1)
        server.stop()
        with trio.fail_after(4):
            await server.ended.wait()
        assert await slow.end() == b""


async def test_an_on_stop_that_fails_does_not_keep_the_server(
    nursery: trio.Nursery, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        raise RuntimeError("broken on purpose")

    server = Stopping(nursery, "trigger")
    await server.start(on_stop=fail)
    server.stop()
    with trio.fail_after(2):
        await server.ended.wait()
    assert "failed to close" in caplog.text


async def test_above_the_rate_connections_are_late_and_not_refused() -> None:
    admission = Admission(AdmissionLimits(rate=20))
    async with serving(admission=admission) as bound:
        began = trio.current_time()
        answered: list[float] = []

        async def one() -> None:
            async with connected(bound.http_ports[0]) as client:
                assert (await client.ask(GET)).status == 200
                answered.append(trio.current_time() - began)

        async with trio.open_nursery() as nursery:
            for _ in range(30):
                nursery.start_soon(one)
        assert sum(1 for at in answered if at < 0.04) <= 20
        assert 0.45 < max(answered) < 5
        assert not any(admission.turned_away.values())


async def test_more_connections_than_allowed_are_turned_away() -> None:
    admission = Admission(AdmissionLimits(per_address=2))
    async with serving(admission=admission) as bound:
        port = bound.http_ports[0]
        async with connected(port) as first, connected(port) as second:
            assert (await first.ask(GET)).status == (await second.ask(GET)).status == 200
            async with connected(port) as third:
                assert await third.end() == b""
        assert admission.turned_away[Turned.ADDRESS_FULL] == 1
        with trio.fail_after(3):
            await bound.connections.wait_none()
        async with connected(port) as again:
            assert (await again.ask(GET)).status == 200


async def test_a_mistake_in_serving_one_client_does_not_end_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving() as bound, connected(bound.http_ports[0]) as good:
        assert (await good.ask(GET)).status == 200

        async def fail(self: object, *_: object) -> None:
            raise RuntimeError("broken on purpose")

        with monkeypatch.context() as broken:
            broken.setattr("appliance.serve.connection.Connection._read", fail)
            async with connected(bound.http_ports[0]) as bad:
                await bad.end()
            await trio.testing.wait_all_tasks_blocked(0.05)
        assert "a connection failed" in caplog.text
        assert (await good.ask(GET)).status == 200


def test_hypercorns_own_log_goes_where_ours_goes() -> None:
    made = config.hypercorn_config(ConnectionLimits())
    assert made.log.error_logger is logging.getLogger("appliance.serve.hypercorn")
    assert made.log.access_logger is None
    assert not [name for name, _ in made.response_headers("h11") if name == b"server"]
