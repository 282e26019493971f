# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Samples out of recorded files, each behind a few bytes of its own: the inside of a virtual file.

What stands between two samples in a file (the fragments' own bytes) is read past, so that a stretch of a file costs
few system calls, and none of its bytes is moved twice.

Oracle: tests/reference/gather.py.
"""
from libc.errno cimport EINTR, errno
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from libc.string cimport memcpy, memset
from cpython.bytes cimport PyBytes_AS_STRING

cdef extern from "<sys/uio.h>" nogil:
    cdef struct iovec:
        void* iov_base
        size_t iov_len
    ssize_t preadv(int fd, const iovec* iov, int iovcnt, long long offset)

cdef enum:
    VECTORS = 1024  # IOV_MAX of Linux
    SKIPPED = 4096  # between two samples, without another system call

cdef enum:
    DONE = 0
    CUT_OFF = -1
    FAILED = -2


cdef int read_all(int fd, iovec* vectors, int count, int64_t offset) noexcept nogil:
    """Fill all vectors from a place in the file on."""
    cdef ssize_t got
    while count:
        got = preadv(fd, vectors, count, offset)
        if got < 0:
            if errno == EINTR:
                continue
            return FAILED
        if got == 0:
            return CUT_OFF
        offset += got
        while count and <size_t>got >= vectors.iov_len:
            got -= vectors.iov_len
            vectors += 1
            count -= 1
        if count and got:
            vectors.iov_base = <uint8_t*>vectors.iov_base + got
            vectors.iov_len -= got
    return DONE


cdef void begin_units(uint8_t* data, int64_t size) noexcept nogil:
    """Lengths in four bytes become start codes (ITU-T H.264 Annex B), which take as many.

    Where a length leads out of the sample, the rest stays as it is.
    """
    cdef int64_t length
    while size >= 4:
        length = (<int64_t>data[0] << 24) | (data[1] << 16) | (data[2] << 8) | data[3]
        if length > size - 4:
            return
        data[0] = data[1] = data[2] = 0
        data[3] = 1
        data += 4 + length
        size -= 4 + length


def gather(
    int fd,
    uint8_t[::1] out not None,
    const int64_t[::1] offset not None,
    const int32_t[::1] size not None,
    const uint8_t[:, ::1] heads not None,
    const uint8_t[::1] insert not None,
    tuple inserts not None,
    const uint8_t[::1] start_codes not None,
    Py_ssize_t first,
    Py_ssize_t last,
    int align,
):
    """Write the rows ``first`` to ``last`` into ``out``: of each its head, what is inserted, its sample, zeros up to
    a multiple of ``align``.  Gives the bytes written.

    ``inserts[insert[row]]`` is inserted; with ``start_codes[row]`` the lengths in the sample become start codes.
    Raises EOFError where the file ends before a sample does, OSError, ValueError if ``out`` is too small.
    """
    cdef Py_ssize_t head = heads.shape[1]
    cdef Py_ssize_t row, total = 0, unit
    cdef uint8_t* base = &out[0] if out.shape[0] else NULL
    cdef uint8_t* at = base
    cdef const uint8_t* texts[256]
    cdef Py_ssize_t lengths[256]
    cdef iovec vectors[VECTORS]
    cdef uint8_t skipped[SKIPPED]
    cdef int count = 0, state = DONE
    cdef int64_t begin = 0, position = 0
    cdef Py_ssize_t known = len(inserts)
    if known > 256:
        raise ValueError("more than 256 texts to insert")
    if not 0 <= first <= last <= min(offset.shape[0], size.shape[0], heads.shape[0], insert.shape[0],
                                     start_codes.shape[0]):
        raise ValueError("there are no such rows")
    if align < 1:
        raise ValueError("aligned to nothing")
    for number in range(known):
        if type(inserts[number]) is not bytes:
            raise TypeError("what is inserted is bytes")
        texts[number] = <const uint8_t*>PyBytes_AS_STRING(inserts[number])
        lengths[number] = len(inserts[number])
    for row in range(first, last):
        if insert[row] >= known or size[row] < 0:
            raise ValueError("a row that cannot be")
        unit = head + lengths[insert[row]] + size[row]
        total += unit + (align - unit % align) % align
    if total > out.shape[0]:
        raise ValueError("no room for the rows")
    with nogil:
        for row in range(first, last):
            unit = head + lengths[insert[row]] + size[row]
            if head:
                memcpy(at, &heads[row, 0], head)
                at += head
            if lengths[insert[row]]:
                memcpy(at, texts[insert[row]], lengths[insert[row]])
                at += lengths[insert[row]]
            if size[row]:
                if count and (offset[row] < position or offset[row] > position + SKIPPED or count > VECTORS - 2):
                    state = read_all(fd, vectors, count, begin)
                    count = 0
                    if state != DONE:
                        break
                if not count:
                    begin = position = offset[row]
                if offset[row] > position:
                    vectors[count].iov_base = skipped
                    vectors[count].iov_len = offset[row] - position
                    count += 1
                vectors[count].iov_base = at
                vectors[count].iov_len = size[row]
                count += 1
                position = offset[row] + size[row]
                at += size[row]
            if unit % align:
                memset(at, 0, align - unit % align)
                at += align - unit % align
        if state == DONE and count:
            state = read_all(fd, vectors, count, begin)
        if state == DONE:
            at = base
            for row in range(first, last):
                unit = head + lengths[insert[row]]
                if start_codes[row]:
                    begin_units(at + unit, size[row])
                unit += size[row]
                at += unit + (align - unit % align) % align
    if state == CUT_OFF:
        raise EOFError("the file ends before its samples do")
    if state == FAILED:
        raise OSError(errno, "the file cannot be read")
    return total
