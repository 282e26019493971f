"""H.265 parameter sets (ISO/IEC 23008-2 §7.3.2): what a picture is, before any is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.media.bits import BitReader, BitsError, unescape
from appliance.media.parameter_sets import (
    LARGEST_SIDE,
    Family,
    ParameterSetError,
    bounded,
    exp_golomb_at,
    length_prefixed,
    picture_rate,
    read_usability,
)
from appliance.media.units import VideoFormat

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

VPS, SPS, PPS, DELIMITER, PREFIX_SEI, SUFFIX_SEI = 32, 33, 34, 35, 39, 40
RASL_N, RASL_R, BLA_FIRST, IDR_W_RADL, IDR_N_LP, CRA, IRAP_LAST = 8, 9, 16, 19, 20, 21, 23

_HEADER = 2  # bytes of a NAL unit header (§7.3.1.2)


@dataclass(frozen=True, slots=True)
class ProfileTierLevel:
    """§7.3.3, the general part."""

    space: int
    tier: int  # 0: main
    profile: int
    compatible: int  # 32 flags, that of profile 0 first
    constraints: bytes  # 48 flags
    level: int  # thirty times the level


@dataclass(frozen=True, slots=True)
class SpsInfo:
    """What we need of a sequence parameter set.  ``fps`` is None where it does not say."""

    ptl: ProfileTierLevel
    sub_layers: int
    nested: bool  # sps_temporal_id_nesting_flag
    sps_id: int
    chroma_format: int  # 1 is 4:2:0
    bit_depth: int
    chroma_bit_depth: int
    width: int
    height: int
    reorder_depth: int
    pixel_aspect: tuple[int, int]
    fps: Fraction | None
    full_range: bool


def kind_of(nal: bytes) -> int:
    """nal_unit_type."""
    return nal[0] >> 1 & 0x3F


def parse_sps(nal: bytes) -> SpsInfo:
    """Read a sequence parameter set, NAL header included.  Raises `ParameterSetError`."""
    if len(nal) <= _HEADER or kind_of(nal) != SPS:
        raise ParameterSetError("not a sequence parameter set")
    try:
        return _sps(BitReader(unescape(nal[_HEADER:])))
    except BitsError as error:
        raise ParameterSetError(f"sequence parameter set: {error}") from None


def _sps(bits: BitReader) -> SpsInfo:
    bits.skip(4)  # sps_video_parameter_set_id
    sub_layers = bounded(bits.u(3) + 1, 7, "sub-layers")
    nested = bits.flag()
    ptl = _profile_tier_level(bits, sub_layers)
    sps_id = bounded(bits.ue(), 15, "as a sequence parameter set's number")
    chroma_format = bounded(bits.ue(), 3, "as a chroma format")
    bits.skip(chroma_format == 3)  # separate_colour_plane_flag
    width, height = (bounded(bits.ue(), LARGEST_SIDE, "samples a side") for _ in range(2))
    if bits.flag():  # conformance window
        left, right, top, bottom = (bits.ue() for _ in range(4))
        width -= (left + right) * (2 if chroma_format in (1, 2) else 1)
        height -= (top + bottom) * (2 if chroma_format == 1 else 1)
    if not (width > 0 and height > 0):
        raise ParameterSetError(f"a picture of {width}x{height}")
    # hvcC has three bits for each; 16-bit video is of no camera
    bit_depth, chroma_bit_depth = (8 + bounded(bits.ue(), 7, "bits more than eight") for _ in range(2))
    order_count_bits = 4 + bounded(bits.ue(), 12, "bits more than four in an order count")
    reorder_depth = 0
    for _ in range(sub_layers if bits.flag() else 1):
        bits.ue()  # sps_max_dec_pic_buffering_minus1
        reorder_depth = bounded(bits.ue(), 16, "pictures to be put in order")  # the last one speaks for all layers
        bits.ue()  # sps_max_latency_increase_plus1
    vui = _Vui()
    try:
        _skip_tools(bits, order_count_bits)
        if bits.flag():
            _read_vui(bits, vui)
    except BitsError:
        pass  # cut off or wrong in what we can go without: as far as it was read
    return SpsInfo(
        ptl, sub_layers, nested, sps_id, chroma_format, bit_depth, chroma_bit_depth, width, height, reorder_depth,
        vui.aspect, vui.fps, vui.full_range,
    )  # fmt: skip


def _profile_tier_level(bits: BitReader, sub_layers: int) -> ProfileTierLevel:
    ptl = ProfileTierLevel(bits.u(2), bits.u(1), bits.u(5), bits.u(32), bits.u(48).to_bytes(6, "big"), bits.u(8))
    if sub_layers > 1:
        present = [(bits.flag(), bits.flag()) for _ in range(8)][: sub_layers - 1]
        for has_profile, has_level in present:
            bits.skip(88 * has_profile + 8 * has_level)
    return ptl


def _skip_tools(bits: BitReader, order_count_bits: int) -> None:
    """From the block sizes up to the VUI: how pictures are coded, which only a decoder has to know."""
    for _ in range(6):
        bits.ue()
    if bits.flag() and bits.flag():
        _skip_scaling_lists(bits)
    bits.skip(2)  # amp_enabled_flag, sample_adaptive_offset_enabled_flag
    if bits.flag():  # pcm_enabled_flag
        bits.skip(8)
        bits.ue()
        bits.ue()
        bits.skip(1)
    reference_sets: list[list[int]] = []
    for number in range(_few(bits.ue(), 64)):
        reference_sets.append(_reference_set(bits, reference_sets if number else []))
    if bits.flag():  # long_term_ref_pics_present_flag
        bits.skip(_few(bits.ue(), 32) * (order_count_bits + 1))
    bits.skip(2)  # sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag


def _few(value: int, most: int) -> int:
    if value > most:
        raise BitsError(f"{value} where there may be {most}")
    return value


def _skip_scaling_lists(bits: BitReader) -> None:
    """§7.3.4."""
    for size in range(4):
        for _ in range(2 if size == 3 else 6):
            if not bits.flag():
                bits.ue()
                continue
            if size > 1:
                bits.se()
            for _ in range(min(64, 1 << (4 + (size << 1)))):
                bits.se()


def _reference_set(bits: BitReader, earlier: Sequence[list[int]]) -> list[int]:
    """st_ref_pic_set (§7.3.7): the distances in order counts, nearest first, past before future (§7.4.8)."""
    if earlier and bits.flag():
        negative, size = bits.flag(), bits.ue() + 1
        step = -size if negative else size
        found = []
        for distance in [*earlier[-1], 0]:
            used = bits.flag()
            if (used or bits.flag()) and distance + step:
                found.append(distance + step)
    else:
        found = []
        counts = [_few(bits.ue(), 16) for _ in range(2)]
        for count, sign in zip(counts, (-1, 1), strict=True):
            distance = 0
            for _ in range(count):
                distance += sign * (bits.ue() + 1)
                bits.skip(1)
                found.append(distance)
    if len(found) > 16:
        raise BitsError("over 16 reference pictures")
    return sorted((each for each in found if each < 0), reverse=True) + sorted(each for each in found if each > 0)


@dataclass(slots=True)
class _Vui:
    aspect: tuple[int, int] = (1, 1)
    fps: Fraction | None = None
    full_range: bool = False


def _read_vui(bits: BitReader, vui: _Vui) -> None:
    """Video usability information (§E.2.1), up to the timing."""
    vui.aspect, vui.full_range = read_usability(bits)
    bits.skip(3)  # neutral_chroma_indication_flag, field_seq_flag, frame_field_info_present_flag
    if bits.flag():  # default display window: a hint that players pass over, and so do we
        for _ in range(4):
            bits.ue()
    if bits.flag():
        units, scale = bits.u(32), bits.u(32)
        vui.fps = picture_rate(scale, units)


def vps_rate(nal: bytes) -> Fraction | None:
    """Pictures a second as a video parameter set says (§7.3.2.1); None where it does not, or cannot be read."""
    bits = BitReader(unescape(nal[_HEADER:]))
    try:
        bits.skip(12)  # its number, base layer flags, layers
        sub_layers = bits.u(3) + 1
        bits.skip(17)
        _profile_tier_level(bits, sub_layers)
        for _ in range(sub_layers if bits.flag() else 1):
            for _ in range(3):
                bits.ue()
        layers = bits.u(6) + 1
        bits.skip(_few(bits.ue(), 1023) * layers)
        if not bits.flag():
            return None
        units, scale = bits.u(32), bits.u(32)
    except BitsError:
        return None
    return picture_rate(scale, units)


def codec_string(ptl: ProfileTierLevel) -> str:
    """ISO/IEC 14496-15 §E.3: ``hvc1.1.6.L93.B0``."""
    compatible = int(f"{ptl.compatible:032b}"[::-1], 2)
    parts = [
        "hvc1",
        ("", "A", "B", "C")[ptl.space] + str(ptl.profile),
        f"{compatible:X}",
        "LH"[ptl.tier] + str(ptl.level),
        *(f"{byte:X}" for byte in ptl.constraints.rstrip(b"\0")),
    ]
    return ".".join(parts)


def video_format(vps_list: Sequence[bytes], sps_list: Sequence[bytes], pps_list: Sequence[bytes]) -> VideoFormat:
    """The format that these parameter sets describe; the first SPS speaks for all.

    Raises `ParameterSetError` when one is missing or cannot be used.
    """
    for nals, kind, name in ((vps_list, VPS, "video"), (sps_list, SPS, "sequence"), (pps_list, PPS, "picture")):
        if not nals:
            raise ParameterSetError(f"no {name} parameter set")
        if any(len(nal) <= _HEADER or kind_of(nal) != kind for nal in nals):
            raise ParameterSetError(f"not a {name} parameter set")
    infos = [parse_sps(nal) for nal in sps_list]
    info = infos[0]
    return VideoFormat(
        codec="h265",
        parameter_sets=(*vps_list, *sps_list, *pps_list),
        width=info.width,
        height=info.height,
        codec_string=codec_string(info.ptl),
        configuration=_configuration((vps_list, sps_list, pps_list), info),
        pixel_aspect=info.pixel_aspect,
        nominal_fps=info.fps or vps_rate(vps_list[0]),
        reorder_depth=info.reorder_depth,
        full_range=info.full_range,
    )


def _configuration(sets: Sequence[Sequence[bytes]], info: SpsInfo) -> bytes:
    """HEVCDecoderConfigurationRecord, ISO/IEC 14496-15 §8.3.3.1, with lengths of four bytes."""
    ptl = info.ptl
    record = bytearray((1, ptl.space << 6 | ptl.tier << 5 | ptl.profile))
    record += ptl.compatible.to_bytes(4, "big") + ptl.constraints + bytes((ptl.level,))
    record += b"\xf0\0\xfc"  # min_spatial_segmentation_idc and parallelismType: not said
    record += bytes((0xFC | info.chroma_format, 0xF8 | info.bit_depth - 8, 0xF8 | info.chroma_bit_depth - 8))
    record += b"\0\0" + bytes((info.sub_layers << 3 | info.nested << 2 | 3, len(sets)))
    for kind, nals in zip((VPS, SPS, PPS), sets, strict=True):
        if len(nals) > 255:
            raise ParameterSetError("too many parameter sets")
        # the top bit: all there are of this type are here, none comes with the pictures
        record += bytes((0x80 | kind,)) + len(nals).to_bytes(2, "big") + length_prefixed(nals)
    return bytes(record)


def _number(nal: bytes) -> int:
    kind = kind_of(nal)
    if kind == VPS:
        return nal[_HEADER] >> 4 if len(nal) > _HEADER else -1
    if kind == PPS:
        return exp_golomb_at(nal, 8 * _HEADER)
    bits = BitReader(unescape(nal[_HEADER : _HEADER + 128]))  # at most 85 bytes stand before it
    try:
        bits.skip(4)
        sub_layers = bits.u(3) + 1
        bits.skip(1)
        _profile_tier_level(bits, sub_layers)
        return bits.ue()
    except BitsError:
        return -1


def _make(sets: Sequence[bytes]) -> VideoFormat:
    vps, sps, pps = ([nal for nal in sets if kind_of(nal) == kind] for kind in (VPS, SPS, PPS))
    return video_format(vps, sps, pps)


FAMILY = Family("h265", (VPS, SPS, PPS), SPS, kind_of, _number, _make)
