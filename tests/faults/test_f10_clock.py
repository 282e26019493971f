"""F10: the machine's clock is set while somebody watches.  They watch on, in order, and no session ends early.

Sessions count time that passes in sleep too (CLOCK_BOOTTIME) and end by it: tests/auth, tests/web/test_sessions.py.
"""

from __future__ import annotations

import pytest

from appliance.base.clock import TICKS_PER_SECOND as S
from appliance.base.clock import ManualClock, SystemClock
from appliance.media.timeline import Timeline
from appliance.media.units import AccessUnit, Run
from tests.streams.scripted import START, picture
from tests.web.appliance import open_house
from tests.web.scenes import feed, give

HOUR = 3600 * S
PICTURE = S // 25


@pytest.mark.parametrize("jumps", [[-HOUR], [HOUR], [-HOUR, HOUR], [HOUR, -HOUR], [-HOUR, -HOUR, 2 * HOUR], [-5 * S]])
def test_f10_pictures_go_on_in_order_and_few_runs_begin_when_the_clock_is_set(jumps: list[int]) -> None:
    """A new run begins with an IDR picture: were there one for each picture, a viewer would see only those."""
    line = Timeline(ManualClock(START))
    seen, heard = line.track(90_000), line.track(48_000)
    runs: dict[Run, None] = {}
    last = set_by = furthest = 0
    for n in range(250 * (len(jumps) + 1)):
        if n % 250 == 0 and n:
            set_by += jumps[n // 250 - 1]
            furthest = max(furthest, set_by)
        arrival = START + n * PICTURE + set_by
        pts, run = seen.place(n * PICTURE, arrival)
        sound, with_ = heard.place(n * 48_000 // 25, arrival)
        assert pts > last
        assert with_ is run
        assert abs(sound - pts) <= 2
        runs[run] = None
        last = pts
    assert len(runs) <= 1 + len(jumps)
    if set_by == furthest:  # it is not behind what it said before: the times are its own again
        assert abs(last - (START + (n * PICTURE) + set_by)) < S


def later(unit: AccessUnit, ticks: int) -> AccessUnit:
    return AccessUnit(
        unit.data, unit.pts + ticks, unit.dts + ticks, unit.is_idr, unit.seq, unit.format, unit.run
    )  # fmt: skip


async def test_f10_a_viewer_is_not_cut_and_its_session_not_ended_when_the_clock_is_set() -> None:
    clock = ManualClock(SystemClock().utc_90k())  # certificates are of this time
    async with open_house(clock=clock) as house:
        camera = await house.camera()
        anna = await house.viewer("anna", camera)
        async with anna.live(camera.id) as view:
            await view.want()
            source = await feed(house, camera)
            await give(source, *(picture(n) for n in range(10)))
            zero = (await view.told("stream"))["utc_zero"]
            shift = 0
            for hours in (1, -2, 26):  # forward, back, and a day and more
                clock.advance(hours * 3600)
                shift += abs(hours) * HOUR  # as the timeline has it: it does not go back
                run = Run(zero + shift)
                before = len(view.media)
                await give(source, *(later(picture(n, run=run), shift) for n in range(10)))
                assert (await view.told("stream"))["utc_zero"] == run.utc_zero
                await view.fragments(11)  # the init segment and each picture
                assert len(view.media) > before + 10
                assert (await anna.get("/api/v1/session")).status == 200
            assert [member.ending for member in house.services.audience] == [None]
