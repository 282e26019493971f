"""The data folder: private, used by one process at a time, its files whole or absent.

Every failure is a `Fault` of kind unavailable that says which path and what to do about it.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import stat
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from appliance.base.faults import Fault, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

log = logging.getLogger(__name__)

LOCK_NAME = "lock"
#: What a holder of the lock writes about itself: a server stays, a command is soon gone.
SERVER, COMMAND = "server", "command"
#: A command is waited for this long, s: two commands of one script may overlap.
COMMAND_PATIENCE_S = 5.0

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


def unavailable(code: str, message: str, hint: str) -> Fault:
    """The fault of this room: somebody else (the disk, another process) stands in the way."""
    return Fault(Kind.UNAVAILABLE, code, message, hint)


def disk_full(path: Path) -> Fault:
    return unavailable("disk_full", f"There is no room left to write {path}.", "Free some space on that disk.")


def fault_of(error: OSError, path: Path) -> Fault:
    """What an `OSError` on ``path`` means to the person who runs the server."""
    if error.errno in _FULL:
        return disk_full(path)
    if error.errno in _REFUSED:
        read_only = error.errno == errno.EROFS
        mend = (
            "Mount that file system writable" if read_only else "Make it writable for the user that runs this program"
        )
        return unavailable(
            "data_not_writable",
            f"{path} may not be written ({os.strerror(error.errno)}).",
            f"{mend}, or choose another folder with --data.",
        )
    reason = os.strerror(error.errno) if error.errno is not None else str(error)
    return unavailable(
        "data_unusable", f"{path} cannot be used ({reason}).", "Choose another folder with --data, or mend this one."
    )


def make_private_folder(path: Path) -> None:
    """Make the folder (0700) and those above it unless it is there; one that is keeps its mode."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = path.stat().st_mode
        usable = os.access(path, os.R_OK | os.W_OK | os.X_OK)
        read_only = bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except OSError as error:
        raise fault_of(error, path) from error
    if not usable:
        raise fault_of(OSError(errno.EROFS if read_only else errno.EACCES, ""), path)
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        log.warning("other users of this machine may write to the data folder %s; run: chmod 700 %s", path, path)


@contextmanager
def lock_folder(folder: Path, holder: str, patience_s: float = COMMAND_PATIENCE_S) -> Iterator[None]:
    """Hold the folder for this process.  ``holder`` is `SERVER` or `COMMAND`.

    The lock is the kernel's (flock) and dies with the process, however it dies; the file stays.
    Raises `Fault` ``data_in_use``: at once when a server holds it, after ``patience_s`` when a command does.
    Blocks meanwhile, so call it in a thread.
    """
    path = folder / LOCK_NAME
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise fault_of(error, path) from error
    try:
        _acquire(descriptor, path, patience_s)
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{holder} {os.getpid()}\n".encode(), 0)
        except OSError as error:
            raise fault_of(error, path) from error
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who, _, pid = os.pread(descriptor, 64, 0).decode("ascii", "replace").strip().partition(" ")
            # an empty file: its holder is just about to write its name
            if who == SERVER or time.monotonic() >= deadline:
                raise _in_use(path, who, pid) from None
            time.sleep(0.05)
        except OSError as error:
            raise fault_of(error, path) from error
        else:
            return


def _in_use(path: Path, who: str, pid: str) -> Fault:
    number = f" (process {pid})" if pid.isdigit() else ""
    if who == COMMAND:
        message, hint = f"Another command{number} is using {path.parent}.", "Try again when it has ended."
    else:
        message = f"A server{number} is using {path.parent}."
        hint = "Stop it first, or choose another folder with --data."
    return Fault(Kind.CONFLICT, "data_in_use", message, hint)


def write_whole(path: Path, data: bytes) -> None:
    """Replace ``path`` by ``data``, mode 0600: after a crash at any moment it is the old file or the new one.

    Raises `Fault`.  Blocks until the disk has it.
    """
    beside = path.with_name(f".fanal-{path.name}.{os.getpid()}.new")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 (of a descriptor, not of a path)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise fault_of(error, path) from error


def sync_folder(folder: Path) -> None:
    """Let the disk have the names in ``folder``: a rename lasts only then."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
