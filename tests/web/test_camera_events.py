"""Events of cameras over HTTP: said, listed, told to open pages."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from appliance.auth.rights import Right
from appliance.base.clock import TICKS_PER_SECOND, SystemClock, from_rfc3339, to_rfc3339
from tests.web.appliance import House, open_house


class Later(SystemClock):
    """The machine's clock, and what passes at a word."""

    passed_s = 0

    def utc_90k(self) -> int:
        return super().utc_90k() + self.passed_s * TICKS_PER_SECOND


def shifted(time: str, seconds: int) -> str:
    return to_rfc3339(from_rfc3339(time) + seconds * TICKS_PER_SECOND)


async def test_what_happens_is_listed_and_told_to_those_who_may_play_back() -> None:
    clock = Later()
    async with open_house(clock=clock) as house:
        gate = await house.camera("Gate")
        chief = await house.administrator()
        anna, bert = await house.user("anna"), await house.viewer("bert", gate)
        await house.services.auth.users.grant(anna.id, {Right.PLAYBACK: frozenset({gate.id})})
        path = f"/api/v1/cameras/{gate.id}/events"
        visitor = await house.visitor(anna)
        async with visitor.reading("/api/v1/events") as page, bert.reading("/api/v1/events") as other:
            assert [(await one.event())[0] for one in (page, other)] == ["hello", "hello"]
            first = await chief.ask("POST", path, {"kind": "door-open", "text": "North door"})
            assert first.status == 201
            assert first.json["at"] == first.json["until"]
            assert await page.until("camera_event") == {"camera": gate.id, **first.json}
            await house.services.cameras.change(gate.id, name="Front gate")
            kind, _ = await other.event()
            while kind == "camera_state":
                kind, _ = await other.event()
            assert kind == "camera_changed"  # and of the event nothing
        clock.passed_s = 3600
        second = await chief.ask("POST", path, {})
        assert (second.json["kind"], second.json["text"]) == ("manual", "")

        async def listed(query: str) -> list[str]:
            return [one["id"] for one in (await visitor.get(f"{path}{query}")).json["events"]]

        ids = [first.json["id"], second.json["id"]]
        assert await listed("") == ids
        assert await listed("?limit=1") == ids[:1]
        at = first.json["at"]
        assert await listed(f"?from={at}&to={second.json['at']}") == ids[:1]
        east = quote(shifted(at, 7200).replace("Z", "+02:00"))
        assert await listed(f"?from={east}&limit=1000") == ids
        assert await listed(f"?from={shifted(at, 1)}") == ids[1:]
        assert await listed(f"?to={shifted(second.json['at'], 24 * 3600)}") == ids[1:]  # the day before that


@pytest.mark.parametrize(
    "query", ["from=yesterday", "to=", "from=2023-11-14", "to=1700000000", "limit=0", "limit=1001", "limit=x"]
)
def test_a_question_that_cannot_be_answered_names_what_is_wrong(shared: House, query: str) -> None:
    gate = shared.services.cameras.find("Events") or shared.do(shared.camera, "Events")
    user = shared.services.auth.users.find("asks chief")
    chief = shared.do(shared.visitor, user) if user else shared.do(shared.administrator, "asks chief")
    answer = chief.call("GET", f"/api/v1/cameras/{gate.id}/events?{query}")
    assert (answer.status, answer.code, answer.json["field"]) == (422, "bad_parameter", query.partition("=")[0])


async def test_more_than_so_many_a_second_are_refused(house: House) -> None:
    gate, chief = await house.camera(), await house.administrator()
    path = f"/api/v1/cameras/{gate.id}/events"
    answers = [await chief.ask("POST", path, {"kind": "motion"}) for _ in range(40)]
    refused = next(answer for answer in answers if answer.status != 201)
    assert (refused.status, refused.code) == (429, "events_too_fast")
    assert "retry-after" in refused.headers
    for body, code in (({"kind": "No"}, "invalid_event"), ({"kind": "x", "text": "\u202e"}, "invalid_text")):
        assert (await chief.ask("POST", path, body)).code == code
