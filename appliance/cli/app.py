"""The ``fanal`` command (design §10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from appliance import __version__
from appliance.cli.bench import bench
from appliance.cli.camera import camera
from appliance.cli.config import config
from appliance.cli.doctor import doctor
from appliance.cli.recorder import recorder
from appliance.cli.run import run
from appliance.cli.status import status
from appliance.cli.user import user

if TYPE_CHECKING:
    from appliance.cli.context import Program


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="Fanal")
def fanal() -> None:
    """Every camera, live, in a browser or on a phone.

    \b
    Start:          fanal run --demo
    Add a camera:   fanal camera add gate rtsp://user:password@192.0.2.10/main
    Let them see:   fanal user add ann; fanal user set ann live=gate
    How it is:      fanal status

    The commands talk to the Fanal that runs with the same data folder; where none runs, they change its data all the
    same. Each has its own help: fanal camera add --help

    Exit codes: 0 done, 1 failed, 2 wrong usage.
    """


for command in (run, camera, user, config, status, doctor, bench, recorder):
    fanal.add_command(command)


def main(program: Program) -> int:
    """Run the command line; the exit code: 0 done, 1 failed, 2 usage."""
    result: object = fanal.main(prog_name="fanal", obj=program, standalone_mode=True)
    return result if isinstance(result, int) else 0
