"""Makes docs/images/live.png anew: the live page of a running appliance, in Chromium, as a person sees it.

    .venv/bin/python build/screenshot.py

The page is real: the demo camera, and three simulated ones (tests/peers) that code drawings of ours
(docs/images/scenes) and send them over RTSP.  Needs what the tests need (make test).
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.e2e.browser import open_browser  # noqa: E402  (only after the path is set)
from tests.e2e.house import first_house, open_house  # noqa: E402
from tests.e2e.visit import DESKTOP, Visit  # noqa: E402
from tests.peers import cameras as simulated  # noqa: E402
from tests.peers.footage import Recipe, units  # noqa: E402

IMAGE = ROOT / "docs" / "images" / "live.png"
MOST_BYTES = 250_000
SCENES = ROOT / "docs" / "images" / "scenes"
#: What each camera shows.
VIEWS = {"Front gate": "gate", "Loading dock": "dock", "Reception": "reception"}
SIZE = {"width": 1280, "height": 720}


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        folder = Path(scratch)
        kept = ROOT / ".cache" / "screenshot"
        kept.mkdir(parents=True, exist_ok=True)
        first = stack.enter_context(first_house())
        browser = stack.enter_context(open_browser(folder / "home", first.authority))
        house = stack.enter_context(open_house(first, "harbour", demo=True))
        house.fanal("config", "set", "general.server_name", "Harbour")
        for name, scene in VIEWS.items():
            clip = film(browser, SCENES / f"{scene}.svg", kept / f"{scene}.mkv")
            units(Recipe(kept, clip, simulated.SECONDS, simulated.FPS, simulated.GOP))  # takes a minute, once
            camera = stack.enter_context(simulated.running_cameras(clip=clip, footage=kept))
            house.add_camera(name, camera.url(), camera.url("/sub"))
        house.add_user("léa", "live=all")
        page = Visit(browser, house.url, size=DESKTOP)
        page.sign_in("léa")
        for name in ("Demo", *VIEWS):
            page.advances(page.live(name))
        page.tile("Loading dock").hover()
        page.page.wait_for_timeout(5000)  # so that the figures are those of a running stream
        picture = folder / "live.png"
        page.page.screenshot(path=str(picture))
        page.end()
        IMAGE.parent.mkdir(exist_ok=True)
        shrink(picture)
    print(f"{IMAGE.relative_to(ROOT)}: {IMAGE.stat().st_size} bytes")


def film(browser: Browser, drawing: Path, target: Path) -> Path:
    """A drawing as a film, with the noise of a camera, without loss."""
    page = browser.new_page(viewport=SIZE)
    page.goto(drawing.as_uri())
    picture = target.with_suffix(".png")
    page.screenshot(path=str(picture))
    page.close()
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-loop", "1", "-i", str(picture), "-t", "8"]
    subprocess.run([*command, "-vf", "noise=alls=4:allf=t,format=yuv420p", "-c:v", "ffv1", str(target)], check=True)
    return target


def shrink(picture: Path) -> None:
    """Into the documentation, at the best size and number of colours that keep it small."""
    for width, colours in ((1440, 256), (1200, 256), (1200, 128), (1000, 128), (1000, 64)):
        palette = f"scale={width}:-2:flags=lanczos,split[a][b];[a]palettegen={colours}[p];[b][p]paletteuse=dither=none"
        command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", str(picture), "-vf", palette]
        subprocess.run([*command, "-compression_level", "100", str(IMAGE)], check=True)
        if IMAGE.stat().st_size <= MOST_BYTES:
            return
    raise SystemExit(f"the picture stays larger than {MOST_BYTES} bytes")


if __name__ == "__main__":
    main()
