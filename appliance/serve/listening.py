"""Checks of the ports for ``fanal doctor``: are they to be had, does a server answer, does a firewall here close them.

They block.
"""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.base.faults import Fault
from appliance.serve.binding import ALL_INTERFACES, Binds, open_sockets
from appliance.status.findings import Finding, action, notice, well

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

UFW = Path("/etc/ufw")


def check_free(name: str, port: int) -> Finding:
    """Whether a start could listen there now: it is tried."""
    try:
        open_sockets(Binds(http=((ALL_INTERFACES, port),))).close()
    except Fault as fault:
        remedy = f"{fault.hint} For good: fanal config set connectivity.{name.lower()}_port PORT"
        return action("ports", fault.code, f"{name}: {fault.message}", remedy)
    return well("ports", f"{name} port {port} is free")


def check_answers(name: str, port: int, hosts: Sequence[str]) -> Finding:
    """Whether somebody accepts connections at one of the machine's addresses; for the ports of a server that runs."""
    why = ""
    for host in hosts:
        try:
            socket.create_connection((host, port), timeout=5.0).close()
        except OSError as error:
            why = why or f" ({error.strerror or error})"
        else:
            return well("ports", f"{name} port {port} answers at {host}")
    message = f"Nothing answers at the {name} port {port}{why}."
    return action("ports", "port_silent", message, "Look into the log, then start Fanal again.")


def check_firewall(ports: dict[str, int], ufw: Path = UFW, proc: Path = Path("/proc")) -> list[Finding]:
    """What the two usual firewalls of a machine let through, as far as we may read it."""
    try:
        enabled = re.search(r"^ENABLED=yes", (ufw / "ufw.conf").read_text(), re.MULTILINE) is not None
        rules = (ufw / "user.rules").read_text() if enabled else ""
    except FileNotFoundError:
        enabled, rules = False, ""
    except PermissionError:
        return [notice("ports", "firewall_unknown", "The rules of ufw are for root to read.", "Run as root.")]
    if enabled:
        closed = {name: port for name, port in ports.items() if not _allowed(rules, port)}
        return [
            action(
                "ports",
                "firewall",
                f"The firewall (ufw) does not let others reach the {name} port {port}.",
                f"Run: ufw allow {port}/tcp",
            )
            for name, port in closed.items()
        ]
    if any(comm == "firewalld" for comm in _programs(proc)):
        opened = " ".join(f"--add-port={port}/tcp" for port in ports.values())
        remedy = f"If others cannot reach Fanal: firewall-cmd --permanent {opened} && firewall-cmd --reload"
        return [notice("ports", "firewall", "A firewall (firewalld) is on.", remedy)]
    return []


def _programs(proc: Path) -> Iterator[str]:
    for comm in proc.glob("[0-9]*/comm"):
        with suppress(OSError):  # gone meanwhile
            yield comm.read_text().strip()


def _allowed(rules: str, port: int) -> bool:
    """Whether a rule of ufw's file lets TCP to a port in: ``### tuple ### allow tcp 8082 0.0.0.0/0 any …``."""
    for protocol, wanted in re.findall(r"^### tuple ### (?:allow|limit) (\S+) (\S+)", rules, re.MULTILINE):
        if protocol not in ("tcp", "any"):
            continue
        for piece in wanted.split(","):
            low, _, high = piece.partition(":")
            if piece == "any" or (low.isdigit() and int(low) <= port <= int(high or low)):
                return True
    return False
