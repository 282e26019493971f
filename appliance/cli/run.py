"""``fanal run``: serve until told to stop."""

from __future__ import annotations

import signal
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import click
import trio

from appliance.base.faults import Fault
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
@click.option("--bind", default="", metavar="ADDR", help="Address to serve on.", show_default="all interfaces")
@click.option("--http", type=Port(), help="Port of plain HTTP, which leads to HTTPS; 0: off.", show_default="8081")
@click.option("--https", type=Port(), help="Port of HTTPS; 0: off (only with a loopback --bind).", show_default="8082")
@click.option("--demo", is_flag=True, help="Add a camera that needs nothing.")
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", show_default=True
)
@click.pass_obj
def run(program: Program, /, folder: Path, **options: Any) -> None:
    """Serve.  Prints "ready" and the addresses when it does."""
    try:
        trio.run(partial(_serve, program, folder.absolute(), options), strict_exception_groups=True)
    except* Fault as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        fail(str(error))
    except* KeyboardInterrupt:
        pass  # stopped from the keyboard, in order


async def _serve(program: Program, folder: Path, options: dict[str, Any]) -> None:
    stopping = trio.Event()
    async with trio.open_nursery() as nursery:
        await nursery.start(_wait_for_signals, stopping)
        serving = partial(
            program.run,
            folder=folder,
            stop=stopping.wait,
            first_password_to_file=not sys.stdout.isatty(),
            **options,
        )
        appliance = await nursery.start(serving)
        _announce(appliance.ready, folder)
        await stopping.wait()
        nursery.cancel_scope.deadline = trio.current_time() + 30  # the orderly end takes a few seconds at most


async def _wait_for_signals(
    stopping: trio.Event, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            stopping.set()
            return


def _announce(ready: Any, folder: Path) -> None:
    """Tell the person in front of the terminal what to do next; scripts read the last line."""
    secure = next((url for url in ready.urls if url.startswith("https")), ready.urls[0])
    plain = next((url for url in ready.urls if url.startswith("http:")), None)
    lines = [("Open", secure)]
    if ready.first is not None:
        lines.append(("User", ready.first.name))
        if sys.stdout.isatty():
            lines.append(
                ("Password", f"{ready.first.password.reveal()}   (shown this once; change it after signing in)")
            )
        else:
            lines.append(("Password", f"in {folder / 'first-password'} until it is changed"))
    if ready.fingerprint is not None:
        if plain is not None:
            lines.append(("Trust it", f"{plain}/trust   (once for each device; then the browser does not warn)"))
        lines.append(("Authority", ready.fingerprint))
    for word, text in lines:
        click.echo(f"  {word:<10} {text}")
    click.echo(f"ready {' '.join(ready.urls)}")
