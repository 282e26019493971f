# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""NAL units: finding them in a byte stream, and the two ways of writing them down.

Oracle: tests/reference/nal.py.  Fuzzed: tests/fuzz/fuzz_nal.py.
"""
from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize

cdef extern from "start_code.h" nogil:
    Py_ssize_t next_start_code(const uint8_t* data, Py_ssize_t position, Py_ssize_t size)

cdef enum:
    NO_ROOM = -1
    BAD_LENGTH = -2

ctypedef struct Span:
    Py_ssize_t start
    Py_ssize_t end


cdef Py_ssize_t scan(const uint8_t* data, Py_ssize_t size, Span* out, Py_ssize_t room) noexcept nogil:
    """Fill ``out`` with the spans of NAL units; how many, or NO_ROOM.  Zeros before a start code belong to nobody."""
    cdef Py_ssize_t count = 0, start, following, end
    start = next_start_code(data, 0, size)
    while start >= 0:
        start += 3
        following = next_start_code(data, start, size)
        end = size if following < 0 else following
        while end > start and data[end - 1] == 0:
            end -= 1
        if end > start:
            if count == room:
                return NO_ROOM
            out[count].start = start
            out[count].end = end
            count += 1
        start = following
    return count


cdef inline void put32(uint8_t* out, uint32_t value) noexcept nogil:
    out[0] = value >> 24
    out[1] = (value >> 16) & 0xFF
    out[2] = (value >> 8) & 0xFF
    out[3] = value & 0xFF


cdef inline uint32_t get32(const uint8_t* data) noexcept nogil:
    return (<uint32_t>data[0] << 24) | (<uint32_t>data[1] << 16) | (<uint32_t>data[2] << 8) | data[3]


def find_nals(const uint8_t[::1] data not None, Py_ssize_t limit=1024):
    """The NAL units of an Annex B byte stream, as ``[(start, end), …]`` without start codes and trailing zeros.

    Raises ValueError if there are more than ``limit``.
    """
    cdef Py_ssize_t size = data.shape[0], count, i
    cdef Span* spans
    if size < 4 or limit <= 0:
        return []
    spans = <Span*>malloc(limit * sizeof(Span))
    if spans == NULL:
        raise MemoryError
    try:
        with nogil:
            count = scan(&data[0], size, spans, limit)
        if count == NO_ROOM:
            raise ValueError(f"more than {limit} NAL units in one access unit")
        return [(spans[i].start, spans[i].end) for i in range(count)]
    finally:
        free(spans)


def annexb_to_avcc(const uint8_t[::1] data not None, Py_ssize_t limit=1024):
    """An Annex B byte stream with each NAL unit behind its length in four bytes.  Raises ValueError over ``limit``."""
    cdef Py_ssize_t size = data.shape[0], count = 0, i, total = 0, length
    cdef Span* spans
    cdef uint8_t* out
    if size < 4 or limit <= 0:
        return b""
    spans = <Span*>malloc(limit * sizeof(Span))
    if spans == NULL:
        raise MemoryError
    try:
        with nogil:
            count = scan(&data[0], size, spans, limit)
        if count == NO_ROOM:
            raise ValueError(f"more than {limit} NAL units in one access unit")
        for i in range(count):
            total += 4 + spans[i].end - spans[i].start
        result = PyBytes_FromStringAndSize(NULL, total)
        out = <uint8_t*>PyBytes_AS_STRING(result)
        with nogil:
            for i in range(count):
                length = spans[i].end - spans[i].start
                put32(out, <uint32_t>length)
                memcpy(out + 4, &data[0] + spans[i].start, length)
                out += 4 + length
        return result
    finally:
        free(spans)


cdef Py_ssize_t walk(const uint8_t* data, Py_ssize_t size, Span* out, Py_ssize_t room) noexcept nogil:
    """The spans of length-prefixed NAL units; how many, NO_ROOM or BAD_LENGTH."""
    cdef Py_ssize_t count = 0, position = 0, length
    while position < size:
        if size - position < 4:
            return BAD_LENGTH
        length = get32(data + position)
        position += 4
        if length == 0 or length > size - position:
            return BAD_LENGTH
        if count == room:
            return NO_ROOM
        out[count].start = position
        out[count].end = position + length
        count += 1
        position += length
    return count


def split_avcc(const uint8_t[::1] data not None, Py_ssize_t limit=1024):
    """The NAL units of AVCC data as ``[(start, end), …]``.  Raises ValueError if lengths and data disagree."""
    cdef Py_ssize_t size = data.shape[0], count, i
    cdef Span* spans
    if size == 0 or limit <= 0:
        return []
    spans = <Span*>malloc(limit * sizeof(Span))
    if spans == NULL:
        raise MemoryError
    try:
        with nogil:
            count = walk(&data[0], size, spans, limit)
        if count == NO_ROOM:
            raise ValueError(f"more than {limit} NAL units in one access unit")
        if count == BAD_LENGTH:
            raise ValueError("the lengths of the NAL units do not fit the data")
        return [(spans[i].start, spans[i].end) for i in range(count)]
    finally:
        free(spans)


def avcc_to_annexb(const uint8_t[::1] data not None):
    """AVCC data as an Annex B byte stream: each length becomes the start code 00 00 00 01.

    Raises ValueError if lengths and data disagree.
    """
    cdef Py_ssize_t size = data.shape[0], position = 0, length
    cdef bint bad = False
    cdef uint8_t* out
    if size == 0:
        return b""
    result = PyBytes_FromStringAndSize(<const char*>&data[0], size)
    out = <uint8_t*>PyBytes_AS_STRING(result)
    with nogil:
        while position < size:
            if size - position < 4:
                bad = True
                break
            length = get32(out + position)
            if length == 0 or length > size - position - 4:
                bad = True
                break
            put32(out + position, 1)
            position += 4 + length
    if bad:
        raise ValueError("the lengths of the NAL units do not fit the data")
    return result
