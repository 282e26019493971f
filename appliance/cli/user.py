"""``fanal user``: add, set, list, remove."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from appliance.base.faults import invalid
from appliance.cli.api import open_api
from appliance.cli.context import Program, data_option, failing_well, json_option, say, show_json, show_table

if TYPE_CHECKING:
    from pathlib import Path

RIGHTS = ("live", "audio", "unmasked", "playback", "export")
KEYS = (*RIGHTS, "role", "disabled", "password")
SWITCHES = {"yes": True, "on": True, "true": True, "no": False, "off": False, "false": False}


@click.group()
def user() -> None:
    """Add, change, list and remove users, and say what they may see."""


@user.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(["administrator", "viewer"]), default="viewer", show_default=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@data_option
@json_option
@click.pass_obj
@failing_well
def add(program: Program, name: str, role: str, password_stdin: bool, folder: Path, as_json: bool) -> None:
    """Add a user.  Asks for the password, unless it comes on standard input.

    A viewer sees no camera until it is granted: fanal user set NAME live=all

    \b
    Examples:
      fanal user add ann
      pass show fanal/ann | fanal user add ann --password-stdin
      fanal user add chief --role administrator
    """
    body = {"name": name, "role": role, "password": _password(from_stdin=password_stdin)}
    with open_api(folder, program.offline, may_begin=True) as api:
        added = api.call("POST", "admin", "users", body=body)
    if as_json:
        show_json(added)
        return
    say(f"User “{added['name']}” added as {added['role']}.")
    if role == "viewer":
        say(f"Nothing is granted yet: fanal user set {name} live=all")


@user.command("set")
@click.argument("name")
@click.argument("changes", nargs=-1, metavar="KEY=VALUE…")
@click.option("--password-stdin", is_flag=True, help="Read a new password from standard input.")
@data_option
@json_option
@click.pass_obj
@failing_well
def change(
    program: Program, name: str, changes: tuple[str, ...], password_stdin: bool, folder: Path, as_json: bool
) -> None:
    """Change a user.

    \b
    KEY=VALUE is one of:
      live=CAMERA,…|all|none     which cameras they may see
      audio=CAMERA,…|all|none    which cameras they may hear
      unmasked=CAMERA,…|all|none of which cameras they may see what a privacy mask
                                 hides, and have the video as the camera sends it
      playback=CAMERA,…|all|none of which cameras they may see recordings
      export=CAMERA,…|all|none   of which cameras they may save them as files
      role=administrator|viewer
      disabled=yes|no            whether they are kept from signing in
      password=ask               a new password, typed at the terminal

    \b
    Examples:
      fanal user set ann live=gate,yard audio=gate
      fanal user set ann password=ask
    """
    body = _changes(changes)
    if password_stdin or body.pop("password", None):
        body["password"] = _password(from_stdin=password_stdin)
    if not body:
        raise click.UsageError("Say what to change, such as live=all.")
    with open_api(folder, program.offline) as api:
        changed = api.call("PATCH", "admin", "users", name, body=body)
    if as_json:
        show_json(changed)
    else:
        say(f"User “{changed['name']}” changed.")


@user.command("list")
@data_option
@json_option
@click.pass_obj
@failing_well
def show(program: Program, folder: Path, as_json: bool) -> None:
    """List all users and what they may do with which cameras; unmasked: what privacy masks hide, too."""
    with open_api(folder, program.offline) as api:
        users = api.get("admin", "users")["users"]
        names = {one["id"]: one["name"] for one in api.get("admin", "cameras")["cameras"]}
    if as_json:
        show_json({"users": users})
        return

    def granted(one: dict[str, Any], right: str) -> str | None:
        cameras = "all" if one["role"] == "administrator" else one["grants"].get(right)
        return cameras if cameras in ("all", None) else ", ".join(names.get(each, each) for each in cameras)

    if not users:
        say("No users yet. The first start of “fanal run” makes an administrator.")
    show_table(
        ["user", "role", *RIGHTS, ""],
        [
            [
                one["name"],
                one["role"],
                *(granted(one, right) for right in RIGHTS),
                "disabled" if one["disabled"] else "",
            ]
            for one in users
        ],
    )


@user.command("remove")
@click.argument("name")
@data_option
@click.pass_obj
@failing_well
def remove(program: Program, name: str, folder: Path) -> None:
    """Remove a user; their sessions end at once."""
    with open_api(folder, program.offline) as api:
        api.call("DELETE", "admin", "users", name)
    say(f"User “{name}” removed.")


@user.command("unlock")
@click.argument("name")
@data_option
@click.pass_obj
@failing_well
def unlock(_program: Program, name: str, folder: Path) -> None:
    """Let a user who typed too many wrong passwords try again."""
    with open_api(folder, None) as api:
        api.call("POST", "admin", "users", name, "unlock")
    say(f"User “{name}” may sign in again.")


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise invalid(
            "no_password",
            "There is no terminal to ask for a password at.",
            "Give it on standard input, with --password-stdin.",
        )
    answer: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return answer


def _changes(changes: tuple[str, ...]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for text in changes:
        key, equals, value = text.partition("=")
        if equals and key in RIGHTS:
            cameras: str | list[str] = value if value == "all" else [each for each in value.split(",") if each]
            body.setdefault("grants", {})[key] = [] if value == "none" else cameras
        elif equals and key == "disabled" and value in SWITCHES:
            body["disabled"] = SWITCHES[value]
        elif equals and key == "role":
            body["role"] = value
        elif text == "password=ask":
            body["password"] = True
        elif not equals:
            raise click.UsageError("Write each change as KEY=VALUE, such as live=all.")
        elif key == "password":
            # not on the command line: every user of the machine reads those
            raise click.UsageError("A password is not given here: use password=ask, or --password-stdin.")
        elif key == "disabled":
            raise click.UsageError(f"“{value}” is neither yes nor no.")
        else:
            raise click.UsageError(f"There is no “{key}” to set. The keys are {', '.join(KEYS)}.")
    return body
