"""Packets become pieces of sound, each with its time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from appliance.base.clock import ManualClock
from appliance.media.timeline import Timeline
from appliance.media.units import AudioUnit, Unit
from appliance.sites.rtsp.audio import AudioReceiver
from appliance.sites.rtsp.codecs import choose
from appliance.sites.rtsp.messages import Packets
from appliance.sites.rtsp.oddities import Oddities
from appliance.sites.rtsp.sdp import parse_sdp
from appliance.sites.source import SourceStatistics
from tests.reference.packets import aac_hbr
from tests.reference.packets import rtp as packet
from tests.sites.rtsp.talk import AUDIO, PCMU, VIDEO, sdp


class Microphone:
    def __init__(self, media: str = AUDIO) -> None:
        self.clock = ManualClock()
        self.statistics = SourceStatistics()
        plan = choose(parse_sdp(sdp(VIDEO, media), Oddities()), Oddities(), audio=True)
        assert plan.audio is not None
        track = Timeline(self.clock).track(plan.audio.clock_rate)
        self.receiver = AudioReceiver(plan.audio, track, self.statistics, Oddities())

    def push(self, *packets: bytes) -> list[AudioUnit]:
        new: list[Unit] = []
        for data in packets:
            self.receiver.packets(Packets(bytearray(data), [(0, 0, len(data))]), 0, self.clock.now, 0.0, new)
        assert all(isinstance(unit, AudioUnit) for unit in new)
        return [unit for unit in new if isinstance(unit, AudioUnit)]


def sound(*frames: bytes, sequence: int = 0, time: int = 0) -> bytes:
    return packet(aac_hbr(*frames), sequence=sequence, time=time, marker=True, payload_type=97)


def test_frames_follow_each_other_in_ticks() -> None:
    units = Microphone().push(sound(b"one", b"two"), sound(b"three", sequence=1, time=2048))
    assert [unit.data for unit in units] == [b"one", b"two", b"three"]
    assert [unit.pts - units[0].pts for unit in units] == [0, 5760, 11_520]  # 1024 samples of 16 000 a second
    assert {unit.duration for unit in units} == {5760}
    assert units[0].format.configuration == b"\x14\x08"


def test_times_count_in_the_announced_clock() -> None:
    """HE-AAC: the core has half the rate of the line, and its configuration says so."""
    doubled = AUDIO.replace("MPEG4-GENERIC/16000/1", "MPEG4-GENERIC/32000/1")
    units = Microphone(doubled).push(sound(b"one", b"two"))
    assert units[1].pts - units[0].pts == 5760


def test_a_loss_costs_what_was_lost_and_no_more() -> None:
    microphone = Microphone()
    head = (16).to_bytes(2, "big") + (9 << 3).to_bytes(2, "big")
    piece = packet(head + b"abcd", sequence=1, time=1024, payload_type=97)
    units = microphone.push(sound(b"one"), piece, sound(b"three", sequence=3, time=3072))
    assert [unit.data for unit in units] == [b"one", b"three"]
    assert microphone.statistics.units_dropped == 1
    assert microphone.receiver.reports.counters.lost == 1


def test_sound_that_steps_back_is_dropped() -> None:
    microphone = Microphone()
    units = microphone.push(
        sound(b"one", time=5000), sound(b"two", sequence=1, time=4000), sound(b"x", sequence=2, time=9000)
    )
    assert [unit.data for unit in units] == [b"one", b"x"]
    assert microphone.statistics.units_dropped == 1


@given(st.lists(st.tuples(st.binary(max_size=20), st.integers(0, 2**32 - 1), st.integers(-2, 2)), max_size=20))
def test_whatever_comes_times_only_grow(packets) -> None:
    microphone = Microphone()
    sequence, last = 0, None
    for payload, time, step in packets:
        sequence += step
        microphone.clock.advance(0.06)
        for unit in microphone.push(packet(payload, sequence=sequence, time=time, marker=True, payload_type=97)):
            assert last is None or unit.pts > last
            last = unit.pts


def samples(data: bytes, *, sequence: int = 0, time: int = 0) -> bytes:
    return packet(data, sequence=sequence, time=time, payload_type=0)


def test_g711_lasts_as_long_as_it_has_samples() -> None:
    microphone = Microphone(PCMU)
    units = microphone.push(samples(b"\xff" * 160), samples(b"\x7f" * 240, sequence=1, time=160))
    assert [(unit.data[:1], unit.pts - units[0].pts, unit.duration) for unit in units] == [
        (b"\xff", 0, 1800), (b"\x7f", 1800, 2700),
    ]  # fmt: skip
    assert not units[0].format.is_played


def test_of_g711_nothing_is_taken_that_is_longer_than_a_second_or_empty() -> None:
    microphone = Microphone(PCMU)
    units = microphone.push(
        samples(b"\xff" * 8001), samples(b"", sequence=1, time=8001), samples(b"\xff" * 8000, sequence=2, time=9000)
    )
    assert [len(unit.data) for unit in units] == [8000]
    assert microphone.statistics.units_dropped == 1
