"""A pipeline: one camera stream decoded once, scaled once a size, encoded once a (size, quality).  Runs in a media
worker.

The decoder is fed unit by unit.  What it cannot use is told and forgotten: a damaged unit costs its own picture and
those that refer to it, never the pipeline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import simplejpeg
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from appliance.base.clock import TICKS_PER_SECOND
from appliance.workers.pictures import DECODERS, plane_of
from appliance.workers.wire import PipelinePicture, PipelineWorked

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np

    from appliance.workers.wire import PipelineOpen, PipelineRung, PipelineRungs, PipelineUnit

Size = tuple[int, int]
#: Matrix coefficients of ITU-T H.273, as the decoder reports them.
_BT709 = 1


class Pipeline:
    """One decoder and the rungs that its pictures are made for."""

    def __init__(self, opening: PipelineOpen) -> None:
        self._opening = opening
        self._rungs: list[PipelineRung] = []
        self._slots: list[int | None] = []  # by rung: the slot of time that the last picture was made for
        decoder = av.VideoCodecContext.create(DECODERS[opening.codec], "r")
        assert isinstance(decoder, av.VideoCodecContext)
        decoder.extradata = opening.configuration or None
        decoder.thread_count = 1
        if opening.skip_loop_filter:  # key frames stay filtered: most of the quality for a little of the time
            decoder.options = {"skip_loop_filter": "nokey"}
        self._decoder = decoder
        self._hidden: set[int] = set()  # time stamps of units that are decoded and not shown

    def change(self, to: PipelineRungs) -> None:
        """Make these rungs from now on; those that stay keep their pace."""
        kept = dict(zip(self._rungs, self._slots, strict=True))
        self._rungs = to.rungs
        self._slots = [kept.get(rung) for rung in to.rungs]

    def work(self, unit: PipelineUnit) -> PipelineWorked:
        """Decode a unit and make what is due of what came out."""
        if unit.alone and not any(self._slot(rung, unit.pts) != slot for rung, slot in self._paces()):
            return PipelineWorked(0, [])  # nobody waits for this one, and nothing follows on it
        packet = av.Packet(unit.data)
        packet.pts = packet.dts = unit.pts
        if not unit.shown:
            self._hidden.add(unit.pts)
        damaged = False
        frames: list[av.VideoFrame] = []
        try:
            frames += self._decoder.decode(packet)
        except av.FFmpegError:
            damaged = True
        if unit.alone:
            frames += self._drain()
        pictures = [made for frame in frames if (made := self._make(frame)) is not None]
        return PipelineWorked(len(frames), pictures, damaged)

    def _drain(self) -> list[av.VideoFrame]:
        try:
            return self._decoder.decode(None)
        except av.FFmpegError:
            return []
        finally:
            self._decoder.flush_buffers()

    def _make(self, frame: av.VideoFrame) -> PipelinePicture | None:
        """JPEG for the rungs whose turn it is; None: for none of them."""
        pts = frame.pts
        if pts is None:
            return None
        if pts in self._hidden:
            self._hidden.discard(pts)
            return None
        due = [number for number, rung in enumerate(self._rungs) if self._is_due(number, rung, pts)]
        if not due:
            return None
        jpegs: list[bytes] = []
        numbers: dict[tuple[int, int, int], int] = {}
        planes = self._planes(frame, {(self._rungs[number].width, self._rungs[number].height) for number in due})
        given = []
        for number in due:
            rung = self._rungs[number]
            key = (rung.width, rung.height, rung.quality)
            if key not in numbers:
                numbers[key] = len(jpegs)
                y, u, v = planes[rung.width, rung.height]
                jpegs.append(simplejpeg.encode_jpeg_yuv_planes(y, u, v, quality=rung.quality))
            given.append((number, numbers[key]))
        return PipelinePicture(pts, jpegs, given)

    def _is_due(self, number: int, rung: PipelineRung, pts: int) -> bool:
        slot = self._slot(rung, pts)
        before, self._slots[number] = self._slots[number], slot
        return slot != before

    def _paces(self) -> Iterable[tuple[PipelineRung, int | None]]:
        return zip(self._rungs, self._slots, strict=True)

    @staticmethod
    def _slot(rung: PipelineRung, pts: int) -> int:
        """Time is cut into slots of the rung's rate: the first picture of each is made."""
        return pts if rung.fps is None else int(pts * rung.fps // TICKS_PER_SECOND)

    def _planes(self, frame: av.VideoFrame, sizes: set[Size]) -> dict[Size, list[np.ndarray]]:
        """The picture in each size, largest first: a smaller one is made of a larger one if it divides it, which gives
        the same means."""
        shown: dict[Size, av.VideoFrame] = {}
        for size in sorted(sizes, reverse=True):
            whole = [have for have in shown if have[0] % size[0] == have[1] % size[1] == 0]
            source = shown[whole[-1]] if whole else frame
            shown[size] = scaled(source, size, full_range=bool(whole) or self._opening.full_range)
        return {size: [plane_of(picture, number) for number in range(3)] for size, picture in shown.items()}


def scaled(frame: av.VideoFrame, size: Size, *, full_range: bool) -> av.VideoFrame:
    """4:2:0 in full range and in the colours of BT.601, as JPEG has it.  The one place where pictures are scaled."""
    shown = frame.reformat(
        width=size[0],
        height=size[1],
        format="yuv420p",
        src_color_range=ColorRange.JPEG if full_range else ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        interpolation=Interpolation.AREA if size[0] < frame.width else Interpolation.BICUBIC,
        threads=1,
    )
    if frame.colorspace != _BT709:
        return shown
    return shown.reformat(  # by way of RGB: dear, and therefore once the picture is small
        src_colorspace=Colorspace.ITU709,
        dst_colorspace=Colorspace.ITU601,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.JPEG,
        threads=1,
    )
