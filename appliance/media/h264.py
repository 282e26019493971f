"""H.264 parameter sets (ISO/IEC 14496-10 §7.3.2): what a picture is, before any is decoded."""

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

SLICE, IDR_SLICE, SEI, SPS, PPS, DELIMITER, END_OF_SEQUENCE, END_OF_STREAM, FILLER = 1, 5, 6, 7, 8, 9, 10, 11, 12

# profiles whose SPS says more about the picture format (§7.3.2.1.1)
_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})


@dataclass(frozen=True, slots=True)
class SpsInfo:
    """What we need of a sequence parameter set.  ``fps`` and ``reorder_depth`` are None where it does not say."""

    profile: int
    constraints: int  # the byte after profile_idc
    level: int  # level_idc: ten times the level
    sps_id: int
    chroma_format: int  # 1 is 4:2:0
    bit_depth: int
    width: int
    height: int
    pixel_aspect: tuple[int, int]
    fps: Fraction | None
    reorder_depth: int | None
    full_range: bool
    interlaced: bool


def parse_sps(nal: bytes) -> SpsInfo:
    """Read a sequence parameter set, NAL header included.  Raises `ParameterSetError`."""
    if len(nal) < 4 or nal[0] & 0x1F != SPS:
        raise ParameterSetError("not a sequence parameter set")
    try:
        return _sps(nal)
    except BitsError as error:
        raise ParameterSetError(f"sequence parameter set: {error}") from None


