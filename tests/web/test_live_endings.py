"""How live views end: rights that are taken, caps, readers that do not read, a server that stops (A6, A28)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
import trio

from appliance.auth.rights import ALL, Right
from tests.streams.scripted import picture, sound
from tests.web.appliance import open_house
from tests.web.scenes import eventually, feed, give, large_picture

if TYPE_CHECKING:
    from tests.web.appliance import House


async def ends(house: House, view, act) -> tuple[int, str, float]:
    """The close code after something was done, and how long it took."""
    began = trio.current_time()
    await act()
    code, reason = await view.end()
    return code, reason, trio.current_time() - began


@pytest.mark.parametrize(("what", "code"), [("right", 4403), ("session", 4401), ("user", 4401), ("camera", 4404)])
async def test_a28_what_is_taken_away_ends_within_seconds(house: House, what: str, code: int) -> None:
    camera = await house.camera()
    user = await house.user("anna", live="all")
    anna = await house.visitor(user)
    services = house.services

    async def act() -> None:
        if what == "right":
            await services.auth.users.grant(user.id, {Right.LIVE: frozenset()})
        elif what == "session":
            await anna.ask("DELETE", "/api/v1/session")
        elif what == "user":
            await services.auth.users.change(user.id, disabled=True)
        else:
            await services.cameras.remove(camera.id)

    async with anna.live(camera.id) as view:
        await view.want()
        source = await feed(house, camera)
        await give(source, picture(0), picture(1))
        await view.fragments(3)
        ended, _, after = await ends(house, view, act)
        assert (ended, after < 5) == (code, True)
    again = await trio.to_thread.run_sync(anna.shake_hands, f"/api/v1/cameras/{camera.id}/live")
    assert again.status in (401, 404)


async def test_sound_taken_away_leaves_the_picture(house: House) -> None:
    camera = await house.camera()
    user = await house.user("anna", live="all", audio="all")
    anna = await house.visitor(user)
    async with anna.live(camera.id) as view:
        await view.want(audio=True)
        source = await feed(house, camera)
        await give(source, picture(0), sound(0), picture(1))
        await view.stream(sound=True)
        await house.services.auth.users.grant(user.id, {Right.AUDIO: frozenset()})
        await view.stream(sound=False)
        await give(source, picture(2), sound(1))
        await house.services.auth.users.grant(user.id, {Right.AUDIO: ALL})
        await view.stream(sound=True)


async def test_a6_one_stream_too_many_is_closed_with_the_reason(house: House) -> None:
    await house.services.settings.change({"performance.streams_per_user": 2}, by="test")
    camera = await house.camera()
    anna, bob = await house.viewer("anna", camera), await house.viewer("bob", camera)
    async with anna.live(camera.id) as one, anna.live(camera.id) as two:
        await one.want()
        await two.want()
        async with anna.live(camera.id) as three:
            assert await three.end() == (4429, "too many streams")
        async with bob.live(camera.id) as other:
            await other.want()
            assert (await other.told("status"))["state"] == "waiting"
        refused = await anna.get(f"/api/v1/cameras/{camera.id}/live.mp4")
        assert (refused.status, refused.code) == (429, "too_many_streams")


async def test_a_client_that_says_nothing_is_closed(house: House, monkeypatch) -> None:
    monkeypatch.setattr("appliance.web.live.FIRST_MESSAGE_S", 0.3)
    camera = await house.camera()
    anna = await house.viewer("anna", camera)
    async with anna.live(camera.id) as view:
        assert (await view.end())[0] == 1008


async def test_a_reader_that_takes_nothing_is_closed_and_another_sees_nothing_of_it(house: House, monkeypatch) -> None:
    monkeypatch.setattr("appliance.serve.outlet.STUCK_S", 1.0)
    camera = await house.camera()
    anna, bob = await house.viewer("anna", camera), await house.viewer("bob", camera)
    stuck = await trio.to_thread.run_sync(lambda: stuck_reader(anna, camera.id))
    try:
        async with bob.live(camera.id) as view:
            await view.want()
            source = await feed(house, camera)
            big = [large_picture(n) for n in range(400)]
            for n, unit in enumerate(big):
                await give(source, unit)
                if n % 4 == 0:
                    await trio.sleep(0.01)
            got = await view.fragments(401)
            assert len(got) == 401
            assert not [text for text in view.texts if text["type"] == "dropped"]
            audience = house.services.audience
            await eventually(lambda: not any(member.principal.name == "anna" for member in audience))
    finally:
        stuck.close()


def stuck_reader(visitor, camera_id: str):
    """A WebSocket client that asks for everything and reads nothing."""
    connection = visitor.connect()
    connection.request("GET", f"/api/v1/cameras/{camera_id}/live", headers=visitor.handshake | visitor.identity)
    assert connection.getresponse().status == 101
    message = b'{"type":"want"}'
    connection.sock.sendall(struct.pack("!BB", 0x81, 0x80 | len(message)) + bytes(4) + message)
    return connection


async def test_a_server_that_stops_says_so() -> None:
    codes: list[int] = []
    watching = trio.Event()

    async def watch(anna, camera) -> None:
        async with anna.live(camera.id) as view:
            await view.want()
            await view.told("status")
            watching.set()
            codes.append((await view.end())[0])

    async with trio.open_nursery() as nursery, open_house() as house:
        camera = await house.camera()
        nursery.start_soon(watch, await house.viewer("anna", camera), camera)
        await watching.wait()
    assert codes == [1001]
