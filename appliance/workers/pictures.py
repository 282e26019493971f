"""Decoded pictures to JPEG.  Runs in a media worker."""

from __future__ import annotations

import av
import simplejpeg

from appliance.workers.colours import colours_of, in_colours_of_jpeg
from appliance.workers.scaling import Scaling, Target, by_swscale
from appliance.workers.wire import SnapshotDone, SnapshotJob

#: `VideoFormat.codec` as libav calls it.
DECODERS = {"h264": "h264", "h265": "hevc", "mpeg4": "mpeg4", "mjpeg": "mjpeg"}


class NoPictureError(Exception):
    """The decoder gave no picture for these units."""


def snapshot(job: SnapshotJob) -> SnapshotDone:
    """The last picture of a group of pictures as JPEG.  Raises `NoPictureError`."""
    decoder = av.VideoCodecContext.create(DECODERS[job.codec], "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.extradata = job.configuration
    decoder.thread_count = 1
    last: av.VideoFrame | None = None
    for unit in [*job.units, None]:
        try:
            frames = decoder.decode(av.Packet(unit) if unit is not None else None)
        except av.FFmpegError:
            continue  # a damaged unit; a later one may do
        if frames:
            last = frames[-1]
    if last is None:
        raise NoPictureError("the decoder gave no picture")
    return to_jpeg(last, job)


def to_jpeg(frame: av.VideoFrame, job: SnapshotJob) -> SnapshotDone:
    """Square pixels, full range (as JPEG has it), 4:2:0, at most ``job.width`` wide."""
    wide, high = job.pixel_aspect
    width, height = round(frame.width * wide / high), frame.height
    if job.width is not None and job.width < width:
        width, height = job.width, round(height * job.width / width)
    width, height = max(2, width // 2 * 2), max(2, height // 2 * 2)
    if job.mask:
        planes = Scaling().masked(frame, Target((width, height), job.mask), full_range=job.full_range)
        jpeg = simplejpeg.encode_jpeg_yuv_planes(*planes, quality=job.quality)
        return SnapshotDone(jpeg, width, height)
    planes = by_swscale(frame, (width, height), full_range=job.full_range)
    planes = in_colours_of_jpeg(planes, colours_of(frame))
    jpeg = simplejpeg.encode_jpeg_yuv_planes(*planes, quality=job.quality)
    return SnapshotDone(jpeg, width, height)
