"""MP4 files made by libav, as people have them."""

from __future__ import annotations

from fractions import Fraction
from tempfile import NamedTemporaryFile

import av
import numpy as np

from tests.media.clips import picture
from tests.media.kept import kept


@kept
def make_movie(
    *,
    seconds: float = 2.0,
    fps: int = 25,
    gop: int = 25,
    b: int = 0,
    size: tuple[int, int] = (160, 96),
    sound: bool = True,
    codec: str = "libx264",
    **options: str,
) -> bytes:
    """A movie; ``options`` are libav's for MP4, such as ``movflags="frag_keyframe+empty_moov"``."""
    with NamedTemporaryFile(suffix=".mp4") as file:  # a real one: some forms are read while they are written
        _write(file.name, seconds, fps, gop, b, size, sound, codec, options)
        return file.read()


def _write(
    path: str,
    seconds: float,
    fps: int,
    gop: int,
    b: int,
    size: tuple[int, int],
    sound: bool,
    codec: str,
    options: dict[str, str],
) -> None:
    with av.open(path, "w", "mp4", options=options) as out:
        video = out.add_stream(codec, rate=fps)
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        if codec == "libx264":
            video.codec_context.gop_size, video.codec_context.max_b_frames = gop, b
            video.codec_context.options = {"preset": "veryfast", "bf": str(b), "b-adapt": "0", "scenecut": "0"}
        audio = out.add_stream("aac", rate=16_000) if sound else None
        if audio is not None:
            audio.layout = "mono"
        for n in range(round(seconds * fps)):
            frame = av.VideoFrame.from_ndarray(picture(n, *size), format="rgb24")
            frame.pts, frame.time_base = n, Fraction(1, fps)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        if audio is not None:
            for n in range(round(seconds * 16_000 / 1024)):
                tone = np.sin(np.arange(n * 1024, (n + 1) * 1024) * 0.1).astype(np.float32)[None, :]
                piece = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
                piece.sample_rate, piece.pts, piece.time_base = 16_000, n * 1024, Fraction(1, 16_000)
                out.mux(audio.encode(piece))
            out.mux(audio.encode(None))
