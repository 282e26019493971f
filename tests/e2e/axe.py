"""What axe-core, and a few rules that it has not, find wrong with a page for those who do not see, hear or point."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from tests.e2e.house import ROOT
from tests.e2e.test_signing_in import TOO_SMALL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Page

CLIENT = ROOT / "appliance" / "web" / "client"
SOURCE = CLIENT / "node_modules" / "axe-core" / "axe.min.js"
THEMES = ("dark", "light")

#: All rules, the advice beside the standard's too.  A tile's text lies on a video, whose colours no rule can know.
_RUN = """async (colours) => {
  const all = { rules: { "target-size": { enabled: true } } };
  const only = colours ? { runOnly: ["color-contrast", "link-in-text-block"] } : all;
  const found = await axe.run(document, { resultTypes: ["violations"], preload: false, ...only });
  const why = (node) => node.failureSummary.split("\\n").slice(1).join(";");
  const words = (rule, node) => `${rule.id}: ${node.html.slice(0, 160)} (${node.target.join(" ")})${why(node)}`;
  return found.violations.flatMap((rule) => rule.nodes.map((node) => words(rule, node)));
}"""
_PRESENT = "() => window.axe !== undefined"
_THEME = "(theme) => { document.documentElement.dataset.theme = theme; }"
#: What is said of a page before anything on it: language, title, one heading of the first rank that is drawn.
_FRAME = """() => {
  const drawn = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0;
  const heads = [...document.querySelectorAll("h1")].filter(drawn).map((e) => e.innerText.trim());
  return { language: document.documentElement.lang, title: document.title, heads };
}"""
#: Sideways scroll, of the page or of a part of it that people would have to push about to read.
_WIDE = """() => [document.scrollingElement, ...document.querySelectorAll("*")].filter((e) => {
  if (e === document.scrollingElement) return e.scrollWidth > innerWidth;
  const style = getComputedStyle(e);
  return ["auto", "scroll"].includes(style.overflowX) && e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0;
}).map((e) => e.outerHTML.slice(0, 120))"""
#: What reaches beyond the right side and is cut off there: nobody can scroll to it.
_CUT = """() => [...document.querySelectorAll("button, a, input, select, h1, h2, p")]
  .filter((e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
  .map((e) => [e.outerHTML.slice(0, 120), e.getBoundingClientRect()])
  .filter(([, box]) => box.width > 1 && (box.right > innerWidth + 1 || box.left < -1)).map(([text]) => text)"""
#: What moves though the device asks for less of it; a spinner turns slowly, and a message fades in.
_MOVING = """() => document.getAnimations().filter((a) => !["turn", "appear"].includes(a.animationName))
  .filter((a) => a.effect.getComputedTiming().activeDuration > 1).map((a) => a.animationName ?? a.transitionProperty)"""
_SETTLED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"


@cache
def source() -> str:
    return SOURCE.read_text(encoding="utf-8")


@dataclass
class Judge:
    """Looks at one page after the other, and remembers what was wrong and where."""

    page: Page
    language: str
    touch: bool
    themes: Sequence[str] = THEMES
    found: list[str] = field(default_factory=list)
    looked: list[str] = field(default_factory=list)

    def look(self, what: str, *, themed: bool = True, whole: bool = True) -> None:
        """At this state, in all of its themes.

        ``themed``: the page takes its theme from the attribute.  ``whole``: it is a page as people see it.
        """
        self.looked.append(what)
        self.page.evaluate(_SETTLED)  # a title is set behind the picture that it belongs to
        if whole:
            self._frame(what)
        if not self.page.evaluate(_PRESENT):
            self.page.evaluate(source())
        before = self.page.evaluate("() => document.documentElement.dataset.theme ?? ''")
        for theme in self.themes:
            if themed:
                self.page.evaluate(_THEME, theme)
            else:
                self.page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            only_colours = theme != self.themes[0]  # nothing else differs
            self.found += [f"{what}, {theme}: {one}" for one in self.page.evaluate(_RUN, only_colours)]
        if themed:
            self.page.evaluate(_THEME, before)
        if whole and not self.touch:
            self._zoom(what)

    def _frame(self, what: str) -> None:
        said: dict[str, Any] = self.page.evaluate(_FRAME)
        if said["language"] != self.language:
            self.found.append(f"{what}: the page says its language is {said['language']!r}")
        if not said["title"].endswith(" – Fanal") or len(said["title"]) <= len(" – Fanal"):
            self.found.append(f"{what}: the page's title is {said['title']!r}")
        if len(said["heads"]) != 1:
            self.found.append(f"{what}: headings of the first rank: {said['heads']}")
        self.found += [f"{what}: moves: {one}" for one in self.page.evaluate(_MOVING)]
        self._fits(what)
        if self.touch:
            self.found += [f"{what}: is too small for a finger: {one}" for one in self.page.evaluate(TOO_SMALL)]

    def _fits(self, what: str) -> None:
        self.found += [f"{what}: scrolls sideways: {one}" for one in self.page.evaluate(_WIDE)]
        self.found += [f"{what}: is cut off: {one}" for one in self.page.evaluate(_CUT)]

    def _zoom(self, what: str) -> None:
        """To 200 %, which leaves half of the window each way."""
        size = self.page.viewport_size
        assert size is not None
        self.page.set_viewport_size({"width": size["width"] // 2, "height": size["height"] // 2})
        self.page.evaluate(_SETTLED)
        self._fits(f"{what}, 200 %")
        self.page.set_viewport_size(size)
