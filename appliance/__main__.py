"""``python -m appliance`` and the ``fanal`` command."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext


def main() -> None:
    """Hand over to the command line, or become a media worker where the pool asks for one."""
    if sys.argv[1:2] == ["worker"]:
        # Before anything else is imported: a worker loads its libraries between two steps of its isolation.
        from appliance.workers.process import main as work  # noqa: PLC0415

        os._exit(work(sys.argv[2:]))
    from appliance.base import unpacked  # noqa: PLC0415

    folder = unpacked.folder()
    if folder is not None:
        unpacked.die_with_boot_loader()  # before anything else takes its time
    with unpacked.claimed(folder) if folder is not None else nullcontext():
        from appliance.compose import commands  # noqa: PLC0415

        sys.exit(commands())


if __name__ == "__main__":
    main()
