"""How an older database becomes today's: Alembic steps, forward only, run inside one transaction.

The steps are modules of `appliance.store.migrations`, listed in `STEPS` and imported like any other, so that a frozen
program carries them; there is no ini file and no folder to search.  A new step is a module ``sNNNN`` with ``revision``,
``down_revision`` and ``upgrade()``, added at the end of the list.  A step says itself what the tables were at its time
and never imports `appliance.store.tables`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import Script
from alembic.script.revision import RevisionMap
from sqlalchemy import inspect

from appliance.store.migrations import s0001, s0002, s0003, s0004

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from sqlalchemy import Connection

STEPS: Final[Sequence[ModuleType]] = (s0001, s0002, s0003, s0004)


class UnknownRevisionError(Exception):
    """The database is not one of ours, or of a newer program.  ``revision`` is what it says, if anything."""

    def __init__(self, revision: str | None) -> None:
        super().__init__(f"revision {revision}")
        self.revision = revision


def current_revision(connection: Connection, steps: Sequence[ModuleType] = STEPS) -> str | None:
    """Where the database stands; None for an empty one.  Raises `UnknownRevisionError`."""
    heads = MigrationContext.configure(connection).get_current_heads()
    if not heads:
        if inspect(connection).get_table_names():
            raise UnknownRevisionError(None)
        return None
    known = {step.revision for step in steps}
    if len(heads) != 1 or heads[0] not in known:
        raise UnknownRevisionError(", ".join(heads))
    return heads[0]


def pending(revision: str | None, steps: Sequence[ModuleType] = STEPS) -> Sequence[ModuleType]:
    """The steps that a database at ``revision`` still needs."""
    names: list[str | None] = [None, *(step.revision for step in steps)]
    return steps[names.index(revision) :]


def run_steps(connection: Connection, todo: Sequence[ModuleType], steps: Sequence[ModuleType] = STEPS) -> None:
    """Run the steps ``todo`` in the transaction that ``connection`` is in."""
    scripts = {step.revision: Script(step, step.revision, step.__name__) for step in steps}
    revisions = RevisionMap(scripts.values)

    def plan(_heads: object, _context: object) -> list[MigrationStep]:
        # asking the map is what makes it link the scripts to each other
        linked = (revisions.get_revision(step.revision) for step in todo)
        return [MigrationStep.upgrade_from_script(revisions, script) for script in linked if isinstance(script, Script)]

    context = MigrationContext.configure(connection, opts={"fn": plan})
    with Operations.context(context):
        context.run_migrations()
