"""``fanal recorder``: the recordings on the disk."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Final

import click

from appliance.cli.api import open_api
from appliance.cli.context import FAILED, data_option, fail, failing_well, json_option, say, show_json

if TYPE_CHECKING:
    from pathlib import Path

    from appliance.cli.api import Api
    from appliance.cli.context import Program

#: How often it is asked how far the check is: at first soon, for few files take no time.
ASKING_S: Final = (0.05, 1.0)
CHECK: Final = ("admin", "recordings", "check")
NAMES: Final = {
    "index_damaged": "the index is damaged",
    "index_lost": "the index was lost",
    "not_indexed": "not in the index",
    "file_missing": "missing",
    "unfinished": "cut off",
    "size_differs": "of another size",
    "samples_damaged": "its entry is damaged",
    "content_damaged": "damaged",
    "unreadable": "not readable",
    "inaccessible": "may not be read",
    "sums_wrong": "wrong sums",
}


@click.group()
def recorder() -> None:
    """Look after the recordings on the disk."""


@recorder.command("check")
@click.option("--repair", is_flag=True, help="Put right what differs, and say how.")
@click.option("--thorough", is_flag=True, help="Also look for every picture in every file, as long as it takes.")
@data_option
@json_option
@click.pass_obj
@failing_well
def check(program: Program, repair: bool, thorough: bool, folder: Path, as_json: bool) -> None:
    """Compare the recorded files with their index, and say every difference.

    Without --repair nothing is changed. With it files are taken into the index, or out of it where they are gone; a
    file whose end was cut off ends with its last whole picture; an index that is damaged is made anew. No video that
    can be read is deleted: what cannot be read goes to recordings/damaged in the data folder. Files that are not
    Fanal's are named and left alone.

    It may be run while Fanal records. Ends with 1 if something is wrong that was not repaired.

    \b
    Examples:
      fanal recorder check
      fanal recorder check --repair
      fanal recorder check --repair --thorough
    """
    with open_api(folder, program.offline) as api:
        api.call("POST", *CHECK, body={"repair": repair, "thorough": thorough})
        try:
            done = _wait(api)
        except KeyboardInterrupt:
            api.call("DELETE", *CHECK)
            raise
    if as_json:
        show_json(done)
    else:
        _show(done)
    if done["state"] != "done":
        fail(done["message"] or "The check was stopped before its end.")
    if done["left"]:
        sys.exit(FAILED)


def _wait(api: Api) -> Any:
    """The check when it has ended; meanwhile a terminal is told how far it is."""
    pause, longest = ASKING_S
    shows = sys.stderr.isatty()
    while True:
        time.sleep(pause)
        pause = min(pause * 1.5, longest)
        state = api.get(*CHECK)
        if state["state"] != "running":
            if shows:
                click.echo("\r\x1b[K", nl=False, err=True)
            return state
        if shows:
            text = f"{state['files']} files, {state['found']} differences: {state['place']}"
            click.echo(f"\r\x1b[K{text[:100]}", nl=False, err=True)


def _show(done: Any) -> None:
    for each in done["notices"]:
        say(f"{each['path']}: {each['detail']}")
    for each in done["differences"]:
        action = f" → {each['action']}" if each["action"] else ""
        say(f"{each['path']}: {NAMES.get(each['kind'], each['kind'])}: {each['detail']}{action}")
    more = done["found"] - len(done["differences"])
    if more > 0:
        kinds = ", ".join(f"{NAMES.get(kind, kind)}: {count}" for kind, count in done["counts"].items())
        say(f"… and {more} more; in all: {kinds}")
    looked = f"{done['files']} {'file' if done['files'] == 1 else 'files'}, {done['bytes'] / 1e9:.1f} GB"
    differences = "1 difference" if done["found"] == 1 else f"{done['found']} differences"
    if not done["found"]:
        say(f"{looked}: files and index agree.")
    elif not done["left"]:
        say(f"{looked}: {differences}, all repaired.")
    else:
        hint = "" if done["repair"] else " To put them right: fanal recorder check --repair"
        say(f"{looked}: {differences}, {done['left']} of them left.{hint}")
