"""Who has a port: out of /proc, as far as our rights let us see."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_LISTENING = "0A"  # TCP_LISTEN in /proc/net/tcp, proc(5)


def holder_of(port: int, proc: Path = Path("/proc")) -> str | None:
    """The process that listens on a TCP port, as ``nginx (process 123)``; None if it cannot be seen."""
    inodes = _listening_inodes(port, proc)
    if not inodes:
        return None
    links = {f"socket:[{inode}]" for inode in inodes}
    for process in proc.iterdir():
        if process.name.isdigit() and _has_open(process, links):
            return f"{_name(process)} (process {process.name})"
    return None


def _listening_inodes(port: int, proc: Path) -> set[str]:
    inodes: set[str] = set()
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (proc / "net" / table).read_text().splitlines()[1:]:
                columns = line.split()
                if len(columns) > 9 and columns[3] == _LISTENING and int(columns[1].rpartition(":")[2], 16) == port:
                    inodes.add(columns[9])
    return inodes


def _has_open(process: Path, links: set[str]) -> bool:
    with suppress(OSError):  # it has ended, or is another user's
        for descriptor in (process / "fd").iterdir():
            with suppress(OSError):
                if str(descriptor.readlink()) in links:
                    return True
    return False


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "a program"
