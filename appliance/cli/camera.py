"""``fanal camera``: add, set, list, remove."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from appliance.base.faults import invalid
from appliance.cli.api import open_api
from appliance.cli.context import Program, data_option, failing_well, json_option, show_json, show_table

if TYPE_CHECKING:
    from pathlib import Path

KEYS = ("name", "url", "sub", "username", "password")


@click.group()
def camera() -> None:
    """Cameras."""


@camera.command("add")
@click.argument("name")
@click.argument("url")
@click.option("--sub", metavar="URL", help="A smaller stream of the same camera, for small tiles and phones.")
@data_option
@json_option
@click.pass_obj
@failing_well
def add(program: Program, name: str, url: str, sub: str | None, folder: Path, as_json: bool) -> None:
    """Add a camera, as rtsp://USER:PASSWORD@HOST/PATH.

    User and password are kept apart, encrypted, and never shown.
    """
    with open_api(folder, program.offline) as api:
        added = api.call("POST", "admin", "cameras", body={"name": name, "url": url, "sub": sub})
        running = api.running
    if as_json:
        show_json(added)
    else:
        click.echo(f"Camera “{added['name']}” added." + ("" if running else " It is there when Fanal runs."))


@camera.command("set")
@click.argument("name")
@click.argument("changes", nargs=-1, required=True, metavar="KEY=VALUE…")
@data_option
@json_option
@click.pass_obj
@failing_well
def change(program: Program, name: str, changes: tuple[str, ...], folder: Path, as_json: bool) -> None:
    """Change a camera: name=, url=, sub= (empty: none), username=, password=."""
    body = _pairs(changes, KEYS)
    with open_api(folder, program.offline) as api:
        changed = api.call("PATCH", "admin", "cameras", name, body=body)
    if as_json:
        show_json(changed)
    else:
        click.echo(f"Camera “{changed['name']}” changed.")


@camera.command("list")
@data_option
@json_option
@click.pass_obj
@failing_well
def show(program: Program, folder: Path, as_json: bool) -> None:
    """All cameras, their streams, how they are."""
    with open_api(folder, program.offline) as api:
        cameras = api.get("admin", "cameras")["cameras"]
        running = api.running
    if as_json:
        show_json({"cameras": cameras})
        return
    if not cameras:
        click.echo("No cameras yet. Add one: fanal camera add NAME rtsp://…")
    rows = []
    for one in cameras:
        for stream in one["streams"]:
            size = f"{stream['width']}x{stream['height']}" if stream["width"] else None
            rate = f"{stream['fps']:g} fps" if stream["fps"] else None
            state = one["state"]["state"] if running else None
            reason = one["state"]["reason"] or ""
            rows.append(
                [
                    one["name"],
                    stream["name"],
                    " ".join(filter(None, [state, reason])) or None,
                    stream["codec"],
                    size,
                    rate,
                    stream["url"],
                ]
            )
    show_table(["camera", "stream", "state", "codec", "size", "rate", "address"], rows)


@camera.command("remove")
@click.argument("name")
@data_option
@click.pass_obj
@failing_well
def remove(program: Program, name: str, folder: Path) -> None:
    """Remove a camera."""
    with open_api(folder, program.offline) as api:
        api.call("DELETE", "admin", "cameras", name)
    click.echo(f"Camera “{name}” removed.")


def _pairs(changes: tuple[str, ...], keys: tuple[str, ...]) -> dict[str, Any]:
    """KEY=VALUE… as a dictionary.  Raises `Fault` for another key."""
    found: dict[str, Any] = {}
    for change_text in changes:
        key, equals, value = change_text.partition("=")
        if not equals or key not in keys:
            raise invalid("bad_key", f"“{key}” cannot be set.", f"Use {', '.join(f'{each}=' for each in keys)}.")
        found[key] = value
    return found
