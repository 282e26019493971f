"""Decoding by the machine's own hardware, where it has any (row TRA-3).  Runs in a media worker.

A device is looked for once, before the worker gives up its files; what its driver opens later stays open to it
(`appliance.workers.isolation`).  Without one nothing is given away, and the worker says why there is none.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import av
from av.codec.hwaccel import HWAccel, HWDeviceType

if TYPE_CHECKING:
    from appliance.workers.wire import PipelineOpen

#: Where the kernel has devices that decode, and what libav calls their kinds, the best first.
PLACES: Final = (("nvidia[0-9]*", ("cuda",)), ("dri/renderD*", ("vaapi", "qsv")))
#: What is decoded by hardware, as libav calls it; the rest is rare or small.
CODECS: Final = {"h264": "h264", "h265": "hevc"}


class Found(NamedTuple):
    """``kind`` of device, None with ``why`` there is none."""

    kind: str | None
    why: str = ""


def find(devices: Path = Path("/dev")) -> Found:
    """The best device that works."""
    nodes = [(sorted(devices.glob(pattern)), kinds) for pattern, kinds in PLACES]
    if not any(there for there, _ in nodes):
        return Found(None, f"there is no device: neither {devices}/nvidia0 nor {devices}/dri/renderD128")
    supported = {HWDeviceType(each.device_type).name for each in av.Codec("h264", "r").hardware_configs}
    failures = []
    for there, kinds in nodes:
        for kind in kinds if there else ():
            if kind not in supported:
                failures.append(f"{there[0]} is there, and this build of libav does not use {kind}")
                continue
            try:
                _create("h264", kind)
            except (av.FFmpegError, OSError, NotImplementedError) as error:
                failures.append(f"{there[0]} is there, and {kind} says: {_words(error)}")
            else:
                return Found(kind)
    return Found(None, "; ".join(failures))


def create(opening: PipelineOpen, kind: str) -> av.VideoCodecContext:
    """A decoder that uses the hardware.  Raises av.FFmpegError, OSError, NotImplementedError."""
    return _create(CODECS[opening.codec], kind)


def _create(codec: str, kind: str) -> av.VideoCodecContext:
    # without libav's own fallback, which would not say that it was taken
    decoder = av.VideoCodecContext.create(codec, "r", hwaccel=HWAccel(kind, allow_software_fallback=False))
    assert isinstance(decoder, av.VideoCodecContext)
    return decoder


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
