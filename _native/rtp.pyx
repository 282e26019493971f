# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""RTP inside an RTSP connection: cutting packets out of it, and pictures and sound out of packets.

RFC 2326 §10.12 (interleaved), RFC 3550 §5.1 (RTP), RFC 6184 (H.264), RFC 7798 (H.265), RFC 2435 (JPEG), RFC 6416
(MPEG-4 Visual), RFC 3640 (AAC), RFC 3551 (G.711).  One call a packet.
Oracle: tests/reference/rtp.py.  Fuzzed: tests/fuzz/fuzz_rtp.py.
"""
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_FromStringAndSize

cdef extern from "start_code.h" nogil:
    Py_ssize_t next_start_code(const uint8_t* data, Py_ssize_t position, Py_ssize_t size)

cdef enum:
    DOLLAR = 0x24
    HEADER = 12  # bytes of an RTP header without contributing sources

# where a scan stopped
cdef enum:
    WANTS_MORE = 0
    AT_TEXT = 1
    IS_FULL = 2

MORE = WANTS_MORE
TEXT = AT_TEXT
FULL = IS_FULL

# what a unit is
cdef enum:
    HAS_IDR = 1
    HAS_SEI = 2
    AFTER_LOSS = 4
    HAS_CRA = 8
    HAS_BLA = 16
    HAS_RASL = 32

IDR = HAS_IDR
SEI = HAS_SEI
LOSS = AFTER_LOSS
CRA = HAS_CRA
BLA = HAS_BLA
RASL = HAS_RASL

# what a camera does that the RFC does not foresee; sites/rtsp/oddities.py names them
cdef enum:
    EARLY_MARKER = 1
    NO_MARKER = 2
    START_CODES = 4
    WHOLE_FRAGMENT = 8
    TRAILING_ZEROS = 16
    RESTARTED = 32
    TIME_INSIDE = 64
    FRAGMENTS = 128
    PACKET_TYPE = 256
    TOO_BIG = 512

ODD_EARLY_MARKER = EARLY_MARKER
ODD_NO_MARKER = NO_MARKER
ODD_START_CODES = START_CODES
ODD_WHOLE_FRAGMENT = WHOLE_FRAGMENT
ODD_TRAILING_ZEROS = TRAILING_ZEROS
ODD_RESTART = RESTARTED
ODD_TIME_INSIDE = TIME_INSIDE
ODD_FRAGMENTS = FRAGMENTS
ODD_PACKET_TYPE = PACKET_TYPE
ODD_TOO_BIG = TOO_BIG

# NAL unit types (ISO/IEC 14496-10 Table 7-1, RFC 6184 Table 1)
cdef enum:
    SLICE = 1
    PARTITION_A = 2
    IDR_SLICE = 5
    SEI_NAL = 6
    SPS = 7
    PPS = 8
    DELIMITER = 9
    STAP_A = 24
    STAP_B = 25
    MTAP_16 = 26
    MTAP_24 = 27
    FU_A = 28
    FU_B = 29

# the same of H.265 (ISO/IEC 23008-2 Table 7-1, RFC 7798 §4.4)
cdef enum:
    H265_RASL_N = 8
    H265_RASL_R = 9
    H265_BLA_FIRST = 16
    H265_BLA_LAST = 18
    H265_IDR_LAST = 20
    H265_CRA = 21
    H265_VPS = 32
    H265_PPS = 34
    H265_DELIMITER = 35
    H265_PREFIX_SEI = 39
    H265_SUFFIX_SEI = 40
    H265_RESERVED_HEAD_LAST = 44
    H265_AP = 48
    H265_FU = 49
    H265_PACI = 50

# what a NAL unit is to its picture
cdef enum:
    IS_OTHER = 0
    IS_SLICE = 1
    IS_HEAD = 2  # stands before the slices
    IS_DELIMITER = 3

# how a packet follows the last one
cdef enum:
    IS_LATE = 0
    IS_NEXT = 1
    HAS_GAP = 2
    IS_RESTART = 3

cdef enum:
    MAX_DROPOUT = 3000  # RFC 3550 §A.1: a larger step is a new beginning, not a loss
    MAX_MISORDER = 100
    SETS_LIMIT = 64  # parameter sets before one picture; cameras send two or three
    SETS_BYTES = 1 << 16
    JPEG_HEADER = 8  # bytes of RFC 2435 §3.1
    JPEG_PROFILE = 0xFFD8  # of header extensions: ONVIF Streaming Specification §5.1.5
    JPEG_PROFILE_LATER = 0xFFFF  # in packets after a picture's first
    REPLAY_PROFILE = 0xABAC  # §6.3, with one of those behind it
    FRAMES_LIMIT = 256  # AAC frames in one packet; cameras send one to four
    SMALL = 1 << 16  # what the buffer of a unit begins with, and returns to after a monster
    LARGE = 1 << 21


cdef inline uint32_t get16(const uint8_t* at) noexcept nogil:
    return (<uint32_t>at[0] << 8) | at[1]


cdef inline uint32_t get32(const uint8_t* at) noexcept nogil:
    return (<uint32_t>at[0] << 24) | (<uint32_t>at[1] << 16) | (<uint32_t>at[2] << 8) | at[3]


cdef inline void put32(uint8_t* at, uint32_t value) noexcept nogil:
    at[0] = value >> 24
    at[1] = (value >> 16) & 0xFF
    at[2] = (value >> 8) & 0xFF
    at[3] = value & 0xFF


def scan_interleaved(const uint8_t[::1] data not None, Py_ssize_t offset=0, Py_ssize_t limit=1024):
    """The whole interleaved packets from ``offset`` on: ``([(channel, start, end), …], stop, why)``.

    Empty ones are left out.  ``start`` and ``end`` bound the payload.  ``why`` the scan ended at ``stop``: MORE (the data ends there, or inside
    of a packet), TEXT (what begins there is no packet) or FULL (``limit`` packets are enough for one call).
    """
    cdef Py_ssize_t size = data.shape[0], end
    cdef list spans = []
    cdef int why = WANTS_MORE
    if not 0 <= offset <= size:
        raise ValueError("an offset outside of the buffer")
    while offset < size:
        if data[offset] != DOLLAR:
            why = AT_TEXT
            break
        if len(spans) >= limit:
            why = IS_FULL
            break
        if size - offset < 4:
            break
        end = offset + 4 + ((<Py_ssize_t>data[offset + 2] << 8) | data[offset + 3])
        if end > size:
            break
        if end > offset + 4:
            spans.append((data[offset + 1], offset + 4, end))
        offset = end
    return spans, offset, why


cdef struct Packet:
    int payload_type
    bint marker
    uint16_t sequence
    uint32_t time
    uint32_t ssrc
    const uint8_t* payload
    Py_ssize_t size
    int profile  # of the header extension, or -1
    const uint8_t* extension
    Py_ssize_t extension_size


cdef bint parse_packet(const uint8_t* data, Py_ssize_t size, Packet* out) noexcept nogil:
    """Read an RTP header; false for what is none."""
    cdef Py_ssize_t start, end = size
    if size < HEADER or data[0] >> 6 != 2:
        return False
    start = HEADER + 4 * (data[0] & 0x0F)
    out.profile, out.extension_size = -1, 0
    if data[0] & 0x10:
        if start + 4 > size:
            return False
        out.profile = <int>get16(data + start)
        out.extension = data + start + 4
        out.extension_size = 4 * <Py_ssize_t>get16(data + start + 2)
        start += 4 + out.extension_size
    if data[0] & 0x20:
        if data[size - 1] == 0:
            return False
        end -= data[size - 1]
    if start > end:
        return False
    out.payload_type = data[1] & 0x7F
    out.marker = data[1] >> 7
    out.sequence = get16(data + 2)
    out.time = get32(data + 4)
    out.ssrc = get32(data + 8)
    out.payload = data + start
    out.size = end - start
    return True


cdef class Depacketizer:
    """What all kinds share: the counters and the order of the packets.

    Packets are not put back into order: over TCP they cannot leave it.  One from before is late or double: dropped.
    """

    cdef readonly int payload_type
    cdef readonly int64_t received
    cdef readonly int64_t lost
    cdef readonly int64_t late
    cdef readonly int64_t malformed
    cdef readonly int64_t foreign  # of another payload type
    cdef readonly int64_t dropped  # units whose parts did not all come
    cdef readonly int64_t highest  # sequence number, extended by its wraps; -1 before the first packet
    cdef readonly uint32_t ssrc
    cdef readonly int oddities  # ODD_…

    def __cinit__(self, int payload_type, *_args, **_keywords):
        self.payload_type = payload_type
        self.highest = -1

    cdef int accept(self, const uint8_t* data, Py_ssize_t size, Packet* packet) noexcept nogil:
        """Read a packet and count it; IS_LATE if it is not to be used."""
        cdef int step
        cdef int64_t ahead
        if not parse_packet(data, size, packet):
            self.malformed += 1
            return IS_LATE
        if packet.payload_type != self.payload_type:
            self.foreign += 1
            return IS_LATE
        if self.highest < 0:
            step = IS_NEXT
            self.highest, self.ssrc = packet.sequence, packet.ssrc
        else:
            ahead = <uint16_t>(packet.sequence - <uint16_t>(self.highest & 0xFFFF) - 1)
            if packet.ssrc != self.ssrc or MAX_DROPOUT <= ahead < 0x10000 - MAX_MISORDER:
                step = IS_RESTART
                self.highest, self.ssrc = packet.sequence, packet.ssrc
                self.oddities |= RESTARTED
            elif ahead >= 0x10000 - MAX_MISORDER:
                self.late += 1
                return IS_LATE
            else:
                step = HAS_GAP if ahead else IS_NEXT
                self.highest += ahead + 1
                self.lost += ahead
        self.received += 1
        return step


cdef class UnitDepacketizer(Depacketizer):
    """What gathers a picture over many packets: the buffer, and taking runs of packets."""

    cdef Py_ssize_t unit_limit
    cdef uint8_t* unit  # the data so far
    cdef Py_ssize_t used
    cdef Py_ssize_t room
    cdef list units  # what the call at hand gives out

    def __dealloc__(self):
        free(self.unit)

    def push(self, data not None, Py_ssize_t start, Py_ssize_t end):
        """Take the RTP packet ``data[start:end]``.  Raises ValueError if that is not inside of ``data``."""
        return self.push_run(data, [(0, start, end)], 0)[0]

    def push_run(self, data not None, list spans not None, Py_ssize_t at):
        """Take packets of ``scan_interleaved`` from ``spans[at]`` on, as long as they are of its channel and complete
        nothing: ``(what push gives or None, the next to take)``.  Raises ValueError as ``push`` does."""
        cdef Py_buffer view
        cdef Packet packet
        cdef int step, channel
        cdef Py_ssize_t count = len(spans), start, end
        cdef tuple span
        if not 0 <= at < count:
            raise ValueError("no such packet")
        channel = spans[at][0]
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        self.units = None
        try:
            while at < count and self.units is None:
                span = spans[at]
                if <int>span[0] != channel:
                    break
                start, end = span[1], span[2]
                if not 0 <= start <= end <= view.len:
                    raise ValueError("a packet outside of its buffer")
                at += 1
                step = self.accept(<const uint8_t*>view.buf + start, end - start, &packet)
                if step == IS_LATE:
                    continue
                if step != IS_NEXT:
                    self.lose()
                self.take(&packet)
        finally:
            PyBuffer_Release(&view)
        units, self.units = self.units, None
        return units, at

    cdef void lose(self) noexcept nogil:
        """Packets are missing before the one that is taken next."""
        pass

    cdef int take(self, Packet* packet) except -1:
        return 0

    cdef int give(self, object unit) except -1:
        if self.units is None:
            self.units = [unit]
        else:
            self.units.append(unit)
        return 0

    cdef void shrink(self) noexcept nogil:
        """Give back the room of a monster."""
        cdef uint8_t* smaller
        if self.room > LARGE and self.used < LARGE:
            smaller = <uint8_t*>realloc(self.unit, SMALL)
            if smaller != NULL:
                self.unit = smaller
                self.room = SMALL

    cdef int reserve(self, Py_ssize_t more) except -1:
        """Room for ``more`` bytes; the buffer doubles, so that each byte moves a bounded number of times."""
        cdef Py_ssize_t room = self.room or SMALL
        cdef uint8_t* larger
        if self.used + more <= self.room:
            return 0
        while room < self.used + more:
            room *= 2
        larger = <uint8_t*>realloc(self.unit, room)
        if larger == NULL:
            raise MemoryError
        self.unit = larger
        self.room = room
        return 0

    cdef int append(self, const uint8_t* data, Py_ssize_t size) except -1:
        self.reserve(size)
        memcpy(self.unit + self.used, data, size)
        self.used += size
        return 0

cdef class PictureDepacketizer(UnitDepacketizer):
    """RTP payloads in, whole access units out: what H.264 and H.265 share.

    ``push`` gives None or a list of ``(data, rtp_time, flags, parameter_sets)``: ``data`` in AVCC form without
    parameter sets, delimiters and fillers, ``flags`` what the unit is, and LOSS (something is missing since the unit
    before), ``parameter_sets`` those that came since the unit before.  A unit that lacks a part is never given out; it
    is counted in ``dropped``.  A unit ends with the marker bit, or where the time changes, or with a delimiter; where
    markers are missing or wrong also where a NAL unit begins that only begins units.

    Bounds: ``unit_limit`` bytes and ``nal_limit`` NAL units a unit; beyond them it counts as damaged.
    """

    cdef Py_ssize_t nal_limit
    cdef Py_ssize_t fragment  # where the length of the NAL unit in fragments stands, or -1
    cdef Py_ssize_t count  # NAL units kept
    cdef int flags
    cdef uint32_t time
    cdef bint open  # a payload of this unit has come
    cdef bint picture  # a slice has begun
    cdef bint damaged
    cdef bint loss  # something is missing since the unit given out last
    cdef bint gap  # the next packet may be the middle of something
    cdef bint fresh  # no unit is over yet
    cdef bint marked  # some packet of a picture had the marker bit
    cdef bint unmarked  # the marker bit is not to be believed
    cdef int64_t marked_time  # of the unit that a marker ended last, or -1
    cdef list sets
    cdef Py_ssize_t sets_bytes

    def __init__(self, int payload_type, Py_ssize_t unit_limit=8 << 20, Py_ssize_t nal_limit=1024):
        self.unit_limit = unit_limit
        self.nal_limit = nal_limit
        self.gap = self.fresh = True
        self.marked_time = -1
        self.fragment = -1
        self.sets = []

    cdef int take(self, Packet* packet) except -1:
        if self.open and packet.time != self.time:
            if self.continues(packet.payload, packet.size):
                self.oddities |= TIME_INSIDE
            else:
                if self.picture and not self.damaged and not self.unmarked:
                    self.oddities |= NO_MARKER
                if self.picture or self.damaged:
                    self.finish()
                self.time = packet.time
        elif not self.open:
            self.time = packet.time
        if packet.size:
            self.open = True
            self.take_payload(packet.payload, packet.size)
        if packet.marker and (self.picture or self.damaged):
            self.marked = True
            if self.fragment >= 0 and not self.unmarked:
                self.distrust()
            if not self.unmarked:
                self.marked_time = self.time
                self.finish()
        return 0

    cdef void clear(self) noexcept nogil:
        self.used = 0
        self.flags = 0
        self.fragment = -1
        self.count = 0

    cdef void damage(self) noexcept nogil:
        self.loss = self.damaged = True
        self.clear()

    cdef void too_big(self) noexcept nogil:
        self.oddities |= TOO_BIG
        self.damage()

    cdef void distrust(self) noexcept nogil:
        self.unmarked = True
        self.oddities |= EARLY_MARKER

    cdef void lose(self) noexcept nogil:
        self.loss = self.gap = True
        if self.picture or self.damaged:
            self.damage()
        else:
            self.clear()

    cdef bint continues(self, const uint8_t* payload, Py_ssize_t size) noexcept nogil:
        """Whether what has a new time is the rest of the picture at hand all the same."""
        return self.picture and not self.damaged and self.is_rest(payload, size)

    cdef bint is_rest(self, const uint8_t* payload, Py_ssize_t size) noexcept nogil:
        """Whether a payload can only go on with a picture that has begun."""
        return False

    cdef int take_payload(self, const uint8_t* payload, Py_ssize_t size) except -1:
        """One RTP payload, of a byte at least."""
        return 0

    cdef int take_single(self, const uint8_t* nal, Py_ssize_t size) except -1:
        """A NAL unit that stands by itself, in a packet or in an aggregate; of a byte at least."""
        return 0

    cdef int keep(self, Py_ssize_t at, Py_ssize_t size) except -1:
        """Put the NAL unit of ``size`` bytes behind the length at ``at`` where it belongs."""
        return 0

    cdef int take_aggregate(self, const uint8_t* payload, Py_ssize_t size, Py_ssize_t at) except -1:
        """NAL units each behind its length in two bytes, from ``at`` on (RFC 6184 §5.7.1, RFC 7798 §4.4.2)."""
        cdef Py_ssize_t length
        while at + 2 <= size:
            length = get16(payload + at)
            at += 2
            if length > size - at:
                self.damage()
                return 0
            if length:
                self.take_single(payload + at, length)
            at += length
        return 0

    cdef int begin_fragment(self, const uint8_t* header, Py_ssize_t size, Py_ssize_t left) except -1:
        """The first fragment of a NAL unit, whose header is given; ``left`` bytes follow in it.  `begin_nal` was called."""
        cdef Py_ssize_t at = self.used
        if self.damaged:
            return 0
        if at + 4 + size + left > self.unit_limit:
            self.too_big()
            return 0
        self.reserve(4 + size)
        self.used = at + 4
        self.append(header, size)
        self.fragment = at
        return 0

    cdef int go_on_fragment(self, const uint8_t* data, Py_ssize_t size, bint first, bint last) except -1:
        """What a fragment holds."""
        cdef Py_ssize_t at
        if self.fragment < 0:
            if not self.damaged:
                self.damage()
            return 0
        if self.used + size > self.unit_limit:
            self.too_big()
            return 0
        self.append(data, size)
        if last:
            if first:
                self.oddities |= WHOLE_FRAGMENT
            at, self.fragment = self.fragment, -1
            self.complete(at)
        return 0

    cdef int begin_nal(self, int role, bint first) except -1:
        """Decide what the NAL unit that begins here belongs to; ``first``: it is the first slice of its picture."""
        if self.fragment >= 0:
            self.damage()
        if self.picture or self.damaged:
            if role == IS_DELIMITER or ((self.unmarked or not self.marked) and (role == IS_HEAD or first)):
                self.finish()
                self.open = True
        if role == IS_SLICE:
            if not self.picture and not self.damaged and not first:
                if self.gap:
                    self.damage()
                elif self.marked_time == <int64_t>self.time and not self.unmarked:
                    self.distrust()
                    self.damage()
            self.gap = False
            self.picture = True
        return 0

    cdef int take_nal(self, const uint8_t* nal, Py_ssize_t size) except -1:
        cdef Py_ssize_t at = self.used
        if self.damaged:
            return 0
        if at + 4 + size > self.unit_limit:
            self.too_big()
            return 0
        self.reserve(4 + size)
        self.used = at + 4
        self.append(nal, size)
        return self.complete(at)

    cdef int complete(self, Py_ssize_t at) except -1:
        """The NAL unit behind the length at ``at``, the last in the buffer, is whole."""
        cdef Py_ssize_t size = self.used - at - 4, start = 0, found, end
        cdef uint8_t* nal = self.unit + at + 4
        cdef uint8_t* copy
        if nal[size - 1] == 0:
            self.oddities |= TRAILING_ZEROS
        found = next_start_code(nal, 0, size)
        if found < 0:
            while size and nal[size - 1] == 0:
                size -= 1
            return self.keep(at, size)
        # Several NAL units with start codes between them, sent as one: take them apart.
        self.oddities |= START_CODES
        copy = <uint8_t*>malloc(size)
        if copy == NULL:
            raise MemoryError
        try:
            memcpy(copy, nal, size)
            self.used = at
            while start <= size and not self.damaged:
                end = size if found < 0 else found
                at = end
                while at > start and copy[at - 1] == 0:
                    at -= 1
                if at > start:
                    self.keep_piece(copy + start, at - start)
                if found < 0:
                    break
                start = found + 3
                found = next_start_code(copy, start, size)
        finally:
            free(copy)
        return 0

    cdef int keep_piece(self, const uint8_t* nal, Py_ssize_t size) except -1:
        cdef Py_ssize_t at = self.used
        self.reserve(4 + size)
        self.used = at + 4
        self.append(nal, size)
        return self.keep(at, size)

    cdef int keep_set(self, const uint8_t* nal, Py_ssize_t size) except -1:
        """A parameter set."""
        if len(self.sets) >= SETS_LIMIT or self.sets_bytes + size > SETS_BYTES:
            self.sets = []
            self.sets_bytes = 0
            self.too_big()
        else:
            self.sets.append(PyBytes_FromStringAndSize(<char*>nal, size))
            self.sets_bytes += size
        return 0

    cdef bint keep_part(self, Py_ssize_t at, Py_ssize_t size) noexcept nogil:
        """A part of the picture, which stands behind ``at`` already; false where it is one too many."""
        self.count += 1
        if self.count > self.nal_limit or at + 4 + size > self.unit_limit:
            self.too_big()
            return False
        put32(self.unit + at, <uint32_t>size)
        self.used = at + 4 + size
        return True

    cdef int finish(self) except -1:
        """The unit at hand is over."""
        if self.fragment >= 0 or self.used == 0:
            self.damage()
        if self.damaged:
            if not self.fresh:  # the first may be the tail of one that began before we came
                self.dropped += 1
        else:
            unit = (
                PyBytes_FromStringAndSize(<char*>self.unit, self.used),
                self.time,
                self.flags | (AFTER_LOSS if self.loss else 0),
                tuple(self.sets) if self.sets else (),
            )
            self.give(unit)
            self.loss = False
            if self.sets:
                self.sets = []
                self.sets_bytes = 0
        self.shrink()
        self.fresh = False
        self.open = self.picture = self.damaged = False
        self.clear()
        return 0


cdef class H264Depacketizer(PictureDepacketizer):
    """RFC 6184: single NAL units, STAP-A, FU-A.  ``flags`` of IDR, SEI and LOSS."""

    cdef bint is_rest(self, const uint8_t* payload, Py_ssize_t size) noexcept nogil:
        cdef int kind
        if size == 0:
            return False
        kind = payload[0] & 0x1F
        if self.fragment >= 0:
            return kind == FU_A and size >= 2 and not payload[1] & 0x80
        if kind == FU_A and size > 2 and payload[1] & 0x80:
            return is_slice(payload[1] & 0x1F) and not payload[2] & 0x80
        return is_slice(kind) and size > 1 and not payload[1] & 0x80

    cdef int take_payload(self, const uint8_t* payload, Py_ssize_t size) except -1:
        cdef int kind = payload[0] & 0x1F
        if payload[0] & 0x80:
            self.damage()
        elif kind == FU_A:
            self.oddities |= FRAGMENTS
            self.take_fragment(payload, size)
        elif kind == STAP_A:
            self.take_aggregate(payload, size, 1)
        elif kind == STAP_B or kind == MTAP_16 or kind == MTAP_24 or kind == FU_B:
            self.oddities |= PACKET_TYPE  # of the interleaved mode
            self.damage()
        else:
            self.take_single(payload, size)
        return 0

    cdef int take_single(self, const uint8_t* nal, Py_ssize_t size) except -1:
        cdef int kind = nal[0] & 0x1F
        if nal[0] & 0x80:
            self.damage()
        elif 1 <= kind < STAP_A:
            self.begin(kind, nal + 1, size - 1)
            self.take_nal(nal, size)
        else:
            self.malformed += 1
        return 0

    cdef int begin(self, int kind, const uint8_t* following, Py_ssize_t left) except -1:
        if kind == DELIMITER:
            return self.begin_nal(IS_DELIMITER, False)
        if kind == SEI_NAL or kind == SPS or kind == PPS:
            return self.begin_nal(IS_HEAD, False)
        if left > 0 and is_slice(kind):
            # first_mb_in_slice is ue(v): a picture's first slice says 0, which is a single 1
            return self.begin_nal(IS_SLICE, following[0] & 0x80)
        return self.begin_nal(IS_OTHER, False)

    cdef int take_fragment(self, const uint8_t* payload, Py_ssize_t size) except -1:
        """FU-A, RFC 6184 §5.8."""
        cdef int kind
        cdef uint8_t header
        if size < 2:
            self.malformed += 1
            self.damage()
            return 0
        if payload[1] & 0x80:
            kind = payload[1] & 0x1F
            if not 1 <= kind < STAP_A:
                self.malformed += 1
                self.damage()
                return 0
            self.begin(kind, payload + 2, size - 2)
            header = payload[0] & 0xE0 | kind
            self.begin_fragment(&header, 1, size - 2)
        return self.go_on_fragment(payload + 2, size - 2, payload[1] & 0x80, payload[1] & 0x40)

    cdef int keep(self, Py_ssize_t at, Py_ssize_t size) except -1:
        cdef uint8_t* nal = self.unit + at + 4
        cdef int kind
        self.used = at
        if size == 0:
            return 0
        kind = nal[0] & 0x1F
        if nal[0] & 0x80:
            self.damage()
        elif kind == SPS or kind == PPS:
            self.keep_set(nal, size)
        elif 1 <= kind <= SEI_NAL and self.keep_part(at, size):
            if is_slice(kind):
                self.picture = True
            if kind == IDR_SLICE:
                self.flags |= HAS_IDR
            elif kind == SEI_NAL:
                self.flags |= HAS_SEI
        return 0


cdef inline bint is_slice(int kind) noexcept nogil:
    """Whether a slice header, and so first_mb_in_slice, follows the NAL header."""
    return kind == SLICE or kind == PARTITION_A or kind == IDR_SLICE


cdef class H265Depacketizer(PictureDepacketizer):
    """RFC 7798: single NAL units, aggregation packets, fragmentation units, all without decoding order numbers.

    ``flags`` of IDR, CRA, BLA, RASL and LOSS.  NAL units of other layers than the base are left out.
    """

    cdef bint is_rest(self, const uint8_t* payload, Py_ssize_t size) noexcept nogil:
        cdef int kind
        if size < 3:
            return False
        kind = payload[0] >> 1 & 0x3F
        if self.fragment >= 0:
            return kind == H265_FU and not payload[2] & 0x80
        if kind == H265_FU and size > 3 and payload[2] & 0x80:
            return is_slice_segment(payload[2] & 0x3F) and not payload[3] & 0x80
        return is_slice_segment(kind) and not payload[2] & 0x80

    cdef int take_payload(self, const uint8_t* payload, Py_ssize_t size) except -1:
        cdef int kind = payload[0] >> 1 & 0x3F
        if size < 2:
            self.malformed += 1
            self.damage()
        elif payload[0] & 0x80 or payload[1] & 7 == 0:
            self.damage()
        elif kind == H265_FU:
            self.take_fragment(payload, size)
        elif kind == H265_AP:
            self.take_aggregate(payload, size, 2)
        elif kind == H265_PACI:
            self.oddities |= PACKET_TYPE
            self.damage()
        else:
            self.take_single(payload, size)
        return 0

    cdef int take_single(self, const uint8_t* nal, Py_ssize_t size) except -1:
        cdef int kind = nal[0] >> 1 & 0x3F
        if size < 2 or kind >= H265_AP:
            self.malformed += 1
        elif nal[0] & 0x80 or nal[1] & 7 == 0:
            self.damage()
        elif not is_layered(nal):
            self.begin(kind, nal + 2, size - 2)
            self.take_nal(nal, size)
        return 0

    cdef int begin(self, int kind, const uint8_t* following, Py_ssize_t left) except -1:
        # §7.4.2.4.4: what may only stand before the first slice of a picture
        if kind == H265_DELIMITER:
            return self.begin_nal(IS_DELIMITER, False)
        if H265_VPS <= kind <= H265_PPS or kind == H265_PREFIX_SEI or H265_SUFFIX_SEI < kind <= H265_RESERVED_HEAD_LAST:
            return self.begin_nal(IS_HEAD, False)
        if left > 0 and is_slice_segment(kind):
            return self.begin_nal(IS_SLICE, following[0] & 0x80)  # first_slice_segment_in_pic_flag
        return self.begin_nal(IS_OTHER, False)

    cdef int take_fragment(self, const uint8_t* payload, Py_ssize_t size) except -1:
        """FU, RFC 7798 §4.4.3."""
        cdef int kind
        cdef uint8_t header[2]
        if size < 3:
            self.malformed += 1
            self.damage()
            return 0
        if payload[2] & 0x80:
            kind = payload[2] & 0x3F
            if kind >= H265_AP:
                self.malformed += 1
                self.damage()
                return 0
            header[0], header[1] = payload[0] & 0x81 | kind << 1, payload[1]
            if is_layered(payload):
                self.begin_nal(IS_OTHER, False)
            else:
                self.begin(kind, payload + 3, size - 3)
            self.begin_fragment(header, 2, size - 3)
        return self.go_on_fragment(payload + 3, size - 3, payload[2] & 0x80, payload[2] & 0x40)

    cdef int keep(self, Py_ssize_t at, Py_ssize_t size) except -1:
        cdef uint8_t* nal = self.unit + at + 4
        cdef int kind
        self.used = at
        if size < 2 or is_layered(nal):
            return 0
        kind = nal[0] >> 1 & 0x3F
        if nal[0] & 0x80 or nal[1] & 7 == 0:
            self.damage()
        elif H265_VPS <= kind <= H265_PPS:
            self.keep_set(nal, size)
        elif kind == H265_PREFIX_SEI or kind == H265_SUFFIX_SEI:
            self.keep_part(at, size)
        elif is_slice_segment(kind) and self.keep_part(at, size):
            self.picture = True
            if kind == H265_RASL_N or kind == H265_RASL_R:
                self.flags |= HAS_RASL
            elif kind == H265_CRA:
                self.flags |= HAS_CRA
            elif kind > H265_BLA_LAST:
                self.flags |= HAS_IDR
            elif kind >= H265_BLA_FIRST:
                self.flags |= HAS_BLA
        return 0


cdef inline bint is_slice_segment(int kind) noexcept nogil:
    """The types of slice segments that are not reserved; first_slice_segment_in_pic_flag follows the NAL header."""
    return 0 <= kind <= H265_RASL_R or H265_BLA_FIRST <= kind <= H265_CRA


cdef inline bint is_layered(const uint8_t* nal) noexcept nogil:
    """nuh_layer_id over 0: not of the base layer, the only one that players decode."""
    return nal[0] & 1 or nal[1] >> 3


cdef class PieceDepacketizer(UnitDepacketizer):
    """Pictures whose packets are pieces of one run of bytes: what JPEG and MPEG-4 Visual share.

    A picture ends with the marker bit, or where the next one begins.  One that lacks a piece is never given out.
    """

    cdef bint open  # a packet of this picture has come
    cdef bint damaged
    cdef bint loss  # something is missing since the picture given out last
    cdef bint fresh  # no picture is over yet
    cdef uint32_t time

    def __init__(self, int payload_type, Py_ssize_t unit_limit=8 << 20):
        self.unit_limit = unit_limit
        self.fresh = True

    cdef void lose(self) noexcept nogil:
        self.loss = True
        self.damaged = self.open

    cdef int add(self, const uint8_t* data, Py_ssize_t size) except -1:
        """A piece of the picture at hand."""
        if self.used + size > self.unit_limit:
            self.oddities |= TOO_BIG
            self.damaged = True
            return 0
        return self.append(data, size)

    cdef tuple whole(self):
        """What is given out of the picture at hand."""
        return PyBytes_FromStringAndSize(<char*>self.unit, self.used), self.time, AFTER_LOSS if self.loss else 0

    cdef int finish(self) except -1:
        """The picture at hand is over."""
        if self.damaged:
            self.loss = True
            if not self.fresh:  # the first may be the tail of one that began before we came
                self.dropped += 1
        else:
            self.give(self.whole())
            self.loss = False
        self.shrink()
        self.used = 0
        self.fresh = self.open = self.damaged = False
        return 0


cdef class JpegDepacketizer(PieceDepacketizer):
    """RTP payloads of JPEG in (RFC 2435), the coded content of whole pictures out.

    ``push`` gives None or a list of ``(scan, rtp_time, flags, header)``; ``flags`` of LOSS.  ``header``, as it stood
    before the first fragment: ``(type_specific, type, q, width, height, restart_interval, precision, tables,
    segments)``, width and height in blocks of eight, ``tables`` None where Q stands for tables that everybody can
    compute, else what came with the picture, empty where nothing did.  ``segments``: those of ONVIF's extension of the
    RTP header (Streaming Specification §5.1.5), of all packets of the picture.

    A picture that lacks a fragment is never given out.  It ends with the marker bit, or where the next one begins.
    """

    cdef tuple header
    cdef bytes segments

    def __init__(self, int payload_type, Py_ssize_t unit_limit=8 << 20):
        super().__init__(payload_type, unit_limit)
        self.segments = b""

    cdef int take(self, Packet* packet) except -1:
        cdef const uint8_t* payload = packet.payload
        cdef Py_ssize_t offset, at
        if packet.size < JPEG_HEADER:
            self.malformed += 1
            if self.open:
                self.damaged = True
            if packet.marker and self.open:
                self.finish()
            return 0
        offset = <Py_ssize_t>get32(payload) & 0xFFFFFF
        if self.open and (packet.time != self.time or (offset == 0 and self.used)):
            if not self.damaged:
                self.oddities |= NO_MARKER
            self.finish()
        if not self.open:
            self.open = True
            self.time = packet.time
            self.damaged = False
        if packet.profile == JPEG_PROFILE or packet.profile == JPEG_PROFILE_LATER:
            self.take_segments(packet.extension, packet.extension_size)
        elif packet.profile == REPLAY_PROFILE and packet.extension_size > 16:
            at = 4 * <Py_ssize_t>get16(packet.extension + 14)
            if get16(packet.extension + 12) in (JPEG_PROFILE, JPEG_PROFILE_LATER) and at <= packet.extension_size - 16:
                self.take_segments(packet.extension + 16, at)
        at = JPEG_HEADER
        if 64 <= payload[4] < 128:
            at += 4
        if offset == 0 and not self.damaged:
            at = self.take_header(payload, packet.size)
        if at > packet.size or offset != self.used:
            self.damaged = True
        elif not self.damaged:
            self.add(payload + at, packet.size - at)
        if packet.marker:
            self.finish()
        return 0

    cdef int take_segments(self, const uint8_t* data, Py_ssize_t size) except -1:
        if len(self.segments) + size <= SETS_BYTES:
            self.segments += PyBytes_FromStringAndSize(<const char*>data, size)
        return 0

    cdef Py_ssize_t take_header(self, const uint8_t* payload, Py_ssize_t size) except -1:
        """Keep the header of a picture's first fragment; where its content begins, beyond ``size`` if it is cut off."""
        cdef Py_ssize_t at = JPEG_HEADER, length
        cdef int restart = 0, precision = 0
        cdef bytes tables = None
        if 64 <= payload[4] < 128:
            if size < at + 4:
                return size + 1
            restart = <int>get16(payload + at)
            at += 4
        if payload[5] >= 128:
            if size < at + 4:
                return size + 1
            precision = payload[at + 1]
            length = get16(payload + at + 2)
            at += 4
            if length > size - at:
                return size + 1
            tables = PyBytes_FromStringAndSize(<const char*>payload + at, length)
            at += length
        self.header = (payload[0], payload[4], payload[5], payload[6], payload[7], restart, precision, tables)
        return at

    cdef tuple whole(self):
        return *PieceDepacketizer.whole(self), (*self.header, self.segments)

    cdef int finish(self) except -1:
        self.damaged = self.damaged or self.used == 0
        PieceDepacketizer.finish(self)
        self.segments = b""
        return 0


