"""What a stream really sends."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from appliance.base.clock import TICKS_PER_SECOND
from appliance.streams.meter import Meter

START = 1_700_000_000 * TICKS_PER_SECOND


def feed(meter: Meter, at_s: float, fps: float, seconds: float, gop: int = 25) -> float:
    """Pictures of 1000 bytes; when the next one would come."""
    count = round(seconds * fps)
    for number in range(count):
        at = START + round((at_s + number / fps) * TICKS_PER_SECOND)
        meter.picture(SimpleNamespace(dts=at, data=bytes(1000), is_idr=number % gop == 0))
    return at_s + count / fps


@pytest.mark.parametrize("fps", [0.5, 1, 5, 25, 60])
def test_rates_are_those_of_the_pictures(fps: float) -> None:
    meter = Meter()
    feed(meter, 0, fps, 12)
    assert meter.read().fps == pytest.approx(fps, rel=0.02)
    assert meter.read().kbps == pytest.approx(fps * 8, rel=0.02)


@pytest.mark.parametrize("stall", [1.5, 3.9, 4.1, 60])
def test_a_stall_does_not_make_a_slow_camera_of_it(stall: float) -> None:
    meter = Meter()
    at = feed(meter, 0, 25, 10) + stall
    for _ in range(100):
        at = feed(meter, at, 25, 0.04)
        assert meter.read().fps in (None, pytest.approx(25, rel=0.02))
    assert meter.read().fps is not None


def test_a_camera_that_becomes_slow_is_measured_so() -> None:
    meter = Meter()
    feed(meter, feed(meter, 0, 25, 10), 1, 10)
    assert meter.read().fps == pytest.approx(1, rel=0.02)


def test_the_length_of_the_group_of_pictures() -> None:
    meter = Meter()
    feed(meter, 0, 25, 10, gop=50)
    assert meter.read().gop_s == pytest.approx(2)
    assert meter.read().gop_pictures == 50
