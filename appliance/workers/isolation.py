"""What a media worker gives up before it reads the first byte of a camera's bitstream.

Decoders are where hostile pictures strike.  A worker therefore drops what the system lets it drop: new privileges,
the network, the file system, memory without bound, and life beyond its parent.  Each step says whether it worked;
what could not be dropped is shown on the status page, not hidden.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import stat
import struct
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_DUMPABLE = 1, 38, 4
_CLONE_NEWNET, _CLONE_NEWUSER = 0x40000000, 0x10000000
# The same numbers on every architecture since Linux 5.13 (Documentation/userspace-api/landlock.rst)
_LANDLOCK_CREATE, _LANDLOCK_ADD_RULE, _LANDLOCK_RESTRICT = 444, 445, 446
_LANDLOCK_PATH_BENEATH = 1
_LANDLOCK_VERSION_FLAG = 1
# Access rights by ABI version: file system rights grow with it; from 4 on TCP bind and connect
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_NETWORK_RIGHTS_SINCE = 4

_WRITE_FILE, _READ_FILE, _READ_DIR, _IOCTL_DEV = 1 << 1, 1 << 2, 1 << 3, 1 << 15
_READ = _READ_FILE | _READ_DIR
#: Where a device decodes, its driver opens these later on, to read and write, and to read.
DRIVER_DEVICES = ("/dev/dri", "/dev/nvidia*")
DRIVER_FILES = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache", "/sys", "/proc/driver")
#: Address space of a worker: a 8192² picture with its references stays below, a bomb does not.
MEMORY = 3 << 30
OPEN_FILES = 64
#: Processor time for one coded picture of a pipeline; an 8192² picture takes half a second.
PICTURE_CPU_S = 2.0

_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent: int) -> None:
    """Be killed when the parent dies; at once if it is dead already."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def before_libraries() -> dict[str, str | None]:
    """Steps that need a process of one thread, before libraries start theirs.  Name → None or why not."""
    return {"network": _attempt(_leave_network)}


def after_libraries(*, device: bool = False) -> dict[str, str | None]:
    """Steps that would keep libraries from being loaded.  Name → None or why not.

    ``device``: hardware decodes.  Its driver needs some files, and reserves more addresses than a worker may use
    otherwise: what is bounded then is the memory that it writes to.
    """
    files = "all but the driver's, for hardware decoding (performance.hardware_decoding)"
    return {
        "privileges": _attempt(_no_new_privileges),
        "limits": _attempt(lambda: _limit(resource.RLIMIT_DATA if device else resource.RLIMIT_AS)),
        "files": _attempt(lambda: _leave_files(DRIVER_DEVICES, DRIVER_FILES) if device else _leave_files())
        or (files if device else None),
    }


@contextmanager
def cpu_limit(seconds: float = PICTURE_CPU_S) -> Iterator[None]:
    """Inside, be killed (by SIGPROF, which nobody handles) after so much processor time."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _attempt(step: Callable[[], None]) -> str | None:
    try:
        step()
    except OSError as error:
        return error.strerror or str(error)
    return None


def _leave_network() -> None:
    """An empty network namespace; a user namespace of our own first where we are not root."""
    flags = _CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWNET | _CLONE_NEWUSER
    _check(_libc.unshare(flags))


def _no_new_privileges() -> None:
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_DUMPABLE, 0)


def _limit(memory: int) -> None:
    for what, most in (
        (memory, MEMORY),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        _, hard = resource.getrlimit(what)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (bound, bound))


def _leave_files(devices: Sequence[str] = (), readable: Sequence[str] = ()) -> None:
    """Landlock: every path is refused from here on, but for what is beneath these (patterns)."""
    if platform.system() != "Linux":
        raise OSError(None, "no Landlock on this system")
    abi = _libc.syscall(_LANDLOCK_CREATE, None, 0, _LANDLOCK_VERSION_FLAG)
    _check(abi)
    rights = (1 << _FILE_RIGHTS.get(abi, 16)) - 1
    network = 3 if abi >= _NETWORK_RIGHTS_SINCE else 0
    attributes = (ctypes.c_uint64 * 2)(rights, network)
    size = 16 if network else 8
    ruleset = _libc.syscall(_LANDLOCK_CREATE, ctypes.byref(attributes), size, 0)
    _check(ruleset)
    try:
        for patterns, allowed in ((devices, _WRITE_FILE | _READ_FILE | _READ_DIR | _IOCTL_DEV), (readable, _READ)):
            for path in (found for pattern in patterns for found in Path("/").glob(pattern[1:])):
                _allow(ruleset, path, allowed & rights)
        _check(_libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0))
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, allowed: int) -> None:
    opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(opened).st_mode):
            allowed &= ~_READ_DIR  # of files there is none
        rule = struct.pack("=Qi", allowed, opened)  # struct landlock_path_beneath_attr is packed
        _check(_libc.syscall(_LANDLOCK_ADD_RULE, ruleset, _LANDLOCK_PATH_BENEATH, rule, 0))
    finally:
        os.close(opened)


def _prctl(option: int, value: int) -> None:
    _check(_libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0))


def _check(result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
