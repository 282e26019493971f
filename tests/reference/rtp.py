"""RTP over an RTSP connection, the slow and obvious way (RFC 2326 §10.12, RFC 3550, 6184, 7798, 2435, 6416, 3640,
3551)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

MORE, TEXT, FULL = 0, 1, 2
IDR, SEI, LOSS, CRA, BLA, RASL = (1 << bit for bit in range(6))
(
    ODD_EARLY_MARKER,
    ODD_NO_MARKER,
    ODD_START_CODES,
    ODD_WHOLE_FRAGMENT,
    ODD_TRAILING_ZEROS,
    ODD_RESTART,
    ODD_TIME_INSIDE,
    ODD_FRAGMENTS,
    ODD_PACKET_TYPE,
    ODD_TOO_BIG,
) = (1 << bit for bit in range(10))
LATE, NEXT, GAP, RESTART = range(4)
OTHER, SLICE, HEAD, DELIMITER = range(4)

SETS_LIMIT = 64
SETS_BYTES = 1 << 16
FRAMES_LIMIT = 256


def scan_interleaved(data, offset=0, limit=1024):
    spans = []
    while True:
        if offset == len(data):
            return spans, offset, MORE
        if data[offset] != 0x24:
            return spans, offset, TEXT
        if len(spans) == limit:
            return spans, offset, FULL
        end = offset + 4 + int.from_bytes(data[offset + 2 : offset + 4], "big")
        if offset + 4 > len(data) or end > len(data):
            return spans, offset, MORE
        if end > offset + 4:
            spans.append((data[offset + 1], offset + 4, end))
        offset = end


@dataclass
class Packet:
    payload_type: int
    marker: bool
    sequence: int
    time: int
    ssrc: int
    payload: bytes
    extension: bytes = b""  # of the header, with its own


def parse_packet(data: bytes) -> Packet | None:
    """RFC 3550 §5.1; None for what is not RTP."""
    if len(data) < 12 or data[0] >> 6 != 2:
        return None
    start, end = 12 + 4 * (data[0] & 15), len(data)
    extended = start
    if data[0] & 0x10:
        if start + 4 > end:
            return None
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    if data[0] & 0x20:
        if data[-1] == 0:
            return None
        end -= data[-1]
    if start > end:
        return None
    number = int.from_bytes
    return Packet(
        data[1] & 127, data[1] >= 128, number(data[2:4], "big"), number(data[4:8], "big"), number(data[8:12], "big"),
        bytes(data[start:end]), bytes(data[extended:start]),
    )  # fmt: skip


class Depacketizer:
    """What all kinds share: the counters, and the order of the packets (RFC 3550 §A.1)."""

    def __init__(self, payload_type: int) -> None:
        self.payload_type = payload_type
        self.received = self.lost = self.late = self.malformed = self.foreign = self.ssrc = self.oddities = 0
        self.highest = -1  # extended by the wraps
        self.dropped = 0

    def accept(self, data: bytes) -> tuple[Packet, int] | None:
        """The packet and how it follows the last one, or None when it is not to be used."""
        packet = parse_packet(data)
        if packet is None:
            self.malformed += 1
            return None
        if packet.payload_type != self.payload_type:
            self.foreign += 1
            return None
        step = self.follow(packet)
        if step == LATE:
            self.late += 1
            return None
        self.received += 1
        if step == RESTART:
            self.oddities |= ODD_RESTART
        return packet, step

    def follow(self, packet: Packet) -> int:
        if self.highest < 0:
            self.highest, self.ssrc = packet.sequence, packet.ssrc
            return NEXT
        ahead = (packet.sequence - self.highest - 1) % 0x10000
        if packet.ssrc != self.ssrc or 3000 <= ahead < 0x10000 - 100:
            self.highest, self.ssrc = packet.sequence, packet.ssrc
            return RESTART
        if ahead >= 0x10000 - 100:
            return LATE
        self.highest += ahead + 1
        self.lost += ahead
        return GAP if ahead else NEXT

    def push(self, data, start, end):
        if not 0 <= start <= end <= len(data):
            raise ValueError("a packet outside of its buffer")
        accepted = self.accept(bytes(data[start:end]))
        if accepted is None:
            return None
        packet, step = accepted
        if step in (GAP, RESTART):
            self.lose()
        return self.take(packet)

    def lose(self) -> None:
        """Packets are missing before the one that is taken next."""

    def take(self, packet: Packet) -> list | None:
        """What a packet completes."""
        raise NotImplementedError

    def push_run(self, data, spans, at):
        channel = spans[at][0]
        units = None
        while units is None and at < len(spans) and spans[at][0] == channel:
            units = self.push(data, *spans[at][1:])
            at += 1
        return units, at


class PictureDepacketizer(Depacketizer):
    def __init__(self, payload_type: int, unit_limit: int = 8 << 20, nal_limit: int = 1024) -> None:
        super().__init__(payload_type)
        self.unit_limit = unit_limit
        self.nal_limit = nal_limit
        self.sets: list[bytes] = []  # of the unit to come
        self.loss = False  # since the last unit that was given out
        self.gap = True  # the next packet may be the middle of something
        self.fresh = True  # no unit is over yet
        self.marked = False  # some packet with a picture had the marker bit
        self.unmarked = False  # the marker bit is not to be believed
        self.marked_time: int | None = None  # of the unit that a marker ended last
        self.units: list[tuple[bytes, int, int, tuple[bytes, ...]]] = []
        self.time = 0
        self.begin()

    def begin(self) -> None:
        self.open = self.picture = self.damaged = False
        self.nals: list[bytes] = []
        self.count = 0  # of the NAL units kept
        self.flags = 0
        self.fragment: bytearray | None = None

    def take(self, packet):
        self.units = []
        payload = packet.payload
        if self.open and packet.time != self.time:
            if self.continues(payload):
                self.oddities |= ODD_TIME_INSIDE
            else:
                if self.picture and not self.damaged and not self.unmarked:
                    self.oddities |= ODD_NO_MARKER
                if self.picture or self.damaged:
                    self.finish()
                self.time = packet.time
        elif not self.open:
            self.time = packet.time
        if payload:
            self.open = True
            self.payload(payload)
        if packet.marker and (self.picture or self.damaged):
            self.marked = True
            if self.fragment is not None and not self.unmarked:
                self.distrust()
            if not self.unmarked:
                self.marked_time = self.time
                self.finish()
        return self.units or None

    def lose(self) -> None:
        self.loss = self.gap = True
        if self.picture or self.damaged:
            self.damage()
        else:
            self.clear()

    def damage(self) -> None:
        self.loss = self.damaged = True
        self.clear()

    def clear(self) -> None:
        self.nals, self.flags, self.fragment, self.count = [], 0, None, 0

    def continues(self, payload: bytes) -> bool:
        """Whether what has a new time is the rest of the picture at hand all the same."""
        return self.picture and not self.damaged and self.is_rest(payload)

    def aggregate(self, rest: bytes) -> None:
        """Each NAL unit behind its length: RFC 6184 §5.7.1, RFC 7798 §4.4.2."""
        at = 0
        while at + 2 <= len(rest):
            size = int.from_bytes(rest[at : at + 2], "big")
            at += 2
            nal = rest[at : at + size]
            at += size
            if len(nal) < size:
                self.damage()
                return
            if nal:
                self.single(nal)

    def fragment_part(self, header: bytes, part: bytes, flags: int) -> None:
        if flags & 0x80 and not self.damaged:
            self.fragment = bytearray(header)
        if self.fragment is None:
            self.damage()
            return
        self.fragment += part
        if self.size() > self.unit_limit:
            self.too_big()
        elif flags & 0x40:
            if flags & 0x80:
                self.oddities |= ODD_WHOLE_FRAGMENT
            nal, self.fragment = bytes(self.fragment), None
            self.complete(nal)

    def begin_nal(self, role: int, *, first: bool = False) -> None:
        """Decide what the NAL unit that begins here belongs to."""
        if self.fragment is not None:
            self.damage()
        if self.picture or self.damaged:
            guess = self.unmarked or not self.marked
            if role == DELIMITER or (guess and (role == HEAD or first)):
                self.finish()
                self.open = True
        if role == SLICE:
            if not self.picture and not self.damaged and not first:
                if self.gap:
                    self.damage()
                elif self.marked_time == self.time and not self.unmarked:
                    self.distrust()
                    self.damage()
            self.gap = False
            self.picture = True

    def distrust(self) -> None:
        self.unmarked = True
        self.oddities |= ODD_EARLY_MARKER

    def nal(self, nal: bytes) -> None:
        if self.damaged:
            return
        if self.size() + 4 + len(nal) > self.unit_limit:
            self.too_big()
        else:
            self.complete(nal)

    def complete(self, nal: bytes) -> None:
        pieces = nal.split(b"\0\0\1")
        if len(pieces) > 1:
            self.oddities |= ODD_START_CODES
        if pieces[-1].endswith(b"\0"):
            self.oddities |= ODD_TRAILING_ZEROS
        for piece in pieces:
            stripped = piece.rstrip(b"\0")
            if stripped and not self.damaged:
                self.keep(stripped)

    def keep_set(self, nal: bytes) -> None:
        if len(self.sets) >= SETS_LIMIT or sum(map(len, self.sets)) + len(nal) > SETS_BYTES:
            self.oddities |= ODD_TOO_BIG
            self.sets = []
            self.damage()
        else:
            self.sets.append(nal)

    def keep_part(self, nal: bytes) -> bool:
        self.count += 1
        if self.count > self.nal_limit or self.size() + 4 + len(nal) > self.unit_limit:
            self.too_big()
            return False
        self.nals.append(nal)
        return True

    def size(self) -> int:
        fragment = 0 if self.fragment is None else 4 + len(self.fragment)
        return sum(4 + len(nal) for nal in self.nals) + fragment

    def too_big(self) -> None:
        self.oddities |= ODD_TOO_BIG
        self.damage()

    def finish(self) -> None:
        """The unit at hand is over."""
        if self.fragment is not None or not self.nals:
            self.damage()
        if self.damaged:
            self.dropped += not self.fresh  # the first may be the tail of one that began before we came
        else:
            data = b"".join(len(nal).to_bytes(4, "big") + nal for nal in self.nals)
            self.units.append((data, self.time, self.flags | (LOSS if self.loss else 0), tuple(self.sets)))
            self.loss = False
            self.sets = []
        self.fresh = False
        self.begin()


class H264Depacketizer(PictureDepacketizer):
    """RFC 6184."""

    def is_rest(self, payload: bytes) -> bool:
        if not payload:
            return False
        kind = payload[0] & 31
        if self.fragment is not None:
            return kind == 28 and len(payload) >= 2 and not payload[1] & 0x80
        if kind == 28 and len(payload) > 2 and payload[1] & 0x80:
            return payload[1] & 31 in (1, 2, 5) and not payload[2] & 0x80
        return kind in (1, 2, 5) and len(payload) > 1 and not payload[1] & 0x80

    def payload(self, payload: bytes) -> None:
        kind = payload[0] & 31
        if payload[0] & 0x80:
            self.damage()
        elif kind == 24:
            self.aggregate(payload[1:])
        elif kind == 28:
            self.oddities |= ODD_FRAGMENTS
            self.fragment_unit(payload)
        elif kind in (25, 26, 27, 29):
            self.oddities |= ODD_PACKET_TYPE
            self.damage()
        else:
            self.single(payload)

    def single(self, nal: bytes) -> None:
        kind = nal[0] & 31
        if nal[0] & 0x80:
            self.damage()
        elif 1 <= kind <= 23:
            self.begin_kind(kind, nal[1:])
            self.nal(nal)
        else:
            self.malformed += 1

    def begin_kind(self, kind: int, following: bytes) -> None:
        if kind in (1, 2, 5) and following:
            self.begin_nal(SLICE, first=following[0] >= 0x80)  # first_mb_in_slice is 0, in one bit
        else:
            self.begin_nal({6: HEAD, 7: HEAD, 8: HEAD, 9: DELIMITER}.get(kind, OTHER))

    def fragment_unit(self, payload: bytes) -> None:
        """FU-A, RFC 6184 §5.8."""
        if len(payload) < 2:
            self.malformed += 1
            self.damage()
            return
        kind = payload[1] & 31
        if payload[1] & 0x80:
            if not 1 <= kind <= 23:
                self.malformed += 1
                self.damage()
                return
            self.begin_kind(kind, payload[2:])
        self.fragment_part(bytes((payload[0] & 0xE0 | kind,)), payload[2:], payload[1])

    def keep(self, nal: bytes) -> None:
        kind = nal[0] & 31
        if nal[0] & 0x80:
            self.damage()
        elif kind in (7, 8):
            self.keep_set(nal)
        elif 1 <= kind <= 6 and self.keep_part(nal):
            if kind in (1, 2, 5):
                self.picture = True
            self.flags |= {5: IDR, 6: SEI}.get(kind, 0)


class H265Depacketizer(PictureDepacketizer):
    """RFC 7798, without decoding order numbers."""

    SLICES = (*range(10), *range(16, 22))
    HEADS = (32, 33, 34, 39, 41, 42, 43, 44)
    FLAGS: ClassVar = {8: RASL, 9: RASL, 16: BLA, 17: BLA, 18: BLA, 19: IDR, 20: IDR, 21: CRA}

    @staticmethod
    def kind(nal: bytes) -> int:
        return nal[0] >> 1 & 63

    @staticmethod
    def layer(nal: bytes) -> int:
        return (nal[0] & 1) << 5 | nal[1] >> 3

    def is_rest(self, payload: bytes) -> bool:
        if len(payload) < 3:
            return False
        kind = self.kind(payload)
        if self.fragment is not None:
            return kind == 49 and not payload[2] & 0x80
        if kind == 49 and len(payload) > 3 and payload[2] & 0x80:
            return payload[2] & 63 in self.SLICES and not payload[3] & 0x80
        return kind in self.SLICES and not payload[2] & 0x80

    def payload(self, payload: bytes) -> None:
        kind = self.kind(payload)
        if len(payload) < 2:
            self.malformed += 1
            self.damage()
        elif payload[0] & 0x80 or payload[1] & 7 == 0:
            self.damage()
        elif kind == 48:
            self.aggregate(payload[2:])
        elif kind == 49:
            self.fragment_unit(payload)
        elif kind == 50:
            self.oddities |= ODD_PACKET_TYPE
            self.damage()
        else:
            self.single(payload)

    def single(self, nal: bytes) -> None:
        kind = self.kind(nal)
        if len(nal) < 2 or kind >= 48:
            self.malformed += 1
        elif nal[0] & 0x80 or nal[1] & 7 == 0:
            self.damage()
        elif self.layer(nal) == 0:
            self.begin_kind(kind, nal[2:])
            self.nal(nal)

    def begin_kind(self, kind: int, following: bytes) -> None:
        if kind in self.SLICES and following:
            self.begin_nal(SLICE, first=following[0] >= 0x80)  # first_slice_segment_in_pic_flag
        else:
            self.begin_nal(HEAD if kind in self.HEADS else DELIMITER if kind == 35 else OTHER)

    def fragment_unit(self, payload: bytes) -> None:
        """FU, RFC 7798 §4.4.3."""
        if len(payload) < 3:
            self.malformed += 1
            self.damage()
            return
        kind = payload[2] & 63
        if payload[2] & 0x80:
            if kind >= 48:
                self.malformed += 1
                self.damage()
                return
            if self.layer(payload):
                self.begin_nal(OTHER)
            else:
                self.begin_kind(kind, payload[3:])
        self.fragment_part(bytes((payload[0] & 0x81 | kind << 1, payload[1])), payload[3:], payload[2])

    def keep(self, nal: bytes) -> None:
        if len(nal) < 2 or self.layer(nal):
            return
        kind = self.kind(nal)
        if nal[0] & 0x80 or nal[1] & 7 == 0:
            self.damage()
        elif kind in (32, 33, 34):
            self.keep_set(nal)
        elif (kind in (39, 40) or kind in self.SLICES) and self.keep_part(nal) and kind in self.SLICES:
            self.picture = True
            self.flags |= self.FLAGS.get(kind, 0)


class JpegDepacketizer(Depacketizer):
    """RFC 2435: the packets of a picture are collected, and looked at when it is over."""

    def __init__(self, payload_type: int, unit_limit: int = 8 << 20) -> None:
        super().__init__(payload_type)
        self.unit_limit = unit_limit
        self.loss = False
        self.fresh = True
        self.packets: list[Packet] = []
        self.whole = True
        self.scan = b""
        self.header: tuple = ()
        self.units: list[tuple] = []

    def lose(self) -> None:
        self.loss = True
        self.whole = self.whole and not self.packets

    def take(self, packet):
        self.units = []
        if len(packet.payload) < 8:
            self.malformed += 1
            self.whole = self.whole and not self.packets
            if packet.marker and self.packets:
                self.finish()
        else:
            self.collect(packet)
        return self.units or None

    def collect(self, packet: Packet) -> None:
        offset = int.from_bytes(packet.payload[1:4], "big")
        if self.packets and (packet.time != self.packets[0].time or (offset == 0 and self.scan)):
            if self.whole:
                self.oddities |= ODD_NO_MARKER
            self.finish()
        self.packets.append(packet)
        if self.whole:
            try:
                content = self.content(packet, first=offset == 0)
            except IndexError:
                self.whole = False
            else:
                self.whole = offset == len(self.scan)
                if self.whole and len(self.scan) + len(content) > self.unit_limit:
                    self.oddities |= ODD_TOO_BIG
                    self.whole = False
                if self.whole:
                    self.scan += content
        if packet.marker:
            self.finish()

    def content(self, packet: Packet, *, first: bool) -> bytes:
        """The coded content of a fragment.  Raises IndexError where its headers are cut off."""
        head, rest = packet.payload[:8], packet.payload[8:]
        restart, precision, tables = 0, 0, None
        if 64 <= head[4] <= 127:
            _, restart, rest = rest[3], rest[0] << 8 | rest[1], rest[4:]
        if first and head[5] >= 128:
            precision, length = rest[1], rest[2] << 8 | rest[3]
            if len(rest) < 4 + length:
                raise IndexError
            tables, rest = rest[4 : 4 + length], rest[4 + length :]
        if first:
            self.header = (head[0], *head[4:8], restart, precision, tables)
        return rest

    def segments(self) -> bytes:
        """What ONVIF's extensions of the headers hold."""
        found = b""
        for packet in self.packets:
            extension = packet.extension
            if extension[:2] == b"\xab\xac":
                extension = extension[16:]
            size = 4 * int.from_bytes(extension[2:4], "big")
            there = extension[:2] in (b"\xff\xd8", b"\xff\xff") and 4 + size <= len(extension)
            if there and len(found) + size <= SETS_BYTES:
                found += extension[4 : 4 + size]
        return found

    def finish(self) -> None:
        if self.whole and self.scan:
            flags = LOSS if self.loss else 0
            self.units.append((self.scan, self.packets[0].time, flags, (*self.header, self.segments())))
            self.loss = False
        else:
            self.loss = True
            self.dropped += not self.fresh
        self.fresh = False
        self.packets, self.whole, self.scan = [], True, b""


