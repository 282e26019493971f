"""Our fragments as libav reads them."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.fmp4 import Muxer, init_segment, mime_type
from tests.media.clips import START, encode_aac, encode_h264, picture


def no_header(length: int) -> bytes:
    return b""


def test_libav_reads_every_picture_at_its_time() -> None:
    clip = encode_h264(30)
    muxer = Muxer(no_header)
    movie = init_segment(clip.format) + b"".join(muxer.video(unit).message for unit in clip.units)
    with av.open(io.BytesIO(movie)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 320, 180)
        packets = [packet for packet in container.demux(stream) if packet.size]
        zero = clip.units[0].run.utc_zero
        assert [packet.pts for packet in packets] == [unit.pts - zero for unit in clip.units]
        assert [packet.is_keyframe for packet in packets] == [unit.is_idr for unit in clip.units]
        assert {packet.duration for packet in packets} == {TICKS_PER_SECOND // 25}


def test_the_pictures_are_those_that_went_in() -> None:
    clip = encode_h264(12)
    muxer = Muxer(no_header)
    movie = init_segment(clip.format) + b"".join(muxer.video(unit).message for unit in clip.units)
    with av.open(io.BytesIO(movie)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == 12
    for n, frame in enumerate(frames):
        assert np.abs(frame.astype(int) - picture(n, 320, 180)).mean() < 12


def test_b_pictures_keep_their_order() -> None:
    clip = encode_h264(40, b=3, gop=20)
    assert any(unit.pts != unit.dts for unit in clip.units)
    muxer = Muxer(no_header)
    movie = init_segment(clip.format) + b"".join(muxer.video(unit).message for unit in clip.units)
    with av.open(io.BytesIO(movie)) as container:
        shown = [frame.pts for frame in container.decode(video=0)]
    assert shown == sorted(unit.pts - clip.units[0].run.utc_zero for unit in clip.units)


def test_sound_and_picture_share_the_axis() -> None:
    clip = encode_h264(25)
    form, sounds = encode_aac(1.0)
    muxer = Muxer(no_header)
    fragments = [muxer.video(unit) for unit in clip.units] + [muxer.audio(unit) for unit in sounds]
    fragments.sort(key=lambda fragment: fragment.dts)
    movie = init_segment(clip.format, form) + b"".join(fragment.message for fragment in fragments)
    with av.open(io.BytesIO(movie)) as container:
        audio = container.streams.audio[0]
        assert (audio.codec_context.name, audio.rate, audio.channels) == ("aac", 16_000, 1)
        packets = [packet for packet in container.demux() if packet.size]
        heard = [packet.pts * packet.time_base for packet in packets if packet.stream.type == "audio"]
        seen = [packet.pts * packet.time_base for packet in packets if packet.stream.type == "video"]
        assert float(heard[0]) == pytest.approx(float(seen[0]), abs=0.001)
        assert len(heard) == len(sounds)
        container.seek(0)
        assert sum(frame.samples for frame in container.decode(audio=0)) >= 15_000


def test_a_fragment_is_framed_once_and_its_body_is_shared() -> None:
    clip = encode_h264(2)
    sizes = []

    def header(length: int) -> bytes:
        sizes.append(length)
        return b"HEAD"

    fragment = Muxer(header).video(clip.units[0])
    assert fragment.message.startswith(b"HEAD")
    assert bytes(fragment.body[4:8]) == b"moof"
    assert sizes == [len(fragment.message) - 4]
    assert fragment.body.obj is fragment.message


def test_without_a_second_picture_the_parameter_sets_say_how_long_one_lasts() -> None:
    clip = encode_h264(1, fps=10)
    movie = init_segment(clip.format) + Muxer(no_header).video(clip.units[0]).message
    with av.open(io.BytesIO(movie)) as container:
        packet = next(packet for packet in container.demux(video=0) if packet.size)
        assert packet.duration == TICKS_PER_SECOND // 10


def test_types_name_both_codecs() -> None:
    clip = encode_h264(1)
    form, _ = encode_aac(0.2)
    assert mime_type(clip.format, None) == f'video/mp4; codecs="{clip.format.codec_string}"'
    assert mime_type(clip.format, form).endswith(',mp4a.40.2"')
    assert START > 0
