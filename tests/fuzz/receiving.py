"""What a receiver gives out for any packets: the same promises whatever is in them."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING

from appliance.base.clock import ManualClock
from appliance.media.timeline import Timeline
from appliance.media.units import AccessUnit
from appliance.sites.rtsp.errors import RtspError
from appliance.sites.rtsp.messages import Packets
from appliance.sites.rtsp.oddities import Oddities
from appliance.sites.rtsp.source import receiver_of
from appliance.sites.source import SourceStatistics

if TYPE_CHECKING:
    from appliance.media.units import Unit
    from appliance.sites.rtsp.codecs import PicturePlan


def receive(plan: PicturePlan, data: bytes, spans: list[tuple[int, int, int]]) -> list[AccessUnit]:
    """The pictures, numbered and decoded in order; each packet is taken for one of control as well."""
    clock = ManualClock()
    receiver = receiver_of(plan, Timeline(clock).track(90_000), SourceStatistics(), Oddities())
    units: list[Unit] = []
    with suppress(RtspError):
        for _, start, end in spans:
            clock.advance(0.04)
            receiver.packets(Packets(bytearray(data), [(0, start, end)]), 0, clock.now, 0.0, units)
            receiver.reports.control(data[start:end], clock.now, 0.0)
    found = [unit for unit in units if isinstance(unit, AccessUnit)]
    assert len(found) == len(units)
    assert all(unit.seq > before.seq and unit.dts > before.dts for before, unit in pairwise(found))
    return found


def check_groups(units: list[AccessUnit]) -> None:
    """After a gap decoding starts anew, and nothing leads that start."""
    before: AccessUnit | None = None
    broken = False  # the last start came after a gap
    for unit in units:
        if before is None or unit.seq != before.seq + 1:
            assert unit.is_idr
            broken = True
        elif unit.is_idr:
            broken = False
        assert not (unit.leading and broken)
        before = unit
