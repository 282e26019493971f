"""``fanal config``: get and set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from appliance.cli.api import open_api
from appliance.cli.context import Program, data_option, failing_well, json_option, show_json, show_table
from appliance.settings.settings import Settings, known

if TYPE_CHECKING:
    from pathlib import Path


@click.group()
def config() -> None:
    """Settings."""


@config.command("get")
@click.argument("key", required=False)
@data_option
@json_option
@click.pass_obj
@failing_well
def get(program: Program, key: str | None, folder: Path, as_json: bool) -> None:
    """One setting, or all of them with what may be set."""
    if key is not None:
        known(key)  # before anything is started for it
    with open_api(folder, program.offline) as api:
        tabs = api.get("admin", "settings")["tabs"]
    settings = {one["key"]: one for tab in tabs for one in tab["settings"]}
    if key is not None:
        value = settings[key]["value"]
        if as_json:
            show_json(value)
        else:
            click.echo(_shown(value))
    elif as_json:
        show_json({each: one["value"] for each, one in settings.items()})
    else:
        show_table(
            ["key", "value", "about"], [[each, _shown(one["value"]), one["hint"]] for each, one in settings.items()]
        )


@config.command("set")
@click.argument("key")
@click.argument("value")
@data_option
@click.pass_obj
@failing_well
def change(program: Program, key: str, value: str, folder: Path) -> None:
    """Set one setting."""
    parsed = Settings.parse(key, value)
    tab, _, field = key.partition(".")
    body = {field: list(parsed) if isinstance(parsed, tuple) else parsed}
    with open_api(folder, program.offline) as api:
        saved = api.call("PUT", "admin", "settings", tab, body=body)
        running = api.running
    if not saved["changed"]:
        click.echo(f"{key} is so already.")
    elif running and saved["restart"]:
        click.echo(f"{key} set. It takes effect when Fanal starts again.")
    else:
        click.echo(f"{key} set.")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(value) if isinstance(value, list) else str(value)
