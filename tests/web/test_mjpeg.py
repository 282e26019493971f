"""``live.mjpeg``: pictures one after the other, the newest for whoever is slow.  For real clients see `tests.e2e`."""

from __future__ import annotations

import itertools
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import trio

from appliance.auth.rights import Right
from appliance.base.clock import TICKS_PER_SECOND
from appliance.media import jpeg
from appliance.media.picture import BOUNDARY, TIME_SIZE
from appliance.media.units import AccessUnit, Run
from appliance.streams.renditions import Rendition
from tests.media.jpegs import jpeg as drawn
from tests.media.jpegs import pixels
from tests.streams.scripted import START
from tests.web.scenes import eventually, feed, give
from tests.web.test_slow_readers import _narrow

if TYPE_CHECKING:
    import http.client
    from collections.abc import Iterator

    from appliance.media.picture import Picture
    from tests.web.appliance import House
    from tests.web.visitor import Visitor


class Reader:
    """A client of multipart bodies, after RFC 2046: what stands between two boundaries."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        assert response.status == 200
        kind, _, boundary = response.headers["content-type"].partition("; boundary=")
        assert kind == "multipart/x-mixed-replace"
        self._line = f"--{boundary}\r\n".encode()
        self._response = response
        assert response.readline() == self._line

    def picture(self) -> bytes:
        headers = {}
        while (line := self._response.readline().decode()) != "\r\n":
            assert line, "it ended"
            name, _, value = line.partition(": ")
            headers[name.lower()] = value.strip()
        assert set(headers) == {"content-type", "content-length"}
        assert headers["content-type"] == "image/jpeg"
        data = self._response.read(int(headers["content-length"]))
        assert self._response.readline() == b"\r\n"
        assert self._response.readline() == self._line  # at once: the picture can be shown
        return data


@contextmanager
def reading(visitor: Visitor, path: str, *, narrow: bool = False) -> Iterator[Reader]:
    connection = visitor.connect()
    if narrow:
        connection._create_connection = _narrow  # type: ignore[attr-defined]
    connection.request("GET", path, headers=visitor.identity)
    try:
        with connection.getresponse() as response:
            yield Reader(response)
    finally:
        connection.close()


@contextmanager
def pictures_noted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[int, bytes]]]:
    """All that are made, and when each is shown, which a multipart body does not say."""
    noted: list[tuple[int, bytes]] = []
    take = Rendition.take

    def note(rendition: Rendition, picture: Picture) -> bool:
        noted.append((picture.dts, bytes(picture.body[TIME_SIZE:])))
        return take(rendition, picture)

    with monkeypatch.context() as patched:
        patched.setattr(Rendition, "take", note)
        yield noted


def test_pictures_come_in_the_size_and_rate_that_are_asked_for(shared: House, monkeypatch: pytest.MonkeyPatch) -> None:
    camera = shared.do(shared.camera, "cinema")
    anna = shared.do(shared.viewer, "spectator", camera)
    path = f"/api/v1/cameras/{camera.id}/live.mjpeg"
    with pictures_noted(monkeypatch) as noted, reading(anna, path + "?width=150&fps=5") as small:
        pictures = [small.picture() for _ in range(9)]
    assert [pixels(picture).shape for picture in pictures] == [(90, 160, 3)] * 9
    # five a second by the pictures' own time, however late the machine is; what came is one after the other of them
    fifths = [at * 5 // TICKS_PER_SECOND for at, _ in noted]
    assert fifths == sorted(set(fifths))
    made = iter(jpeg for _, jpeg in noted)
    assert all(picture in made for picture in pictures)
    with reading(anna, path) as whole, reading(anna, path + "?width=150&fps=5") as small:
        assert [pixels(whole.picture()).shape for _ in range(5)] == [(180, 320, 3)] * 5
        small.picture()
        (transcoder,) = shared.services.transcoders
        assert {rendition.rung.size for rendition in transcoder.renditions} == {(320, 180), (160, 90)}
    for wrong in ("width=8", "width=x", "fps=0", "fps=x", "fps=nan", "fps=-1", "fps=61", "fps=1e400"):
        answer = anna.call("GET", f"{path}?{wrong}")
        assert (answer.status, answer.code) == (422, "bad_parameter"), wrong
    head = anna.call("HEAD", path)
    assert (head.status, head.headers["content-type"]) == (200, f"multipart/x-mixed-replace; boundary={BOUNDARY}")


class Press:
    """A camera that sends JPEG, each picture with its number behind it."""

    size = 60_000

    def __init__(self) -> None:
        self._form, self._data, self._run = jpeg.video_format(64, 48), drawn(64, 48), Run(START)
        self.number = 0

    def next(self) -> AccessUnit:
        at = START + self.number * TICKS_PER_SECOND // 25
        data = self._data + b"%08d" % self.number + bytes(self.size)
        self.number += 1
        return AccessUnit(data, at, at, True, self.number, self._form, self._run)

    @classmethod
    def number_of(cls, picture: bytes) -> int:
        return int(picture[-cls.size - 8 : -cls.size])


async def test_a_slow_reader_gets_the_newest_picture_and_never_an_older_queue(house: House) -> None:
    camera = await house.camera()
    anna = await house.viewer("anna", camera)
    press, path = Press(), f"/api/v1/cameras/{camera.id}/live.mjpeg"
    stalled, go_on, ended = trio.Event(), trio.Event(), trio.Event()
    token = trio.lowlevel.current_trio_token()
    before: list[int] = []
    after: list[int] = []
    stopped_at = 0

    def read() -> None:
        with reading(anna, path, narrow=True) as reader:
            before.append(press.number_of(reader.picture()))
            token.run_sync_soon(stalled.set)
            trio.from_thread.run(go_on.wait)
            while not after or after[-1] < stopped_at:  # what was under way, then what is now
                after.append(press.number_of(reader.picture()))
        token.run_sync_soon(ended.set)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.to_thread.run_sync, read)
        source = await feed(house, camera)
        while not stalled.is_set():
            await give(source, press.next())
            await trio.sleep(0.02)
        for _ in range(200):  # twelve megabytes: more than any socket holds
            await give(source, press.next())
            await trio.lowlevel.checkpoint()
        await eventually(lambda: all(member.outlet.gaps for member in house.services.audience))
        (member,) = house.services.audience
        assert member.outlet.queued <= press.size + 10_000  # one picture waits
        stopped_at = press.number
        go_on.set()
        while not ended.is_set():
            await give(source, press.next())
            await trio.sleep(0.02)
    assert after == sorted(after)
    assert max(later - earlier for earlier, later in itertools.pairwise([*before, *after])) > 100
    assert not house.services.transcoders.crew.pipelines  # its own bytes: nothing was decoded


async def test_a_viewer_of_pictures_ends_with_the_right(house: House) -> None:
    camera = await house.camera()
    user = await house.user("anna", live=[camera])
    anna = await house.visitor(user)
    press = Press()
    seen = trio.Event()
    token = trio.lowlevel.current_trio_token()

    def read() -> str:
        with reading(anna, f"/api/v1/cameras/{camera.id}/live.mjpeg") as reader:
            for _ in range(10_000):
                reader.picture()
                token.run_sync_soon(seen.set)
        return "never"

    async with trio.open_nursery() as nursery:

        async def watch() -> None:
            with trio.fail_after(10), pytest.raises(AssertionError, match="it ended"):
                await trio.to_thread.run_sync(read)  # its answer ends where a part should begin
            nursery.cancel_scope.cancel()

        nursery.start_soon(watch)
        source = await feed(house, camera)
        while True:
            await give(source, press.next())
            await trio.sleep(0.02)
            if seen.is_set():
                await house.services.auth.users.grant(user.id, {Right.LIVE: frozenset()})
    assert seen.is_set()
    await eventually(lambda: not len(house.services.audience))


def test_a_boundary_is_one() -> None:
    assert re.fullmatch(r"[0-9A-Za-z-]{1,70}", BOUNDARY)
