"""The check of the recordings over the interface, beside a server that goes on."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from appliance.base.clock import TICKS_PER_SECOND as S
from appliance.base.clock import to_rfc3339
from appliance.recorder import check as module
from tests.media.clips import encode_h264
from tests.recorder.made import endless, make_recording
from tests.web.appliance import House

if TYPE_CHECKING:
    from appliance.sites.cameras import Camera
    from tests.web.visitor import Visitor

PATH = "/api/v1/admin/recordings/check"
START = 1_790_000_000 * S
CLIP = encode_h264(5, (64, 64), fps=5, gop=5)


def ended(chief: Visitor) -> Any:
    """The check when it has ended."""
    end = time.monotonic() + 20
    while (state := chief.call("GET", PATH).json)["state"] == "running":
        assert time.monotonic() < end
        time.sleep(0.02)
    return state


@pytest.fixture(scope="module")
def chief(shared: House) -> Visitor:
    visitor: Visitor = shared.do(shared.administrator)
    return visitor


@pytest.fixture(scope="module")
def camera(shared: House) -> Camera:
    made: Camera = shared.do(shared.camera)
    index = shared.services.checks._index
    make_recording(shared.folder, endless(CLIP, START, 62, fps=5), camera_id=made.id, index=index)
    return made


def test_there_is_none_until_somebody_asks(shared: House, chief: Visitor) -> None:
    assert shared.services.checks.state is None
    assert chief.call("GET", PATH).json["state"] == "none"
    assert chief.call("DELETE", PATH).status == 204


def test_what_differs_is_said_then_repaired_and_ranges_follow(shared: House, chief: Visitor, camera: Camera) -> None:
    folder = shared.folder / "recordings" / camera.id / "main"
    first, second = sorted(folder.iterdir())
    second.unlink()
    (folder / "mine.txt").write_text("x")
    begun = chief.call("POST", PATH, {})
    assert (begun.status, begun.json["state"], begun.json["repair"]) == (202, "running", False)
    found = ended(chief)
    assert (found["state"], found["files"], found["found"], found["left"]) == ("done", 1, 1, 1)
    assert found["counts"] == {"file_missing": 1}
    path = f"{camera.id}/main/{second.name}"
    assert [(each["kind"], each["path"], each["mended"]) for each in found["differences"]] == [
        ("file_missing", path, False)
    ]
    assert [(each["kind"], each["path"]) for each in found["notices"]] == [("foreign", f"{camera.id}/main/mine.txt")]
    chief.call("POST", PATH, {"repair": True, "thorough": True})
    repaired = ended(chief)
    assert (repaired["found"], repaired["left"], repaired["repair"], repaired["thorough"]) == (1, 0, True, True)
    assert repaired["differences"][0]["action"]
    ranges = chief.call("GET", f"/api/v1/cameras/{camera.id}/recordings?from={to_rfc3339(START - S)}").json["ranges"]
    assert ranges == [{"from": to_rfc3339(START), "to": to_rfc3339(START + 60 * S)}]
    assert first.exists()


def test_one_at_a_time_it_can_be_stopped_and_the_server_goes_on_meanwhile(
    shared: House, chief: Visitor, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def slow(check: module.Check, *_: Any) -> Any:
        while not check.stopped:
            go_on.wait(0.01)
            yield

    monkeypatch.setattr(module.Check, "_check_stream", slow)
    chief.call("POST", PATH, {})
    again = chief.call("POST", PATH, {"repair": True})
    assert (again.status, again.code) == (409, "check_running")
    began = time.monotonic()
    state = chief.call("GET", PATH).json
    assert time.monotonic() - began < 5
    assert (state["state"], state["differences"]) == ("running", [])
    assert chief.call("DELETE", PATH).status == 204
    assert ended(chief)["state"] == "stopped"
    monkeypatch.undo()
    chief.call("POST", PATH, {})
    assert ended(chief)["state"] == "done"


def test_a_check_that_fails_says_why_and_another_can_follow(
    shared: House, chief: Visitor, camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> Any:
        from appliance.store.folder import disk_full

        raise disk_full(shared.folder)

    monkeypatch.setattr(module.Check, "_places", full)
    chief.call("POST", PATH, {})
    state = ended(chief)
    assert state["state"] == "failed"
    assert "no room left" in state["message"]
    monkeypatch.undo()
    chief.call("POST", PATH, {})
    assert ended(chief)["state"] == "done"


def test_an_appliance_that_stops_ends_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.web.appliance import running_house
    from tests.web.endless import EndlessOpeners

    def forever(check: module.Check) -> Any:
        while not check.stopped:  # as a long look at the index does
            time.sleep(0.01)
        yield

    monkeypatch.setattr(module.Check, "_check_index", forever)
    with running_house(openers=EndlessOpeners()) as house:
        visitor = house.do(house.administrator)
        visitor.call("POST", PATH, {})
        began = time.monotonic()
    assert time.monotonic() - began < 5
