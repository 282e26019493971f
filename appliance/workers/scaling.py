"""Decoded pictures to the planes that JPEG is made of: 4:2:0, full range, the colours of BT.601.  The one place where
pipelines scale.

Our own kernels do what cameras send; what is rare (ten bits, wider than it is high in samples) goes through libswscale.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from av.video.reformatter import ColorRange, Interpolation

from appliance._native.scale import Scaler
from appliance.workers.pictures import in_colours_of_jpeg, is_bt709, plane_of

if TYPE_CHECKING:
    import av
    from typing_extensions import Buffer

    Sources = list[tuple[Buffer | np.ndarray, int]]

Size = tuple[int, int]
Planes = list[np.ndarray]

#: Of libav's names; those with a J are in full range whatever else is said.
_LAYOUTS = {
    "yuv420p": "420", "yuvj420p": "420", "yuv422p": "422", "yuvj422p": "422", "yuv444p": "444", "yuvj444p": "444",
    "nv12": "nv12", "gray": "gray",
}  # fmt: skip
#: Scalers are kept for so many (size, size): a camera that changes its size all the time fills no memory.
KEPT = 16


class Scaling:
    """Scales pictures of one stream; keeps what it has computed for that."""

    def __init__(self) -> None:
        self._scalers: dict[tuple[object, ...], Scaler] = {}

    def scale(self, frame: av.VideoFrame, sizes: set[Size], *, full_range: bool) -> dict[Size, Planes]:
        """The picture in each size, largest first: a smaller one is made of a larger one that it divides, which gives
        the same means."""
        made: dict[Size, Planes] = {}
        for size in sorted(sizes, reverse=True):
            whole = [have for have in made if have[0] % size[0] == have[1] % size[1] == 0]
            made[size] = self._smaller(whole[-1], made[whole[-1]], size) if whole else self._of(frame, size, full_range)
        return made

    def _of(self, frame: av.VideoFrame, size: Size, full_range: bool) -> Planes:
        name = frame.format.name
        full_range = full_range or name.startswith("yuvj")
        fits = size[0] <= frame.width and size[1] <= frame.height
        if name not in _LAYOUTS or not fits:
            planes = _by_swscale(frame, size, full_range=full_range)
        else:
            scaler = self._scaler((frame.width, frame.height), size, _LAYOUTS[name], expand=not full_range)
            planes = _run(scaler, [(plane, plane.line_size) for plane in frame.planes])
        return in_colours_of_jpeg(planes) if is_bt709(frame) else planes  # once the picture is small

    def _smaller(self, source: Size, planes: Planes, size: Size) -> Planes:
        scaler = self._scaler(source, size, "420", expand=False)
        return _run(scaler, [(plane, plane.shape[1]) for plane in planes])

    def _scaler(self, source: Size, size: Size, layout: str, *, expand: bool) -> Scaler:
        key = (source, size, layout, expand)
        if key not in self._scalers:
            if len(self._scalers) == KEPT:
                self._scalers.clear()
            self._scalers[key] = Scaler(*source, *size, layout=layout, expand=expand)
        return self._scalers[key]


def _run(scaler: Scaler, source: Sources) -> Planes:
    target = [np.empty((height, width), np.uint8) for width, height in scaler.sizes]
    into: Sources = [(plane, plane.shape[1]) for plane in target]
    scaler.scale(source, into)  # type: ignore[arg-type]  # arrays are buffers, which NumPy's types do not say
    return target


def _by_swscale(frame: av.VideoFrame, size: Size, *, full_range: bool) -> Planes:
    shown = frame.reformat(
        width=size[0],
        height=size[1],
        format="yuv420p",
        src_color_range=ColorRange.JPEG if full_range else ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        interpolation=Interpolation.AREA if size[0] < frame.width else Interpolation.BICUBIC,
        threads=1,
    )
    return [plane_of(shown, number) for number in range(3)]
