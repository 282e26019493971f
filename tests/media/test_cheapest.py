"""The cheapest way to the JPEG that is wanted (design §5.5), as a table."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.media.adaptive import StreamMode
from appliance.media.cheapest import Pictures, Plan, Why, cheapest
from appliance.media.ladder import ENLARGED, Limit, magnification
from appliance.media.offer import Offer, State

LEVEL_1 = Limit(25, (1920, 1080))
MAIN = Offer((1920, 1080), "h264", 25, 4000, 1.0)
SUB = Offer((640, 360), "h264", 25, 500, 1.0)
HEVC = replace(MAIN, codec="h265")
MJPEG = Offer((1280, 720), "mjpeg", 10, 8000, None)
UHD = Offer((3840, 2160), "h265", 25, 8000, 2.0)
LOST = State.LOST
TILE, NINTH, WHOLE = (912, 513), (608, 342), (1920, 1080)
ALL, KEY, NONE = Pictures


def brief(plan: Plan | None) -> tuple[object, ...] | None:
    return plan and (plan.stream, plan.rung.size, plan.rung.fps, plan.pictures, plan.skip_loop_filter, plan.reduce)


@pytest.mark.parametrize(
    ("offers", "tile", "fps", "expected", "why"),
    [
        ([MAIN], WHOLE, 25, (0, WHOLE, None, ALL, False, 1), [Why.ONLY]),
        ([MAIN], TILE, 25, (0, (960, 540), None, ALL, True, 1), [Why.ONLY, Why.UNFILTERED]),
        ([MAIN], NINTH, 10, (0, (640, 360), 10, ALL, True, 1), [Why.ONLY, Why.UNFILTERED]),
        ([MAIN, SUB], NINTH, 25, (1, (640, 360), None, ALL, False, 1), [Why.SMALLER]),
        ([MAIN, SUB], (300, 170), 25, (1, (320, 180), None, ALL, True, 1), [Why.SMALLER, Why.UNFILTERED]),
        ([SUB, MAIN], NINTH, 25, (0, (640, 360), None, ALL, False, 1), [Why.SMALLER]),
        ([MAIN, SUB], TILE, 25, (0, (960, 540), None, ALL, True, 1), [Why.LARGEST, Why.UNFILTERED]),
        # key frames only: one a second in groups of a second, not of two; two in groups of a half
        ([MAIN], TILE, 1, (0, (960, 540), 1, KEY, True, 1), [Why.ONLY, Why.KEY_FRAMES, Why.UNFILTERED]),
        ([MAIN], TILE, 2, (0, (960, 540), 2, ALL, True, 1), [Why.ONLY, Why.UNFILTERED]),
        ([UHD], WHOLE, 1, (0, WHOLE, 1, ALL, True, 1), [Why.ONLY, Why.UNFILTERED]),
        ([UHD], WHOLE, 0.5, (0, WHOLE, 0.5, KEY, True, 1), [Why.ONLY, Why.KEY_FRAMES, Why.UNFILTERED]),
        ([replace(MAIN, gop_s=0.5)], WHOLE, 2, (0, WHOLE, 2, KEY, False, 1), [Why.ONLY, Why.KEY_FRAMES]),
        ([replace(MAIN, gop_s=None)], WHOLE, 1, (0, WHOLE, 1, ALL, False, 1), [Why.ONLY]),
        ([replace(MAIN, gop_s=1.04)], WHOLE, 1, (0, WHOLE, 1, KEY, False, 1), [Why.ONLY, Why.KEY_FRAMES]),
        # a camera of one picture a second, each of them a key frame
        ([replace(MAIN, fps=1.0, gop_s=1.0)], WHOLE, 25, (0, WHOLE, None, KEY, False, 1), [Why.ONLY, Why.KEY_FRAMES]),
        # all pictures of the small stream, or the key frames of the large one: whichever cost less
        ([MAIN, replace(SUB, gop_s=20)], NINTH, 1, (1, (640, 360), 1, ALL, False, 1), [Why.SMALLER]),
        ([replace(MAIN, size=(1280, 720)), replace(SUB, size=(960, 540), gop_s=20, codec="h265")], NINTH, 1,
         (0, (640, 360), 1, KEY, True, 1), [Why.CHEAPEST, Why.KEY_FRAMES, Why.UNFILTERED]),
        # of one size the codec that is cheaper to decode
        ([HEVC, MAIN], WHOLE, 25, (1, WHOLE, None, ALL, False, 1), [Why.CHEAPEST]),
        # MJPEG: as it is, at a part of its size, chosen for being few
        ([MJPEG], (1280, 720), 25, (0, (1280, 720), None, NONE, False, 1), [Why.ONLY, Why.PASSED]),
        ([MJPEG], (1280, 720), 5, (0, (1280, 720), 5, NONE, False, 1), [Why.ONLY, Why.PASSED]),
        ([MJPEG], NINTH, 5, (0, (640, 360), 5, KEY, False, 1), [Why.ONLY]),
        ([replace(MJPEG, size=(1920, 1080))], NINTH, 5, (0, (640, 360), 5, KEY, False, 1), [Why.ONLY]),
        ([replace(MJPEG, size=(2560, 1440))], NINTH, 5, (0, (852, 480), 5, KEY, False, 1), [Why.ONLY]),
        ([replace(MJPEG, size=(2560, 1440))], (200, 112), 5, (0, (426, 240), 5, KEY, False, 4),
         [Why.ONLY, Why.REDUCED]),
        ([replace(MJPEG, size=(1200, 1600))], (900, 1200), 5, (0, (1080, 1440), 5, KEY, False, 1), [Why.ONLY]),
        ([MAIN, MJPEG], (1280, 720), 25, (1, (1280, 720), None, NONE, False, 1), [Why.SMALLER, Why.PASSED]),
        ([replace(MAIN, codec="mpeg4")], TILE, 25, (0, (960, 540), None, ALL, False, 1), [Why.ONLY]),
        # what is lost, not known, not video
        ([replace(MAIN, state=LOST), SUB], WHOLE, 25, (1, (640, 360), None, ALL, False, 1), [Why.NOT_LOST]),
        ([MAIN, replace(SUB, state=LOST)], NINTH, 25, (0, (640, 360), None, ALL, True, 1),
         [Why.NOT_LOST, Why.UNFILTERED]),
        ([replace(MAIN, state=LOST), replace(SUB, state=LOST)], NINTH, 25, (1, (640, 360), None, ALL, False, 1),
         [Why.SMALLER]),
        ([Offer(), SUB], WHOLE, 25, (1, (640, 360), None, ALL, False, 1), [Why.LARGEST]),
        ([replace(MAIN, codec="theora")], WHOLE, 25, None, []),
        ([Offer()], WHOLE, 25, None, []),
        ([], WHOLE, 25, None, []),
        # no size asked for: the largest, or what fills the limit
        ([MAIN, SUB], None, 25, (0, WHOLE, None, ALL, False, 1), [Why.LARGEST]),
        ([UHD, MAIN, SUB], None, 25, (1, WHOLE, None, ALL, False, 1), [Why.SMALLER]),
    ],
)  # fmt: skip
def test_the_table(offers, tile, fps, expected, why) -> None:
    plan = cheapest(offers, tile, fps, limit=LEVEL_1)
    assert brief(plan) == expected
    assert list(plan.why if plan else ()) == why


def test_zoomed_it_is_the_largest_stream_whole() -> None:
    plan = cheapest([SUB, MAIN], (200, 112), 25, zoomed=True, limit=LEVEL_1)
    assert brief(plan) == (1, (1920, 1080), None, ALL, False, 1)
    assert plan is not None
    assert plan.why == (Why.ZOOM,)


@pytest.mark.parametrize(
    ("mode", "tile", "zoomed", "stream", "size"),
    [
        (StreamMode.QUALITY, (912, 513), False, 0, (960, 540)),
        (StreamMode.PERFORMANCE, (912, 513), False, 1, (640, 360)),
        (StreamMode.BANDWIDTH, (1920, 1080), False, 1, (640, 360)),
        (StreamMode.BANDWIDTH, (300, 170), False, 1, (320, 180)),
        (StreamMode.BANDWIDTH, (300, 170), True, 0, (1920, 1080)),
        (StreamMode.PERFORMANCE, (300, 170), True, 0, (1920, 1080)),
    ],
)
def test_the_administrators_mode_says_how_large_a_stream_is_used(mode, tile, zoomed, stream, size) -> None:
    plan = cheapest([MAIN, SUB], tile, 25, mode=mode, zoomed=zoomed, limit=LEVEL_1)
    assert plan is not None
    assert (plan.stream, plan.rung.size) == (stream, size)
    assert (Why.LOWEST in plan.why) is (mode is StreamMode.BANDWIDTH and not zoomed)


def test_where_sound_is_wanted_what_has_it_goes_before_what_has_none() -> None:
    heard = replace(MAIN, sound=True)
    for offers, sound, stream, why in (
        ([heard, SUB], True, 0, Why.SOUND),
        ([heard, SUB], False, 1, Why.SMALLER),
        ([MAIN, SUB], True, 1, Why.SMALLER),  # none has
        ([replace(heard, state=LOST), SUB], True, 1, Why.NOT_LOST),
        ([heard, replace(SUB, sound=True)], True, 1, Why.SMALLER),
    ):
        plan = cheapest(offers, NINTH, 25, sound=sound)
        assert plan is not None
        assert (plan.stream, plan.why[0]) == (stream, why)


def test_a_mask_is_burned_in_so_nothing_is_passed_through() -> None:
    thumbnail = cheapest([MJPEG], (160, 90), 5)
    masked = cheapest([MJPEG], (160, 90), 5, masked=True)
    assert thumbnail is not None
    assert masked is not None
    assert (thumbnail.reduce, masked.reduce) == (4, 1)
    assert masked.cost > thumbnail.cost
    plan = cheapest([MJPEG], (1280, 720), 25, masked=True)
    assert brief(plan) == (0, (1280, 720), None, KEY, False, 1)


def test_less_quality_is_not_what_the_camera_sends() -> None:
    plan = cheapest([MJPEG], (1280, 720), 25, quality=45)
    assert brief(plan) == (0, (1280, 720), None, KEY, False, 1)


@pytest.mark.parametrize(
    ("cheap", "dear", "ratio"),
    [
        (([MAIN, SUB], NINTH, 25), ([MAIN], NINTH, 25), 0.23),
        (([MAIN], NINTH, 1), ([MAIN], NINTH, 25), 0.16),
    ],
)
def test_costs_are_near_what_was_measured(cheap, dear, ratio) -> None:
    one, other = cheapest(*cheap), cheapest(*dear)
    assert one is not None
    assert other is not None
    assert one.cost / other.cost == pytest.approx(ratio, abs=0.1)


offers = st.builds(
    Offer,
    size=st.none() | st.sampled_from([(3840, 2160), (1920, 1080), (1280, 720), (640, 480), (640, 360), (1080, 1920)]),
    codec=st.sampled_from([None, "h264", "h265", "mjpeg", "mpeg4"]),
    fps=st.none() | st.sampled_from([1.0, 10.0, 24.9, 30.0]),
    gop_s=st.none() | st.sampled_from([0.5, 1.0, 2.0, 20.0]),
    state=st.sampled_from(State),
)


@given(
    streams=st.lists(offers, max_size=4),
    tile=st.none() | st.tuples(st.integers(0, 4000), st.integers(0, 4000)),
    fps=st.sampled_from([0.5, 1, 5, 10, 25, 60]),
    zoomed=st.booleans(),
    masked=st.booleans(),
)
def test_whatever_a_camera_offers(streams, tile, fps, zoomed, masked) -> None:
    plan = cheapest(streams, tile, fps, zoomed=zoomed, masked=masked, limit=LEVEL_1)
    usable = [each for each in streams if each.size and each.codec]
    assert (plan is None) is (not usable)
    if plan is None:
        return
    chosen = streams[plan.stream]
    assert chosen in usable
    there = [each for each in usable if each.state is not LOST] or usable
    assert chosen in there
    assert chosen.size is not None
    assert plan.rung.width <= chosen.size[0]
    assert plan.rung.height <= chosen.size[1]
    assert plan.cost >= 0
    assert not (masked and (plan.pictures is NONE or plan.reduce > 1))
    assert plan.pictures is not NONE or plan.rung.size == chosen.size
    assert not plan.skip_loop_filter or chosen.size[0] >= 2 * plan.rung.width
    assert plan.reduce == 1 or (chosen.codec == "mjpeg" and chosen.size[0] >= plan.reduce * plan.rung.width)
    large = [each for each in there if each.size and magnification(each.size, tile, LEVEL_1) <= ENLARGED]
    if zoomed or not large:
        assert chosen.samples == max(each.samples for each in there)
    else:
        assert chosen in large