class Mpeg4Depacketizer(Depacketizer):
    """RFC 6416 §5: the payloads of a picture are collected, and looked at when it is over."""

    def __init__(self, payload_type: int, unit_limit: int = 8 << 20) -> None:
        super().__init__(payload_type)
        self.unit_limit = unit_limit
        self.loss = False
        self.fresh = True
        self.units: list[tuple] = []
        self.begin()

    def begin(self) -> None:
        self.payloads: list[bytes] = []
        self.time: int | None = None
        self.whole = True

    def lose(self) -> None:
        self.loss = True
        self.whole = self.time is None

    def take(self, packet):
        self.units = []
        if self.time not in (None, packet.time):
            if self.whole:
                self.oddities |= ODD_NO_MARKER
            self.finish()
        self.time = packet.time
        self.payloads.append(packet.payload)
        self.whole = self.whole and self.payloads[0].startswith(b"\0\0\1")
        if self.whole and sum(map(len, self.payloads)) > self.unit_limit:
            self.oddities |= ODD_TOO_BIG
            self.whole = False
        if packet.marker:
            self.finish()
        return self.units or None

    def finish(self) -> None:
        if self.whole:
            self.units.append((b"".join(self.payloads), self.time, LOSS if self.loss else 0))
        else:
            self.dropped += not self.fresh
        self.loss = not self.whole
        self.fresh = False
        self.begin()


