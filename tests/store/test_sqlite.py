from __future__ import annotations

import sqlite3
from contextlib import closing
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from appliance.base.clock import ManualClock
from appliance.base.faults import Fault
from appliance.store import migrate, open_store_directly, sqlite, tables
from appliance.store.revisions import REVISIONS, current_revision
from appliance.store.sqlite import NAME, backups, open_database

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


#: Where a database of today stands.
LAST = int(migrate.STEPS[-1].revision)


def step(number: int, upgrade: Callable[[], None]) -> ModuleType:
    """The step of so many after today's."""
    number += LAST
    module = ModuleType(f"s{number:04}", "A step of the test.")
    module.__dict__.update(revision=f"{number:04}", down_revision=f"{number - 1:04}", upgrade=upgrade)
    return module


def add_column(number: int) -> ModuleType:
    return step(number, lambda: op.add_column("users", sa.Column(f"extra_{number}", sa.Text())))


def one_user(connection: sa.Connection) -> None:
    connection.execute(
        sa.insert(tables.users).values(
            id="u",
            name="Vera",
            folded="vera",
            role="viewer",
            disabled=False,
            password_hash="x",
            must_change=False,
            created_at=0,
            password_at=0,
        )
    )
    connection.execute(sa.insert(tables.grants).values(id="g", user_id="u", right="live"))


def made(folder: Path) -> Path:
    """A database of today's revision with a user and a grant of theirs."""
    with closing(open_database(folder, ManualClock())) as database:
        database.write(one_user)
    return folder / NAME


def names(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT name FROM users")]


def test_the_migrations_make_the_tables_that_the_program_uses(tmp_path: Path) -> None:
    with closing(open_database(tmp_path, ManualClock())) as database:
        differences = database.read(
            lambda connection: compare_metadata(MigrationContext.configure(connection), tables.metadata)
        )
    assert differences == []


def test_every_revision_that_is_known_has_its_step() -> None:
    assert tuple(each.revision for each in migrate.STEPS) == REVISIONS


def test_a_new_database_needs_no_backup(tmp_path: Path) -> None:
    assert backups(made(tmp_path)) == []


def test_an_older_database_is_brought_forward_after_a_backup(tmp_path: Path) -> None:
    path = made(tmp_path)
    steps = (*migrate.STEPS, add_column(1), add_column(2))
    with closing(open_database(tmp_path, ManualClock(), steps)) as database:
        row = database.read(
            lambda connection: connection.exec_driver_sql("SELECT name, extra_1, extra_2 FROM users").one()
        )
        known = [each.revision for each in steps]
        assert database.read(lambda connection: current_revision(connection, known)) == f"{LAST + 2:04}"
    assert tuple(row) == ("Vera", None, None)
    (backup,) = backups(path)
    assert backup.name == f"fanal.db.backup-2023-11-14T221320Z-{LAST:04}"
    assert backup.stat().st_mode & 0o777 == 0o600
    assert names(backup) == ["Vera"]
    assert {entry.name for entry in tmp_path.iterdir()} == {NAME, backup.name}


def test_a_camera_of_the_first_tables_has_no_mask_and_is_not_recorded_afterwards(tmp_path: Path) -> None:
    first = migrate.STEPS[:1]
    with closing(open_database(tmp_path, ManualClock(), first)) as database:
        database.write(
            lambda connection: [
                connection.exec_driver_sql("INSERT INTO sites VALUES ('s', 'local', 0)").rowcount,
                connection.exec_driver_sql("INSERT INTO cameras VALUES ('c', 's', 'Gate', 'gate', 0, 0)").rowcount,
            ]
        )
    with closing(open_database(tmp_path, ManualClock())) as database:
        rows = database.read(
            lambda connection: connection.execute(
                sa.select(tables.cameras.c.name, tables.cameras.c.mask, tables.cameras.c.recording)
            ).all()
        )
        assert database.read(lambda connection: connection.execute(sa.select(tables.events)).all()) == []
    assert [tuple(row) for row in rows] == [("Gate", None, None)]
    assert [backup.name[-4:] for backup in backups(tmp_path / NAME)] == ["0001"]


def test_a_backup_put_back_opens_again(tmp_path: Path) -> None:
    path = made(tmp_path)
    open_database(tmp_path, ManualClock(), (*migrate.STEPS, add_column(1))).close()
    backups(path)[0].replace(path)
    open_database(tmp_path, ManualClock()).close()
    assert names(path) == ["Vera"]


def test_the_last_three_backups_are_kept(tmp_path: Path) -> None:
    path = made(tmp_path)
    clock = ManualClock()
    steps = migrate.STEPS
    for number in range(1, 7):
        clock.advance(60)
        steps = (*steps, add_column(number))
        open_database(tmp_path, clock, steps).close()
    assert [backup.name[-4:] for backup in backups(path)] == [f"{LAST + 5:04}", f"{LAST + 4:04}", f"{LAST + 3:04}"]


def test_a_migration_that_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    path = made(tmp_path)

    def fail() -> None:
        op.drop_table("sessions")
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        open_database(tmp_path, ManualClock(), (*migrate.STEPS, add_column(1), step(2, fail)))
    with closing(open_database(tmp_path, ManualClock())) as database:
        assert "sessions" in database.read(lambda connection: sa.inspect(connection).get_table_names())
    assert names(path) == ["Vera"]


def test_rebuilding_a_table_keeps_the_rows_that_refer_to_it(tmp_path: Path) -> None:
    made(tmp_path)

    def rebuild() -> None:
        with op.batch_alter_table("users", recreate="always") as batch:
            batch.alter_column("name", type_=sa.String(64))

    with closing(open_database(tmp_path, ManualClock(), (*migrate.STEPS, step(1, rebuild)))) as database:
        assert database.read(
            lambda connection: connection.execute(sa.select(tables.grants.c.user_id)).scalars().all()
        ) == ["u"]
        with pytest.raises(sa.exc.IntegrityError):  # and the owners are checked again
            database.write(lambda connection: connection.execute(sa.update(tables.grants).values(user_id="nobody")))


def test_a_migration_that_orphans_a_row_is_refused(tmp_path: Path) -> None:
    made(tmp_path)
    with pytest.raises(RuntimeError, match="without its owner"):
        open_database(tmp_path, ManualClock(), (*migrate.STEPS, step(1, lambda: op.execute("DELETE FROM users"))))
    assert names(tmp_path / NAME) == ["Vera"]


def test_an_older_program_refuses_a_newer_store_and_says_what_to_do(tmp_path: Path) -> None:
    path = made(tmp_path)
    open_database(tmp_path, ManualClock(), (*migrate.STEPS, add_column(1))).close()
    content = path.read_bytes()
    with pytest.raises(Fault, match="newer version") as caught:
        open_database(tmp_path, ManualClock())
    assert caught.value.code == "store_newer"
    assert f"{LAST + 1:04}" in caught.value.message
    assert backups(path)[0].name in caught.value.hint
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / NAME)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    with pytest.raises(Fault) as caught:
        open_database(tmp_path, ManualClock())
    assert caught.value.code == "store_foreign"


