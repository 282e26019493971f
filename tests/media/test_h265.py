"""H.265 parameter sets, judged by libav and by sets that cameras sent."""

from __future__ import annotations

import base64
from fractions import Fraction

import pytest
from av.video.codeccontext import VideoCodecContext
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.media.bits import BitReader, unescape
from appliance.media.h265 import FAMILY, _reference_set, parse_sps, video_format, vps_rate
from appliance.media.parameter_sets import ParameterSetError
from tests.media.clips import encode_h265

# Parameter sets of the makers' own encoders.
CAMERAS = {
    "anjvision": (
        "QAEMAf//AUAAAAMAAAMAAAMAAAMAmawJ", "QgEBAUAAAAMAAAMAAAMAAAMAmaACgIAsH+Wu5Gwa5VE1BQYFAIA=", "RAHAc8BBgwk=",
    ),
    "dahua": (
        "QAEMAf//AWAAAAMAsAAAAwAAAwBarAwAAAMABAAAAwAyqA==",
        "QgEBAWAAAAMAsAAAAwAAAwBaoAWCAeFja5JFL83BQYFBAAADAAEAAAMADKE=", "RAHA8saNA7NA",
    ),
}  # fmt: skip
SAYS = {
    "anjvision": (1280, 704, None, 0, "hvc1.1.2.L153"),
    "dahua": (704, 480, Fraction(12), 0, "hvc1.1.6.L90.B0"),
}


def sets_of(name: str) -> list[bytes]:
    return [base64.b64decode(text) for text in CAMERAS[name]]


@pytest.mark.parametrize("name", CAMERAS)
def test_sets_of_cameras_are_read(name: str) -> None:
    form = FAMILY.make(sets_of(name))
    found = (form.width, form.height, form.nominal_fps, form.reorder_depth, form.codec_string)
    assert found == SAYS[name]


@pytest.mark.parametrize("name", CAMERAS)
def test_libav_reads_the_same_from_our_configuration_record(name: str) -> None:
    form = FAMILY.make(sets_of(name))
    codec = VideoCodecContext.create("hevc", "r")
    codec.extradata = form.configuration
    codec.open()
    assert (codec.width, codec.height) == (form.width, form.height)


@pytest.mark.parametrize("size", [(320, 180), (176, 144), (642, 362), (1920, 1080), (64, 64)])
def test_sizes_are_those_that_the_encoder_was_given(size: tuple[int, int]) -> None:
    form = encode_h265(1, size).format
    assert (form.width, form.height) == size
    assert form.nominal_fps == 25


@pytest.mark.parametrize(
    ("pixels", "profile"),
    [("yuv420p", "hvc1.1."), ("yuv420p10le", "hvc1.2."), ("yuv422p10le", "hvc1.4."), ("yuv444p", "hvc1.4.")],
)
def test_profiles_depths_and_chroma_are_those_of_the_encoder(pixels: str, profile: str) -> None:
    form = encode_h265(1, (128, 96), pixels=pixels).format
    info = parse_sps(form.parameter_sets[1])
    assert form.codec_string.startswith(profile)
    assert (form.width, form.height) == (128, 96)
    assert info.bit_depth == info.chroma_bit_depth == (10 if "10" in pixels else 8)
    codec = VideoCodecContext.create("hevc", "r")
    codec.extradata = form.configuration
    codec.open()
    assert codec.pix_fmt == pixels


def test_reordering_is_as_deep_as_the_encoder_says() -> None:
    assert encode_h265(1).format.reorder_depth == 0
    assert encode_h265(30, b=3, b_pyramid="1").format.reorder_depth == 2


def test_range_and_pixel_aspect_are_read() -> None:
    form = encode_h265(1, (720, 576), full_range=True, sar="16\\:11").format
    assert form.pixel_aspect == (16, 11)
    assert form.full_range


def test_a_video_parameter_set_may_be_the_one_that_says_the_rate() -> None:
    vps, _, _ = sets_of("dahua")
    assert vps_rate(vps) == 12
    assert vps_rate(sets_of("anjvision")[0]) is None
    assert vps_rate(vps[:9]) is None


def test_an_sps_cut_off_behind_its_size_is_read_as_far_as_it_goes() -> None:
    _, sps, _ = sets_of("dahua")
    info = parse_sps(sps[:32])
    assert (info.width, info.height, info.fps) == (704, 480, None)


