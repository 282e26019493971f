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


@pytest.mark.parametrize(
    ("gop_s", "since_key_s", "told"),
    [
        (None, 0.9, []),
        (None, 2.0, [(2.0, True)]),
        (1.0, 0.5, []),
        (1.0, 4.0, [(4.0, True)]),  # it was set to more a moment ago
        (4.0, 1.5, [(4.0, False)]),
    ],
)
def test_a_group_that_has_not_ended_is_as_long_as_that_at_least(gop_s, since_key_s, told) -> None:
    found = advise(gop_s, 25.0, since_key_s=since_key_s)
    assert [(each.measured, each.at_least) for each in found] == told
    assert all(("or less often" in each.message) is each.at_least for each in found)


def test_motion_jpeg_has_no_groups() -> None:
    assert [each.about for each in advise(2.0, 0.5, is_intra=True)] == [About.RATE]
