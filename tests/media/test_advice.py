"""What an administrator is advised (row DIR-3), by what was measured."""

from __future__ import annotations

import pytest

from appliance.media.advice import About, advise


@pytest.mark.parametrize(
    ("gop_s", "fps", "about"),
    [
        (None, None, []),
        (1.0, 25.0, []),
        (1.004, 24.9, []),  # a second, as measured
        (0.5, 11.0, []),
        (1.0, 10.97, []),
        (2.0, 25.0, [About.GOP]),
        (1.1, 25.0, [About.GOP]),
        (1.0, 10.0, [About.RATE]),
        (1.0, 10.03, [About.RATE]),  # ten is not above ten
        (10.0, 1.0, [About.GOP, About.RATE]),
        (None, 5.0, [About.RATE]),
        (4.0, None, [About.GOP]),
    ],
)
def test_advice(gop_s, fps, about) -> None:
    assert [each.about for each in advise(gop_s, fps)] == about


def test_it_says_what_was_measured_and_what_to_do() -> None:
    gop, rate = advise(2.04, 8.333)
    assert (gop.message, gop.measured) == ("The camera sends a key frame every 2.0 s.", 2.04)
    assert "one a second" in gop.hint
    assert (rate.message, rate.measured) == ("The camera sends 8.33 pictures a second.", 8.333)
    assert "more than 10" in rate.hint