class PcmDepacketizer(Depacketizer):
    """G.711, RFC 3551 §4.5.14."""

    def __init__(self, payload_type: int, limit: int = 8000) -> None:
        super().__init__(payload_type)
        self.limit = limit

    def take(self, packet):
        if len(packet.payload) > self.limit:
            self.oddities |= ODD_TOO_BIG
            self.dropped += 1
        elif not packet.payload:
            self.malformed += 1
        else:
            return [(packet.payload, packet.time)]
        return None


class AacDepacketizer(Depacketizer):
    """AAC-hbr, RFC 3640 §3.3.6."""

    def __init__(
        self,
        payload_type: int,
        size_length: int = 13,
        index_length: int = 3,
        index_delta_length: int = 3,
        samples: int = 1024,
    ) -> None:
        super().__init__(payload_type)
        if not (1 <= size_length <= 16 and 0 <= index_length <= 16 and 0 <= index_delta_length <= 16 and samples > 0):
            raise ValueError("lengths that no AAC stream has")
        self.size_length = size_length
        self.lengths = (index_length, index_delta_length)
        self.samples = samples
        self.begin()

    def begin(self) -> None:
        self.piece = b""  # of a frame over several packets
        self.wanted = 0
        self.time = 0

    def lose(self) -> None:
        if self.wanted:
            self.dropped += 1
            self.begin()

    def take(self, packet):
        sizes, payload = self.headers(packet.payload)
        if not sizes:
            self.lose()
            return None
        if self.wanted:
            if sizes == [self.wanted] and packet.time == self.time and len(self.piece) + len(payload) <= self.wanted:
                self.piece += payload
                if len(self.piece) < self.wanted:
                    return None
                whole = self.piece, self.time
                self.begin()
                return [whole]
            self.lose()
        if len(sizes) == 1 and sizes[0] > len(payload):
            if payload and not packet.marker:
                self.piece, self.wanted, self.time = payload, sizes[0], packet.time
            else:
                self.malformed += 1
            return None
        frames = []
        for number, size in enumerate(sizes):
            if size > len(payload):
                self.malformed += 1
                break
            if size:
                frames.append((payload[:size], (packet.time + number * self.samples) & 0xFFFFFFFF))
            payload = payload[size:]
        return frames or None

    def headers(self, payload: bytes) -> tuple[list[int], bytes]:
        """The sizes in the AU header section (§3.2.1) and what follows it; none if it makes no sense."""
        bits = int.from_bytes(payload[:2], "big")
        length = (bits + 7) // 8
        if len(payload) < 2 or len(payload) < 2 + length or not bits:
            self.malformed += 1
            return [], b""
        value = int.from_bytes(payload[2 : 2 + length], "big") >> (length * 8 - bits)
        sizes = []
        index = self.lengths[0]
        while bits >= self.size_length + index and len(sizes) < FRAMES_LIMIT:
            bits -= self.size_length
            sizes.append(value >> bits & ((1 << self.size_length) - 1))
            bits -= index
            if value >> bits & ((1 << index) - 1):  # interleaved, which AAC from cameras never is
                self.malformed += 1
                return [], b""
            index = self.lengths[1]
        if not sizes:
            self.malformed += 1
        return sizes, payload[2 + length :]