cdef class Mpeg4Depacketizer(PieceDepacketizer):
    """RTP payloads of MPEG-4 Visual in (RFC 6416 §5), whole pictures out, with the headers that came before them.

    ``push`` gives None or a list of ``(data, rtp_time, flags)``; ``flags`` of LOSS.  The payloads are pieces of the
    bitstream; a picture begins with a start code, and ends with the marker bit or where the time changes.  One that
    lacks a piece is never given out.
    """


    cdef int take(self, Packet* packet) except -1:
        cdef const uint8_t* payload = packet.payload
        if self.open and packet.time != self.time:
            if not self.damaged:
                self.oddities |= NO_MARKER
            self.finish()
        if not self.open:
            self.open = True
            self.time = packet.time
            self.damaged = packet.size < 3 or payload[0] != 0 or payload[1] != 0 or payload[2] != 1
        if not self.damaged:
            self.add(payload, packet.size)
        if packet.marker:
            self.finish()
        return 0


cdef class SoundDepacketizer(Depacketizer):
    """What the kinds of sound share.  ``push`` gives None or a list of ``(data, rtp_time)``."""

    def push(self, data not None, Py_ssize_t start, Py_ssize_t end):
        """Take the RTP packet ``data[start:end]``.  Raises ValueError if that is not inside of ``data``."""
        cdef Py_buffer view
        cdef Packet packet
        cdef int step
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            if not 0 <= start <= end <= view.len:
                raise ValueError("a packet outside of its buffer")
            step = self.accept(<const uint8_t*>view.buf + start, end - start, &packet)
            if step == IS_LATE:
                return None
            if step != IS_NEXT:
                self.abandon()
            return self.take(&packet)
        finally:
            PyBuffer_Release(&view)

    cdef int abandon(self) except -1:
        """Packets are missing before the one that is taken next."""
        return 0

    cdef take(self, Packet* packet):
        return None


