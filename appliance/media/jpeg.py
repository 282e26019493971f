"""JPEG pictures as cameras send them (ITU-T T.81): how large they are, and what is missing for a decoder to read them.

Only the segments before the picture's content are looked at.  Nothing here decodes.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from appliance.media.parameter_sets import LARGEST_SIDE
from appliance.media.units import MJPEG, VideoFormat

#: Object type 0x6C of MPEG-4 systems, as MP4 files name JPEG (RFC 6381 §3.3).
CODEC_STRING: Final = "mp4v.6C"
#: Larger pictures are dropped (abuse A12).
LARGEST_PICTURE: Final = 8 << 20
#: Segments before a picture's content; cameras send ten, and some of them a dozen of comments.
SEGMENTS_LIMIT: Final = 64

START: Final = b"\xff\xd8"
END: Final = b"\xff\xd9"
_DHT, _SOS, _END_CODE = 0xC4, 0xDA, 0xD9
# SOF0, 1, 2: baseline, extended, progressive, all in Huffman codes
_FRAMES = (0xC0, 0xC1, 0xC2)
# markers that begin another kind of frame: lossless, hierarchical, arithmetic codes
_FOREIGN_FRAMES = frozenset({0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
# markers without a length: RST0–7, SOI, TEM
_ALONE = frozenset({*range(0xD0, 0xD9), 0x01})


class JpegError(ValueError):
    """Not a JPEG picture, or none that we would have decoded; says why as the end of a sentence."""


class JpegHead(NamedTuple):
    """What stands before a picture's content.  ``scan_at``: where the segment that begins it stands (SOS)."""

    width: int
    height: int
    scan_at: int
    has_huffman_tables: bool


def read_head(data: bytes | bytearray | memoryview) -> JpegHead:
    """Read a picture's segments up to its content.  Raises `JpegError`."""
    if bytes(data[:2]) != START:
        raise JpegError("it does not begin as JPEG does")
    size: tuple[int, int] | None = None
    huffman = False
    at, end = 2, len(data)
    for _ in range(SEGMENTS_LIMIT):
        while at + 1 < end and data[at] == 0xFF and data[at + 1] == 0xFF:
            at += 1  # fill bytes (§B.1.1.2)
        if at + 4 > end or data[at] != 0xFF:
            break
        code = data[at + 1]
        if code in _ALONE:
            at += 2
            continue
        length = data[at + 2] << 8 | data[at + 3]
        if length < 2 or at + 2 + length > end or code == _END_CODE:
            break
        if code in _FOREIGN_FRAMES:
            raise JpegError("it is coded in a way that browsers do not decode")
        if code in _FRAMES:
            size = size or _size(bytes(data[at + 4 : at + 2 + length]))
        elif code == _DHT:
            huffman = True
        elif code == _SOS:
            if size is None:
                raise JpegError("it does not say how large it is")
            return JpegHead(*size, at, huffman)
        at += 2 + length
    raise JpegError("its segments end before its content begins")


def _size(frame: bytes) -> tuple[int, int]:
    """Width and height out of a frame header (§B.2.2)."""
    if len(frame) < 6 or len(frame) != 6 + 3 * frame[5]:
        raise JpegError("its frame header is damaged")
    if frame[0] != 8 or frame[5] not in (1, 3):
        raise JpegError(f"it has {frame[5]} components of {frame[0]} bits")
    height, width = frame[1] << 8 | frame[2], frame[3] << 8 | frame[4]
    if not width or not height:
        raise JpegError("it does not say how large it is")
    if width > LARGEST_SIDE or height > LARGEST_SIDE:
        raise JpegError(f"it is {width}x{height}; the limit is {LARGEST_SIDE}")
    return width, height


def video_format(width: int, height: int, pixel_aspect: tuple[int, int] = (1, 1)) -> VideoFormat:
    """The format of a stream of such pictures.  They carry their own tables: there are no parameter sets."""
    return VideoFormat(MJPEG, (), width, height, CODEC_STRING, b"", pixel_aspect, reorder_depth=0, full_range=True)


def _table(place: int, lengths: str, values: str) -> bytes:
    return bytes((place,)) + bytes.fromhex(lengths) + bytes.fromhex(values)


#: The tables of Annex K.3.3 as one segment: what RFC 2435 means, and what pictures without tables are coded with.
HUFFMAN_TABLES: Final = b"\xff\xc4\x01\xa2" + b"".join((
    _table(0x00, "00010501010101010100000000000000", "000102030405060708090a0b"),
    _table(0x10, "0002010303020403050504040000017d",
           "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a3435363738"
           "393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5"
           "a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"),
    _table(0x01, "00030101010101010101010000000000", "000102030405060708090a0b"),
    _table(0x11, "00020102040403040705040400010277",
           "000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a162434e125f11718191a262728292a353637"
           "38393a434445464748494a535455565758595a636465666768696a737475767778797a82838485868788898a92939495969798999aa2a3"
           "a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa"),
))  # fmt: skip
