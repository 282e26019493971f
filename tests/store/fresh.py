"""A database as a first start makes it, made once for all appliances of a process: its steps are a third of a start.

That a start makes one itself is tested in `tests.store`, and by every program that begins in an empty folder.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from appliance.store import open_store_directly
from appliance.store.sqlite import NAME


@cache
def _database() -> bytes:
    with tempfile.TemporaryDirectory(prefix="fanal-") as folder:
        with open_store_directly(Path(folder)):
            pass
        return (Path(folder) / NAME).read_bytes()


def put_database(folder: Path) -> Path:
    """The folder (private already), with an empty database that is up to date unless it has one."""
    path = folder / NAME
    if not path.exists():
        path.touch(0o600)
        path.write_bytes(_database())
    return folder
