"""Known colours: bars that ffmpeg codes in the colours of HDTV, UHDTV or JPEG, named or not, are what they were."""

from __future__ import annotations

import io
import subprocess

import av
import numpy as np
import pytest
import simplejpeg

from appliance.workers.pictures import to_jpeg
from appliance.workers.scaling import Scaling, Target
from appliance.workers.wire import SnapshotJob

pytestmark = pytest.mark.peer

BARS = ((200, 40, 40), (40, 200, 40), (40, 40, 200), (200, 200, 40), (180, 180, 180))
JOB = SnapshotJob("h264", b"", [], False, (1, 1), None, 95)


def bars(size: tuple[int, int], matrix: str, *named: str, pixels: str = "yuv420p") -> av.VideoFrame:
    """Bars of these colours, coded by x264 in this matrix, and decoded."""
    width, height = size
    image = np.zeros((height, width, 3), np.uint8)
    for number, colour in enumerate(BARS):
        image[:, width * number // len(BARS) : width * (number + 1) // len(BARS)] = colour
    command = ["ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-i", "-"]
    command += ["-vf", f"scale=out_color_matrix={matrix}:out_range=tv,format={pixels},setparams=colorspace=unknown"]
    command += ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "8", *named, "-frames:v", "1", "-f", "h264", "-"]
    done = subprocess.run(command, input=image.tobytes(), capture_output=True, check=True, timeout=30)
    with av.open(io.BytesIO(done.stdout), format="h264") as container:
        return next(container.decode(video=0))


def colours(jpeg: bytes) -> np.ndarray:
    """The colour in the middle of each bar."""
    image = simplejpeg.decode_jpeg(jpeg)
    height, width, _ = image.shape
    return np.array([image[height // 2, width * (2 * number + 1) // (2 * len(BARS))] for number in range(len(BARS))])


@pytest.mark.parametrize(
    ("size", "matrix", "named", "pixels"),
    [
        ((1280, 720), "bt709", (), "yuv420p"),
        ((720, 576), "bt601", (), "yuv420p"),
        ((704, 640), "bt709", (), "yuv420p"),
        ((640, 360), "bt709", ("-x264-params", "colormatrix=bt709"), "yuv420p"),
        ((1280, 720), "bt601", ("-x264-params", "colormatrix=smpte170m"), "yuv420p"),
        ((1280, 720), "bt709", (), "yuv420p10le"),
        ((640, 360), "bt2020", ("-x264-params", "colormatrix=bt2020nc"), "yuv420p"),
        ((1280, 720), "bt2020", ("-x264-params", "colormatrix=bt2020nc"), "yuv420p10le"),
    ],
)
def test_colours_are_what_they_were(size, matrix, named, pixels) -> None:
    frame = bars(size, matrix, *named, pixels=pixels)
    half = (size[0] // 4 * 2, size[1] // 4 * 2)
    planes = Scaling().scale(frame, {Target(half)}, full_range=False)[Target(half)]
    transcoded = colours(simplejpeg.encode_jpeg_yuv_planes(*planes, quality=95))
    assert np.abs(transcoded.astype(int) - BARS).max() <= 5, transcoded
    taken = colours(to_jpeg(frame, JOB).jpeg)
    assert np.abs(taken.astype(int) - BARS).max() <= 5, taken
