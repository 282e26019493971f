# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Sample tables as they are kept: columns byte by byte, and times as differences, made numbers again in one go.

Oracle: tests/reference/samples.py.  Fuzzed: tests/media/test_sample_table.py.
"""
from libc.stdint cimport int8_t, int64_t, uint8_t, uint64_t


cdef void numbers(const uint8_t* planes, Py_ssize_t count, int width, int64_t* out) noexcept nogil:
    """All first bytes, then all second ones …; the sign is in the first."""
    cdef Py_ssize_t row
    cdef int plane
    if width == 0:
        for row in range(count):
            out[row] = 0
    elif width == 1:
        for row in range(count):
            out[row] = <int8_t>planes[row]
    elif width == 2:
        for row in range(count):
            out[row] = (<int64_t><int8_t>planes[row]) * 256 + planes[count + row]
    else:
        for row in range(count):
            out[row] = <int8_t>planes[row]
        for plane in range(1, width):
            planes += count
            for row in range(count):
                out[row] = <int64_t>((<uint64_t>out[row] << 8) | planes[row])


def unpack(
    const uint8_t[::1] plain not None,
    tuple widths not None,
    int64_t[::1] dts not None,
    int64_t[::1] duration not None,
    int64_t[::1] composition not None,
    int64_t[::1] size not None,
):
    """Fill the columns from flags (1: sound), steps, durations, compositions and sizes, whose numbers have so many
    bytes each.  A sample begins a step behind the end of the last one of its kind.

    Raises ValueError if they are not as long as they should be.
    """
    cdef Py_ssize_t count = dts.shape[0], row
    cdef int step_width, duration_width, composition_width, size_width
    cdef uint64_t[2] ends
    cdef uint64_t begins
    cdef int kind
    cdef const uint8_t* at
    step_width, duration_width, composition_width, size_width = widths
    for width in widths:
        if not 0 <= width <= 8:
            raise ValueError("no such width")
    if not count == duration.shape[0] == composition.shape[0] == size.shape[0]:
        raise ValueError("columns of different lengths")
    if plain.shape[0] != count * (1 + step_width + duration_width + composition_width + size_width):
        raise ValueError("its size and its count disagree")
    if not count:
        return
    with nogil:
        at = &plain[0] + count
        numbers(at, count, step_width, &dts[0])
        at += count * step_width
        numbers(at, count, duration_width, &duration[0])
        at += count * duration_width
        numbers(at, count, composition_width, &composition[0])
        at += count * composition_width
        numbers(at, count, size_width, &size[0])
        ends[0] = ends[1] = 0
        for row in range(count):
            kind = plain[row] & 1
            begins = ends[kind] + <uint64_t>dts[row]
            dts[row] = <int64_t>begins
            ends[kind] = begins + <uint64_t>duration[row]
