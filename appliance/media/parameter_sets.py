"""What the parameter sets of H.264 and H.265 have in common, and how a family of codecs is told from the other."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from appliance.media.bits import BitReader, BitsError, unescape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from appliance.media.units import VideoFormat

#: Larger pictures are refused (abuse A12): nothing that a camera makes, and a decoder would ask for gigabytes.
LARGEST_SIDE = 8192
#: Pixels stretched more than this are taken for a mistake, and shown square.
MOST_STRETCHED = 8

# sample aspect ratios by number (ISO/IEC 14496-10 and 23008-2, both Table E-1)
_ASPECTS = (
    (1, 1), (1, 1), (12, 11), (10, 11), (16, 11), (40, 33), (24, 11), (20, 11), (32, 11), (80, 33), (18, 11), (15, 11),
    (64, 33), (160, 99), (4, 3), (3, 2), (2, 1),
)  # fmt: skip
_EXTENDED_ASPECT = 255


class ParameterSetError(ValueError):
    """A parameter set that cannot be read, or describes no picture we would decode."""


@dataclass(frozen=True, slots=True)
class Family:
    """What differs between the families where NAL units are handled as such."""

    name: str  # `VideoFormat.codec`
    sets: tuple[int, ...]  # NAL unit types of the parameter sets, outermost first
    sequence: int  # that of the set with the picture's size
    kind: Callable[[bytes], int]  # the type of a NAL unit, which has at least its first byte
    number: Callable[[bytes], int]  # the number that a parameter set gives itself; -1 where it cannot be read
    make: Callable[[Sequence[bytes]], VideoFormat]  # of parameter sets of all types.  Raises `ParameterSetError`


def bounded(value: int, most: int, what: str) -> int:
    """The value, or `ParameterSetError`: a hostile set may say 2^32."""
    if value > most:
        raise ParameterSetError(f"{value} {what}; the limit is {most}")
    return value


def read_aspect(bits: BitReader) -> tuple[int, int]:
    """``aspect_ratio_idc`` and what follows it, as width and height of a pixel."""
    number = bits.u(8)
    if number == _EXTENDED_ASPECT:
        wide, high = bits.u(16), bits.u(16)
        sane = wide and high and wide <= MOST_STRETCHED * high and high <= MOST_STRETCHED * wide
        return (wide, high) if sane else (1, 1)
    return _ASPECTS[number] if number < len(_ASPECTS) else (1, 1)


def read_usability(bits: BitReader) -> tuple[tuple[int, int], bool]:
    """What usability information begins with in both (14496-10 §E.1.1, 23008-2 §E.2.1): pixel aspect, full range."""
    aspect, full_range = (1, 1), False
    if bits.flag():
        aspect = read_aspect(bits)
    if bits.flag():
        bits.skip(1)  # overscan_appropriate_flag
    if bits.flag():
        bits.skip(3)  # video_format
        full_range = bits.flag()
        if bits.flag():
            bits.skip(24)  # colour primaries, transfer, matrix
    if bits.flag():
        bits.ue()  # chroma sample positions
        bits.ue()
    return aspect, full_range


def picture_rate(scale: int, units: int) -> Fraction | None:
    """Pictures a second, where that is a rate at which pictures may come."""
    if not units or not scale:
        return None
    fps = Fraction(scale, units)
    return fps if Fraction(1, 60) <= fps <= 240 else None


def exp_golomb_at(nal: bytes, skip: int) -> int:
    """The ue(v) behind ``skip`` bits of a NAL unit's beginning; -1 where it cannot be read."""
    bits = BitReader(unescape(nal[:64]))
    try:
        bits.skip(skip)
        return bits.ue()
    except BitsError:
        return -1


def length_prefixed(nals: Sequence[bytes]) -> bytes:
    """NAL units each behind its length in two bytes, as decoder configuration records have them."""
    if any(len(nal) > 0xFFFF for nal in nals):
        raise ParameterSetError("a parameter set over 65 535 bytes")
    return b"".join(len(nal).to_bytes(2, "big") + nal for nal in nals)
