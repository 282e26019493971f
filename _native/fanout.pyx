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
    # at once to one that is written to through the interpreter (TLS): `appliance.serve.streams.SLICE`
    LARGEST = 65536
    FAILED = -1
    NOT_TRIED = -2

MOST = MOST_AT_ONCE


cdef class Port:
    """One client's way out: whether the next message may go at once, and what went so.

    Of the socket: ``fd``, of a plain one, else -1; ``write``, of one with TLS: takes a message, gives how much of it was
    taken, -1 if that failed; ``closed``; ``pending``: TLS holds bytes; ``torn``: a message is out in part; ``held``:
    somebody is sending.  Of the client: ``flows``: it has begun and nothing waits for it; ``hears``: sound too.
    """
    cdef public int fd
    cdef public object write
    cdef public bint closed, pending, torn, held, flows, hears
    cdef public int64_t sent_bytes, sent_messages

    def __init__(self, int fd=-1):
        self.fd = fd

    cdef bint takes(self):
        return self.flows and not (self.closed or self.torn or self.pending or self.held)


def send_each(list ports not None, data not None, bint sound=False):
    """Offer a message to each of these `Port`s, at most `MOST`, without waiting.

    Those that took it whole have counted it.  The answer: of each other its place and how many bytes it took, -1 where
    sending failed, -2 where it was not tried.  One that took a part is torn.  ``sound``: not to those who hear none.
    Raises ValueError for more ports.
    """
    cdef Py_buffer view
    cdef Py_ssize_t count = len(ports), i, tried = 0
    cdef int numbers[MOST_AT_ONCE]
    cdef Py_ssize_t places[MOST_AT_ONCE]
    cdef int64_t taken[MOST_AT_ONCE]
    cdef ssize_t answer
    cdef Port port
    cdef list others = []
    if count > MOST_AT_ONCE:
        raise ValueError("too many sockets at once")
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    try:
        for i in range(count):
            port = <Port?>ports[i]
            if sound and not port.hears:
                continue
            if not port.takes():
                others.append((i, NOT_TRIED))
            elif port.fd >= 0:
                numbers[tried] = port.fd
                places[tried] = i
                tried += 1
            elif port.write is None or view.len > LARGEST:
                others.append((i, NOT_TRIED))
            else:
                answer = port.write(data)
                if answer == view.len and not port.pending:
                    port.sent_bytes += view.len
                    port.sent_messages += 1
                else:
                    others.append((i, answer))
        with nogil:
            for i in range(tried):
                answer = send(numbers[i], view.buf, view.len, MSG_DONTWAIT | MSG_NOSIGNAL)
                if answer < 0:
                    answer = 0 if errno == EAGAIN or errno == EINTR else FAILED
                taken[i] = answer
        for i in range(tried):
            if taken[i] == view.len:
                port = <Port>ports[places[i]]
                port.sent_bytes += view.len
                port.sent_messages += 1
            else:
                if taken[i] > 0:
                    (<Port>ports[places[i]]).torn = True
                others.append((places[i], taken[i]))
    finally:
        PyBuffer_Release(&view)
    return others
