from __future__ import annotations

from tests.web.appliance import House


async def test_smoke(house: House) -> None:
    await house.user("anna")
    visitor = house.stranger()
    answer = await visitor.sign_in("anna")
    assert answer.status == 200, answer
    print(answer)
    assert (await visitor.get("/api/v1/session")).status == 200
    assert (await visitor.get("/api/v1/cameras")).status == 200
    print(await visitor.get("/nope"))
    print(await visitor.ask("DELETE", "/api/v1/session"))
