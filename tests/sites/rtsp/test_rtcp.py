"""Sender reports are read, receiver reports written, as RFC 3550 lays them out."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance._native import rtp
from appliance.sites.rtsp.errors import BadMessage
from appliance.sites.rtsp.rtcp import Goodbye, ReceiverReports, SenderReport, parse_rtcp
from tests.reference.packets import rtp as packet

SENDER = bytes.fromhex("80c8 0006 00001234 e1d3a0b1 80000000 00015f90 00000007 00000500".replace(" ", ""))
SOURCE = bytes.fromhex("81ca 0003 00001234 0104 61626364 00 00".replace(" ", ""))
BYE = bytes.fromhex("81cb 0001 00001234".replace(" ", ""))


def test_a_compound_packet_tells_the_time_and_who_leaves() -> None:
    assert parse_rtcp(SENDER + SOURCE + BYE) == [
        SenderReport(0x1234, 0xE1D3A0B1_80000000, 90_000),
        Goodbye((0x1234,)),
    ]


def test_other_packets_and_report_blocks_are_passed_over() -> None:
    with_block = bytes.fromhex("81c8 000c".replace(" ", "")) + SENDER[4:] + bytes(24)
    assert parse_rtcp(with_block + b"\x80\xcc\0\1name") == [SenderReport(0x1234, 0xE1D3A0B1_80000000, 90_000)]
    assert parse_rtcp(b"") == []


@pytest.mark.parametrize(
    "data", [b"\x80", SENDER[:-1], b"\x40" + SENDER[1:], b"\x80\xc8\0\1abcd", b"\x82\xcb\0\1abcd", SENDER + b"\0"]
)
def test_what_is_no_control_packet_is_refused(data) -> None:
    with pytest.raises(BadMessage):
        parse_rtcp(data)


@given(st.lists(st.sampled_from([SENDER, SOURCE, BYE]) | st.binary(max_size=12), max_size=4).map(b"".join))
def test_any_bytes_give_reports_or_the_one_error(data: bytes) -> None:
    with suppress(BadMessage):
        parse_rtcp(data)


def heard(*numbers: int, ssrc: int = 0x1234) -> rtp.H264Depacketizer:
    depacketizer = rtp.H264Depacketizer(96)
    for number in numbers:
        data = packet(b"\x41\x9a", sequence=number, ssrc=ssrc)
        depacketizer.push(data, 0, len(data))
    return depacketizer


def blocks(report: bytes) -> tuple[int, ...]:
    first, kind, length, *rest = struct.unpack_from(">BBHIIIIIII", report)
    assert (first, kind, length) == (0x81, 201, 7)
    return tuple(rest)


def test_before_any_packet_there_is_nothing_to_report() -> None:
    assert ReceiverReports(90_000).report(rtp.H264Depacketizer(96), 0.0) is None


def test_a_report_says_what_was_lost_and_when_the_sender_was_heard() -> None:
    reports = ReceiverReports(90_000, make_ssrc=lambda: 7)
    reports.heard(SenderReport(0x1234, 0xE1D3A0B1_80000000, 0), now=10.0)
    source = heard(65534, 65535, 2, 3)
    data = reports.report(source, now=12.5)
    assert data is not None
    assert blocks(data) == (7, 0x1234, 85 << 24 | 2, 65539, 0, 0xA0B18000, int(2.5 * 65536))
    assert parse_rtcp(data) == []
    again = reports.report(source, now=13.0)
    assert again is not None
    assert blocks(again)[2] == 2  # in all, and none since


def test_a_report_carries_the_name_that_belongs_to_it() -> None:
    data = ReceiverReports(90_000).report(heard(1), 0.0)
    assert data is not None
    first, kind, length = struct.unpack_from(">BBH", data, 32)
    assert (first, kind, 32 + 4 + 4 * length) == (0x81, 202, len(data))
    assert data[40] == 1


def test_jitter_grows_with_what_comes_late_and_not_with_a_leap() -> None:
    reports = ReceiverReports(1000, make_ssrc=lambda: 7)
    source = heard(1)
    for rtp_time, now in ((0, 0.0), (1000, 1.16), (2000, 2.0), (500_000, 3.0)):
        reports.arrived(rtp_time, now)
    data = reports.report(source, 3.0)
    assert data is not None
    assert blocks(data)[4] == 19  # 160 / 16 = 10, then + (160 - 10) / 16
