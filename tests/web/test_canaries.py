"""Secrets stay where they belong: a canary in each, put through what goes well and what fails, then searched for (A25).

Searched are all answers (bodies and headers), live messages and events, the log on the terminal and in the data
folder, and the bytes of the store.  The answers that are meant to carry a token do.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import sqlite3
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import trio

from appliance.sites.source import SourceError, Trouble
from tests.web.appliance import House, open_house
from tests.web.scenes import feed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.web.manners import Answer

CAMERA = "canary-camera-7f3a"
SUB = "canary-sub@9c21"
USER = "canary user passphrase 5d80"
WRONG = "canary wrong passphrase 11ee"
NEW = "canary new passphrase 6b42"


def forms(secret: str) -> Iterator[bytes]:
    """The secret as it might turn up."""
    for text in {secret, quote(secret), quote(secret, safe=""), secret.replace("@", "%40")}:
        yield text.encode()
        for padding in ("", ":", "u:", "operator:"):
            yield base64.b64encode((padding + text).encode()).rstrip(b"=")[:-1]
    yield secret.encode("utf-16-le")
    yield secret.encode().hex().encode()
    yield repr(secret)[1:-1].encode()


def all_of(answer: Answer) -> bytes:
    return b"\n".join(f"{name}: {value}".encode() for name, value in answer.raw_headers) + b"\n\n" + answer.body


class Search:
    """Finds secrets, each by a name."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}

    def found(self, where: bytes) -> list[str]:
        return [name for name, secret in self.secrets.items() if any(form in where for form in forms(secret))]


def test_the_search_finds() -> None:
    search = Search()
    search.secrets = {"camera": CAMERA, "sub": SUB}
    assert search.found(b'{"url": "rtsp://u:canary-camera-7f3a@h/"}') == ["camera"]
    assert search.found(b"rtsp://u:canary-sub%409c21@h/") == ["sub"]
    assert search.found(b"Authorization: Basic " + base64.b64encode(b"operator:canary-camera-7f3a")) == ["camera"]
    assert search.found(b"nothing here") == []


async def test_no_secret_is_told_by_what_goes_well_or_fails(capfd: pytest.CaptureFixture[str]) -> None:
    search = Search()
    heard: list[bytes] = []
    logging.getLogger("trio-websocket").setLevel(logging.WARNING)  # the client's words are not the product's
    async with open_house(log_to_terminal=True) as house:
        first = (house.folder / "first-password").read_text().split("password: ")[1].strip()
        search.secrets = {"camera": CAMERA, "sub": SUB, "user": USER, "wrong": WRONG, "new": NEW, "first": first}
        search.secrets["metrics"] = (house.folder / "metrics-token").read_text().strip()
        carriers = await play(house, search, heard)
        folder, answers = house.folder, list(house.answers)
        csrf = search.secrets.pop("csrf")  # kept in the store as it is: good for nothing without the token
        await trio.to_thread.run_sync(search_store, search, folder / "fanal.db")
        for file in sorted(folder.rglob("*")):
            if file.is_file() and file.name not in ("metrics-token", "first-password"):
                assert search.found(await trio.Path(file).read_bytes()) == [], file
        assert (folder / "logs" / "fanal.log").stat().st_size > 1000
        search.secrets["csrf"] = csrf
        assert search.found(await trio.Path(folder / "logs" / "fanal.log").read_bytes()) == []
    terminal = "".join(capfd.readouterr())
    assert "Fanal" in terminal  # it was captured
    assert search.found(terminal.encode()) == []
    assert search.found(b"\n".join(heard)) == []
    assert len(answers) > 40
    for answer in answers:
        if not any(answer is carrier for carrier in carriers):
            assert search.found(all_of(answer)) == [], answer


def search_store(search: Search, file: object) -> None:
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as store:
        dump = "\n".join(store.iterdump()).encode()
        rows = store.execute("SELECT * FROM sessions").fetchall()
        streams = store.execute("SELECT username, password FROM streams").fetchall()
    store.close()
    assert search.found(dump) == []
    hashes = [hashlib.sha256(search.secrets[name].encode()) for name in ("token", "other token")]
    values = [value for row in rows for value in row]
    assert any(h.hexdigest() in values or h.digest() in values for h in hashes)  # it is there, as its hash
    assert any(password for _, password in streams)


