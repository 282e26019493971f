# cython: language_level=3, boundscheck=False, wraparound=False
"""One message to many sockets, without the interpreter between two of them.

send(2).  Oracle: tests/reference/fanout.py.
"""
from libc.errno cimport EAGAIN, EINTR, errno
from libc.stdint cimport int64_t
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer

cdef extern from "sys/socket.h" nogil:
    ssize_t send(int fd, const void* data, size_t size, int flags)
    int MSG_DONTWAIT
    int MSG_NOSIGNAL

cdef enum:
    MOST_AT_ONCE = 64

MOST = MOST_AT_ONCE


def send_each(list fds not None, data not None):
    """Offer ``data`` to each of these sockets, at most `MOST`, without waiting: how many bytes each took, -1 where
    sending failed.  Raises ValueError for more sockets."""
    cdef Py_buffer view
    cdef Py_ssize_t count = len(fds), i
    cdef int numbers[MOST_AT_ONCE]
    cdef int64_t taken[MOST_AT_ONCE]
    cdef ssize_t answer
    if count > MOST_AT_ONCE:
        raise ValueError("too many sockets at once")
    for i in range(count):
        numbers[i] = fds[i]
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    try:
        with nogil:
            for i in range(count):
                answer = send(numbers[i], view.buf, view.len, MSG_DONTWAIT | MSG_NOSIGNAL)
                if answer < 0:
                    answer = 0 if errno == EAGAIN or errno == EINTR else -1
                taken[i] = answer
    finally:
        PyBuffer_Release(&view)
    return [taken[i] for i in range(count)]
