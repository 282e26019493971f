"""``fanal camera``: add, set, list, remove."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from appliance.cli.api import open_api
from appliance.cli.context import Program, data_option, failing_well, json_option, say, show_json, show_table

if TYPE_CHECKING:
    from pathlib import Path

KEYS = ("name", "url", "sub", "username", "password")


@click.group()
def camera() -> None:
    """Add, change, list and remove cameras."""


@camera.command("add")
@click.argument("name")
@click.argument("url")
@click.option("--sub", metavar="URL", help="A smaller stream of the same camera, for small tiles and phones.")
@data_option
@json_option
@click.pass_obj
@failing_well
def add(program: Program, name: str, url: str, sub: str | None, folder: Path, as_json: bool) -> None:
    """Add a camera.  NAME is what people see, URL the address of its stream: rtsp://USER:PASSWORD@HOST/PATH

    Which address it is stands in the camera's manual, under RTSP or streaming. User and password are kept apart from
    it, encrypted, and never shown.

    \b
    Examples:
      fanal camera add gate rtsp://admin:secret@192.0.2.10/main
      fanal camera add yard rtsp://192.0.2.11/main --sub rtsp://192.0.2.11/sub
    """
    with open_api(folder, program.offline, may_begin=True) as api:
        added = api.call("POST", "admin", "cameras", body={"name": name, "url": url, "sub": sub})
        running = api.running
    if as_json:
        show_json(added)
    else:
        then = "How it is: fanal camera list" if running else "Fanal does not run here yet; start it with: fanal run"
        say(f"Camera “{added['name']}” added. {then}")


@camera.command("set")
@click.argument("name")
@click.argument("changes", nargs=-1, required=True, metavar="KEY=VALUE…")
@data_option
@json_option
@click.pass_obj
@failing_well
def change(program: Program, name: str, changes: tuple[str, ...], folder: Path, as_json: bool) -> None:
    """Change a camera.

    \b
    KEY is one of:
      name       what people see
      url        address of its stream
      sub        address of its smaller stream; empty: it has none
      username   for the camera
      password   for the camera

    \b
    Examples:
      fanal camera set gate name="Front gate"
      fanal camera set gate username=viewer password=secret
    """
    body = _pairs(changes, KEYS)
    with open_api(folder, program.offline) as api:
        changed = api.call("PATCH", "admin", "cameras", name, body=body)
    if as_json:
        show_json(changed)
    else:
        say(f"Camera “{changed['name']}” changed.")


@camera.command("list")
@data_option
@json_option
@click.pass_obj
@failing_well
def show(program: Program, folder: Path, as_json: bool) -> None:
    """List all cameras: their streams, how they are, and what is wrong.

    What a stream really sends (picture rate, kbit/s) is measured while somebody watches it.
    """
    with open_api(folder, program.offline) as api:
        cameras = api.get("admin", "cameras")["cameras"]
        running = api.running
    if as_json:
        show_json({"cameras": cameras})
        return
    if not cameras:
        say("No cameras yet. Add one: fanal camera add NAME rtsp://…")
    rows = [
        [
            one["name"],
            stream["name"],
            " ".join(filter(None, [one["state"]["state"], one["state"]["reason"]])) if running else None,
            stream["codec"],
            f"{stream['width']}x{stream['height']}" if stream["width"] else None,
            f"{round(stream['fps'], 1):g}" if stream["fps"] else None,
            f"{stream['kbps']:.0f}" if stream["kbps"] else None,
            stream["url"],
        ]
        for one in cameras
        for stream in one["streams"]
    ]
    show_table(["camera", "stream", "state", "codec", "size", "fps", "kbit/s", "address"], rows)
    for one in cameras:
        if running and one["message"]:
            say(f"{one['name']}: {one['message']}")


@camera.command("remove")
@click.argument("name")
@data_option
@click.pass_obj
@failing_well
def remove(program: Program, name: str, folder: Path) -> None:
    """Remove a camera, and everybody's rights on it."""
    with open_api(folder, program.offline) as api:
        api.call("DELETE", "admin", "cameras", name)
    say(f"Camera “{name}” removed.")


def _pairs(changes: tuple[str, ...], keys: tuple[str, ...]) -> dict[str, Any]:
    """KEY=VALUE… as a dictionary.  Raises `click.UsageError` for another key."""
    found: dict[str, Any] = {}
    for change_text in changes:
        key, equals, value = change_text.partition("=")
        if not equals:
            raise click.UsageError("Write each change as KEY=VALUE.")  # not repeated: it may be a password
        if key not in keys:
            raise click.UsageError(f"There is no “{key}” to set. The keys are {', '.join(keys)}.")
        found[key] = value
    return found
