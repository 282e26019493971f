"""Firefox ESR as Debian ships it, driven by WebDriver BiDi: it needs no driver beside the browser.

Its profile trusts the appliance's authority, as a person's does who installed it.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Ping, Request, TextMessage

from tests.e2e.remote import RemotePage, end_group
from tests.e2e.speaker import Speaker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIREFOX = "/usr/bin/firefox-esr"
STARTED_WITHIN_S = 60.0
ANSWERED_WITHIN_S = 60.0
PIECE = 1 << 16
PREFERENCES = {
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "focusmanager.testmode": True,  # nobody's screen: its window has the focus all the same
    "intl.accept_languages": "en-GB",
    "media.cubeb.backend": "alsa",
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "http://127.0.0.1:1/",  # nobody is there: the test speaks to its appliance only
    "toolkit.telemetry.enabled": False,
    "ui.allPointerCapabilities": 6,  # a mouse, where none is plugged in
    "ui.primaryPointerCapabilities": 6,
}


class Bidi:
    """A connection to the browser: commands, one at a time, and their results.  Events are passed over."""

    def __init__(self, url: str) -> None:
        found = re.fullmatch(r"ws://([\d.]+):(\d+)(/\S*)", url)
        assert found is not None, url
        self._socket = socket.create_connection((found[1], int(found[2])), 10)
        self._connection = WSConnection(ConnectionType.CLIENT)
        self._number = 0
        self._text = ""
        self._send(Request(host=f"{found[1]}:{found[2]}", target=found[3]))
        self._messages = self._receive()
        assert next(self._messages) == ""  # accepted

    def _send(self, event: Any) -> None:
        self._socket.sendall(self._connection.send(event))

    def _receive(self) -> Iterator[str]:
        """Whole messages; an empty one when the connection is made."""
        while True:
            data = self._socket.recv(PIECE)
            self._connection.receive_data(data or None)
            for event in self._connection.events():
                if isinstance(event, AcceptConnection):
                    yield ""
                elif isinstance(event, TextMessage):
                    self._text += event.data
                    if event.message_finished:
                        whole, self._text = self._text, ""
                        yield whole
                elif isinstance(event, Ping):
                    self._send(event.response())
                elif isinstance(event, CloseConnection):
                    raise ConnectionError(f"Firefox closed the connection: {event.code} {event.reason}")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        self._send(TextMessage(json.dumps({"id": self._number, "method": method, "params": parameters})))
        end = time.monotonic() + ANSWERED_WITHIN_S
        while True:
            self._socket.settimeout(max(0.01, end - time.monotonic()))
            answer = json.loads(next(self._messages))
            if answer.get("id") == self._number:
                break
        assert answer["type"] == "success", f"{method}: {answer}"
        return dict(answer["result"])

    def close(self) -> None:
        self._socket.close()


class FirefoxPage(RemotePage):
    def __init__(self, bidi: Bidi, speaker: Speaker) -> None:
        super().__init__(speaker)
        self._bidi = bidi
        [context] = bidi.call("browsingContext.getTree")["contexts"]
        self._context = context["context"]

    def open(self, url: str) -> None:
        self._bidi.call("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def evaluate(self, function: str, *arguments: Any) -> Any:
        # as text: BiDi's own form of values says much more than JSON
        whole = f"async (told) => JSON.stringify((await ({function})(...JSON.parse(told))) ?? null)"
        told = [{"type": "string", "value": json.dumps(arguments)}]
        answer = self._bidi.call(
            "script.callFunction",
            functionDeclaration=whole,
            awaitPromise=True,
            target={"context": self._context},
            arguments=told,
        )
        assert answer["type"] == "success", answer
        return json.loads(answer["result"]["value"])

    def act(self, sources: list[dict[str, Any]]) -> None:
        self._bidi.call("input.performActions", context=self._context, actions=sources)


def make_profile(folder: Path, authority: Path) -> None:
    """A new person's profile whose only authority beside the public ones is ours."""
    folder.mkdir()
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items()]
    (folder / "user.js").write_text("".join(lines))
    for words in (["-N", "--empty-password"], ["-A", "-n", "Fanal", "-t", "C,,", "-i", str(authority)]):
        subprocess.run(["certutil", "-d", f"sql:{folder}", *words], check=True, timeout=60, capture_output=True)


@contextmanager
def open_firefox(home: Path, authority: Path, width: int, height: int) -> Iterator[FirefoxPage]:
    speaker = Speaker(home)
    speaker.plug_in()
    profile = home / "profile"
    make_profile(profile, authority)
    log = home / "firefox.log"
    command = [FIREFOX, "--headless", "--no-remote", "--profile", str(profile)]
    command += ["--remote-debugging-port", "0", "--width", str(width), "--height", str(height), "about:blank"]
    with log.open("wb") as written:
        process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=written,
            env={**os.environ, "HOME": str(home)},
            start_new_session=True,
        )
    try:
        bidi = Bidi(f"{address(process, log)}/session")
        try:
            bidi.call("session.new", capabilities={})
            yield FirefoxPage(bidi, speaker)
        finally:
            bidi.close()
    finally:
        end_group(process)


def address(process: subprocess.Popen[bytes], log: Path) -> str:
    end = time.monotonic() + STARTED_WITHIN_S
    while True:
        found = re.search(r"^WebDriver BiDi listening on (ws://\S+)\n", log.read_text(), re.MULTILINE)
        if found is not None:
            return found[1]
        assert process.poll() is None, f"Firefox ended:\n{log.read_text()[-4000:]}"
        assert time.monotonic() < end, f"Firefox did not start:\n{log.read_text()[-4000:]}"
        time.sleep(0.1)
