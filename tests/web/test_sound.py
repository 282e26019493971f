"""Sound of real cameras, from GStreamer's packets to what a player hears: G.711 as AAC, and with the picture."""

from __future__ import annotations

import io
import os
import signal
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
import trio

from appliance.auth.rights import Right
from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.aac import SILENCE
from appliance.media.fmp4_read import read_samples
from tests.peers.cameras import Cameras, cameras
from tests.web.scenes import eventually, judge, read_some
from tests.web.test_players import whole_fragments
from tests.web.transcoding import AVC, decode, open_real

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.peer
__all__ = ["cameras"]  # the fixture

#: Lip sync: sound and picture belong together within so much.
TOGETHER_S = 0.1
#: The simulator's tick is a tone of 1 kHz and half of full scale; between ticks there is a hum of a fiftieth.
LOUD = 0.2
WHITE = 200


def ticks_and_flashes(movie: bytes) -> tuple[list[float], list[float]]:
    """When it ticks and when it flashes, as a player would have it."""
    ticks: list[float] = []
    flashes: list[float] = []
    was_white = False
    with av.open(io.BytesIO(movie)) as container:
        assert sorted(stream.type for stream in container.streams) == ["audio", "video"]
        for frame in container.decode():
            assert frame.time is not None
            if isinstance(frame, av.AudioFrame):
                loud = np.flatnonzero(np.abs(frame.to_ndarray()[0]) > LOUD)
                at = frame.time + (loud[0] / frame.sample_rate if loud.size else 0)
                if loud.size and (not ticks or at - ticks[-1] > 0.5):
                    ticks.append(at)
            elif isinstance(frame, av.VideoFrame):
                corner = frame.to_ndarray(format="gray")[4:20, 4:20]
                is_white = bool(corner.mean() > WHITE)
                if is_white and not was_white:
                    flashes.append(frame.time)
                was_white = is_white
    return ticks, flashes


async def test_it_ticks_when_it_flashes(cameras: Cameras) -> None:
    """AAC as it comes, and both kinds of G.711."""
    sizes = {"": 850_000, "/sub": 200_000, "/h265": 520_000}
    movies: dict[str, bytes] = {}
    async with open_real() as house, trio.open_nursery() as nursery:
        watched = {path: await house.services.cameras.add(f"Gate {path}", cameras.url(path)) for path in sizes}
        anna = await house.viewer("anna", *watched.values(), audio=True)

        async def play(path: str) -> None:
            route = f"/api/v1/cameras/{watched[path].id}/live.mp4"
            movies[path] = await trio.to_thread.run_sync(read_some, anna, route, sizes[path])

        for path in sizes:
            nursery.start_soon(play, path)
    for path, movie in movies.items():
        ticks, flashes = ticks_and_flashes(whole_fragments(movie))
        apart = [min(ticks, key=lambda tick, flash=flash: abs(tick - flash)) - flash for flash in flashes[1:-1]]
        assert len(apart) >= 2, (path, ticks, flashes)
        assert max(map(abs, apart)) <= TOGETHER_S, (path, ticks, flashes)


async def test_it_ticks_when_it_flashes_beside_jpeg_pictures_too(cameras: Cameras, tmp_path: Path) -> None:
    """The sound is a stream of its own then: what ffprobe makes of it, and its times against those in the pictures."""
    flashes: dict[str, list[float]] = {}
    sounds: dict[str, tuple[float, bytes]] = {}
    async with open_real() as house, trio.open_nursery() as nursery:
        paths = ("", "/h265")
        watched = {path: await house.services.cameras.add(f"Gate {path}", cameras.url(path)) for path in paths}
        anna = await house.viewer("anna", *watched.values(), audio=True)

        async def watch(path: str) -> None:
            async with anna.live(watched[path].id) as view:
                await view.want(width=320, height=180, codecs=[AVC], mode="transcoded", audio=True)
                while (sound := (await view.told("stream"))["sound"]) is None:
                    pass
                assert sound["mime"] == 'audio/mp4; codecs="mp4a.40.2"'
                movie, was_white, flashes[path] = b"", False, []
                began = trio.current_time()
                while trio.current_time() < began + 3.6:
                    message = await view.hear()
                    if isinstance(message, dict):
                        assert message["type"] == "dropped", message  # one announcement is enough
                    elif message[8:10] != b"\xff\xd8":
                        movie += message
                    else:
                        is_white = bool(decode(message[8:])[2:10, 2:10].mean() > WHITE)
                        if is_white and not was_white:
                            flashes[path].append(int.from_bytes(message[:8], "big") / 1000)
                        was_white = is_white
                assert movie.count(b"ftyp") == movie.count(b"moov") == 1
                sounds[path] = sound["utc_zero"] / TICKS_PER_SECOND, movie

        for path in paths:
            nursery.start_soon(watch, path)
    for path, (zero, movie) in sounds.items():
        file = tmp_path / "sound.mp4"
        file.write_bytes(movie)
        assert await trio.to_thread.run_sync(judge, file) == ["aac"]
        ticks = [zero + at for at in ticks_of(movie)]
        apart = [min((tick - flash for tick in ticks), key=abs) for flash in flashes[path][1:-1]]
        assert len(apart) >= 1, (path, ticks, flashes)
        assert max(map(abs, apart)) <= TOGETHER_S, (path, ticks, flashes)


