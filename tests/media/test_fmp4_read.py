"""What was written is read back, also after a crash."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.media import jpeg, mpeg4
from appliance.media.fmp4 import Muxer, init_segment
from appliance.media.fmp4_read import Mp4Error, read_formats, read_samples
from tests.media.clips import Clip, encode_aac, encode_h264
from tests.media.test_mpeg4 import encode as encode_mpeg4

if TYPE_CHECKING:
    from appliance.media.units import AudioFormat, VideoFormat

CLIP: Clip = encode_h264(12, b=2, fps=10)
SOUND, SOUNDS = encode_aac(1.0)
_MUXER = Muxer(lambda length: b"")
MOVIE = init_segment(CLIP.format, SOUND) + b"".join(
    fragment.message
    for fragment in sorted(
        [_MUXER.video(unit) for unit in CLIP.units] + [_MUXER.audio(unit) for unit in SOUNDS],
        key=lambda fragment: fragment.dts,
    )
)


def test_formats_and_samples_come_back() -> None:
    assert read_formats(MOVIE) == (CLIP.format, SOUND)
    samples = list(read_samples(MOVIE))
    zero = CLIP.units[0].run.utc_zero
    pictures = [sample for sample in samples if not sample.is_audio]
    assert [MOVIE[sample.start : sample.end] for sample in pictures] == [unit.data for unit in CLIP.units]
    assert [sample.dts + zero for sample in pictures] == [unit.dts for unit in CLIP.units]
    assert [sample.dts + sample.composition + zero for sample in pictures] == [unit.pts for unit in CLIP.units]
    assert [sample.is_sync for sample in pictures] == [unit.is_idr for unit in CLIP.units]
    sounds = [sample for sample in samples if sample.is_audio]
    assert [MOVIE[sample.start : sample.end] for sample in sounds] == [unit.data for unit in SOUNDS]


@given(st.integers(0, len(MOVIE)))
def test_a_file_cut_anywhere_gives_its_whole_fragments(length: int) -> None:
    whole = list(read_samples(MOVIE))
    assert list(read_samples(MOVIE[:length])) == [sample for sample in whole if sample.end <= length]


@settings(max_examples=300)
@given(st.integers(0, 2500), st.integers(1, 255))
def test_a_damaged_file_is_a_named_error_or_is_read(position: int, change: int) -> None:
    movie = bytearray(MOVIE)
    movie[position] ^= change
    try:
        read_formats(bytes(movie))
        for sample in read_samples(bytes(movie)):
            assert 0 <= sample.start <= sample.end <= len(movie)
    except (Mp4Error, ValueError):
        pass


@pytest.mark.parametrize("data", [b"", b"\0\0\0\x08free", b"\0\0\0\x08moov"])
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(Mp4Error):
        read_formats(data)


def _mpeg4(**how: Any) -> VideoFormat:
    return mpeg4.video_format(mpeg4.read_picture(bytes(encode_mpeg4(1, **how)[0])).headers)


@pytest.mark.parametrize("sound", [None, SOUND], ids=["silent", "with sound"])
@pytest.mark.parametrize(
    "video",
    [
        jpeg.video_format(640, 480),
        jpeg.video_format(704, 288, (12, 11)),
        _mpeg4(),
        _mpeg4(aspect=Fraction(12, 11), b=2),
    ],
    ids=["jpeg", "wide jpeg", "mpeg4", "wide mpeg4"],
)
def test_formats_of_the_other_codecs_come_back(video: VideoFormat, sound: AudioFormat | None) -> None:
    movie = init_segment(video, sound)
    assert read_formats(movie) == (video, sound)
    for length in range(len(movie)):
        with suppress(Mp4Error):
            read_formats(movie[:length])
    for at in range(len(movie)):
        with suppress(Mp4Error):
            read_formats(movie[:at] + bytes([movie[at] ^ 0xFF]) + movie[at + 1 :])
