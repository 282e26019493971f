"""HTTP/1.1 over real sockets: what is served, what is refused, what is not waited for."""

from __future__ import annotations

import http.client
import shutil
import subprocess
from contextlib import suppress

import pytest
import trio

from appliance.serve.connection import ConnectionLimits, Policy
from tests.serve.support import GET, LOOPBACK, Certificates, connected, serving

QUICK = ConnectionLimits(head_s=0.5, body_idle_s=0.5, keep_alive_s=0.5)


async def test_requests_are_answered_one_after_the_other_on_one_connection() -> None:
    async with serving() as bound, connected(bound.http_ports[0]) as client:
        for _ in range(3):
            answer = await client.ask(GET)
            assert (answer.status, answer.body) == (200, b"hello")
            assert "server" not in answer.headers


async def test_the_standard_librarys_client_is_content() -> None:
    def ask(port: int) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
        try:
            connection.request("POST", "/echo", body=b"x" * 300_000)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    async with serving() as bound:
        assert await trio.to_thread.run_sync(ask, bound.http_ports[0]) == (200, b"x" * 300_000)


async def test_curl_is_content_and_stays_with_http_1() -> None:
    curl = shutil.which("curl")
    assert curl, "this test needs curl"
    tls = Certificates()
    async with serving(tls=tls) as bound:
        for url, *options in (
            (f"http://{LOOPBACK}:{bound.http_ports[0]}/", "--http2"),
            (f"https://{LOOPBACK}:{bound.https_ports[0]}/", "--http2", "--insecure"),
        ):
            done = await trio.run_process(
                [curl, "--silent", "--show-error", "--max-time", "5", "--write-out", " %{http_version}", *options, url],
                capture_stdout=True,
            )
            assert done.stdout == b"hello 1.1"


