"""How large a JPEG picture is, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.media.jpeg import HUFFMAN_TABLES, SEGMENTS_LIMIT, JpegError, read_head, video_format
from tests.media.jpegs import jpeg, jpeg_with_restarts, libav_size, parts, pixels

COMMENT = b"\xff\xfe\x00\x04hi"


@pytest.mark.parametrize("data", [jpeg(), jpeg(642, 30), jpeg(sampling="Gray"), jpeg_with_restarts(320, 160)])
def test_the_head_says_what_decoders_say(data) -> None:
    head = read_head(data)
    assert (head.width, head.height) == libav_size(data) == pixels(data).shape[1::-1]
    assert data[head.scan_at : head.scan_at + 2] == b"\xff\xda"
    assert head.has_huffman_tables


def test_fill_bytes_and_what_is_of_no_interest_are_passed_over() -> None:
    data = jpeg(32, 16)
    assert read_head(data[:2] + COMMENT * 10 + b"\xff\xff\xff" + data[2:])[:2] == (32, 16)
    assert read_head(data[:2] + b"\xff\x01" + data[2:])[:2] == (32, 16)


def test_the_standard_huffman_tables_are_those_of_libjpeg() -> None:
    data = jpeg(64, 64)
    head = read_head(data)
    without = data
    for table in (data[at:] for at in range(head.scan_at) if data[at : at + 2] == b"\xff\xc4"):
        without = without.replace(table[: 2 + int.from_bytes(table[2:4], "big")], b"", 1)
    found = read_head(without)
    assert not found.has_huffman_tables
    whole = without[: found.scan_at] + HUFFMAN_TABLES + without[found.scan_at :]
    assert (pixels(whole) == pixels(data)).all()


def changed(at: int, to: bytes) -> bytes:
    """A picture with other bytes in its frame header."""
    data = bytearray(jpeg(32, 16))
    start = data.index(b"\xff\xc0") + at
    data[start : start + len(to)] = to
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "does not begin"),
        (b"GIF89a", "does not begin"),
        (b"\xff\xd8", "end before its content"),
        (jpeg()[:60], "end before its content"),
        (b"\xff\xd8" + b"\xff\xfe\0\1", "end before its content"),
        (b"\xff\xd8" + COMMENT * (SEGMENTS_LIMIT + 1), "end before its content"),
        (b"\xff\xd8\xff\xd9", "end before its content"),
        (b"\xff\xd8" + parts(jpeg()).segments[0xDA], "how large"),
        (changed(1, b"\xc9"), "browsers do not decode"),
        (changed(4, b"\x0c"), "3 components of 12 bits"),
        (changed(9, b"\x04"), "damaged"),
        (changed(5, b"\0\0"), "how large"),
        (changed(5, b"\xff\xff"), "32x65535; the limit is 8192"),
    ],
)
def test_what_is_no_picture_says_why(data, why) -> None:
    with pytest.raises(JpegError, match=why):
        read_head(data)


@given(st.binary(max_size=300), st.integers(0, 400), st.integers(0, 255))
def test_no_bytes_raise_anything_else(data, at, byte) -> None:
    damaged = bytearray(jpeg(32, 16))
    damaged[at : at + 1] = bytes((byte,))
    for each in (b"\xff\xd8" + data, bytes(damaged)):
        try:
            head = read_head(each)
        except JpegError:
            continue
        assert 0 < head.width <= 8192
        assert 0 < head.height <= 8192
        assert head.scan_at < len(each)


def test_the_format_is_one_that_browsers_do_not_play_as_it_is() -> None:
    made = video_format(640, 480)
    assert (made.codec, made.codec_string, made.is_intra, made.full_range) == ("mjpeg", "mp4v.6C", True, True)
