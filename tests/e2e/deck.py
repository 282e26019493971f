"""The playback page, as a person sees it and goes about in it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.e2e.recorded import PICTURES
from tests.e2e.visit import PATIENCE_S, SHOWN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.recorded import Recorded
    from tests.e2e.visit import Visit

#: What each tile shows: its state, the number that the picture says of itself, and the video's own time; where none is
#: drawn that is not a number, which is neither before nor after any.
LOOK = f"""() => [...document.querySelectorAll(".pbstage .tile")].map((tile) => {{
  const player = [...tile.querySelectorAll(".player")].at(-1) ?? null;
  const shown = player && ({SHOWN})(player);
  const seen = {{ phase: tile.dataset.phase, mode: tile.dataset.mode, number: null, time: NaN, rate: null }};
  if (!shown) return seen;
  const canvas = document.createElement("canvas");
  canvas.width = 64; canvas.height = 36;
  const context = canvas.getContext("2d");
  context.drawImage(shown, 0, 0, 64, 36);
  const data = context.getImageData(0, 0, 64, 36).data;
  if (data[3] === 0) return seen;
  seen.number = 0;
  for (let bit = 0; bit < 8; bit++) seen.number = seen.number * 2 + (data[(8 * 64 + bit * 8 + 4) * 4] > 128);
  if (shown.matches("video")) [seen.time, seen.rate] = [shown.currentTime * 1000, shown.playbackRate];
  return seen;
}})"""
#: Goes to an address without loading the page again, as going back does.
GO = "(path) => { history.pushState({ depth: 1 }, '', path); dispatchEvent(new PopStateEvent('popstate')); }"


class Deck:
    """The playback page of a visit."""

    def __init__(self, page: Visit, recorded: Recorded, user: str = "admin") -> None:
        self.visit, self.page, self.recorded = page, page.page, recorded
        page.known_as(user)

    def path(self, at: float | None, *names: str) -> str:
        cameras = ",".join(self.recorded.ids[name] for name in names)
        moment = (
            "" if at is None else f"&at={datetime.fromtimestamp(at / 1000, UTC).isoformat().replace('+00:00', 'Z')}"
        )
        return f"/playback?cams={cameras}{moment}"

    def open(self, at: float | None, *names: str) -> None:
        self.visit.open(self.path(at, *names))
        expect(self.page.locator(".pbstage .tile")).to_have_count(len(names))

    def go(self, at: float | None, *names: str) -> None:
        self.page.evaluate(GO, self.path(at, *names))

    def look(self) -> list[dict[str, Any]]:
        return list(self.page.evaluate(LOOK))

    def until(self, what: str, holds: Callable[[dict[str, Any]], Any], within_s: float = PATIENCE_S) -> dict[str, Any]:
        """Until it holds of the first picture; that."""

        def holding() -> dict[str, Any] | None:
            seen = self.look()[0]
            return seen if holds(seen) else None

        found: dict[str, Any] = self.visit.until(what, holding, within_s)
        return found

    def pause(self) -> int:
        """The number of the picture at which it stops."""
        self.until("a picture", lambda seen: seen["phase"] == "shown")
        self.page.keyboard.press("k")
        expect(self.page.get_by_role("button", name="Play", exact=True)).to_be_visible()
        self.until("a picture that stands", lambda seen: seen["phase"] == "shown")
        return self.still()

    def still(self) -> int:
        before = None
        for _ in range(50):
            number = self.look()[0]["number"]
            if number is not None and number == before:
                return int(number)
            before = number
            self.page.wait_for_timeout(200)
        raise AssertionError("it does not stand still")

    def shows(self, number: int) -> None:
        self.until(f"picture {number}", lambda seen: seen["number"] == number % PICTURES)

    @property
    def clock(self) -> str:
        return self.page.locator(".clock").first.inner_text()
