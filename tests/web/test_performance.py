"""The performance tab at work on views that are open: levels, direct streaming."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.media.ladder import NO_LIMIT
from appliance.media.levels import BusyLevel, Level1, Levels
from appliance.status.load import Sample
from appliance.streams.levels import LevelInForce
from tests.peers.cameras import Cameras, cameras
from tests.web.transcoding import AVC, open_real, pictures

PATH = "/api/v1/admin/settings/performance"
__all__ = ["cameras"]  # the fixture


def load(levels: LevelInForce, *, machine: float = 0.0, kbps: float = 0.0, seconds: float = 60.0) -> list[int]:
    """The levels in force, one after the other, while the load is so for so long."""
    found = [levels.number]
    began = levels._state.at_s or 0.0
    for n in range(round(seconds / 5)):
        levels.see(Sample(began + 5 * (n + 1), machine, 1.0, 1, kbps * 125))
        if levels.number != found[-1]:
            found.append(levels.number)
    return found


@pytest.mark.peer
async def test_what_is_transcoded_follows_the_levels_without_a_restart(cameras: Cameras) -> None:
    async with open_real() as house:
        camera = await house.services.cameras.add("Gate", cameras.url(""))
        chief, anna = await house.administrator(), await house.viewer("anna", camera)
        levels = house.services.levels
        async with anna.live(camera.id) as view:

            async def told(**body: object) -> list[object]:
                view.texts.clear()
                if body:
                    answer = await chief.ask("PUT", PATH, body)
                    assert answer.status == 200, answer.json
                stream = await view.told("stream")
                await pictures(view, 1)
                return [stream[key] for key in ("width", "height", "fps", "reason", "cause", "level")]

            await view.want(width=1280, height=720, codecs=[AVC], mode="transcoded")
            assert (await told())[:2] == [1280, 720]
            # level 1 always applies, and is no news: it is how the server is set
            assert await told(**{"level1.max_fps": 5}) == [1280, 720, 5, "requested", "requested", 1]
            smaller = {"level1.max_width": 640, "level1.max_height": 640}
            assert await told(**smaller) == [640, 360, 5, "requested", "requested", 1]
            back = {"level1.max_fps": 25, "level1.max_width": 1920, "level1.max_height": 1080}
            assert (await told(**back))[:2] == [1280, 720]
            on = {"level2.enabled": True, "level2.max_fps": 4, "level2.max_width": 640, "level2.max_height": 360}
            assert (await chief.ask("PUT", PATH, on)).status == 200
            assert load(levels, machine=0.73) == [1]  # 70 % are exceeded by less than five per cent
            assert load(levels, machine=0.9) == [1, 2]
            house.services.audience.decide()
            assert await told() == [640, 360, 4, "level", "requested", 2]
            status = (await chief.get("/api/v1/status")).json["level"]
            assert [status[key] for key in ("number", "max_fps", "max_width", "max_height")] == [2, 4, 640, 360]
            assert status["cpu_percent"] == pytest.approx(90, abs=2)
            assert (await told(**{"level2.enabled": False}))[3:] == ["requested", "requested", None]
            assert levels.number == 1


@pytest.mark.peer
async def test_with_direct_streaming_off_everybody_gets_jpeg_and_then_direct_again(cameras: Cameras) -> None:
    async with open_real() as house:
        camera = await house.services.cameras.add("Gate", cameras.url(""))
        chief, anna = await house.administrator(), await house.viewer("anna", camera)
        path = f"/api/v1/cameras/{camera.id}/live.mp4"
        async with anna.live(camera.id) as view, anna.live(camera.id) as only:
            await view.want(width=640, height=360, codecs=[AVC])
            await only.want(width=640, height=360, codecs=[AVC], mode="direct")
            assert (await view.told("stream"))["mode"] == "direct"
            await only.told("stream")
            for each in (view, only):
                each.texts.clear()
            assert (await chief.ask("PUT", PATH, {"direct": False})).status == 200
            told = await view.told("stream")
            assert (told["mode"], told["reason"], told["cause"]) == ("transcoded", "off", "off")
            lost = await only.told("status")
            assert (lost["state"], lost["reason"]) == ("lost", "off")
            refused = await anna.get(path)
            assert (refused.status, refused.code) == (403, "direct_off")
            view.texts.clear()
            assert (await chief.ask("PUT", PATH, {"direct": True})).status == 200
            assert (await view.told("stream"))["mode"] == "direct"


def test_what_is_sent_to_clients_counts_too_and_a_level_that_is_off_does_not_apply() -> None:
    both = Levels(level2=BusyLevel(enabled=True), level3=replace(Levels().level3, enabled=True))
    current = [both]
    levels = LevelInForce(lambda: current[0])
    assert load(levels, kbps=51_000) == [1]
    assert load(levels, kbps=60_000) == [1, 2]
    assert load(levels, kbps=90_000) == [2, 3]
    assert levels.limit.max_fps == 8
    current[0] = replace(both, level3=Levels().level3)
    assert (levels.number, levels.limit.max_fps) == (2, 15)
    current[0] = Levels(level1=Level1(enabled=False))
    assert (levels.number, levels.limit) == (1, NO_LIMIT)
