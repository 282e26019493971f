"""WebKitGTK as Debian ships it, the nearest to Safari that runs here, driven by WebDriver on a screen of its own."""

from __future__ import annotations

import http.client
import json
import os
import select
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.e2e.house import LOOPBACK, free_ports
from tests.e2e.remote import RemotePage, end_group
from tests.e2e.speaker import Speaker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DRIVER = "/usr/bin/WebKitWebDriver"
BROWSER = "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser"
STARTED_WITHIN_S = 60.0
ANSWERED_WITHIN_S = 60.0


class WebKitPage(RemotePage):
    def __init__(self, port: int, speaker: Speaker) -> None:
        super().__init__(speaker)
        self._port = port
        self._session = ""

    def call(self, method: str, path: str, told: dict[str, Any] | None = None) -> Any:
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=ANSWERED_WITHIN_S)
        try:
            body = None if told is None else json.dumps(told)
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            value = json.loads(answer.read())["value"]
        finally:
            connection.close()
        assert answer.status == 200, f"{method} {path}: {value}"
        return value

    def begin(self, width: int, height: int) -> None:
        options = {"binary": BROWSER, "args": ["--automation"]}
        wanted = {"browserName": "MiniBrowser", "acceptInsecureCerts": True, "webkitgtk:browserOptions": options}
        made = self.call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"/session/{made['sessionId']}"
        self.call("POST", f"{self._session}/window/rect", {"x": 0, "y": 0, "width": width, "height": height})

    def end(self) -> None:
        if self._session:
            self.call("DELETE", self._session)

    def open(self, url: str) -> None:
        self.call("POST", f"{self._session}/url", {"url": url})

    def evaluate(self, function: str, *arguments: Any) -> Any:
        script = {"script": f"return ({function})(...arguments);", "args": list(arguments)}
        return self.call("POST", f"{self._session}/execute/sync", script)

    def act(self, sources: list[dict[str, Any]]) -> None:
        self.call("POST", f"{self._session}/actions", {"actions": sources})


@contextmanager
def screen(home: Path, width: int, height: int) -> Iterator[str]:
    """A screen that nobody sees; its name, the first free one."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-nolisten", "tcp", "-screen", "0", f"{width}x{height}x24"]
    with (home / "screen.log").open("wb") as log:
        process = subprocess.Popen(command, pass_fds=[writing], stdout=log, stderr=log, start_new_session=True)
    os.close(writing)
    try:
        assert select.select([reading], [], [], STARTED_WITHIN_S)[0], (home / "screen.log").read_text()
        number = os.read(reading, 16).decode().strip()
        assert number.isdigit(), (home / "screen.log").read_text()
        yield f":{number}"
    finally:
        os.close(reading)
        end_group(process)


@contextmanager
def open_webkit(home: Path, width: int, height: int) -> Iterator[WebKitPage]:
    speaker = Speaker(home)
    speaker.plug_in()
    log = home / "webkit.log"
    with screen(home, width, height) as display:
        environment = {**os.environ, "HOME": str(home), "DISPLAY": display, "LANGUAGE": "en_GB", "GDK_BACKEND": "x11"}
        if os.geteuid() == 0:  # root has no sandbox
            environment["WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS"] = "1"
        [port] = free_ports(1)
        with log.open("wb") as written:
            process = subprocess.Popen(
                [DRIVER, f"--port={port}"], stdout=written, stderr=written, env=environment, start_new_session=True
            )
        page = WebKitPage(port, speaker)
        try:
            wait_ready(page, process, log)
            page.begin(width, height)
            yield page
        finally:
            try:
                page.end()
            finally:
                end_group(process)


def wait_ready(page: WebKitPage, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + STARTED_WITHIN_S
    while True:
        try:
            if page.call("GET", "/status")["ready"]:
                return
        except ConnectionRefusedError:
            pass
        assert process.poll() is None, f"the driver ended:\n{log.read_text()[-4000:]}"
        assert time.monotonic() < end, f"the driver did not start:\n{log.read_text()[-4000:]}"
        time.sleep(0.1)