async def test_a15_http_2_without_asking_is_answered_505() -> None:
    async with serving() as bound, connected(bound.http_ports[0]) as client:
        answer = await client.ask(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert answer.status == 505
        await client.end()


async def test_a15_an_offer_of_h2c_is_ignored() -> None:
    offer = (
        b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\n"
        b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
    )
    async with serving() as bound, connected(bound.http_ports[0]) as client:
        for _ in range(2):
            answer = await client.ask(offer)
            assert (answer.status, answer.body) == (200, b"hello")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
        (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400),
        (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc", 400),
        (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\nabc", 400),
        (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\nabc", 400),
        (b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        (b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: a\n\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
        (b"GET ?a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 17_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 200 + b"\r\n", 431),
        (b"GET /" + b"x" * 17_000, 431),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
    ],
)
async def test_a16_what_two_servers_could_read_in_two_ways_is_refused(request_: bytes, status: int) -> None:
    """In one piece, cut anywhere, and behind a good request: refused alike, and the connection ends."""
    async with serving() as bound:
        async with connected(bound.http_ports[0]) as client:
            assert (await client.ask(request_)).status == status
            assert await client.end() == b""
        async with connected(bound.http_ports[0]) as client:
            assert (await client.ask(GET)).status == 200
            assert (await client.ask(request_)).status == status
            assert await client.end() == b""
        async with connected(bound.http_ports[0]) as client:
            await client.send(request_[: len(request_) // 2])
            await trio.sleep(0.01)
            await client.send(request_[len(request_) // 2 :])
            assert (await client.answer()).status == status


@pytest.mark.parametrize(
    "body",
    [b"3\nabc\r\n0\r\n\r\n", b"3\r\nabc0\r\n\r\n", b"-3\r\nabc\r\n", b"0x3\r\nabc\r\n", b"z" * 20_000],
)
async def test_a_wrong_chunk_ends_the_request(body: bytes) -> None:
    async with serving() as bound, connected(bound.http_ports[0]) as client:
        await client.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
        answer = await client.answer()
        assert answer.status in (400, 431)
        await client.end()


async def test_a_target_in_absolute_form_names_the_host() -> None:
    async with serving() as bound, connected(bound.http_ports[0]) as client:
        answer = await client.ask(b"GET http://cameras.local:8081/who?x=1 HTTP/1.1\r\nHost: other\r\n\r\n")
        assert b'"host":"cameras.local:8081"' in answer.body.replace(b" ", b"")
        assert b'"path":"/who"' in answer.body.replace(b" ", b"")


async def test_headers_that_do_not_come_are_waited_for_once() -> None:
    async with serving(policy=Policy(QUICK)) as bound:
        async with connected(bound.http_ports[0]) as silent:
            assert await silent.end() == b""
        async with connected(bound.http_ports[0]) as slow:
            began = trio.current_time()
            await slow.send(b"GET / HTTP/1.1\r\nHost: a\r\n")

            async def drip() -> None:
                while True:
                    await trio.sleep(0.05)
                    await slow.send(b"X: y\r\n")

            async with trio.open_nursery() as nursery:
                nursery.start_soon(drip)
                assert (await slow.answer()).status == 408
                nursery.cancel_scope.cancel()
            assert QUICK.head_s * 0.9 < trio.current_time() - began < 5


async def test_the_time_for_headers_starts_with_a_requests_first_byte() -> None:
    limits = ConnectionLimits(head_s=0.4, keep_alive_s=5.0)
    async with serving(policy=Policy(limits)) as bound, connected(bound.http_ports[0]) as client:
        assert (await client.ask(GET)).status == 200
        await trio.sleep(0.5)
        assert (await client.ask(GET)).status == 200
        await client.send(b"GET / HT")
        began = trio.current_time()
        assert (await client.answer()).status == 408
        assert 0.3 < trio.current_time() - began < 3


async def test_the_time_for_a_second_request_that_came_in_part_starts_when_its_turn_comes() -> None:
    limits = ConnectionLimits(head_s=0.5, keep_alive_s=10)
    async with serving(policy=Policy(limits)) as bound, connected(bound.http_ports[0]) as client:
        await client.send(b"GET /slow?s=0.6 HTTP/1.1\r\nHost: a\r\n\r\n" + GET[:10])
        assert (await client.answer()).body == b"done"
        await trio.sleep(0.1)
        await client.send(GET[10:] + GET[:10])
        assert (await client.answer()).status == 200
        with trio.fail_after(5):
            assert (await client.answer()).status == 408


async def test_an_idle_connection_is_closed_and_a_busy_one_is_not() -> None:
    async with serving(policy=Policy(QUICK)) as bound, connected(bound.http_ports[0]) as client:
        answer = await client.ask(b"GET /slow?s=0.7 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (answer.status, answer.body) == (200, b"done")
        began = trio.current_time()
        assert await client.end() == b""
        assert 0.4 < trio.current_time() - began < 5


async def test_an_upload_may_be_slow_but_not_stop() -> None:
    async with serving(policy=Policy(QUICK)) as bound:
        async with connected(bound.http_ports[0]) as client:
            await client.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n")
            for _ in range(8):
                await trio.sleep(0.08)  # in all longer than a pause may be
                await client.send(b"x")
            assert (await client.answer()).body == b"x" * 8
        async with connected(bound.http_ports[0]) as client:
            await client.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nxx")
            assert await client.end() == b""


async def test_a_download_that_is_not_read_is_given_up() -> None:
    limits = ConnectionLimits(send_s=0.3)
    async with serving(policy=Policy(limits)) as bound, connected(bound.http_ports[0]) as client:
        await client.send(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        assert await client.exactly(1) == b"H"
        with trio.fail_after(5):
            await bound.connections.wait_none()


async def test_connection_close_closes_at_once() -> None:
    """Hypercorn leaves the socket open: its close is cancelled together with the request (quart-trio does that)."""
    async with serving() as bound, connected(bound.http_ports[0]) as client:
        with trio.fail_after(3):
            answer = await client.ask(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert (answer.status, answer.body) == (200, b"hello")
            assert await client.end() == b""


async def test_an_answer_reaches_a_client_that_is_still_sending() -> None:
    """A close with unread bytes is a reset, which would take the answer with it."""
    async with serving() as bound, connected(bound.http_ports[0]) as client:
        await client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 300_000)
        await trio.sleep(0.1)
        assert (await client.answer()).status == 431


async def test_a_client_that_leaves_while_it_is_answered_leaves_nothing_behind() -> None:
    async with serving() as bound:
        for request in (
            b"GET /slow?s=30 HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET /slow?s=30 HTTP/1.1\r\nHost: a\r\n\r\n" + GET,  # bytes of a second request wait
            b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n",
        ):
            async with connected(bound.http_ports[0]) as client:
                await client.send(request)
                await trio.sleep(0.05)
                assert len(bound.connections) == 1
            with trio.fail_after(4):
                await bound.connections.wait_none()


async def test_who_sends_far_too_much_early_is_hung_up_on() -> None:
    async with serving() as bound, connected(bound.http_ports[0]) as client:
        await client.send(b"GET /slow?s=10 HTTP/1.1\r\nHost: a\r\n\r\n")
        with suppress(trio.BrokenResourceError):
            await client.send(GET * 10_000)
        with trio.fail_after(3):
            await client.end()
            await bound.connections.wait_none()


async def test_many_requests_sent_early_are_answered_in_turn() -> None:
    async with serving() as bound, connected(bound.http_ports[0]) as client:
        await client.send(GET * 200)
        for _ in range(200):
            assert (await client.answer()).body == b"hello"


async def test_a_second_request_sent_early_is_answered_second() -> None:
    async with serving() as bound, connected(bound.http_ports[0]) as client:
        await client.send(b"GET /slow?s=0.1 HTTP/1.1\r\nHost: a\r\n\r\n" + GET)
        assert (await client.answer()).body == b"done"
        assert (await client.answer()).body == b"hello"


async def test_an_address_that_is_locked_out_gets_429_before_the_application() -> None:
    asked: list[str] = []

    def refuse(address: str) -> float:
        asked.append(address)
        return 41.2

    async def app(scope: dict[str, object], receive: object, send: object) -> None:
        assert scope["type"] == "lifespan", "the application was reached"

    async with serving(app, policy=Policy(refuse=refuse)) as bound, connected(bound.http_ports[0]) as client:
        answer = await client.ask(GET)
        assert (answer.status, answer.headers["retry-after"]) == (429, "42")
        assert b'"code":"locked"' in answer.body
        await client.end()
    assert asked == [LOOPBACK]


async def test_a_failing_application_costs_its_request_only() -> None:
    async def app(scope: dict[str, object], receive: object, send: object) -> None:
        if scope["type"] == "http":
            raise RuntimeError("broken on purpose")

    async with serving(app) as bound, connected(bound.http_ports[0]) as client:
        for _ in range(2):
            assert (await client.ask(GET)).status == 500
            await client.end()
            break
        async with connected(bound.http_ports[0]) as another:
            assert (await another.ask(GET)).status == 500


def test_openssl_is_offered_no_http_2() -> None:
    openssl = shutil.which("openssl")
    assert openssl, "this test needs openssl"
    tls = Certificates()

    async def main() -> None:
        async with serving(tls=tls) as bound:
            done = await trio.run_process(
                [openssl, "s_client", "-connect", f"{LOOPBACK}:{bound.https_ports[0]}", "-alpn", "h2,http/1.1"],
                capture_stdout=True, stderr=subprocess.DEVNULL, stdin=b"",
            )  # fmt: skip
            assert b"ALPN protocol: http/1.1" in done.stdout

    trio.run(main)
