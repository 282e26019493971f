"""How far apart picture and sound are in the browser: flashes and ticks, noted by one clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.visit import SHOWN

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.e2e.visit import Visit

#: Lip sync.
TOGETHER_MS = 100
#: Whether sound beside pictures is heard.
SOUNDING = "[...document.querySelectorAll('.player audio')].some((a) => !a.paused && !a.muted && a.readyState > 2)"
#: Where it comes from: what is begun anew has another address.
SOURCE = "(document.querySelector('.player audio')?.src ?? null)"
#: Notes, by one clock, when the picture flashes and when the sound beside it ticks (`tests.peers.footage`).
LISTEN = f"""(player) => {{
  const heard = window.heard = {{ ticks: [], flashes: [] }};
  const audio = player.querySelector("audio");
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, {{ fftSize: 4096 }});
  context.createMediaStreamSource(audio.captureStream()).connect(analyser);
  const samples = new Float32Array(4096);
  const small = document.createElement("canvas");
  small.width = small.height = 1;
  const corner = small.getContext("2d", {{ willReadFrequently: true }});
  let white = false;
  const look = () => {{
    const now = performance.now();
    analyser.getFloatTimeDomainData(samples);
    const loud = samples.findIndex((sample) => Math.abs(sample) > 0.2);
    const tick = now - (samples.length - loud) / context.sampleRate * 1000;
    if (loud >= 0 && tick - (heard.ticks.at(-1) ?? -1000) > 500) heard.ticks.push(tick);
    const picture = ({SHOWN})(player);
    corner.drawImage(picture, 2, 2, 8, 8, 0, 0, 1, 1);
    const [red, green, blue] = corner.getImageData(0, 0, 1, 1).data;
    const is = red + green + blue > 3 * 200;
    if (is && !white) heard.flashes.push(now);
    white = is;
    requestAnimationFrame(look);
  }};
  look();
}}"""


def goes_together(page: Visit, player: Locator, count: int = 5) -> None:
    """So many ticks are heard as flashes are seen, from now on."""
    player.evaluate(LISTEN)
    page.until(
        "ticks and flashes",
        lambda: page.page.evaluate(f"Math.min(heard.ticks.length, heard.flashes.length) >= {count}"),
    )
    heard = page.page.evaluate("heard")
    apart = [min((tick - flash for tick in heard["ticks"]), key=abs) for flash in heard["flashes"][1:-1]]
    assert sorted(map(abs, apart))[len(apart) // 2] <= TOGETHER_MS, heard
