"""Real coded video and sound for tests, made with libav: an encoder that nobody here wrote."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np

from appliance._native import nal
from appliance.base.clock import TICKS_PER_SECOND
from appliance.media import aac, h264, h265
from appliance.media.units import AccessUnit, AudioFormat, AudioUnit, Run, VideoFormat
from tests.media.kept import kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.media.parameter_sets import Family

    Draw = Callable[[int, int, int], np.ndarray]
    Wave = Callable[[np.ndarray], np.ndarray]

START = 1_700_000_000 * TICKS_PER_SECOND
#: NAL units that access units do without: delimiters and fillers.
LEFT_OUT = {"h264": (h264.DELIMITER, h264.FILLER), "h265": (h265.DELIMITER, 38)}


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


@kept
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
    encoder = _encoder("libx264", size, fps, gop, b, full_range=full_range)
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "b-adapt": "0"} | options
    if b:
        encoder.options = {"preset": "veryfast", "b-adapt": "0", "bf": str(b), "scenecut": "0"} | options
    return _clip(_encode(encoder, pictures, size, full_range=full_range), h264.FAMILY, fps)


@kept
def encode_h265(
    pictures: int = 30,
    size: tuple[int, int] = (320, 180),
    fps: int = 25,
    gop: int = 10,
    b: int = 0,
    *,
    pixels: str = "yuv420p",
    full_range: bool = False,
    draw: Draw = picture,
    **parameters: str,
) -> Clip:
    """The same by x265; ``parameters`` are its own."""
    encoder = _encoder("libx265", size, fps, gop, b, pixels=pixels, full_range=full_range)
    own = {"log-level": "none", "scenecut": "0", "b-adapt": "0", "bframes": str(b), "keyint": str(gop)}
    own |= {"min-keyint": str(gop), "open-gop": "0", "repeat-headers": "1", "pools": "1", "frame-threads": "1"}
    if not b:
        own["rc-lookahead"] = "0"
    own |= {name.replace("_", "-"): value for name, value in parameters.items()}
    encoder.options = {"preset": "ultrafast", "x265-params": ":".join(f"{name}={own[name]}" for name in own)}
    packets = _encode(encoder, pictures, size, pixels=pixels, full_range=full_range, draw=draw)
    return _clip(packets, h265.FAMILY, fps)


def _encoder(
    name: str, size: tuple[int, int], fps: int, gop: int, b: int, *, pixels: str = "yuv420p", full_range: bool
) -> av.VideoCodecContext:
    encoder = av.VideoCodecContext.create(name, "w")
    encoder.width, encoder.height, encoder.pix_fmt = *size, pixels
    encoder.time_base, encoder.framerate = Fraction(1, fps), Fraction(fps)
    encoder.color_range = 2 if full_range else 1
    encoder.gop_size, encoder.max_b_frames = gop, b
    return encoder


def _encode(
    encoder: av.VideoCodecContext,
    pictures: int,
    size: tuple[int, int],
    *,
    pixels: str = "yuv420p",
    full_range: bool,
    draw: Draw = picture,
) -> list[av.Packet]:
    packets = []
    for n in range(pictures):
        frame = av.VideoFrame.from_ndarray(draw(n, *size), format="rgb24").reformat(
            format=pixels, dst_color_range="JPEG" if full_range else "MPEG"
        )
        frame.pts = n
        packets += encoder.encode(frame)
    return packets + encoder.encode(None)


def _clip(packets: list[av.Packet], family: Family, fps: int) -> Clip:
    sets: list[bytes] = []
    units = []
    form: VideoFormat | None = None
    run = Run(START - TICKS_PER_SECOND)
    tick = TICKS_PER_SECOND // fps
    for seq, packet in enumerate(packets):
        data = bytes(packet)
        kept = []
        for start, end in nal.find_nals(data):
            kind = family.kind(data[start:end])
            if kind in family.sets:
                if data[start:end] not in sets:
                    sets.append(data[start:end])
            elif kind not in LEFT_OUT[family.name]:
                kept.append(data[start:end])
        form = form or family.make(sets)
        avcc = b"".join(len(unit).to_bytes(4, "big") + unit for unit in kept)
        units.append(
            AccessUnit(avcc, START + packet.pts * tick, START + packet.dts * tick, packet.is_keyframe, seq, form, run)
        )
    assert form is not None
    return Clip(form, units)


def tone(at: np.ndarray) -> np.ndarray:
    """440 Hz, at these times in seconds."""
    wave: np.ndarray = 0.3 * np.sin(2 * np.pi * 440 * at)
    return wave


@kept
def encode_aac(seconds: float = 1.0, rate: int = 16_000, wave: Wave = tone) -> tuple[AudioFormat, list[AudioUnit]]:
    """A tone, or another wave, as AAC-LC.  What is heard of it comes a frame later than its units say: the encoder
    primes."""
    encoder = av.CodecContext.create("aac", "w")
    encoder.sample_rate, encoder.layout, encoder.format = rate, "mono", "fltp"
    encoder.time_base = Fraction(1, rate)
    encoder.open()
    run = Run(START - TICKS_PER_SECOND)
    units = []
    packets = []
    for n in range(int(seconds * rate) // 1024):
        at = (np.arange(1024) + n * 1024) / rate
        frame = av.AudioFrame.from_ndarray(wave(at).astype(np.float32)[None], "fltp", "mono")
        frame.sample_rate, frame.pts = rate, n * 1024
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    form = aac.audio_format(bytes(encoder.extradata or b""))
    for n, packet in enumerate(packets):
        pts = START + n * 1024 * TICKS_PER_SECOND // rate
        units.append(AudioUnit(bytes(packet), pts, 1024 * TICKS_PER_SECOND // rate, form, run))
    return form, units
