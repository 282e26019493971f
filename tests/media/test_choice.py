"""The rules of who is served what, as tables."""

from __future__ import annotations

import pytest

from appliance.media.choice import Admission, Choice, admits, choose_stream, why_not_the_best

MAIN, SUB, THIRD = (1920, 1080), (640, 360), (320, 180)


@pytest.mark.parametrize(
    ("sizes", "requested", "zoomed", "adaptive", "stream", "by_tile"),
    [
        ([MAIN, SUB], (1920, 1080), False, True, 0, False),
        ([MAIN, SUB], (1280, 720), False, True, 0, False),
        ([MAIN, SUB], (640, 360), False, True, 1, True),
        ([MAIN, SUB], (641, 361), False, True, 0, False),
        ([MAIN, SUB], (640, 500), False, True, 1, True),  # fitted into the tile it is not enlarged
        ([MAIN, SUB, THIRD], (200, 112), False, True, 2, True),
        ([MAIN, SUB, THIRD], (400, 225), False, True, 1, True),
        ([MAIN, SUB], (3840, 2160), False, True, 0, False),
        ([MAIN, SUB], (320, 180), True, True, 0, False),  # ADA-3
        ([MAIN, SUB], (320, 180), False, False, 0, False),  # PER-1 off
        ([MAIN, SUB], None, False, True, 0, False),
        ([None, SUB], (1920, 1080), False, True, 1, False),  # all that is known
        ([None, None], (320, 180), False, True, 0, False),
        ([SUB, MAIN], (1920, 1080), False, True, 1, False),  # configured in the wrong order: measured sizes decide
        ([MAIN], (320, 180), False, True, 0, False),
        ([MAIN, MAIN], (1920, 1080), False, True, 0, False),
    ],
)
def test_the_lowest_resolution_that_is_enough(sizes, requested, zoomed, adaptive, stream, by_tile) -> None:
    choice = choose_stream(sizes, requested, zoomed=zoomed, adaptive=adaptive)
    assert (choice.stream, choice.by_tile_size) == (stream, by_tile)


@pytest.mark.parametrize(
    ("offered", "codec", "answer"),
    [
        (None, "avc1.640028", Admission.YES),
        (None, "hvc1.1.6.L93.B0", Admission.CODEC),
        ([], "avc1.640028", Admission.CODEC),
        (["avc1.640028"], "avc1.640028", Admission.YES),
        (["avc1.640028"], "avc1.64001f", Admission.YES),
        (["avc1.640028"], "avc1.42c01e", Admission.YES),
        (["avc1.640028"], "avc1.4d4032", Admission.LEVEL),
        (["avc1.42e01e"], "avc1.64001e", Admission.CODEC),
        (["avc1.42e033", "avc1.64001e"], "avc1.640028", Admission.LEVEL),
        (["hvc1.1.6.L120.90"], "avc1.640028", Admission.CODEC),
        (["hvc1.1.6.L120.90"], "hvc1.1.6.L120.90", Admission.YES),
        (["avc1.xyz", "avc1.", "avc1.64002", "nonsense"], "avc1.640028", Admission.CODEC),
        (["avc3.640028"], "avc1.640028", Admission.YES),
        (["hvc1.1.6.L120.B0"], "hvc1.1.2.L93", Admission.YES),  # fewer promises, the same profile
        (["hvc1.1.6.L120.B0"], "hvc1.1.6.L123.B0", Admission.LEVEL),
        (["hvc1.1.6.L153.B0"], "hvc1.1.6.H120.B0", Admission.LEVEL),  # the high tier
        (["hvc1.1.6.H153.B0"], "hvc1.1.6.L120.B0", Admission.YES),
        (["hvc1.1.6.L153.B0"], "hvc1.2.4.L120.B0", Admission.CODEC),
        (["hvc1.1.6.L153.B0"], "hvc1.2.6.L120.B0", Admission.YES),  # main 10 that says it is main as well
        (["hvc1.2.4.L153.B0"], "hvc1.1.6.L120.B0", Admission.YES),
        (["hev1.2.4.L153.B0"], "hvc1.2.4.L120", Admission.YES),
        (["hvc1.4.10.L153.9d.8"], "hvc1.2.4.L120", Admission.YES),
        (["hvc1.4.10.L153.9d.8"], "hvc1.4.10.L120.9D.8", Admission.YES),
        (["hvc1.4.10.L153.9d.8"], "hvc1.4.10.L120.9e.8", Admission.CODEC),  # of the range extensions only the same
        (["hvc1.1.6.L153.B0"], "hvc1.4.10.L120.9d.8", Admission.CODEC),
        (["hvc1", "hvc1.", "hvc1.1", "hvc1.1.6", "hvc1.1.6.M90", "hvc1.x.6.L90"], "hvc1.1.6.L90", Admission.CODEC),
        (["avc1.640033"], "hvc1.1.6.L90", Admission.CODEC),
        (["hvc1.A1.6.L90"], "hvc1.A1.6.L90", Admission.YES),  # not known: the very same
        (["hvc1.1.6.L153"], "hvc1.A1.6.L90", Admission.CODEC),
    ],
)
def test_what_a_client_offers_admits_profiles_below_and_levels_up_to_it(offered, codec, answer) -> None:
    assert admits(offered, codec) is answer


YES, CODEC, LEVEL = Admission


@pytest.mark.parametrize(
    ("admissions", "requested", "chosen", "reason"),
    [
        ((YES, YES), (1920, 1080), Choice(0, by_tile_size=False), None),
        ((YES, YES), (320, 180), Choice(1, by_tile_size=True), "tile_size"),
        ((CODEC, YES), (1920, 1080), Choice(1, by_tile_size=False), "codec"),
        ((LEVEL, YES), None, Choice(1, by_tile_size=False), "level"),
        ((CODEC, YES), (320, 180), Choice(1, by_tile_size=False), "tile_size"),
        ((YES, CODEC), (320, 180), Choice(0, by_tile_size=False), "codec"),  # larger than it need be
    ],
)
def test_a_stream_that_is_not_the_best_says_why(admissions, requested, chosen, reason) -> None:
    found = why_not_the_best([MAIN, SUB], admissions, chosen, requested, zoomed=False, adaptive=True)
    assert found == reason
