"""Footage to measure with: what a camera of usual settings would send, coded for the purpose.  Runs in a worker.

The demo's scene under noise, so that the bit rate is real and a decoder has as much to do as with a camera's picture.
"""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import simplejpeg

from appliance.workers.scaling import plane_of
from appliance.workers.scene import Scene
from appliance.workers.wire import FootageDone, FootageJob

#: The scene is drawn at half the size: it is soft, and the noise is not.
DRAWN = 2
#: Standard deviation of the noise in luma, of 255: that of a camera at dusk.
NOISE = 6.0
#: Noise is made once and moved about.
MARGIN = 64
JPEG_QUALITY = 75
_ENCODERS = {"h264": "libx264", "h265": "libx265"}


def make_footage(job: FootageJob) -> FootageDone:
    """``job.pictures`` pictures, the first a key frame and no other; of MJPEG each stands alone."""
    coded: list[bytes] = []
    encoder = None if job.codec == "mjpeg" else _encoder(job)
    for n, frame in enumerate(_frames(job)):
        if encoder is None:
            planes = [plane_of(frame, number) for number in range(3)]
            coded.append(simplejpeg.encode_jpeg_yuv_planes(*planes, quality=JPEG_QUALITY))
        else:
            frame.pts = n
            coded += map(bytes, encoder.encode(frame))
    if encoder is not None:
        coded += map(bytes, encoder.encode(None))
    return FootageDone(coded)


def _frames(job: FootageJob) -> list[av.VideoFrame]:
    scene = Scene(job.width // DRAWN, job.height // DRAWN, job.fps)
    random = np.random.default_rng(11)
    noise = random.normal(0, NOISE, (job.height + MARGIN, job.width + MARGIN)).astype(np.int16)
    frames = []
    for n in range(job.pictures):
        image = scene.backdrop(n)
        scene.draw_stopwatch(image, n)
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        frame = frame.reformat(
            width=job.width, height=job.height, format="yuv420p", interpolation="BILINEAR", threads=1
        )
        luma = frame.planes[0]
        rows = np.frombuffer(luma, np.uint8).reshape(luma.height, luma.line_size)  # type: ignore[call-overload]
        down, right = random.integers(0, MARGIN, 2)
        shown = rows[: job.height, : job.width]
        shown[:] = np.clip(shown + noise[down : down + job.height, right : right + job.width], 0, 255)
        frames.append(frame)
    return frames


def _encoder(job: FootageJob) -> av.VideoCodecContext:
    encoder = av.VideoCodecContext.create(_ENCODERS[job.codec], "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = job.width, job.height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, job.fps), Fraction(job.fps)
    encoder.gop_size, encoder.max_b_frames, encoder.thread_count = job.pictures, 0, 1
    encoder.bit_rate = job.bit_rate
    rate = job.bit_rate // 1000
    shared = f"scenecut=0:keyint={job.pictures}:min-keyint={job.pictures}:bframes=0:repeat-headers=1:rc-lookahead=0"
    shared += f":vbv-maxrate={rate}:vbv-bufsize={rate // 2}"
    if job.codec == "h264":
        encoder.options = {"preset": "veryfast", "profile": "high", "x264-params": shared}
    else:
        encoder.options = {"preset": "ultrafast", "x265-params": f"{shared}:pools=none:frame-threads=1:log-level=none"}
    return encoder
