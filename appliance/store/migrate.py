"""How an older database becomes today's: Alembic steps, forward only, run inside one transaction.

The steps are modules of `appliance.store.migrations`, listed in `STEPS` and imported like any other, so that a frozen
program carries them; there is no ini file and no folder to search.  A new step is a module ``sNNNN`` with ``revision``,
``down_revision`` and ``upgrade()``, added at the end of the list and of `revisions.REVISIONS`.  A step says itself what
the tables were at its time and never imports `appliance.store.tables`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import Script
from alembic.script.revision import RevisionMap

from appliance.store.migrations import s0001, s0002, s0003, s0004

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from sqlalchemy import Connection

#: The modules of `appliance.store.revisions.REVISIONS`.
STEPS: Final[Sequence[ModuleType]] = (s0001, s0002, s0003, s0004)


def run_steps(connection: Connection, todo: Sequence[str], steps: Sequence[ModuleType] = STEPS) -> None:
    """Run the steps to the revisions ``todo`` in the transaction that ``connection`` is in."""
    scripts = {step.revision: Script(step, step.revision, step.__name__) for step in steps}
    revisions = RevisionMap(scripts.values)

    def plan(_heads: object, _context: object) -> list[MigrationStep]:
        # asking the map is what makes it link the scripts to each other
        linked = (revisions.get_revision(revision) for revision in todo)
        return [MigrationStep.upgrade_from_script(revisions, script) for script in linked if isinstance(script, Script)]

    context = MigrationContext.configure(connection, opts={"fn": plan})
    with Operations.context(context):
        context.run_migrations()
