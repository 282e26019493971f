"""By what comes, an answer is many pictures or one, and a picture is one that everybody can decode."""

from __future__ import annotations

import pytest

from appliance.media.jpeg import JpegError, read_head
from appliance.sites.mjpeg.kinds import Kind, kind_of, whole_picture
from appliance.sites.rtsp.errors import UnsupportedCodec
from appliance.sites.rtsp.oddities import Oddities, Oddity
from tests.media.jpegs import jpeg, libav_size, pixels
from tests.sites.mjpeg.camera import PICTURES, HttpCamera, always, head, opened, part, response, take

JPEG = PICTURES[0]


@pytest.mark.parametrize(
    ("said", "beginning", "kind", "odd"),
    [
        ("multipart/x-mixed-replace; boundary=x", b"--x\r\n", Kind.MANY, set()),
        ("Multipart/X-Mixed-Replace;boundary=x", b"\r\nwhatever", Kind.MANY, set()),
        ("image/jpeg", JPEG, Kind.ONE, set()),
        ("IMAGE/JPG; x=y", JPEG, Kind.ONE, set()),
        ("text/html", JPEG, Kind.ONE, {Oddity.STREAM_TYPE_WRONG}),
        ("", JPEG, Kind.ONE, {Oddity.STREAM_TYPE_WRONG}),
        ("multipart/x-mixed-replace; boundary=x", JPEG, Kind.ONE, {Oddity.STREAM_TYPE_WRONG}),
        ("image/jpeg", b"\r\n--x\r\n", Kind.MANY, {Oddity.STREAM_TYPE_WRONG}),
        ("", b"--x\r\n", Kind.MANY, {Oddity.STREAM_TYPE_WRONG}),
    ],
)
def test_what_comes_counts(said, beginning, kind, odd) -> None:
    oddities = Oddities()
    assert kind_of(said, beginning, oddities) is kind
    assert oddities.names == odd


@pytest.mark.parametrize(
    ("said", "shown"),
    [("text/html; charset=utf-8", "text/html,"), ("", "something unnamed"), ("a\x1b[1m/b", r"a\[1m/b")],
)
def test_what_holds_no_pictures_says_so(said, shown) -> None:
    with pytest.raises(UnsupportedCodec, match=f"answers with {shown}"):
        kind_of(said, b"<html>", Oddities())


def without_tables(data: bytes) -> bytes:
    found, at = data[:2], 2
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        found += b"" if data[at + 1] == 0xC4 else data[at:end]
        at = end
    return found + data[at:]


@pytest.mark.parametrize(
    ("data", "said", "odd"),
    [
        (JPEG, "image/jpeg", set()),
        (JPEG + b"\0\0\r\n", "image/jpeg", set()),
        (JPEG + b"behind the end", "image/jpeg", set()),
        (JPEG, "text/plain", {Oddity.PART_TYPE_WRONG}),
        (JPEG[:-2], "image/jpeg", {Oddity.PICTURE_END_MISSING}),
        (without_tables(JPEG), "image/jpeg", {Oddity.HUFFMAN_TABLES_MISSING}),
    ],
)
def test_a_picture_is_made_whole(data, said, odd) -> None:
    oddities = Oddities()
    made, size = whole_picture(data, said, oddities)
    assert size == (64, 48) == libav_size(made)
    assert (pixels(made) == pixels(JPEG)).all()
    assert read_head(made).has_huffman_tables
    assert oddities.names == odd


def test_what_is_no_picture_is_none() -> None:
    with pytest.raises(JpegError):
        whole_picture(b"no signal", "image/jpeg", Oddities())


async def test_parts_that_are_no_pictures_are_dropped_by_name(nursery, autojump_clock) -> None:
    text = b"--frame\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nno signal\r\n"
    camera = HttpCamera(nursery, always(head() + text + part(JPEG) + text + part(PICTURES[1]), end=False))
    async with opened(camera) as source:
        units = await take(source, 2)
        assert [unit.seq for unit in units] == [0, 2]
        assert source.statistics.oddities == {Oddity.PART_NO_PICTURE}
        assert source.statistics.units_dropped == 1


async def test_what_comes_may_come_byte_by_byte(nursery, autojump_clock) -> None:
    many = b"\r\n" + part(JPEG) + part(PICTURES[1])
    camera = HttpCamera(nursery, always(head("text/plain"), *(many[n : n + 1] for n in range(len(many))), end=False))
    async with opened(camera) as source:
        assert [unit.data for unit in await take(source, 2)] == PICTURES[:2]
        assert source.statistics.oddities == {Oddity.STREAM_TYPE_WRONG, Oddity.BOUNDARY_MISSING}


async def test_a_picture_under_a_wrong_name_is_asked_for_again_and_again(nursery, autojump_clock) -> None:
    camera = HttpCamera(
        nursery, always(response(body=jpeg(32, 32), Content_Type="application/octet-stream"), end=False)
    )
    async with opened(camera) as source:
        await take(source, 3)
        assert source.statistics.oddities == {Oddity.STREAM_TYPE_WRONG, Oddity.PART_TYPE_WRONG}
