"""A pipeline of sound: G.711 decoded, and coded anew as AAC, which every browser plays.  Runs in a media worker.

The samples are counted, and times are read off the pieces that they came in, so that sound stays with the picture.
What is missing for a moment becomes silence; after more than that, or when times go back, coding begins anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
from av.audio.resampler import AudioResampler

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.aac import AUDIO_RATE, FRAME
from appliance.workers.wire import SoundHeard

if TYPE_CHECKING:
    from appliance.workers.wire import SoundOpen, SoundPiece

#: `AudioFormat.codec` as libav calls it.
_DECODERS = {"pcmu": "pcm_mulaw", "pcma": "pcm_alaw"}
_LAYOUTS = {1: "mono", 2: "stereo"}
#: As much as G.711 itself has for one channel would be wasted: its band ends at 4 kHz.
BIT_RATE = 48_000
#: Times that differ less from what was counted are the slewing of the timeline.
JITTER = TICKS_PER_SECOND // 25
#: A longer gap is not filled.
LONGEST_GAP = TICKS_PER_SECOND


class SoundPipeline:
    """One decoder, one encoder."""

    def __init__(self, opening: SoundOpen) -> None:
        self._opening = opening
        decoder = av.AudioCodecContext.create(_DECODERS[opening.codec], "r")
        assert isinstance(decoder, av.AudioCodecContext)
        decoder.sample_rate = opening.sample_rate
        decoder.layout = _LAYOUTS[opening.channels]
        self._decoder = decoder
        self._begin()

    def _begin(self) -> None:
        layout = _LAYOUTS[self._opening.channels]
        encoder = av.AudioCodecContext.create("aac", "w")
        assert isinstance(encoder, av.AudioCodecContext)
        encoder.sample_rate = AUDIO_RATE
        encoder.layout = layout
        encoder.format = "fltp"
        encoder.bit_rate = BIT_RATE * self._opening.channels
        encoder.open()
        self._encoder = encoder
        self._resampler = AudioResampler(format="fltp", layout=layout, rate=AUDIO_RATE, frame_size=FRAME)
        self._taken = 0  # samples in
        self._given = 0  # samples of ours that the encoder got
        self._offset: int | None = None  # ticks: when sample 0 is heard

    def work(self, piece: SoundPiece) -> SoundHeard:
        """Take a piece, give what is whole.  Raises av.FFmpegError."""
        frames: list[tuple[bytes, int]] = []
        if not piece.data:  # to a decoder that is the end
            return SoundHeard(b"", frames, damaged=True)
        for frame in self._decoder.decode(av.Packet(piece.data)):
            self._place(piece.pts, frames)
            self._take(frame, frames)
        return SoundHeard(bytes(self._encoder.extradata or b""), frames)

    def _place(self, pts: int, frames: list[tuple[bytes, int]]) -> None:
        """The next sample is heard at ``pts``."""
        rate = self._opening.sample_rate
        offset = pts - self._taken * TICKS_PER_SECOND // rate
        if self._offset is not None:
            gap = offset - self._offset
            if JITTER < gap <= LONGEST_GAP:
                self._take(self._silence(gap * rate // TICKS_PER_SECOND), frames)
                offset = pts - self._taken * TICKS_PER_SECOND // rate
            elif abs(gap) > JITTER:
                self._begin()
                offset = pts
        self._offset = offset

    def _silence(self, samples: int) -> av.AudioFrame:
        channels = self._opening.channels
        zeros = np.zeros((1, samples * channels), np.int16)
        frame = av.AudioFrame.from_ndarray(zeros, format="s16", layout=_LAYOUTS[channels])
        frame.sample_rate = self._opening.sample_rate
        return frame

    def _take(self, frame: av.AudioFrame, frames: list[tuple[bytes, int]]) -> None:
        self._taken += frame.samples
        frame.pts = None  # counted here
        for block in self._resampler.resample(frame):
            block.pts, self._given = self._given, self._given + block.samples
            for packet in self._encoder.encode(block):
                assert packet.pts is not None
                assert self._offset is not None
                frames.append((bytes(packet), packet.pts * TICKS_PER_SECOND // AUDIO_RATE + self._offset))
