"""The timer that is waited for like a socket, beside one that is counted by hand."""

from __future__ import annotations

import select
import time

import pytest

from appliance._native.ticker import Ticker


def test_it_becomes_readable_at_each_period_and_what_was_missed_is_counted() -> None:
    ticker = Ticker(0.01)
    try:
        assert not select.select([ticker], [], [], 0.05)[0]  # it does not run
        assert ticker.take() == 0
        began = time.monotonic()
        ticker.start()
        while time.monotonic() - began < 0.1:
            time.sleep(0.01)
        missed = ticker.take()
        assert 9 <= missed <= (time.monotonic() - began) / 0.01
        assert select.select([ticker], [], [], 5)[0]
        ticker.stop()
        ticker.take()
        assert not select.select([ticker], [], [], 0.05)[0]
    finally:
        ticker.close()


def test_closed_it_has_no_descriptor_and_cannot_be_started() -> None:
    ticker = Ticker(1)
    ticker.close()
    ticker.close()
    assert ticker.fileno() == -1
    with pytest.raises(OSError, match="descriptor"):
        ticker.start()
    with pytest.raises(OSError, match="descriptor"):
        ticker.take()


@pytest.mark.parametrize("period", [0, -1, 1e-9, float("nan"), 1e9])
def test_a_period_that_cannot_be_is_refused(period: float) -> None:
    with pytest.raises(ValueError, match="a period of"):
        Ticker(period)
