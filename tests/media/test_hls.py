"""The playlist of HLS players: what it lists is what came, in the order in which it came, as RFC 8216 has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media import hls
from appliance.media.fmp4 import Fragment
from appliance.media.hls import Playlist
from appliance.media.hls_names import Piece, parse_name
from appliance.media.units import Run
from tests.media.hls_reader import ReadPlaylist, check_follows, read

if TYPE_CHECKING:
    from collections.abc import Iterable

RUN = Run(0)
START = 1_700_000_000 * TICKS_PER_SECOND


class Camera:
    """Fragments with numbers in them; `given` is what a player has to get."""

    def __init__(self, *, fps: float = 25, gop: int = 25, sound: bool = False, size: int = 8) -> None:
        self.step, self.gop, self.sound, self.size = round(TICKS_PER_SECOND / fps), gop, sound, size
        self.at, self.number = START, 0

    def pictures(self, count: int, jitter: Iterable[int] = ()) -> Iterable[Fragment]:
        shifts = list(jitter) or [0]
        for n in range(count):
            idr = self.number % self.gop == 0
            yield self._fragment(self.at + shifts[n % len(shifts)], idr=idr, audio=False)
            if self.sound:
                yield self._fragment(self.at, idr=True, audio=True)
            self.at += self.step

    def _fragment(self, dts: int, *, idr: bool, audio: bool) -> Fragment:
        body = f"{'a' if audio else 'v'}{self.number};".encode().ljust(self.size, b".")
        self.number += not audio
        return Fragment(b"FRAME" + body, 5, audio, idr, self.number, dts, RUN)


def fetch(playlist: Playlist, uri: str) -> bytes:
    """As the route does it."""
    piece = parse_name(uri)
    assert piece is not None, uri
    found = {
        "init": lambda: playlist.init(piece.number),
        "seg": lambda: playlist.segment(piece.number),
        "part": lambda: playlist.part(piece.number, piece.part),
    }[piece.kind]()
    assert found is not None, uri
    return found


class Player:
    """Reads every version of the playlist and collects what it lists, in parts as they come."""

    def __init__(self, playlist: Playlist) -> None:
        self.playlist = playlist
        self.last: ReadPlaylist | None = None
        self.got: dict[str, bytes] = {}
        self.inits: dict[str, bytes] = {}

    def look(self) -> ReadPlaylist:
        now = read(self.playlist.text())
        if self.last is not None and now != self.last:
            check_follows(self.last, now)
            newest = now.segments[-1]
            came = [part.uri for segment in now.segments for part in segment.parts]
            assert self.last.hint in came, (self.last.hint, newest)  # what was announced came
        for segment in now.segments:
            init = fetch(self.playlist, segment.map_uri)
            assert self.inits.setdefault(segment.map_uri, init) == init
            for part in segment.parts:
                if part.uri not in self.got:
                    self.got[part.uri] = fetch(self.playlist, part.uri)
            if segment.uri and segment.parts:
                assert fetch(self.playlist, segment.uri) == b"".join(self.got[part.uri] for part in segment.parts)
        self.last = now
        return now

    @property
    def media(self) -> bytes:
        return b"".join(self.got.values())


def play(playlist: Playlist, fragments: Iterable[Fragment], player: Player | None = None) -> tuple[Player, list[bytes]]:
    player = player or Player(playlist)
    given_ = []
    for fragment in fragments:
        given_.append(bytes(fragment.body))
        if playlist.push(fragment):
            player.look()
    return player, given_


def test_the_playlist_of_a_camera_with_a_key_frame_a_second() -> None:
    playlist = Playlist(100)
    playlist.begin(b"INIT")
    assert not playlist.is_ready
    player, sent = play(playlist, Camera().pictures(25 * 30 + 20))
    now = player.look()
    assert (now.target, now.part_target) == (2, pytest.approx(0.389, abs=0.001))
    assert [segment.duration for segment in now.whole] == [1.0] * 6  # three target durations
    assert [len(segment.parts) for segment in now.segments] == [0, 0, 0, 3, 3, 3, 2]
    assert [[part.independent for part in segment.parts] for segment in now.segments][3] == [True, False, False]
    assert now.segments[0].number == 100 + 24
    assert now.segments[0].begins == "2023-11-14T22:13:44.000Z"
    assert now.hint == "part-130-2.m4s"
    assert player.media == b"".join(sent)[: len(player.media)]
    assert b"".join(sent).startswith(player.media)
    assert len(b"".join(sent)) - len(player.media) == 2 * 8  # the part that has not ended
    assert player.inits == {"init-0.mp4": b"INIT"}
    assert playlist.segment(118) is not None  # for players that read the playlist a while ago
    assert playlist.segment(110) is None
    assert playlist.segment(130) is None


def test_what_a_reload_waits_for() -> None:
    playlist = Playlist(7)
    playlist.begin(b"INIT")
    play(playlist, Camera().pictures(25 * 2 + 10))  # 7 and 8, and a part of 9
    assert [playlist.has(number) for number in (0, 7, 8, 9, 10)] == [True, True, True, False, False]
    assert [playlist.has(8, part) for part in (0, 2, 3)] == [True, True, True]  # there are three: then the next's first
    assert [playlist.has(9, part) for part in (0, 1)] == [True, False]
    assert playlist.is_next(9, 1)
    assert not playlist.is_next(9, 0)
    assert [playlist.is_beyond(number) for number in (9, 10, 11)] == [False, False, True]
    assert playlist.part(9, 1) is None


def test_another_format_is_a_discontinuity_with_an_init_segment_of_its_own() -> None:
    playlist, camera = Playlist(), Camera()
    playlist.begin(b"ONE")
    player, sent = play(playlist, camera.pictures(60))
    camera.number = 0
    camera.at -= 10 * TICKS_PER_SECOND  # a clock that was set
    playlist.begin(b"TWO")
    _, more = play(playlist, camera.pictures(60), player)
    now = player.look()
    assert [segment.era for segment in now.segments] == [0, 0, 0, 1, 1, 1]
    assert [segment.map_uri for segment in now.segments] == ["init-0.mp4"] * 3 + ["init-1.mp4"] * 3
    assert now.segments[2].duration == pytest.approx(0.4)  # as far as it came
    assert player.inits == {"init-0.mp4": b"ONE", "init-1.mp4": b"TWO"}
    assert b"".join(sent + more).startswith(player.media)
    play(playlist, camera.pictures(25 * 20), player)
    now = player.look()
    assert {segment.era for segment in now.segments} == {1}  # what is listed no more has been counted
    with pytest.raises(AssertionError):
        fetch(playlist, "init-0.mp4")


def test_a_silence_in_the_camera_is_no_picture_that_is_shown_for_ever() -> None:
    playlist, camera = Playlist(), Camera()
    playlist.begin(b"INIT")
    player, _ = play(playlist, camera.pictures(60))
    camera.at += 30 * TICKS_PER_SECOND
    play(playlist, camera.pictures(60), player)
    now = player.look()
    assert [segment.duration for segment in now.whole] == pytest.approx([1, 1, 0.4, 1])
    assert [segment.era for segment in now.segments] == [0, 0, 0, 1, 1]
    assert [segment.map_uri for segment in now.segments] == ["init-0.mp4"] * 3 + ["init-1.mp4"] * 2
    assert set(player.inits.values()) == {b"INIT"}
    assert now.whole[3].parts[0].independent


@pytest.mark.parametrize(("fps", "pictures", "target"), [(25, 9, 0.389), (10, 3, 0.324), (5, 1, 0.216), (1, 1, 1.08)])
def test_parts_are_whole_pictures_whatever_the_rate(fps: float, pictures: int, target: float) -> None:
    playlist = Playlist()
    playlist.begin(b"INIT")
    player, _ = play(playlist, Camera(fps=fps, gop=max(1, round(2 * fps))).pictures(round(fps * 12)))
    now = player.look()
    assert now.part_target == pytest.approx(target, abs=0.002)
    assert all(part.duration == pytest.approx(pictures / fps) for part in now.segments[-2].parts[:-1])
    assert all(segment.parts[0].independent for segment in now.segments if segment.parts)


def test_a_long_group_of_pictures_is_listed_soon_and_cut() -> None:
    playlist = Playlist()
    playlist.begin(b"INIT")
    camera = Camera(gop=1000)
    player, _ = play(playlist, camera.pictures(25 * 4))
    assert not playlist.is_ready
    play(playlist, camera.pictures(25 * 60), player)
    now = player.look()
    assert now.target == 13
    assert [segment.duration for segment in now.whole] == [13, 13, 10, 13]  # the camera's own end of a group among them
    assert [part.independent for part in now.segments[-1].parts] == [False] * len(now.segments[-1].parts)


def test_what_is_kept_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hls, "WINDOW_BYTES", 400_000)
    playlist = Playlist()
    playlist.begin(b"INIT")
    most = 0
    for fragment in Camera(gop=250, size=10_000).pictures(2000):
        playlist.push(fragment)
        held = sum(segment.size for segment in playlist._segments)
        most = max(most, held)
    assert 200_000 < most <= 500_000
    read(playlist.text())


@settings(max_examples=40)
@given(
    fps=st.sampled_from([1, 4, 10, 12.5, 15, 25, 30, 50]),
    gop_s=st.sampled_from([0.2, 0.5, 1, 2, 3.3, 6]),
    sound=st.booleans(),
    jitter=st.lists(st.integers(-400, 400), min_size=1, max_size=7),
    stretches=st.lists(st.integers(1, 300), min_size=1, max_size=4),
)
def test_whatever_comes_every_version_of_the_playlist_is_good_and_nothing_is_lost_or_doubled(
    fps: float, gop_s: float, sound: bool, jitter: list[int], stretches: list[int]
) -> None:
    playlist = Playlist(3)
    player = Player(playlist)
    sent: list[bytes] = []
    camera = Camera(fps=fps, gop=max(1, round(fps * gop_s)), sound=sound)
    for stretch in stretches:
        camera.number = 0
        if not playlist.is_ready:
            sent.clear()
        playlist.begin(b"INIT%d" % stretch)
        sent += play(playlist, camera.pictures(stretch, jitter), player)[1]
    assert b"".join(sent).startswith(player.media)
    if playlist.is_ready:
        left = len(b"".join(sent)) - len(player.media)
        assert 0 < left <= 2 * 8 * (fps + 8)


@pytest.mark.parametrize("name", [
    "", "init-0", "init--1.mp4", "seg-1.mp4", "part-1.m4s", "part-1-2-3.m4s", "seg-٣.m4s", "seg-1.m4s/", "../seg-1.m4s",
    "seg-1234567890.m4s", "SEG-1.m4s", "seg-1.m4s\n",
])  # fmt: skip
def test_other_names_are_nobodys(name: str) -> None:
    assert parse_name(name) is None


def test_names() -> None:
    assert parse_name("init-2.mp4") == Piece("init", 2)
    assert parse_name("seg-17.m4s") == Piece("seg", 17)
    assert parse_name("part-17-3.m4s") == Piece("part", 17, 3)


def test_the_query_of_an_address_goes_to_all_addresses() -> None:
    playlist = Playlist()
    playlist.begin(b"INIT")
    play(playlist, Camera().pictures(60))
    for query in ("", "?ticket=abc"):
        text = playlist.text(query)
        now = read(text)
        uris = [now.hint, *(segment.map_uri for segment in now.segments), *(segment.uri for segment in now.whole)]
        uris += [part.uri for segment in now.segments for part in segment.parts]
        assert all(uri.endswith(query or ("mp4", "m4s")) for uri in uris)
        assert text.count(query or "m4s") >= len(set(uris)) - 1
