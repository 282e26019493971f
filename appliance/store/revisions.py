"""Where a database stands among the revisions, told without the library that changes it.

Nearly every start finds a database of today: Alembic takes a quarter of a second to import, so only `migrate` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import inspect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

#: Each is a module of `appliance.store.migrations`, the oldest first.
REVISIONS: Final = ("0001", "0002", "0003", "0004")


class UnknownRevisionError(Exception):
    """The database is not one of ours, or of a newer program.  ``revision`` is what it says, if anything."""

    def __init__(self, revision: str | None) -> None:
        super().__init__(f"revision {revision}")
        self.revision = revision


def current_revision(connection: Connection, revisions: Sequence[str] = REVISIONS) -> str | None:
    """Where the database stands; None for an empty one.  Raises `UnknownRevisionError`."""
    tables = inspect(connection).get_table_names()
    heads: list[str] = []
    if "alembic_version" in tables:  # what Alembic calls its own
        heads = [str(head) for head in connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars()]
    if not heads:
        if tables:
            raise UnknownRevisionError(None)
        return None
    if len(heads) != 1 or heads[0] not in revisions:
        raise UnknownRevisionError(", ".join(heads))
    return heads[0]


def pending(revision: str | None, revisions: Sequence[str] = REVISIONS) -> Sequence[str]:
    """Those that a database at ``revision`` still needs."""
    names = [None, *revisions]
    return revisions[names.index(revision) :]
