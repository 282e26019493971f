"""How much room there is: by what was measured and by the load as it is."""

from __future__ import annotations

import msgspec
import pytest

from appliance.status.capacity import Capacity, Room, Transcoding, room
from appliance.status.load import Sample

LARGE, SMALL = Transcoding("h264", 1920, 1080, 25, 300), Transcoding("h264", 640, 360, 25, 120)
#: Four cores; 0.9 of each is counted on.
BOX = Capacity("2026-03-12T14:03:27Z", 4, 2.0, 4000, "1080p", [SMALL, LARGE])


def load(machine: float, main: float = 0.0) -> Sample:
    return Sample(0, machine, 0, 0, 0, main)


@pytest.mark.parametrize(
    ("sample", "most", "due"),
    [
        (load(0.0), 1000, Room(450, 12)),  # one core serves them all; four decode
        (load(0.1, 0.4), 1000, Room(250, 10)),  # the core that serves has done much of it
        (load(0.85), 1000, Room(100, 0)),  # 0.2 cores are left, wherever
        (load(0.85, 0.8), 1000, Room(50, 0)),
        (load(0.95), 1000, Room(0, 0)),  # more than is counted on
        (load(0.0, 1.3), 1000, Room(0, 12)),
        (load(0.0), 5, Room(5, 5)),  # the settings allow no more
        (load(0.0), -3, Room(0, 0)),
    ],
)
def test_there_is_room_for_what_is_left_of_the_cores(sample: Sample, most: int, due: Room) -> None:
    assert room(BOX, sample, LARGE, most) == due


def test_what_a_limit_lets_by_is_counted_at_its_dearest() -> None:
    assert BOX.dearest(25, (1920, 1080)) == LARGE
    assert BOX.dearest(60, (1280, 720)) == SMALL
    assert BOX.dearest(10, (1920, 1080)) is None
    assert (BOX.direct, BOX.streams(LARGE), BOX.streams(SMALL)) == (450, 12, 30)


@pytest.mark.parametrize(("busy", "is_busy"), [(0.0, False), (0.19, False), (0.2, True), (3.0, True)])
def test_a_machine_that_others_used_meanwhile_was_busy(busy: float, is_busy: bool) -> None:
    assert msgspec.structs.replace(BOX, busy_cores=busy).was_busy is is_busy
