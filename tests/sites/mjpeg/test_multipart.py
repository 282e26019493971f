"""Parts come out whole, however a camera divides them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.sites.mjpeg.multipart import BETWEEN_LIMIT, HEAD_LIMIT, MultipartReader, boundary_of
from appliance.sites.rtsp.errors import BadMessage
from appliance.sites.rtsp.oddities import Oddities, Oddity
from tests.sites.mjpeg.camera import PICTURES, part

ONE, TWO, THREE = PICTURES[:3]
TYPE = b"Content-Type: image/jpeg\r\n"


def read(data: bytes, boundary: str | None = "frame", step: int = 0, limit: int = 1 << 20):
    """The parts, and the names of what was odd."""
    oddities = Oddities()
    reader = MultipartReader(boundary, oddities, limit)
    parts = []
    for at in range(0, len(data), step or len(data)):
        reader.receive_data(data[at : at + (step or len(data))])
        while (found := reader.next_part()) is not None:
            parts.append(found)
    return parts, oddities.names


def bare(data: bytes) -> bytes:
    """A part without a length."""
    return b"--frame\r\n" + TYPE + b"\r\n" + data + b"\r\n"


FORMS = {
    "as the standard says": (part(ONE) + part(TWO), "frame", set()),
    "without lengths": (bare(ONE) + bare(TWO), "frame", set()),
    "without lengths, without an empty line before the boundary": (
        b"".join(b"--frame\r\n" + TYPE + b"\r\n" + data for data in (ONE, TWO)), "frame", set(),
    ),
    "lines end with LF": ((part(ONE) + part(TWO)).replace(b"\r\n--frame\r\n", b"\n--frame\n"), "frame", set()),
    "names in any case": (part(ONE).replace(b"Content-Length", b"CONTENT-length") + part(TWO), "frame", set()),
    "more fields": (part(ONE).replace(b"Content-T", b"X-Timestamp: 1.5\r\nContent-T") + part(TWO), "frame", set()),
    "no fields": (b"--frame\r\n\r\n" + ONE + b"\r\n--frame\r\n\r\n" + TWO + b"\r\n", "frame", set()),
    "a preamble": (b"hello\r\n\r\n" + part(ONE) + b"\r\n\r\n" + part(TWO), "frame", set()),
    "an end, and no end": (part(ONE) + b"--frame--\r\n\r\n" + part(TWO), "frame", set()),
    "an empty part": (part(ONE) + part(b"") + part(TWO), "frame", set()),
    "the boundary is said with its dashes": (part(ONE) + part(TWO), "--frame", {Oddity.BOUNDARY_DASHES}),
    "the line has no dashes": (
        part(ONE, b"frame") + part(TWO, b"frame"), "frame", {Oddity.BOUNDARY_DASHES},
    ),
    "the boundary has dashes of its own": (part(ONE, b"----frame") + part(TWO, b"----frame"), "--frame", set()),
    "no boundary is said": (part(ONE) + part(TWO), None, {Oddity.BOUNDARY_MISSING}),
    "another boundary is said": (part(ONE) + part(TWO), "other", {Oddity.BOUNDARY_OTHER}),
    "too short a length": (part(ONE, length=len(ONE) - 9) + part(TWO), "frame", {Oddity.PART_LENGTH_WRONG}),
    "too long a length": (part(ONE, length=len(ONE) + 99) + part(TWO), "frame", {Oddity.PART_LENGTH_WRONG}),
    "the length counts the empty line": (
        part(ONE + b"\r\n") + part(TWO + b"\r\n"), "frame", set(),
    ),
    "an empty line too many": (
        part(ONE).replace(b"\r\n\r\n", b"\r\n\r\n\r\n") + part(TWO), "frame", {Oddity.BLANK_LINES_BETWEEN},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("step", [0, 1, 7, 1000])
def test_pictures_come_out_of_every_form(name: str, step: int) -> None:
    data, boundary, odd = FORMS[name]
    parts, names = read(data, boundary, step)
    assert [found.data.removesuffix(b"\r\n") for found in parts] == [ONE, TWO]
    assert names == odd


def test_a_picture_is_given_out_before_the_next_begins() -> None:
    for data in (part(ONE), part(ONE).removesuffix(b"\r\n"), bare(ONE), bare(ONE).removesuffix(b"\r\n")):
        assert [found.data for found in read(data)[0]] == [ONE]


def test_a_length_that_was_wrong_is_not_believed_again() -> None:
    odd = part(ONE, length=len(ONE) + 1500)
    parts, _ = read(odd * 2 + part(TWO, length=900_000) + part(THREE, length=900_000), step=500)
    assert [found.data for found in parts] == [ONE, ONE, TWO, THREE]


def test_an_end_marker_inside_of_a_segment_is_no_end() -> None:
    thumbnail = ONE[:2] + b"\xff\xe1" + (len(TWO) + 2).to_bytes(2, "big") + TWO + ONE[2:]
    assert [found.data for found in read(bare(thumbnail) + bare(TWO))[0]] == [thumbnail, TWO]


def test_a_picture_without_end_ends_at_the_boundary() -> None:
    cut = ONE[:-2]
    for data in (part(cut) + part(TWO), bare(cut) + bare(TWO)):
        parts, names = read(data, step=11)
        assert [found.data for found in parts] == [cut, TWO]
        assert names == set()


def test_what_is_no_picture_comes_out_as_it_is_said_to_be() -> None:
    text = b"--frame\r\nContent-Type: Text/Plain; charset=x\r\n\r\nno signal\r\n"
    assert read(text + part(ONE))[0] == [("text/plain", b"no signal"), ("image/jpeg", ONE)]


def test_the_boundary_inside_of_a_picture_does_not_divide_it() -> None:
    inside = ONE[:2] + b"\xff\xfe\x00\x0a--frame!" + ONE[2:]
    assert [found.data for found in read(part(inside) + bare(inside) + bare(TWO))[0]] == [inside, inside, TWO]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"x" * (BETWEEN_LIMIT + 1), "no boundary"),
        (b"x\r\n" * BETWEEN_LIMIT, "no boundary"),
        (part(ONE) + b"\r\n" * BETWEEN_LIMIT, "no boundary"),
        (b"--frame\r\n" + b"A: b\r\n" * HEAD_LIMIT, "bytes of header"),
        (b"--frame\r\nA: " + b"b" * HEAD_LIMIT, "bytes of header"),
        (part(ONE, length=5001), "picture of 5001 bytes; the limit is 5000"),
        (part(ONE, length=10**19), "the limit is 5000"),
        (bare(ONE[:-2] + b"\0" * 5000), "picture without end"),
        (b"--frame\r\n\r\n" + b"x" * 5001, "picture without end"),
    ],
)
@pytest.mark.parametrize("step", [0, 100])
def test_what_has_no_end_is_an_error(data, says, step) -> None:
    with pytest.raises(BadMessage, match=says):
        read(data, step=step, limit=5000)


@pytest.mark.parametrize(
    ("said", "boundary"),
    [
        ("multipart/x-mixed-replace; boundary=frame", "frame"),
        ('multipart/x-mixed-replace;boundary="--my boundary"', "--my boundary"),
        ("multipart/x-mixed-replace; charset=x; BOUNDARY = frame ;x=y", "frame"),
        ("multipart/x-mixed-replace", None),
        ("multipart/x-mixed-replace; boundary=", None),
        ("multipart/x-mixed-replace; boundary=" + "x" * 500, None),
        ("", None),
    ],
)
def test_the_boundary_is_read_from_the_type(said, boundary) -> None:
    assert boundary_of(said) == boundary


@given(
    st.lists(st.tuples(st.sampled_from(sorted(FORMS)), st.binary(max_size=40)), min_size=1, max_size=4),
    st.integers(1, 900),
    st.sampled_from((None, "frame", "--frame", "")),
)
def test_what_comes_out_does_not_depend_on_how_it_is_cut(pieces, step, boundary) -> None:
    data = b"".join(FORMS[name][0] + junk for name, junk in pieces)

    def outcome(step: int):
        oddities = Oddities()
        reader, parts = MultipartReader(boundary, oddities, 4000), []
        try:
            for at in range(0, len(data), step):
                reader.receive_data(data[at : at + step])
                while (found := reader.next_part()) is not None:
                    parts.append(found)
        except BadMessage as error:
            return parts, error.message
        return parts, sorted(oddities.names)

    assert outcome(step) == outcome(len(data))
