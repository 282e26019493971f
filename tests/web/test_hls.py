"""HLS over HTTP: what a player is led to, what it may fetch, for how long.  For real players see `tests.e2e`."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import trio

from appliance.auth.rights import Right
from appliance.base.clock import TICKS_PER_SECOND
from appliance.media import jpeg
from appliance.media.units import AccessUnit
from tests.media.hls_reader import ReadPlaylist, check_follows, read
from tests.media.jpegs import jpeg as drawn
from tests.streams.scripted import START, picture
from tests.web.scenes import eventually, feed, give, judge

if TYPE_CHECKING:
    from pathlib import Path

    from appliance.sites.cameras import Camera
    from tests.web.appliance import House
    from tests.web.manners import Answer
    from tests.web.visitor import Visitor


@dataclass
class Playing:
    """A player as far as HTTP goes."""

    visitor: Visitor
    base: str  # of the playlist
    query: str

    @property
    def playlist(self) -> ReadPlaylist:
        answer = self.get("live.m3u8" + self.query)
        assert answer.headers["content-type"] == "application/vnd.apple.mpegurl"
        return read(answer.body.decode())

    def get(self, name: str) -> Answer:
        return self.visitor.call("GET", self.base + name)

    def media(self, name: str) -> bytes:
        answer = self.get(name)
        assert (answer.status, answer.headers["content-type"]) == (200, "video/mp4"), answer
        return answer.body


def begin(visitor: Visitor, camera: Camera, query: str = "") -> Playing:
    answer = visitor.call("GET", f"/api/v1/cameras/{camera.id}/hls/index.m3u8{query}")
    assert answer.status == 200, answer
    lines = answer.body.decode().splitlines()
    assert [line.partition(":")[0] for line in lines[:3]] == ["#EXTM3U", "#EXT-X-VERSION", "#EXT-X-STREAM-INF"]
    address, _, ticket = lines[3].partition("?")
    base = f"/api/v1/cameras/{camera.id}/hls/{address.removesuffix('live.m3u8')}"
    return Playing(visitor, base, f"?{ticket}" if ticket else "")


@pytest.fixture(scope="module")
def gate(shared: House) -> Camera:
    camera: Camera = shared.do(functools.partial(shared.camera, "Gate", sub=True))
    return camera


@pytest.fixture(scope="module")
def anna(shared: House, gate: Camera) -> Visitor:
    visitor: Visitor = shared.do(functools.partial(shared.viewer, audio=True), "anna", gate)
    return visitor


def test_the_pieces_are_a_movie_with_sound_without_a_complaint(anna: Visitor, gate: Camera, tmp_path: Path) -> None:
    playing = begin(anna, gate)
    assert playing.base.endswith("/hls/main/av/")
    playlist = playing.playlist
    whole = playlist.whole[-1]
    segment = playing.media(whole.uri)
    assert segment == b"".join(playing.media(part.uri) for part in whole.parts)
    file = tmp_path / "live.mp4"
    file.write_bytes(playing.media(whole.map_uri) + segment)
    assert judge(file) == ["aac", "h264,320"]
    small = begin(anna, gate, "?stream=sub&audio=0")
    assert small.base.endswith("/hls/sub/video/")
    file.write_bytes(small.media(small.playlist.segments[0].map_uri) + small.media(small.playlist.whole[0].uri))
    assert judge(file) == ["h264,160"]


def test_a_reload_waits_for_what_it_names_and_the_announced_part_can_be_asked_for(anna: Visitor, gate: Camera) -> None:
    playing = begin(anna, gate)
    before = playing.playlist
    waited = []
    for _ in range(4):
        name, number, part = before.hint.removesuffix(".m4s").split("-")
        assert name == "part"
        began = time.monotonic()
        answer = playing.get(f"live.m3u8?_HLS_msn={number}&_HLS_part={part}")
        waited.append(time.monotonic() - began)
        after = read(answer.body.decode())
        check_follows(before, after)
        assert before.hint in [each.uri for segment in after.segments for each in segment.parts]
        before = after
    assert 0.5 < sum(waited) < 10  # three parts and a piece of one
    began = time.monotonic()
    coming = playing.media(before.hint)
    assert time.monotonic() - began < 5
    assert playing.media(before.hint) == coming
    newest = before.segments[-1].number
    whole = read(playing.get(f"live.m3u8?_HLS_msn={newest}").body.decode())
    assert whole.whole[-1].number >= newest


@pytest.mark.parametrize(("name", "status", "code"), [
    ("live.m3u8?_HLS_msn=999999999", 422, "bad_parameter"),
    ("live.m3u8?_HLS_msn=-1", 422, "bad_parameter"),
    ("live.m3u8?_HLS_part=1", 422, "bad_parameter"),
    ("seg-1.m4s", 404, "no_piece"),
    ("part-999999999-0.m4s", 404, "no_piece"),
    ("init-77.mp4", 404, "no_piece"),
    ("passwd", 404, "no_piece"),
    ("../third/live.m3u8", 404, "not_found"),
    ("../../third/av/live.m3u8", 404, "not_found"),
])  # fmt: skip
def test_what_is_not_there(anna: Visitor, gate: Camera, name: str, status: int, code: str) -> None:
    answer = begin(anna, gate).get(name)
    assert (answer.status, answer.code) == (status, code)


def test_streams_and_tracks_that_are_not_there(anna: Visitor, gate: Camera) -> None:
    base = f"/api/v1/cameras/{gate.id}/hls/"
    for path, code in (("index.m3u8?stream=third", "no_stream"), ("third/av/live.m3u8", "no_stream"),
                       ("main/sound/live.m3u8", "not_found"), ("third/av/seg-1.m4s", "no_stream")):  # fmt: skip
        answer = anna.call("GET", base + path)
        assert (answer.status, answer.code) == (404, code), path


def test_who_may_not_hear_gets_the_pictures(shared: House, gate: Camera) -> None:
    deaf = shared.do(shared.viewer, "deaf", gate)
    playing = begin(deaf, gate)
    assert playing.base.endswith("/main/video/")
    for name in ("live.m3u8", "init-0.mp4"):
        answer = deaf.call("GET", playing.base.replace("/video/", "/av/") + name)
        assert (answer.status, answer.code) == (403, "no_right")


def test_a_player_with_a_ticket_goes_on_when_that_has_ended_and_until_it_may_no_longer(
    shared: House, gate: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.web.cameras.TICKET_S", 1)
    owner = shared.do(functools.partial(shared.viewer, audio=True), "owner", gate)
    player = shared.stranger()
    ticket = owner.call("POST", f"/api/v1/cameras/{gate.id}/ticket", {"path": "hls/index.m3u8"}).json["ticket"]
    playing = begin(player, gate, f"?ticket={ticket}")
    assert ticket not in playing.query
    ended = time.monotonic() + 1.1
    playlist = playing.playlist  # every address in it has the ticket
    time.sleep(max(0.0, ended - time.monotonic()))
    again = player.call("GET", f"/api/v1/cameras/{gate.id}/hls/index.m3u8?ticket={ticket}")
    assert (again.status, again.code) == (401, "bad_ticket")
    for uri in (playlist.whole[0].uri, playlist.segments[0].map_uri, playlist.hint):
        assert uri.endswith(playing.query)
        assert playing.media(uri)
    word = playing.query.removeprefix("?ticket=")
    for path in ("hls/index.m3u8", "hls/main/video/live.m3u8", "hls/sub/av/live.m3u8", "hls/main/av", "live.mp4",
                 "live.mjpeg", "snapshot.jpg", "hls/main/av/../../index.m3u8"):  # fmt: skip
        answer = player.call("GET", f"/api/v1/cameras/{gate.id}/{path}?ticket={word}")
        assert answer.status in (401, 404), path
        assert answer.code in ("bad_ticket", "not_found"), path
    users = shared.services.auth.users
    shared.do(users.grant, "owner", {Right.AUDIO: frozenset()})
    assert playing.get("live.m3u8" + playing.query).code == "no_right"
    shared.do(users.grant, "owner", {Right.AUDIO: frozenset({gate.id}), Right.LIVE: frozenset()})
    assert playing.get(playlist.hint).status in (403, 404)
    shared.do(users.grant, "owner", {Right.LIVE: frozenset({gate.id})})
    assert playing.playlist
    assert owner.call("DELETE", "/api/v1/session").status == 204
    assert playing.get("live.m3u8" + playing.query).code == "bad_ticket"


def test_tickets_of_players_are_in_no_log(shared: House, gate: Camera, anna: Visitor) -> None:
    words = []
    for path in ("hls/index.m3u8", "live.mjpeg", "live.mp4", "snapshot.jpg"):
        words.append(anna.call("POST", f"/api/v1/cameras/{gate.id}/ticket", {"path": path}).json["ticket"])
        address = f"/api/v1/cameras/{gate.id}/{path}?ticket={words[-1]}"
        assert shared.stranger().begin(address).status == 200
        assert shared.stranger().call("GET", address.replace(path, "ptz")).status == 404
    playing = begin(shared.stranger(), gate, f"?ticket={words[0]}")
    words.append(playing.query.removeprefix("?ticket="))
    playing.get("live.m3u8" + playing.query)
    playing.get("seg-1.m4s" + playing.query)
    log = (shared.folder / "logs" / "fanal.log").read_text()
    assert "Fanal" in log
    assert not [word for word in words if word in log]


def test_players_are_counted_and_capped(shared: House, gate: Camera) -> None:
    chief = shared.do(shared.administrator)
    viewer = shared.do(functools.partial(shared.viewer, audio=True), "one stream", gate)
    assert chief.call("PUT", "/api/v1/admin/settings/performance", {"streams_per_user": 1}).status in (200, 204)
    try:
        playing = begin(viewer, gate)
        assert playing.playlist
        users = chief.call("GET", "/api/v1/status/users").json["users"]
        (row,) = [user for user in users if user["name"] == "one stream"]
        assert (row["direct_streams"], row["audio_streams"]) == (1, 1)
        assert row["video_kbytes"] > 0
        for path in ("hls/index.m3u8?stream=sub", "live.mp4", "live.mjpeg"):
            answer = viewer.call("GET", f"/api/v1/cameras/{gate.id}/{path}")
            assert (answer.status, answer.code) == (429, "too_many_streams"), path
        assert begin(viewer, gate).playlist  # the same goes on
    finally:
        chief.call("PUT", "/api/v1/admin/settings/performance", {"streams_per_user": 64})


async def test_a_right_that_is_taken_while_a_reload_waits_counts(house: House) -> None:
    camera = await house.camera()
    user = await house.user("anna", live=[camera])
    anna = await house.visitor(user)
    given = 0
    async with trio.open_nursery() as nursery:

        async def play() -> None:
            nonlocal given
            source = await feed(house, camera)
            while True:
                await give(source, picture(given))
                given += 1
                await trio.sleep(0.01)

        nursery.start_soon(play)
        playing = await trio.to_thread.run_sync(begin, anna, camera)
        nursery.cancel_scope.cancel()
    hint = (await trio.to_thread.run_sync(lambda: playing.playlist)).hint
    answers: list[Answer] = []
    async with trio.open_nursery() as nursery:

        async def reload(name: str) -> None:
            answers.append(await house.stranger(token=anna.token).get(playing.base + name))

        number = hint.split("-")[1]
        nursery.start_soon(reload, f"live.m3u8?_HLS_msn={number}")
        nursery.start_soon(reload, hint)
        await eventually(lambda: sum(not each.idle for each in house.appliance.bound.connections) >= 2)
        await trio.sleep(0.1)
        await house.services.auth.users.grant(user.id, {Right.LIVE: frozenset()})
        await give(await feed(house, camera), *(picture(n) for n in range(given, given + 30)))
    assert {(answer.status, answer.code) for answer in answers} == {(404, "no_camera")}


async def test_a_camera_of_jpeg_pictures_is_sent_to_the_right_address(house: House) -> None:
    camera = await house.camera()
    anna = await house.viewer("anna", camera)
    form, run = jpeg.video_format(64, 48), picture(0).run
    data = drawn(64, 48)
    async with trio.open_nursery() as nursery:

        async def play() -> None:
            source = await feed(house, camera)
            at = START
            await give(source, AccessUnit(data, at, at, True, 0, form, run))
            await give(source, AccessUnit(data, at + TICKS_PER_SECOND, at + TICKS_PER_SECOND, True, 1, form, run))

        nursery.start_soon(play)
        answer = await anna.get(f"/api/v1/cameras/{camera.id}/hls/index.m3u8")
    assert (answer.status, answer.code, answer.json["hint"]) == (501, "unsupported_codec", "Take live.mjpeg.")
    assert not len(house.services.hls)


async def test_a_camera_without_a_picture_is_named(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.streams.beginning.PATIENCE_S", 0.1)
    monkeypatch.setattr("appliance.web.mjpeg.PATIENCE_S", 0.1)
    camera = await house.camera()
    anna = await house.viewer("anna", camera)
    for path in ("hls/index.m3u8", "hls/main/video/live.m3u8", "live.mjpeg"):
        answer = await anna.get(f"/api/v1/cameras/{camera.id}/{path}")
        assert answer.status == 503, path
        assert answer.json["detail"] == "“Gate” gives no picture."
