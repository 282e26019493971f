"""What the one-file program owes its folder.

PyInstaller's boot loader unpacks the program into a folder ``_MEI…`` beside other temporary files, runs it from there
as its child, and removes the folder when the child has ended.  Two things are left to us: a boot loader that is killed
must not leave a child behind, and the folder that it then leaves is removed by the next start.

A running program holds a lock (flock) on its folder.  That also keeps systemd-tmpfiles away from it, which removes
what is old and otherwise unlocked; see tmpfiles.d(5).
"""

from __future__ import annotations

import ctypes
import fcntl
import logging
import os
import shutil
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)

PREFIX = "_MEI"
#: Packed by us and unpacked before anything else, so that the folder is known as ours however early its program died.
MARK = ".fanal"
#: Made once the folder is locked: from then on no lock means no program.
CLAIMED = ".claimed"
#: The longest that unpacking may take on a machine in trouble.
UNPACKING_S = 600.0

_PR_SET_PDEATHSIG = 1


def folder() -> Path | None:
    """Where the boot loader unpacked this program; None where it is not the one-file program."""
    return Path(sys._MEIPASS) if getattr(sys, "frozen", False) else None  # type: ignore[attr-defined]


def die_with_boot_loader() -> None:
    """Be killed when the boot loader dies; at once if it is dead already."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), 0, 0, 0)
    if not _parent_runs(Path("/proc")):
        os._exit(1)


def _parent_runs(proc: Path) -> bool:
    """Whether our parent is the boot loader: the same program as we."""
    parent = os.getppid()
    try:
        return (proc / str(parent) / "exe").samefile(proc / "self" / "exe")
    except OSError:
        # without /proc nobody can tell, and a stranger's is not shown to us
        return parent != 1


@contextmanager
def claimed(ours: Path) -> Iterator[None]:
    """Hold our folder, and remove those that dead programs of ours left beside it."""
    descriptor = os.open(ours, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        (ours / CLAIMED).touch()
        sweep(ours, time.time())
        yield
    finally:
        os.close(descriptor)


def sweep(ours: Path, now: float) -> list[Path]:
    """Remove the folders of dead programs of ours beside ``ours``; those removed."""
    removed = []
    for other in sorted(ours.parent.glob(f"{PREFIX}*")):
        if other == ours or not (other / MARK).is_file():
            continue
        try:
            if _abandoned(other, now):
                shutil.rmtree(other)
                removed.append(other)
        except OSError as error:  # another start was quicker, or it is somebody else's
            log.debug("%s stays: %s", other, error)
    return removed


def _abandoned(other: Path, now: float) -> bool:
    descriptor = os.open(other, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        found = os.fstat(descriptor)
        if found.st_uid != os.geteuid():
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return (other / CLAIMED).exists() or found.st_mtime + UNPACKING_S < now
    finally:
        os.close(descriptor)
