"""Which stream a client gets (rows ADA-1 to ADA-4): modes, sizes, codecs, sound, and streams that are lost."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.media.adaptive import REDUCED, Choice, StreamMode, Wish, choose
from appliance.media.choice import Admission
from appliance.media.offer import Offer, State

YES, CODEC, LEVEL = Admission
QUALITY, PERFORMANCE, BANDWIDTH = StreamMode
MAIN, SUB, THIRD, UNKNOWN = Offer((1920, 1080)), Offer((640, 360)), Offer((320, 180)), Offer()


def lost(offer: Offer) -> Offer:
    return Offer(offer.size, state=State.LOST)


@pytest.mark.parametrize(
    ("offers", "tile", "zoomed", "adaptive", "stream", "reason"),
    [
        ([MAIN, SUB], (1920, 1080), False, True, 0, None),
        ([MAIN, SUB], (1280, 720), False, True, 0, None),
        ([MAIN, SUB], (640, 360), False, True, 1, "tile_size"),
        ([MAIN, SUB], (641, 361), False, True, 0, None),
        ([MAIN, SUB], (640, 500), False, True, 1, "tile_size"),  # fitted into the tile it is not enlarged
        ([MAIN, SUB, THIRD], (200, 112), False, True, 2, "tile_size"),
        ([MAIN, SUB, THIRD], (400, 225), False, True, 1, "tile_size"),
        ([MAIN, SUB], (3840, 2160), False, True, 0, None),
        ([MAIN, SUB], (320, 180), True, True, 0, None),  # ADA-3
        ([MAIN, SUB], (320, 180), False, False, 0, None),  # PER-1 off
        ([MAIN, SUB], None, False, True, 0, None),
        ([UNKNOWN, SUB], (1920, 1080), False, True, 1, None),  # all that is known
        ([UNKNOWN, UNKNOWN], (320, 180), False, True, 0, None),
        ([SUB, MAIN], (1920, 1080), False, True, 1, None),  # configured in the wrong order: measured sizes decide
        ([MAIN], (320, 180), False, True, 0, None),
        ([MAIN, MAIN], (1920, 1080), False, True, 0, None),
    ],
)
def test_the_lowest_resolution_that_is_enough(offers, tile, zoomed, adaptive, stream, reason) -> None:
    wish = Wish(tile, zoomed=zoomed, adaptive=adaptive)
    assert choose(offers, [YES] * len(offers), wish) == Choice(stream, reason)


@pytest.mark.parametrize(
    ("mode", "tile", "stream", "reason"),
    [
        (QUALITY, (960, 540), 0, None),
        (PERFORMANCE, (960, 540), 1, "tile_size"),  # two thirds of it are enough
        (PERFORMANCE, (961, 541), 0, None),
        (PERFORMANCE, (480, 270), 2, "tile_size"),
        (PERFORMANCE, (481, 271), 1, "tile_size"),
        (BANDWIDTH, (1920, 1080), 2, "bandwidth"),
        (BANDWIDTH, None, 2, "bandwidth"),
        (PERFORMANCE, None, 0, None),
    ],
)
def test_modes(mode, tile, stream, reason) -> None:
    assert choose([MAIN, SUB, THIRD], [YES] * 3, Wish(tile, mode=mode)) == Choice(stream, reason)


@pytest.mark.parametrize("mode", StreamMode)
def test_zoomed_it_is_the_largest_in_every_mode(mode) -> None:
    assert choose([SUB, MAIN, THIRD], [YES] * 3, Wish((100, 60), zoomed=True, mode=mode)) == Choice(1, None)


@pytest.mark.parametrize("mode", StreamMode)
def test_not_adaptive_it_is_the_largest_in_every_mode(mode) -> None:
    assert choose([SUB, MAIN, THIRD], [YES] * 3, Wish((100, 60), adaptive=False, mode=mode)) == Choice(1, None)


def test_of_one_resolution_the_one_that_costs_the_network_less_unless_quality_is_wanted() -> None:
    offers = [Offer((640, 360), kbps=900), Offer((640, 360), kbps=400), Offer((640, 360))]
    chosen = {mode: choose(offers, [YES] * 3, Wish((640, 360), mode=mode)).stream for mode in StreamMode}
    assert chosen == {QUALITY: 0, PERFORMANCE: 1, BANDWIDTH: 1}


@pytest.mark.parametrize(
    ("admissions", "tile", "stream", "reason"),
    [
        ((YES, YES), (1920, 1080), 0, None),
        ((YES, YES), (320, 180), 1, "tile_size"),
        ((CODEC, YES), (1920, 1080), 1, "codec"),
        ((LEVEL, YES), None, 1, "level"),
        ((CODEC, YES), (320, 180), 1, "tile_size"),
        ((YES, CODEC), (320, 180), 0, "codec"),  # larger than it need be
        ((CODEC, CODEC), (320, 180), None, "codec"),
        ((CODEC, LEVEL), (320, 180), None, "level"),  # the nearest to being played
    ],
)
def test_what_a_client_does_not_play(admissions, tile, stream, reason) -> None:
    assert choose([MAIN, SUB], admissions, Wish(tile)) == Choice(stream, reason)


@pytest.mark.parametrize(
    ("offers", "tile", "stream", "reason"),
    [
        ([lost(MAIN), SUB], (1920, 1080), 1, "camera_lost"),
        ([MAIN, lost(SUB)], (320, 180), 0, "camera_lost"),
        ([lost(MAIN), SUB], (320, 180), 1, "tile_size"),  # it is not missed
        ([lost(MAIN), lost(SUB)], (320, 180), 1, "tile_size"),  # the one to wait for
    ],
)
def test_a_stream_that_is_lost_is_not_waited_for_if_another_is_there(offers, tile, stream, reason) -> None:
    assert choose(offers, [YES, YES], Wish(tile)) == Choice(stream, reason)


def test_sound_is_in_one_stream_only() -> None:
    offers = [Offer((1920, 1080), sound=True), SUB]
    assert choose(offers, [YES, YES], Wish((320, 180), sound=True)).stream == 0
    assert choose(offers, [YES, YES], Wish((320, 180))).stream == 1
    assert choose(offers, [CODEC, YES], Wish((320, 180), sound=True)).stream == 1


SIZES = [None, (1920, 1080), (1280, 720), (640, 360)]


@pytest.mark.parametrize("zoomed", [False, True])
@pytest.mark.parametrize("mode", StreamMode)
def test_every_combination_of_two_streams(mode, zoomed) -> None:
    """Against the sentences of the requirement, each written down as it reads."""
    count = 0
    for sizes in product(SIZES, SIZES):
        for admissions, states in product(product(Admission, repeat=2), product([State.OK, State.LOST], repeat=2)):
            for tile in [(200, 112), (900, 506), (1280, 720), (1900, 1068)]:
                offers = [Offer(size, state=state) for size, state in zip(sizes, states, strict=True)]
                got = choose(offers, admissions, Wish(tile, zoomed=zoomed, mode=mode)).stream
                available = [n for n in (0, 1) if admissions[n] is YES]
                available = [n for n in available if states[n] is State.OK] or available
                count += 1
                if not available:
                    assert got is None
                    continue
                assert got in available
                widths = {n: sizes[n][0] for n in available if sizes[n] is not None}
                if not widths:
                    assert got == available[0]
                    continue
                requested = tile[0] * REDUCED if mode is PERFORMANCE else tile[0]
                if zoomed:
                    expected = max(widths.values())
                elif mode is BANDWIDTH:
                    expected = min(widths.values())
                else:
                    expected = min([w for w in widths.values() if w >= requested], default=max(widths.values()))
                assert widths[got] == expected
    assert count == 16 * 9 * 4 * 4


offers_ = st.builds(
    Offer,
    size=st.none() | st.tuples(st.integers(64, 4000), st.integers(64, 4000)),
    kbps=st.none() | st.floats(1, 20_000),
    state=st.sampled_from(State),
    sound=st.booleans(),
)
wishes = st.builds(
    Wish,
    tile=st.none() | st.tuples(st.integers(0, 4000), st.integers(0, 4000)),
    zoomed=st.booleans(),
    sound=st.booleans(),
    adaptive=st.booleans(),
    mode=st.sampled_from(StreamMode),
)


@given(streams=st.lists(st.tuples(offers_, st.sampled_from(Admission)), min_size=1, max_size=5), wish=wishes)
def test_whatever_a_camera_offers(streams, wish) -> None:
    offers, admissions = [each for each, _ in streams], [admission for _, admission in streams]
    choice = choose(offers, admissions, wish)
    assert (choice.stream is None) is (YES not in admissions)
    if choice.stream is None:
        assert choice.reason in ("codec", "level")
        return
    assert admissions[choice.stream] is YES
    known = [offer.samples for offer, admission in streams if admission is YES and offer.size]
    if choice.reason is None and known and not wish.sound and all(each.state is not State.LOST for each in offers):
        assert offers[choice.stream].samples == max(known)
    # asked again it is the same: nothing in it flaps
    assert choose(offers, admissions, wish) == choice
