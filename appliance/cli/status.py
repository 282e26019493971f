"""``fanal status``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from appliance.base.texts import visible
from appliance.cli.api import open_api
from appliance.cli.context import Program, data_option, failing_well, json_option, say, show_json

if TYPE_CHECKING:
    from pathlib import Path

DAY_S: Final = 24 * 3600
#: From so many days on the hours do not matter.
LONG_DAYS: Final = 4


@click.command()
@data_option
@json_option
@click.pass_obj
@failing_well
def status(_program: Program, folder: Path, as_json: bool) -> None:
    """Say how the running Fanal is, and what wants attention."""
    with open_api(folder, None) as api:
        found = api.get("status")
        users = api.get("status", "users")["users"]
        recorded = api.get("admin", "recorder")
    if as_json:
        show_json({**found, "active_users": users, "recorded": recorded})
        return
    cameras = found["cameras"]
    say(f"{found['name']}, Fanal {found['version']}, running since {found['running_since']}")
    say("Cameras     " + (", ".join(f"{number} {state}" for state, number in cameras.items() if number) or "none yet"))
    say(
        f"Clients     {_count(len(users), 'user')} connected, {_count(found['viewers'], 'view')} of "
        f"{_count(found['streams_open'], 'open stream')}"
    )
    if recorded["cameras"]:
        say(f"Recorded    {show_recorded(recorded)}")
    if found["cpu"] is not None:
        say(
            f"Load        machine {found['cpu']:.0%}, Fanal {found['cores']:.2f} cores and "
            f"{found['memory'] / 1e6:.0f} MB, sends {found['sent'] / 1e6:.2f} MB/s"
        )
    level = found["level"]
    if level["number"] > 1:
        limit = f"{level['max_fps']:g} pictures a second of {level['max_width']}x{level['max_height']} at most"
        say(f"Level       {level['number']}: the server is busy, so what is transcoded is {limit}")
    capacity = found["capacity"]
    if capacity is None:
        say("Room        not measured yet: run `fanal bench`")
    elif capacity["more_direct"] is not None:
        made = f"{capacity['width']}x{capacity['height']} at {capacity['fps']:g} a second"
        say(
            f"Room        for {capacity['more_direct']} more direct, or {capacity['more_transcoded']} more transcoded "
            f"({made}){', measured while the machine was busy' if capacity['was_busy'] else ''}"
        )
    kept = [f"{what} ({why})" for what, why in found["isolation"].items() if why is not None]
    if not found["isolation"]:
        say("Workers     none running")
    else:
        confined = f"which could not give up: {', '.join(kept)}" if kept else "confined"
        say(f"Workers     {found['workers']}, {confined}")
    hardware = found["hardware_decoding"]
    in_use = hardware["state"] == "in_use"
    say("Decoding    " + (f"by {hardware['kind']}" if in_use else f"by software. {visible(hardware['why'])}"))
    certificate = found["certificate"]
    if certificate is not None:
        say(f"Certificate {', '.join(certificate['names'][:4])} until {certificate['not_after'][:10]}")
    for item in found["attention"]:
        mark = click.style(
            "!" if item["severity"] == "urgent" else "·", fg="red" if item["severity"] == "urgent" else None
        )
        click.echo(f"{mark} {visible(item['message'])} {visible(item['hint'])}".rstrip())
    if not found["attention"]:
        say("All is well.")


def show_recorded(found: dict[str, Any]) -> str:
    """How much of how many cameras since when, and for how much longer the disk has room if all of it is kept."""
    said = _count(len(found["cameras"]), "camera")
    if removed := sum(each["name"] is None for each in found["cameras"]):
        said += f" ({removed} removed since)"
    said += f", {found['bytes'] / 1e9:.2f} GB"
    if found["oldest"] is not None:
        said += f" since {found['oldest'][:16].replace('T', ' ')} UTC"
    rate, free = found["bytes_per_second"], found["free_bytes"]
    said += f", {rate * DAY_S / 1e9:.1f} GB a day; {free / 1e9:.1f} GB free"
    if rate:
        days = free / rate / DAY_S
        said += (
            f", enough for {days:.0f} more days" if days >= LONG_DAYS else f", enough for {days * 24:.0f} more hours"
        )
    return said


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
