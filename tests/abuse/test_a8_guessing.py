"""A8: nothing that opens anything can be guessed, and what was handed out opens nothing once the right is gone."""

from __future__ import annotations

import secrets
import time
import uuid
from typing import TYPE_CHECKING

import pytest
import trio

from appliance.auth.rights import Right
from tests.web.appliance import House, open_house
from tests.web.endless import EndlessOpeners

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

#: "Dead within five seconds."
DEAD_S = 5.0


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house(openers=EndlessOpeners()) as opened:
        yield opened


async def test_a8_ids_are_random_uuids(house: House) -> None:
    cameras = [await house.camera(f"Gate {n}", sub=True) for n in range(20)]
    users = [await house.user(f"user{n}") for n in range(20)]
    ids = [one.id for one in cameras] + [stream.id for one in cameras for stream in one.streams]
    ids += [user.id for user in users]
    assert len(set(ids)) == 80
    for each in ids:
        assert (uuid.UUID(each).version, uuid.UUID(each).variant) == (4, uuid.RFC_4122)


async def test_a8_a_ticket_is_dead_once_the_right_is_taken(house: House) -> None:
    camera = await house.camera()
    user = await house.user("anna", live=[camera])
    anna, player = await house.visitor(user), house.stranger()
    path = f"/api/v1/cameras/{camera.id}/live"
    answer = await anna.ask("POST", f"/api/v1/cameras/{camera.id}/ticket", {"path": "live"})
    ticket = answer.json["ticket"]

    def opened(with_ticket: str) -> int:
        return player.shake_hands(f"{path}?ticket={with_ticket}").status

    assert await trio.to_thread.run_sync(opened, ticket) == 101
    async with player.live(camera.id, f"?ticket={ticket}") as view:
        await view.want()
        await view.fragments(2)
        began = time.monotonic()
        await house.services.auth.users.grant(user.id, {Right.LIVE: frozenset()})
        assert (await view.end())[0] == 4403
        assert time.monotonic() - began < DEAD_S
    assert await trio.to_thread.run_sync(opened, ticket) in (401, 404)
    await house.services.auth.users.grant(user.id, {Right.LIVE: frozenset([camera.id])})
    guesses = [secrets.token_urlsafe(32) for _ in range(20)]
    guesses += [ticket[:-1] + ("A" if ticket[-1] != "A" else "B"), ticket[:-1], ticket + "A", ticket.swapcase()]
    assert {await trio.to_thread.run_sync(opened, guess) for guess in guesses} == {401}
