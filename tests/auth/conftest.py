from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from appliance.auth import Auth, open_auth
from appliance.auth.passwords import Cost, Passwords
from appliance.base.clock import ManualClock
from appliance.base.ids import new_id
from appliance.base.secrets import Secret
from appliance.store import Store, open_store, tables
from tests.store.fresh import put_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

GOOD = Secret("correct horse battery")
CHEAP = Cost(memory_kib=8, passes=1)


@dataclass
class World:
    """A store and the two clocks; `auth` opens the room on them, as often as the server starts.

    Trio's own clock stays real: it would jump ahead whenever only the store's thread is at work.
    """

    store: Store
    clock: ManualClock = field(default_factory=ManualClock)
    elapsed_s: float = 5000.0

    def auth(self, cost: Cost = CHEAP) -> AbstractAsyncContextManager[Auth]:
        return open_auth(self.store, self.clock, passwords=Passwords(cost), elapsed=lambda: self.elapsed_s)

    def wait(self, seconds: float) -> None:
        """Time passes, for both clocks."""
        self.clock.advance(seconds)
        self.elapsed_s += seconds

    async def camera(self) -> str:
        """A camera in the store."""
        camera_id = new_id()

        def fn(connection: sa.Connection) -> None:
            connection.execute(sa.insert(tables.sites).values(id=camera_id, kind="local", created_at=0))
            connection.execute(
                sa.insert(tables.cameras).values(
                    id=camera_id, site_id=camera_id, name="x", folded="x", position=0, created_at=0
                )
            )

        await self.store.write(fn)
        return camera_id

    async def rows(self, table: sa.Table) -> list[dict[str, object]]:
        return await self.store.read(
            lambda connection: [dict(row._mapping) for row in connection.execute(sa.select(table))]
        )


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_store(put_database(tmp_path)) as store:
        yield World(store)


@pytest.fixture
async def auth(world: World) -> AsyncIterator[Auth]:
    async with world.auth() as opened:
        yield opened
