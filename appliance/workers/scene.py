"""The demo camera's picture: a lighthouse at night, its beam turning, and a running stopwatch.

Drawn with NumPy at a quarter of the size where it is soft, and at full size where it has edges; a pure function of the
picture's number, so that the loop closes without a seam.
"""

from __future__ import annotations

import av
import numpy as np
import numpy.random  # NumPy loads it lazily, and a worker can load nothing any more
import numpy.typing as npt

Plane = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]

SOFT = 4  # soft things are drawn at a quarter of the size
TURN_S = 10.0  # the beam turns once in this time; a clip lasts a multiple of it
# seven-segment digits: a top, b upper right, c lower right, d bottom, e lower left, f upper left, g middle
_SEGMENTS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgecd", "abc", "abcdefg", "abcdfg")


class Scene:
    """Pictures of one size."""

    def __init__(self, width: int, height: int, fps: int) -> None:
        self.width, self.height, self.fps = width, height, fps
        soft_w, soft_h = width // SOFT, height // SOFT
        self._y, self._x = np.mgrid[0:soft_h, 0:soft_w].astype(np.float32)
        self._y = (self._y + 0.5) / soft_h
        self._x = (self._x + 0.5) / soft_w * (width / height)
        self._aspect = width / height
        self._horizon = 0.66
        self._lamp = (self._aspect * 0.72, 0.27)
        self._sea = self._y > self._horizon
        self._base = self._background()
        tower, colour = self._draw_tower()
        self._tower_at = np.flatnonzero(tower)  # few of all the pixels
        self._tower = colour[tower]

    def backdrop(self, number: int) -> Image:
        """Picture ``number`` without the stopwatch, as RGB, height x width x 3; the same again every `TURN_S`."""
        seconds = number / self.fps
        light = self._beam(seconds)
        soft = self._base + light[..., None] * np.array([235, 205, 140], np.float32)
        soft += self._glitter(seconds)[..., None] * np.array([150, 160, 150], np.float32)
        image = _enlarge(np.clip(soft, 0, 255).astype(np.uint8), SOFT)
        image.reshape(-1, 3)[self._tower_at] = self._tower
        self._draw_lamp(image, seconds)
        return image

    def _background(self) -> npt.NDArray[np.float32]:
        height = self._y[..., None]
        top, low = np.array([10, 18, 32], np.float32), np.array([42, 66, 82], np.float32)
        sky = top + (low - top) * np.clip(height / self._horizon, 0, 1) ** 1.6
        depth = np.clip((height - self._horizon) / (1 - self._horizon), 0, 1)
        sea = np.array([22, 42, 50], np.float32) * (1 - 0.55 * depth)
        picture = np.where(self._sea[..., None], sea, sky)
        stars = np.random.default_rng(7)
        for _ in range(90):
            x, y = stars.random() * self._x.shape[1], stars.random() ** 1.5 * self._horizon * 0.85 * self._y.shape[0]
            picture[int(y), int(x)] += 30 + 110 * stars.random()
        return picture.astype(np.float32, copy=False)  # type: ignore[no-any-return]  # NumPy says Any

    def _beam(self, seconds: float) -> Plane:
        """Brightness of the turning beam: a cone seen from the side, longest when it points across the picture."""
        x, y = self._lamp
        dx, dy = self._x - x, self._y - y
        distance = np.sqrt(dx * dx + dy * dy) + 1e-3
        total = np.zeros_like(dx)
        for turn in (0.0, 0.5):
            angle = 2 * np.pi * (seconds / TURN_S + turn)
            across, towards = np.cos(angle), np.sin(angle)
            side = np.sign(across) or 1.0
            along = dx * side
            spread = 0.035 + 0.10 * distance * (0.35 + 0.65 * abs(towards))
            off = np.abs(dy - 0.04 * along) / (spread + 1e-4)
            reach = np.exp(-distance / (0.25 + 1.3 * abs(across)))
            total += np.where(along > 0, np.exp(-off * off) * reach * abs(across) ** 0.5, 0) * 0.75
        halo = 0.35 * np.exp(-distance * 9)
        light = (total + halo) * np.where(self._sea, 0.55, 1.0)
        return light.astype(np.float32)  # type: ignore[no-any-return]  # NumPy says Any

    def _glitter(self, seconds: float) -> Plane:
        phase = 2 * np.pi * seconds / TURN_S
        depth = np.clip((self._y - self._horizon) / (1 - self._horizon), 0, 1)
        waves = np.sin(90 * (self._y + 0.02 * np.sin(7 * self._x + phase)) + 3 * phase)
        waves *= np.sin(23 * self._x + 11 * self._y * (1 + depth) - 2 * phase)
        path = np.exp(-(((self._x - self._lamp[0]) / (0.10 + 0.35 * depth)) ** 2))
        shine = np.clip(waves - 0.25, 0, 1) * (0.10 + 0.45 * path) * (1 - 0.4 * depth) * self._sea
        return shine.astype(np.float32, copy=False)  # type: ignore[no-any-return]  # NumPy says Any

    def _draw_tower(self) -> tuple[npt.NDArray[np.bool_], Image]:
        y, x = np.mgrid[0 : self.height, 0 : self.width].astype(np.float32)
        x, y = x / self.height, y / self.height
        lamp_x, lamp_y = self._lamp
        from_top = (y - lamp_y - 0.045) / (self._horizon + 0.03 - lamp_y)
        half = 0.036 + 0.026 * from_top
        tower = (np.abs(x - lamp_x) < half) & (from_top > 0) & (from_top < 1)
        gallery = (np.abs(x - lamp_x) < 0.056) & (np.abs(y - lamp_y - 0.043) < 0.007)
        roof = (np.abs(x - lamp_x) < (y - lamp_y + 0.085) * 0.75) & (y > lamp_y - 0.085) & (y < lamp_y - 0.034)
        frame = (np.abs(np.abs(x - lamp_x) - 0.031) < 0.003) & (np.abs(y - lamp_y) < 0.036)
        rock_line = self._horizon + 0.055 - 0.075 * np.exp(-(((x - lamp_x) / 0.17) ** 2))
        rock_line += 0.006 * np.sin(x * 61) + 0.004 * np.sin(x * 143 + 1)
        rock = (np.abs(x - lamp_x) < 0.36) & (y > rock_line) & (y < self._horizon + 0.075 - 0.09 * (x - lamp_x) ** 2)
        colour = np.zeros((self.height, self.width, 3), np.float32)
        shade = np.clip(1.0 - 0.75 * (x - lamp_x + half) / (2 * half + 1e-6), 0.18, 1)[..., None]
        band = ((from_top * 5).astype(np.int32) % 2 == 0)[..., None]
        colour[tower] = np.where(band, [196, 202, 198], [128, 44, 40])[tower] * shade[tower]
        colour[rock] = [17, 22, 24]
        for part in (gallery, roof, frame):
            colour[part] = [24, 30, 32]
        return tower | gallery | roof | rock | frame, np.clip(colour, 0, 255).astype(np.uint8)

    def _draw_lamp(self, image: Image, seconds: float) -> None:
        facing = abs(np.sin(2 * np.pi * seconds / TURN_S))
        x, y = (int(value * self.height) for value in self._lamp)
        half_w, half_h = int(0.027 * self.height), int(0.032 * self.height)
        glow = np.array([255, 226, 150]) * (0.55 + 0.45 * facing)
        image[y - half_h : y + half_h, x - half_w : x + half_w] = glow.astype(np.uint8)

    def draw_stopwatch(self, image: Image, number: int) -> None:
        """The time of picture ``number`` since the beginning, into the lower left corner."""
        hundredths = number * 100 // self.fps
        text = f"{hundredths // 6000:02d}:{hundredths // 100 % 60:02d}.{hundredths % 100:02d}"
        size = self.height * 0.105
        x, y = self.height * 0.06, self.height * 0.70  # clear of what players lay over the bottom
        for sign in text:
            x += _draw_sign(image, sign, x, y, size)


