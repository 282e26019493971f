"""``fanal bench``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click
import msgspec

from appliance.base.faults import Fault
from appliance.cli.api import open_api
from appliance.cli.context import Program, data_option, failing_well, json_option, say, show_json, show_table

if TYPE_CHECKING:
    from pathlib import Path

    from appliance.status.capacity import Capacity

CODECS = {"h264": "H.264", "h265": "H.265", "mjpeg": "MJPEG"}


@click.command()
@data_option
@json_option
@click.pass_obj
@failing_well
def bench(program: Program, folder: Path, as_json: bool) -> None:
    """Measure how many viewers this machine can carry, and propose performance levels for it.

    Takes about twenty seconds, more on a busy machine; a Fanal that runs meanwhile is served first. What was found is
    kept in the data folder, and the status tells by it how much room there is.
    """
    import trio  # noqa: PLC0415  (commands begin without the servers)

    from appliance.measuring.proposal import commands, propose  # noqa: PLC0415
    from appliance.measuring.run import run  # noqa: PLC0415

    with click.progressbar(length=1000, label="Measuring", file=sys.stderr) as bar:
        capacity: Capacity = trio.run(run, lambda done: bar.update(round(done * 1000) - bar.pos))
    trouble = _keep(program, folder, capacity)
    wanted = list(commands(propose(capacity)))
    if as_json:
        show_json({**_summary(capacity), "proposed": wanted, "kept": trouble is None})
    else:
        _show(capacity, wanted)
    if trouble is not None and trouble.code != "no_data":
        raise trouble  # what was found is told all the same
    if trouble is not None and not as_json:
        say("Nothing was kept, as there is no data folder of Fanal yet. Start it with: fanal run")


def _keep(program: Program, folder: Path, capacity: Capacity) -> Fault | None:
    """Hand it to the appliance; why that was not possible."""
    try:
        with open_api(folder, program.offline) as api:
            api.call("PUT", "admin", "capacity", body=msgspec.to_builtins(capacity))
    except Fault as fault:
        return fault
    return None


def _summary(capacity: Capacity) -> dict[str, Any]:
    found = dict(msgspec.to_builtins(capacity))
    for row, one in zip(found["transcoding"], capacity.transcoding, strict=True):
        row["streams"] = capacity.streams(one)
    return {**found, "direct": capacity.direct, "was_busy": capacity.was_busy}


def _show(capacity: Capacity, wanted: list[str]) -> None:
    say(f"Direct      {capacity.direct} viewers of {capacity.direct_kbps / 1000:g} Mbit/s each, over HTTPS")
    say(f"Transcoded  so many cameras at once ({capacity.source}), by what is made of them;")
    say("            each further viewer of the same takes no more than a direct one")
    sizes = sorted({(one.width, one.height) for one in capacity.transcoding}, reverse=True)
    streams = {(one.codec, one.fps, one.width): capacity.streams(one) for one in capacity.transcoding}
    rows = [
        [CODECS.get(codec, codec), f"{fps:g}", *(streams.get((codec, fps, width)) for width, _ in sizes)]
        for codec, fps in sorted({(codec, fps) for codec, fps, _ in streams}, key=lambda row: (row[0], -row[1]))
    ]
    show_table(["camera", "pictures a second", *(f"{width}x{height}" for width, height in sizes)], rows)
    say("")
    say("Levels that fit this machine:")
    for command in wanted:
        say(f"  {command}")
    say("The network was not measured: if it can be too slow, set bandwidth_kbps of levels 2 and 3 yourself.")
    if capacity.was_busy:
        say(
            f"This machine was busy: others used {capacity.busy_cores:.1f} of {capacity.cores} cores meanwhile. "
            "The figures may be too low; measure again when it is quiet."
        )
