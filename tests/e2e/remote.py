"""A person at a browser that Playwright does not drive.  Its driver says how a page is opened, asked and acted upon.

Keys and clicks are actions as WebDriver defines them, which Firefox and WebKit take in the same form.
"""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.e2e.house import PASSWORD
from tests.e2e.pictures import GRAB, HEIGHT, WIDTH, Grabbed
from tests.e2e.visit import PATIENCE_S, SHOWN, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.speaker import Speaker

PAUSE_S = 0.1
ENDED_WITHIN_S = 15.0

_CENTRE = """(selector) => {
  const element = document.querySelector(selector);
  if (element === null) return null;
  const box = element.getBoundingClientRect();
  return box.width > 0 ? [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)] : null;
}"""
_TILE = """(name) => [...document.querySelectorAll("article.tile")].find(
  (tile) => tile.querySelector(".nm .ell").textContent === name
)"""
#: Notes what the page makes of Media Source Extensions from now on: the class, and the format it is opened for.
_NOTE_SOURCES = """() => {
  window.opened = [];
  for (const name of ["MediaSource", "ManagedMediaSource"]) {
    const prototype = window[name]?.prototype;
    if (!prototype || !Object.hasOwn(prototype, "addSourceBuffer")) continue;
    const add = prototype.addSourceBuffer;
    prototype.addSourceBuffer = function (mime) {
      window.opened.push([this.constructor.name, mime]);
      return add.call(this, mime);
    };
  }
}"""


class RemotePage(ABC):
    """One page of one browser."""

    def __init__(self, speaker: Speaker) -> None:
        self.speaker = speaker

    @abstractmethod
    def open(self, url: str) -> None:
        """Go there; the document is complete."""

    @abstractmethod
    def evaluate(self, function: str, *arguments: Any) -> Any:
        """What a function of JavaScript returns, as JSON has it."""

    @abstractmethod
    def act(self, sources: list[dict[str, Any]]) -> None:
        """Perform actions of input devices."""

    def click(self, selector: str) -> None:
        x, y = self.until(f"{selector} is there", lambda: self.evaluate(_CENTRE, selector))
        steps = [{"type": "pointerMove", "x": x, "y": y}, {"type": "pointerDown", "button": 0}]
        steps.append({"type": "pointerUp", "button": 0})
        self.act([{"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": steps}])

    def hover(self, selector: str) -> None:
        x, y = self.until(f"{selector} is there", lambda: self.evaluate(_CENTRE, selector))
        steps = [{"type": "pointerMove", "x": x, "y": y}]
        self.act([{"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": steps}])

    def type(self, text: str) -> None:
        steps = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self.act([{"type": "key", "id": "keyboard", "actions": steps}])

    def until(self, what: str, condition: Callable[[], Any], within_s: float = PATIENCE_S) -> Any:
        """Wait until ``condition`` gives something true; it."""
        return wait_until(what, condition, self.seen, lambda: time.sleep(PAUSE_S), within_s)

    def seen(self) -> str:
        """The page in words, for a failure."""
        return str(self.evaluate("() => document.body.innerText"))[:2000]

    # ---- what a person does, and sees

    def sign_in(self, url: str, user: str) -> None:
        """On the page for it, with mouse and keys; `sources` tells from here on what is played, and how."""
        self.open(url)
        for field, text in (("username", user), ("password", PASSWORD)):
            self.click(f"input[name={field}]")
            focused = f'() => document.activeElement?.name === "{field}"'
            self.until("the field has the focus", lambda focused=focused: self.evaluate(focused))
            self.type(text)
        self.evaluate(_NOTE_SOURCES)
        self.click("form button[type=submit]")
        self.until("signed in", lambda: self.evaluate('() => document.querySelector(".topbar") !== null'))

    def sources(self) -> list[list[str]]:
        """Class and format of every source opened since signing in."""
        return list(self.evaluate("() => window.opened"))

    def tile(self, name: str, function: str) -> Any:
        """What ``function`` says of a camera's tile; None where there is no such tile."""
        return self.evaluate(
            f"(name) => {{ const tile = ({_TILE})(name); return tile ? ({function})(tile) : null; }}", name
        )

    def video(self, name: str, expression: str) -> Any:
        """An expression of ``video``, the element that shows the picture of a camera; None without one."""
        shown = f'({SHOWN})(tile.querySelector(".player"))'
        return self.tile(name, f"(tile) => {{ const video = {shown}; return video ? ({expression}) : null; }}")

    def live(self, name: str) -> None:
        self.until(f"{name} is live", lambda: self.tile(name, "(tile) => tile.dataset.phase") == "live")

    def sound(self, name: str) -> None:
        """Switch it on, or off again, with the mouse."""
        camera = self.tile(name, "(tile) => tile.dataset.camera")
        self.hover(f'article.tile[data-camera="{camera}"]')
        self.click(f'article.tile[data-camera="{camera}"] .tool[aria-label^="Sound"]')

    def current_time(self, name: str) -> float:
        return float(self.video(name, "video.currentTime") or 0.0)

    def grab(self, name: str) -> Grabbed:
        """The picture that the tile shows."""
        script = f'(tile) => ({GRAB})(tile.querySelector(".player"))'
        got = self.until("a picture", lambda: self.tile(name, script))
        pixels = np.frombuffer(base64.b64decode(got["pixels"]), np.uint8)
        return Grabbed(pixels.reshape(HEIGHT, WIDTH, 3), got["at"], got["width"])


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and those it started: it leads a session of its own."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(ENDED_WITHIN_S)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    process.wait(ENDED_WITHIN_S)
