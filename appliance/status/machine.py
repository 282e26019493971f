"""Checks of the machine for ``fanal doctor``: its clock and its disks.  They block."""

from __future__ import annotations

import ctypes
import os
import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from appliance.status.findings import Finding, action, notice, well

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

#: Fanal was written after this: a clock that says otherwise is wrong.
WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)
#: A file may be so much younger than now: file systems and clocks round.
YOUNGER_S = 60.0
#: The store, its journal and its backups need room; with less, writing fails soon.
SCARCE_BYTES, SCARCE_SHARE = 100 << 20, 0.01
SCARCE_FILES = 1000

# linux/timex.h
_TIME_ERROR = 5
_STA_UNSYNC = 0x40


class _Timex(ctypes.Structure):
    """``struct timex`` as far as it is read; adjtimex(2) fills all of it."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 512),
    )


def kernel_says_synchronised() -> bool | None:
    """Whether something keeps the system's clock (adjtimex(2)); None where the kernel does not tell."""
    timex = _Timex()
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    if state < 0:
        return None
    return not (state == _TIME_ERROR or timex.status & _STA_UNSYNC)


def check_clock(
    now: datetime, written: Iterable[Path], synchronised: Callable[[], bool | None] = kernel_says_synchronised
) -> list[Finding]:
    """``written``: files of ours, none of which can be younger than now."""
    remedy = "Set the clock, and let it be kept: systemctl enable --now systemd-timesyncd (or chrony)."
    youngest = max((path.stat().st_mtime for path in written if path.exists()), default=0.0)
    if now < WRITTEN:
        return [action("clock", "clock_wrong", f"The clock says {now:%Y-%m-%d %H:%M} UTC, which is long past.", remedy)]
    if youngest > now.timestamp() + YOUNGER_S:
        ahead = datetime.fromtimestamp(youngest, UTC)
        message = f"The clock says {now:%Y-%m-%d %H:%M} UTC, yet the data were written at {ahead:%Y-%m-%d %H:%M} UTC."
        return [action("clock", "clock_set_back", message, remedy)]
    kept = synchronised()
    if kept is None:
        return [notice("clock", "clock_unknown", "The kernel does not say whether the clock is kept.")]
    if not kept:
        message = "Nothing keeps the clock: recordings, certificates and two-step codes need it right."
        return [notice("clock", "clock_not_kept", message, remedy)]
    return [well("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC, kept by the system")]


def check_disk(folder: Path) -> list[Finding]:
    """The disk of the data folder: room, writable, private.  The folder itself may be missing."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    found = [*_room(there, folder), *_rights(there, folder)]
    return found or [well("disk", f"{os.statvfs(there).f_bavail * os.statvfs(there).f_frsize >> 20} MB free")]


def _room(there: Path, folder: Path) -> list[Finding]:
    disk = os.statvfs(there)
    free, total = disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
    remedy = "Free some space on that disk, or move the data folder (--data)."
    if free < max(SCARCE_BYTES, total * SCARCE_SHARE):
        message = f"The disk of {folder} has {free >> 20} of {total >> 20} MB left."
        return [action("disk", "disk_full", message, remedy)]
    if disk.f_files and disk.f_favail < SCARCE_FILES:
        message = f"The disk of {folder} takes only {disk.f_favail} more files."
        return [action("disk", "disk_full_of_files", message, "Remove files from that disk that nobody needs.")]
    return []


def _rights(there: Path, folder: Path) -> list[Finding]:
    if os.statvfs(there).f_flag & os.ST_RDONLY:
        message = f"The disk of {folder} is mounted for reading only."
        return [action("disk", "data_not_writable", message, "Look for disk errors (dmesg), then mount it anew.")]
    if not os.access(there, os.W_OK | os.X_OK):
        message = f"{there} may not be written."
        return [action("disk", "data_not_writable", message, "Make it writable for the user that runs Fanal.")]
    if there == folder and folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        message = f"Other users of this machine may write to {folder}."
        return [action("disk", "data_not_private", message, f"Run: chmod 700 {folder}")]
    return _strangers(folder) if there == folder else []


def _strangers(folder: Path) -> list[Finding]:
    """Files of another user than the folder's: a command of root's made them, and the service cannot open them."""
    owner = folder.stat().st_uid
    others = sorted(path.name for path in folder.iterdir() if path.lstat().st_uid != owner)
    if not others:
        return []
    message = f"Not everything in {folder} belongs to the folder's own user: {', '.join(others[:5])}."
    return [action("disk", "data_of_others", message, f"Run: chown -R --reference={folder} {folder}")]
