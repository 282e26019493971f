"""The same with H.265: where decoding can start, and what cannot be decoded there."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.media.units import AccessUnit
from appliance.sites.rtsp.errors import UnsupportedCodec
from appliance.sites.rtsp.oddities import Oddity
from tests.media.clips import encode_h265
from tests.native.test_rtp_h265 import nal
from tests.reference.packets import avcc, fu, packetize
from tests.reference.packets import rtp as packet
from tests.sites.rtsp.talk import H265, H265_SETS, H265_WITHOUT_SETS
from tests.sites.rtsp.test_video import STEP, Camera

VPS, SPS, PPS = H265_SETS
SMALL = encode_h265(1, (64, 64)).format.parameter_sets
IDR, CRA, BLA = (nal(kind, b"\xaf" + b"\x21" * 40) for kind in (19, 21, 16))
P, RASL, RADL = (nal(kind, b"\xd0" + b"\x22" * 20) for kind in (1, 9, 7))


def timed(*pictures: tuple[bytes, int], start: int = 0) -> list[bytes]:
    """One packet a picture, each with its time in pictures."""
    return [packet(unit, sequence=start + n, time=at * STEP, marker=True) for n, (unit, at) in enumerate(pictures)]


def test_pictures_come_with_times_formats_and_numbers() -> None:
    camera = Camera(H265)
    units = camera.push(*packetize([[VPS, SPS, PPS, IDR], [P], [P]], step=STEP, size=30, split=fu))
    assert [unit.data for unit in units] == [avcc(IDR), avcc(P), avcc(P)]
    assert [unit.is_idr for unit in units] == [True, False, False]
    assert [unit.pts - camera.begun for unit in units] == [0, STEP, 2 * STEP]
    assert units[0].format is camera.receiver.format
    assert (units[0].format.codec, units[0].format.width) == ("h265", 704)
    assert camera.oddities.names == set()


@pytest.mark.parametrize("start", [IDR, CRA, BLA])
def test_decoding_starts_at_any_random_access_picture(start: bytes) -> None:
    camera = Camera(H265)
    units = camera.push(*timed((P, 0), (start, 1), (P, 2)))
    assert [(unit.data, unit.is_idr) for unit in units] == [(avcc(start), True), (avcc(P), False)]
    assert camera.statistics.units_dropped == 0


def test_what_leads_is_left_out_when_joining_there_and_else_marked() -> None:
    camera = Camera(H265)
    units = camera.push(*timed((CRA, 3), (RASL, 1), (RADL, 2), (P, 4), (CRA, 8), (RASL, 6), (RADL, 7), (P, 9)))
    kept = [CRA, RADL, P, CRA, RASL, RADL, P]
    assert [unit.data for unit in units] == [avcc(each) for each in kept]
    assert [unit.leading for unit in units] == [each == RASL for each in kept]
    assert [unit.seq for unit in units] == list(range(7))


def test_after_a_loss_what_leads_the_next_start_cannot_be_decoded_either() -> None:
    camera = Camera(H265)
    packets = timed((IDR, 0), (P, 1), (P, 2), (CRA, 6), (RASL, 4), (P, 7))
    units = camera.push(*packets[:1], *packets[2:])
    assert [unit.data for unit in units] == [avcc(IDR), avcc(CRA), avcc(P)]
    assert (camera.statistics.units_dropped, camera.receiver.reports.counters.lost) == (2, 1)
    assert units[1].seq > units[0].seq + 1


def test_what_leads_a_broken_link_is_never_of_use() -> None:
    camera = Camera(H265)
    units = camera.push(*timed((IDR, 0), (P, 1), (BLA, 4), (RASL, 2), (P, 5)))
    assert [unit.data for unit in units] == [avcc(IDR), avcc(P), avcc(BLA), avcc(P)]


def test_parameter_sets_in_band_are_enough_and_may_come_one_by_one() -> None:
    camera = Camera(H265_WITHOUT_SETS)
    assert camera.receiver.format is None
    units = camera.push(*packetize([[IDR], [SPS, P], [VPS, P], [PPS, P], [CRA], [P]]))
    assert [unit.format.width for unit in units] == [704, 704]


def test_a_new_format_begins_with_the_next_start_and_nothing_leads_it() -> None:
    camera = Camera(H265)
    first = camera.push(*packetize([[IDR], [*SMALL, P], [P]]))
    later = camera.push(*timed((CRA, 6), (RASL, 4), (P, 7), start=6))
    assert [unit.format.width for unit in first + later] == [704, 64, 64]
    assert [unit.data for unit in later] == [avcc(CRA), avcc(P)]


def test_nothing_leads_a_new_format_that_comes_with_its_start() -> None:
    camera = Camera(H265)
    first = camera.push(*packetize([[IDR], [P]]))
    later = camera.push(*packetize([[*SMALL, CRA], [RASL], [P]], sequence=2, time=2 * STEP))
    assert [unit.format.width for unit in first + later] == [704, 704, 64, 64]
    assert [unit.data for unit in later[1:]] == [avcc(P)]


def test_a_new_picture_parameter_set_alone_is_a_new_format() -> None:
    camera = Camera(H265)
    units = camera.push(*packetize([[VPS, SPS, PPS, IDR], [P], [b"\x44\x01\xc0\x73\xc0\x41", CRA], [P]]))
    assert len(units) == 4
    assert units[0].format is units[1].format is not units[2].format is units[3].format
    assert units[2].format.parameter_sets == (VPS, SPS, b"\x44\x01\xc0\x73\xc0\x41")


def test_unreadable_parameter_sets_in_band_leave_the_old_ones_in_force() -> None:
    camera = Camera(H265)
    units = camera.push(*packetize([[VPS, b"\x42\x01\x01", PPS, IDR], [P]]))
    assert [unit.format.width for unit in units] == [704, 704]
    assert camera.oddities.names == {Oddity.PARAMETER_SETS_UNREADABLE}


def test_pictures_that_nothing_can_decode_are_an_error_in_the_end() -> None:
    camera = Camera(H265_WITHOUT_SETS)
    assert camera.push(*packetize([[CRA], [CRA]])) == []
    with pytest.raises(UnsupportedCodec, match="no video parameter set"):
        camera.push(*packetize([[SPS, PPS, CRA]], sequence=2, time=9000))


def test_formats_that_change_all_the_time_are_not_followed() -> None:
    camera = Camera(H265)
    pictures = [[*(H265_SETS, SMALL)[n % 2], IDR] for n in range(60)]
    units = camera.push(*packetize(pictures, step=STEP))
    changes = [one for one, other in pairwise(units) if one.format is not other.format]
    assert len(changes) <= 4
    assert camera.oddities.names == {Oddity.FORMAT_CHANGES_TOO_OFTEN}


NALS = st.sampled_from([*H265_SETS, *SMALL, IDR, CRA, BLA, P, RASL, RADL, nal(1, b"\x50a"), b"\x42\x01", nal(35, b"P")])


@settings(max_examples=60)
@given(st.lists(st.tuples(st.lists(NALS, min_size=1, max_size=4), st.sampled_from([1, 1, 1, 2, 40_000])), max_size=25))
def test_whatever_comes_what_goes_out_can_be_decoded(pictures) -> None:
    camera = Camera(H265)
    sequence = time = 0
    for nals, step in pictures:
        sequence += step - 1
        time += STEP
        for n, each in enumerate(nals):
            data = packet(each, sequence=sequence, time=time, marker=n == len(nals) - 1)
            sequence += 1
            camera.push(data)
    units = [unit for unit in camera.units if isinstance(unit, AccessUnit)]
    joined = False  # the start before came after a gap
    for before, unit in zip([None, *units], units, strict=False):
        if before is None or unit.seq != before.seq + 1 or unit.format is not before.format:
            assert unit.is_idr
            joined = True
        elif unit.is_idr:
            joined = False
        assert not (unit.leading and joined)
        if before is not None:
            assert unit.dts > before.dts
