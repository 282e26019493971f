"""Parameter sets, judged by libav and by sets that cameras sent."""

from __future__ import annotations

import base64
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.media.bits import BitReader, BitsError, unescape
from appliance.media.h264 import parse_sps, video_format
from appliance.media.parameter_sets import ParameterSetError
from tests.media.clips import encode_h264

# Sequence parameter sets of the makers' own encoders, with what their data sheets say.
SETS = [
    ("Z01AH5WgLASabAQ=", 704, 576, None, 0, "4d401f"),
    ("Z0LAHtkDxWhAAAADAEAAAAwDxYuS", 240, 160, Fraction(24), 0, "42c01e"),
    ("Z2QAHqwsaoLA9puCgIKgAAADACAAAAMD0IAA", 704, 480, Fraction(15), None, "64001e"),
    ("Z01AMpWgCoAwfiZuAgICgAAB9AAAdTBC", 2688, 1520, Fraction(30), 0, "4d4032"),
    ("Z00AKZpkA8ARPyzUBAQFAAADA+gAAOpgBA==", 1920, 1080, Fraction(30), None, "4d0029"),
]


@pytest.mark.parametrize(("text", "width", "height", "fps", "depth", "name"), SETS)
def test_sets_of_cameras_are_read(text, width, height, fps, depth, name) -> None:
    nal = base64.b64decode(text)
    info = parse_sps(nal)
    assert (info.width, info.height, info.fps, info.reorder_depth) == (width, height, fps, depth)
    assert video_format([nal], [b"\x68\xce\x38\x80"]).codec_string == f"avc1.{name}"


@pytest.mark.parametrize("size", [(320, 180), (176, 144), (642, 362), (1920, 1080), (64, 64)])
@pytest.mark.parametrize("options", [{}, {"profile": "baseline"}, {"profile": "main"}])
def test_sizes_are_those_that_the_encoder_was_given(size, options) -> None:
    form = encode_h264(1, size, **options).format
    assert (form.width, form.height) == size
    assert form.nominal_fps == 25


def test_reordering_is_as_deep_as_the_encoder_says() -> None:
    assert encode_h264(1).format.reorder_depth == 0
    assert encode_h264(30, b=3, **{"b-pyramid": "normal"}).format.reorder_depth == 2


def test_range_and_pixel_aspect_are_read() -> None:
    form = encode_h264(1, (720, 576), full_range=True, **{"x264-params": "sar=16/11"}).format
    assert form.pixel_aspect == (16, 11)
    assert form.full_range


def test_a_picture_too_large_is_refused_before_anything_is_asked_for() -> None:
    bits = "01100100" + "00000000" + "00011111" + "1" + "010" + "1" + "1" + "0" + "0" + "1" + "011" + "1" + "1" + "0"
    huge = "0" * 17 + format(65_536, "018b")
    data = bits + huge + huge + "1" * 8
    data += "0" * (-len(data) % 8)
    nal = b"\x67" + int(data, 2).to_bytes(len(data) // 8, "big")
    with pytest.raises(ParameterSetError, match="macroblocks a row"):
        parse_sps(nal)


@given(st.binary(max_size=80))
def test_garbage_is_a_named_error_or_a_sane_picture(data: bytes) -> None:
    try:
        info = parse_sps(b"\x67" + data)
    except ParameterSetError:
        return
    assert 0 < info.width <= 8192
    assert 0 < info.height <= 8192


@given(st.integers(0, len(SETS) - 1), st.integers(0, 300), st.integers(0, 7))
def test_a_flipped_bit_is_a_named_error_or_a_sane_picture(which: int, byte: int, bit: int) -> None:
    nal = bytearray(base64.b64decode(SETS[which][0]))
    nal[byte % len(nal)] ^= 1 << bit
    try:
        info = parse_sps(bytes(nal))
    except ParameterSetError:
        return
    assert info.width * info.height <= 8192 * 8192


@pytest.mark.parametrize("sets", [([], [b"\x68"]), ([base64.b64decode(SETS[0][0])], []), ([b"\x68\1"], [b"\x68\1"])])
def test_incomplete_sets_are_refused(sets) -> None:
    with pytest.raises(ParameterSetError):
        video_format(*sets)


@given(st.lists(st.integers(0, 2**32 - 2), max_size=20))
def test_exp_golomb_numbers_are_read_back(numbers: list[int]) -> None:
    text = "".join("0" * ((n + 1).bit_length() - 1) + format(n + 1, "b") for n in numbers)
    text += "0" * (-len(text) % 8)
    bits = BitReader(int(text or "0", 2).to_bytes(len(text) // 8, "big"))
    assert [bits.ue() for _ in numbers] == numbers


def test_reading_past_the_end_is_an_error() -> None:
    with pytest.raises(BitsError):
        BitReader(b"\0\0\0\0\0\0\0").ue()
    with pytest.raises(BitsError):
        BitReader(b"a").u(9)


def test_emulation_prevention_is_removed() -> None:
    assert unescape(b"\x67\0\0\3\1\0\0\3\0\0\3") == b"\x67\0\0\1\0\0\0\0"