async def play(house: House, search: Search, heard: list[bytes]) -> list[Answer]:
    """Good and bad requests of all kinds; the answers that are meant to carry a secret."""
    carriers: list[Answer] = []
    admin = house.stranger()
    carriers.append(await admin.sign_in("admin", search.secrets["first"]))
    search.secrets["token"], search.secrets["csrf"] = admin.token, admin.csrf
    carriers.append(await admin.get("/api/v1/session"))  # has the csrf again, by design
    wrong = {"old": WRONG, "new": NEW}
    await admin.ask("POST", "/api/v1/session/password", wrong)
    cameras = "/api/v1/admin/cameras"
    url = f"rtsp://operator:{CAMERA}@192.0.2.10/main"
    sub = f"rtsp://operator:{quote(SUB, safe='')}@192.0.2.10/sub"
    made = await admin.ask("POST", cameras, {"name": "Gate", "url": url, "sub": sub})
    assert made.status == 201
    for body in ({"name": "Gate", "url": url}, {"name": "New", "url": url, "sub": "nonsense://" + url},
                 {"name": "New", "url": url.replace("192.0.2.10", "169.254.169.254")}, {"name": url, "url": "x"},
                 {"name": "New", "url": url + "\n"}, {"name": "New", "url": url.replace("rtsp:", "ftp:")},
                 {"name": "New", "url": url.replace("@", "/@")}, [url], {"name": "New", "url": [url]}):  # fmt: skip
        assert (await admin.ask("POST", cameras, body)).status >= 400
    await admin.ask("PATCH", f"{cameras}/Gate", {"password": CAMERA, "username": "operator"})
    await admin.ask("PATCH", f"{cameras}/Gate", {"password": CAMERA + "\x00"})
    await admin.ask("POST", "/api/v1/admin/users", {"name": "anna", "password": USER})
    await admin.ask("POST", "/api/v1/admin/users", {"name": USER, "password": USER})
    await admin.ask("POST", "/api/v1/admin/users", {"name": "bob", "password": USER, "role": "king"})
    await admin.ask("POST", "/api/v1/admin/users", f'{{"name": "bob", "password": {{"{USER}": 1}}}}'.encode())
    await admin.ask("PATCH", "/api/v1/admin/users/anna", {"grants": {"live": "all"}})
    anna = house.stranger()
    for name, password in (("anna", WRONG), ("nobody", USER), (WRONG, USER), ("anna", WRONG + "\x00")):
        await anna.sign_in(name, password)
    carriers.append(await anna.sign_in("anna", USER))
    search.secrets["other token"] = anna.token
    await watch(house, search, anna, heard, carriers)
    for path in ("/api/v1/status", "/api/v1/status/users", "/api/v1/status/history", "/metrics", cameras,
                 "/api/v1/admin/users", "/api/v1/admin/settings", "/api/v1/cameras"):  # fmt: skip
        assert (await admin.get(path)).status == 200
    prometheus = house.stranger(token=search.secrets["metrics"])
    assert (await prometheus.get("/metrics")).status == 200
    for token in (search.secrets["metrics"], search.secrets["token"][:-1], WRONG):
        stranger = house.stranger(token=token)
        await stranger.get("/api/v1/cameras")
        await stranger.get(f"/metrics?token={quote(token)}")
        await stranger.get(f"/api/v1/nothing/{quote(token)}", Cookie=f"fanal_session={quote(token)}")
    assert (await anna.ask("POST", "/api/v1/session/password", {"old": USER, "new": NEW})).status == 204
    await admin.ask("POST", "/api/v1/session/password", {"old": search.secrets["first"], "new": NEW})
    return carriers


async def watch(house: House, search: Search, anna, heard: list[bytes], carriers: list[Answer]) -> None:
    """Live views, events, tickets, a camera that fails and says everything."""
    camera = house.services.cameras.get("Gate")
    ticket = await anna.ask("POST", f"/api/v1/cameras/{camera.id}/ticket", {"path": "live"})
    carriers.append(ticket)
    search.secrets["ticket"] = ticket.json["ticket"]
    query = f"?ticket={search.secrets['ticket']}"
    player = house.stranger()
    for path in ("live.mp4", "snapshot.jpg"):
        assert (await player.get(f"/api/v1/cameras/{camera.id}/{path}{query}")).status == 401
    await player.get(f"/api/v1/cameras{query}")
    chief = await house.visitor(house.services.auth.users.get("admin"))
    source = house.openers.opener(camera.streams[0])
    async with (
        anna.reading("/api/v1/events") as page,
        player.live(camera.id, query) as view,
        chief.live(camera.id) as other,
    ):
        heard.append(await page.line())
        for each in (view, other):
            await each.want()
            await each.say(f'{{"type":"want","width":"{USER}"}}')
        await feed(house, camera)
        words = f"401 for rtsp://operator:{CAMERA}@192.0.2.10/main, Authorization: Basic "
        words += base64.b64encode(f"operator:{CAMERA}".encode()).decode()
        source.refuse = SourceError(Trouble.BAD_CREDENTIALS, words)
        source._send.send_nowait(SourceError(Trouble.BAD_CREDENTIALS, words))
        for each in (view, other):
            while (await each.told("status"))["state"] != "lost":
                pass
            heard.append(repr(each.texts).encode())
        heard.extend([await page.line() for _ in range(4)])
    source.refuse = None
    await chief.get("/api/v1/admin/cameras")
    async with chief.live(camera.id) as view:  # and a mistake of ours, with a traceback
        await view.want()
        await view.say({"type": "retry"})
        await feed(house, camera)
        source._send.send_nowait(RuntimeError(f"cannot parse rtsp://operator:{CAMERA}@192.0.2.10/ password={CAMERA}"))
        while (await view.told("status"))["state"] != "lost":
            pass
        heard.append(repr(view.texts).encode())
