"""Live video for players and scripts: an MP4 without end, and snapshots."""

from __future__ import annotations

import functools
import io
import logging
from typing import TYPE_CHECKING

import av
import pytest
import trio

from appliance.auth.rights import Right
from appliance.sites.source import SourceError, Trouble
from tests.media.clips import picture as drawn
from tests.streams.scripted import SMALL, picture, sound
from tests.web.appliance import open_house
from tests.web.endless import EndlessOpeners
from tests.web.scenes import eventually, feed, give, judge, read_some

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web.appliance import House
    from tests.web.manners import Answer
    from tests.web.visitor import Visitor


async def test_players_get_the_same_fragments_as_one_endless_file(house: House) -> None:
    camera = await house.camera(sub=True)
    anna = await house.viewer("anna", camera, audio=True)
    path = f"/api/v1/cameras/{camera.id}/live.mp4"

    async with trio.open_nursery() as nursery:

        async def play() -> None:
            source = await feed(house, camera)
            for n in range(1000):
                if not source.open_now:
                    return
                await give(source, picture(n), sound(n))
                await trio.sleep(0.01)

        nursery.start_soon(play)
        movie = await trio.to_thread.run_sync(lambda: read_some(anna, path + "?audio=0", 60_000))
        nursery.cancel_scope.cancel()
    with av.open(io.BytesIO(movie)) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        frames = sum(1 for _ in container.decode(video=0))
    assert frames >= 20
    no_stream = await anna.get(path + "?stream=third")
    assert (no_stream.status, no_stream.code, no_stream.json["field"]) == (404, "no_stream", "stream")


def test_the_file_of_a_player_is_a_movie_without_a_complaint(shared: House, tmp_path: Path) -> None:
    camera = shared.do(shared.camera, "cinema")
    anna = shared.do(functools.partial(shared.viewer, audio=True), "spectator", camera)
    movie = read_some(anna, f"/api/v1/cameras/{camera.id}/live.mp4", 40_000)
    file = tmp_path / "live.mp4"
    file.write_bytes(whole_fragments(movie))
    assert judge(file) == ["aac", "h264,320"]


def whole_fragments(movie: bytes) -> bytes:
    """Without the fragment that the reader did not wait for."""
    at = end = 0
    while at + 8 <= len(movie):
        size, kind = int.from_bytes(movie[at : at + 4]), movie[at + 4 : at + 8]
        at += size
        if at <= len(movie) and kind in (b"ftyp", b"moov", b"mdat"):
            end = at
    return movie[:end]


async def test_a_players_file_ends_when_the_format_changes(house: House) -> None:
    camera = await house.camera()
    anna = await house.viewer("anna", camera)
    got: list[bytes] = []
    async with trio.open_nursery() as nursery:

        async def read() -> None:
            path = f"/api/v1/cameras/{camera.id}/live.mp4"
            got.append(await trio.to_thread.run_sync(lambda: read_some(anna, path, 10_000_000)))

        nursery.start_soon(read)
        source = await feed(house, camera)
        for n in range(10):
            await give(source, picture(n))
        await eventually(lambda: any(member.outlet.fragments_sent >= 10 for member in house.services.audience))
        await give(source, picture(25, clip=SMALL))
    with av.open(io.BytesIO(got[0])) as container:
        assert sum(1 for _ in container.decode(video=0)) == 10


async def test_a_camera_without_a_picture_is_named(house: House, monkeypatch) -> None:
    monkeypatch.setattr("appliance.streams.beginning.PATIENCE_S", 0.2)
    monkeypatch.setattr("appliance.streams.snapshots.PATIENCE_S", 0.2)
    camera = await house.camera()
    anna = await house.viewer("anna", camera)
    house.openers.opener(camera.streams[0]).refuse = SourceError(Trouble.REFUSED, "Nothing answers at 192.0.2.1:554.")
    for what in ("live.mp4", "snapshot.jpg"):
        answer = await anna.get(f"/api/v1/cameras/{camera.id}/{what}")
        assert (answer.status, answer.code) == (503, "refused")
        assert answer.json["detail"] == "“Gate” gives no picture."  # where it is, viewers are not told


def test_a_snapshot_is_the_newest_picture_in_the_size_that_was_asked_for(shared: House) -> None:
    camera = shared.do(shared.camera, "snap")
    anna = shared.do(shared.viewer, "snapper", camera)
    path = f"/api/v1/cameras/{camera.id}/snapshot.jpg"
    answer = anna.call("GET", path)
    assert (answer.status, answer.headers["content-type"]) == (200, "image/jpeg")
    with av.open(io.BytesIO(answer.body), format="jpeg_pipe") as container:
        frame = next(container.decode(video=0))
        assert (frame.width, frame.height) == (320, 180)
        shown = frame.to_ndarray(format="rgb24").astype(int)
    assert min(abs(shown - drawn(n, 320, 180)).mean() for n in range(25)) < 12
    for asked, size in ((100, (100, 56)), (101, (100, 56)), (321, (320, 180)), (8192, (320, 180))):  # never larger
        small = anna.call("GET", f"{path}?width={asked}")
        with av.open(io.BytesIO(small.body), format="jpeg_pipe") as container:
            frame = next(container.decode(video=0))
            assert (frame.width, frame.height) == size
    for wrong in ("0", "-1", "x", "99999", "1e3", "٣٢"):
        refused = anna.call("GET", f"{path}?width={wrong.encode().decode('latin-1') if wrong.isascii() else '%D9%A3'}")
        assert (refused.status, refused.code) == (422, "bad_parameter")


