"""What a camera's answer is, and what of it is a picture.  By what comes: what is said about it is often wrong."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from appliance.media.jpeg import END, HUFFMAN_TABLES, START, read_head
from appliance.sites.rtsp.errors import UnsupportedCodec
from appliance.sites.rtsp.oddities import Oddity

if TYPE_CHECKING:
    from appliance.sites.rtsp.oddities import Oddities

#: What a picture is called by servers that mean it.
PICTURE_TYPES: Final = frozenset({"image/jpeg", "image/jpg", "image/pjpeg"})
_SHOWN = 60  # characters of a type, in a message


class Kind(Enum):
    MANY = "pictures one after the other"
    ONE = "one picture at a time"


def kind_of(content_type: str, beginning: bytes, oddities: Oddities) -> Kind:
    """What is said and begins so.  Raises `UnsupportedCodec` for what holds no pictures."""
    said = content_type.partition(";")[0].strip().lower()
    if beginning.startswith(START):
        if said not in PICTURE_TYPES:
            oddities.note(Oddity.STREAM_TYPE_WRONG)
        return Kind.ONE
    if said.startswith("multipart/"):
        return Kind.MANY
    if beginning.lstrip(b"\r\n").startswith(b"--"):
        oddities.note(Oddity.STREAM_TYPE_WRONG)
        return Kind.MANY
    shown = "".join(char for char in said[:_SHOWN] if char.isprintable()) or "something unnamed"
    raise UnsupportedCodec(
        f"The camera answers with {shown}, which is no JPEG picture.",
        "Enter the address of its MJPEG stream, or of its snapshot.",
    )


def whole_picture(data: bytes, said: str, oddities: Oddities) -> tuple[bytes, tuple[int, int]]:
    """A picture as everybody can decode it, and its size.  Raises `JpegError` for what is none."""
    head = read_head(data)
    if said not in PICTURE_TYPES:
        oddities.note(Oddity.PART_TYPE_WRONG)
    # what stands behind the end harms nobody
    if not data.rstrip(b"\0\r\n").endswith(END) and END not in data[head.scan_at :]:
        oddities.note(Oddity.PICTURE_END_MISSING)
        data += END
    if not head.has_huffman_tables:
        oddities.note(Oddity.HUFFMAN_TABLES_MISSING)
        data = data[: head.scan_at] + HUFFMAN_TABLES + data[head.scan_at :]
    return data, (head.width, head.height)
