"""RTCP: sender reports in, receiver reports out (RFC 3550 §6)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from secrets import randbits, token_hex
from typing import TYPE_CHECKING

from appliance.sites.rtsp.errors import BadMessage

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance._native.rtp import Depacketizer

SENDER_REPORT, RECEIVER_REPORT, DESCRIPTION, GOODBYE = 200, 201, 202, 203
CNAME = 1
#: RFC 3550 §6.2: not oftener than every five seconds.
REPORT_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class SenderReport:
    """``rtp_time`` was at ``ntp_64`` (RFC 3550 §4: seconds since 1900 in 32.32 bits) by the camera's clock."""

    ssrc: int
    ntp_64: int
    rtp_time: int


@dataclass(frozen=True, slots=True)
class Goodbye:
    ssrcs: tuple[int, ...]


def parse_rtcp(data: bytes) -> list[SenderReport | Goodbye]:
    """What a compound packet says that concerns a receiver.  Raises `BadMessage` where it is none."""
    found: list[SenderReport | Goodbye] = []
    at = 0
    while at < len(data):
        if len(data) - at < 4 or data[at] >> 6 != 2:
            raise BadMessage("The camera sent a control packet without a header.")
        end = at + 4 + 4 * int.from_bytes(data[at + 2 : at + 4], "big")
        if end > len(data):
            raise BadMessage("The camera sent a control packet that ends early.")
        kind, count, body = data[at + 1], data[at] & 0x1F, data[at + 4 : end]
        if kind == SENDER_REPORT:
            if len(body) < 24:
                raise BadMessage("The camera sent a sender report that ends early.")
            found.append(SenderReport(*struct.unpack_from(">IQI", body)))
        elif kind == GOODBYE:
            if len(body) < 4 * count:
                raise BadMessage("The camera sent a goodbye that ends early.")
            found.append(Goodbye(struct.unpack_from(f">{count}I", body)))
        at = end
    return found


class ReceiverReports:
    """The reports on one track.  Times are in seconds of any steady clock, handed in."""

    def __init__(self, clock_rate: int, make_ssrc: Callable[[], int] = lambda: randbits(32)) -> None:
        self._clock_rate = clock_rate
        self._ssrc = make_ssrc()
        self._cname = token_hex(8).encode()
        self._last_report: tuple[int, float] | None = None  # its middle 32 bits, and when it came
        self._ssrc_heard: int | None = None
        self._lost_before = 0
        self._received_before = 0
        self._transit: float | None = None
        self._jitter = 0.0

    def heard(self, report: SenderReport, now: float) -> None:
        self._last_report = (report.ntp_64 >> 16) & 0xFFFFFFFF, now

    def arrived(self, rtp_time: int, now: float) -> None:
        """A unit with this time came.  Jitter as RFC 3550 §6.4.1 has it, over units instead of packets: a picture's
        packets share one time stamp, and over TCP they come at the reader's pace."""
        transit = now * self._clock_rate - rtp_time
        if self._transit is not None:
            step = abs(transit - self._transit)
            if step < self._clock_rate * 10:  # not the wrap, not a jump of the camera's clock
                self._jitter += (step - self._jitter) / 16
        self._transit = transit

    def report(self, source: Depacketizer, now: float) -> bytes | None:
        """A receiver report with the source description that must go with it; None before the first packet."""
        if source.highest < 0:
            return None
        if self._ssrc_heard not in (None, source.ssrc):
            self._lost_before, self._received_before = source.lost, source.received
        self._ssrc_heard = source.ssrc
        lost, received = source.lost - self._lost_before, source.received - self._received_before
        self._lost_before, self._received_before = source.lost, source.received
        fraction = min(255, lost * 256 // (lost + received)) if lost + received else 0
        middle, delay = 0, 0
        if self._last_report is not None:
            middle = self._last_report[0]
            delay = min(0xFFFFFFFF, round((now - self._last_report[1]) * 65536))
        head = struct.pack(">BBHI", 0x81, RECEIVER_REPORT, 7, self._ssrc)
        block = struct.pack(
            ">IIIIII",
            source.ssrc,
            fraction << 24 | min(source.lost, 0x7FFFFF),
            source.highest & 0xFFFFFFFF,
            min(round(self._jitter), 0xFFFFFFFF),
            middle,
            delay,
        )
        item = struct.pack(">IBB", self._ssrc, CNAME, len(self._cname)) + self._cname
        item += b"\0" * (4 - len(item) % 4)  # a zero ends the list, and fills up to 32 bits
        return head + block + struct.pack(">BBH", 0x81, DESCRIPTION, len(item) // 4) + item
