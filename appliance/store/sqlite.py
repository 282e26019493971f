"""All that is particular to SQLite: how it is opened, its transactions and backups, and what its errors mean.

WAL with ``synchronous=FULL``: what is written here is written rarely and because somebody was told "saved" (settings,
users, cameras), so a commit waits for the disk and outlives a power cut; `NORMAL` would lose the last ones.
Sources: https://sqlite.org/wal.html, https://sqlite.org/pragma.html, https://sqlite.org/rescode.html
"""

from __future__ import annotations

import logging
import math
import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from shutil import disk_usage
from typing import TYPE_CHECKING, Final, TypeVar

from sqlalchemy import create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from appliance.base.clock import to_datetime
from appliance.base.faults import Fault, Kind
from appliance.store.folder import disk_full, fault_of, sync_folder, unavailable
from appliance.store.revisions import REVISIONS, UnknownRevisionError, current_revision, pending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import ModuleType

    from sqlalchemy import Connection

    from appliance.base.clock import Clock

log = logging.getLogger(__name__)

T = TypeVar("T")

NAME: Final = "fanal.db"
BACKUPS_KEPT: Final = 3
#: Only a person's own tool can hold a lock beside us (the folder is locked); it gets this long, ms.
BUSY_MS: Final = 5000
#: Less than SQLite makes a file longer by at once, bytes.
LEAST_FREE: Final = 64 * 1024


