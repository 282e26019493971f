"""Abuse A26, some seconds of it: who leaves leaves nothing behind.  `make soak` takes an hour."""

from __future__ import annotations

import pytest

from tests.soak.run import Held, Soak, soak, soaking

#: Python's allocator finds its size within some thousand viewers; what grows for good is for the hour to see.
ALLOWED_MB = 16.0


@pytest.mark.peer
@pytest.mark.timeout(180)
def test_a26_viewers_that_come_and_go_leave_nothing_behind() -> None:
    with soaking() as server:
        done = soak(server, 8.0, warm_s=3.0, parts=2)
    print("\n" + done.markdown())
    assert done.failed == []
    assert done.connects >= 20
    first, last = done.held[0], done.held[-1]
    assert last.no_more_than(first), done.markdown()
    assert last.rss_mb - first.rss_mb < ALLOWED_MB


def test_the_slope_is_that_of_the_line_through_the_points() -> None:
    held = [Held(at, 0, 100 + 5 * at / 3600, 0, 0) for at in (0, 600, 1800, 3600)]
    assert Soak(held).slope_mb_per_h == pytest.approx(5)
