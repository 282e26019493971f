"""Server-Sent Events: what an open page hears, and what it does not."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest
import trio

from appliance.auth.rights import ALL, Right
from appliance.sites.source import SourceError, Trouble
from appliance.web import events
from tests.streams.scripted import picture
from tests.web.appliance import House, open_house
from tests.web.scenes import eventually, feed, give

PATH = "/api/v1/events"


async def test_a_page_hears_of_cameras_as_they_come_change_and_go(house: House) -> None:
    user = await house.user("anna", live="all")
    async with (await house.visitor(user)).reading(PATH) as page:
        assert page.response.headers["content-type"] == "text/event-stream"
        assert page.response.headers["cache-control"] == "no-store"
        hello = await page.event()
        assert hello[0] == "hello"
        assert abs(hello[1]["utc_ms"] - house.services.clock.utc_90k() / 90) <= 1000
        camera = await house.camera("Gate")
        added = await page.until("camera_added")
        assert (added["id"], added["name"], added["rights"]) == (camera.id, "Gate", ["live"])
        await house.services.cameras.change(camera.id, name="Front gate")
        assert (await page.until("camera_changed"))["name"] == "Front gate"
        await house.services.cameras.remove(camera.id)
        assert await page.until("camera_removed") == {"id": camera.id}


async def test_a_page_hears_how_a_camera_is_and_not_where(house: House) -> None:
    camera = await house.camera()
    anna = await house.viewer("anna", camera)
    source = house.openers.opener(camera.streams[0])
    async with anna.reading(PATH) as page:
        assert (await page.event())[0] == "hello"
        async with anna.live(camera.id) as view:
            await view.want()
            await feed(house, camera)
            await give(source, picture(0))
            source.refuse = SourceError(Trouble.REFUSED, "Nothing answers at 192.0.2.1:554.")
            source._send.send_nowait(SourceError(Trouble.CAMERA_LOST, "The camera 192.0.2.1 hung up."))
            states = []
            while not states or states[-1][1] != "refused":
                told = await page.until("camera_state")
                assert set(told) == {"id", "state", "reason", "since"}
                assert told["id"] == camera.id
                states.append((told["state"], told["reason"]))
            assert states[-1] == ("lost", "refused")


async def test_a_page_hears_nothing_of_cameras_that_its_user_may_not_see(house: House) -> None:
    gate, yard = await house.camera("Gate"), await house.camera("Yard")
    anna = await house.viewer("anna", gate)
    async with anna.reading(PATH) as page:
        assert (await page.event())[0] == "hello"
        await house.camera("Vault")
        await house.services.cameras.change(yard.id, name="Back yard")
        await house.services.cameras.change(gate.id, name="Front gate")
        kind, told = await page.event()
        while kind == "camera_state" and told["id"] == gate.id:
            kind, told = await page.event()
        assert (kind, told["name"]) == ("camera_changed", "Front gate")


async def test_rights_are_news_for_whom_they_concern(house: House) -> None:
    camera = await house.camera()
    anna, bob = await house.user("anna"), await house.user("bob")
    async with (await house.visitor(anna)).reading(PATH) as page, (await house.visitor(bob)).reading(PATH) as other:
        assert [(await one.event())[0] for one in (page, other)] == ["hello", "hello"]
        await house.services.auth.users.grant(anna.id, {Right.LIVE: ALL})
        assert await page.event() == ("rights_changed", {})
        await house.services.cameras.change(camera.id, name="Front gate")
        assert (await page.event())[0] == "camera_changed"
        await house.services.auth.users.grant(bob.id, {Right.AUDIO: frozenset({camera.id})})
        assert await other.event() == ("rights_changed", {})  # and of the camera's new name nothing


@pytest.mark.parametrize("what", ["signed out", "disabled", "removed", "password"])
async def test_the_end_of_a_session_is_told_and_ends_the_answer(house: House, what: str) -> None:
    from appliance.base.secrets import Secret

    user = await house.user("anna")
    anna, users = await house.visitor(user), house.services.auth.users
    other = await house.visitor(await house.user("bob"))
    async with anna.reading(PATH) as page, other.reading(PATH) as bystander:
        assert [(await one.event())[0] for one in (page, bystander)] == ["hello", "hello"]
        if what == "signed out":
            await anna.ask("DELETE", "/api/v1/session")
        elif what == "disabled":
            await users.change(user.id, disabled=True)
        elif what == "removed":
            await users.remove(user.id)
        else:
            await users.set_password(user.id, Secret("another passphrase of theirs"))
        assert await page.until("session_ended") == {}
        assert await page.read(100) == b""
        await house.services.auth.users.grant("bob", {Right.LIVE: ALL})
        assert await bystander.event() == ("rights_changed", {})


async def test_a_user_has_so_many_pages_and_another_has_theirs(house: House, monkeypatch) -> None:
    monkeypatch.setattr(events, "PER_USER", 3)
    anna, bob = await house.viewer("anna"), await house.viewer("bob")
    async with AsyncExitStack() as pages:
        for _ in range(3):
            page = await pages.enter_async_context(anna.reading(PATH))
            assert (await page.event())[0] == "hello"
        refused = await anna.get(PATH)
        assert (refused.status, refused.code) == (429, "too_many_events")
        page = await pages.enter_async_context(bob.reading(PATH))
        assert (await page.event())[0] == "hello"
    await eventually(lambda: not house.services.news._listeners)
    async with anna.reading(PATH) as page:  # those that were closed do not count
        assert (await page.event())[0] == "hello"


async def test_pages_that_come_at_once_are_counted_too(house: House, monkeypatch) -> None:
    monkeypatch.setattr(events, "PER_USER", 3)
    anna = await house.viewer("anna")
    greeted: list[bool] = []
    enough = trio.Event()

    async def open_page() -> None:
        async with anna.reading(PATH) as page:
            hello = page.response.status == 200 and await page.line() == b"event: hello\n"
            greeted.append(hello)
            if len(greeted) == 8:
                enough.set()
            await enough.wait()

    async with trio.open_nursery() as nursery:
        for _ in range(8):
            nursery.start_soon(open_page)
    assert 1 <= sum(greeted) <= 3


def test_a_browser_may_open_thirty_two_pages() -> None:
    assert events.PER_USER == 32


async def test_a_page_that_missed_something_is_closed_so_that_it_asks_again(house: House) -> None:
    anna = await house.viewer("anna")
    async with anna.reading(PATH) as page:
        assert (await page.event())[0] == "hello"
        for _ in range(300):  # all at once: more than may wait for one page
            house.services.news.publish(object())
        with trio.fail_after(10):
            while await page.read(4096):
                pass


async def test_a_quiet_page_hears_that_the_connection_lives(house: House, monkeypatch) -> None:
    monkeypatch.setattr(events, "ALIVE_S", 0.1)
    async with (await house.viewer("anna")).reading(PATH) as page:
        assert [(await page.event())[0] for _ in range(3)] == ["hello", ":", ":"]


async def test_a_server_that_stops_ends_the_answer() -> None:
    ended: list[bytes] = []
    listening = trio.Event()

    async def listen(visitor) -> None:
        async with visitor.reading(PATH) as page:
            await page.event()
            listening.set()
            ended.append(await page.read(100))

    async with trio.open_nursery() as nursery:
        async with open_house() as house:
            nursery.start_soon(listen, await house.viewer("anna"))
            await listening.wait()
            began = trio.current_time()
        assert trio.current_time() - began < 5
    assert ended == [b""]


async def test_pages_that_are_closed_are_forgotten(house: House) -> None:
    anna = await house.viewer("anna")
    for _ in range(5):
        async with anna.reading(PATH) as page:
            assert (await page.event())[0] == "hello"
    await eventually(lambda: not house.services.news._listeners)