def _sps(nal: bytes) -> SpsInfo:
    bits = BitReader(unescape(nal[1:]))
    profile, constraints, level = bits.u(8), bits.u(8), bits.u(8)
    sps_id = bits.ue()
    if sps_id > 31:
        raise ParameterSetError(f"sequence parameter set number {sps_id}; there are 32")
    chroma_format, bit_depth, separate_planes = 1, 8, False
    if profile in _HIGH_PROFILES:
        chroma_format = bits.ue()
        if chroma_format > 3:
            raise ParameterSetError(f"chroma format {chroma_format}")
        if chroma_format == 3:
            separate_planes = bits.flag()
        bit_depth = 8 + bounded(bits.ue(), 6, "bits more than eight")
        bits.ue()  # bit_depth_chroma_minus8
        bits.skip(1)  # qpprime_y_zero_transform_bypass_flag
        if bits.flag():
            for number in range(8 if chroma_format != 3 else 12):
                if bits.flag():
                    _skip_scaling_list(bits, 16 if number < 6 else 64)
    bits.ue()  # log2_max_frame_num_minus4
    order_type = bits.ue()
    if order_type == 0:
        bits.ue()  # log2_max_pic_order_cnt_lsb_minus4
    elif order_type == 1:
        bits.skip(1)
        bits.se()
        bits.se()
        for _ in range(bounded(bits.ue(), 255, "reference frames in a cycle")):
            bits.se()
    bounded(bits.ue(), 16, "reference frames")
    bits.skip(1)  # gaps_in_frame_num_value_allowed_flag
    # Bounded before they are multiplied: a hostile set may say 2^32.
    macroblocks_wide = bounded(bits.ue() + 1, LARGEST_SIDE // 16, "macroblocks a row")
    map_units_high = bounded(bits.ue() + 1, LARGEST_SIDE // 16, "macroblock rows")
    frames_only = bits.flag()
    if not frames_only:
        bits.skip(1)  # mb_adaptive_frame_field_flag
    bits.skip(1)  # direct_8x8_inference_flag
    width, height = macroblocks_wide * 16, map_units_high * 16 * (1 if frames_only else 2)
    if bits.flag():
        left, right, top, bottom = (bits.ue() for _ in range(4))
        plain = chroma_format == 0 or separate_planes
        unit_x = 1 if plain or chroma_format == 3 else 2
        unit_y = (2 if chroma_format == 1 and not plain else 1) * (1 if frames_only else 2)
        width -= (left + right) * unit_x
        height -= (top + bottom) * unit_y
    if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
        raise ParameterSetError(f"a picture of {width}x{height}")
    # Order type 2 says that pictures are shown as they come (§8.2.1.3); so do the profiles without B slices.
    in_order = order_type == 2 or profile == 66 or (constraints & 0x10 and profile in (44, 86, 100, 110, 122, 244))
    vui = _Vui()
    if bits.left and bits.flag():
        try:
            vui = _read_vui(bits)
        except BitsError:
            vui = _Vui()  # cut off or wrong in the optional part, as several cameras send it: go without
    return SpsInfo(
        profile, constraints, level, sps_id, chroma_format, bit_depth, width, height, vui.aspect, vui.fps,
        0 if in_order else vui.reorder_depth, vui.full_range, not frames_only,
    )  # fmt: skip


def _skip_scaling_list(bits: BitReader, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


@dataclass(slots=True)
class _Vui:
    aspect: tuple[int, int] = (1, 1)
    fps: Fraction | None = None
    reorder_depth: int | None = None
    full_range: bool = False


def _read_vui(bits: BitReader) -> _Vui:
    """Video usability information, Annex E.1.1."""
    vui = _Vui()
    vui.aspect, vui.full_range = read_usability(bits)
    if bits.flag():
        units, scale = bits.u(32), bits.u(32)
        bits.skip(1)  # fixed_frame_rate_flag
        vui.fps = picture_rate(scale, 2 * units)
    nal_hrd = bits.flag()
    if nal_hrd:
        _skip_hrd(bits)
    vcl_hrd = bits.flag()
    if vcl_hrd:
        _skip_hrd(bits)
    if nal_hrd or vcl_hrd:
        bits.skip(1)
    bits.skip(1)  # pic_struct_present_flag
    if bits.flag():
        bits.skip(1)
        for _ in range(4):
            bits.ue()
        depth = bits.ue()
        vui.reorder_depth = depth if depth <= 16 else None
    return vui


def _skip_hrd(bits: BitReader) -> None:
    count = bits.ue() + 1
    if count > 32:
        raise BitsError("over 32 schedules")
    bits.skip(8)
    for _ in range(count):
        bits.ue()
        bits.ue()
        bits.skip(1)
    bits.skip(20)


def codec_string(sps: bytes) -> str:
    """RFC 6381 §3.3 as browsers want it: ``avc1.`` and profile, constraints and level in hexadecimal."""
    return f"avc1.{sps[1]:02x}{sps[2]:02x}{sps[3]:02x}"


def video_format(sps_list: Sequence[bytes], pps_list: Sequence[bytes]) -> VideoFormat:
    """The format that these parameter sets describe; the first SPS speaks for all.

    Raises `ParameterSetError` when one is missing or cannot be used.
    """
    if not sps_list or not pps_list:
        raise ParameterSetError("no sequence parameter set" if not sps_list else "no picture parameter set")
    if any(not nal or nal[0] & 0x1F != PPS for nal in pps_list):
        raise ParameterSetError("not a picture parameter set")
    infos = [parse_sps(nal) for nal in sps_list]
    info = infos[0]
    return VideoFormat(
        codec="h264",
        parameter_sets=(*sps_list, *pps_list),
        width=info.width,
        height=info.height,
        codec_string=codec_string(sps_list[0]),
        configuration=_configuration(sps_list, pps_list, info),
        pixel_aspect=info.pixel_aspect,
        nominal_fps=info.fps,
        reorder_depth=info.reorder_depth,
        full_range=info.full_range,
    )


def _configuration(sps_list: Sequence[bytes], pps_list: Sequence[bytes], info: SpsInfo) -> bytes:
    """AVCDecoderConfigurationRecord, ISO/IEC 14496-15 §5.3.3.1, with lengths of four bytes."""
    if len(sps_list) > 31 or len(pps_list) > 255:
        raise ParameterSetError("too many parameter sets")
    record = bytearray((1, info.profile, info.constraints, info.level, 0xFF, 0xE0 | len(sps_list)))
    record += length_prefixed(sps_list) + bytes((len(pps_list),)) + length_prefixed(pps_list)
    if info.profile in (100, 110, 122, 144):
        depth = info.bit_depth - 8
        record += bytes((0xFC | info.chroma_format, 0xF8 | depth, 0xF8 | depth, 0))
    return bytes(record)


def kind_of(nal: bytes) -> int:
    """nal_unit_type."""
    return nal[0] & 0x1F


def _number(nal: bytes) -> int:
    return exp_golomb_at(nal, 32 if kind_of(nal) == SPS else 8)


def _make(sets: Sequence[bytes]) -> VideoFormat:
    return video_format([nal for nal in sets if kind_of(nal) == SPS], [nal for nal in sets if kind_of(nal) == PPS])


FAMILY = Family("h264", (SPS, PPS), SPS, kind_of, _number, _make)
