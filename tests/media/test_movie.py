"""Movies that libav wrote are read as libav reads them."""

from __future__ import annotations

import io

import av
import pytest

from appliance._native.nal import split_avcc
from appliance.base.clock import TICKS_PER_SECOND
from appliance.media import movie as reader
from appliance.media.fmp4 import Muxer, init_segment
from appliance.media.movie import Movie, MovieError, MovieSample, read_movie
from tests.media.clips import encode_aac, encode_h264
from tests.media.movies import make_movie


def read(data: bytes) -> Movie:
    return read_movie(lambda offset, count: data[offset : offset + count], len(data))


def samples(movie: Movie) -> list[MovieSample]:
    return [movie.samples[n] for n in range(len(movie.samples))]


def as_libav_has_it(data: bytes, kind: str) -> list[tuple[int, int, bool, bytes]]:
    """Decoded when, shown how much later, a key frame, its bytes."""
    with av.open(io.BytesIO(data)) as container:
        (stream,) = getattr(container.streams, kind)
        assert stream.time_base is not None
        scale = stream.time_base * TICKS_PER_SECOND
        return [
            (round(packet.dts * scale), round((packet.pts - packet.dts) * scale), packet.is_keyframe, bytes(packet))
            for packet in container.demux(stream)
            if packet.dts is not None and packet.pts is not None
        ]


def has_idr(data: bytes) -> bool:
    return any(data[start] & 31 == 5 for start, _ in split_avcc(data))


FORMS = {
    "plain": {},
    "index first": {"movflags": "faststart"},
    "fragmented": {"movflags": "frag_keyframe+empty_moov+default_base_moof"},
    "fragmented with offsets": {"movflags": "frag_keyframe+empty_moov"},
    "a fragment a picture": {"movflags": "frag_every_frame+empty_moov+default_base_moof"},
    "no edit list": {"use_editlist": "0"},
    "negative offsets": {"movflags": "negative_cts_offsets"},
}


@pytest.mark.parametrize("b", [0, 2])
@pytest.mark.parametrize("form", FORMS)
def test_pictures_and_sound_are_where_libav_finds_them(form: str, b: int) -> None:
    data = make_movie(b=b, **FORMS[form])
    movie = read(data)
    assert (movie.video.width, movie.video.height, movie.length_size) == (160, 96, 4)
    assert movie.audio is not None
    assert (movie.audio.sample_rate, movie.audio.channels) == (16_000, 1)
    assert abs(movie.length - 2 * TICKS_PER_SECOND) <= 7200
    pictures = [sample for sample in samples(movie) if not sample.is_audio]
    theirs = as_libav_has_it(data, "video")
    assert [data[each.offset : each.offset + each.size] for each in pictures] == [each[3] for each in theirs]
    # libav calls pictures key frames that are no IDR, too
    assert [each.is_idr for each in pictures] == [has_idr(each[3]) for each in theirs]
    assert all(each[2] for each in theirs if has_idr(each[3]))
    zero = pictures[0].at + pictures[0].lead - theirs[0][0] - theirs[0][1]
    assert all(
        abs(ours.at + ours.lead - zero - dts - lead) <= 2
        for ours, (dts, lead, _, _) in zip(pictures, theirs, strict=True)
    )
    assert all(each.lead >= 0 for each in pictures)
    assert pictures[0].at == 0
    sounds = [sample for sample in samples(movie) if sample.is_audio]
    heard = {each[3]: each[0] for each in as_libav_has_it(data, "audio")}
    assert len(sounds) >= 28
    assert all(abs(heard[data[each.offset : each.offset + each.size]] - each.at + zero) <= 12 for each in sounds)


def test_the_samples_are_in_order_and_within_the_length() -> None:
    movie = read(make_movie(b=2))
    found = samples(movie)
    assert [each.at for each in found] == sorted(each.at for each in found) == list(movie.samples.at)
    assert all(0 <= each.at < movie.length for each in found)


def test_our_own_recordings_are_movies() -> None:
    clip, (sound, sounds) = encode_h264(50, b=2), encode_aac(2.0)
    muxer = Muxer(lambda _: b"")
    data = init_segment(clip.format, sound)
    data += b"".join(muxer.video(unit).message for unit in clip.units)
    movie = read(data)
    assert len(movie.samples) == 50
    assert movie.audio is None  # announced, and never there
    data += b"".join(muxer.audio(unit).message for unit in sounds)
    movie = read(data)
    assert movie.video == clip.format
    assert movie.audio == sound
    pictures = [each for each in samples(movie) if not each.is_audio]
    assert [data[each.offset : each.offset + each.size] for each in pictures] == [unit.data for unit in clip.units]


def test_a_movie_without_sound_has_none() -> None:
    assert read(make_movie(sound=False)).audio is None


def test_a_fragmented_movie_that_was_cut_off_is_played_up_to_there() -> None:
    data = make_movie(seconds=3, sound=False, **FORMS["a fragment a picture"])
    whole, part = read(data), read(data[: len(data) * 2 // 3])
    assert 20 < len(part.samples) < len(whole.samples)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no movie with an H.264 picture"),
        (b"RIFF" * 100, "no movie"),
        (make_movie(codec="mpeg4"), "coded as mp4v"),
        (make_movie()[:-2000], "no movie"),  # the index stands at the end
        (b"\0\0\0\x10moov\0\0\0\x08trak", "no movie"),
    ],
)
def test_what_is_no_movie_is_told(data: bytes, says: str) -> None:
    with pytest.raises(MovieError, match=says):
        read(data)


def test_an_index_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "INDEX_LIMIT", 100)
    with pytest.raises(MovieError, match="too large"):
        read(make_movie())


def test_more_samples_than_are_kept_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.media.movie_index.SAMPLES_LIMIT", 10)
    for form in ("plain", "fragmented"):
        with pytest.raises(MovieError, match="samples"):
            read(make_movie(**FORMS[form]))
