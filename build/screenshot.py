"""Makes docs/images/live.png anew: the live page of a running appliance, in Chromium, as a person sees it.

    .venv/bin/python build/screenshot.py [--clip FOOTAGE]

The pictures are real: the demo camera, and three simulated ones (tests/peers) that show parts of ``FOOTAGE``, a video
with people in it, coded and sent over RTSP.  The one in the documentation shows vtest.avi from Debian's package
opencv-doc (people crossing a courtyard).  Without ``--clip`` the cameras show a test picture.
Needs what the tests need (make test).
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.e2e.browser import open_browser  # noqa: E402  (only after the path is set)
from tests.e2e.house import first_house, open_house  # noqa: E402
from tests.e2e.visit import DESKTOP, Visit  # noqa: E402
from tests.peers import cameras as simulated  # noqa: E402
from tests.peers.footage import Recipe, units  # noqa: E402

IMAGE = ROOT / "docs" / "images" / "live.png"
MOST_BYTES = 250_000
#: What each camera sees of the footage, as ffmpeg's crop: width, height, left, top of the whole.
VIEWS = {
    "Square": "crop=iw:iw*9/16:0:(ih-oh)/2",
    "Bus stop": "crop=iw*0.5:iw*0.5*9/16:iw*0.5:ih*0.1",
    "Passage": "crop=iw*0.6:iw*0.6*9/16:0:ih-oh",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clip", type=Path, help="a video file with people in it")
    clip = parser.parse_args().clip
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        folder = Path(scratch)
        kept = ROOT / ".cache" / "screenshot"
        kept.mkdir(parents=True, exist_ok=True)
        first = stack.enter_context(first_house())
        browser = stack.enter_context(open_browser(folder / "home", first.authority))
        house = stack.enter_context(open_house(first, "harbour", demo=True))
        house.fanal("config", "set", "general.server_name", "Harbour")
        for number, (name, view) in enumerate(VIEWS.items()):
            part = cut(clip, view, kept / f"part{number}.mkv") if clip else kept / "none"
            units(Recipe(kept, part, simulated.SECONDS, simulated.FPS, simulated.GOP))  # takes a minute, once
            camera = stack.enter_context(simulated.running_cameras(clip=part, footage=kept))
            house.add_camera(name, camera.url(), camera.url("/sub"))
        house.add_user("léa", "live=all")
        page = Visit(browser, house.url, size=DESKTOP)
        page.sign_in("léa")
        for name in ("Demo", *VIEWS):
            page.advances(page.live(name))
        page.tile("Bus stop").hover()
        page.page.wait_for_timeout(5000)  # so that the figures are those of a running stream
        picture = folder / "live.png"
        page.page.screenshot(path=str(picture))
        page.end()
        IMAGE.parent.mkdir(exist_ok=True)
        shrink(picture)
    print(f"{IMAGE.relative_to(ROOT)}: {IMAGE.stat().st_size} bytes")


def cut(clip: Path, view: str, target: Path) -> Path:
    """A part of the footage as a file of its own, without loss."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", str(clip), "-t", "8", "-an"]
    subprocess.run([*command, "-vf", f"{view},scale=1280:720", "-c:v", "ffv1", str(target)], check=True)
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
