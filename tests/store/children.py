"""Processes that use a data folder and are killed in the middle of it: ``python -m tests.store.children WHAT …``."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import sqlalchemy as sa

from appliance.base.faults import Fault
from appliance.base.secrets import Secret
from appliance.store import DirectStore, open_store_directly, tables


def put(connection: sa.Connection, number: int) -> None:
    """One change in two tables and several rows that only make sense together."""
    connection.execute(sa.delete(tables.settings))
    connection.execute(sa.delete(tables.sites))
    for key in ("a", "b"):
        connection.execute(
            sa.insert(tables.settings).values(key=key, value=str(number) * 500, changed_at=number, changed_by="child")
        )
    for ordinal in range(number % 5):
        connection.execute(sa.insert(tables.sites).values(id=f"{number}-{ordinal}", kind="test", created_at=number))


def number_in(store: DirectStore) -> int:
    """The number of the last whole change; raises AssertionError for a mix of two."""

    def look(connection: sa.Connection) -> int:
        rows = connection.execute(sa.select(tables.settings).order_by(tables.settings.c.key)).all()
        sites = connection.execute(sa.select(tables.sites)).all()
        if not rows:
            assert not sites
            return 0
        number = rows[0].changed_at
        assert [row.key for row in rows] == ["a", "b"]
        assert all(row.changed_at == number and row.value == str(number) * 500 for row in rows)
        assert len(sites) == number % 5
        assert all(site.created_at == number for site in sites)
        return int(number)

    return store.read(look)


def write_for_ever(folder: Path, said: int) -> None:
    with open_store_directly(folder) as store:
        number = number_in(store)
        while True:
            number += 1
            store.write(lambda connection, number=number: put(connection, number))  # type: ignore[misc]
            os.write(said, number.to_bytes(8, "big"))


def forked_and_killed(folder: Path, delay_s: float) -> int:
    """Fork a writer, kill it after ``delay_s``; the last number it said was written, or 0."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            write_for_ever(folder, writing)
        finally:
            os._exit(1)
    os.close(writing)
    time.sleep(delay_s)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    said = b""
    while chunk := os.read(reading, 1 << 16):
        said += chunk
    os.close(reading)
    return int.from_bytes(said[-8:], "big")


def kill_writers(folder: Path, times: int) -> None:
    rng = random.Random(os.environ.get("SEED", "1"))
    last = 0
    for _ in range(times):
        said = forked_and_killed(folder, rng.uniform(0.02, 0.12))
        with open_store_directly(folder) as store:
            found = number_in(store)
        # what was said to be written is there; at most the one being written beside it
        assert max(said, last) <= found <= max(said, last) + 1, (last, said, found)
        last = found
    assert last > times, "the writers hardly wrote"
    print(last)


def kill_openers(folder: Path, times: int) -> None:
    rng = random.Random(os.environ.get("SEED", "1"))
    for number in range(times):
        forked_and_killed(folder / str(number), rng.uniform(0.001, 0.06))
        with open_store_directly(folder / str(number)) as store:
            sealed = store.secrets.seal(Secret("s3cret"), "here")
            number_in(store)
        with open_store_directly(folder / str(number)) as store:
            assert store.secrets.unseal(sealed, "here").reveal() == "s3cret"
        left = {path.name for path in (folder / str(number)).iterdir()}
        assert left == {"fanal.db", "lock", "secret.key"}, left


def hold(folder: Path, holder: str) -> None:
    with open_store_directly(folder, holder=holder):
        print("held", flush=True)
        sys.stdin.read()


def fault(folder: Path, uid: int) -> None:
    """What opening and writing gives, as another user if ``uid`` is not ours."""
    if uid != os.getuid():
        os.setuid(uid)
    try:
        with open_store_directly(folder) as store:
            store.write(lambda connection: put(connection, 1))
    except Fault as error:
        print(error.kind, error.code)


def main() -> None:
    what, folder = sys.argv[1], Path(sys.argv[2])
    match what:
        case "writers":
            kill_writers(folder, int(sys.argv[3]))
        case "openers":
            kill_openers(folder, int(sys.argv[3]))
        case "hold":
            hold(folder, sys.argv[3])
        case "fault":
            fault(folder, int(sys.argv[3]))


if __name__ == "__main__":
    main()