def _draw_sign(image: Image, sign: str, x: float, y: float, size: float) -> float:
    """One sign with its upper left corner at (x, y); how far to go on for the next one."""
    thick, wide = size * 0.13, size * 0.5
    white = (233, 239, 239)

    def bar(left: float, top: float, right: float, bottom: float) -> None:
        image[round(y + top) : round(y + bottom), round(x + left) : round(x + right)] = white

    if sign in ":.":
        for at in (0.28, 0.68) if sign == ":" else (0.87,):
            bar(0, size * at, thick, size * at + thick)
        return thick + size * 0.2
    middle = size / 2
    places = {
        "a": (0, 0, wide, thick),
        "b": (wide - thick, 0, wide, middle),
        "c": (wide - thick, middle, wide, size),
        "d": (0, size - thick, wide, size),
        "e": (0, middle, thick, size),
        "f": (0, 0, thick, middle),
        "g": (0, middle - thick / 2, wide, middle + thick / 2),
    }
    for segment in _SEGMENTS[int(sign)]:
        bar(*places[segment])
    return wide + size * 0.2


def _enlarge(soft: Image, times: int) -> Image:
    """Linear interpolation by a whole factor."""
    height, width, _ = soft.shape
    frame = av.VideoFrame.from_ndarray(soft, format="rgb24")
    frame = frame.reformat(width=width * times, height=height * times, interpolation="BILINEAR", threads=1)
    return np.asarray(frame.to_ndarray(), np.uint8)
