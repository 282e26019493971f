"""The measurement itself, with the workers and the sockets it measures; what it found is not judged here."""

from __future__ import annotations

import pytest
import trio

from appliance.base.faults import Fault, Kind
from appliance.measuring import direct, footage, pipelines, run
from appliance.measuring.pipelines import Case
from appliance.media.ladder import sizes
from appliance.workers.crew import open_crew
from appliance.workers.pool import open_pool
from tests.streams.scripted import CLIP


async def test_a_camera_s_footage_is_transcoded_and_served_and_both_are_timed(monkeypatch) -> None:
    monkeypatch.setattr(direct, "VIEWERS", 4)
    monkeypatch.setattr(direct, "SETTLE_S", 0.2)
    monkeypatch.setattr(direct, "WINDOW_S", 0.8)
    with trio.fail_after(60):
        async with open_pool(1) as pool:
            film = await footage.make(pool, "h264")
            assert (film.format.width, film.format.height, len(film.units)) == (1920, 1080, 25)
            assert 0.5 < sum(map(len, film.units)) * 8 / (footage.KBPS * 1000) < 2
            async with open_crew(pool) as crew:
                large = await pipelines.measure(crew, 1, film, Case("h264", (1920, 1080), 25))
                small = await pipelines.measure(crew, 1, film, Case("h264", (320, 180), 10))
        assert (small.codec, small.width, small.fps) == ("h264", 320, 10)
        assert 1 < small.cpu_ms < large.cpu_ms
        assert 0 < await direct.measure(film) < 1000


def test_every_codec_is_measured_in_each_size_that_there_is() -> None:
    every = pipelines.cases(footage.CODECS)
    assert {case.size for case in every} == set(sizes((1920, 1080)))
    assert {case.codec for case in every} == {"h264", "h265", "mjpeg"}
    assert Case("mjpeg", (1920, 1080), 25) not in every  # passed through as it is
    assert all(case.fps == 25 for case in every[: len(every) // 2])  # what matters least is left out first


async def test_what_cannot_be_measured_is_said_plainly(monkeypatch) -> None:
    async def fail(*_: object) -> None:
        raise Fault(Kind.UNAVAILABLE, "no_worker", "No worker.")

    monkeypatch.setattr(footage, "make", fail)
    monkeypatch.setattr(run.os, "nice", lambda _: 0)
    with pytest.raises(Fault, match="No worker"):
        await run.run(lambda _: None)


async def test_a_client_that_is_not_let_in_is_told_of_in_one_sentence(monkeypatch) -> None:
    async def refuse(_self: object, scope: dict, receive, send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})

    monkeypatch.setattr(direct._App, "__call__", refuse)
    film = footage.Footage(CLIP.format, [unit.data for unit in CLIP.units[:25]])
    told = r"^Direct viewers could not be measured: a client was not let in\. Try again on a quiet machine\.$"
    with (
        trio.fail_after(30),
        pytest.RaisesGroup(pytest.RaisesExc(Fault, match=told), flatten_subgroups=True),
    ):
        await direct.measure(film)
