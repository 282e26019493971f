"""The store: the data folder locked, its database up to date, its key at hand; two calls to read and to write."""

from __future__ import annotations

from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

import trio

from appliance.base.clock import SystemClock
from appliance.store.folder import COMMAND, SERVER, lock_folder, make_private_folder
from appliance.store.secretbox import SecretBox, open_secret_box
from appliance.store.sqlite import Database, open_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Connection

    from appliance.base.clock import Clock

T = TypeVar("T")

#: How long the end may wait for the disk, s; SQLite then has only its write-ahead log to fold in.
CLOSING_S = 30.0


class DirectStore:
    """The store without Trio, for a command that runs when no server does.  The functions are the same."""

    def __init__(self, folder: Path, database: Database, secrets: SecretBox) -> None:
        self.folder = folder
        self.secrets = secrets
        self._database = database

    def read(self, fn: Callable[[Connection], T]) -> T:
        """What ``fn`` returns, given one consistent view of the database; it may not write."""
        return self._database.read(fn)

    def write(self, fn: Callable[[Connection], T]) -> T:
        """What ``fn`` returns, in one transaction that lasts when this returns and never was when this raises."""
        return self._database.write(fn)


class Store:
    """The store as the server uses it: one thread, one caller at a time, in the order they came."""

    def __init__(self, direct: DirectStore) -> None:
        self.folder = direct.folder
        self.secrets = direct.secrets
        self._direct = direct
        self._thread = trio.CapacityLimiter(1)
        self._turn = trio.Lock()

    async def read(self, fn: Callable[[Connection], T], *, then: Callable[[T], None] | None = None) -> T:
        """What ``fn`` returns, given one consistent view of the database, in the store's thread; it may not write.

        Cancellation is felt while waiting for the turn, not once ``fn`` runs.
        Raises what ``fn`` raises, and `Fault` when the disk fails.
        """
        return await self._in_turn(self._direct.read, fn, then)

    async def write(self, fn: Callable[[Connection], T], *, then: Callable[[T], None] | None = None) -> T:
        """What ``fn`` returns, in one transaction (``BEGIN IMMEDIATE``), in the store's thread.

        Whatever this raises, cancellation included, nothing was written; once it returns, it lasts.
        ``then`` gets the result on the loop, before anybody else's turn: memory follows the store in the order of its
        commits.  It must not await or fail.
        """
        return await self._in_turn(self._direct.write, fn, then)

    async def _in_turn(
        self,
        how: Callable[[Callable[[Connection], T]], T],
        fn: Callable[[Connection], T],
        then: Callable[[T], None] | None,
    ) -> T:
        async with self._turn:
            # without abandon_on_cancel: a cancelled caller still gets the result of what was begun
            result = await trio.to_thread.run_sync(how, fn, limiter=self._thread)
            if then is not None:
                then(result)
        return result


@contextmanager
def open_store_directly(folder: Path, clock: Clock | None = None, *, holder: str = COMMAND) -> Iterator[DirectStore]:
    """Open the data folder (made if need be) for a command.  Blocks.

    Raises `Fault`: ``data_in_use`` while a server or another command has it, ``data_not_writable``,
    ``data_unusable``, ``disk_full``, ``store_corrupt``, ``store_newer``, ``store_foreign``, ``secret_key_damaged``.
    """
    make_private_folder(folder)
    with lock_folder(folder, holder):
        for stale in folder.glob(".fanal-*.new"):  # of a process that was killed
            with suppress(OSError):
                stale.unlink()
        database = open_database(folder, clock or SystemClock())
        try:
            yield DirectStore(folder, database, open_secret_box(folder))
        finally:
            database.close()


@asynccontextmanager
async def open_store(folder: Path, clock: Clock | None = None, *, holder: str = SERVER) -> AsyncIterator[Store]:
    """Open the data folder for the server.  Raises what `open_store_directly` does."""
    stack = ExitStack()
    thread = trio.CapacityLimiter(1)
    opening = open_store_directly(folder, clock, holder=holder)
    direct = await trio.to_thread.run_sync(stack.enter_context, opening, limiter=thread)
    try:
        yield Store(direct)
    finally:
        with trio.move_on_after(CLOSING_S, shield=True):
            await trio.to_thread.run_sync(stack.close, limiter=thread)
