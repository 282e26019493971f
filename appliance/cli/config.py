"""``fanal config``: get and set.

The rules of the settings are imported inside the commands: they bring the database's library with them, half a second
that the other commands need not wait for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from appliance.cli.api import open_api
from appliance.cli.context import Program, data_option, failing_well, json_option, say, show_json, show_table

if TYPE_CHECKING:
    from pathlib import Path


@click.group()
def config() -> None:
    """See and change settings."""


@config.command("get")
@click.argument("key", required=False)
@data_option
@json_option
@click.pass_obj
@failing_well
def get(program: Program, key: str | None, folder: Path, as_json: bool) -> None:
    """Print one setting, or without KEY all of them and what they are for.

    \b
    Examples:
      fanal config get
      fanal config get general.server_name
    """
    from appliance.settings.settings import known  # noqa: PLC0415  (see the module)

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
            say(_shown(value))
    elif as_json:
        show_json({each: one["value"] for each, one in settings.items()})
    else:
        rows = [
            [each, f"{_shown(one['value'])} {one['unit'] or ''}".rstrip(), one["hint"]]
            for each, one in settings.items()
        ]
        show_table(["key", "value", "about"], rows)


@config.command("set")
@click.argument("key")
@click.argument("value")
@data_option
@click.pass_obj
@failing_well
def change(program: Program, key: str, value: str, folder: Path) -> None:
    """Set one setting.  KEY is one of: fanal config get

    \b
    Examples:
      fanal config set general.server_name "Harbour warehouse"
      fanal config set connectivity.host_names video.example.org,192.0.2.7
    """
    from appliance.settings.settings import Settings  # noqa: PLC0415  (see the module)

    parsed = Settings.parse(key, value)
    tab, _, field = key.partition(".")
    body = {field: list(parsed) if isinstance(parsed, tuple) else parsed}
    with open_api(folder, program.offline, may_begin=True) as api:
        saved = api.call("PUT", "admin", "settings", tab, body=body)
        running = api.running
    if not saved["changed"]:
        say(f"{key} is so already.")
    elif running and saved["restart"]:
        say(f"{key} set. It takes effect when Fanal starts again.")
    else:
        say(f"{key} set.")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(value) if isinstance(value, list) else str(value)
