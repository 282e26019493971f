"""A pipeline: one camera stream decoded once, scaled once a (size, mask), encoded once a (size, mask, quality).
Runs in a media worker.

The decoder is fed unit by unit.  What it cannot use is told and forgotten: a damaged unit costs its own picture and
those that refer to it, never the pipeline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import simplejpeg

from appliance.media.ladder import time_slot
from appliance.workers.decoding import Decoder
from appliance.workers.scaling import Scaling, Target
from appliance.workers.wire import PipelinePicture, PipelineUnit, PipelineWorked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from appliance.media.masks import Mask
    from appliance.workers.wire import PipelineOpen, PipelineRung, PipelineRungs


class Pipeline:
    """One decoder and the rungs that its pictures are made for."""

    def __init__(self, opening: PipelineOpen, device: str | None = None) -> None:
        self._full_range = opening.full_range
        self._scaling = Scaling()
        self._rungs: list[PipelineRung] = []
        self._slots: list[int | None] = []  # by rung: the slot of time that the last picture was made for
        self._decoder = Decoder(opening, device)
        self._hidden: set[int] = set()  # time stamps of units that are decoded and not shown
        self._at_once = False

    def change(self, to: PipelineRungs) -> None:
        """Make these rungs from now on; those that stay keep their pace."""
        kept = dict(zip(self._rungs, self._slots, strict=True))
        self._rungs = to.rungs
        self._slots = [kept.get(rung) for rung in to.rungs]

    def work(self, unit: PipelineUnit) -> PipelineWorked:
        """Decode a unit and make what is due of what came out."""
        if unit.alone and not any(time_slot(unit.pts, rung.fps) != slot for rung, slot in self._paces()):
            return PipelineWorked(0, [])  # nobody waits for this one, and nothing follows on it
        if not unit.shown:
            self._hidden.add(unit.pts)
        damaged = False
        frames: list[av.VideoFrame] = []
        for data, pts in unit.before:
            self._hidden.add(pts)
            damaged |= not self._decode(PipelineUnit(data, pts), frames)
        damaged |= not self._decode(unit, frames)
        if unit.alone:
            frames += self._decoder.drain()
        pictures = [made for frame in frames if (made := self._make(frame)) is not None]
        return PipelineWorked(
            len(frames), pictures, damaged, self._decoder.kind, self._decoder.failure, at_once=self._at_once
        )

    def _decode(self, unit: PipelineUnit, frames: list[av.VideoFrame]) -> bool:
        """Add what came out; whether the decoder could use the unit."""
        try:
            came = self._decoder.decode(unit)
        except av.FFmpegError:
            self._hidden.discard(unit.pts)
            self._at_once = False
            return False
        self._at_once = (self._at_once or unit.starts) and len(came) == 1 and came[0].pts == unit.pts
        frames += came
        return True

    def _make(self, frame: av.VideoFrame) -> PipelinePicture | None:
        """JPEG for the rungs whose turn it is; None: for none of them."""
        pts = frame.pts
        if pts is None or pts < 0:
            return None  # of no time that there is
        if pts in self._hidden:
            self._hidden.discard(pts)
            return None
        due = [number for number, rung in enumerate(self._rungs) if self._is_due(number, rung, pts)]
        if not due:
            return None
        jpegs: list[bytes] = []
        numbers: dict[tuple[int, int, int, Mask], int] = {}
        targets = {Target((rung.width, rung.height), rung.mask) for rung in (self._rungs[number] for number in due)}
        planes = self._scaling.scale(frame, targets, full_range=self._full_range)
        given = []
        for number in due:
            rung = self._rungs[number]
            key = (rung.width, rung.height, rung.quality, rung.mask)
            if key not in numbers:
                numbers[key] = len(jpegs)
                y, u, v = planes[Target((rung.width, rung.height), rung.mask)]
                jpegs.append(simplejpeg.encode_jpeg_yuv_planes(y, u, v, quality=rung.quality))
            given.append((number, numbers[key]))
        return PipelinePicture(pts, jpegs, given)

    def _is_due(self, number: int, rung: PipelineRung, pts: int) -> bool:
        slot = time_slot(pts, rung.fps)
        before, self._slots[number] = self._slots[number], slot
        return slot != before

    def _paces(self) -> Iterable[tuple[PipelineRung, int | None]]:
        return zip(self._rungs, self._slots, strict=True)
