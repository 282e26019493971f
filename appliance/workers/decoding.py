"""The decoder of a pipeline: by hardware where there is a device, else, or from its first failure on, by software.

A failure costs nothing that is seen: the group of pictures, and the one before, of which some may still be inside, are
decoded again up to the picture that it happened at.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import av

from appliance.workers import hardware
from appliance.workers.pictures import DECODERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.workers.wire import PipelineOpen, PipelineUnit

#: Bytes of pictures that are kept for the case.
KEPT = 6 << 20


class Decoder:
    """``kind``: of the device that decodes, None for software; ``failure``: why it no longer does.

    ``make`` opens the device; tests have their own.
    """

    def __init__(
        self,
        opening: PipelineOpen,
        kind: str | None,
        make: Callable[[PipelineOpen, str], av.VideoCodecContext] = hardware.create,
    ) -> None:
        self._opening = opening
        self.kind: str | None = None
        self.failure = ""
        self._groups: deque[list[PipelineUnit]] = deque(maxlen=2)  # while hardware decodes
        self._given: set[int] = set()  # time stamps of their pictures that came out
        if kind is not None and opening.codec in hardware.CODECS:
            try:
                self._decoder = self._prepared(make(opening, kind))
                self.kind = kind
            except (av.FFmpegError, OSError, NotImplementedError) as error:
                self.failure = f"{kind}: {error}"
        if self.kind is None:
            self._decoder = self._software()

    def decode(self, unit: PipelineUnit) -> list[av.VideoFrame]:
        """Give a unit, get what is whole.  Raises av.FFmpegError."""
        if self.kind is None:
            return self._decode(unit)
        self._keep(unit)
        try:
            frames = self._decode(unit)
        except (av.FFmpegError, OSError) as error:
            return self._fall_back(unit, error)
        self._given.update(frame.pts for frame in frames if frame.pts is not None)
        return frames

    def _keep(self, unit: PipelineUnit) -> None:
        if unit.starts or not self._groups:
            self._groups.append([])
            self._given &= {each.pts for group in self._groups for each in group}
        self._groups[-1].append(unit)
        while self._groups and sum(len(each.data) for group in self._groups for each in group) > KEPT:
            self._groups.popleft()

    def drain(self) -> list[av.VideoFrame]:
        """What is still inside; the next unit begins anew."""
        try:
            return self._decoder.decode(None)
        except av.FFmpegError:
            return []
        finally:
            self._decoder.flush_buffers()

    def _decode(self, unit: PipelineUnit) -> list[av.VideoFrame]:
        packet = av.Packet(unit.data)
        packet.pts = packet.dts = unit.pts
        return self._decoder.decode(packet)

    def _fall_back(self, now: PipelineUnit, error: Exception) -> list[av.VideoFrame]:
        kind, self.kind = self.kind, None
        self._decoder = self._software()
        units = [unit for group in self._groups for unit in group] or [now]
        self._groups.clear()
        frames: list[av.VideoFrame] = []
        for unit in units[:-1]:
            try:
                frames += self._decode(unit)
            except av.FFmpegError:
                continue  # as it was to the hardware
        frames += self._decode(now)  # raises where the picture is to blame, not the hardware
        self.failure = f"{kind}: {error}"
        return [frame for frame in frames if frame.pts not in self._given]

    def _software(self) -> av.VideoCodecContext:
        decoder = av.VideoCodecContext.create(DECODERS[self._opening.codec], "r")
        assert isinstance(decoder, av.VideoCodecContext)
        return self._prepared(decoder)

    def _prepared(self, decoder: av.VideoCodecContext) -> av.VideoCodecContext:
        opening = self._opening
        decoder.extradata = opening.configuration or None
        decoder.thread_count = 1
        if opening.skip_loop_filter:  # key frames stay filtered: most of the quality for a little of the time
            decoder.options = {"skip_loop_filter": "nokey"}
        if opening.reduce > 1:
            decoder.options = {"lowres": str(opening.reduce.bit_length() - 1)}
        return decoder
