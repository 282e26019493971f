"""What all commands share: where the data are, how answers are shown, how failures end."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from appliance.base.faults import Fault
from appliance.base.secrets import redact
from appliance.base.texts import visible
from appliance.cli.api import NotRunningError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from contextlib import AbstractContextManager

F = TypeVar("F", bound="Callable[..., Any]")

FAILED = 1


@dataclass(frozen=True)
class Program:
    """What the module that knows every room hands to the commands."""

    run: Callable[..., Awaitable[None]]
    offline: Callable[[Path], AbstractContextManager[None]]


def default_folder() -> Path:
    """Where the data are if nobody says otherwise (design §7)."""
    return Path("/var/lib/fanal") if os.geteuid() == 0 else Path.home() / ".local" / "share" / "fanal"


def data_option(function: F) -> F:
    """``--data DIR`` or FANAL_DATA."""
    return click.option(
        "--data",
        "folder",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="FANAL_DATA",
        default=default_folder,
        help="The data folder. Without it: FANAL_DATA, else /var/lib/fanal as root, else ~/.local/share/fanal.",
        metavar="DIR",
    )(function)


def json_option(function: F) -> F:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(function)


def failing_well(function: F) -> F:
    """Faults become one line on standard error and exit code 1."""

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Fault as fault:
            fail(str(fault))
        except NotRunningError as error:
            fail(f"{error} Start it with: fanal run. If it runs with another folder, say so with --data DIR.")

    return wrapped  # type: ignore[return-value]  # the same signature


def fail(message: str) -> None:
    """Say what went wrong, and end with exit code 1."""
    say(f"fanal: {redact(message)}", err=True)
    sys.exit(FAILED)


def say(text: str, *, err: bool = False) -> None:
    """A line at the terminal: what a camera or a client wrote into it commands nothing there."""
    click.echo(visible(text), err=err)


def show_json(value: Any) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def show_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns as wide as their widest cell; no table at all for no rows."""
    cells = [[("–" if cell is None else visible(str(cell))) for cell in row] for row in rows]
    if not cells:
        return
    widths = [max(len(row[n]) for row in [list(head), *cells]) for n in range(len(head))]
    for row in [list(head), *cells]:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        click.echo(click.style(line, bold=True) if row == list(head) else line)
