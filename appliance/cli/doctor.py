"""``fanal doctor``."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from appliance.base.faults import Fault
from appliance.base.interfaces import interface_addresses
from appliance.cli.api import open_api
from appliance.cli.context import FAILED, Program, data_option, json_option, show_json
from appliance.serve.listening import check_answers, check_firewall, check_free
from appliance.status.findings import Finding, Level, action, notice
from appliance.status.machine import check_clock, check_disk

if TYPE_CHECKING:
    from pathlib import Path

STORE = "fanal.db"
MARKS = {Level.WELL: ("✓", "green"), Level.NOTICE: ("·", None), Level.ACTION: ("!", "red")}


@click.command()
@data_option
@json_option
@click.pass_obj
def doctor(program: Program, folder: Path, as_json: bool) -> None:
    """What is wrong, and what to do about it.  Asks the running appliance, if there is one, and looks at the machine.

    Exit code 1 if something has to be done.
    """
    found = examine(program, folder)
    urgent = sum(finding.level is Level.ACTION for finding in found)
    if as_json:
        show_json({"findings": [asdict(finding) for finding in found], "well": not urgent})
    else:
        _show(found)
        click.echo("All is well." if not urgent else f"To be done: {urgent}.")
    if urgent:
        sys.exit(FAILED)


def examine(program: Program, folder: Path) -> list[Finding]:
    """All checks; one that cannot be made is itself a finding."""
    told, appliance = _ask(program, folder)
    listening = {name: port for name, port in told["listening"].items() if port}
    configured = {name: port for name, port in told["configured"].items() if port}
    if listening:
        hosts = ["127.0.0.1", *(str(address) for address in interface_addresses() if not address.is_loopback)]
        ports = [check_answers(name, port, hosts) for name, port in listening.items()]
    else:
        ports = [check_free(name, port) for name, port in configured.items()]
    ports += check_firewall(listening or configured)
    clock = check_clock(datetime.now(UTC), [folder / STORE, folder / f"{STORE}-wal", folder / "logs", folder / "tls"])
    disk = check_disk(folder)
    known = {finding.code for finding in disk if finding.level is Level.ACTION}
    return [*clock, *disk, *ports, *(finding for finding in appliance if finding.code not in known)]


def _ask(program: Program, folder: Path) -> tuple[dict[str, Any], list[Finding]]:
    """What the appliance says of itself: its ports, its findings."""
    from appliance.settings.tabs import ConnectivityTab  # noqa: PLC0415  (commands begin without the store)

    tab = ConnectivityTab()
    nothing = {"listening": {}, "configured": {"HTTPS": tab.https_port, "HTTP": tab.http_port}}
    try:
        with open_api(folder, program.offline) as api:
            told = api.get("admin", "doctor")
            running = api.running
    except Fault as fault:
        how = notice if fault.code == "no_data" else action
        return nothing, [how("appliance", fault.code, fault.message, fault.hint)]
    found = [Finding(**{**each, "level": Level(each["level"])}) for each in told["findings"]]
    if not running:
        found.insert(0, notice("appliance", "not_running", "Fanal does not run.", "Start it: fanal run"))
    return told, found


def _show(found: list[Finding]) -> None:
    width = max(len(finding.check) for finding in found)
    for finding in found:
        mark, colour = MARKS[finding.level]
        click.echo(f"{click.style(mark, fg=colour)} {finding.check:<{width}}  {finding.message}")
        if finding.remedy:
            click.echo(f"  {'':<{width}}  → {finding.remedy}")
