"""``python -m appliance`` and the ``fanal`` command.

The appliance is imported only by what runs one: a command that talks to the running one answers at once without it.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from appliance.base.imports import lasting_imports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def main() -> None:
    """Hand over to the command line, or become a media worker where the pool asks for one."""
    if sys.argv[1:2] == ["worker"] and len(sys.argv) == 5:
        # Before anything else is imported: a worker loads its libraries between two steps of its isolation.
        with lasting_imports():
            from appliance.workers.process import main as work  # noqa: PLC0415

        os._exit(work(sys.argv[2:]))
    from appliance.base import unpacked  # noqa: PLC0415

    folder = unpacked.folder()
    if folder is not None:
        unpacked.die_with_boot_loader()  # before anything else takes its time
    with unpacked.claimed(folder) if folder is not None else nullcontext():
        with lasting_imports():
            from appliance.cli.app import main as command  # noqa: PLC0415
            from appliance.cli.context import Program  # noqa: PLC0415

        sys.exit(command(Program(run=_run, offline=_offline)))


async def _run(**options: Any) -> None:
    with lasting_imports():
        from appliance.compose import run  # noqa: PLC0415  (see the module)

    await run(**options)


@contextmanager
def _offline(folder: Path) -> Iterator[None]:
    with lasting_imports():
        from appliance.compose import offline  # noqa: PLC0415  (see the module)

    with offline(folder):
        yield


if __name__ == "__main__":
    main()
