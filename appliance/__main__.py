"""``python -m appliance`` and the ``fanal`` command."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Hand over to the command line, or become a media worker where the pool asks for one."""
    if sys.argv[1:2] == ["worker"]:
        # Before anything else is imported: a worker loads its libraries between two steps of its isolation.
        from appliance.workers.process import main as work  # noqa: PLC0415

        os._exit(work(sys.argv[2:]))
    from appliance.compose import commands  # noqa: PLC0415

    sys.exit(commands())


if __name__ == "__main__":
    main()
