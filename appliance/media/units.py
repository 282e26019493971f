"""The units that flow through the house: pictures and pieces of sound, immutable, shared by reference.

Every time is in ticks of 1/90 000 s on one axis, UTC since 1970 (`appliance.base.clock`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from fractions import Fraction

#: `VideoFormat.codec` of streams of JPEG pictures.
MJPEG: Final = "mjpeg"
#: The same of MPEG-4 Visual.
MPEG4: Final = "mpeg4"
#: `AudioFormat.codec` of sound that players get as it is, and of the two kinds of G.711, which they do not play.
AAC: Final = "aac"
PCMU: Final = "pcmu"
PCMA: Final = "pcma"


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """What a decoder has to know before the first picture.  Compared by value: a change is a new epoch."""

    codec: str  # "h264", "h265", "mpeg4", "mjpeg"
    parameter_sets: tuple[bytes, ...]  # NAL units without start codes: (VPS… then) SPS… then PPS…
    width: int  # pictures as shown: cropped, in samples
    height: int
    codec_string: str  # RFC 6381, "avc1.64001f"
    #: Decoder configuration record, ISO/IEC 14496-15 §5.3.3, §8.3.3 (the body of avcC, hvcC); MPEG-4: its headers.
    configuration: bytes
    pixel_aspect: tuple[int, int] = (1, 1)
    nominal_fps: Fraction | None = None  # as the parameter sets say; what comes is measured
    reorder_depth: int | None = None  # pictures that may overtake another; None: not said
    full_range: bool = False

    @property
    def is_intra(self) -> bool:
        """Whether every picture stands alone: there are no groups of pictures."""
        return self.codec == MJPEG


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """The same for sound."""

    codec: str  # "aac", "pcmu", "pcma"
    codec_string: str  # RFC 6381, "mp4a.40.2"; G.711: none, it is never sent to anybody
    configuration: bytes  # AudioSpecificConfig, ISO/IEC 14496-3 §1.6.2.1; G.711: none
    sample_rate: int
    channels: int
    samples_per_unit: int  # 1024 or 960 for AAC-LC; G.711: 0, as it comes

    @property
    def is_played(self) -> bool:
        """Whether players take it as it is; else AAC is made of it."""
        return self.codec == AAC


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """An unbroken stretch of a stream's timeline.  A jump of the clock ends one and starts another.

    Compared by identity.  ``clock`` says where its times come from: ``"rtcp"`` (sender reports), ``"arrival"``
    or ``"made"`` (demo and files).
    """

    utc_zero: int  # ticks; decode times in fragments count from here
    clock: str = "arrival"


@dataclass(frozen=True, slots=True, eq=False)
class AccessUnit:
    """One coded picture.

    ``data``: AVCC, that is NAL units each behind its length in four bytes, big-endian; parameter sets, access unit
    delimiters and fillers left out.  MPEG-4: as it stands in the bitstream.  MJPEG: a picture as a JPEG file has it.
    ``is_idr``: decoding can start here.  ``seq`` counts up by one; a gap is a loss.
    ``leading``: it follows a picture at which decoding can start, is shown before it, and refers to what came before
    it (H.265 RASL, H.264 in an open group of pictures).  Who starts there leaves it out.
    """

    data: bytes
    pts: int
    dts: int
    is_idr: bool
    seq: int
    format: VideoFormat = field(repr=False)
    run: Run = field(repr=False)
    leading: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class AudioUnit:
    """One coded piece of sound: an AAC frame without ADTS header, or samples of G.711.  ``duration`` in ticks."""

    data: bytes
    pts: int
    duration: int
    format: AudioFormat = field(repr=False)
    run: Run = field(repr=False)
    leading: ClassVar[bool] = False


Unit = AccessUnit | AudioUnit
