"""Footage from a worker as the house has it: coded pictures in the form of units, and their format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from appliance._native import nal
from appliance.media import h264, h265, jpeg
from appliance.media.units import MJPEG
from appliance.workers.wire import FootageDone, FootageJob, Kind

if TYPE_CHECKING:
    from appliance.media.parameter_sets import Family
    from appliance.media.units import VideoFormat
    from appliance.workers.pool import Pool

#: A usual camera: Full HD, 25 pictures a second, 4 Mbit/s.  One second of it, played round and round.
WIDTH, HEIGHT, FPS, KBPS = 1920, 1080, 25, 4000
#: H.265 takes some seconds of a usual core.
PATIENCE_S: Final = 120.0
_FAMILIES = {"h264": h264.FAMILY, "h265": h265.FAMILY}
CODECS: Final = (*_FAMILIES, MJPEG)
#: Coded slices have lower numbers than anything else: H.264 table 7-1, H.265 table 7-1.
_SLICES = {"h264": 5, "h265": 31}


@dataclass(frozen=True)
class Footage:
    """``units``: one group of pictures; only the first is a key frame, but of MJPEG all are."""

    format: VideoFormat
    units: list[bytes]


async def make(pool: Pool, codec: str) -> Footage:
    """Raises `Fault`."""
    job = FootageJob(codec, WIDTH, HEIGHT, FPS, FPS, KBPS * 1000)
    done = await pool.run(Kind.FOOTAGE, job, FootageDone, patience_s=PATIENCE_S)
    family = _FAMILIES.get(codec)
    if family is None:
        return Footage(jpeg.video_format(WIDTH, HEIGHT), done.units)
    return Footage(*_in_avcc(done.units, family))


def _in_avcc(pictures: list[bytes], family: Family) -> tuple[VideoFormat, list[bytes]]:
    sets: list[bytes] = []
    units = []
    for data in pictures:
        nals = [data[start:end] for start, end in nal.find_nals(data)]
        sets += [one for one in nals if family.kind(one) in family.sets and one not in sets]
        slices = [one for one in nals if family.kind(one) <= _SLICES[family.name]]
        units.append(b"".join(len(one).to_bytes(4, "big") + one for one in slices))
    return family.make(sets), units
