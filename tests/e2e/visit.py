"""A person at a browser: what they do, and what they see.  Every wait is for a condition, with a bound."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

from playwright.sync_api import expect

from tests.e2e.house import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Locator, Page

#: For anything that is to happen; generous, because the machine may be busy.
PATIENCE_S = 30.0
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}

#: The element that shows the picture: a pipeline that is still filling lies below it.
SHOWN = "(player) => [...player.querySelectorAll('video, canvas.pictures')].at(-1) ?? null"


def wait_until(
    what: str,
    condition: Callable[[], Any],
    seen: Callable[[], str],
    pause: Callable[[], object],
    within_s: float = PATIENCE_S,
) -> Any:
    """Ask again and again until ``condition`` gives something true; it.  ``seen``: the page in words, for a failure."""
    end = time.monotonic() + within_s
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"in {within_s:.0f} s: {what}; last seen: {found!r}\n{seen()}")
        pause()


class Visit:
    """One page with its own cookies.  ``faults`` holds what the page's scripts complained about.

    ``keeps``: the page keeps its shell for later, in a service worker, as it does in people's browsers.
    """

    #: Their cookies, by address and user.
    _sessions: ClassVar[dict[tuple[str, str], list[Any]]] = {}

    def __init__(
        self,
        browser: Browser,
        url: str,
        *,
        size: dict[str, int] = DESKTOP,
        language: str = "en-GB",
        keeps: bool = False,
        **more: Any,
    ) -> None:
        self.url = url
        more["service_workers"] = "allow" if keeps else "block"
        self.context = browser.new_context(viewport=size, locale=language, **more)  # type: ignore[arg-type]
        self.context.set_default_timeout(PATIENCE_S * 1000)
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda said: self.faults.append(said.text) if "Content Security" in said.text else None)

    def end(self) -> None:
        self.context.close()
        assert self.faults == []

    def open(self, path: str = "/") -> None:
        self.page.goto(self.url + path)

    def sign_in(self, user: str) -> None:
        """On the page for it."""
        self.open()
        self.fill(user, PASSWORD)
        expect(self.page.locator(".topbar")).to_be_visible(timeout=PATIENCE_S * 1000)

    def known_as(self, user: str) -> None:
        """With a session that began earlier, while that lasts: most tests are about what comes after signing in."""
        session, request = f"{self.url}/api/v1/session", self.context.request
        # the program beside the browser does not know our authority; the browser itself verifies it for all pages
        kept = self._sessions.get((self.url, user))
        if kept is not None:
            self.context.add_cookies(kept)
            if request.get(session, ignore_https_errors=True).ok:
                return
        answer = request.post(session, data={"username": user, "password": PASSWORD}, ignore_https_errors=True)
        assert answer.ok, answer.text()
        self._sessions[self.url, user] = list(self.context.cookies())

    def come_as(self, user: str) -> None:
        """To the grid, with a session that began earlier."""
        self.known_as(user)
        self.open()
        expect(self.page.locator(".topbar")).to_be_visible(timeout=PATIENCE_S * 1000)

    def fill(self, user: str | None, password: str) -> None:
        if user is not None:
            self.page.locator("input[name=username]").fill(user)
        self.page.locator("input[name=password]").fill(password)
        self.page.locator("form button[type=submit]").click()

    def tile(self, name: str) -> Locator:
        return self.page.locator("article.tile").filter(has=self.page.get_by_text(name, exact=True))

    def live(self, name: str) -> Locator:
        """The tile of a camera, once it is live."""
        tile = self.tile(name)
        expect(tile).to_have_attribute("data-phase", "live", timeout=PATIENCE_S * 1000)
        return tile

    def until(self, what: str, condition: Callable[[], Any], within_s: float = PATIENCE_S) -> Any:
        """Wait until ``condition`` gives something true; it."""
        return wait_until(what, condition, self.seen, lambda: self.page.wait_for_timeout(100), within_s)

    def seen(self) -> str:
        """The page in words, for a failure."""
        return str(self.page.evaluate("() => document.body.innerText"))[:2000]

    # ---- the picture

    def video(self, where: Locator, script: str) -> Any:
        """Evaluate ``script`` with ``video``, the element that shows the picture in ``where``; None without one."""
        return where.locator(".player").first.evaluate(
            f"(player) => {{ const video = ({SHOWN})(player); return video === null ? null : ({script}); }}"
        )

    def current_time(self, where: Locator) -> float:
        return float(self.video(where, "video.currentTime") or 0.0)

    def advances(self, where: Locator, seconds: float = 1.0) -> None:
        """The picture goes on by so much."""
        start = self.video(where, "video.getVideoPlaybackQuality().totalVideoFrames") or 0
        begin = self.current_time(where)
        self.until("the picture goes on", lambda: self.current_time(where) > begin + seconds)
        assert (self.video(where, "video.getVideoPlaybackQuality().totalVideoFrames") or 0) != start

    def box_for(self, where: Locator) -> dict[str, float]:
        box = where.bounding_box()
        assert box is not None
        return dict(box)
