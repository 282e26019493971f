"""Decoded pictures to the planes that JPEG is made of: 4:2:0, full range, the colours of BT.601.  The one place where
pipelines scale.

Our own kernels do what cameras send; what is rare (ten bits, wider than it is high in samples) goes through libswscale.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import av
import numpy as np
from av.video.reformatter import ColorRange, Interpolation

from appliance._native.scale import Scaler
from appliance.media.masks import NO_MASK, Mask
from appliance.workers.colours import colours_of, in_colours_of_jpeg

if TYPE_CHECKING:
    from typing_extensions import Buffer

    Sources = list[tuple[Buffer | np.ndarray, int]]

Size = tuple[int, int]
Planes = list[np.ndarray]


class Target(NamedTuple):
    """What is wanted of a picture."""

    size: Size
    mask: Mask = NO_MASK


#: Of libav's names; those with a J are in full range whatever else is said.
_LAYOUTS = {
    "yuv420p": "420", "yuvj420p": "420", "yuv422p": "422", "yuvj422p": "422", "yuv444p": "444", "yuvj444p": "444",
    "nv12": "nv12", "gray": "gray",
}  # fmt: skip
#: Scalers are kept for so many (size, size): a camera that changes its size all the time fills no memory.
KEPT = 32
#: What is hidden is black: the one colour that no conversion of colours changes.
FILL = (0, 128, 128)


class Scaling:
    """Scales pictures of one stream; keeps what it has computed for that."""

    def __init__(self) -> None:
        self._scalers: dict[tuple[object, ...], Scaler] = {}

    def scale(self, frame: av.VideoFrame, targets: set[Target], *, full_range: bool) -> dict[Target, Planes]:
        """The picture as each target, largest first: a smaller one is made of a larger one that it divides, which gives
        the same means; of one with the same mask, so that nothing that is hidden has any part in it."""
        made: dict[Target, Planes] = {}
        for target in sorted(targets, reverse=True):
            size, mask = target
            whole = [
                have for have in made if have.mask == mask and have.size[0] % size[0] == have.size[1] % size[1] == 0
            ]
            if whole:
                made[target] = self._smaller(whole[-1].size, made[whole[-1]], target)
            elif mask:
                made[target] = self.masked(frame, target, full_range=full_range)
            else:
                made[target] = self._of(frame, size, full_range)
        return made

    def masked(self, frame: av.VideoFrame, target: Target, *, full_range: bool) -> Planes:
        """The picture with a mask.

        The first thing that is done to its samples hides those that are not to be seen: whatever mixes samples with
        their neighbours afterwards finds nothing there.
        """
        size, mask = target
        full_range = full_range or frame.format.name.startswith("yuvj")
        colours = colours_of(frame)
        if frame.format.name not in _LAYOUTS:
            frame = _in_eight_bits(self._without_colours(frame, mask))
        fits = size[0] <= frame.width and size[1] <= frame.height
        inner = size if fits else (frame.width // 2 * 2, frame.height // 2 * 2)
        whole = (frame.width, frame.height)
        scaler = self._scaler(whole, Target(inner, mask), _LAYOUTS[frame.format.name], expand=not full_range)
        planes = _run(scaler, [(plane, plane.line_size) for plane in frame.planes])
        if not fits:
            samples = np.concatenate([plane.ravel() for plane in planes]).reshape(-1, inner[0])
            planes = by_swscale(av.VideoFrame.from_ndarray(samples, "yuv420p"), size, full_range=True)
            planes = self._smaller(size, planes, target)  # once more: the edge has become soft
        return in_colours_of_jpeg(planes, colours)

    def _without_colours(self, frame: av.VideoFrame, mask: Mask) -> av.VideoFrame:
        """Where samples share their colour otherwise than our kernel knows: a copy without that of what is hidden."""
        form, size = frame.format, (frame.width, frame.height)
        across, down = -(-size[0] // form.chroma_width(size[0])), -(-size[1] // form.chroma_height(size[1]))
        if form.is_rgb or (across, down) == (1, 1) or form.name.startswith(("yuv420p", "yuv422p")):
            return frame
        bits = form.components[0].bits
        if len(frame.planes) < 3 or bits > 16:
            raise ValueError(f"a picture of {form.name} cannot be masked")
        white = np.full(size[::-1], 255, np.uint8)
        touched = _run(self._scaler(size, Target(size, mask), "gray", expand=False), [(white, size[0])])[0] != 255
        touched = np.pad(touched, ((0, -size[1] % down), (0, -size[0] % across)))
        touched = touched.reshape(-1, down, touched.shape[1] // across, across).any(axis=(1, 3))
        copy = av.VideoFrame(*size, form.name)
        copy.colorspace, copy.color_range = frame.colorspace, frame.color_range
        for number, (plane, into) in enumerate(zip(frame.planes, copy.planes, strict=True)):
            samples = np.frombuffer(plane, np.uint8 if bits == 8 else np.uint16)  # type: ignore[call-overload]
            rows = np.zeros((into.height, into.line_size // samples.itemsize), samples.dtype)
            rows[:, : into.width] = samples.reshape(plane.height, -1)[:, : plane.width]
            if number in (1, 2):
                rows[:, : into.width][touched] = 1 << (bits - 1)
            into.update(rows.tobytes())
        return copy

    def _of(self, frame: av.VideoFrame, size: Size, full_range: bool) -> Planes:
        name = frame.format.name
        full_range = full_range or name.startswith("yuvj")
        fits = size[0] <= frame.width and size[1] <= frame.height
        if name not in _LAYOUTS or not fits:
            planes = by_swscale(frame, size, full_range=full_range)
        else:
            scaler = self._scaler((frame.width, frame.height), Target(size), _LAYOUTS[name], expand=not full_range)
            planes = _run(scaler, [(plane, plane.line_size) for plane in frame.planes])
        return in_colours_of_jpeg(planes, colours_of(frame))  # once the picture is small

    def _smaller(self, source: Size, planes: Planes, target: Target) -> Planes:
        scaler = self._scaler(source, target, "420", expand=False)
        return _run(scaler, [(plane, plane.shape[1]) for plane in planes])

    def _scaler(self, source: Size, target: Target, layout: str, *, expand: bool) -> Scaler:
        key = (source, target, layout, expand)
        if key not in self._scalers:
            if len(self._scalers) == KEPT:
                self._scalers.clear()
            self._scalers[key] = Scaler(
                *source, *target.size, layout=layout, expand=expand, polygons=target.mask, fill=FILL
            )
        return self._scalers[key]


def _run(scaler: Scaler, source: Sources) -> Planes:
    target = [np.empty((height, width), np.uint8) for width, height in scaler.sizes]
    into: Sources = [(plane, plane.shape[1]) for plane in target]
    scaler.scale(source, into)  # type: ignore[arg-type]  # arrays are buffers, which NumPy's types do not say
    return target


def _in_eight_bits(frame: av.VideoFrame) -> av.VideoFrame:
    """Of each sample its own, and nothing of its neighbours; levels stay what they are."""
    name = frame.format.name
    layout = next((each for each in ("yuv420p", "yuv422p", "gray") if name.startswith(each)), "yuv444p")
    levels = ColorRange.JPEG if name.startswith("yuvj") or frame.color_range == ColorRange.JPEG else ColorRange.MPEG
    return frame.reformat(
        format=layout, src_color_range=levels, dst_color_range=levels, interpolation=Interpolation.POINT, threads=1
    )


def by_swscale(frame: av.VideoFrame, size: Size, *, full_range: bool) -> Planes:
    """The picture in another size, 4:2:0 and full range, in its own colours."""
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


def plane_of(frame: av.VideoFrame, number: int) -> np.ndarray:
    """One plane as an array of its true width, rows contiguous."""
    plane = frame.planes[number]
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)  # type: ignore[call-overload]
    return np.ascontiguousarray(rows[:, : plane.width])
