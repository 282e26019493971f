"""Which picture of a clip the browser shows: its pixels against the clip as ffmpeg decodes it.

Both are shrunk to the same small size; the measure is the mean absolute difference of the bytes (0 to 255).
"""

from __future__ import annotations

import base64
import subprocess
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tests.e2e.visit import SHOWN
from tests.peers.cameras import FOOTAGE, FPS, GOP, SECONDS

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator

Image = npt.NDArray[np.uint8]
WIDTH, HEIGHT = 320, 180
#: Two decoders, two scalers and a conversion of colours differ by this much at most; another scene by far more.
ALIKE = 5.0

#: Takes the element of a player; null where it shows nothing.
GRAB = f"""(player) => {{
  const shown = ({SHOWN})(player);
  if (shown === null || shown.readyState < 2 || shown.width === 0 && shown.matches("canvas")) return null;
  const canvas = document.createElement("canvas");
  canvas.width = {WIDTH}; canvas.height = {HEIGHT};
  const context = canvas.getContext("2d", {{ willReadFrequently: true }});
  context.imageSmoothingQuality = "high";
  const at = Date.now();
  context.drawImage(shown, 0, 0, {WIDTH}, {HEIGHT});
  const data = context.getImageData(0, 0, {WIDTH}, {HEIGHT}).data;
  // clear where the browser had nothing to draw; a black picture would be opaque
  if (data[3] === 0) return null;
  let text = "";
  for (let i = 0; i < data.length; i += 4) text += String.fromCharCode(data[i], data[i + 1], data[i + 2]);
  return {{ at, width: shown.videoWidth ?? shown.width, pixels: btoa(text) }};
}}"""

#: Notes, at every picture that the browser paints, the width of the one shown and how bright it is.
WATCH = f"""() => {{
  const canvas = document.createElement("canvas");
  canvas.width = 32; canvas.height = 18;
  const context = canvas.getContext("2d", {{ willReadFrequently: true }});
  window.painted = [];
  const look = () => {{
    const player = document.querySelector(".player");
    const video = player && ({SHOWN})(player);
    context.clearRect(0, 0, 32, 18);
    if (video) context.drawImage(video, 0, 0, 32, 18);
    const data = context.getImageData(0, 0, 32, 18).data;
    let sum = 0;
    for (let i = 0; i < data.length; i += 4) sum += data[i] + data[i + 1] + data[i + 2];
    window.painted.push([video?.videoWidth ?? video?.width ?? 0, sum / (32 * 18 * 3)]);
    window.looking = requestAnimationFrame(look);
  }};
  look();
}}"""


@dataclass(frozen=True)
class Grabbed:
    """What the browser shows; ``at`` is the wall clock in ms at that moment."""

    image: Image
    at: float
    width: int  # of the stream's own picture


def grab(where: Locator) -> Grabbed | None:
    """The picture that the player in ``where`` shows."""
    got = where.locator(".player").evaluate(GRAB)
    if got is None:
        return None
    pixels = np.frombuffer(base64.b64decode(got["pixels"]), np.uint8)
    return Grabbed(pixels.reshape(HEIGHT, WIDTH, 3), got["at"], got["width"])


def decode(path: Path, *options: str, matrix: str = "bt709") -> npt.NDArray[np.uint8]:
    """All pictures of a file, small, as ffmpeg sees them; BT.709, as browsers have it where a stream does not say."""
    command = ["ffmpeg", "-v", "error", "-nostdin", *options, "-i", str(path), "-an", "-vf"]
    command += [f"scale={WIDTH}:{HEIGHT}:flags=area:in_color_matrix={matrix}", "-fps_mode", "passthrough"]
    command += ["-pix_fmt", "rgb24", "-f", "rawvideo", "-"]
    raw = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT, WIDTH, 3)


@cache
def footage(stream: str, matrix: str = "bt709") -> npt.NDArray[np.uint8]:
    """The loop of a simulated camera's stream: ``main``, ``sub``, ``h265`` or ``h265sub``."""
    [path] = FOOTAGE.glob(f"*-{SECONDS}s-{FPS}-{GOP}.{stream}")
    return decode(path, "-f", "hevc" if stream.startswith("h265") else "h264", matrix=matrix)


def nearest(image: Image, clip: npt.NDArray[np.uint8]) -> tuple[int, float]:
    """The number of the clip's picture that is most like it, and how far it is from it."""
    wanted = image.astype(np.int16)
    far = [float(np.abs(one.astype(np.int16) - wanted).mean()) for one in clip]
    best = int(np.argmin(far))
    return best, far[best]


def nearest_in_any_colours(image: Image, stream: str) -> tuple[int, float]:
    """As `nearest`, of a clip that does not say in which colours it is coded: browsers take it for BT.709, and what
    makes JPEG of it may take it for BT.601."""
    found = (nearest(image, footage(stream, matrix)) for matrix in ("bt601", "bt709"))
    return min(found, key=lambda number_far: number_far[1])


def well_shown(numbers: set[int], image: Image, stream: str) -> bool:
    """Whether, with this picture, three of the clip have been shown well; their numbers are noted.

    A busy machine or network may lower the quality for a while: such a picture does not count, but is of this clip.
    """
    number, far = nearest_in_any_colours(image, stream)
    assert far < 2 * ALIKE
    if far < ALIKE:
        numbers.add(number)
    return len(numbers) >= 3
