"""Listening sockets, and in plain words why there are none (design §7, MGR-4)."""

from __future__ import annotations

import errno
import os
import socket
import stat
import struct
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from appliance.base.faults import Fault, Kind, invalid
from appliance.serve.ports import holder_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ALL_INTERFACES = ""  # as a host: every address of this machine, IPv4 and IPv6
BACKLOG = 512  # connections the kernel keeps for us; it takes less if net.core.somaxconn says so
_PATH_LIMIT = 107  # bytes of sun_path, unix(7)

Address = tuple[str, int | Literal["auto"]]


@dataclass(frozen=True, slots=True)
class Binds:
    """Where to listen.  A host is an address, a name, or `ALL_INTERFACES`; port 0 or "auto" is any free one.

    ``unix``: path of the local socket, or None.
    """

    http: Sequence[Address] = ()
    https: Sequence[Address] = ()
    unix: Path | None = None


@dataclass(slots=True)
class Sockets:
    """Listening sockets, closed (and the Unix socket's file removed) by `close`."""

    http: list[socket.socket] = field(default_factory=list)
    https: list[socket.socket] = field(default_factory=list)
    unix: socket.socket | None = None
    _unix_file: tuple[Path, int] | None = None  # with its inode: it may have become somebody else's

    def close(self) -> None:
        for sock in (*self.http, *self.https, *([self.unix] if self.unix else [])):
            sock.close()
        if self._unix_file is not None:
            path, inode = self._unix_file
            with suppress(OSError):
                if path.stat().st_ino == inode:
                    path.unlink()


def open_sockets(binds: Binds) -> Sockets:
    """Open everything or nothing.  Blocking: names are resolved, /proc is read.

    Raises `Fault` ``port_in_use``, ``port_not_permitted``, ``no_such_address``, ``already_running``,
    ``socket_path_taken`` or ``socket_path_too_long``.
    """
    sockets = Sockets()
    with ExitStack() as undo:
        undo.callback(sockets.close)
        for wanted, opened in ((binds.http, sockets.http), (binds.https, sockets.https)):
            for host, port in wanted:
                _listen(host, 0 if port == "auto" else port, opened)
        if binds.unix is not None:
            sockets.unix, inode = _listen_unix(binds.unix)
            sockets._unix_file = (binds.unix, inode)
        undo.pop_all()
    return sockets


def _listen(host: str, port: int, opened: list[socket.socket]) -> None:
    if host == ALL_INTERFACES:
        _listen_everywhere(port, opened)
        return
    for family, address in _resolve(host, port):
        # every address behind a name gets the port that the first one got
        opened.append(_listen_at(family, (address, port), dual=False))
        port = port or opened[-1].getsockname()[1]


def _listen_everywhere(port: int, opened: list[socket.socket]) -> None:
    try:
        opened.append(_listen_at(socket.AF_INET6, ("::", port), dual=True))
    except OSError as error:  # this machine has no IPv6, or it is switched off
        if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT):
            raise
        opened.append(_listen_at(socket.AF_INET, ("0.0.0.0", port), dual=False))  # noqa: S104  # what was asked for


def _listen_at(family: int, address: tuple[str, int], *, dual: bool) -> socket.socket:
    with ExitStack() as undo:
        sock = undo.enter_context(socket.socket(family, socket.SOCK_STREAM))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if dual else 1)
        try:
            sock.bind(address)
            sock.listen(BACKLOG)
        except OSError as error:
            if dual and error.errno == errno.EADDRNOTAVAIL:
                raise
            raise _explained(error, *address) from None
        undo.pop_all()
        return sock


def _resolve(host: str, port: int) -> list[tuple[int, str]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise _no_such_address(host) from None
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))


def _explained(error: OSError, host: str, port: int) -> Fault:
    if error.errno == errno.EADDRINUSE:
        holder = holder_of(port)
        return Fault(
            Kind.CONFLICT,
            "port_in_use",
            f"Port {port} is in use{f' by {holder}' if holder else ''}.",
            "Stop that program, or choose another port with --http or --https.",
            field="port",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return Fault(
            Kind.FORBIDDEN,
            "port_not_permitted",
            f"This system does not let us listen on port {port}.",
            "Choose a port from 1024 up, run as a service (fanal service install), or lower "
            "net.ipv4.ip_unprivileged_port_start.",
            field="port",
        )
    if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
        return _no_such_address(host)
    return Fault(
        Kind.UNAVAILABLE,
        "cannot_listen",
        f"Cannot listen on {host or 'all addresses'} port {port}: {error.strerror}.",
        "Choose another address or port.",
        field="port",
    )


def _no_such_address(host: str) -> Fault:
    return invalid(
        "no_such_address",
        f"This machine has no address {host}.",
        "Use one of its own addresses (ip address), or leave --bind out for all of them.",
        field="bind",
    )


def _listen_unix(path: Path) -> tuple[socket.socket, int]:
    """Listen at ``path``, for ourselves and root only.  A dead server's file is replaced, a live one's is not."""
    # bound under another name and moved into place, so that a dead server's file is replaced in one step
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    if len(os.fsencode(beside)) > _PATH_LIMIT:
        raise invalid(
            "socket_path_too_long",
            f"The path {path} is too long for a Unix socket.",
            "Choose a data folder with a shorter path.",
            field="data",
        )
    _make_way(path)
    with ExitStack() as undo:
        sock = undo.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        beside.unlink(missing_ok=True)
        os.fchmod(sock.fileno(), 0o600)  # Linux gives the file the socket's own mode: it is never open to others
        sock.bind(str(beside))
        undo.callback(beside.unlink, missing_ok=True)
        sock.listen(BACKLOG)
        inode = beside.stat().st_ino
        beside.rename(path)
        undo.pop_all()
        return sock, inode


def _make_way(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise Fault(
            Kind.CONFLICT,
            "socket_path_taken",
            f"{path} exists and is not a socket.",
            "Move it away, or choose another data folder.",
            field="data",
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return
        except OSError:
            pass  # somebody has it who does not answer, or not to us
    raise Fault(
        Kind.CONFLICT,
        "already_running",
        f"Another server is running with this data folder: it answers at {path}.",
        "Stop it first, or choose another data folder with --data.",
        field="data",
    )


def peer_uid(sock: socket.socket) -> int:
    """The user at the other end of a Unix socket, as the kernel knows it (SO_PEERCRED, unix(7))."""
    credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    return int(uid)
