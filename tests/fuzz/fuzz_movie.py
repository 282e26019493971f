"""Movies that others made, damaged: what is read lies inside of the file and in order, or the one named error comes."""

from __future__ import annotations

from appliance.media.movie import MovieError, read_movie
from tests.media.movies import make_movie

SEEDS = [
    make_movie(seconds=0.3, b=2, size=(64, 64)),
    make_movie(seconds=0.3, size=(64, 64), movflags="faststart"),
    make_movie(seconds=0.3, size=(64, 64), movflags="frag_keyframe+empty_moov"),
    make_movie(seconds=0.3, size=(64, 64), movflags="frag_every_frame+empty_moov+default_base_moof"),
]


def check(data: bytes) -> None:
    try:
        movie = read_movie(lambda offset, count: data[offset : offset + count], len(data))
    except MovieError:
        return
    last = 0
    assert movie.length > 0
    for n in range(len(movie.samples)):
        sample = movie.samples[n]
        assert 0 <= sample.offset < sample.offset + sample.size <= len(data)
        assert last <= sample.at <= movie.length
        assert sample.is_audio or sample.lead >= 0
        last = sample.at
