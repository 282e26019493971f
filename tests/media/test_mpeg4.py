"""MPEG-4 Visual: headers and kinds of pictures, of an encoder that nobody here wrote."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.media.fmp4 import Muxer, init_segment
from appliance.media.mpeg4 import read_picture, video_format
from appliance.media.parameter_sets import ParameterSetError
from appliance.media.units import AccessUnit, Run
from tests.media.clips import START, picture
from tests.sites.rtsp.talk import MPEG4_HEADERS


def encode(
    count: int = 12, size: tuple[int, int] = (352, 288), *, b: int = 0, aspect: Fraction = Fraction(1)
) -> list[av.Packet]:
    """Pictures with their headers before each that stands alone, 25 a second, one in five of these."""
    encoder = av.VideoCodecContext.create("mpeg4", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = *size, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
    encoder.sample_aspect_ratio = aspect
    encoder.gop_size, encoder.max_b_frames = 5, b
    packets = []
    for n in range(count):
        frame = av.VideoFrame.from_ndarray(picture(n, *size), format="rgb24").reformat(format="yuv420p")
        frame.pts = n
        packets += encoder.encode(frame)
    return packets + encoder.encode(None)


@pytest.mark.parametrize(
    ("size", "aspect", "b"),
    [((640, 360), (1, 1), 0), ((352, 288), (12, 11), 0), ((720, 576), (16, 11), 2), ((176, 144), (7, 5), 0)],
)
def test_headers_say_what_the_encoder_was_told(size, aspect, b) -> None:
    packets = encode(size=size, b=b, aspect=Fraction(*aspect))
    found = read_picture(bytes(packets[0]))
    made = video_format(found.headers)
    assert (made.codec, made.width, made.height, made.pixel_aspect) == ("mpeg4", *size, aspect)
    assert made.reorder_depth == (1 if b else 0)
    assert made.codec_string.startswith("mp4v.20.")
    kinds = [read_picture(bytes(packet)) for packet in packets]
    assert [kind.is_key for kind in kinds] == [packet.is_keyframe for packet in packets]
    assert ("B" in {kind.kind for kind in kinds}) is (b > 0)


def test_players_read_it_in_mp4() -> None:
    packets = encode(b=2)
    headers = read_picture(bytes(packets[0])).headers
    form, run = video_format(headers), Run(START - 90_000)
    units = [
        AccessUnit(bytes(each), START + each.pts * 3600, START + each.dts * 3600, each.is_keyframe, n, form, run)
        for n, each in enumerate(packets)
    ]
    muxer = Muxer(lambda _: b"")
    movie = init_segment(form) + b"".join(bytes(muxer.video(unit).message) for unit in units)
    with av.open(io.BytesIO(movie)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.extradata) == ("mpeg4", headers)
        frames = list(container.decode(video=0))
    assert [frame.pts - 90_000 for frame in frames] == [3600 * n for n in range(12)]


@pytest.mark.parametrize(
    "headers",
    [b"", b"\0\0\1\xb0\1", b"\0\0\1\x20", b"\0\0\1\x20" + bytes(20), bytes(5000), b"\0\0\1\x20" + b"\xff" * 60],
)
def test_headers_that_describe_no_picture_are_refused(headers) -> None:
    with pytest.raises(ParameterSetError):
        video_format(headers)


@given(st.integers(0, len(MPEG4_HEADERS) * 8 - 1), st.integers(0, len(MPEG4_HEADERS)))
def test_a_flipped_bit_is_a_named_error_or_a_sane_picture(bit: int, cut: int) -> None:
    damaged = bytearray(MPEG4_HEADERS)
    damaged[bit // 8] ^= 1 << bit % 8
    try:
        made = video_format(bytes(damaged[:cut] if cut % 2 else damaged))
    except ParameterSetError:
        return
    assert 0 < made.width <= 8192
    assert 0 < made.height <= 8192
