"""The front door: plain HTTP and where it leads, host names, proxies, the trust page, certificates (A16, A22)."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
import trio

from appliance.web.front import PLAIN_PATHS
from tests.web.appliance import House, open_house
from tests.web.visitor import LOOPBACK

if TYPE_CHECKING:
    from tests.web.manners import Answer
    from tests.web.visitor import Visitor


async def plain(house: House, path: str, host: str | None, method: str = "GET") -> Answer:
    """Over plain HTTP, asked for under some name."""
    headers = {} if host is None else {"Host": host}
    return await house.stranger(tls=False).ask(method, path, headers=headers)


async def test_plain_http_sends_on_to_the_same_name_if_it_is_ours(house: House) -> None:
    await house.services.settings.change({"connectivity.host_names": ["fanal.example.org", "2001:db8::7"]}, by="test")
    own = socket.gethostname().lower()
    for host, there in (
        ("127.0.0.1", "127.0.0.1"), ("127.0.0.1:8081", "127.0.0.1"), ("localhost", "localhost"), ("[::1]:80", "[::1]"),
        ("LOCALHOST:1", "localhost"), (own, own), (f"{own}.local", f"{own}.local"),
        ("fanal.example.org.", "fanal.example.org"),
        ("FANAL.example.org:8081", "fanal.example.org"), ("[2001:db8:0::7]", "[2001:db8::7]"),
    ):  # fmt: skip
        for path in ("/", "/live/all?x=1&y=%2F", "/api/v1/cameras", "/metrics", "/a%0d%0aX:y", "//evil.example/"):
            answer = await plain(house, path, host)
            assert answer.status == 308
            shown = "/" + path.lstrip("/")
            assert answer.headers["location"] == f"https://{there}:{house.port}{shown}"
            assert answer.body == b""


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "127.0.0.2", "[::2]", "0x7f.1", "2130706433",
     "127.1", "fanal.example.org", "", ":80", "*", "-", "localhost%00", "xn--1ca", "xn--\x7a", "[:::]",
     "a" * 63 + "." + "b" * 63],
)  # fmt: skip
def test_an_unknown_name_gets_nothing(shared: House, host: str) -> None:
    visitor = shared.stranger(tls=False)
    for method, path in (("GET", "/"), ("POST", "/api/v1/session"), ("GET", "/api/v1/server")):
        answer = visitor.call(method, path, headers={"Host": host})
        assert (answer.status, answer.code) == (421, "unknown_host")
        assert "location" not in answer.headers
    assert visitor.call("GET", "/healthz", headers={"Host": host}).status == 200


async def test_plain_http_takes_no_password_and_gives_no_picture(house: House) -> None:
    camera = await house.camera()
    anna = await house.viewer("anna", camera)
    bare = house.stranger(token=anna.token, tls=False)
    signing_in = await bare.ask("POST", "/api/v1/session", {"username": "anna", "password": "x"})
    assert signing_in.status == 308
    for path in ("/api/v1/cameras", f"/api/v1/cameras/{camera.id}/snapshot.jpg", "/api/v1/events", "/index.html"):
        assert (await bare.get(path)).status == 308
    live = await trio.to_thread.run_sync(bare.shake_hands, f"/api/v1/cameras/{camera.id}/live")
    assert (live.status, live.code) == (403, "not_encrypted")
    for path in PLAIN_PATHS:
        assert (await bare.get(path)).status == 200


@pytest.mark.parametrize(
    "host",
    ["a b", "@", "evil.example@localhost", "x" * 64, "x." * 160, "[", "[::1", "127.0.0.1:x", "localhost:123456", "..",
     ".localhost", "localhost/evil.example", "localhost?x", "localhost#x", "localhost\\x", "é", "\xff", "a,b"],
)  # fmt: skip
def test_a_host_that_is_none_is_refused_before_the_application(shared: House, host: str) -> None:
    request_ = b"GET /healthz HTTP/1.1\r\nHost: " + host.encode("latin-1") + b"\r\n\r\n"
    assert raw(shared.http_port, request_).startswith(b"HTTP/1.1 400 ")
    assert "Traceback" not in (shared.folder / "logs" / "fanal.log").read_text()


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Proto": "https"},
        {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "https"},
        {"Forwarded": "for=127.0.0.1;proto=https"},
        {"X-Forwarded-Ssl": "on"},
        {"X-Forwarded-Host": "evil.example"},
        {"X-Original-URL": "/api/v1/server"},
        {"X-HTTP-Method-Override": "GET"},
    ],
)
def test_a_stranger_is_not_believed_to_be_a_proxy(shared: House, headers: dict[str, str]) -> None:
    answer = shared.stranger(tls=False).call("GET", "/api/v1/cameras", headers=headers)
    assert answer.status == 308
    assert answer.headers["location"] == f"https://127.0.0.1:{shared.port}/api/v1/cameras"


async def guess(visitor: Visitor, times: int, forwarded: str) -> list[int]:
    """Wrong passwords that claim to come from elsewhere, each from another place."""
    answers = []
    for n in range(times):
        body = {"username": "anna", "password": "wrong wrong wrong"}
        answer = await visitor.ask("POST", "/api/v1/session", body, {"X-Forwarded-For": forwarded.format(n)})
        answers.append(answer.status)
    return answers


async def test_guessing_counts_for_the_real_address_whatever_it_claims(house: House) -> None:
    await house.user("anna")
    thief = house.stranger(address="127.0.0.20")
    assert await guess(thief, 11, "198.51.100.{}") == [401] * 10 + [429]


async def test_a_named_proxy_is_believed_about_its_clients_and_no_further(house: House) -> None:
    await house.user("anna")
    await house.services.settings.change({"connectivity.trusted_proxies": ["127.0.0.30"]}, by="test")
    proxy = house.stranger(address="127.0.0.30")
    assert await guess(proxy, 8, "198.51.100.{}") == [401] * 8  # each client has its own count
    # what a client writes itself stands left of what the proxy adds, and is not looked at
    assert await guess(proxy, 11, "10.9.8.{}, 203.0.113.9") == [401] * 10 + [429]
    plain_proxy = house.stranger(address="127.0.0.30", tls=False)
    assert (await plain_proxy.get("/api/v1/server", X_Forwarded_Proto="https")).json["secure"] is True
    assert (await plain_proxy.get("/api/v1/server", X_Forwarded_Proto="https, http")).status == 308


async def test_the_trust_page_is_read_over_plain_http_in_the_readers_language(house: House) -> None:
    await house.services.settings.change({"general.server_name": "<Cellar> & “Co”"}, by="test")
    bare = house.stranger(tls=False)
    page = await bare.get("/trust")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    text = page.body.decode()
    assert "&lt;Cellar&gt; &amp; “Co”" in text
    assert "Trust this server" in text
    assert "<script" not in text
    fingerprint = await house.services.authority_fingerprint()
    assert fingerprint
    assert fingerprint in text
    french = (await bare.get("/trust", Accept_Language="de, fr-CH;q=0.9, en;q=0.1")).body.decode()
    assert '<html lang="fr">' in french
    assert "Trust this server" not in french
    for odd in ("", "*", "fr;q=x", ",,,;", "q" * 8000):
        assert (await bare.get("/trust", Accept_Language=odd)).status == 200
    assert (await bare.get("/trust/style.css")).headers["content-type"] == "text/css; charset=utf-8"


async def test_without_https_this_machine_is_served_plainly_and_no_other_can_be() -> None:
    async with open_house(https=0) as house:
        visitor = house.stranger(tls=False)
        assert (await visitor.get("/api/v1/server")).json["secure"] is False
        assert (await visitor.get("/")).status == 200
        await house.user("anna")
        answer = await visitor.sign_in("anna")
        assert answer.status == 200
        assert "Secure" not in answer.headers["set-cookie"]
        assert (await visitor.get("/trust/ca.crt")).status == 404
        assert (await visitor.get("/trust")).status == 200


def raw(port: int, request: bytes) -> bytes:
    """The answer to bytes as they are."""
    with socket.create_connection((LOOPBACK, port), timeout=10) as sock:
        sock.sendall(request)
        answer = b""
        while piece := sock.recv(4096):
            answer += piece
            if b"\r\n\r\n" in answer:
                break
    return answer


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 421),
        (b"GET http://localhost@evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"GET / HTTP/1.0\r\n\r\n", 421),
        (b"GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", 308),
        (b"GET /\\evil.example HTTP/1.1\r\nHost: localhost\r\n\r\n", 308),
        (b"GET ///evil.example/%2f.. HTTP/1.1\r\nHost: localhost\r\n\r\n", 308),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ],
)
def test_a_request_with_two_meanings_is_refused(shared: House, request_: bytes, status: int) -> None:
    answer = raw(shared.http_port, request_)
    assert answer.split(b" ", 2)[1] == str(status).encode(), answer
    if status == 308:
        location = next(line for line in answer.split(b"\r\n") if line.lower().startswith(b"location:"))
        assert location.split(b" ", 1)[1].startswith(b"https://localhost:%d/" % shared.port)
        assert not location.split(b" ", 1)[1].startswith(b"https://localhost:%d//" % shared.port)