async def test_many_who_ask_at_once_share_one_decoding() -> None:
    async with open_house(openers=EndlessOpeners()) as house:
        camera = await house.camera()
        anna = await house.viewer("anna", camera)
        await anna.get(f"/api/v1/cameras/{camera.id}/snapshot.jpg")
        await trio.sleep(0.6)
        jobs = house.services.pool._next_job
        bodies: list[bytes] = []
        async with trio.open_nursery() as nursery:

            async def ask() -> None:
                visitor = house.stranger(token=anna.token)
                bodies.append((await visitor.get(f"/api/v1/cameras/{camera.id}/snapshot.jpg")).body)

            for _ in range(8):
                nursery.start_soon(ask)
        assert len(set(bodies)) <= 2
        assert house.services.pool._next_job - jobs <= 2


async def test_a_new_name_of_the_camera_leaves_a_players_file_and_a_stream_that_is_gone_ends_it(house: House) -> None:
    camera = await house.camera(sub=True)
    anna = await house.viewer("anna", camera)
    path = f"/api/v1/cameras/{camera.id}/live.mp4?stream=sub"
    got: list[bytes] = []

    async def read() -> None:
        got.append(await trio.to_thread.run_sync(read_some, anna, path, 10_000_000))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        source = await feed(house, camera, 1)
        for n in range(5):
            await give(source, picture(n, clip=SMALL))
        await eventually(lambda: any(member.outlet.fragments_sent >= 5 for member in house.services.audience))
        await house.services.cameras.change(camera.id, name="Front gate")
        for n in range(5, 10):
            await give(source, picture(n, clip=SMALL))
        await eventually(lambda: any(member.outlet.fragments_sent >= 10 for member in house.services.audience))
        await house.services.cameras.change(camera.id, sub="")
    with av.open(io.BytesIO(got[0])) as container:
        assert [frame.width for frame in container.decode(video=0)] == [160] * 10


async def test_players_that_hang_up_are_no_failures(caplog: pytest.LogCaptureFixture) -> None:
    async with open_house(openers=EndlessOpeners()) as house:
        logging.getLogger().addHandler(caplog.handler)  # the house has put its own in the place of pytest's
        camera = await house.camera()
        anna = await house.viewer("anna", camera)

        def call_and_hang_up(path: str, headers: dict[str, str]) -> None:
            connection = anna.connect()
            connection.request("GET", path, headers=headers | anna.identity)
            connection.close()

        paths = [f"/api/v1/cameras/{camera.id}/{what}" for what in ("live.mp4", "live", "snapshot.jpg")]
        for path in [*paths, "/api/v1/events"] * 5:
            headers = anna.handshake if path.endswith("/live") else {}
            await trio.to_thread.run_sync(call_and_hang_up, path, headers)
        await eventually(lambda: not len(house.appliance.bound.connections) and not len(house.services.audience))
        assert (await anna.get("/api/v1/session")).status == 200
        assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_one_user_does_not_take_the_workers_from_the_others(house: House) -> None:
    camera = await house.camera()
    anna, bob = await house.viewer("anna", camera), await house.viewer("bob", camera)
    path = f"/api/v1/cameras/{camera.id}/snapshot.jpg?width="
    answers: list[Answer] = []

    async def ask(visitor: Visitor, width: int) -> None:
        answers.append(await house.stranger(token=visitor.token).get(f"{path}{width}"))

    async with trio.open_nursery() as nursery:
        for width in range(100, 120):
            nursery.start_soon(ask, anna, width)
        with trio.fail_after(10):
            await eventually(lambda: len(answers) == 4)  # these were too many; the others wait for the camera
        assert {(answer.status, answer.code) for answer in answers} == {(429, "too_many_snapshots")}
        nursery.start_soon(ask, bob, 200)
        source = await feed(house, camera)
        await give(source, picture(0))
    assert [answer.status for answer in answers[4:]] == [200] * 17
    assert (await anna.get(f"{path}130")).status == 200


async def test_a_right_that_is_taken_while_a_snapshot_is_made_counts(house: House) -> None:
    camera = await house.camera()
    user = await house.user("anna", live="all")
    anna = await house.visitor(user)
    answers: list[Answer] = []

    async def ask() -> None:
        answers.append(await anna.get(f"/api/v1/cameras/{camera.id}/snapshot.jpg"))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        source = await feed(house, camera)
        await house.services.auth.users.grant(user.id, {Right.LIVE: frozenset()})
        await give(source, picture(0))
    assert (answers[0].status, answers[0].code) == (404, "no_camera")


async def test_a_snapshot_that_fails_unexpectedly_is_one_answer_and_not_the_end(house: House, monkeypatch) -> None:
    camera = await house.camera()
    anna = await house.viewer("anna", camera)

    async def broken(*_: object, **__: object) -> None:
        await trio.lowlevel.checkpoint()
        raise RuntimeError("boom")

    monkeypatch.setattr(house.services.snapshots, "_decode", broken)
    answer = await anna.get(f"/api/v1/cameras/{camera.id}/snapshot.jpg")
    assert (answer.status, answer.code) == (500, "internal")
    assert b"boom" not in answer.body
    assert (await anna.get("/api/v1/cameras")).status == 200