cdef class PcmDepacketizer(SoundDepacketizer):
    """RTP payloads of G.711 (RFC 3551 §4.5.14), which are samples and nothing else; ``limit``: bytes of one packet."""

    cdef Py_ssize_t limit

    def __init__(self, int payload_type, Py_ssize_t limit=8000):
        self.limit = limit

    cdef take(self, Packet* packet):
        if packet.size > self.limit:
            self.oddities |= TOO_BIG
            self.dropped += 1
            return None
        if packet.size == 0:
            self.malformed += 1
            return None
        return [(PyBytes_FromStringAndSize(<const char*>packet.payload, packet.size), packet.time)]


cdef class AacDepacketizer(SoundDepacketizer):
    """RTP payloads of AAC-hbr in, whole AAC frames out (RFC 3640 §3.3.6).

    ``push`` gives None or a list of ``(data, rtp_time)``.  The lengths are those of the SDP's fmtp line; ``samples``
    are those of one frame, by which the times of several in one packet differ.
    """

    cdef int size_length
    cdef int index_length
    cdef int index_delta_length
    cdef uint32_t samples
    cdef bytearray piece  # of a frame over several packets
    cdef Py_ssize_t wanted  # its size, or 0
    cdef uint32_t time

    def __init__(
        self, int payload_type, int size_length=13, int index_length=3, int index_delta_length=3, int samples=1024
    ):
        if not (1 <= size_length <= 16 and 0 <= index_length <= 16 and 0 <= index_delta_length <= 16 and samples > 0):
            raise ValueError("lengths that no AAC stream has")
        self.size_length = size_length
        self.index_length = index_length
        self.index_delta_length = index_delta_length
        self.samples = samples
        self.piece = bytearray()

    cdef int abandon(self) except -1:
        if self.wanted:
            self.dropped += 1
            self.wanted = 0
            self.piece = bytearray()
        return 0

    cdef Py_ssize_t headers(self, const uint8_t* payload, Py_ssize_t size, uint32_t* sizes) noexcept nogil:
        """Read the AU header section (§3.2.1); how many frames it announces, 0 if it makes no sense."""
        cdef Py_ssize_t bits, at = 16, stop, count = 0
        cdef int index = self.index_length
        if size < 2:
            return 0
        bits = get16(payload)
        if bits == 0 or size < 2 + (bits + 7) // 8:
            return 0
        stop = 16 + bits
        while at + self.size_length + index <= stop and count < FRAMES_LIMIT:
            sizes[count] = read_bits(payload, at, self.size_length)
            count += 1
            at += self.size_length
            if read_bits(payload, at, index):  # interleaved, which AAC from cameras never is
                return 0
            at += index
            index = self.index_delta_length
        return count

    cdef take(self, Packet* packet):
        cdef uint32_t sizes[FRAMES_LIMIT]
        cdef Py_ssize_t count = self.headers(packet.payload, packet.size, sizes), left, number
        cdef const uint8_t* at
        cdef list frames
        if count == 0:
            self.malformed += 1
            self.abandon()
            return None
        left = packet.size - 2 - (<Py_ssize_t>get16(packet.payload) + 7) // 8
        at = packet.payload + packet.size - left
        if self.wanted:
            if (
                count == 1
                and <Py_ssize_t>sizes[0] == self.wanted
                and packet.time == self.time
                and len(self.piece) + left <= self.wanted
            ):
                self.piece += PyBytes_FromStringAndSize(<const char*>at, left)
                if len(self.piece) < self.wanted:
                    return None
                whole = bytes(self.piece)
                self.wanted = 0
                self.piece = bytearray()
                return [(whole, self.time)]
            self.abandon()
        if count == 1 and <Py_ssize_t>sizes[0] > left:
            if left and not packet.marker:
                self.piece = bytearray(PyBytes_FromStringAndSize(<const char*>at, left))
                self.wanted, self.time = sizes[0], packet.time
            else:
                self.malformed += 1
            return None
        frames = []
        for number in range(count):
            if <Py_ssize_t>sizes[number] > left:
                self.malformed += 1
                break
            if sizes[number]:
                frames.append((
                    PyBytes_FromStringAndSize(<const char*>at, sizes[number]),
                    <uint32_t>(packet.time + <uint32_t>number * self.samples),
                ))
            at += sizes[number]
            left -= sizes[number]
        return frames or None


cdef inline uint32_t read_bits(const uint8_t* data, Py_ssize_t at, int count) noexcept nogil:
    """``count`` bits, 16 at most, from bit ``at`` on; the caller knows that they are there."""
    cdef uint32_t value = 0
    cdef int i
    for i in range(count):
        value = value << 1 | ((data[(at + i) >> 3] >> (7 - ((at + i) & 7))) & 1)
    return value
