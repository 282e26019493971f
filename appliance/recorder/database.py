"""The SQLite file under the index: one connection writes, another reads, so that no reader waits for a slow disk.

A lost index is rebuilt from the files, so a commit does not wait for the disk (WAL with ``synchronous=NORMAL``: a power
cut may take the last ones, never damage the rest), and nothing is checked when it is opened: that would take minutes of
a year's index.  What turns out to be damaged is moved aside, and a new one begun.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from appliance.base.faults import Fault
from appliance.recorder import schema
from appliance.store.folder import fault_of, unavailable
from appliance.store.sqlite import connect, create_private, explained, is_damage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

log = logging.getLogger(__name__)

NAME: Final = "index.db"


class Database:
    """See the module.  Any thread may use it."""

    def __init__(self, path: Path) -> None:
        """Raises `Fault`."""
        self.path = path
        #: Whether files may be there of which the index knows nothing: it was made anew.
        self.lost = False
        self.made = 0  # how often: numbers of streams are good for one
        self._writing, self._reading = threading.Lock(), threading.Lock()
        self._damage: str | None = None
        try:
            self._connect()
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                with explained(path):
                    raise
            self._begin_anew(str(error))

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """One consistent view.  Raises `Fault`."""
        if self._damage is not None:
            self._mend()
        with self._reading, self.minded():
            self._reader.execute("BEGIN")
            try:
                yield self._reader
            finally:
                if self._reader.in_transaction:
                    self._reader.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it lasts, or nothing.  Raises `Fault`."""
        if self._damage is not None:
            self._mend()
        with self._writing, self.minded():
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            finally:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")

    def give_up(self, reason: str) -> None:
        """It is damaged: put it aside, and begin a new one.  Raises `Fault`."""
        self._damage = reason
        self._mend()

    def close(self) -> None:
        with self._writing, self._reading:
            self._reader.close()
            self._writer.close()

    @contextmanager
    def minded(self) -> Iterator[None]:
        """Errors of SQLite are told as `Fault`; damage is remembered, and mended before the next question."""
        try:
            with explained(self.path):
                yield
        except Fault as fault:
            if fault.code == "store_corrupt":
                self._damage = str(fault.__cause__)
                raise unavailable(
                    "recording_index_damaged",
                    f"The index of recordings {self.path} was damaged; it is rebuilt from the files.",
                    "Check that disk.",
                ) from fault
            raise

    def _mend(self) -> None:
        """What was found damaged is put aside; nobody else may be at it meanwhile."""
        with self._writing, self._reading:
            reason, self._damage = self._damage, None
            if reason is not None:
                self._reader.close()
                self._writer.close()
                self._begin_anew(reason)

    def _begin_anew(self, reason: str) -> None:
        aside = _unused(self.path)
        log.error("the index of recordings is damaged (%s) and rebuilt; the old one is kept as %s", reason, aside)
        try:
            self.path.replace(aside)
            for ending in ("-wal", "-shm"):
                self.path.with_name(NAME + ending).unlink(missing_ok=True)
        except OSError as error:
            raise fault_of(error, self.path) from error
        self._connect()

    def _connect(self) -> None:
        try:
            create_private(self.path)
        except OSError as error:
            raise fault_of(error, self.path) from error
        self._writer = connect(self.path, "synchronous = NORMAL")
        (version,) = self._writer.execute("PRAGMA user_version").fetchone()
        if version == 0:
            self._writer.execute("BEGIN IMMEDIATE")
            for statement in schema.STATEMENTS:
                self._writer.execute(statement)
            self._writer.execute("COMMIT")
            self.lost = True
            self.made += 1
        elif version != schema.VERSION:
            self._writer.close()
            raise unavailable(
                "recording_index_newer",
                f"{self.path} was written by a newer version of this program.",
                "Install that version again, or move this file away: it is made anew from the recordings.",
            )
        self._reader = connect(self.path, "query_only = ON")


def _unused(path: Path) -> Path:
    return next(
        aside
        for number in range(1, 1 << 20)
        if not os.path.lexists(aside := path.with_name(f"{NAME}.damaged-{number}"))
    )
