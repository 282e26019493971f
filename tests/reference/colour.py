"""BT.709 and BT.2020 to BT.601 by way of RGB, the slow and obvious way: 4:2:0, full range."""

from __future__ import annotations

import numpy as np

#: Kr and Kb of each (ITU-R BT.709, BT.2020 with non-constant luminance, BT.601).
BT709, BT2020, BT601 = (0.2126, 0.0722), (0.2627, 0.0593), (0.299, 0.114)


def to_rgb(y: np.ndarray, u: np.ndarray, v: np.ndarray, kr: float, kb: float) -> np.ndarray:
    cb, cr = u - 128.0, v - 128.0
    red, blue = y + 2 * (1 - kr) * cr, y + 2 * (1 - kb) * cb
    return np.stack([red, (y - kr * red - kb * blue) / (1 - kr - kb), blue])


def from_rgb(rgb: np.ndarray, kr: float, kb: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    red, green, blue = rgb
    y = kr * red + (1 - kr - kb) * green + kb * blue
    return y, (blue - y) / (2 * (1 - kb)) + 128, (red - y) / (2 * (1 - kr)) + 128


def to_bt601(y: np.ndarray, u: np.ndarray, v: np.ndarray, *, bt2020: bool = False) -> None:
    """In place; each sample of the colours belongs to four of the brightness."""
    height, width = y.shape
    wide = [plane.repeat(2, 0).repeat(2, 1)[:height, :width] for plane in (u, v)]
    source = BT2020 if bt2020 else BT709
    new_y = from_rgb(to_rgb(y.astype(float), *wide, *source), *BT601)[0]
    _, new_u, new_v = from_rgb(to_rgb(np.full(u.shape, 128.0), u, v, *source), *BT601)
    for plane, new in ((y, new_y), (u, new_u), (v, new_v)):
        plane[:] = np.clip(np.rint(new), 0, 255)
