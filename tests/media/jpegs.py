"""JPEG pictures for tests, coded by libjpeg and by libav, and what of them goes over RTP."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import av
import numpy as np
import simplejpeg


def image(width: int = 640, height: int = 480, seed: int = 0) -> np.ndarray:
    """Ramps, a grid and some noise: no two rows or columns are alike."""
    y, x = np.mgrid[0:height, 0:width]
    rgb = np.stack([x * 255 // width, y * 255 // height, (x // 16 + y // 16 + seed) % 2 * 200], axis=-1)
    noise = np.random.default_rng(seed).integers(0, 16, rgb.shape)
    return np.ascontiguousarray(np.clip(rgb + noise, 0, 255).astype(np.uint8))


@cache
def jpeg(width: int = 640, height: int = 480, *, quality: int = 50, sampling: str = "420", seed: int = 0) -> bytes:
    return simplejpeg.encode_jpeg(image(width, height, seed), quality=quality, colorsubsampling=sampling)


@cache
def jpeg_with_restarts(width: int = 640, height: int = 480) -> bytes:
    """libav's coder restarts where one of its threads hands over to the next."""
    coder = av.VideoCodecContext.create("mjpeg", "w")
    coder.width, coder.height, coder.pix_fmt = width, height, "yuvj420p"
    coder.time_base = Fraction(1, 25)
    coder.thread_count, coder.thread_type = 2, "SLICE"
    coder.options = {"huffman": "default"}
    frame = av.VideoFrame.from_ndarray(image(width, height), "rgb24").reformat(format="yuvj420p")
    return b"".join(bytes(packet) for packet in [*coder.encode(frame), *coder.encode(None)])


def pixels(data: bytes) -> np.ndarray:
    """Decoded by libjpeg."""
    return simplejpeg.decode_jpeg(data)


def libav_size(data: bytes) -> tuple[int, int]:
    """What libav makes of it."""
    decoder = av.VideoCodecContext.create("mjpeg", "r")
    (frame,) = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
    return frame.width, frame.height


@dataclass(frozen=True)
class Parts:
    """What RTP carries of a picture."""

    tables: bytes  # quantisation, without their numbers
    sampling: int  # of the first component
    restart: int
    scan: bytes
    segments: dict[int, bytes]  # by marker, whole; those of one marker together


def parts(data: bytes) -> Parts:
    """Taken apart with no care: these are whole pictures of known coders."""
    at, tables, restart, segments = 2, b"", 0, {}
    while True:
        code, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : at + 2 + length]
        segments[code] = segments.get(code, b"") + data[at : at + 2 + length]
        at += 2 + length
        if code == 0xDB:
            while body:
                tables, body = tables + body[1:65], body[65:]
        elif code == 0xDD:
            restart = int.from_bytes(body, "big")
        elif code == 0xDA:
            return Parts(tables, segments[0xC0][11], restart, data[at:], segments)