class Database:
    """One connection.  Any thread may use it, one at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begin = "BEGIN"
        engine = create_engine("sqlite+pysqlite://", creator=self._connect, poolclass=NullPool, hide_parameters=True)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(self._begin))
        with explained(path):
            self._connection = engine.connect()

    def read(self, fn: Callable[[Connection], T]) -> T:
        """``fn`` in one consistent view; a statement in it that would write raises."""
        with explained(self._path), self._transaction("BEGIN") as connection:
            connection.exec_driver_sql("PRAGMA query_only = ON")
            try:
                return fn(connection)
            finally:
                connection.exec_driver_sql("PRAGMA query_only = OFF")

    def write(self, fn: Callable[[Connection], T]) -> T:
        """``fn`` in one transaction: all of it lasts, or (whatever it raises, whenever the power fails) nothing."""
        with explained(self._path), self._transaction("BEGIN IMMEDIATE") as connection:
            return fn(connection)

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Connection]:
        self._begin = begin
        with self._connection.begin():
            yield self._connection

    def _connect(self) -> sqlite3.Connection:
        return connect(self._path, "foreign_keys = ON", "synchronous = FULL")

    def check(self) -> None:
        """Raise `Fault` ``store_corrupt`` unless the file is whole."""

        def quick_check(connection: Connection) -> str:
            return str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())

        found = self.read(quick_check)
        if found != "ok":
            raise corrupt(self._path, found)

    def bring_forward(self, clock: Clock, steps: Sequence[ModuleType] | None = None) -> None:
        """Run the migrations still due (``steps``: others than those of the program), all or none, after a backup.

        Raises `Fault` ``store_newer``, ``store_foreign``.
        """
        known = REVISIONS if steps is None else [step.revision for step in steps]
        try:
            revision = self.read(lambda connection: current_revision(connection, known))
        except UnknownRevisionError as error:
            raise self._not_ours(error.revision) from error
        todo = pending(revision, known)
        if not todo:
            return
        from appliance.store import migrate  # noqa: PLC0415  (takes long, and is seldom needed: see `revisions`)

        if revision is not None:
            self._back_up(revision, clock)
            log.info("bringing %s from revision %s to %s", self._path, revision, todo[-1])

        def run(connection: Connection) -> None:
            migrate.run_steps(connection, todo, steps or migrate.STEPS)
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
            if broken is not None:
                raise RuntimeError(f"the migration to {todo[-1]} left a row of {broken[0]} without its owner")

        # Rebuilding a table, SQLite's only way to change some columns, would else delete what refers to its rows;
        # inside a transaction the pragma does nothing.
        self._outside("foreign_keys = OFF")
        try:
            self.write(run)
        finally:
            self._outside("foreign_keys = ON")

    def _outside(self, pragma: str) -> None:
        with explained(self._path):
            self._driver().execute(f"PRAGMA {pragma}")

    def _driver(self) -> sqlite3.Connection:
        connection = self._connection.connection.dbapi_connection
        assert isinstance(connection, sqlite3.Connection)
        return connection

    def _back_up(self, revision: str, clock: Clock) -> None:
        stamp = to_datetime(clock.utc_90k()).strftime("%Y-%m-%dT%H%M%SZ")
        final = self._path.with_name(f"{NAME}.backup-{stamp}-{revision}")
        beside = self._path.with_name(f".fanal-{final.name}.{os.getpid()}.new")
        try:
            create_private(beside)
            with explained(final), closing(sqlite3.connect(beside)) as target:
                self._driver().backup(target)
                target.execute("PRAGMA journal_mode = DELETE")  # one file, that needs no others beside it
            sync_file(beside)
            beside.replace(final)
            sync_folder(final.parent)
        except OSError as error:
            raise fault_of(error, final) from error
        finally:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
        log.info("kept a backup of the store: %s", final)
        for old in [path for path in backups(self._path) if path != final][BACKUPS_KEPT - 1 :]:
            with suppress(OSError):
                old.unlink()

    def _not_ours(self, revision: str | None) -> Fault:
        if revision is None:
            return Fault(
                Kind.CONFLICT,
                "store_foreign",
                f"{self._path} is a database, but not one of this program.",
                "Choose another folder with --data.",
            )
        kept = backups(self._path)
        back = f", or put the backup {kept[0].name} in its place" if kept else ""
        return Fault(
            Kind.CONFLICT,
            "store_newer",
            f"{self._path} was written by a newer version of this program (revision {revision}).",
            f"Install that version again{back}.",
        )


def open_database(folder: Path, clock: Clock, steps: Sequence[ModuleType] | None = None) -> Database:
    """The database of a data folder, whole and up to date; made if there is none.

    Raises `Fault`: ``store_corrupt``, ``store_newer``, ``store_foreign``, ``store_busy``, ``disk_full``,
    ``data_not_writable``, ``data_unusable``.  Blocks.
    """
    path = folder / NAME
    try:
        create_private(path)
    except OSError as error:
        raise fault_of(error, path) from error
    database = Database(path)
    try:
        database.check()
        database.bring_forward(clock, steps)
    except BaseException:
        database.close()
        raise
    return database


def connect(path: Path, *pragmas: str) -> sqlite3.Connection:
    """A connection for any thread, one at a time."""
    # No isolation level: whoever uses it begins the transactions, and so they take DDL in; the driver's own do not.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        for pragma in (f"busy_timeout = {BUSY_MS}", "journal_mode = WAL", "trusted_schema = OFF", *pragmas):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def backups(path: Path) -> list[Path]:
    """The backups kept beside the database, the newest first."""
    return sorted(path.parent.glob(f"{NAME}.backup-*"), reverse=True)


def create_private(path: Path) -> None:
    """Make the file (0600) if there is none, and private if it is not; SQLite gives its other files the same mode."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        if os.fstat(descriptor).st_mode & 0o077:
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the disk, another process or a damaged file does to SQLite into a `Fault`; our own mistakes pass."""
    try:
        yield
    except (sqlite3.Error, DBAPIError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        fault = _fault_of(cause, path)
        if fault is None:
            raise
        raise fault from cause


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is wrong."""
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _fault_of(error: BaseException | None, path: Path) -> Fault | None:
    code = getattr(error, "sqlite_errorcode", None)
    if not isinstance(code, int):
        return None
    match code & 0xFF:  # the primary code; the rest is detail
        case sqlite3.SQLITE_FULL:
            return disk_full(path)
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return unavailable(
                "data_not_writable",
                f"{path} may not be written ({error}).",
                "Make it and its folder writable for the user that runs this program.",
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return corrupt(path, str(error))
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return unavailable("store_busy", f"Another program holds {path} locked.", "Close it, then try again.")
        case sqlite3.SQLITE_IOERR:
            if _free_bytes(path.parent) < LEAST_FREE:  # no room for shared memory beside the log is an I/O error too
                return disk_full(path)
            return unavailable(
                "store_disk_error", f"The disk fails to read or write {path} ({error}).", "Check that disk."
            )
    return None


def _free_bytes(folder: Path) -> float:
    try:
        return disk_usage(folder).free
    except OSError:  # that disk is gone
        return math.inf


def corrupt(path: Path, detail: str) -> Fault:
    kept = backups(path)
    back = f"Put the backup {kept[0].name} in its place" if kept else "Put a backup of yours in its place"
    return unavailable(
        "store_corrupt",
        f"{path} is damaged ({detail}).",
        f"{back}, or move it away to begin anew: cameras, users and settings are then set up again.",
    )
