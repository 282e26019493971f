"""Levels for machines that were measured: large, small and odd ones."""

from __future__ import annotations

import pytest

from appliance.measuring.proposal import STREAMS, commands, propose
from appliance.media.levels import Levels, problems
from appliance.settings.tabs import KEYS
from appliance.status.capacity import Capacity, Transcoding

SIZES = ((1920, 1080), (960, 540), (640, 360), (320, 180))


def box(cores: int, decode: float, picture: float, *, rates: tuple[float, ...] = (25, 10), sizes=SIZES) -> Capacity:
    """``decode``: milliseconds a second of video; ``picture``: for each megapixel that is made."""
    made = [
        Transcoding("h264", *size, fps, decode + picture * size[0] * size[1] / 1e6 * fps)
        for fps in rates
        for size in sizes
    ]
    return Capacity("2026-03-12T14:03:27Z", cores, 1.5, 4000, "1080p", made)


def limits(levels: Levels) -> list[tuple[int, int]]:
    return [(each.max_width, each.max_fps) for each in (levels.level1, levels.level2, levels.level3)]


@pytest.mark.parametrize(
    ("capacity", "due"),
    [
        (box(32, 70, 3), [(1920, 25), (960, 20), (640, 15)]),  # all of it fits, and a level is below the one before
        (box(2, 70, 3), [(1920, 25), (960, 20), (640, 15)]),
        (box(2, 200, 3), [(1920, 20), (960, 15), (640, 12)]),
        (box(1, 600, 3), [(960, 25), (640, 20), (320, 15)]),  # even decoding is too much: nothing is saved by less
        (box(1, 10, 200), [(960, 15), (640, 8), (320, 5)]),
        (box(2, 70, 3, rates=(25,)), [(1920, 25), (960, 20), (640, 15)]),
    ],
)
def test_each_level_carries_more_streams_than_the_one_before(capacity: Capacity, due) -> None:
    levels = propose(capacity)
    assert problems(levels) == ()
    assert limits(levels) == due


@pytest.mark.parametrize("cores", [1, 2, 4, 64])
@pytest.mark.parametrize("decode", [1.0, 60.0, 250.0, 5000.0])
@pytest.mark.parametrize("picture", [0.1, 3.0, 30.0, 500.0])
def test_what_is_proposed_can_always_be_set(cores: int, decode: float, picture: float) -> None:
    capacity = box(cores, decode, picture)
    levels = propose(capacity)
    assert problems(levels) == ()
    widths, rates = zip(*limits(levels), strict=True)
    assert sorted(set(widths), reverse=True) == list(widths)
    assert sorted(set(rates), reverse=True) == list(rates)
    assert len(STREAMS) == 3


def test_the_commands_are_those_of_the_settings_and_none_is_refused_on_the_way() -> None:
    """Whatever is in force: three other sets of levels, the tightest among them."""
    wanted = list(commands(propose(box(2, 200, 3))))
    assert wanted[2] == "fanal config set performance.level1.max_fps 20"
    before = [Levels(), propose(box(32, 70, 3)), propose(box(1, 10, 200))]
    for levels in before:
        fields = {
            f"level{number}.{name}": getattr(level, name)
            for number, level in enumerate((levels.level1, levels.level2, levels.level3), 1)
            for name in level.__dataclass_fields__
        }
        for command in wanted:
            key, value = command.removeprefix("fanal config set performance.").split(" ")
            assert key in fields
            fields[key] = {"true": True, "false": False}.get(value) if value in ("true", "false") else int(value)
            assert problems(_levels(fields)) == (), command
        assert _levels(fields) == propose(box(2, 200, 3))
    known = {key for key in KEYS if key.startswith("performance.level")}
    assert known <= {f"performance.{key}" for key in fields}


def _levels(fields: dict) -> Levels:
    from appliance.media.levels import BusyLevel, Level1

    def of(number: int) -> dict:
        return {key.partition(".")[2]: value for key, value in fields.items() if key.startswith(f"level{number}.")}

    return Levels(Level1(**of(1)), BusyLevel(**of(2)), BusyLevel(**of(3)))