class Writer:
    def __init__(self) -> None:
        self.bits = ""

    def u(self, count: int, value: int) -> Writer:
        self.bits += format(value, f"0{count}b")
        return self

    def ue(self, *values: int) -> Writer:
        for value in values:
            self.bits += "0" * ((value + 1).bit_length() - 1) + format(value + 1, "b")
        return self

    def data(self) -> bytes:
        text = self.bits + "1"
        text += "0" * (-len(text) % 8)
        return int(text, 2).to_bytes(len(text) // 8, "big")


def sps_of(width: int, height: int, chroma: int = 1, reorder: int = 0) -> bytes:
    """An SPS up to its reorder depth, then nothing."""
    head = Writer().u(4, 0).u(3, 0).u(1, 1).u(8, 1).u(32, 0x60000000).u(48, 0).u(8, 93)
    head.ue(0, chroma, width, height).u(1, 0).ue(0, 0, 4).u(1, 1).ue(4, reorder, 0)
    return b"\x42\x01" + head.data()


@pytest.mark.parametrize(
    ("nal", "says"),
    [
        (sps_of(2**31, 90), "samples a side"),
        (sps_of(16_384, 16_384), "samples a side"),
        (sps_of(0, 90), "0x90"),
        (sps_of(64, 64, chroma=7), "chroma format"),
        (sps_of(64, 64, reorder=17), "put in order"),
        (b"\x42\x01", "not a sequence"),
        (b"\x44\x01\xc0\x73", "not a sequence"),
        (b"\x42\x01\x01\x01\x60", "bits wanted"),
    ],
)
def test_what_no_decoder_should_be_asked_for_is_refused(nal: bytes, says: str) -> None:
    with pytest.raises(ParameterSetError, match=says):
        parse_sps(nal)


def test_reference_sets_are_predicted_from_those_before() -> None:
    # §7.4.8: {-1, -3, 2} moved by -1 is {-2, -4, 1}, and -1 for the picture itself
    explicit = Writer().ue(2, 1).ue(0).u(1, 1).ue(1).u(1, 1).ue(1).u(1, 1)
    first = _reference_set(BitReader(explicit.data()), [])
    assert first == [-1, -3, 2]
    predicted = Writer().u(1, 1).u(1, 1).ue(0).u(4, 0b1111)
    assert _reference_set(BitReader(predicted.data()), [first]) == [-1, -2, -4, 1]
    without = Writer().u(1, 1).u(1, 0).ue(0).u(1, 1).u(2, 0b00).u(1, 1).u(1, 1)
    assert _reference_set(BitReader(without.data()), [first]) == [1, 3]  # -1 + 1 is the picture at hand; -3 is left out


@pytest.mark.parametrize("sets", [[], sets_of("dahua")[:2], sets_of("dahua")[1:], [b"\x40\x01", *sets_of("dahua")[1:]]])
def test_incomplete_sets_are_refused(sets: list[bytes]) -> None:
    with pytest.raises(ParameterSetError):
        FAMILY.make(sets)


def test_parameter_sets_know_their_numbers() -> None:
    assert [FAMILY.number(nal) for nal in sets_of("dahua")] == [0, 0, 0]
    assert FAMILY.number(b"\x40\x01\x3c") == 3
    assert FAMILY.number(b"\x44\x01\x40") == 1
    assert [FAMILY.number(nal) for nal in (b"\x40\x01", b"\x42\x01\x01", b"\x44\x01", b"\x42")] == [-1] * 4


@given(st.binary(max_size=120))
def test_garbage_is_a_named_error_or_a_sane_picture(data: bytes) -> None:
    vps_rate(b"\x40\x01" + data)
    try:
        info = parse_sps(b"\x42\x01" + data)
    except ParameterSetError:
        return
    assert 0 < info.width <= 8192
    assert 0 < info.height <= 8192
    assert info.reorder_depth <= 16


REAL = encode_h265(4, (128, 96), b=2, scaling_list="default").format.parameter_sets


@settings(max_examples=300)
@given(st.sampled_from([REAL[1], *(sets_of(name)[1] for name in CAMERAS)]), st.integers(0, 900), st.booleans())
def test_a_flipped_bit_is_a_named_error_or_a_sane_picture(nal: bytes, bit: int, cut: bool) -> None:
    damaged = bytearray(nal)
    damaged[bit // 8 % len(nal)] ^= 1 << bit % 8
    data = bytes(damaged[: bit // 8 % len(nal) + 1] if cut else damaged)
    try:
        form = video_format(sets_of("dahua")[:1], [data], sets_of("dahua")[2:])
    except ParameterSetError:
        return
    assert form.width <= 8192
    assert form.height <= 8192
    assert unescape(data)
