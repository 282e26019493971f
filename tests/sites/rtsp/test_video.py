"""Packets become pictures that can be decoded, and nothing else comes out."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.base.clock import TICKS_PER_SECOND, ManualClock
from appliance.media.timeline import Timeline
from appliance.media.units import AccessUnit, Unit
from appliance.sites.rtsp.codecs import choose
from appliance.sites.rtsp.errors import UnsupportedCodec
from appliance.sites.rtsp.messages import Packets
from appliance.sites.rtsp.oddities import Oddities, Oddity
from appliance.sites.rtsp.sdp import parse_sdp
from appliance.sites.rtsp.source import receiver_of
from appliance.sites.source import SourceStatistics
from tests.reference.packets import avcc, fu_a, packetize
from tests.reference.packets import rtp as packet
from tests.sites.rtsp.talk import PPS, SPS, SPS_SMALL, VIDEO, VIDEO_WITHOUT_SETS, sdp

IDR = b"\x65\x88\x84" + b"\x21" * 40
P = b"\x41\x9a\x11" + b"\x22" * 20
SECOND_SLICE = b"\x41\x5a\x11" + b"\x23" * 20
RECOVERY = b"\x06\x06\x01\xc4\x80"
INTRA = b"\x61\x88\x80" + b"\x24" * 10
STEP = 3000  # 30 pictures a second


class Camera:
    """A receiver, and what it gave out.  Every picture arrives when it is due."""

    def __init__(self, media: str = VIDEO) -> None:
        self.clock = ManualClock()
        self.oddities = Oddities()
        self.statistics = SourceStatistics()
        plan = choose(parse_sdp(sdp(media), Oddities()), self.oddities, audio=False)
        track = Timeline(self.clock).track(90_000)
        self.receiver = receiver_of(plan.video, track, self.statistics, self.oddities)
        self.begun = self.clock.now
        self.units: list[AccessUnit] = []

    def push(self, *packets: bytes) -> list[AccessUnit]:
        before = len(self.units)
        for data in packets:
            self.clock.now = max(self.clock.now, self.begun + int.from_bytes(data[4:8], "big"))
            self.receive(data)
        return self.units[before:]

    def receive(self, data: bytes) -> None:
        """A packet arrives now."""
        new: list[Unit] = []
        self.receiver.packets(
            Packets(bytearray(data), [(0, 0, len(data))]), 0, self.clock.now, self.clock.now / 90_000, new
        )
        self.units += [unit for unit in new if isinstance(unit, AccessUnit)]


def test_pictures_come_with_times_formats_and_numbers() -> None:
    camera = Camera()
    units = camera.push(*packetize([[SPS, PPS, IDR], [P], [P]], step=STEP))
    assert [unit.data for unit in units] == [avcc(IDR), avcc(P), avcc(P)]
    assert [unit.is_idr for unit in units] == [True, False, False]
    assert [unit.seq for unit in units] == [0, 1, 2]
    assert [unit.pts - camera.begun for unit in units] == [0, STEP, 2 * STEP]
    assert all(unit.dts <= unit.pts for unit in units)
    assert all(unit.run is units[0].run and unit.format is camera.receiver.format for unit in units)
    assert camera.receiver.format is not None
    assert camera.receiver.format.width == 1280
    assert camera.oddities.names == set()


def test_who_joins_in_the_middle_begins_with_an_idr_and_lost_nothing() -> None:
    camera = Camera()
    units = camera.push(*packetize([[P], [P], [IDR], [P]]))
    assert [(unit.data, unit.seq) for unit in units] == [(avcc(IDR), 0), (avcc(P), 1)]
    assert camera.statistics.units_dropped == 0


def test_after_a_loss_nothing_comes_until_the_next_idr_and_it_is_counted() -> None:
    camera = Camera()
    packets = list(packetize([[IDR], [P], [P], [P], [IDR], [P]]))
    units = camera.push(*packets[:2], *packets[3:])
    assert [(unit.data, unit.seq) for unit in units] == [(avcc(IDR), 0), (avcc(P), 1), (avcc(IDR), 4), (avcc(P), 5)]
    assert camera.statistics.units_dropped == 1  # the one that came and could not be decoded
    assert camera.receiver.reports.counters.lost == 1


def test_a_damaged_picture_counts_as_dropped() -> None:
    camera = Camera()
    packets = list(packetize([[IDR], [P + bytes(range(1, 90))], [P], [IDR]], size=50))
    units = camera.push(packets[0], packets[1], *packets[3:])
    assert [unit.data for unit in units] == [avcc(IDR)] * 2
    assert camera.statistics.units_dropped == 2
    assert units[1].seq == 3


def test_decoding_can_start_at_a_recovery_point_but_not_at_what_it_leads() -> None:
    camera = Camera()
    leading, trailing = 9000, 15_000
    pictures = [([P], 0), ([RECOVERY, INTRA], 12_000), ([P], leading), ([P], trailing), ([P], 14_000)]
    packets = [
        packet(nal, sequence=3 * n + m, time=time, marker=m == len(nals) - 1)
        for n, (nals, time) in enumerate(pictures)
        for m, nal in enumerate(nals)
    ]
    packets = [bytes(data[:2]) + n.to_bytes(2, "big") + data[4:] for n, data in enumerate(packets)]
    units = camera.push(*packets)
    assert [unit.pts - units[0].pts for unit in units] == [0, 3000, 2000]
    assert [unit.is_idr for unit in units] == [True, False, False]
    assert [unit.seq for unit in units] == [0, 1, 2]
    assert camera.statistics.units_dropped == 1


def test_what_leads_a_recovery_point_is_marked_for_those_who_join_there() -> None:
    camera = Camera()
    pictures = [([IDR], 0), ([P], 9000), ([RECOVERY, INTRA], 18_000), ([P], 12_000), ([P], 15_000), ([P], 24_000),
                ([P], 21_000)]  # fmt: skip
    packets = [
        packet(nal, time=time, marker=m == len(nals) - 1) for nals, time in pictures for m, nal in enumerate(nals)
    ]
    units = camera.push(*[data[:2] + n.to_bytes(2, "big") + data[4:] for n, data in enumerate(packets)])
    assert [unit.is_idr for unit in units] == [True, False, True, False, False, False, False]
    assert [unit.leading for unit in units] == [False, False, False, True, True, False, False]
    assert camera.statistics.units_dropped == 0


def test_a_picture_renewed_bit_by_bit_is_named_and_no_start() -> None:
    camera = Camera()
    slow = b"\x06\x06\x01\x42\xc0\x80"  # recovery_frame_cnt 9
    assert camera.push(*packetize([[P], [slow, P], [P]])) == []
    assert camera.oddities.names == {Oddity.REFRESH_GRADUAL}
    assert len(camera.push(*packetize([[IDR], [slow, P]], sequence=4, time=4 * STEP))) == 2


def test_an_intra_picture_without_recovery_point_is_no_start() -> None:
    assert Camera().push(*packetize([[INTRA], [P]])) == []


# ---- parameter sets


def test_parameter_sets_in_band_are_enough() -> None:
    camera = Camera(VIDEO_WITHOUT_SETS)
    assert camera.receiver.format is None
    units = camera.push(*packetize([[IDR], [SPS, PPS, IDR], [P]]))
    assert [unit.format.width for unit in units] == [1280, 1280]


def test_parameter_sets_may_come_one_by_one() -> None:
    camera = Camera(VIDEO_WITHOUT_SETS)
    units = camera.push(*packetize([[SPS, P], [PPS, P], [IDR]]))
    assert [unit.format.width for unit in units] == [1280]


def test_a_new_format_begins_with_the_next_idr() -> None:
    camera = Camera()
    units = camera.push(*packetize([[IDR], [SPS_SMALL, PPS, P], [P], [IDR], [P]]))
    assert [unit.format.width for unit in units] == [1280, 640, 640]
    assert [unit.seq for unit in units] == [0, 3, 4]
    assert units[1].format is units[2].format
    assert camera.statistics.units_dropped == 2


def test_the_same_parameter_sets_again_are_no_new_format() -> None:
    camera = Camera()
    units = camera.push(*packetize([[SPS, PPS, IDR], [P], [SPS, PPS, IDR], [PPS, P]]))
    assert len({id(unit.format) for unit in units}) == 1
    assert len(units) == 4


def test_unreadable_parameter_sets_in_band_leave_the_old_ones_in_force() -> None:
    camera = Camera()
    units = camera.push(*packetize([[b"\x67\x42", PPS, IDR], [P]]))
    assert [unit.format.width for unit in units] == [1280, 1280]
    assert camera.oddities.names == {Oddity.PARAMETER_SETS_UNREADABLE}


HUGE = bytes.fromhex("67640033") + b"\x80\x00\x00\x00\x40\x00\x00\x00\x40" + b"\xff" * 20


@pytest.mark.parametrize("sets", [[], [HUGE, PPS], [SPS]])
def test_pictures_that_nothing_can_decode_are_an_error_in_the_end(sets) -> None:
    camera = Camera(VIDEO_WITHOUT_SETS)
    assert camera.push(*packetize([[*sets, IDR], [*sets, IDR]])) == []
    with pytest.raises(UnsupportedCodec, match="cannot be decoded"):
        camera.push(packet(IDR, sequence=2 + 2 * len(sets), time=9000, marker=True))


def test_formats_that_change_all_the_time_are_not_followed() -> None:
    camera = Camera()
    pictures = [[(SPS, SPS_SMALL)[n % 2], PPS, IDR] for n in range(60)]
    units = camera.push(*packetize(pictures, step=STEP))
    changes = [one for one, other in pairwise(units) if one.format is not other.format]
    assert len(changes) <= 4  # two a second
    assert camera.oddities.names == {Oddity.FORMAT_CHANGES_TOO_OFTEN}
    assert camera.statistics.units_dropped > 20
    # and when it calms down the newest is in force
    later = camera.push(*packetize([[SPS_SMALL, PPS, IDR]], sequence=180, time=60 * STEP + 2 * TICKS_PER_SECOND))
    assert [unit.format.width for unit in later] == [640]


def test_decode_times_grow_over_a_change_of_format_and_of_the_clock() -> None:
    camera = Camera()
    pictures = packetize([[SPS, PPS, IDR], [P], [SPS_SMALL, PPS, IDR], [P]], step=STEP)
    units = camera.push(*pictures)
    camera.begun -= 1_000_000_000  # the camera's time stamps leap; arrival does not
    camera.clock.advance(0.1)
    units += camera.push(*packetize([[IDR], [P]], sequence=8, time=1_000_000_000, step=STEP))
    assert [one.dts < other.dts for one, other in pairwise(units)] == [True] * 5
    assert units[4].run is not units[3].run


def test_pictures_that_overtake_more_than_was_said_are_noticed_and_put_right() -> None:
    camera = Camera()  # whose parameter sets speak of none
    order = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8]
    units = camera.push(
        *[packet(P if n else IDR, sequence=n, time=at * STEP, marker=True) for n, at in enumerate(order)]
    )
    assert [(unit.pts - camera.begun) // STEP for unit in units] == order
    assert all(one.dts < other.dts for one, other in pairwise(units))
    assert all(unit.dts <= unit.pts for unit in units[5:])
    assert camera.oddities.names == {Oddity.REORDER_DEEPER}


@pytest.mark.parametrize(("step", "oddity"), [(40, Oddity.CLOCK_RATE_WRONG), (0, Oddity.TIMES_USELESS)])
def test_time_stamps_that_say_something_else_are_noticed(step: int, oddity: Oddity) -> None:
    camera = Camera()
    for n in range(500):
        camera.clock.now = camera.begun + n * 3600
        camera.push(packet(P if n else IDR, sequence=n, time=n * step, marker=True))
    assert camera.oddities.names == {oddity}
    late = [unit.pts for unit in camera.units[-200:]]
    assert all(abs(other - one - 3600) <= 400 for one, other in pairwise(late))


# ---- oddities


def test_fragments_are_odd_only_where_they_were_not_announced() -> None:
    packets = [packet(part, sequence=n, marker=n == 1) for n, part in enumerate(fu_a(IDR, 30))]
    told, untold = Camera(), Camera(VIDEO.replace("packetization-mode=1", "packetization-mode=0"))
    for camera in (told, untold):
        assert [unit.data for unit in camera.push(*packets)] == [avcc(IDR)]
    assert told.oddities.names == set()
    assert untold.oddities.names == {Oddity.FRAGMENTS_UNANNOUNCED}


def test_control_packets_that_are_none_are_named_and_dropped() -> None:
    camera = Camera()
    assert not camera.receiver.reports.control(b"\x80\xc8", 0, 0.0)
    assert camera.oddities.names == {Oddity.RTCP_UNREADABLE}


def test_goodbye_counts_only_for_the_source_that_is_heard() -> None:
    camera = Camera()
    camera.push(packet(IDR, marker=True, ssrc=7))
    assert not camera.receiver.reports.control(b"\x81\xcb\0\1\0\0\0\x08", 0, 0.0)
    assert camera.receiver.reports.control(b"\x81\xcb\0\1\0\0\0\x07", 0, 0.0)


# ---- anything

NALS = st.sampled_from(
    [SPS, PPS, SPS_SMALL, HUGE, IDR, P, SECOND_SLICE, RECOVERY, INTRA, b"\x67", b"\x68", b"\x09\xf0"]
)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.lists(NALS, min_size=1, max_size=4), st.sampled_from([1, 1, 1, 2, 40_000])), max_size=25))
def test_whatever_comes_what_goes_out_can_be_decoded(pictures) -> None:
    camera = Camera()
    sequence = time = 0
    for nals, step in pictures:
        sequence += step - 1
        time += STEP
        for n, nal in enumerate(nals):
            data = packet(nal, sequence=sequence, time=time, marker=n == len(nals) - 1)
            sequence += 1
            camera.push(data)
    units = [unit for unit in camera.units if isinstance(unit, AccessUnit)]
    for before, unit in zip([None, *units], units, strict=False):
        if before is None or unit.seq != before.seq + 1 or unit.format is not before.format:
            assert unit.is_idr
        if before is not None:
            assert unit.seq > before.seq
            assert unit.dts > before.dts
        assert unit.is_idr or IDR not in unit.data
