"""What the machine was measured to carry: kept, told with the status, forgotten where it is of no use."""

from __future__ import annotations

import pytest

from appliance.web.capacity import EXAMPLE, NAME
from tests.web.appliance import House, open_house
from tests.web.scenes import eventually

PATH = "/api/v1/admin/capacity"
BOX = {**EXAMPLE, "transcoding": [*EXAMPLE["transcoding"], EXAMPLE["transcoding"][0] | {"width": 960, "cpu_ms": 200}]}  # type: ignore[operator, misc]


async def test_it_is_told_with_the_room_there_is_and_stays_over_a_restart(tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("measured")
    async with open_house(folder=folder) as house:
        chief = await house.administrator()
        assert (await chief.get("/api/v1/status")).json["capacity"] is None
        box = {**BOX, "cores": house.services.pool.size}
        assert (await chief.ask("PUT", PATH, box)).status == 204
        await eventually(lambda: house.services.load.latest is not None)
        told = (await chief.get("/api/v1/status")).json["capacity"]
        assert (told["codec"], told["width"], told["fps"]) == ("h264", 960, 25)
        assert (told["direct"], told["transcoded"]) == (642, int(house.services.pool.size * 0.9 * 5))
        assert 0 <= told["more_direct"] <= told["direct"]
        assert 0 <= told["more_transcoded"] <= told["transcoded"]
        assert told["was_busy"] is False
    async with open_house(folder=folder) as house:
        assert (await (await house.administrator("other")).get("/api/v1/status")).json["capacity"]["direct"] == 642


@pytest.mark.parametrize("kept", [b"", b"[]", b'{"cores": 0}', b"\xff\xfe", None])
async def test_what_is_kept_and_of_no_use_counts_as_not_measured(tmp_path_factory, kept: bytes | None) -> None:
    import msgspec

    folder = tmp_path_factory.mktemp("moved")
    another = msgspec.json.encode({**BOX, "cores": 4096})  # of a machine that the folder was moved from
    (folder / NAME).write_bytes(another if kept is None else kept)
    async with open_house(folder=folder) as house:
        assert house.services.capacity is None


async def test_nonsense_is_refused(house: House) -> None:
    chief = await house.administrator()
    for wrong in ({"cores": 0}, {"direct_cpu_ms": -1}, {"direct_cpu_ms": 0}, {"transcoding": []}, {"more": 1}):
        answer = await chief.ask("PUT", PATH, {**BOX, **wrong})
        assert (answer.status, answer.code) == (422, "bad_request"), wrong
    assert not (house.services.folder / NAME).exists()
