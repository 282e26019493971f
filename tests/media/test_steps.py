"""The steps down from the best picture: ever fewer bytes, none too large, and shared sizes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.media.ladder import Limit, Rung, rung, sizes
from appliance.media.steps import RELIEF, picture_bytes, rates_kbps, steps

LEVEL_1 = Limit(25, (1920, 1080))


def test_the_first_is_what_was_asked_for_and_then_goes_what_is_missed_least() -> None:
    chain = steps((1920, 1080), (640, 360), 25, source_fps=25, limit=LEVEL_1)
    assert chain[0].rung == Rung(640, 360, None, 75)
    assert [step.rung for step in chain[1:9]] == [
        Rung(640, 360, 20, 75),
        Rung(640, 360, 20, 60),
        Rung(640, 360, 15, 60),
        Rung(640, 360, 12, 60),
        Rung(640, 360, 10, 60),
        Rung(640, 360, 10, 45),
        Rung(640, 360, 8, 45),
        Rung(320, 180, 15, 60),
    ]
    assert chain[-1].kbps < 64


@pytest.mark.parametrize(
    ("made", "size"),
    # measured on the footage of the bench, 4:2:0
    [(Rung(640, 360, 25, 75), 37_900), (Rung(1280, 720, 25, 75), 106_000), (Rung(1920, 1080, 25, 75), 184_400)],
)
def test_pictures_are_about_as_large_as_measured(made, size) -> None:
    assert picture_bytes(made) == pytest.approx(size, rel=0.05)


def test_a_scene_of_more_detail_takes_more_in_every_step() -> None:
    chain = steps((1920, 1080), (640, 360), 25, source_fps=25)
    measured = 2 * picture_bytes(chain[3].rung)
    assert rates_kbps(chain, 3, measured) == pytest.approx([2 * step.kbps for step in chain])
    assert rates_kbps(chain, 3, None) == tuple(step.kbps for step in chain)


@given(
    source=st.tuples(st.integers(160, 4000), st.integers(120, 3000)),
    tile=st.none() | st.tuples(st.integers(1, 4000), st.integers(1, 3000)),
    fps=st.sampled_from([0.5, 1, 5, 12, 25, 60]),
    sent=st.none() | st.sampled_from([0.5, 1.0, 6.0, 10.0, 24.9, 30.0]),
)
def test_every_chain(source, tile, fps, sent) -> None:
    chain = steps(source, tile, fps, source_fps=sent, limit=LEVEL_1)
    assert chain[0].rung == rung(source, tile, fps, source_fps=sent, limit=LEVEL_1)
    for one, other in pairwise(chain):
        assert other.kbps <= one.kbps / RELIEF
        assert other.rung.width <= chain[0].rung.width
        assert other.rung.size in sizes(source, LEVEL_1)
        assert (other.rung.fps or 0) <= (chain[0].rung.fps or sent or fps)
    # but for the last resorts the network is not left half empty
    gaps = [one.kbps / other.kbps for one, other in pairwise(chain)]
    assert sum(gap > 1.45 for gap in gaps) <= 3
    assert max(gaps, default=1) <= 2.1
    assert len(chain) <= 40
