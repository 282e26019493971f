"""What is kept in ``DATA/tls``, and which certificate is in force (SEC-1, abuse A22).

``authority.pem``, ``authority-key.pem``  made at the first start, kept for good: people trust it
``server.pem``, ``server-key.pem``        signed by it, made anew whenever that helps
``cert.pem``, ``key.pem``                 the administrator's own; they win while they are fit to be used

Everything here blocks: call it in a thread.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from appliance.base.faults import Fault, Kind
from appliance.certs.authority import ServerNames, issue, make_authority, needs_renewal, permitted_names
from appliance.certs.certificates import FILE_LIMIT, Pair, read_pair, server_context
from appliance.store.folder import fault_of, make_private_folder, write_whole

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

log = logging.getLogger(__name__)

AUTHORITY, AUTHORITY_KEY = "authority.pem", "authority-key.pem"
SERVER, SERVER_KEY = "server.pem", "server-key.pem"
OWN, OWN_KEY = "cert.pem", "key.pem"
FILES = (AUTHORITY, AUTHORITY_KEY, SERVER, SERVER_KEY, OWN, OWN_KEY)

#: Enough to see that a file is another: device, inode, size, time of change in ns.  None: there is none.
Stamp = tuple[int, int, int, int] | None


@dataclass(frozen=True, slots=True)
class InForce:
    """``problems``: what stands in the way of something better, for the administrator."""

    pair: Pair
    source: Literal["own", "local"]
    problems: tuple[Fault, ...] = ()
    not_covered: tuple[str, ...] = ()  # names of this machine that its authority may not sign for


def choose(folder: Path, names: ServerNames, host_name: str, now: datetime, current: InForce | None = None) -> InForce:
    """The certificate to serve with; authority and server certificate are made where they are missing.

    Where new files are no good, what is ``current`` stays in force.  Raises `Fault` when there is nothing at all.
    """
    problems: list[Fault] = []
    own: Pair | None = None
    try:
        make_private_folder(folder)
        own = _own(folder, now)
    except Fault as fault:
        problems.append(fault)
        if current is not None and current.source == "own" and now <= current.pair.leaf.not_valid_after_utc:
            own = current.pair
    local: Pair | None = None
    missing: tuple[str, ...] = ()
    try:
        local, missing = _local(folder, names, host_name, now)
    except Fault as fault:
        problems.append(fault)
        if current is not None and current.source == "local":
            local, missing = current.pair, current.not_covered
    if own is not None:
        return InForce(own, "own", tuple(problems))
    if local is not None:
        return InForce(local, "local", tuple(problems), missing)
    raise problems[-1]


def in_place(folder: Path, now: datetime) -> tuple[Pair | None, Literal["own", "local"], tuple[Fault, ...]]:
    """What is there without anything being made: the pair, whose it is, what is wrong with the administrator's."""
    try:
        own = _own(folder, now)
    except Fault as fault:
        return _server(folder, now), "local", (fault,)
    return (own, "own", ()) if own is not None else (_server(folder, now), "local", ())


def authority_pem(folder: Path) -> bytes | None:
    """The local authority's certificate, for people to trust; None before the first start."""
    return _read(folder / AUTHORITY)


def stamps(folder: Path) -> tuple[Stamp, ...]:
    """What changes when one of the files does."""
    return tuple(_stamp(folder / name) for name in FILES)


def _own(folder: Path, now: datetime) -> Pair | None:
    certificate, key = _read(folder / OWN), _read(folder / OWN_KEY)
    if certificate is None and key is None:
        return None
    for data, name in ((certificate, OWN), (key, OWN_KEY)):
        if data is None:
            raise Fault(
                Kind.INVALID,
                "certificate_incomplete",
                f"{folder / name} is missing.",
                "Put both files in place.",
                details={"file": str(folder / name)},
            )
    assert certificate is not None
    assert key is not None
    pair = read_pair(certificate, key, now)
    server_context(pair)  # OpenSSL has a word in it too
    return pair


def _local(folder: Path, names: ServerNames, host_name: str, now: datetime) -> tuple[Pair, tuple[str, ...]]:
    authority = _authority(folder, host_name, now)
    permitted = permitted_names(authority.leaf, names)
    missing = tuple(name for name in names.dns if name not in permitted.dns)
    server = _server(folder, now)
    if server is None or needs_renewal(server.leaf, authority.leaf, names, now):
        server = issue(authority, names, now)
        _write(folder, server, SERVER, SERVER_KEY)
        log.info("made a server certificate for %s", ", ".join([*permitted.dns, *map(str, permitted.addresses)]))
    return server, missing


def _authority(folder: Path, host_name: str, now: datetime) -> Pair:
    certificate, key = _read(folder / AUTHORITY), _read(folder / AUTHORITY_KEY)
    if certificate is not None:
        try:
            return read_pair(certificate, key or b"", now)
        except Fault as fault:
            if fault.code != "certificate_expired":
                raise Fault(
                    Kind.UNAVAILABLE,
                    "authority_unusable",
                    f"The local authority in {folder} cannot be used: {fault.message}",
                    f"Restore {AUTHORITY} and {AUTHORITY_KEY} from a backup, or delete both to have a new one made, "
                    "which people then have to trust anew.",
                    details={"folder": str(folder)},
                ) from fault
        log.warning("the local authority has expired; a new one is made, which people have to trust anew")
    authority = make_authority(host_name, now)
    _write(folder, authority, AUTHORITY, AUTHORITY_KEY)
    log.info("made a local authority")
    return authority


def _server(folder: Path, now: datetime) -> Pair | None:
    certificate, key = _read(folder / SERVER), _read(folder / SERVER_KEY)
    if certificate is None or key is None:
        return None
    try:
        return read_pair(certificate, key, now)
    except Fault:
        return None  # a new one costs nothing: it is the authority that is trusted


def _write(folder: Path, pair: Pair, certificate: str, key: str) -> None:
    # the key first: a certificate is never there without its key
    write_whole(folder / key, pair.key_pem)
    write_whole(folder / certificate, pair.chain_pem)


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise fault_of(error, path) from error
    return data[:FILE_LIMIT]


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