def ticks_of(movie: bytes) -> list[float]:
    """When it ticks, in a file of sound alone."""
    ticks: list[float] = []
    with av.open(io.BytesIO(movie)) as container:
        for frame in container.decode(audio=0):
            assert frame.time is not None
            loud = np.flatnonzero(np.abs(frame.to_ndarray()[0]) > LOUD)
            if loud.size and (not ticks or frame.time + loud[0] / frame.sample_rate - ticks[-1] > 0.5):
                ticks.append(frame.time + loud[0] / frame.sample_rate)
    return ticks


async def test_without_the_right_pictures_come_without_sound_and_it_can_be_given_and_taken(cameras: Cameras) -> None:
    async with open_real() as house:
        gate = await house.services.cameras.add("Gate", cameras.url("", camera=2))
        user = await house.user("anna", live=[gate])
        anna = await house.visitor(user)
        async with anna.live(gate.id) as view:
            await view.want(width=320, height=180, codecs=[AVC], mode="transcoded", audio=True)
            assert (await view.told("stream"))["sound"] is None
            assert all(part[8:10] == b"\xff\xd8" for part in await view.fragments(20))
            users = house.services.auth.users
            await users.grant(user.id, {Right.AUDIO: frozenset({gate.id})})
            assert (await view.told("stream"))["sound"] is not None
            with trio.fail_after(5):
                while not is_sound((await view.fragments(1))[0]):
                    pass
            await users.grant(user.id, {Right.AUDIO: frozenset()})
            assert (await view.told("stream"))["sound"] is None
            assert all(part[8:10] == b"\xff\xd8" for part in await view.fragments(20))


async def test_all_hear_the_same_and_a_worker_that_dies_costs_a_moment_of_it(cameras: Cameras) -> None:
    async with open_real() as house, AsyncExitStack() as stack:
        gate = await house.services.cameras.add("Gate", cameras.url("/sub", camera=2))
        anna, bert = await house.viewer("anna", gate, audio=True), await house.viewer("bert", gate)
        crew, directory = house.services.transcoders.crew, house.services.directory
        one, two = [await stack.enter_async_context(anna.live(gate.id)) for _ in range(2)]
        deaf = await stack.enter_async_context(bert.live(gate.id))
        for view in (one, two, deaf):
            await view.want(width=640, height=360, codecs=[AVC], audio=True)
        for view in (one, two):
            assert (await view.stream(sound=True))["mime"].endswith('mp4a.40.2"')
        hub = directory.hub(gate.streams[0].id)
        assert hub is not None
        assert (hub.hearers, crew.pipelines) == (2, 1)
        first, second = [{part for part in await view.fragments(45) if is_sound(part)} for view in (one, two)]
        assert len(first & second) > 10  # the same bytes
        assert not any(is_sound(part) for part in await deaf.fragments(20))  # without the right nothing is heard

        before = hub.sound_worker
        assert before is not None
        os.kill(before, signal.SIGKILL)
        killed = trio.current_time()
        pictures, sounds, silent_at = [killed], [killed], killed
        while (now := trio.current_time()) < killed + 2:
            message = await one.hear()
            assert isinstance(message, bytes), message  # it is the same stream all the time
            (sounds if is_sound(message) else pictures).append(now)
            if is_sound(message) and SILENCE[1] in message:
                silent_at = now
        assert silent_at < killed + 1.5  # the last of the silence in its place, if there was any
        assert hub.sound_worker not in (None, before)
        assert max(np.diff(pictures)) < 0.5
        assert max(np.diff(sounds)) < 1
        assert len(sounds) > 1.8 * 32_000 / 1024

        for view in (one, two):
            await view.want(width=640, height=360, codecs=[AVC], audio=False)
        await eventually(lambda: hub.hearers == 0 and crew.pipelines == 0)
        assert hub.sound_worker is None


def is_sound(message: bytes) -> bool:
    return any(sample.is_audio for sample in read_samples(message))
