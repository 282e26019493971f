"""The appliance in the foreground of a terminal: its signals, and what is printed when it is ready."""

from __future__ import annotations

import gc
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import click
import trio

from appliance.base.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from appliance.cli.context import Program

#: The orderly end takes a few seconds at most; then it is cut short.
END_S = 30


def serve(program: Program, folder: Path, options: dict[str, Any]) -> Fault | None:
    """Serve until a signal comes; the fault, if it could not."""
    failure: Fault | None = None
    try:
        trio.run(partial(_serve, program, folder, options), strict_exception_groups=True)
    except* Fault as group:
        failure = next(leaf for leaf in leaves(group) if isinstance(leaf, Fault))
    except* KeyboardInterrupt:
        pass  # a second Ctrl-C, that did not wait for the orderly end
    return failure


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors in a group of groups."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from leaves(each)
    else:
        yield error


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
        # What the start has made stays for good.  To look through it for garbage holds the loop for 60 ms each time.
        gc.freeze()
        _announce(appliance.ready, folder)
        await stopping.wait()
        nursery.cancel_scope.deadline = trio.current_time() + END_S


async def _wait_for_signals(
    stopping: trio.Event, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    wanted = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # the terminal is closed, and nobody said nohup
        wanted.append(signal.SIGHUP)
    with trio.open_signal_receiver(*wanted) as signals:
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
