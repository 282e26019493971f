"""What a client can play, as a table."""

from __future__ import annotations

import pytest

from appliance.media.choice import Admission, admits


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
