"""Cameras as users see them, and the tickets by which players reach them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import trio

from appliance.media.units import AccessUnit
from tests.streams.scripted import CLIP, SMALL, picture
from tests.web.appliance import House, open_house
from tests.web.endless import EndlessOpeners
from tests.web.scenes import eventually, feed, give


async def test_a_camera_is_listed_with_what_it_sends_as_measured() -> None:
    async with open_house(openers=EndlessOpeners()) as house:
        camera = await house.camera("Gate", sub=True)
        await house.camera("Yard")
        anna = await house.viewer("anna", camera)
        async with anna.live(camera.id) as view:
            await view.want()
            await view.fragments(20)
            listed = (await anna.get("/api/v1/cameras")).json["cameras"]
        assert [one["name"] for one in listed] == ["Gate"]
        (gate,) = listed
        assert (gate["id"], gate["site"], gate["rights"]) == (camera.id, camera.site_id, ["live"])
        assert (gate["state"]["state"], gate["state"]["reason"]) == ("ok", None)
        assert datetime.now(UTC) - datetime.fromisoformat(gate["state"]["since"]) < timedelta(seconds=30)
        main, sub = gate["streams"]
        assert (main["id"], main["name"], sub["name"]) == (camera.streams[0].id, "main", "sub")
        assert (main["codec"], main["width"], main["height"]) == ("h264", 320, 180)
        assert (sub["codec"], sub["width"], sub["height"]) == ("h264", 160, 90)  # nobody watches: from a look at it
        assert main["fps"] == 25
        sent = sum(len(unit.data) for unit in CLIP.units[:20]) * 8 / 1000 / (20 / 25)
        assert main["kbps"] == pytest.approx(sent, rel=0.3)
        assert (sub["fps"], sub["kbps"]) == (None, None)  # known only of what is pulled
        assert (gate["audio"], gate["ptz"], gate["talk"], gate["recorded"]) == (True, False, False, False)
        assert (await anna.get(f"/api/v1/cameras/{camera.id}")).json["streams"][1] == sub


async def test_administrators_are_advised_by_what_a_camera_sends(house: House) -> None:
    camera = await house.camera("Gate")
    chief, anna = await house.administrator(), await house.viewer("anna", camera)
    async with anna.live(camera.id) as view:
        await view.want()
        source = await feed(house, camera)
        await give(source, *(picture(n) for n in range(0, 60, 5)))  # five a second, a key frame each second
        await view.fragments(5)
        (listed,) = (await chief.get("/api/v1/admin/cameras")).json["cameras"]
        (seen,) = (await chief.get("/api/v1/cameras")).json["cameras"]
        (told,) = listed["streams"][0]["advice"]
        assert (told["about"], told["measured"], told["at_least"]) == ("rate", 5, False)
        assert "5 pictures a second" in told["message"]
        assert seen["streams"][0]["advice"] == [told]
        (hers,) = (await anna.get("/api/v1/cameras")).json["cameras"]
        assert hers["streams"][0]["advice"] == []  # she cannot change it
        await give(source, *(picture(n) for n in range(61, 75)), *(unkeyed(n) for n in range(75, 175)))
        await view.fragments(100)
        (listed,) = (await chief.get("/api/v1/admin/cameras")).json["cameras"]
    gop = next(each for each in listed["streams"][0]["advice"] if each["about"] == "gop")
    assert gop["at_least"]
    assert gop["measured"] > 3


def unkeyed(n: int) -> AccessUnit:
    unit = picture(n if n % 25 else n + 1)
    at = picture(n).dts
    return AccessUnit(unit.data, at, at, False, n, unit.format, unit.run)


async def test_a_name_does_not_lead_past_the_rights(house: House) -> None:
    gate, yard = await house.camera("Gate"), await house.camera("Yard")
    anna = await house.viewer("anna", gate)
    answers = [await anna.get(f"/api/v1/cameras/{which}") for which in (yard.id, "Yard", "yard", "nothing")]
    assert {(answer.status, answer.code, answer.body) for answer in answers} == {(404, "no_camera", answers[0].body)}


async def test_a_ticket_is_for_the_beginning_and_what_has_begun_goes_on(house: House, monkeypatch) -> None:
    monkeypatch.setattr("appliance.web.cameras.TICKET_S", 1)
    camera = await house.camera()
    anna = await house.viewer("anna", camera)
    answer = await trio.to_thread.run_sync(issue, anna, camera.id)
    query = f"?ticket={answer}"
    async with house.stranger().live(camera.id, query) as view:
        await view.want()
        source = await feed(house, camera)
        await give(source, picture(0))
        await view.fragments(2)
        await trio.sleep(1.1)
        await give(source, picture(1))
        await view.fragments(1)
    late = await trio.to_thread.run_sync(house.stranger().shake_hands, f"/api/v1/cameras/{camera.id}/live{query}")
    assert (late.status, late.code) == (401, "bad_ticket")


def issue(visitor, camera_id: str) -> str:
    answer = visitor.call("POST", f"/api/v1/cameras/{camera_id}/ticket", {"path": "live"})
    assert answer.status == 201
    ticket: str = answer.json["ticket"]
    assert len(ticket) == 43  # 256 bits (A8)
    return ticket


async def test_a_stream_begun_with_a_ticket_ends_with_the_session_it_came_from(house: House) -> None:
    camera = await house.camera()
    anna = await house.viewer("anna", camera)
    ticket = await trio.to_thread.run_sync(issue, anna, camera.id)
    async with house.stranger().live(camera.id, f"?ticket={ticket}") as view:
        await view.want()
        await view.told("status")
        began = trio.current_time()
        assert (await anna.ask("DELETE", "/api/v1/session")).status == 204
        assert (await view.end())[0] == 4401
        assert trio.current_time() - began < 5


async def test_old_tickets_give_way_to_new_ones(house: House) -> None:
    camera = await house.camera()
    anna = await house.viewer("anna", camera)
    tickets = [await trio.to_thread.run_sync(issue, anna, camera.id) for _ in range(101)]
    path = f"/api/v1/cameras/{camera.id}/live?ticket="
    first = await trio.to_thread.run_sync(house.stranger().shake_hands, path + tickets[0])
    last = await trio.to_thread.run_sync(house.stranger().shake_hands, path + tickets[-1])
    assert (first.status, last.status) == (401, 101)


async def test_a_camera_of_another_size_is_listed_anew(house: House) -> None:
    camera = await house.camera()
    anna = await house.viewer("anna", camera)
    async with anna.live(camera.id) as view:
        await view.want()
        source = await feed(house, camera)
        await give(source, picture(0))
        await view.fragments(2)
        await give(source, picture(25, clip=SMALL))
        assert (await view.told("stream"))["width"] == 160
        one = await anna.get(f"/api/v1/cameras/{camera.id}")
        assert one.json["streams"][0]["width"] == 160
    await eventually(lambda: not len(house.services.audience))
