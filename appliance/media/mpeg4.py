"""MPEG-4 Visual (ISO/IEC 14496-2): what its headers say, and which pictures stand alone.

No browser plays it; it is decoded in the media workers, and players get it as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from appliance.media.bits import BitReader, BitsError
from appliance.media.parameter_sets import LARGEST_SIDE, ParameterSetError, bounded, picture_rate, read_aspect
from appliance.media.units import MPEG4, VideoFormat

if TYPE_CHECKING:
    from fractions import Fraction

#: Longer headers are refused: cameras' have fifty bytes.
HEADERS_LIMIT: Final = 4096
_START = b"\0\0\1"
# start codes (Table 6-3)
_SEQUENCE, _GROUP, _PICTURE = 0xB0, 0xB3, 0xB6
_LAYERS = range(0x20, 0x30)
_SIMPLE = 1  # video_object_type_indication: without pictures that others overtake
_REORDER = 1  # elsewhere a picture that others overtake is kept back by one (§7.6.7)
_EXTENDED_ASPECT = 15
_RECTANGULAR, _GRAYSCALE = 0, 3
_VBV_BITS = 79  # vbv_parameters, markers and all


class Picture(NamedTuple):
    """What stands in a unit: ``headers``, those of the stream, may be empty; ``kind`` of the picture: I, P, B or S
    (sprite), "" where there is none."""

    headers: bytes
    kind: str

    @property
    def is_key(self) -> bool:
        return self.kind == "I"


def read_picture(unit: bytes) -> Picture:
    """Look at a picture and what stands before it."""
    at, headers_end, has_layer = unit.find(_START), 0, False
    while 0 <= at < len(unit) - 4:
        code = unit[at + 3]
        if code == _PICTURE:
            headers = unit[: headers_end or at] if has_layer else b""
            return Picture(headers, "IPBS"[unit[at + 4] >> 6])
        if code == _GROUP:
            headers_end = headers_end or at
        has_layer = has_layer or code in _LAYERS
        at = unit.find(_START, at + 3)
    return Picture(unit if has_layer else b"", "")


def video_format(headers: bytes) -> VideoFormat:
    """The format that a stream's headers describe.  Raises `ParameterSetError`."""
    bounded(len(headers), HEADERS_LIMIT, "bytes of headers")
    profile, layer = 1, b""
    at = headers.find(_START)
    while at >= 0 and not layer:
        code, body = headers[at + 3 : at + 4], headers[at + 4 :]
        if code == bytes((_SEQUENCE,)) and body:
            profile = body[0]
        elif code and code[0] in _LAYERS:
            layer = body
        at = headers.find(_START, at + 3)
    try:
        found = _read_layer(BitReader(layer[:64]))
    except BitsError as error:
        raise ParameterSetError(f"headers of MPEG-4: {error}") from None
    return VideoFormat(
        MPEG4, (), found.width, found.height, f"mp4v.20.{profile}", headers, found.aspect, found.fps,
        0 if found.low_delay else _REORDER,
    )  # fmt: skip


class _Layer(NamedTuple):
    width: int
    height: int
    aspect: tuple[int, int]
    fps: Fraction | None
    low_delay: bool


def _read_layer(bits: BitReader) -> _Layer:
    """VideoObjectLayer (§6.2.3)."""
    bits.skip(1)  # random_accessible_vol
    low_delay = bits.u(8) == _SIMPLE
    version = 1
    if bits.flag():  # is_object_layer_identifier
        version = bits.u(4)
        bits.skip(3)
    aspect = _read_aspect(bits)
    if bits.flag():  # vol_control_parameters
        bits.skip(2)
        low_delay = bits.flag()
        if bits.flag():
            bits.skip(_VBV_BITS)
    shape = bits.u(2)
    if shape == _GRAYSCALE and version != 1:
        bits.skip(4)
    if shape != _RECTANGULAR:
        raise ParameterSetError("pictures that are not rectangular")
    bits.skip(1)
    resolution = bits.u(16)
    bits.skip(1)
    step = bits.u(max(1, (resolution - 1).bit_length())) if resolution and bits.flag() else 0
    bits.skip(1)
    width = bits.u(13)
    bits.skip(1)
    height = bits.u(13)
    if not width or not height:
        raise ParameterSetError("a picture without a size")
    bounded(max(width, height), LARGEST_SIDE, "samples a side")
    return _Layer(width, height, aspect, picture_rate(resolution, step), low_delay)


def _read_aspect(bits: BitReader) -> tuple[int, int]:
    """``aspect_ratio_info``: the numbers of H.264, as far as there were any yet."""
    number = bits.u(4)
    if number == _EXTENDED_ASPECT:
        return read_aspect(BitReader(bytes((255, 0, bits.u(8), 0, bits.u(8)))))
    return read_aspect(BitReader(bytes((number,)))) if number <= 5 else (1, 1)
