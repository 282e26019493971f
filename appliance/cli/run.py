"""``fanal run``: serve until told to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from appliance.cli.context import Program, data_option, fail

if TYPE_CHECKING:
    from pathlib import Path


class Port(click.ParamType[int | str]):
    """A port number, 0 (off) or ``auto`` (any free one)."""

    name = "PORT|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        if value == "auto":
            return "auto"
        try:
            port = int(value)
        except (TypeError, ValueError):
            port = -1
        if not 0 <= port <= 65535:
            self.fail(f"{value!r} is no port. Use 1 to 65535, 0 for off, or auto.", param, ctx)
        return port


@click.command()
@data_option
@click.option("--bind", default="", metavar="ADDR", help="The address to serve on. Without it: all of this machine's.")
@click.option(
    "--http",
    type=Port(),
    metavar="PORT",
    help="Port of plain HTTP, which only leads to HTTPS; auto: any free one, 0: off. "
    "Without it: connectivity.http_port, at first 8081.",
)
@click.option(
    "--https",
    type=Port(),
    metavar="PORT",
    help="Port of HTTPS; auto: any free one, 0: off (then only this machine may be served: --bind 127.0.0.1). "
    "Without it: connectivity.https_port, at first 8082.",
)
@click.option("--demo", is_flag=True, help="Add a camera that needs nothing, to look around.")
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="How much the log tells, here and in the data folder's logs/.",
)
@click.pass_obj
def run(program: Program, /, folder: Path, **options: Any) -> None:
    """Serve, until Ctrl-C or SIGTERM.

    Prints where to go, at the first start also how to sign in, and, once it serves, a last line "ready" with its
    addresses.

    \b
    Examples:
      fanal run --demo
      fanal run --data /srv/fanal --https 443 --http 80
    """
    from appliance.cli.serving import serve  # noqa: PLC0415  (what other commands do without)

    failure = serve(program, folder.absolute(), options)
    if failure is not None:
        fail(str(failure))
