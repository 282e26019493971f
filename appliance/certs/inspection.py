"""Whether a certificate fits the machine it is on, for ``fanal doctor``."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from appliance.base.hosts import clean_host, is_address
from appliance.certs.certificates import describe
from appliance.certs.contexts import Problem, TlsState
from appliance.certs.folder import in_place
from appliance.status.findings import Finding, action, notice, well

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

CHECK = "certificate"
_INSTALL = "put it into the data folder as tls/cert.pem (with its chain) and tls/key.pem"


def read_state(folder: Path, now: datetime) -> TlsState | None:
    """What a start would find in ``DATA/tls``, without making anything; None where nothing is yet.  Blocks."""
    pair, source, problems = in_place(folder, now)
    if pair is None:
        return None
    certificate = describe(pair.leaf)
    return TlsState(
        certificate,
        source,
        certificate.warning(now),
        tuple(Problem(fault.code, fault.message, fault.hint) for fault in problems),
    )


def check_certificate(
    state: TlsState, now: datetime, *, wanted: Sequence[str], own: Iterable[str], host_names: str
) -> list[Finding]:
    """Its time, its names, and what is wrong with the files of the administrator.

    ``wanted``: names that clients were given (the setting ``host_names``); ``own``: names and addresses that this
    machine has anyway.
    """
    found = [action(CHECK, problem.code, problem.message, problem.hint) for problem in state.problems]
    found += _time(state, now)
    found += _names(state, wanted, [name for name in own if not _is_loopback(name)], host_names)
    names = ", ".join(state.certificate.names)
    return found or [well(CHECK, f"for {names}, until {state.certificate.not_after:%Y-%m-%d}")]


def _time(state: TlsState, now: datetime) -> list[Finding]:
    certificate = state.certificate
    until = f"{certificate.not_after:%Y-%m-%d}"
    renew = f"Get a new one and {_INSTALL}; it is taken up within seconds."
    if state.source == "local":
        renew = "Start Fanal: it makes a new one by itself."
    if now < certificate.not_before:
        since = f"{certificate.not_before:%Y-%m-%d %H:%M}"
        return [action(CHECK, "certificate_not_yet_valid", f"It is not valid before {since} UTC.", "See to the clock.")]
    if state.warning == 0:
        return [action(CHECK, "certificate_expired", f"It ended on {until}.", renew)]
    if state.warning is not None:
        level = action if state.warning <= 7 else notice
        return [level(CHECK, "certificate_ends", f"It ends on {until}.", renew)]
    return []


def _names(state: TlsState, wanted: Sequence[str], own: Sequence[str], host_names: str) -> list[Finding]:
    certified = state.certificate.names
    missing = [name for name in wanted if not covers(certified, name)]
    unnamed = [name for name in own if not covers(certified, name)]
    shown = ", ".join(certified) or "no name at all"
    if missing:
        which = ", ".join(missing)
        remedy = f"Get a certificate for {which} and {_INSTALL}"
        remedy += f", or take the name out of {host_names}." if state.source == "own" else "."
        return [action(CHECK, "certificate_names", f"It is for {shown}, and not for {which}.", remedy)]
    if unnamed and len(unnamed) == len(own) and not wanted:
        remedy = (
            f"If that is how others reach this machine: fanal config set {host_names} {','.join(certified) or 'NAME'}. "
            f"Else get a certificate for its real name and {_INSTALL}, or remove both to have one made."
        )
        message = f"It is for {shown}, and this machine is {', '.join(own)}."
        return [action(CHECK, "certificate_names", message, remedy)]
    if unnamed:
        which = ", ".join(unnamed)
        return [notice(CHECK, "certificate_warns", f"Browsers warn at {which}.", f"Use one of {shown}.")]
    return []


def covers(certified: Iterable[str], host: str) -> bool:
    """Whether a client that asks for ``host`` accepts a certificate with these names (RFC 9525 §6.3)."""
    try:
        wanted = clean_host(host)
    except ValueError:
        return False
    for name in certified:
        if name.startswith("*.") and not is_address(wanted):
            if wanted.partition(".")[2] == name[2:].lower():
                return True
            continue
        try:
            if clean_host(name) == wanted:
                return True
        except ValueError:
            continue
    return False


def _is_loopback(name: str) -> bool:
    return is_address(name) and ip_address(name).is_loopback
