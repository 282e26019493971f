# cython: language_level=3
"""A timer that is waited for like a socket (timerfd_create(2)): it costs less than a deadline at each wake."""
from libc.errno cimport EAGAIN, EINTR, errno
from libc.stdint cimport uint64_t
from posix.time cimport timespec
from posix.unistd cimport close, read

from os import strerror

cdef extern from "<sys/timerfd.h>" nogil:
    struct itimerspec:
        timespec it_interval
        timespec it_value
    int timerfd_create(int clock, int flags)
    int timerfd_settime(int fd, int flags, const itimerspec* new, itimerspec* old)
    int TFD_NONBLOCK
    int TFD_CLOEXEC

cdef extern from "<time.h>" nogil:
    int CLOCK_MONOTONIC


cdef class Ticker:
    """Becomes readable every ``period_s`` seconds while it runs.  Raises OSError."""

    cdef int fd
    cdef double period_s

    def __cinit__(self, double period_s):
        self.fd = -1
        if not 0.001 <= period_s <= 3600:
            raise ValueError(f"a period of {period_s} s")
        self.period_s = period_s
        self.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)
        if self.fd < 0:
            raise OSError(errno, strerror(errno))

    def __dealloc__(self):
        self.close()

    def fileno(self):
        """The descriptor; -1 once closed."""
        return self.fd

    def start(self):
        """The first tick comes after one period."""
        self.set(self.period_s)

    def stop(self):
        self.set(0)

    cdef int set(self, double seconds) except -1:
        cdef itimerspec when
        when.it_value.tv_sec = when.it_interval.tv_sec = <long>seconds
        when.it_value.tv_nsec = when.it_interval.tv_nsec = <long>((seconds - <long>seconds) * 1e9)
        if timerfd_settime(self.fd, 0, &when, NULL):
            raise OSError(errno, strerror(errno))
        return 0

    def take(self):
        """How many periods have ended since the last call, without waiting."""
        cdef uint64_t count = 0
        cdef ssize_t size = read(self.fd, &count, sizeof(count))
        if size < 0 and errno != EAGAIN and errno != EINTR:
            raise OSError(errno, strerror(errno))
        return count if size == sizeof(count) else 0

    cpdef close(self):
        """Idempotent."""
        if self.fd >= 0:
            close(self.fd)
            self.fd = -1
