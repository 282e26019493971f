"""Transcoded pictures for a page, from a test: it stands between the page and a camera's live socket.

What the server sends is passed on, or held back while the test sends pictures of a clip in its place.  Which picture,
when, and with which reason is then the test's to say.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from tests.e2e.visit import PATIENCE_S
from tests.peers.cameras import FOOTAGE, FPS, GOP, SECONDS

if TYPE_CHECKING:
    from playwright.sync_api import WebSocketRoute

    from tests.e2e.visit import Visit

WIDTH, HEIGHT = 640, 360
_LIVE = re.compile(r"/api/v1/cameras/[^/]+/live$")
_BEGINS = b"\xff\xd8\xff"


@cache
def jpegs(stream: str) -> list[bytes]:
    """The loop of a simulated camera's stream, a JPEG a picture: in the colours that JPEG has."""
    [path] = FOOTAGE.glob(f"*-{SECONDS}s-{FPS}-{GOP}.{stream}")
    scale = f"scale={WIDTH}:{HEIGHT}:flags=area:in_color_matrix=bt709:out_color_matrix=bt601:out_range=pc"
    command = ["ffmpeg", "-v", "error", "-nostdin", "-f", "h264", "-i", str(path), "-vf", scale, "-pix_fmt", "yuvj420p"]
    command += ["-fps_mode", "passthrough", "-c:v", "mjpeg", "-q:v", "2", "-f", "image2pipe", "-"]
    raw = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    pictures = [_BEGINS + piece for piece in raw.split(_BEGINS)[1:]]
    assert len(pictures) == SECONDS * FPS
    return pictures


class Between:
    """The page's live socket.  Make it before the page opens, for a house with one camera."""

    def __init__(self, page: Visit, *, direct: bool = True) -> None:
        self._page = page
        self._route: WebSocketRoute | None = None
        self._server: WebSocketRoute | None = None
        self._direct = direct
        self._pictures = jpegs("main")
        self.said: list[dict[str, Any]] = []  # by the page
        page.context.route_web_socket(_LIVE, self._opened)

    def _opened(self, route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        self._route, self._server = route, server

        def from_page(text: str | bytes) -> None:
            self.said.append(json.loads(text))
            server.send(text)

        def from_server(message: str | bytes) -> None:
            if self._direct:
                route.send(message)

        route.on_message(from_page)
        server.on_message(from_server)

    @property
    def want(self) -> dict[str, Any]:
        """What the page wants; it has to have said so."""
        return self._page.until("it says what it wants", lambda: [m for m in self.said if m["type"] == "want"])[-1]  # type: ignore[no-any-return]

    def announce(self, reason: str) -> None:
        """From here on pictures come, for this reason."""
        _ = self.want
        self._direct = False
        stream = {"type": "stream", "mode": "transcoded", "stream": "main", "width": WIDTH, "height": HEIGHT}
        self._tell(json.dumps({**stream, "fps": FPS, "reason": reason}))

    def give(self, number: int) -> None:
        """One picture, of now."""
        self._tell(int(time.time() * 1000).to_bytes(8, "big") + self._pictures[number % len(self._pictures)])

    def play(self, seconds: float) -> None:
        """Pictures at the clip's own rate."""
        assert seconds < PATIENCE_S
        for number in range(int(seconds * FPS)):
            self.give(number)
            self._page.page.wait_for_timeout(1000 / FPS)

    def direct_again(self) -> None:
        """The server begins anew with what the camera sends."""
        assert self._server is not None
        want = self.want
        self._server.send(json.dumps({**want, "paused": True}))
        self._direct = True
        self._server.send(json.dumps({**want, "paused": False}))

    def _tell(self, message: str | bytes) -> None:
        assert self._route is not None
        self._route.send(message)
