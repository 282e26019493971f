"""When a camera was recorded, over REST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from appliance.auth.rights import Right
from appliance.base.clock import TICKS_PER_SECOND as S
from appliance.base.clock import ManualClock, to_rfc3339
from appliance.recorder.files import RecordedFile
from appliance.web import recordings
from tests.media.clips import encode_h264
from tests.recorder.made import endless, make_recording
from tests.web.appliance import House, running_house
from tests.web.endless import EndlessOpeners

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from appliance.recorder.index import Index
    from appliance.sites.cameras import Camera
    from tests.web.visitor import Visitor

NOW = 1_790_000_000 * S
CLIP = encode_h264(25, (64, 64), gop=25)


class Scene:
    """A camera with 5 s, an hour's gap, 5 s more, of which the last second of all is now."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.camera: Camera = house.do(house.camera)
        self.empty: Camera = house.do(house.camera, "Empty")
        self.index: Index = house.services.archive._index
        for start in (NOW - 3605 * S, NOW - 5 * S):
            make_recording(house.folder, endless(CLIP, start, 5), camera_id=self.camera.id, index=self.index)
        make_recording(
            house.folder, endless(CLIP, NOW - 5 * S, 2), camera_id=self.camera.id, stream="sub", index=self.index
        )
        self.visitor: Visitor = house.do(self._visitor)

    async def _visitor(self) -> Visitor:
        user = await self.house.user("anna")
        both = frozenset({self.camera.id, self.empty.id})
        await self.house.services.auth.users.grant(user.id, {Right.PLAYBACK: both})
        return await self.house.visitor(user)

    def ask(self, query: str = "", camera: Camera | None = None) -> Any:
        answer = self.visitor.call("GET", f"/api/v1/cameras/{(camera or self.camera).id}/recordings{query}")
        return answer.json if answer.status == 200 else (answer.status, answer.code, answer.json.get("field"))


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with running_house(openers=EndlessOpeners(), clock=ManualClock(NOW)) as house:
        yield Scene(house)


def span(start: float, end: float) -> dict[str, str]:
    return {"from": to_rfc3339(NOW + round(start * S)), "to": to_rfc3339(NOW + round(end * S))}


def test_the_last_day_is_what_is_told_unless_asked_otherwise(scene: Scene) -> None:
    assert scene.ask() == {
        "ranges": [span(-3605, -3600), span(-5, 0)],
        "stream": "main",
        "streams": ["main", "sub"],
        "first": to_rfc3339(NOW - 3605 * S),
        "last": to_rfc3339(NOW),
        "resolution": 0,
    }
    assert scene.ask("", scene.empty) == {
        "ranges": [], "stream": "main", "streams": [], "first": None, "last": None, "resolution": 0,
    }  # fmt: skip


def test_a_time_a_stream_and_a_resolution_are_obeyed(scene: Scene) -> None:
    whole = f"?from={to_rfc3339(NOW - 86400 * S)}&to={to_rfc3339(NOW + S)}"
    assert scene.ask(whole)["ranges"] == [span(-3605, -3600), span(-5, 0)]
    assert scene.ask(f"{whole}&stream=sub")["ranges"] == [span(-5, -3)]
    assert scene.ask(f"{whole}&resolution=3594999")["ranges"] == [span(-3605, -3600), span(-5, 0)]
    joined = scene.ask(f"{whole}&resolution=3595000")
    assert (joined["ranges"], joined["resolution"]) == ([span(-3605, 0)], 3_595_000)
    inner = scene.ask(f"?from={to_rfc3339(NOW - 3602 * S)}&to={to_rfc3339(NOW - 3 * S)}")
    assert inner["ranges"] == [span(-3602, -3600), span(-5, -3)]
    assert (inner["first"], inner["last"]) == (to_rfc3339(NOW - 3605 * S), to_rfc3339(NOW))
    assert scene.ask(f"?to={to_rfc3339(NOW - 3604 * S)}")["ranges"] == [span(-3605, -3604)]
    assert scene.ask("?from=2026-09-21T16:13:17%2B02:00")["ranges"] == [span(-3, 0)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=x", "from"),
        ("to=2026-09-21", "to"),
        ("from=2026-09-21T13:00:00Z&to=2026-09-21T13:00:00Z", "to"),
        ("from=2026-09-22T13:00:00Z", "to"),
        ("from=2010-09-22T13:00:00Z", "from"),
        ("resolution=-1", "resolution"),
        ("resolution=1e3", "resolution"),
        ("stream=third", "stream"),
        ("stream=", "stream"),
    ],
)
def test_what_cannot_be_is_named(scene: Scene, query: str, field: str) -> None:
    assert scene.ask(f"?{query}") == (422, "bad_parameter", field)


def test_an_answer_has_so_many_ranges_at_most_and_says_what_it_left_out(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    camera = scene.house.do(scene.house.camera, "Restless")
    users = scene.house.services.auth.users
    scene.house.do(users.grant, "anna", {Right.PLAYBACK: frozenset({scene.camera.id, scene.empty.id, camera.id})})
    begin = NOW - 1000 * S
    for number in range(100):  # a second each ten seconds
        start = begin + number * 10 * S
        file = RecordedFile(0, camera.id, "main", start, start, start + S, 1, tmp_path)
        scene.index.put(file, init=b"", table=None)
    query = f"?from={to_rfc3339(begin)}"
    assert len(scene.ask(query, camera)["ranges"]) == 100
    monkeypatch.setattr(recordings, "MOST", 99)
    answer = scene.ask(query, camera)
    assert (len(answer["ranges"]), answer["resolution"]) == (1, 10_101)
    assert answer["ranges"] == [span(-1000, -9)]
