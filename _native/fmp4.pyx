# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Movie fragments (ISO/IEC 14496-12 §8.8): ``moof`` and ``mdat`` of one access unit, patched into a template.

Oracle: tests/reference/fmp4.py.
"""
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize

cdef enum:
    MOOF = 104
    HEAD = 112  # moof and the header of mdat
    AT_SEQUENCE = 20
    AT_TRACK = 44
    AT_DECODE_TIME = 60
    AT_DURATION = 88
    AT_SIZE = 92
    AT_FLAGS = 96
    AT_COMPOSITION = 100
    AT_MDAT = 104

# sample_depends_on = 2, "on no other"; and 1 with sample_is_non_sync_sample (§8.8.3.1)
cdef uint32_t SYNC = 0x02000000
cdef uint32_t NOT_SYNC = 0x01010000

cdef bytes _template = (
    b"\0\0\0\x68moof"
    b"\0\0\0\x10mfhd" b"\0\0\0\0" b"\0\0\0\0"                                # sequence_number
    b"\0\0\0\x50traf"
    b"\0\0\0\x10tfhd" b"\0\2\0\0" b"\0\0\0\0"                                # default-base-is-moof; track_ID
    b"\0\0\0\x14tfdt" b"\1\0\0\0" b"\0\0\0\0\0\0\0\0"                        # baseMediaDecodeTime
    b"\0\0\0\x24trun" b"\1\0\x0f\1" b"\0\0\0\1" b"\0\0\0\x70"                # one sample, its data behind moof + 8
    b"\0\0\0\0" b"\0\0\0\0" b"\0\0\0\0" b"\0\0\0\0"                          # duration, size, flags, offset
    b"\0\0\0\0mdat"
)
assert len(_template) == HEAD

OVERHEAD = HEAD
DECODE_TIME_AT = AT_DECODE_TIME


cdef inline void put32(uint8_t* out, uint32_t value) noexcept nogil:
    out[0] = value >> 24
    out[1] = (value >> 16) & 0xFF
    out[2] = (value >> 8) & 0xFF
    out[3] = value & 0xFF


def fragment(
    bytes prefix not None,
    const uint8_t[::1] data not None,
    uint32_t track,
    uint32_t sequence,
    uint64_t decode_time,
    uint32_t duration,
    int32_t composition,
    bint sync,
):
    """``prefix`` + ``moof`` + ``mdat`` with the one sample ``data``; times in ticks of the track's timescale.

    ``composition`` is presentation minus decoding time and may be negative (trun version 1).
    """
    cdef Py_ssize_t size = data.shape[0], before = len(prefix)
    if size > 0x7FFFFFF0:
        raise ValueError("a sample over 2 GB")
    result = PyBytes_FromStringAndSize(NULL, before + HEAD + size)
    cdef uint8_t* out = <uint8_t*>PyBytes_AS_STRING(result)
    memcpy(out, PyBytes_AS_STRING(prefix), before)
    out += before
    memcpy(out, PyBytes_AS_STRING(_template), HEAD)
    put32(out + AT_SEQUENCE, sequence)
    put32(out + AT_TRACK, track)
    put32(out + AT_DECODE_TIME, <uint32_t>(decode_time >> 32))
    put32(out + AT_DECODE_TIME + 4, <uint32_t>decode_time)
    put32(out + AT_DURATION, duration)
    put32(out + AT_SIZE, <uint32_t>size)
    put32(out + AT_FLAGS, SYNC if sync else NOT_SYNC)
    put32(out + AT_COMPOSITION, <uint32_t>composition)
    put32(out + AT_MDAT, <uint32_t>(8 + size))
    if size:
        memcpy(out + HEAD, &data[0], size)
    return result
