# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""What an access unit is to its group of pictures, read from its NAL headers without decoding.

Oracle: tests/reference/gop.py.  Fuzzed: tests/fuzz/fuzz_gop.py.
"""
from libc.stdint cimport uint8_t, uint32_t

cdef enum:
    SLICE = 1
    PARTITION_A = 2
    IDR = 5
    SEI = 6
    SPS = 7
    PPS = 8
    RECOVERY_POINT = 6  # SEI payload type

cdef enum:
    HAS_PICTURE = 1
    HAS_IDR = 2
    HAS_PARAMETER_SETS = 4
    IS_REFERENCE = 8
    ONLY_INTRA = 16
    BROKEN = 32

PICTURE = HAS_PICTURE
IS_IDR = HAS_IDR
PARAMETER_SETS = HAS_PARAMETER_SETS
REFERENCE = IS_REFERENCE
INTRA = ONLY_INTRA
DAMAGED = BROKEN


cdef struct Bits:
    const uint8_t* data
    Py_ssize_t size
    Py_ssize_t byte
    int bit
    int zeros


cdef inline int next_bit(Bits* bits) noexcept nogil:
    """The next bit, emulation prevention bytes skipped, or -1 at the end."""
    cdef int value
    if bits.byte >= bits.size:
        return -1
    if bits.bit == 0 and bits.zeros >= 2 and bits.data[bits.byte] == 3:
        bits.zeros = 0
        bits.byte += 1
        if bits.byte >= bits.size:
            return -1
    value = (bits.data[bits.byte] >> (7 - bits.bit)) & 1
    bits.bit += 1
    if bits.bit == 8:
        bits.zeros = bits.zeros + 1 if bits.data[bits.byte] == 0 else 0
        bits.bit = 0
        bits.byte += 1
    return value


cdef inline long read_ue(Bits* bits) noexcept nogil:
    """ue(v), or -1 where the data ends or the code is over 31 bits."""
    cdef int zeros = 0, bit, i
    cdef long value = 0
    while True:
        bit = next_bit(bits)
        if bit < 0 or zeros > 31:
            return -1
        if bit:
            break
        zeros += 1
    for i in range(zeros):
        bit = next_bit(bits)
        if bit < 0:
            return -1
        value = value << 1 | bit
    return (<long>1 << zeros) - 1 + value


cdef long slice_type(const uint8_t* data, Py_ssize_t size) noexcept nogil:
    """first_mb_in_slice, slice_type (§7.3.3): 0 P, 1 B, 2 I, 3 SP, 4 SI; -1 if unreadable."""
    cdef Bits bits
    cdef long kind
    bits.data, bits.size, bits.byte, bits.bit, bits.zeros = data, size, 1, 0, 0
    if read_ue(&bits) < 0:
        return -1
    kind = read_ue(&bits)
    return kind % 5 if 0 <= kind <= 9 else -1


cdef long recovery_count(const uint8_t* data, Py_ssize_t size) noexcept nogil:
    """recovery_frame_cnt of a recovery point SEI message (§D.1.8) in this SEI NAL unit, or -1."""
    cdef Py_ssize_t position = 1
    cdef Py_ssize_t kind, length
    cdef Bits bits
    while position + 2 < size:
        kind = 0
        while position < size and data[position] == 0xFF:
            kind += 255
            position += 1
        if position >= size:
            return -1
        kind += data[position]
        position += 1
        length = 0
        while position < size and data[position] == 0xFF:
            length += 255
            position += 1
        if position >= size:
            return -1
        length += data[position]
        position += 1
        if kind == RECOVERY_POINT:
            bits.data, bits.size, bits.byte, bits.bit, bits.zeros = data, size, position, 0, 0
            return read_ue(&bits)
        position += length
    return -1


def describe(const uint8_t[::1] data not None):
    """``(flags, recovery)`` of an H.264 access unit in AVCC form.

    ``flags``: PICTURE (it has slices), IS_IDR, PARAMETER_SETS (some are inside), REFERENCE (others may refer to it),
    INTRA (no slice refers to another picture), DAMAGED (its lengths do not fit, or a slice header cannot be read).
    ``recovery``: recovery_frame_cnt where it says one, else -1.
    """
    cdef Py_ssize_t size = data.shape[0], position = 0, length
    cdef const uint8_t* at
    cdef int flags = 0, kind, inter = 0
    cdef long recovery = -1, found
    if size == 0:
        return 0, -1
    with nogil:
        at = &data[0]
        while position < size:
            if size - position < 4:
                flags |= BROKEN
                break
            length = (<uint32_t>at[position] << 24) | (<uint32_t>at[position + 1] << 16) | (<uint32_t>at[position + 2] << 8) | at[position + 3]
            position += 4
            if length == 0 or length > size - position:
                flags |= BROKEN
                break
            kind = at[position] & 0x1F
            if kind == SLICE or kind == IDR or kind == PARTITION_A:
                flags |= HAS_PICTURE
                if kind == IDR:
                    flags |= HAS_IDR
                if at[position] & 0x60:
                    flags |= IS_REFERENCE
                found = slice_type(at + position, length)
                if found < 0:
                    flags |= BROKEN
                elif found != 2 and found != 4:
                    inter = 1
            elif kind == SEI and recovery < 0:
                recovery = recovery_count(at + position, length)
            elif kind == SPS or kind == PPS:
                flags |= HAS_PARAMETER_SETS
            position += length
        if flags & HAS_PICTURE and not inter and not flags & BROKEN:
            flags |= ONLY_INTRA
    return flags, recovery
