"""TLS on the socket: handshakes that are slow, wrong or many; certificates that change."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from typing import Any

import pytest
import trio
import trio.testing

from appliance.serve.connection import ConnectionLimits, Policy
from appliance.serve.streams import DirectStream
from appliance.serve.tls import STEPS_AT_ONCE, SocketTlsStream, TlsListener
from tests.serve.support import GET, LOOPBACK, Certificates, connected, serving


async def test_a_new_certificate_is_for_new_handshakes_and_open_connections_stay() -> None:
    tls = Certificates()
    async with serving(tls=tls) as bound:
        port = bound.https_ports[0]
        async with connected(port, tls.client()) as before:
            assert (await before.ask(GET)).status == 200
            tls.context = tls.make("another")
            async with connected(port, tls.client()) as after:
                assert (await after.ask(GET)).status == 200
                names = [common_name(client.stream) for client in (before, after)]
                assert names == ["localhost", "another"]
            assert (await before.ask(GET)).status == 200


def common_name(stream: Any) -> str:
    return str(dict(part[0] for part in stream.getpeercert()["subject"])["commonName"])


async def test_a_handshake_that_does_not_come_is_not_waited_for_longer_than_allowed() -> None:
    tls = Certificates()
    policy = Policy(ConnectionLimits(handshake_s=0.2))
    async with serving(tls=tls, policy=policy) as bound, connected(bound.https_ports[0]) as silent:
        began = trio.current_time()
        assert await silent.end() == b""
        assert trio.current_time() - began < 5


async def test_plain_http_on_the_tls_port_ends_the_connection_only() -> None:
    tls = Certificates()
    async with serving(tls=tls) as bound:
        async with connected(bound.https_ports[0]) as wrong:
            await wrong.send(GET)
            await wrong.end()
        async with connected(bound.https_ports[0], tls.client()) as right:
            assert (await right.ask(GET)).status == 200


async def test_stalled_handshakes_do_not_keep_others_out() -> None:
    tls = Certificates()
    async with serving(tls=tls) as bound, trio.open_nursery() as nursery:
        for _ in range(4 * STEPS_AT_ONCE):
            nursery.start_soon(stall, bound.https_ports[0])
        await trio.sleep(0.05)
        with trio.fail_after(2):
            async with connected(bound.https_ports[0], tls.client()) as client:
                assert (await client.ask(GET)).status == 200
        nursery.cancel_scope.cancel()


async def stall(port: int) -> None:
    async with connected(port) as client:
        await client.send(b"\x16\x03\x01\x02\x00\x01")
        await trio.sleep_forever()


async def test_a_flood_of_handshakes_leaves_the_loop_to_others() -> None:
    """All come at once; each turn of the loop holds a few steps of them, so nobody waits for all."""
    tls = Certificates()
    steps_in_turn = [0]

    class Counting(SocketTlsStream):
        def _step(self) -> Any:
            steps_in_turn[-1] += 1
            return super()._step()

    async def count_turns() -> None:
        while True:
            steps_in_turn.append(0)
            await trio.lowlevel.checkpoint()

    async def shake_hands(server: SocketTlsStream, client: trio.SSLStream[trio.SocketStream]) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.do_handshake)
            nursery.start_soon(client.do_handshake)
        server.close()
        await trio.aclose_forcefully(client)

    gate = trio.CapacityLimiter(STEPS_AT_ONCE)
    with trio.fail_after(10):
        async with trio.open_nursery() as counting:
            counting.start_soon(count_turns)
            async with trio.open_nursery() as nursery:
                for _ in range(40):
                    ours, theirs = socket.socketpair()
                    nursery.start_soon(
                        shake_hands, Counting(ours, lambda: tls.context, gate), client_side(theirs, tls.client())
                    )
            counting.cancel_scope.cancel()
    assert sum(steps_in_turn) >= 80
    # the order within a turn is random: what two turns hold may fall between two counts
    assert max(steps_in_turn) <= 2 * STEPS_AT_ONCE


def client_side(sock: socket.socket, context: ssl.SSLContext) -> trio.SSLStream[trio.SocketStream]:
    sock.settimeout(0)
    stream = trio.SocketStream(trio.socket.from_stdlib_socket(sock))
    return trio.SSLStream(stream, context, server_hostname="localhost")


async def test_accepting_does_not_wait_for_the_handshake() -> None:
    tls = Certificates()
    listeners = await trio.open_tcp_listeners(0, host=LOOPBACK)
    async with TlsListener(listeners[0], tls) as listener, trio.open_nursery() as nursery:
        address = listeners[0].socket.getsockname()
        first = await trio.open_tcp_stream(*address)
        second = await trio.open_tcp_stream(*address)
        with trio.fail_after(2):
            accepted = [await listener.accept(), await listener.accept()]
        for stream in (*accepted, first, second):
            await stream.aclose()
        nursery.cancel_scope.cancel()


async def test_a_plain_send_cancelled_before_a_byte_has_gone_leaves_the_stream_whole() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        stream = DirectStream(ours)
        while stream.try_send(b"x" * 1000):
            pass
        with trio.move_on_after(0.05) as scope:
            await stream.send_all(b"y")
        assert scope.cancelled_caught
        assert stream.usable
        stream.close()


async def test_what_was_offered_to_openssl_cannot_be_taken_back() -> None:
    """It is encrypted already: cancelled before a byte of it has gone, the stream can only be given up."""
    tls = Certificates()
    ours, theirs = socket.socketpair()
    server, client = SocketTlsStream(ours, lambda: tls.context), client_side(theirs, tls.client())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.do_handshake)
        nursery.start_soon(client.do_handshake)
    with trio.move_on_after(0.05) as scope:
        while True:
            await server.send_all(b"y" * 1000)
    assert scope.cancelled_caught
    assert not server.usable
    with pytest.raises(trio.BrokenResourceError):
        server.try_send(b"z")
    server.close()
    await trio.aclose_forcefully(client)


async def test_both_directions_at_once_stay_in_order() -> None:
    """Reading and writing at the same time, with sockets that are full most of the time."""
    tls = Certificates()
    ours, theirs = socket.socketpair()
    for sock in (ours, theirs):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    server = SocketTlsStream(ours, lambda: tls.context)
    client = client_side(theirs, tls.client())
    data = bytes(range(256)) * 4096
    received: dict[str, bytearray] = {"client": bytearray(), "server": bytearray()}

    async def read(stream: trio.abc.ReceiveStream, name: str) -> None:
        while len(received[name]) < len(data):
            received[name] += await stream.receive_some(10_000)

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.do_handshake)
            nursery.start_soon(server.do_handshake)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.send_all, data)
            nursery.start_soon(client.send_all, data)
            nursery.start_soon(read, client, "client")
            nursery.start_soon(read, server, "server")
        assert received["client"] == received["server"] == data
        await trio.aclose_forcefully(client)
        server.close()


async def test_the_end_is_said_so_that_nothing_can_be_cut_off_unnoticed() -> None:
    """A client that insists on close_notify sees one; without it the end of an answer could be forged."""
    tls = Certificates()

    def ask(port: int) -> bytes:
        with (
            socket.create_connection((LOOPBACK, port), timeout=5) as sock,
            tls.client().wrap_socket(sock, server_hostname="localhost", suppress_ragged_eofs=False) as client,
        ):
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = b""
            while data := client.recv(4096):
                answer += data
            return answer

    async with serving(tls=tls) as bound:
        assert (await trio.to_thread.run_sync(ask, bound.https_ports[0])).endswith(b"hello")


async def test_openssl_may_renegotiate_keys_but_not_the_connection() -> None:
    openssl = shutil.which("openssl")
    assert openssl, "this test needs openssl"
    tls = Certificates()
    async with serving(tls=tls) as bound:
        for version, command in (("-tls1_3", b"K\n"), ("-tls1_2", b"")):
            done = await trio.run_process(
                [openssl, "s_client", "-connect", f"{LOOPBACK}:{bound.https_ports[0]}", version, "-quiet"],
                stdin=command + b"GET / HTTP/1.1\nHost: localhost\nConnection: close\n\n".replace(b"\n", b"\r\n"),
                capture_stdout=True, stderr=subprocess.DEVNULL, check=False,
            )  # fmt: skip
            assert b"HTTP/1.1" in done.stdout


async def test_a_plain_stream_tells_when_the_other_side_is_gone() -> None:
    ours, theirs = socket.socketpair()
    stream = DirectStream(ours)
    theirs.close()
    with pytest.raises(trio.BrokenResourceError):
        stream.try_send(b"x")
    assert not stream.usable
    with pytest.raises(trio.BrokenResourceError):
        await stream.send_all(b"x")
    await stream.aclose()
    with pytest.raises(trio.ClosedResourceError):
        await stream.receive_some()


async def test_whoever_waits_on_a_stream_that_is_closed_is_woken() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        stream = DirectStream(ours)
        async with trio.open_nursery() as nursery:

            async def wait() -> None:
                with pytest.raises(trio.ClosedResourceError):
                    await stream.receive_some()

            nursery.start_soon(wait)
            await trio.testing.wait_all_tasks_blocked()
            stream.abort()


async def test_an_untrusted_certificate_is_the_clients_to_refuse() -> None:
    tls = Certificates()
    async with serving(tls=tls) as bound:
        with pytest.raises(trio.BrokenResourceError) as refused:
            async with connected(bound.https_ports[0], ssl.create_default_context()) as client:
                await client.send(GET)
        assert isinstance(refused.value.__cause__, ssl.SSLCertVerificationError)
        async with connected(bound.https_ports[0], tls.client()) as client:
            assert (await client.ask(GET)).status == 200
