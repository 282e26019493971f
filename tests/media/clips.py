"""Real coded video and sound for tests, made with libav: an encoder that nobody here wrote."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np

from appliance._native import nal
from appliance.base.clock import TICKS_PER_SECOND
from appliance.media import aac, h264
from appliance.media.units import AccessUnit, AudioFormat, AudioUnit, Run, VideoFormat

START = 1_700_000_000 * TICKS_PER_SECOND


@dataclass
class Clip:
    format: VideoFormat
    units: list[AccessUnit]


def picture(n: int, width: int, height: int) -> np.ndarray:
    """A picture that says its number: eight columns, white where the number has a bit; a moving line below."""
    image = np.full((height, width, 3), 40, np.uint8)
    for bit in range(8):
        if n >> (7 - bit) & 1:
            image[: height // 2, width * bit // 8 : width * (bit + 1) // 8] = 220
    image[height // 2 :, (n * 8) % width : (n * 8) % width + 8] = (200, 60, 60)
    return image


def encode_h264(
    pictures: int = 30,
    size: tuple[int, int] = (320, 180),
    fps: int = 25,
    gop: int = 10,
    b: int = 0,
    *,
    full_range: bool = False,
    **options: str,
) -> Clip:
    """``pictures`` of H.264 by x264, from `START` on, in the form that sources give them."""
    width, height = size
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, fps), Fraction(fps)
    encoder.color_range = 2 if full_range else 1
    encoder.gop_size, encoder.max_b_frames = gop, b
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "b-adapt": "0"} | options
    if b:
        encoder.options = {"preset": "veryfast", "b-adapt": "0", "bf": str(b), "scenecut": "0"} | options
    packets = []
    for n in range(pictures):
        frame = av.VideoFrame.from_ndarray(picture(n, width, height), format="rgb24").reformat(
            format="yuv420p", dst_color_range="JPEG" if full_range else "MPEG"
        )
        frame.pts = n
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    sets: dict[int, list[bytes]] = {h264.SPS: [], h264.PPS: []}
    units = []
    form: VideoFormat | None = None
    run = Run(START - TICKS_PER_SECOND)
    for seq, packet in enumerate(packets):
        data = bytes(packet)
        kept = []
        for start, end in nal.find_nals(data):
            kind = data[start] & 31
            if kind in sets:
                if data[start:end] not in sets[kind]:
                    sets[kind].append(data[start:end])
            elif kind not in (h264.DELIMITER, h264.FILLER):
                kept.append(data[start:end])
        form = form or h264.video_format(sets[h264.SPS], sets[h264.PPS])
        avcc = b"".join(len(unit).to_bytes(4, "big") + unit for unit in kept)
        tick = TICKS_PER_SECOND // fps
        units.append(
            AccessUnit(avcc, START + packet.pts * tick, START + packet.dts * tick, packet.is_keyframe, seq, form, run)
        )
    assert form is not None
    return Clip(form, units)


def encode_aac(seconds: float = 1.0, rate: int = 16_000) -> tuple[AudioFormat, list[AudioUnit]]:
    """A tone of 440 Hz as AAC-LC."""
    encoder = av.CodecContext.create("aac", "w")
    encoder.sample_rate, encoder.layout, encoder.format = rate, "mono", "fltp"
    encoder.time_base = Fraction(1, rate)
    encoder.open()
    run = Run(START - TICKS_PER_SECOND)
    units = []
    packets = []
    for n in range(int(seconds * rate) // 1024):
        at = (np.arange(1024) + n * 1024) / rate
        frame = av.AudioFrame.from_ndarray(
            (0.3 * np.sin(2 * np.pi * 440 * at)).astype(np.float32)[None], "fltp", "mono"
        )
        frame.sample_rate, frame.pts = rate, n * 1024
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    form = aac.audio_format(bytes(encoder.extradata or b""))
    for n, packet in enumerate(packets):
        pts = START + n * 1024 * TICKS_PER_SECOND // rate
        units.append(AudioUnit(bytes(packet), pts, 1024 * TICKS_PER_SECOND // rate, form, run))
    return form, units
