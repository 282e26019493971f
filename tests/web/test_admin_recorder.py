"""What becomes of recordings, as pages and administrators are told it; events that start one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from appliance.auth.rights import Right
from tests.web.appliance import House, open_house
from tests.web.endless import EndlessOpeners
from tests.web.scenes import eventually

if TYPE_CHECKING:
    from tests.web.visitor import Stream

ADMIN = "/api/v1/admin"


async def test_an_event_starts_a_recording_another_prolongs_it_and_pages_see_it() -> None:
    async with open_house(openers=EndlessOpeners()) as house:
        gate = await house.camera("Gate", sub=True)
        chief, anna = await house.administrator(), await house.user("anna")
        await house.services.auth.users.grant(anna.id, {Right.LIVE: frozenset({gate.id})})
        other, nobody = await house.visitor(anna), await house.viewer("nobody")
        assert seen((await other.get("/api/v1/cameras")).json["cameras"][0]) == (False, "off", None)
        async with other.reading("/api/v1/events") as page, nobody.reading("/api/v1/events") as stranger:
            assert [(await one.event())[0] for one in (page, stranger)] == ["hello", "hello"]
            rules = {"mode": "event", "pre_s": 1, "post_s": 2}
            changed = await chief.ask("PATCH", f"{ADMIN}/cameras/Gate", {"recording": rules})
            assert changed.status == 200
            told = await other_than(page, ("waiting", "no_video"), ("off", None))
            assert told == {"id": gate.id, "recorded": True, "recording": "waiting", "recording_reason": "event"}
            assert (await chief.get(f"{ADMIN}/recorder")).json["bytes"] == 0
            await chief.ask("POST", f"/api/v1/cameras/{gate.id}/events", {})
            began = trio.current_time()
            assert seen(await other_than(page, ("waiting", "event"))) == (True, "on", None)
            await trio.sleep_until(began + 1.2)
            await chief.ask("POST", f"/api/v1/cameras/{gate.id}/events", {})
            assert seen(await other_than(page, ("on", None))) == (True, "waiting", "event")
            assert 3.1 < trio.current_time() - began < 6
            (camera,) = (await chief.get(f"{ADMIN}/cameras")).json["cameras"]
            assert camera["recording_state"] == {"state": "waiting", "reason": "event", "message": ""}
        await check_figures(house, gate.id)
        await house.services.cameras.change(gate.id, recording={"mode": "off"})
        await eventually(lambda: house.services.recorder.state(gate.id).value.doing.value == "off")
        await eventually(lambda: gate.id in house.services.stock.kept)
        # there are recordings of it, whatever becomes of it now
        assert seen((await other.get("/api/v1/cameras")).json["cameras"][0]) == (True, "off", None)
        await house.services.cameras.remove(gate.id)
        (left,) = (await chief.get(f"{ADMIN}/recorder")).json["cameras"]
        assert (left["name"], left["state"]["state"]) == (None, "off")
        assert left["bytes"] > 0


async def check_figures(house: House, camera_id: str) -> None:
    chief = await house.administrator("of figures")
    told = (await chief.get(f"{ADMIN}/recorder")).json
    (camera,) = told["cameras"]
    assert (camera["id"], camera["name"], camera["state"]["state"]) == (camera_id, "Gate", "waiting")
    span = await house.services.archive.bounds(camera_id)
    assert span is not None
    assert 3 < (span.end - span.start) / 90_000 < 9  # with what was before the event
    on_disk = sum(path.stat().st_size for path in (house.folder / "recordings" / camera_id).rglob("*.mp4"))
    assert told["bytes"] == camera["bytes"] == on_disk
    assert told["oldest"] == camera["oldest"] < camera["newest"]
    assert 0 < told["free_bytes"] < told["disk_bytes"]


async def other_than(page: Stream, *known: tuple[str, str | None]) -> dict[str, Any]:
    """What a page is told next that has none of these states and reasons."""
    told: dict[str, Any] = await page.until("camera_recording")
    while (told["recording"], told["recording_reason"]) in known:
        told = await page.until("camera_recording")
    return told


def seen(camera: dict[str, object]) -> tuple[object, object, object]:
    return camera["recorded"], camera["recording"], camera["recording_reason"]