def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"This is not a database. " * 100)
    with pytest.raises(Fault) as caught:
        open_database(tmp_path, ManualClock())
    assert caught.value.code == "store_corrupt"
    assert str(tmp_path / NAME) in caught.value.message
    assert (tmp_path / NAME).read_bytes().startswith(b"This is not")


def test_a_damaged_page_is_found_at_the_start_and_the_backup_named(tmp_path: Path) -> None:
    path = made(tmp_path)
    (tmp_path / f"{NAME}.backup-2023-11-14T221320Z-0001").write_bytes(path.read_bytes())
    content = bytearray(path.read_bytes())
    for page in range(2, len(content) // 4096):
        content[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(content)
    with pytest.raises(Fault, match="damaged") as caught:
        open_database(tmp_path, ManualClock())
    assert caught.value.code == "store_corrupt"
    assert f"{NAME}.backup-" in caught.value.hint


def test_another_program_that_keeps_the_database_locked_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_MS", 50)
    path = made(tmp_path)
    with closing(open_database(tmp_path, ManualClock())) as database, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Fault) as caught:
            database.write(one_user)
    assert caught.value.code == "store_busy"


def test_a_database_others_could_read_is_made_private(tmp_path: Path) -> None:
    path = made(tmp_path)
    path.chmod(0o644)
    open_database(tmp_path, ManualClock()).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_all_rights_of_one_kind_on_all_cameras_exist_once(tmp_path: Path) -> None:
    with open_store_directly(tmp_path) as store:
        store.write(one_user)
        with pytest.raises(sa.exc.IntegrityError):
            store.write(
                lambda connection: connection.execute(
                    sa.insert(tables.grants).values(id="h", user_id="u", right="live")
                )
            )
