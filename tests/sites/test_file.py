"""Movies of this machine as cameras: looped without a seam, in step with the clock, and told when they cannot be."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import av
import pytest
import trio
import trio.testing
from av.video.codeccontext import VideoCodecContext

from appliance.base.clock import TICKS_PER_SECOND, SystemClock
from appliance.media.units import AccessUnit, AudioUnit
from appliance.sites import file
from appliance.sites.addresses import FILE_SCHEME
from appliance.sites.camera import configured
from appliance.sites.file import open_file
from appliance.sites.opening import Sources
from appliance.sites.source import SourceError, Trouble
from tests.media.movies import make_movie
from tests.sites.test_demo import TrioClock


@pytest.fixture(scope="module")
def movie(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("movies") / "a film.mp4"
    path.write_bytes(make_movie(b=2))
    return path


@pytest.fixture
def fast_clock() -> trio.testing.MockClock:
    """Ten times as fast: one that jumps would not wait for the threads that read."""
    return trio.testing.MockClock(rate=10)


def url(path: Path) -> str:
    return f"{FILE_SCHEME}{path}"


async def drained(source: file.FileSource) -> None:
    with trio.move_on_after(20):
        while True:
            await source.receive()


def open_files() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


async def watched(path: Path, seconds: float) -> tuple[list[AccessUnit], list[AudioUnit]]:
    pictures: list[AccessUnit] = []
    sounds: list[AudioUnit] = []
    async with open_file(url(path), TrioClock()) as source:
        with trio.move_on_after(seconds):
            while True:
                for unit in await source.receive():
                    (pictures if isinstance(unit, AccessUnit) else sounds).append(unit)  # type: ignore[arg-type]
    return pictures, sounds


def decoded(units: list[AccessUnit]) -> list[av.VideoFrame]:
    codec = VideoCodecContext.create("h264", "r")
    codec.extradata = units[0].format.configuration
    codec.options = {"err_detect": "explode"}
    frames = []
    for unit in units:
        packet = av.Packet(unit.data)
        packet.pts, packet.dts = unit.pts, unit.dts
        frames += codec.decode(packet)
    return [*frames, *codec.decode(None)]


async def test_a_movie_is_looped_on_one_timeline(movie: Path, fast_clock) -> None:
    pictures, sounds = await watched(movie, 7.0)
    assert len(pictures) >= 7 * 25 - 3
    assert {later.dts - one.dts for one, later in pairwise(pictures)} == {3600}
    assert all(unit.pts >= unit.dts for unit in pictures)
    assert [unit.seq for unit in pictures] == list(range(1, len(pictures) + 1))
    assert len({unit.run for unit in [*pictures, *sounds]}) == 1
    frames = decoded(pictures)
    assert len(frames) == len(pictures)
    assert {later.pts - one.pts for one, later in pairwise(frames)} == {3600}  # also over the seam
    assert max(later.pts - one.pts for one, later in pairwise(sounds)) <= 3 * 5760
    assert abs(sounds[-1].pts - pictures[-1].pts) < TICKS_PER_SECOND // 4


async def test_two_who_play_it_stand_at_the_same_place(movie: Path) -> None:
    async with open_file(url(movie), SystemClock()) as one, open_file(url(movie), SystemClock()) as other:
        first, second = await one.receive(), await other.receive()
    ours = {unit.pts: unit.data for unit in first if isinstance(unit, AccessUnit)}
    common = [unit for unit in second if isinstance(unit, AccessUnit) and unit.pts in ours]
    assert common
    assert all(ours[unit.pts] == unit.data for unit in common)


async def test_what_is_read_ahead_is_bounded(movie: Path, fast_clock, monkeypatch) -> None:
    monkeypatch.setattr(file, "AHEAD_BYTES", 1)  # each by itself
    one_by_one = {unit.data for units in await watched(movie, 2.8) for unit in units}
    monkeypatch.undo()
    monkeypatch.setattr(file, "AHEAD", 7)
    assert {unit.data for units in await watched(movie, 2.8) for unit in units} == one_by_one
    assert len(one_by_one) > 50 + 20


@pytest.mark.parametrize(
    ("make", "trouble", "says"),
    [
        (lambda path: None, Trouble.NOT_FOUND, "not there"),
        (lambda path: path.mkdir(), Trouble.UNSUPPORTED_CODEC, "no file"),
        (os.mkfifo, Trouble.UNSUPPORTED_CODEC, "no file"),
        (lambda path: path.write_bytes(b"hello"), Trouble.UNSUPPORTED_CODEC, "no movie"),
        (lambda path: path.write_bytes(make_movie(codec="mpeg4")), Trouble.UNSUPPORTED_CODEC, "coded as mp4v"),
        (lambda path: path.symlink_to(path), Trouble.REFUSED, "cannot be read"),
    ],
)
async def test_what_cannot_be_played_is_told_without_its_path(make, trouble, says, tmp_path: Path) -> None:
    make(tmp_path / "canary")
    before = open_files()
    with pytest.raises(SourceError, match=says) as caught:
        await watched(tmp_path / "canary", 1.0)
    assert caught.value.trouble == trouble
    assert "canary" not in str(caught.value)
    assert open_files() == before


async def test_a_movie_that_becomes_shorter_is_lost(tmp_path: Path, fast_clock) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(make_movie(seconds=8, movflags="faststart"))
    async with open_file(url(path), TrioClock()) as source:
        await source.receive()
        with path.open("r+b") as opened:
            opened.truncate(4000)
        with pytest.raises(SourceError, match="shorter"):
            await drained(source)


async def test_a_movie_with_short_lengths_comes_out_with_long_ones() -> None:
    data = b"\0\5\x65hell\0\2\x67x\0\3\x06ab"
    assert file._access_unit(data, 2) == b"\0\0\0\5\x65hell\0\0\0\3\x06ab"
    for bad in (b"\0\5\x65", b"\0\0", b"\0\2\x67x"):
        with pytest.raises(file.MovieError):
            file._access_unit(bad, 2)


async def test_a_file_is_a_source_like_others(movie: Path) -> None:
    (stream,) = configured((), url(movie), None, None, None, local=True)
    sources = Sources(SystemClock(), None)  # type: ignore[arg-type]  # no demo camera is asked for
    video, audio = await sources.look(stream)
    assert (video.width, audio.sample_rate) == (160, 16_000)
    probed = await sources.probe(stream)
    assert [(step.name, step.ok) for step in probed.steps] == [("open", True), ("picture", True)]
    async with sources.opener(stream)() as source:
        assert await source.receive()
