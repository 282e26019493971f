"""``fanal camera``: add, set, test, list, event, remove."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from appliance.base.faults import Fault
from appliance.cli.api import open_api
from appliance.cli.context import (
    FAILED,
    Program,
    data_option,
    fail,
    failing_well,
    json_option,
    say,
    show_json,
    show_table,
)
from appliance.cli.recording import KEYS as RECORDING_KEYS
from appliance.cli.recording import show_recording, take_recording
from appliance.media.masks import show_mask

KEYS = ("name", "url", "sub", "username", "password", "transport", "fingerprint", "mask", *RECORDING_KEYS)
NOT_NAMES = ("://", "demo:", "file:")  # what marks an address


@click.group()
def camera() -> None:
    """Add, change, test, list and remove cameras."""


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
      fanal camera add door http://192.0.2.12/snapshot.jpg#fps=5
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
      transport  how its packets come: auto, tcp, udp, http (through its web port)
      fingerprint  SHA-256 of the only certificate that it may show (with TLS);
                 first: of the one that it shows now; empty: the system decides
      mask       what is hidden from users without the right unmasked: polygons,
                 with semicolons between; their points x,y with spaces between,
                 as fractions of the picture from its left upper corner;
                 none: nothing
      recording  off, continuous, event (around events), schedule (see below)
      record_sub  yes or no: its smaller stream is recorded, too
      schedule   when, by the time of this machine: days, from-to, with semicolons
                 between; a time that ends before it begins ends on the next day
      pre, post  seconds that are recorded before an event and after it
      retention_days, max_gb  how long, and how much of it, is kept;
                 empty: as the settings say for all cameras

    \b
    Examples:
      fanal camera set gate name="Front gate"
      fanal camera set gate username=viewer password=secret
      fanal camera set gate mask="0,0 0.4,0 0.4,0.3 0,0.3; 0.8,0.5 1,0.5 1,1"
      fanal camera set gate recording=continuous record_sub=yes retention_days=14
      fanal camera set yard recording=schedule schedule="mon-fri 19:00-07:00"
      fanal camera set door recording=event pre=5 post=30
    """
    body = take_recording(_pairs(changes, KEYS))
    with open_api(folder, program.offline) as api:
        changed = api.call("PATCH", "admin", "cameras", name, body=body)
    if as_json:
        show_json(changed)
    else:
        say(f"Camera “{changed['name']}” changed.")


@camera.command("test")
@click.argument("what", metavar="URL|NAME")
@data_option
@json_option
@click.pass_obj
@failing_well
def test(program: Program, what: str, folder: Path, as_json: bool) -> None:
    """Test a camera: step by step, what it answers, and what its pictures are.

    URL is any address, also of a camera that is not set up; NAME one that is. Ends with 1 if no picture came.

    \b
    Examples:
      fanal camera test rtsp://admin:secret@192.0.2.10/main
      fanal camera test gate
    """
    key = "url" if any(mark in what for mark in NOT_NAMES) else "camera"
    with ExitStack() as stack:
        try:
            api = stack.enter_context(open_api(folder, program.offline))
        except Fault as fault:
            if fault.code != "no_data" or key == "camera":
                raise
            # an address can be tested before there is anything of Fanal here, and nothing is left behind
            passing = stack.enter_context(TemporaryDirectory(prefix="fanal-"))
            api = stack.enter_context(open_api(Path(passing), program.offline, may_begin=True))
        found = api.call("POST", "admin", "camera-tests", body={key: what})
    if as_json:
        show_json(found)
    else:
        _show_test(found)
    if not found["ok"]:
        sys.exit(FAILED)


def _show_test(found: dict[str, Any]) -> None:
    for stream in found["streams"]:
        if len(found["streams"]) > 1:
            say(f"{stream['name']}:")
        _show_tested(stream)


def _show_tested(stream: dict[str, Any]) -> None:
    for step in stream["steps"]:
        click.secho("ok    " if step["ok"] else "failed", fg="green" if step["ok"] else "red", nl=False)
        say(f"  {step['name']:<8}  {step['ms']:>5} ms  {step['text']}".rstrip())
    if not stream["steps"]:
        say(f"{stream['message']} {stream['hint']}".rstrip())
    if stream["codec"] is not None:
        parts = [stream["codec"], f"{stream['width']}x{stream['height']}"]
        parts += [f"{stream['fps']:g} pictures a second"] if stream["fps"] else []
        parts += [f"{stream['kbps']:.0f} kbit/s"] if stream["kbps"] else []
        parts += [f"a key frame every {stream['gop_s']:g} s"] if stream["gop_s"] else []
        say(f"picture: {', '.join(parts)}")
    if stream["audio"] is not None:
        audio = stream["audio"]
        say(f"sound: {audio['codec']}, {audio['sample_rate']} Hz, channels: {audio['channels']}")
    for note in stream["notes"]:
        say(f"note: {note}")
    for oddity in stream["oddities"]:
        say(f"oddity: {oddity['name']}: {oddity['sentence']}")


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
        if one["mask"]:
            say(f"{one['name']}: mask {show_mask(one['mask'])}")
        if recorded := show_recording(one["recording"]):
            say(f"{one['name']}: recorded {recorded}")
        if running and one["recording_state"]["state"] == "failed":
            say(f"{one['name']}: not recorded now: {one['recording_state']['message']}")
        if running and one["message"]:
            say(f"{one['name']}: {one['message']}")
        if one["remove_at"]:
            say(f"{one['name']}: will be removed at {one['remove_at']}")


@camera.command("event")
@click.argument("name")
@click.option("--kind", default="manual", show_default=True, help="A word, such as motion or door-open.")
@click.option("--text", default="", help="What people read about it.")
@data_option
@json_option
@failing_well
def event(name: str, kind: str, text: str, folder: Path, as_json: bool) -> None:
    """Say that something happens at a camera now.

    One that is recorded around events (recording=event) is recorded from some seconds before to some seconds after.

    \b
    Examples:
      fanal camera event gate
      fanal camera event gate --kind door-open --text "North door"
    """
    with open_api(folder, None) as api:  # of what happens while nothing runs, nothing can be recorded
        try:
            told = api.call("POST", "cameras", name, "events", body={"kind": kind, "text": text})
        except Fault as fault:
            if fault.code != "no_camera":
                raise
            names = ", ".join(one["name"] for one in api.get("admin", "cameras")["cameras"][:20])
            fail(f"There is no camera “{name}”. " + (f"There are: {names}." if names else "Add one first."))
    if as_json:
        show_json(told)
    else:
        say(f"{told['at']}: {told['kind']} at “{name}”.")


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
